//! What a service takes from settings of the server.

use super::{Baking, Builder};
use crate::{
    Error, Hint,
    config::{ContainerSettings, FallbackMode, Settings},
    executor::docker::Connection,
    workspaces::WorkspaceOptions,
};

impl Builder {
    /// Takes over what settings say of containers, packages, workspaces and the network.
    #[must_use]
    pub fn settings(self, settings: &Settings) -> Builder {
        let ContainerSettings { fallback, detect_packages, bake, baked_folder, baked_bytes_max, docker, environments } =
            &settings.containers;
        let mut builder = self
            .detect_packages(*detect_packages)
            .baking(if *bake { Baking::InBackground } else { Baking::OnOrder })
            .baked_bytes_max(*baked_bytes_max)
            .allow_network(settings.allow_network)
            .environments(environments.clone())
            .workspaces(WorkspaceOptions { folder: Some(settings.data_dir.clone()), ..settings.workspaces.clone() });
        if let Some(folder) = baked_folder {
            builder = builder.baked_folder(folder);
        }
        match fallback {
            FallbackMode::Off => {
                let why = Error::invalid("containers are off").with_hint(Hint::TurnOnContainers);
                builder.docker = Connection::off(why);
                builder
            }
            FallbackMode::Auto | FallbackMode::On => builder.docker(docker.clone()),
        }
    }
}

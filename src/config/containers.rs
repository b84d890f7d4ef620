//! Settings of what runs in containers, and of the packages that they get.

use super::{Settings, keys::boolean};
use crate::{
    Requirements,
    environment::EnvironmentOptions,
    executor::docker::{DockerOptions, ImagePull, Instance, NetworkMode},
};
use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

pub(super) const MODES: &str = "auto, on or off";
pub(super) const PULLS: &str = "missing or never";
pub(super) const NETWORKS: &str = "bridge, or the name of a network of Docker's";
pub(super) const SOCKETS: &str = "a path, unix://PATH or tcp://HOST:PORT";
pub(super) const IMAGES: &str = "each the name of an image, with * for any text";
pub(super) const MODULES: &str = "each the name of a module";
pub(super) const PACKAGES: &str = "each the name of a package";
pub(super) const ADDRESSES: &str = "each an IP address";
pub(super) const SUBNETS: &str = "each an IPv4 address or network, as in 10.0.0.0/8";
pub(super) const NAMES: &str = "letters, digits, - and _, at most 64";

/// Holds what runs in containers, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContainerSettings {
    /// Whether there are containers at all.
    pub fallback: FallbackMode,
    /// Whether packages that code imports are installed without being asked for.
    pub detect_packages: bool,
    /// Whether packages that jobs use are imported once, in the background, so that later jobs start with them.
    pub bake: bool,
    /// Where that is kept; `None` is the folder of compiled code.
    pub baked_folder: Option<PathBuf>,
    /// What it may take there, in bytes.
    pub baked_bytes_max: u64,
    /// The Docker executor.
    pub docker: DockerOptions,
    /// Packages.
    pub environments: EnvironmentOptions,
}

/// Whether jobs that WebAssembly cannot run go to containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FallbackMode {
    /// When Docker can be used.
    #[default]
    Auto,
    /// They do; a server does not start without Docker.
    On,
    /// They are refused.
    Off,
}

pub(super) fn fallback(settings: &mut Settings, text: &str) -> Result<(), String> {
    settings.containers.fallback = match text {
        "auto" => FallbackMode::Auto,
        // Some think of it as a flag.
        text => match boolean(text) {
            Some(true) => FallbackMode::On,
            Some(false) => FallbackMode::Off,
            None => return Err(format!("allowed: {MODES}")),
        },
    };
    Ok(())
}

pub(super) fn socket(settings: &mut Settings, text: &str) -> Result<(), String> {
    let path = text.strip_prefix("unix://").unwrap_or(text);
    let remote = text.strip_prefix("tcp://").is_some_and(|host| !host.is_empty());
    if !remote && !path.starts_with('/') {
        return Err(format!("allowed: {SOCKETS}"));
    }
    settings.containers.docker.socket = path.to_owned();
    Ok(())
}

pub(super) fn instance(settings: &mut Settings, text: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !text.chars().all(allowed) || text.len() > 64 {
        return Err(format!("allowed: {NAMES}"));
    }
    // Without one it is named when host and port are known.
    settings.containers.docker.instance = Instance::Exclusive(text.to_owned());
    Ok(())
}

pub(super) fn default_image(settings: &mut Settings, text: &str) -> Result<(), String> {
    settings.containers.docker.default_image = image(text)?;
    Ok(())
}

pub(super) fn version_image(settings: &mut Settings, text: &str) -> Result<(), String> {
    if !text.contains("{version}") {
        return Err("must have {version} where the version of Python goes".to_owned());
    }
    settings.containers.docker.image = image(text)?;
    Ok(())
}

fn image(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    fits.then(|| text.to_owned()).ok_or_else(|| "allowed: the name of an image, as in python:3.14-slim".to_owned())
}

pub(super) fn image_pull(settings: &mut Settings, text: &str) -> Result<(), String> {
    settings.containers.docker.image_pull = match text {
        "missing" => ImagePull::Missing,
        "never" => ImagePull::Never,
        _ => return Err(format!("allowed: {PULLS}")),
    };
    Ok(())
}

pub(super) fn allowed_images(settings: &mut Settings, entries: &[&str]) -> Result<(), String> {
    settings.containers.docker.allowed_images = entries.iter().map(|entry| image(entry)).collect::<Result<_, _>>()?;
    Ok(())
}

pub(super) fn network_mode(settings: &mut Settings, text: &str) -> Result<(), String> {
    settings.containers.docker.network_mode = match text {
        "bridge" => NetworkMode::Isolated,
        "" | "none" => return Err(format!("allowed: {NETWORKS}; allow_network=false turns it off")),
        name => NetworkMode::Named(name.to_owned()),
    };
    Ok(())
}

pub(super) fn dns(settings: &mut Settings, entries: &[&str]) -> Result<(), String> {
    // A comma at the end is a slip, not a server.
    let entries: Vec<_> = entries.iter().copied().filter(|entry| !entry.is_empty()).collect();
    for entry in &entries {
        entry.parse::<IpAddr>().map_err(|_| format!("{entry:?} is none; allowed: {ADDRESSES}"))?;
    }
    settings.containers.docker.dns = owned(&entries);
    Ok(())
}

pub(super) fn private_networks(settings: &mut Settings, entries: &[&str]) -> Result<(), String> {
    settings.containers.docker.private_networks = entries
        .iter()
        .map(|entry| entry.parse().map_err(|_| format!("{entry:?} is none; allowed: {SUBNETS}")))
        .collect::<Result<_, _>>()?;
    Ok(())
}

pub(super) fn preload(settings: &mut Settings, entries: &[&str]) -> Result<(), String> {
    let name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    if let Some(entry) = entries.iter().find(|entry| !entry.split('.').all(name)) {
        return Err(format!("{entry:?} is none; allowed: {MODULES}"));
    }
    settings.containers.docker.preload = owned(entries);
    Ok(())
}

pub(super) fn index_url(settings: &mut Settings, text: &str) -> Result<(), String> {
    let is_url = ["https://", "http://", "file://"].iter().any(|scheme| text.starts_with(scheme));
    if !text.is_empty() && !is_url {
        return Err("allowed: a URL".to_owned());
    }
    settings.containers.environments.index_url = (!text.is_empty()).then(|| text.to_owned());
    Ok(())
}

/// Reads them once, at the start, so that what is wrong with the file is known before a job needs it.
pub(super) fn constraints(settings: &mut Settings, path: Option<&Path>) -> Result<(), String> {
    let Some(path) = path else { return Ok(()) };
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read it: {error}"))?;
    Requirements::parse(&text).map_err(|error| error.to_string())?;
    settings.containers.environments.constraints = text;
    Ok(())
}

pub(super) fn packages(entries: &[&str]) -> Result<Vec<String>, String> {
    let fits =
        |entry: &&&str| !entry.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) || entry.is_empty();
    match entries.iter().find(fits) {
        Some(entry) => Err(format!("{entry:?} is none; allowed: {PACKAGES}")),
        None => Ok(owned(entries)),
    }
}

fn owned(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|&entry| entry.to_owned()).collect()
}

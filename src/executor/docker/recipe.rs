//! All that a layer is made from, and the hash that tells it from others.

use super::{
    images::Base,
    placement::{Packages, Placement},
};
use crate::{Error, Project, Result, project::Receiver};
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, io, sync::Arc};

/// What a layer takes beyond its base, in bytes.
pub(crate) const BYTES_LABEL: &str = "pyexec.bytes";
pub(crate) const LAYER: &str = "layer";
/// The name of all layers, which are told apart by their tags.
pub(crate) const REPOSITORY: &str = "pyexec-layer";

/// All that a layer is made from.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) base: Arc<Base>,
    pub(crate) pre_commands: Vec<String>,
    /// Variables of the commands.
    pub(crate) env: Vec<(String, String)>,
    /// What the commands find in the project's folder.
    pub(crate) seen: Option<Seen>,
    pub(crate) packages: Packages,
    /// Whose turn it is made in. It makes no difference to what is made.
    pub(crate) owner: u64,
}

/// A project that commands see, and what tells it from others.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) project: Project,
    digest: String,
}

impl Seen {
    /// Reads all of it; blocks.
    pub(crate) fn of(project: &Project) -> Result<Seen> {
        let mut digest = Digested(Sha256::new());
        project.send(&mut digest).map_err(|error| Error::invalid(format!("the project cannot be read: {error}")))?;
        Ok(Seen { project: project.clone(), digest: hex(digest.0) })
    }
}

/// Hashes a project, each part with its length.
struct Digested(Sha256);

impl Digested {
    fn add(&mut self, kind: u8, parts: [&str; 2]) -> io::Result<()> {
        self.0.update([0, kind]);
        for part in parts {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        Ok(())
    }
}

impl Receiver for Digested {
    fn folder(&mut self, path: &str) -> io::Result<()> {
        self.add(b'D', [path, ""])
    }

    fn file(&mut self, path: &str) -> io::Result<()> {
        self.add(b'F', [path, ""])
    }

    fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.add(b'L', [path, target])
    }
}

impl io::Write for Digested {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update([1]);
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Recipe {
    pub(crate) fn new(base: Arc<Base>, seen: Option<Seen>, placement: &Placement) -> Recipe {
        let Placement { pre_commands, env, packages, owner, .. } = placement.clone();
        Recipe { base, pre_commands, env, seen, packages, owner }
    }

    /// Returns whether the base will do as it is.
    pub(crate) fn is_empty(&self) -> bool {
        self.pre_commands.is_empty() && !self.has_packages()
    }

    pub(crate) fn has_packages(&self) -> bool {
        match &self.packages {
            Packages::None => false,
            Packages::Folder(_) => true,
            Packages::Build(requirements) => !requirements.is_empty(),
            Packages::File(requirements) => !requirements.trim().is_empty(),
        }
    }

    /// Returns whether making it runs code of the job's choice, which may need the network.
    pub(crate) fn runs_strangers(&self) -> bool {
        let installs = self.has_packages() && !matches!(self.packages, Packages::Folder(_));
        !self.pre_commands.is_empty() || installs
    }

    /// Returns the layer's key. Layers of other instances are not shared: their makers may be trusted with less.
    pub(crate) fn key(&self, instance: &str) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        // To be changed when a layer comes to be made in another way.
        for text in ["2", instance, &self.base.id, &self.pre_commands.len().to_string()] {
            add(text);
        }
        self.pre_commands.iter().for_each(|command| add(command));
        if !self.pre_commands.is_empty() {
            add(&self.env.len().to_string());
            self.env.iter().flat_map(|(name, value)| [name, value]).for_each(|text| add(text));
            add(self.seen.as_ref().map_or("", |seen| &seen.digest));
        }
        match &self.packages {
            Packages::None => add("none"),
            Packages::Folder(folder) => ["folder", &folder.key].into_iter().for_each(add),
            Packages::Build(requirements) => {
                add("build");
                requirements.iter().for_each(|requirement| add(requirement));
            }
            Packages::File(requirements) => ["file", requirements].into_iter().for_each(add),
        }
        hex(hash)
    }
}

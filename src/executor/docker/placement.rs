//! Where and how a job runs, and what it can import there.

use crate::{Project, Python, ResolvedJob};
use std::{fmt, path::Path, sync::Arc};

/// Says where and how a job runs, beyond what the job says itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Placement {
    /// The Python version; `None` is that of [`DockerOptions::default_image`](super::DockerOptions::default_image).
    pub python: Option<String>,
    /// The oldest version that will do in the place of [`python`](Placement::python), where its image would have to be
    /// fetched and that of an older one is there.
    pub or_older_to: Option<Python>,
    /// The oldest version that the code runs on, where that is known and none is asked for.
    pub python_at_least: Option<Python>,
    /// The image, instead of that of the Python version.
    pub image: Option<String>,
    /// Whether it has a network, which is [`DockerOptions::network_mode`](super::DockerOptions::network_mode).
    pub network: bool,
    /// Commands for `sh` that change the image first, in one shell, as root and with a network.
    pub pre_commands: Vec<String>,
    /// The variables that the commands see, which are the job's.
    pub env: Vec<(String, String)>,
    /// The project of which the commands see a copy, which is the job's.
    pub project: Option<Project>,
    /// What it can import beside the standard library.
    pub packages: Packages,
    /// Its weight when there is less CPU than is wanted; `None` is [`DockerOptions::cpu_shares`](super::DockerOptions::cpu_shares).
    pub cpu_shares: Option<u32>,
    /// For whom: owners take turns with what is built.
    pub owner: u64,
    /// Why it runs on Docker, for the [`Outcome`](crate::Outcome).
    pub reason: String,
}

impl Default for Placement {
    fn default() -> Placement {
        Placement {
            python: None,
            or_older_to: None,
            python_at_least: None,
            image: None,
            network: false,
            pre_commands: Vec::new(),
            env: Vec::new(),
            project: None,
            packages: Packages::None,
            cpu_shares: None,
            owner: 0,
            reason: "Docker was asked for".to_owned(),
        }
    }
}

impl Placement {
    /// Returns whether nothing is added to the image.
    pub(crate) fn is_bare(&self) -> bool {
        self.pre_commands.is_empty() && self.packages == Packages::None
    }

    /// Returns what tells the container of a session from another one; why and for whom it is makes none.
    pub(crate) fn world(&self) -> String {
        let Placement { python, image, network, pre_commands, packages, .. } = self;
        let packages = match packages {
            Packages::None => String::new(),
            Packages::Folder(folder) => folder.key.clone(),
            Packages::Build(requirements) => requirements.join("\n"),
            Packages::File(text) => text.clone(),
        };
        let parts = [
            python.as_deref().unwrap_or_default(),
            image.as_deref().unwrap_or_default(),
            if *network { "network" } else { "" },
            &pre_commands.join("\n"),
            &packages,
        ];
        parts.join("\0")
    }

    /// Returns whether it is the usual image, with nothing added.
    pub(crate) fn is_plain(&self) -> bool {
        let Placement { python, python_at_least, image, .. } = self;
        python.is_none() && python_at_least.is_none() && image.is_none() && self.is_bare()
    }

    /// Returns the placement, with what its commands see of `job`.
    #[must_use]
    pub fn with_sight_of(mut self, job: &ResolvedJob) -> Placement {
        if !self.pre_commands.is_empty() {
            self.env.clone_from(&job.env);
            self.project = Some(job.project.clone());
        }
        self
    }
}

/// Says what a job finds in `/environment`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Packages {
    /// Nothing.
    #[default]
    None,
    /// What was installed elsewhere, from wheels.
    Folder(PackageFolder),
    /// Requirements that pip installs in a build container, with the code in the packages running there.
    ///
    /// Names with extras, versions and markers, as PEP 508 has them; no options, paths or addresses.
    Build(Vec<String>),
    /// A requirements file that pip reads in a build container.
    ///
    /// # Security
    ///
    /// It may have addresses and options, which take code from anywhere: only where the operator allows that.
    File(String),
}

/// A folder with installed packages on this machine's disk.
#[derive(Clone)]
pub struct PackageFolder {
    pub(crate) key: String,
    path: Arc<dyn AsRef<Path> + Send + Sync>,
}

impl PackageFolder {
    /// Names a folder; `path` may be a guard that keeps it there. The same `key` means the same content.
    pub fn new(key: impl Into<String>, path: impl AsRef<Path> + Send + Sync + 'static) -> PackageFolder {
        PackageFolder { key: key.into(), path: Arc::new(path) }
    }

    pub(crate) fn path(&self) -> &Path {
        (*self.path).as_ref()
    }
}

impl PartialEq for PackageFolder {
    fn eq(&self, other: &PackageFolder) -> bool {
        self.key == other.key
    }
}

impl Eq for PackageFolder {}

impl fmt::Debug for PackageFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageFolder").field("key", &self.key).field("path", &self.path()).finish()
    }
}

//! Stands for [`environment`](crate::environment) where packages are not built in: none can be installed.
//!
//! A job is refused for what it requires, unless there are containers, in which pip may install it.

#[path = "environment/platform.rs"]
mod platform;
#[path = "environment/refusal.rs"]
mod refusal;

#[cfg(feature = "docker")]
#[path = "environment/families.rs"]
mod families;
#[cfg(feature = "docker")]
#[path = "environment/marker.rs"]
mod marker;
#[cfg(feature = "docker")]
#[path = "environment/requirements.rs"]
mod requirements;
#[cfg(not(feature = "docker"))]
#[path = "environment_absent/requirements.rs"]
mod requirements;

pub(crate) use platform::{Libc, Machine, Platform, Target};
pub(crate) use refusal::{Reason, Refusal};
pub use requirements::Requirements;

use crate::{Error, Python, Result, pack::Pack};
use std::{path::Path, sync::Arc};

/// Options of what is not there.
#[derive(Debug, Default)]
pub(crate) struct EnvironmentOptions {}

/// Environments, of which there are none.
#[derive(Debug, Clone)]
pub(crate) struct Environments;

/// An environment that is there, which none is.
#[derive(Debug)]
pub(crate) enum Installed {}

/// A package of one.
#[derive(Debug)]
pub(crate) struct Pin {
    pub(crate) name: String,
    pub(crate) modules: Vec<String>,
}

/// A set of packages under a name, of which there is none.
pub(crate) struct Defined {
    pub(crate) definition: Definition,
}

/// What one is made from.
pub(crate) struct Definition {
    pub(crate) requirements: Requirements,
    pub(crate) python: Option<Python>,
    pub(crate) preload: Vec<String>,
}

impl Environments {
    pub(crate) fn new(_options: EnvironmentOptions) -> Result<Environments> {
        Ok(Environments)
    }

    /// Says that no packages can be installed here.
    pub(crate) fn known(&self, _wanted: &Requirements, _platform: Platform) -> Option<Result<Arc<Installed>, Refusal>> {
        Some(Err(Refusal::new(Reason::NotBuiltIn, "")))
    }

    /// Says that no packages can be installed here.
    pub(crate) async fn prepare(
        &self,
        _wanted: &Requirements,
        _platform: Platform,
        _progress: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Arc<Installed>, Refusal> {
        Err(Refusal::new(Reason::NotBuiltIn, ""))
    }

    /// Says that there are no environments under a name.
    ///
    /// # Errors
    ///
    /// Always.
    pub(crate) fn defined(&self, _id: &str) -> Result<Option<Defined>> {
        Err(Error::invalid("environment: this program is built without packages: leave it out"))
    }

    pub(crate) fn provides(&self, installed: &Installed, _package: &str, _module: &str) -> bool {
        match *installed {}
    }

    pub(crate) fn is_stranger(&self, _package: &str, _module: &str) -> bool {
        false
    }
}

impl Installed {
    pub(crate) fn id(&self) -> &str {
        match *self {}
    }

    pub(crate) fn content(&self) -> &str {
        match *self {}
    }

    pub(crate) fn pack(&self) -> Option<Pack> {
        match *self {}
    }

    pub(crate) fn pins(&self) -> &[Pin] {
        match *self {}
    }

    pub(crate) fn packages_folder(&self) -> &Path {
        match *self {}
    }
}

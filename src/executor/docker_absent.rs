//! Stands for the Docker tier where it is not built in: there is none to connect to, and so no executor, and nothing prepared.
//!
//! What the planner says of containers is the same data in both.

#[path = "docker/interpreter.rs"]
mod interpreter;
#[path = "docker/placement.rs"]
mod placement;
#[path = "docker/progress.rs"]
mod progress;

pub(crate) use interpreter::{Interpreter, Libc};
pub(crate) use placement::{PackageFolder, Packages, Placement};
pub(crate) use progress::{Progress, Step};

use super::{Executor, Frozen, Provisioned, Session, SessionSpec};
use crate::{Error, ResolvedJob, Result, outcome::Tier};
use std::sync::Arc;

/// Says why there is no Docker tier.
pub(crate) struct Connection(Error);

/// The tier, of which there is none.
pub(crate) enum DockerExecutor {}

/// An image for a job, which nobody makes.
#[derive(Debug, Clone)]
pub struct Prepared {
    placement: Box<Placement>,
}

impl Default for Connection {
    fn default() -> Connection {
        Connection::off(Error::invalid("this program is built without containers"))
    }
}

impl Connection {
    pub(crate) fn off(why: Error) -> Connection {
        Connection(why)
    }

    /// Returns that no job may run in it.
    pub(crate) fn slots(&self) -> u32 {
        0
    }

    /// Says why it is not meant to be used.
    pub(crate) fn configured(&self) -> Result<()> {
        Err(self.0.clone())
    }

    /// Says why it cannot be used.
    pub(crate) fn state(&self) -> Result<()> {
        self.configured()
    }

    /// Returns nothing.
    pub(crate) fn connected(&self) -> Option<&Arc<DockerExecutor>> {
        None
    }

    /// Says why there is no executor.
    pub(crate) async fn executor(&self) -> Result<Arc<DockerExecutor>> {
        Err(self.0.clone())
    }

    /// Says why there is no executor, to what cannot do without.
    pub(crate) async fn connect(&self) -> Result<Arc<DockerExecutor>> {
        self.executor().await
    }
}

impl DockerExecutor {
    pub(crate) fn check(&self, _job: &ResolvedJob, _python: Option<&str>) -> Result<()> {
        match *self {}
    }

    pub(crate) async fn interpreter(&self, _placement: &Placement, _progress: Progress) -> Result<Interpreter> {
        match *self {}
    }

    pub(crate) async fn known(&self, _placement: &Placement) -> Option<Prepared> {
        match *self {}
    }

    pub(crate) async fn prepare(&self, _placement: &Placement, _progress: Progress) -> Result<Prepared> {
        match *self {}
    }

    pub(crate) async fn shutdown(&self) -> Result<()> {
        match *self {}
    }
}

impl Prepared {
    pub(crate) fn placement(&self) -> &Placement {
        &self.placement
    }
}

#[async_trait::async_trait]
impl Executor for DockerExecutor {
    fn tier(&self) -> Tier {
        match *self {}
    }

    async fn open(&self, _provisioned: Provisioned, _spec: SessionSpec) -> Result<Box<dyn Session>> {
        match *self {}
    }

    async fn thaw(&self, _frozen: &Frozen, _provisioned: Provisioned, _spec: SessionSpec) -> Result<Box<dyn Session>> {
        match *self {}
    }
}

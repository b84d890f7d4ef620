//! What a service says of the Docker tier, and its options.

use super::{Builder, Pyexec};
use crate::{
    Result,
    executor::docker::{Connection, DockerExecutor, DockerOptions},
};
use std::sync::Arc;

impl Pyexec {
    /// Returns the Docker executor, if a job has needed it yet, or [`Pyexec::connect_docker`] was called.
    pub fn docker(&self) -> Option<&Arc<DockerExecutor>> {
        self.planner.sources.docker.connected()
    }

    /// Connects to Docker now, instead of when the first job needs it: sweeps, and fills the pool.
    ///
    /// # Errors
    ///
    /// When Docker is turned off or cannot be used; the message says why.
    pub async fn connect_docker(&self) -> Result<Arc<DockerExecutor>> {
        self.planner.sources.docker.connect().await
    }
}

impl Builder {
    /// Sets the options of the Docker executor. It is connected to when the first job needs it.
    #[must_use]
    pub fn docker(mut self, options: DockerOptions) -> Builder {
        self.docker = Connection::on(options);
        self
    }
}

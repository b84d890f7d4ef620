//! Environments that have a name.

use super::Pyexec;
use crate::{Job, Result};

impl Pyexec {
    /// The job with what the environment says that it names.
    pub(super) async fn with_environment(&self, job: Job) -> Result<Job> {
        Ok(job)
    }
}

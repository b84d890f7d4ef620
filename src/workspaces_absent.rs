//! Stands for `workspaces` where the server is not built in: there are none, and no job can name one.

use crate::{Job, Outcome, Result};

/// Options of what is not there.
#[derive(Debug, Default)]
pub(crate) struct WorkspaceOptions {}

/// Workspaces, of which there are none.
#[derive(Clone)]
pub(crate) struct Workspaces;

/// A workspace that a job runs in, which none does.
#[derive(Debug)]
pub(crate) enum Mounted {}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub enum WorkspaceChanges {}

impl Workspaces {
    pub(crate) fn new(_options: WorkspaceOptions) -> Workspaces {
        Workspaces
    }

    /// Returns the job as it is.
    pub(crate) async fn mount(&self, job: Job) -> Result<Job> {
        Ok(job)
    }
}

impl Mounted {
    pub(crate) async fn keep(&self, _outcome: &mut Outcome) {
        match *self {}
    }
}

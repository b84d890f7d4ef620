//! What a service says of its workspaces, and their options.

use super::{Builder, Pyexec};
use crate::workspaces::{WorkspaceOptions, Workspaces};

impl Pyexec {
    /// Returns the workspaces, where files outlive jobs. They are to be [swept](Workspaces::sweep) now and then.
    pub fn workspaces(&self) -> &Workspaces {
        &self.workspaces
    }
}

impl Builder {
    /// Sets where workspaces are kept, and how much they may hold.
    #[must_use]
    pub fn workspaces(mut self, options: WorkspaceOptions) -> Builder {
        self.workspaces = options;
        self
    }
}

//! What happens before a job can run, for those who wait.

use std::{fmt, sync::Arc};

/// Says what happens before a job can run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// An image is fetched.
    Pulling {
        /// Its name.
        image: String,
    },
    /// Something outside of Docker, such as an installation.
    Phase(String),
    /// Packages are copied into a layer.
    Copying,
    /// A command runs in a build container.
    Running {
        /// The command.
        command: String,
    },
    /// Packages are installed in a build container, with their own code.
    Installing {
        /// Their names.
        packages: String,
    },
    /// A line of what it says, or of what the daemon says about a pull.
    Line(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Pulling { image } => write!(f, "pulling {image}"),
            Step::Phase(phase) => f.write_str(phase),
            Step::Copying => f.write_str("copying packages into a layer"),
            Step::Running { command } => write!(f, "running {command}"),
            Step::Installing { packages } => write!(f, "installing {packages} in a build container"),
            Step::Line(line) => f.write_str(line),
        }
    }
}

/// Is told each [`Step`], on a thread of the executor: it must not block.
pub type Progress = Arc<dyn Fn(Step) + Send + Sync>;

impl Step {
    /// Returns whether it goes on until the next: one who comes later is told it first.
    pub(crate) fn lasts(&self) -> bool {
        !matches!(self, Step::Line(_))
    }
}

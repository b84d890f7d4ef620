//! Faults of the service or of the request; a failing script is an [`Outcome`](crate::Outcome) instead.

use std::{io, path::Path};

/// Says what went wrong, in words for the caller. The cause, for the log, is its `source`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The job itself is not acceptable: the caller can mend it.
    #[error("{message}")]
    InvalidJob {
        /// What is wrong and how to mend it.
        message: String,
        /// As a shell would see it: that of a command that failed, or 1.
        exit_code: u8,
    },
    /// Something the service needs is not there or does not work.
    #[error("{message}")]
    Unavailable {
        /// What, and what to do about it.
        message: String,
        /// For the log.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The server's settings are not acceptable: the operator can mend them.
    #[error("{}", problems.join("\n"))]
    InvalidSettings {
        /// Everything that is wrong with them, and how to mend it.
        problems: Vec<String>,
    },
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn invalid(message: impl Into<String>) -> Error {
        Error::InvalidJob { message: message.into(), exit_code: 1 }
    }

    /// Makes the error of a command of the job that failed with this status.
    pub(crate) fn failed_command(message: impl Into<String>, status: i64) -> Error {
        let exit_code = u8::try_from(status).ok().filter(|&code| code != 0).unwrap_or(1);
        Error::InvalidJob { message: message.into(), exit_code }
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Error {
        Error::Unavailable { message: message.into(), cause: None }
    }

    pub(crate) fn caused(
        message: impl Into<String>,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        let cause = cause.into();
        Error::Unavailable { message: format!("{}: {cause}", message.into()), cause: Some(cause) }
    }

    pub(crate) fn io(what: &str, path: &Path, cause: io::Error) -> Error {
        Error::caused(format!("{what} {}", path.display()), cause)
    }
}

//! Faults of the service or of the request; a failing script is an [`Outcome`](crate::Outcome) instead.

use crate::hint::Hint;
use std::{fmt, io, path::Path, sync::Arc};

/// Says what went wrong, in one sentence for the caller.
///
/// Its [`hint`](Error::hint) says what to do about it, where that is known. The cause, for the log, is its `source`.
#[derive(Clone)]
pub struct Error(Box<Parts>);

#[derive(Clone)]
struct Parts {
    kind: ErrorKind,
    message: String,
    hint: Option<Hint>,
    exit_code: u8,
    missing_package: Option<String>,
    problems: Vec<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// Names the kinds of errors that callers treat differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The job itself is not acceptable: its author can mend it.
    InvalidJob,
    /// The settings of the service are not acceptable: its operator can mend them.
    InvalidSettings,
    /// What was asked for is not there, or somebody else's.
    NotFound,
    /// Something the service needs is not there or does not work.
    Unavailable,
    /// A container image is neither here nor can it be fetched.
    NoImage,
    /// The service has too much to do: the same may be asked again later.
    Busy,
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Returns what kind of error it is, by which a caller decides.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the sentence that says what is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns what to do about it, where that is known.
    pub fn hint(&self) -> Option<&Hint> {
        self.0.hint.as_ref()
    }

    /// Returns everything that is wrong with settings, each with how to mend it; of other errors nothing.
    pub fn problems(&self) -> &[String] {
        &self.0.problems
    }

    /// Returns the exit code that a shell would see: that of a command of the job that failed, or 1.
    pub fn exit_code(&self) -> u8 {
        self.0.exit_code
    }

    /// Returns whether the author of the job can mend it.
    pub fn is_invalid_job(&self) -> bool {
        self.kind() == ErrorKind::InvalidJob
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        let message = message.into();
        Error(Box::new(Parts {
            kind,
            message,
            hint: None,
            exit_code: 1,
            missing_package: None,
            problems: Vec::new(),
            source: None,
        }))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidJob, message)
    }

    /// Makes the error of a command of the job that failed with this status.
    pub(crate) fn failed_command(message: impl Into<String>, status: i64) -> Error {
        let mut error = Error::invalid(message);
        error.0.exit_code = u8::try_from(status).ok().filter(|&code| code != 0).unwrap_or(1);
        error
    }

    pub(crate) fn settings(problems: Vec<String>) -> Error {
        let mut error = Error::new(ErrorKind::InvalidSettings, problems.join("\n"));
        error.0.problems = problems;
        error
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::NotFound, message)
    }

    pub(crate) fn busy(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Busy, message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Unavailable, message)
    }

    pub(crate) fn caused(
        message: impl Into<String>,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        let cause = cause.into();
        let mut error = Error::unavailable(format!("{}: {cause}", message.into()));
        error.0.source = Some(cause.into());
        error
    }

    pub(crate) fn io(what: &str, path: &Path, cause: io::Error) -> Error {
        Error::caused(format!("{what} {}", path.display()), cause)
    }

    /// Takes it for one that the author of the job can mend: by asking for something else.
    #[must_use]
    pub(crate) fn of_job(mut self) -> Error {
        self.0.kind = ErrorKind::InvalidJob;
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<Hint>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says it in other words, of which the old ones may be a part.
    #[must_use]
    pub(crate) fn reworded(mut self, words: impl FnOnce(&str) -> String) -> Error {
        self.0.message = words(&self.0.message);
        self
    }

    /// Names the package that an index does not have, when that is the reason.
    #[must_use]
    pub(crate) fn with_missing_package(mut self, name: Option<String>) -> Error {
        self.0.missing_package = name;
        self
    }

    /// Returns the package that an index does not have, when that is the reason.
    pub(crate) fn missing_package(&self) -> Option<&str> {
        self.0.missing_package.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { kind, message, hint, exit_code, source, .. } = &*self.0;
        let mut error = f.debug_struct("Error");
        error.field("kind", kind).field("message", message).field("hint", hint).field("exit_code", exit_code);
        error.field("source", source).finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn an_error_says_what_is_wrong_and_apart_from_that_what_to_do() {
        let error = Error::caused("cannot use it", io::Error::other("why")).with_hint("try another");
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Unavailable, "cannot use it: why"));
        assert_eq!(error.hint().map(Hint::to_string).as_deref(), Some("try another"));
        assert_eq!(error.clone().source().map(ToString::to_string).as_deref(), Some("why"));
        let reworded = error.reworded(|message| format!("once more: {message}"));
        assert_eq!((reworded.message(), reworded.hint().is_some()), ("once more: cannot use it: why", true));
    }

    #[test]
    fn the_exit_code_is_that_of_the_command_that_failed() {
        for (status, code) in [(100, 100), (0, 1), (-1, 1), (256, 1)] {
            assert_eq!(Error::failed_command("x", status).exit_code(), code);
        }
        assert_eq!(Error::unavailable("x").exit_code(), 1);
    }
}

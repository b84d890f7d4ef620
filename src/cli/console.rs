//! Standard output and error of this process. Whoever reads them may go away at any time.

use super::{Failure, Result};
use std::{
    fmt,
    io::{self, ErrorKind, Write, stderr, stdout},
};

/// Prints a line for the user to stderr.
macro_rules! note {
    ($($text:tt)*) => {
        $crate::cli::console::write_line(format_args!($($text)*))
    };
}
pub(crate) use note;

pub(crate) fn write_line(text: fmt::Arguments<'_>) {
    // There is nobody left who could be told.
    let _ = stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// Writes a script's bytes to stdout.
///
/// # Errors
///
/// When they cannot be written: also when the reader has gone away, since nothing of what follows is of use to anyone.
pub(crate) fn pass_on(bytes: &[u8]) -> Result<()> {
    let mut stdout = stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(failure)
}

/// Writes a script's bytes to stderr. That nobody reads them is no failure.
pub(crate) fn pass_on_error(bytes: &[u8]) -> Result<()> {
    let _ = stderr().lock().write_all(bytes);
    Ok(())
}

/// Prints what a subcommand has found. It goes on when the reader has gone away, with nobody to see it.
///
/// # Errors
///
/// When it cannot be written for another reason.
pub(crate) fn print(text: &str) -> Result<()> {
    printed(stdout().lock().write_all(text.as_bytes()))
}

/// Judges what came of printing to stdout, once all of it is out.
pub(crate) fn printed(written: io::Result<()>) -> Result<()> {
    match written.and_then(|()| stdout().flush()).map_err(failure) {
        Err(Failure::ReaderGone) => Ok(()),
        written => written,
    }
}

fn failure(error: io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::Fault(format!("cannot write to stdout: {error}")),
    }
}

//! Runs programs, with their output in a log file whose end is shown when one fails.

use crate::Result;
use std::{
    ffi::OsStr,
    fs::{self, OpenOptions},
    path::Path,
    process::{Command, Stdio},
};

const LINES_SHOWN: usize = 25;

/// Runs `command` to its end; its output is appended to `log`.
pub fn run(command: &mut Command, log: &Path) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .map_err(|e| format!("cannot write {}: {e}", log.display()))?;
    let errors = file.try_clone().map_err(|e| format!("cannot write {}: {e}", log.display()))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .status()
        .map_err(|e| format!("cannot run {name}: {e}"))?;
    if status.success() {
        return Ok(());
    }
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n");
    Err(format!("{name} failed ({status}); the end of {}:\n{tail}", log.display()))
}

/// What `program` prints on stdout, or None when it is missing or fails.
pub fn output<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: &[S]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

//! The calls of a session that were answered, in a file: what is not frozen yet runs again from it.

use crate::{
    Result, Stdin,
    executor::{Call, Tool, ToolPort, ToolResult},
    outcome::Outcome,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

/// Bounds the file; a session with more cannot be moved to a container any more.
const BYTES_MAX: u64 = 16 << 20;
/// Calls that run again at most.
pub(super) const REPLAYED_MAX: usize = 500;

/// One call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) number: u64,
    code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    stdin: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    results: Vec<ToolResult>,
    ended: String,
}

impl Entry {
    pub(super) fn new(
        number: u64,
        code: &Bytes,
        stdin: &Bytes,
        tools: Vec<Tool>,
        results: Vec<ToolResult>,
        outcome: &Outcome,
    ) -> Entry {
        let (code, stdin) = (STANDARD.encode(code), STANDARD.encode(stdin));
        Entry { number, code, stdin, tools, results, ended: ended(outcome) }
    }

    /// Makes the call again, answered as it was.
    pub(super) fn call(&self, limits: crate::Limits) -> Call {
        let decoded = |text: &str| Bytes::from(STANDARD.decode(text).unwrap_or_default());
        let call = Call::cell(self.number, decoded(&self.code), limits).stdin(Stdin::of(&decoded(&self.stdin)));
        if self.tools.is_empty() {
            call
        } else {
            call.tools(ToolPort::replayed(self.tools.clone(), self.results.clone()))
        }
    }

    /// Returns whether it ended the same.
    pub(super) fn ended_as(&self, outcome: &Outcome) -> bool {
        self.ended == ended(outcome)
    }
}

/// Says how a call ended, as far as it matters to those after it.
fn ended(outcome: &Outcome) -> String {
    match &outcome.exception {
        Some(exception) => format!("{}: {}", exception.kind, exception.message.chars().take(200).collect::<String>()),
        None => format!("{:?}", outcome.ending),
    }
}

/// The file of them.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Option<File>,
}

impl Journal {
    pub(super) fn new(path: PathBuf) -> Journal {
        Journal { path, file: None }
    }

    /// Adds a call. One whose line was cut off by the end of the process was not answered.
    pub(super) fn add(&mut self, entry: &Entry) -> io::Result<()> {
        if self.file.is_none() {
            cut_half_a_line(&self.path)?;
            self.file = Some(OpenOptions::new().create(true).append(true).open(&self.path)?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        if file.metadata()?.len() > BYTES_MAX {
            return Ok(());
        }
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        file.write_all(&line)
    }

    /// Returns the calls after this number that were written down; `None` when there are too many to run again.
    pub(super) fn after(&self, number: u64, until: u64) -> Result<Option<Vec<Entry>>> {
        if number >= until {
            return Ok(Some(Vec::new()));
        }
        let mut entries = Vec::new();
        if let Ok(file) = File::open(&self.path) {
            let unreadable = |e| crate::Error::caused("the calls of a session are unreadable", e);
            let mut lines = BufReader::new(file).split(b'\n').peekable();
            while let Some(line) = lines.next() {
                let line = line.map_err(unreadable)?;
                match serde_json::from_slice::<Entry>(&line) {
                    Ok(entry) if entry.number > number && entry.number <= until => {
                        // One that was not answered before the process ended was made again, under the same number.
                        entries.retain(|other: &Entry| other.number < entry.number);
                        entries.push(entry);
                    }
                    Ok(_) => {}
                    // The process ended in the middle of it: the call was not answered.
                    Err(_) if lines.peek().is_none() => {}
                    Err(error) => return Err(unreadable(error.into())),
                }
            }
        }
        // Calls that took the session with them are not among them.
        let is_whole = File::open(&self.path).and_then(|file| file.metadata()).map_or(true, |it| it.len() <= BYTES_MAX);
        Ok((is_whole && entries.len() <= REPLAYED_MAX).then_some(entries))
    }
}

/// Removes what a process has left that ended in the middle of a line.
fn cut_half_a_line(path: &Path) -> io::Result<()> {
    let content = match fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let whole = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < content.len() {
        OpenOptions::new().write(true).open(path)?.set_len(whole as u64)?;
    }
    Ok(())
}

//! What was done in a session, in a file: what is not frozen yet is done again from it.
//!
//! Each thing that was done has a number, and a line, but for what is too large to be done again: from a gap on nothing is.

use crate::{
    Limits, Result, Stdin,
    blocking::blocking,
    executor::{Call, Interrupt, Tool, ToolPort, ToolResult},
    outcome::Outcome,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

/// Bounds the file; what comes after it has no lines.
const BYTES_MAX: u64 = 16 << 20;
/// Calls that run again at most.
pub(super) const REPLAYED_MAX: usize = 500;

/// One thing that was done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) entry: u64,
    pub(super) done: Done,
}

/// Says what was done in a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Done {
    Called(Box<Called>),
    /// A call that was refused, or that took the interpreter with it: nothing stays of it.
    Void,
    /// A file came from outside; its content is kept under this number.
    Wrote {
        path: String,
        content: u64,
    },
    /// A file was removed from outside.
    Removed {
        path: String,
    },
}

/// A call that was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Called {
    pub(super) number: u64,
    code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    stdin: String,
    wall_clock_ms: u64,
    cpu_fuel: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    results: Vec<ToolResult>,
    ended: String,
}

impl Called {
    pub(super) fn new(
        number: u64,
        (code, stdin): (&Bytes, &Bytes),
        limits: Limits,
        (tools, results): (Vec<Tool>, Vec<ToolResult>),
        outcome: &Outcome,
    ) -> Called {
        let (code, stdin) = (STANDARD.encode(code), STANDARD.encode(stdin));
        let Limits { wall_clock_ms, cpu_fuel, .. } = limits;
        Called { number, code, stdin, wall_clock_ms, cpu_fuel, tools, results, ended: ended(outcome) }
    }

    /// Makes the call again, answered as it was; it has the time that it had, and no more than `wall_clock_ms`.
    pub(super) fn call(&self, limits: Limits, wall_clock_ms: u64, interrupt: &Interrupt) -> Call {
        let decoded = |text: &str| Bytes::from(STANDARD.decode(text).unwrap_or_default());
        let limits = Limits { wall_clock_ms: self.wall_clock_ms.min(wall_clock_ms), cpu_fuel: self.cpu_fuel, ..limits };
        let call = Call::cell(self.number, decoded(&self.code), limits)
            .stdin(Stdin::of(&decoded(&self.stdin)))
            .interrupted_by(interrupt.clone());
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

/// The file of what was done.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: Option<File>,
}

impl Journal {
    pub(super) fn new(path: PathBuf) -> Journal {
        Journal { path, file: None }
    }

    /// Adds a line; returns `false` when it is too much to be done again. `before` is the entry before it.
    pub(super) fn add(&mut self, line: &Line, before: u64) -> io::Result<bool> {
        if self.file.is_none() {
            cut(&self.path, before)?;
            self.file = Some(OpenOptions::new().create(true).append(true).open(&self.path)?);
        }
        let Some(file) = &mut self.file else { return Ok(false) };
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        // What is no call is always noted: it is never what is too large.
        let is_small = matches!(line.done, Done::Void) && file.metadata()?.len() < 2 * BYTES_MAX;
        if !is_small && file.metadata()?.len() + text.len() as u64 > BYTES_MAX {
            return Ok(false);
        }
        let written = file.write_all(&text);
        if written.is_err() {
            // Half a line is cut off before the next one.
            self.file = None;
        }
        written.map(|()| true)
    }

    /// Returns what was done after an entry, up to another one; `None` when not all of it can be done again.
    pub(super) async fn between(&self, after: u64, until: u64) -> Result<Option<Vec<Line>>> {
        if after >= until {
            return Ok(Some(Vec::new()));
        }
        let path = self.path.clone();
        let unreadable = |e| crate::Error::caused("the calls of a session are unreadable", e);
        blocking(move || between(&path, after, until)).await.and_then(|read| read).map_err(unreadable)
    }
}

fn between(path: &Path, after: u64, until: u64) -> io::Result<Option<Vec<Line>>> {
    let (mut found, mut calls) = (Vec::new(), 0);
    for line in lines(path)? {
        let line = line?.1;
        if line.entry <= after || line.entry > until {
            continue;
        }
        calls += usize::from(matches!(line.done, Done::Called(_)));
        if line.entry != after + 1 + found.len() as u64 || calls > REPLAYED_MAX {
            return Ok(None);
        }
        found.push(line);
    }
    Ok((found.len() as u64 == until - after).then_some(found))
}

/// Reads whole lines, each with where it ends; what cannot be read is the end.
fn lines(path: &Path) -> io::Result<impl Iterator<Item = io::Result<(u64, Line)>>> {
    let file = match File::open(path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut file = file.map(BufReader::new);
    let (mut at, mut text) = (0, Vec::new());
    Ok(std::iter::from_fn(move || {
        text.clear();
        match file.as_mut()?.read_until(b'\n', &mut text) {
            Ok(0) => None,
            Ok(length) => {
                at += length as u64;
                // The process, or the machine, ended in the middle of it: it was not answered.
                let line = text.ends_with(b"\n").then(|| serde_json::from_slice(&text).ok()).flatten()?;
                Some(Ok((at, line)))
            }
            Err(error) => Some(Err(error)),
        }
    }))
}

/// Removes what was written after the last line that counts: what the session's record does not know was not answered.
fn cut(path: &Path, last: u64) -> io::Result<()> {
    let mut whole = 0;
    for line in lines(path)? {
        let (end, line) = line?;
        if line.entry > last {
            break;
        }
        whole = end;
    }
    match OpenOptions::new().write(true).open(path) {
        Ok(file) if file.metadata()?.len() > whole => file.set_len(whole),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn line(entry: u64) -> Line {
        Line { entry, done: Done::Removed { path: "x".repeat(20) } }
    }

    fn entries(path: &Path, after: u64, until: u64) -> Option<Vec<u64>> {
        Some(between(path, after, until).expect("read")?.iter().map(|line| line.entry).collect())
    }

    #[test]
    fn only_what_the_record_knows_is_done_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls");
        let mut journal = Journal::new(path.clone());
        for entry in 1..=3 {
            assert!(journal.add(&line(entry), entry - 1).expect("written"));
        }
        assert_eq!(entries(&path, 0, 2), Some(vec![1, 2]));
        // The process ended before the record knew of the third, and in the middle of a fourth.
        fs::OpenOptions::new().append(true).open(&path).and_then(|mut it| it.write_all(b"{\"ent")).expect("written");
        let mut journal = Journal::new(path.clone());
        journal.add(&Line { entry: 3, done: Done::Void }, 2).expect("written");
        let found = between(&path, 0, 3).expect("read").expect("whole");
        assert!(matches!(found[2].done, Done::Void), "{found:?}");
        // One has no line.
        journal.add(&line(5), 4).expect("written");
        assert_eq!((entries(&path, 0, 5), entries(&path, 3, 4), entries(&path, 4, 5)), (None, None, Some(vec![5])));
        assert_eq!(entries(&folder.path().join("none"), 0, 1), None);
    }

    #[test]
    fn the_file_has_an_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls");
        let mut journal = Journal::new(path.clone());
        let large = |entry| Line { entry, done: Done::Removed { path: "x".repeat(9 << 20) } };
        assert!(journal.add(&large(1), 0).expect("written"));
        assert!(!journal.add(&large(2), 1).expect("refused"));
        assert!(journal.add(&line(3), 2).expect("written"));
        assert_eq!(
            (entries(&path, 0, 1), entries(&path, 1, 2), entries(&path, 2, 3)),
            (Some(vec![1]), None, Some(vec![3]))
        );
    }
}

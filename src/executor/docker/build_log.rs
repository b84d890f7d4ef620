//! What a command in a build container says, within bounds.

use super::progress::{Progress, Step};

const LINE_BYTES_MAX: usize = 500;
/// Lines that are passed on; the end of the rest is in a message, should it fail.
const LINES_MAX: usize = 10_000;
const END_BYTES_MAX: usize = 4000;

pub(super) struct BuildLog<'p> {
    tell: &'p Progress,
    /// Of several commands, and the start of the line that says which of them comes next.
    commands: Option<(Vec<String>, String)>,
    /// The number of the command that runs.
    pub(super) command: usize,
    line: Vec<u8>,
    lines: usize,
    end: Vec<u8>,
}

impl BuildLog<'_> {
    pub(super) fn new(tell: &Progress) -> BuildLog<'_> {
        BuildLog { tell, commands: None, command: 0, line: Vec::new(), lines: 0, end: Vec::new() }
    }

    /// Reads the output of `commands`, each announced by a line with `mark` and its number.
    pub(super) fn of_several(tell: &Progress, commands: Vec<String>, mark: String) -> BuildLog<'_> {
        let mut log = BuildLog::new(tell);
        log.commands = Some((commands, mark));
        log
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.end.push(byte);
            if byte == b'\n' || byte == b'\r' {
                self.finish_line();
            } else if self.line.len() < LINE_BYTES_MAX {
                self.line.push(byte);
            }
        }
        // Not at once, which would move everything for each byte.
        if self.end.len() > 2 * END_BYTES_MAX {
            self.end.drain(..self.end.len() - END_BYTES_MAX);
        }
    }

    fn finish_line(&mut self) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).trim_end().to_owned();
        let announced = self.commands.as_ref().and_then(|(commands, mark)| {
            let number = line.strip_prefix(mark.as_str())?.trim().parse::<usize>().ok()?;
            Some((number, commands.get(number)?.clone()))
        });
        if let Some((number, command)) = announced {
            self.end.clear();
            self.command = number;
            (self.tell)(Step::Running { command });
        } else if !line.is_empty() && self.lines < LINES_MAX {
            self.lines += 1;
            (self.tell)(Step::Line(line));
        }
    }

    /// Returns the last lines of the log.
    pub(super) fn end(&self) -> String {
        let start = self.end.len().saturating_sub(END_BYTES_MAX);
        String::from_utf8_lossy(&self.end[start..]).trim().to_owned()
    }
}

impl Drop for BuildLog<'_> {
    fn drop(&mut self) {
        self.finish_line();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn lines_are_passed_on_and_everything_is_bounded() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let progress: Progress = {
            let heard = Arc::clone(&heard);
            Arc::new(move |step: Step| heard.lock().expect("not poisoned").push(step.to_string()))
        };
        let mut log = BuildLog::new(&progress);
        for piece in ["one\ntw", "o\r\n\n", "\u{fffd}", &"x".repeat(1_000_000)] {
            log.write(piece.as_bytes());
        }
        assert!(log.end.len() <= 2 * END_BYTES_MAX && log.end().len() == END_BYTES_MAX);
        drop(log);
        let heard = heard.lock().expect("not poisoned");
        assert_eq!((&heard[0][..], &heard[1][..], heard.len()), ("one", "two", 3));
        assert!(heard[2].len() <= LINE_BYTES_MAX + 3);
    }

    #[test]
    fn a_mark_tells_which_command_comes_next_and_is_no_line() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let progress: Progress = {
            let heard = Arc::clone(&heard);
            Arc::new(move |step: Step| heard.lock().expect("not poisoned").push(step.to_string()))
        };
        let commands = ["a", "b"].map(str::to_owned).to_vec();
        let mut log = BuildLog::of_several(&progress, commands, "mark".to_owned());
        for piece in ["\nmark 0\none\nmark", " 1\nmark 2\nmarked\ntwo"] {
            log.write(piece.as_bytes());
        }
        assert_eq!((log.command, log.end()), (1, "mark 2\nmarked\ntwo".to_owned()));
        drop(log);
        let expected = ["running a", "one", "running b", "mark 2", "marked", "two"];
        assert_eq!(*heard.lock().expect("not poisoned"), expected);
    }
}

//! What a command in a build container says, within bounds.

use super::flights::{Progress, Step};

const LINE_BYTES_MAX: usize = 500;
/// Lines that are passed on; the end of the rest is in a message, should it fail.
const LINES_MAX: usize = 10_000;
const END_BYTES_MAX: usize = 4000;

pub(super) struct Said<'p> {
    tell: &'p Progress,
    /// A line that begins with this says which of several commands comes next.
    mark: Option<String>,
    /// That command's number.
    pub(super) command: usize,
    line: Vec<u8>,
    lines: usize,
    end: Vec<u8>,
}

impl Said<'_> {
    pub(super) fn new(tell: &Progress) -> Said<'_> {
        Said { tell, mark: None, command: 0, line: Vec::new(), lines: 0, end: Vec::new() }
    }

    pub(super) fn of_several(tell: &Progress, mark: String) -> Said<'_> {
        let mut said = Said::new(tell);
        said.mark = Some(mark);
        said
    }

    /// Returns the numbers of commands that come next.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Vec<usize> {
        let mut next = Vec::new();
        for &byte in bytes {
            self.end.push(byte);
            if byte == b'\n' || byte == b'\r' {
                next.extend(self.finish_line());
            } else if self.line.len() < LINE_BYTES_MAX {
                self.line.push(byte);
            }
        }
        // Not at once, which would move everything for each byte.
        if self.end.len() > 2 * END_BYTES_MAX {
            self.end.drain(..self.end.len() - END_BYTES_MAX);
        }
        next
    }

    fn finish_line(&mut self) -> Option<usize> {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).trim_end().to_owned();
        let marked = self.mark.as_deref().and_then(|mark| line.strip_prefix(mark)?.trim().parse().ok());
        if let Some(number) = marked {
            self.end.clear();
            self.command = number;
        } else if !line.is_empty() && self.lines < LINES_MAX {
            self.lines += 1;
            (self.tell)(Step::Line(line));
        }
        marked
    }

    /// The last that it said.
    pub(super) fn end(&self) -> String {
        let start = self.end.len().saturating_sub(END_BYTES_MAX);
        String::from_utf8_lossy(&self.end[start..]).trim().to_owned()
    }
}

impl Drop for Said<'_> {
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
        let mut said = Said::new(&progress);
        for piece in ["one\ntw", "o\r\n\n", "\u{fffd}", &"x".repeat(1_000_000)] {
            said.hear(piece.as_bytes());
        }
        assert!(said.end.len() <= 2 * END_BYTES_MAX && said.end().len() == END_BYTES_MAX);
        assert_eq!((said.hear(b"\nmark 1\n"), said.command), (vec![], 0));
        drop(said);
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
        let mut said = Said::of_several(&progress, "mark".to_owned());
        assert_eq!(said.hear(b"\nmark 0\none\nmark"), [0]);
        assert_eq!(said.hear(b" 1\nmarked\ntwo"), [1]);
        assert_eq!((said.command, said.end()), (1, "marked\ntwo".to_owned()));
        drop(said);
        assert_eq!(*heard.lock().expect("not poisoned"), ["one", "marked", "two"]);
    }
}

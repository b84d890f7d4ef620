//! Output of a script that may start again on another tier: what it prints a second time is not shown a second time.

/// Most that is remembered of what was shown.
const REMEMBERED_BYTES_MAX: usize = 4 << 20;

/// One stream of a script's output, as far as it was shown.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    shown: Vec<u8>,
    /// How much of `shown` the second run has printed again, while it prints the same.
    repeated: Option<usize>,
    too_much: bool,
    /// The script runs again, and what it had printed is not remembered.
    forgotten: bool,
}

/// Holds what is to be shown of some output.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct New {
    pub(crate) bytes: Vec<u8>,
    /// The second run goes another way from here: what was shown before is not its output.
    pub(crate) differs: bool,
    /// The line that was shown last has no end yet, and what follows is no part of it.
    pub(crate) cuts_line: bool,
}

impl Stream {
    /// Begins to compare, as the script starts again.
    pub(crate) fn restart(&mut self) {
        // Of output that is not remembered nothing can be compared: all of it comes again.
        self.repeated = (!self.too_much && !self.shown.is_empty()).then_some(0);
        self.forgotten = self.too_much;
    }

    /// Returns what is to be shown when the script prints `bytes`.
    pub(crate) fn printed(&mut self, bytes: &[u8]) -> New {
        let Some(repeated) = self.repeated else {
            let differs = std::mem::take(&mut self.forgotten);
            self.remember(bytes);
            return New { bytes: bytes.to_vec(), differs, cuts_line: false };
        };
        let rest = self.shown.get(repeated..).unwrap_or_default();
        let same = rest.iter().zip(bytes).take_while(|(old, new)| old == new).count();
        if same == bytes.len() {
            self.repeated = Some(repeated + same);
            return New::default();
        }
        self.repeated = None;
        if same == rest.len() {
            // It has caught up.
            self.remember(&bytes[same..]);
            return New { bytes: bytes[same..].to_vec(), ..New::default() };
        }
        // It goes another way than the first time, so it is shown from its start.
        let cuts_line = !self.shown.ends_with(b"\n");
        self.shown.truncate(repeated);
        let text = [&self.shown, bytes].concat();
        self.remember(bytes);
        New { bytes: text, differs: true, cuts_line }
    }

    /// Returns how many bytes of a first run the second has not printed again.
    pub(crate) fn surplus(&self) -> usize {
        self.repeated.map_or(0, |repeated| self.shown.len() - repeated)
    }

    fn remember(&mut self, bytes: &[u8]) {
        if self.too_much || self.shown.len() + bytes.len() > REMEMBERED_BYTES_MAX {
            self.too_much = true;
            self.shown = Vec::new();
        } else {
            self.shown.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(first: &[&str], second: &[&str]) -> String {
        let mut stream = Stream::default();
        let mut screen = Vec::new();
        for text in first {
            screen.extend(stream.printed(text.as_bytes()).bytes);
        }
        stream.restart();
        for text in second {
            let new = stream.printed(text.as_bytes());
            if new.cuts_line {
                screen.push(b'\n');
            }
            if new.differs {
                screen.extend(b"<differs>");
            }
            screen.extend(new.bytes);
        }
        String::from_utf8(screen).unwrap()
    }

    #[test]
    fn the_same_output_is_shown_once() {
        assert_eq!(screen(&["one\n", "two\n"], &["one\ntwo\nthree\n", "four\n"]), "one\ntwo\nthree\nfour\n");
        assert_eq!(screen(&["one\n"], &["o", "ne", "\n", "two\n"]), "one\ntwo\n");
        assert_eq!(screen(&[], &["one\n"]), "one\n");
        assert_eq!(screen(&["one\n"], &[]), "one\n");
    }

    #[test]
    fn other_output_is_shown_from_its_start() {
        assert_eq!(screen(&["pid 1\n", "more\n"], &["pid 2\n", "more\n"]), "pid 1\nmore\n<differs>pid 2\nmore\n");
        assert_eq!(screen(&["a\nb"], &["a\n", "c\n"]), "a\nb\n<differs>a\nc\n");
    }

    #[test]
    fn too_much_to_remember_is_shown_again() {
        let long = "x".repeat(REMEMBERED_BYTES_MAX + 1);
        assert!(screen(&[&long], &["y", "z"]).ends_with("x<differs>yz"));
    }

    #[test]
    fn what_a_second_run_does_not_print_again_is_counted() {
        let mut stream = Stream::default();
        stream.printed(b"one\ntwo\n");
        assert_eq!(stream.surplus(), 0);
        stream.restart();
        stream.printed(b"one\n");
        assert_eq!(stream.surplus(), 4);
        stream.printed(b"two\nthree\n");
        assert_eq!(stream.surplus(), 0);
    }
}

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
}

impl Stream {
    /// The script starts again.
    pub(crate) fn restart(&mut self) {
        // Of output that is not remembered nothing can be compared: all of it comes again.
        self.repeated = (!self.too_much).then_some(0);
        if self.too_much {
            self.shown.clear();
        }
    }

    /// What is to be shown when the script prints `bytes`.
    pub(crate) fn printed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(repeated) = self.repeated else {
            self.remember(bytes);
            return bytes.to_vec();
        };
        let rest = &self.shown[repeated..];
        let same = rest.iter().zip(bytes).take_while(|(old, new)| old == new).count();
        if same == bytes.len() {
            self.repeated = Some(repeated + same);
            return Vec::new();
        }
        self.repeated = None;
        if same == rest.len() {
            // It has caught up.
            self.remember(&bytes[same..]);
            return bytes[same..].to_vec();
        }
        // It goes another way than the first time, so it is shown from its start.
        let mut text = if self.shown.ends_with(b"\n") { Vec::new() } else { b"\n".to_vec() };
        self.shown.truncate(repeated);
        text.extend_from_slice(&self.shown);
        text.extend_from_slice(bytes);
        self.remember(bytes);
        text
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
            screen.extend(stream.printed(text.as_bytes()));
        }
        stream.restart();
        for text in second {
            screen.extend(stream.printed(text.as_bytes()));
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
        assert_eq!(screen(&["pid 1\n", "more\n"], &["pid 2\n", "more\n"]), "pid 1\nmore\npid 2\nmore\n");
        assert_eq!(screen(&["a\nb"], &["a\n", "c\n"]), "a\nb\na\nc\n");
    }

    #[test]
    fn too_much_to_remember_is_shown_again() {
        let long = "x".repeat(REMEMBERED_BYTES_MAX + 1);
        assert_eq!(screen(&[&long], &["y"]).len(), REMEMBERED_BYTES_MAX + 2);
    }
}

//! Keeps the head and the tail of an output stream in bounded memory.

use crate::outcome::Output;
use std::collections::VecDeque;

/// Everything written is counted; at most `limit` bytes are kept, half of them from the start, half from the end.
#[derive(Debug)]
pub(crate) struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    head_max: usize,
    tail_max: usize,
    bytes: u64,
}

impl Capture {
    pub(crate) fn new(limit: u64) -> Capture {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Capture { head: Vec::new(), tail: VecDeque::new(), head_max: limit / 2, tail_max: limit - limit / 2, bytes: 0 }
    }

    pub(crate) fn write(&mut self, mut bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        let room = self.head_max - self.head.len();
        if room > 0 {
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.head.extend_from_slice(now);
            bytes = rest;
        }
        if bytes.len() >= self.tail_max {
            self.tail.clear();
            bytes = &bytes[bytes.len() - self.tail_max..];
        }
        let excess = (self.tail.len() + bytes.len()).saturating_sub(self.tail_max);
        self.tail.drain(..excess);
        self.tail.extend(bytes);
    }

    /// Returns all that was written.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn truncated(&self) -> bool {
        self.bytes > (self.head.len() + self.tail.len()) as u64
    }

    pub(crate) fn finish(mut self) -> Output {
        let truncated = self.truncated();
        let tail: Vec<u8> = self.tail.into();
        if !truncated {
            self.head.extend_from_slice(&tail);
            return Output { text: lossy(self.head), truncated, bytes: self.bytes };
        }
        // Cut between characters, so that the cut does not look like bad output.
        let head = &self.head[..whole_characters(&self.head)];
        let skip = tail.iter().take(3).take_while(|&&byte| byte & 0xc0 == 0x80).count();
        let tail = &tail[skip..];
        let omitted = self.bytes - (head.len() + tail.len()) as u64;
        let mut text = String::from_utf8_lossy(head).into_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("[… {omitted} bytes omitted …]\n"));
        text.push_str(&String::from_utf8_lossy(tail));
        Output { text, truncated, bytes: self.bytes }
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Returns the length of `bytes` without a character cut off at its end.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        // Invalid in the middle: it is not text anyway.
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(limit: u64, writes: &[&[u8]]) -> Output {
        let mut capture = Capture::new(limit);
        for write in writes {
            capture.write(write);
        }
        capture.finish()
    }

    #[test]
    fn output_within_the_limit_is_unchanged() {
        let output = captured(6, &[b"ab", b"", b"cdef"]);
        assert_eq!(output, Output { text: "abcdef".into(), truncated: false, bytes: 6 });
    }

    #[test]
    fn head_and_tail_are_kept_and_the_rest_is_counted() {
        let output = captured(6, &[b"abc1234", b"567", b"x", b"yz"]);
        assert_eq!(output.text, "abc\n[… 7 bytes omitted …]\nxyz");
        assert!(output.truncated);
        assert_eq!(output.bytes, 13);
        assert_eq!(captured(6, &[b"abc1234567xyz"]).text, output.text);
    }

    #[test]
    fn cuts_fall_between_characters() {
        let output = captured(6, &["aé€€€€z".as_bytes()]);
        assert_eq!(output.text, "aé\n[… 12 bytes omitted …]\nz");
        assert!(!output.text.contains('\u{fffd}'));
    }

    #[test]
    fn bad_utf8_is_replaced() {
        assert_eq!(captured(100, &[b"a\xffb"]).text, "a\u{fffd}b");
    }

    #[test]
    fn a_limit_of_zero_keeps_nothing() {
        let output = captured(0, &[b"abc"]);
        assert_eq!((output.text.as_str(), output.bytes), ("[… 3 bytes omitted …]\n", 3));
    }
}

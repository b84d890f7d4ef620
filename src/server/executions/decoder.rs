//! Turns output into text as it comes.

/// Turns the bytes of a stream into text as they come: a character that is cut off waits for its rest.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    rest: Vec<u8>,
}

impl Decoder {
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let complete = match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest.len(),
            Err(error) => {
                let tail = &self.rest[self.rest.len().saturating_sub(3)..];
                let cut = tail.iter().rposition(|&byte| byte >= 0xc0).map(|at| tail.len() - at);
                match cut {
                    // Only the character at the very end can be incomplete.
                    Some(length) if starts_character(&tail[tail.len() - length..]) => self.rest.len() - length,
                    _ if error.error_len().is_none() => error.valid_up_to(),
                    _ => self.rest.len(),
                }
            }
        };
        let text = String::from_utf8_lossy(&self.rest[..complete]).into_owned();
        self.rest.drain(..complete);
        text
    }

    /// Returns what is left at the end.
    pub(crate) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned()
    }
}

/// Returns whether the bytes are the start of a character and not all of it.
fn starts_character(bytes: &[u8]) -> bool {
    matches!(std::str::from_utf8(bytes), Err(error) if error.valid_up_to() == 0 && error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_are_cut_wait_for_their_rest() {
        let mut decoder = Decoder::default();
        let bytes = "a€b😀".as_bytes();
        let text: String = bytes.iter().map(|&byte| decoder.decode(&[byte])).collect();
        assert_eq!(text, "a€b😀");
        assert_eq!(decoder.decode(b"x\xff\xe2\x82"), "x\u{fffd}");
        assert_eq!(decoder.finish(), "\u{fffd}");
        assert_eq!(decoder.decode(b"\x80\x80\x80y"), "\u{fffd}\u{fffd}\u{fffd}y");
    }
}

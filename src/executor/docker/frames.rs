//! How this side and `fallback/runner/frames.py` talk: one byte of kind, four of length, little endian, and the content.

use bytes::{Buf, Bytes, BytesMut};

/// To the runner.
pub(crate) mod to {
    /// The job as JSON: the first frame.
    pub(crate) const JOB: u8 = b'J';
    /// A folder of the project.
    pub(crate) const FOLDER: u8 = b'D';
    /// A symbolic link: path, NUL, target.
    pub(crate) const LINK: u8 = b'L';
    /// The project is complete.
    pub(crate) const RUN: u8 = b'R';
    /// Standard input of the job.
    pub(crate) const INPUT: u8 = b'I';
    /// The end of it.
    pub(crate) const INPUT_END: u8 = b'E';
    /// Asks where the job is.
    pub(crate) const WHERE: u8 = b'W';
    /// Ends the job, whose files come then.
    pub(crate) const STOP: u8 = b't';
    /// A call of a session: JSON, NUL, and the source.
    pub(crate) const CALL: u8 = b'Q';
    /// A question about a session, as JSON.
    pub(crate) const QUESTION: u8 = b'A';
    /// Results of tools, as JSON.
    pub(crate) const RESULTS: u8 = b'T';
    /// Interrupts the call.
    pub(crate) const INTERRUPT: u8 = b'B';
}

/// From the runner.
pub(crate) mod from {
    /// It waits for a job: JSON.
    pub(crate) const READY: u8 = b'Y';
    /// The project cannot be unpacked: JSON.
    pub(crate) const REFUSED: u8 = b'N';
    /// The script starts.
    pub(crate) const STARTED: u8 = b'S';
    /// Standard output of the job.
    pub(crate) const STDOUT: u8 = b'O';
    /// Standard error of the job.
    pub(crate) const STDERR: u8 = b'X';
    /// A piece of standard input has been taken.
    pub(crate) const TAKEN: u8 = b'K';
    /// Result or exception, as JSON.
    pub(crate) const REPORT: u8 = b'V';
    /// A figure as PNG.
    pub(crate) const FIGURE: u8 = b'G';
    /// Where the job is, as JSON.
    pub(crate) const PLACE: u8 = b'P';
    /// A file of the project that is gone.
    pub(crate) const DELETED: u8 = b'M';
    /// A file that is too large to come back.
    pub(crate) const UNCOLLECTED: u8 = b'u';
    /// The job has ended: JSON; the last frame.
    pub(crate) const END: u8 = b'Z';
    /// A call of a session asks for results of tools, and waits: the calls as JSON, perhaps none.
    pub(crate) const TOOLS: u8 = b'T';
    /// It waits for them no longer.
    pub(crate) const GOES_ON: u8 = b'U';
    /// The answer to a question, as JSON.
    pub(crate) const ANSWER: u8 = b'A';
    /// A call of a session has ended, as JSON.
    pub(crate) const CALLED: u8 = b'D';
}

/// A file, in both directions.
pub(crate) const FILE: u8 = b'F';
/// More content of that file.
pub(crate) const CONTENT: u8 = b'C';

/// Something about the files of a session, in both directions: JSON, NUL, and content.
pub(crate) const FILES: u8 = b'f';

/// Longest content: a report, as the runner bounds it, and its JSON.
const CONTENT_BYTES_MAX: usize = 17 << 20;
const HEAD_BYTES: usize = 5;

/// Appends a frame.
pub(crate) fn put(into: &mut Vec<u8>, kind: u8, content: &[u8]) {
    into.push(kind);
    // Nothing of that length is sent: files go in pieces.
    into.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    into.extend_from_slice(content);
}

/// Cuts a stream of bytes into frames.
#[derive(Default)]
pub(crate) struct Decoder {
    rest: BytesMut,
}

/// Says that a stream is not frames.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Decoder {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// Returns the bytes that no frame was made of yet.
    pub(crate) fn buffered(&self) -> usize {
        self.rest.len()
    }

    /// Returns the next whole frame, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<(u8, Bytes)>, Malformed> {
        let Some((&[kind, a, b, c, d], _)) = self.rest.split_first_chunk::<HEAD_BYTES>() else { return Ok(None) };
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if length > CONTENT_BYTES_MAX {
            return Err(Malformed);
        }
        if self.rest.len() < HEAD_BYTES + length {
            return Ok(None);
        }
        self.rest.advance(HEAD_BYTES);
        Ok(Some((kind, self.rest.split_to(length).freeze())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_any_cutting() {
        let mut bytes = Vec::new();
        put(&mut bytes, b'O', b"one");
        put(&mut bytes, b'Z', b"");
        let mut decoder = Decoder::default();
        let mut found = Vec::new();
        for byte in bytes {
            decoder.push(&[byte]);
            while let Some((kind, content)) = decoder.next().expect("frames") {
                found.push((kind, content.to_vec()));
            }
        }
        assert_eq!(found, [(b'O', b"one".to_vec()), (b'Z', Vec::new())]);
    }

    #[test]
    fn a_monstrous_length_is_refused_before_it_is_waited_for() {
        let mut decoder = Decoder::default();
        decoder.push(b"O\xff\xff\xff\xff");
        assert_eq!(decoder.next(), Err(Malformed));
    }
}

//! What the runner says, message by message. Anyone in its container can say it, so that nothing is believed of it but what
//! harms only the job itself.

use super::frames::{CONTENT, FILE, FILES, Malformed, from};
use crate::{Error, Limits, outcome::JsonText};
use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};

const ENOSPC: i64 = 28;
const REFUSAL_CHARS_MAX: usize = 300;

/// One frame of the runner's, decoded.
#[derive(Debug)]
pub(super) enum Message {
    /// It waits for a job.
    Ready,
    /// The script starts.
    Started,
    Stdout(Bytes),
    Stderr(Bytes),
    /// A piece of standard input has been taken.
    Taken,
    /// Boxed, for it is larger than all others.
    Report(Box<Report>),
    /// A figure as PNG.
    Figure(Bytes),
    /// The path of a file that comes back.
    File(Bytes),
    /// More content of that file.
    Content(Bytes),
    /// The path of a file of the project that is gone.
    Deleted(Bytes),
    /// The path of a file that is too large to come back.
    Uncollected(Bytes),
    Location(Location),
    Refused(Refusal),
    End(End),
    /// Calls of tools.
    Tools(Bytes),
    /// The call waits for tools no longer.
    GoesOn,
    Answer(Bytes),
    Called(Called),
    Files(AboutFiles),
}

impl Message {
    pub(super) fn decode(kind: u8, content: Bytes) -> Result<Message, Malformed> {
        Ok(match kind {
            from::READY => Message::Ready,
            from::STARTED => Message::Started,
            from::STDOUT => Message::Stdout(content),
            from::STDERR => Message::Stderr(content),
            from::TAKEN => Message::Taken,
            // A script can write its own, and says nothing with one that is none.
            from::REPORT => Message::Report(parsed(&content).unwrap_or_default()),
            from::FIGURE => Message::Figure(content),
            FILE => Message::File(content),
            CONTENT => Message::Content(content),
            from::DELETED => Message::Deleted(content),
            from::UNCOLLECTED => Message::Uncollected(content),
            from::PLACE => Message::Location(parsed(&content)?),
            from::REFUSED => Message::Refused(parsed(&content)?),
            from::END => Message::End(parsed(&content)?),
            from::TOOLS => Message::Tools(content),
            from::GOES_ON => Message::GoesOn,
            from::ANSWER => Message::Answer(content),
            FILES => Message::Files(AboutFiles::decode(&content)?),
            from::CALLED => Message::Called(parsed(&content)?),
            _ => return Err(Malformed),
        })
    }
}

fn parsed<T: DeserializeOwned>(content: &[u8]) -> Result<T, Malformed> {
    serde_json::from_slice(content).map_err(|_| Malformed)
}

/// Says how the script ended.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct End {
    pub(super) code: Option<i64>,
    pub(super) signal: Option<i64>,
    /// Processes that the kernel has killed for memory.
    pub(super) oom: u64,
    #[serde(flatten)]
    pub(super) used: ResourceUse,
}

/// Answers what was asked about the files of a session.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AboutFiles {
    /// Why it could not be done.
    pub(super) error: Option<String>,
    /// The size of the file that was read.
    pub(super) size: u64,
    /// Path, size, and time of the last change in nanoseconds.
    pub(super) files: Vec<(String, u64, u64)>,
    #[serde(skip)]
    pub(super) content: Bytes,
}

impl AboutFiles {
    fn decode(bytes: &Bytes) -> Result<AboutFiles, Malformed> {
        let end = bytes.iter().position(|byte| *byte == 0).ok_or(Malformed)?;
        Ok(AboutFiles { content: bytes.slice(end + 1..), ..parsed(&bytes[..end])? })
    }
}

/// Says how a call of a session ended.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Called {
    /// Its number.
    pub(super) call: u64,
    pub(super) code: i64,
    /// Processes that the kernel has killed for memory meanwhile.
    pub(super) oom: u64,
    #[serde(flatten)]
    pub(super) used: ResourceUse,
}

/// Says what the job used, and which limits of its container it ran into.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ResourceUse {
    pub(super) cpu_us: u64,
    pub(super) peak_bytes: u64,
    pub(super) disk_bytes: u64,
    pub(super) disk_full: bool,
    pub(super) files_full: bool,
    /// The kernel has refused it a process or a thread.
    pub(super) processes_full: bool,
}

/// Says where a running script is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Location {
    pub(super) dump: String,
    #[serde(flatten)]
    pub(super) used: ResourceUse,
}

/// Says why the runner cannot take the project.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) errno: Option<i64>,
    pub(super) message: String,
}

/// One of the things that the script reports.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Report {
    pub(super) result: Option<String>,
    pub(super) result_json: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) message: Option<String>,
    pub(super) line: Option<u32>,
    /// As [`ErrorFrame::read_all`](crate::outcome::ErrorFrame::read_all) reads them.
    pub(super) frames: Option<String>,
    /// A module that the script's own code imports, and that is not there.
    pub(super) missing: Option<String>,
    /// A module of which it was asked whether there is one, and there is none.
    pub(super) asked: Option<String>,
    /// Something that is shown, as [`Displays`](crate::executor::displays::Displays) reads it.
    pub(super) display: Option<JsonText>,
    #[serde(default)]
    pub(super) no_space: bool,
    #[serde(default)]
    pub(super) figures_left_out: u64,
}

impl Refusal {
    pub(super) fn into_error(self, limits: &Limits) -> Error {
        if self.errno == Some(ENOSPC) {
            return Error::invalid(format!(
                "the project takes more than the disk limit of {} bytes and {} files, counted in blocks of 4096 bytes",
                limits.disk_bytes, limits.disk_files
            ));
        }
        let why: String =
            self.message.chars().take(REFUSAL_CHARS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        Error::caused("the project cannot be unpacked in its container", why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_malformed_and_a_report_that_is_none_says_nothing() {
        for (kind, content) in
            [(from::END, "{"), (from::CALLED, "{"), (from::PLACE, "[]"), (from::REFUSED, "{}"), (b'?', "")]
        {
            assert_eq!(Message::decode(kind, content.into()).err(), Some(Malformed), "{kind} {content}");
        }
        let Ok(Message::Report(report)) = Message::decode(from::REPORT, "{\"line\": -1}".into()) else {
            panic!("refused")
        };
        assert_eq!((report.line, report.result), (None, None));
    }
}

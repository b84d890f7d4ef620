//! Standard input, output and error of a job.

use crate::{
    capture::Capture,
    executor::{Event, Observer},
    job::Stdin,
    outcome::Display,
};
use bytes::{Buf, Bytes, BytesMut};
use std::io;
use tokio::io::AsyncReadExt;

const READ_BYTES: usize = 64 * 1024;

/// Standard input, with what was read ahead of the job.
pub(crate) struct Input {
    ready: Bytes,
    rest: Option<Box<dyn tokio::io::AsyncRead + Send + Sync + Unpin>>,
    /// Whether the guest has asked for any of it.
    pub(crate) was_read: bool,
}

impl Input {
    pub(crate) fn new(stdin: Stdin) -> Input {
        match stdin {
            Stdin::Empty => Input { ready: Bytes::new(), rest: None, was_read: false },
            Stdin::Bytes(ready) => Input { ready, rest: None, was_read: false },
            Stdin::Reader(reader) => Input { ready: Bytes::new(), rest: Some(reader), was_read: false },
        }
    }

    /// Waits until there is something to read, or the end. Cancelling it loses nothing.
    pub(crate) async fn readable(&mut self) -> io::Result<()> {
        if self.ready.is_empty()
            && let Some(reader) = &mut self.rest
        {
            let mut buffer = BytesMut::with_capacity(READ_BYTES);
            if reader.read_buf(&mut buffer).await? == 0 {
                self.rest = None;
            }
            self.ready = buffer.freeze();
        }
        Ok(())
    }

    /// Copies what is ready; 0 is the end when [`Input::readable`] came before.
    pub(crate) fn take(&mut self, into: &mut [u8]) -> usize {
        self.was_read = true;
        let n = into.len().min(self.ready.len());
        self.ready.copy_to_slice(&mut into[..n]);
        n
    }
}

/// Names one of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// Both output streams: captured in bounded memory, and passed on live.
pub(crate) struct Outputs {
    pub(crate) stdout: Capture,
    pub(crate) stderr: Capture,
    observer: Box<dyn Observer>,
    /// Set while the guest is asked where it was stopped: its stderr goes here.
    diversion: Option<Vec<u8>>,
}

const DIVERSION_BYTES_MAX: usize = 64 * 1024;

impl Outputs {
    pub(crate) fn new(limit: u64, observer: Box<dyn Observer>) -> Outputs {
        Outputs { stdout: Capture::new(limit), stderr: Capture::new(limit), observer, diversion: None }
    }

    pub(crate) fn started(&mut self) {
        self.observer.event(Event::Started);
    }

    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        if let Some(diversion) = &mut self.diversion {
            let room = DIVERSION_BYTES_MAX - diversion.len();
            diversion.extend_from_slice(&bytes[..bytes.len().min(room)]);
            return;
        }
        let (capture, event) = match stream {
            Stream::Stdout => (&mut self.stdout, Event::Stdout(bytes)),
            Stream::Stderr => (&mut self.stderr, Event::Stderr(bytes)),
        };
        capture.write(bytes);
        self.observer.event(event);
    }

    /// Passes on what the call shows.
    pub(crate) fn show(&mut self, display: &Display) {
        self.observer.event(Event::Display(display));
    }

    /// Collects output from now on, instead of taking it for the job's.
    pub(crate) fn divert(&mut self) {
        self.diversion = Some(Vec::new());
    }

    /// Ends collecting, and returns what came; output is the job's again.
    pub(crate) fn diverted(&mut self) -> Vec<u8> {
        self.diversion.take().unwrap_or_default()
    }
}

//! Pipes inside a job.
//!
//! A job is one process with one thread, so nobody else can fill an empty pipe or empty a full one: waiting for that would
//! last for ever, and is refused as the deadlock that it is.

use super::errno::Result;
use crate::executor::wasm::preview1::types::Errno;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// As on Linux.
const CAPACITY: usize = 64 * 1024;

#[derive(Debug, Default)]
struct Pipe {
    content: Mutex<VecDeque<u8>>,
    reader_closed: AtomicBool,
    writer_closed: AtomicBool,
    /// Tells pipes apart.
    number: u64,
}

impl Pipe {
    fn content(&self) -> MutexGuard<'_, VecDeque<u8>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a pipe that is read from.
#[derive(Debug)]
pub(crate) struct Reader {
    pipe: Arc<Pipe>,
    pub(crate) nonblocking: AtomicBool,
}

/// The end of a pipe that is written to.
#[derive(Debug)]
pub(crate) struct Writer {
    pipe: Arc<Pipe>,
    pub(crate) nonblocking: AtomicBool,
}

pub(super) fn pipe(number: u64) -> (Reader, Writer) {
    let pipe = Arc::new(Pipe { number, ..Pipe::default() });
    let reader = Reader { pipe: Arc::clone(&pipe), nonblocking: AtomicBool::new(false) };
    (reader, Writer { pipe, nonblocking: AtomicBool::new(false) })
}

impl Pipe {
    /// Returns a number past those of the standard streams.
    fn inode(&self) -> u64 {
        self.number + 1000
    }
}

/// Returns what an operation fails with that would have to wait.
fn would_wait(nonblocking: &AtomicBool) -> Errno {
    if nonblocking.load(Ordering::Relaxed) { Errno::Again } else { Errno::Deadlk }
}

impl Reader {
    pub(super) fn read(&self, into: &mut [u8]) -> Result<usize> {
        let mut content = self.pipe.content();
        if content.is_empty() && !into.is_empty() {
            let ended = self.pipe.writer_closed.load(Ordering::Relaxed);
            return if ended { Ok(0) } else { Err(would_wait(&self.nonblocking)) };
        }
        let n = into.len().min(content.len());
        for (to, from) in into.iter_mut().zip(content.drain(..n)) {
            *to = from;
        }
        Ok(n)
    }

    pub(super) fn inode(&self) -> u64 {
        self.pipe.inode()
    }

    /// Returns whether reading would not have to wait.
    pub(crate) fn is_ready(&self) -> bool {
        !self.pipe.content().is_empty() || self.pipe.writer_closed.load(Ordering::Relaxed)
    }

    /// Counts the bytes that can be read at once.
    pub(crate) fn waiting(&self) -> usize {
        self.pipe.content().len()
    }
}

impl Writer {
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize> {
        if self.pipe.reader_closed.load(Ordering::Relaxed) {
            return Err(Errno::Pipe);
        }
        let mut content = self.pipe.content();
        let n = bytes.len().min(CAPACITY - content.len());
        if n == 0 && !bytes.is_empty() {
            return Err(would_wait(&self.nonblocking));
        }
        content.extend(&bytes[..n]);
        Ok(n)
    }

    pub(super) fn inode(&self) -> u64 {
        self.pipe.inode()
    }

    /// Returns whether writing would not have to wait.
    pub(crate) fn is_ready(&self) -> bool {
        self.pipe.content().len() < CAPACITY || self.pipe.reader_closed.load(Ordering::Relaxed)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.pipe.reader_closed.store(true, Ordering::Relaxed);
        // Nobody will ever read it.
        *self.pipe.content() = VecDeque::new();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.pipe.writer_closed.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_ever_is_refused() {
        let (reader, writer) = pipe(1);
        let mut into = [0; 4];
        assert_eq!(reader.read(&mut into), Err(Errno::Deadlk));
        assert_eq!(writer.write(b"abcdef"), Ok(6));
        assert_eq!((reader.read(&mut into), &into), (Ok(4), b"abcd"));
        assert_eq!(writer.write(&[0; 2 * CAPACITY]), Ok(CAPACITY - 2));
        assert_eq!(writer.write(b"x"), Err(Errno::Deadlk));
        writer.nonblocking.store(true, Ordering::Relaxed);
        assert_eq!(writer.write(b"x"), Err(Errno::Again));
    }

    #[test]
    fn closing_one_end_is_seen_at_the_other() {
        let (reader, writer) = pipe(1);
        assert_eq!(writer.write(b"ab"), Ok(2));
        drop(writer);
        let mut into = [0; 4];
        assert_eq!(reader.read(&mut into), Ok(2));
        assert_eq!(reader.read(&mut into), Ok(0));
        let (reader, writer) = pipe(1);
        drop(reader);
        assert_eq!(writer.write(b"x"), Err(Errno::Pipe));
    }
}

//! Standard input that may be needed a second time, from its beginning.

use crate::{Stdin, sync::lock};
use bytes::Bytes;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, ReadBuf};

/// Most that is kept of what was read; who has read more cannot have it again.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// Splits an input into that of a first run, and what a second one can have.
pub(super) fn twice(stdin: Stdin) -> (Stdin, Second) {
    match stdin {
        Stdin::Empty => (Stdin::Empty, Second::Bytes(Bytes::new())),
        Stdin::Bytes(bytes) => (Stdin::Bytes(bytes.clone()), Second::Bytes(bytes)),
        Stdin::Reader(source) => {
            let tape = Arc::new(Mutex::new(Tape { source, read: Some(Vec::new()) }));
            (Stdin::Reader(Box::new(Recorder(Arc::clone(&tape)))), Second::Tape(tape))
        }
    }
}

/// Says what a second run can have.
#[derive(Clone)]
pub(super) enum Second {
    Bytes(Bytes),
    Tape(Arc<Mutex<Tape>>),
}

pub(super) struct Tape {
    source: Box<dyn AsyncRead + Send + Sync + Unpin>,
    /// What was read; nothing once it was too much to keep.
    read: Option<Vec<u8>>,
}

struct Recorder(Arc<Mutex<Tape>>);

/// Holds what was read before, then what is left.
struct Player {
    before: Bytes,
    tape: Arc<Mutex<Tape>>,
}

impl Second {
    /// Returns whether a second run could have all of it.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Second::Bytes(_) => true,
            Second::Tape(tape) => lock(tape).read.is_some(),
        }
    }

    /// Returns the input from its beginning, unless too much of it was read.
    pub(super) fn rewound(self) -> Option<Stdin> {
        match self {
            Second::Bytes(bytes) => Some(Stdin::Bytes(bytes)),
            Second::Tape(tape) => {
                let before = lock(&tape).read.take()?.into();
                Some(Stdin::Reader(Box::new(Player { before, tape })))
            }
        }
    }
}

impl AsyncRead for Recorder {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut tape = lock(&self.0);
        let filled = into.filled().len();
        let polled = Pin::new(&mut tape.source).poll_read(context, into);
        let new = &into.filled()[filled..];
        match &mut tape.read {
            Some(read) if read.len() + new.len() <= KEPT_BYTES_MAX => read.extend_from_slice(new),
            read => *read = None,
        }
        polled
    }
}

impl AsyncRead for Player {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.before.is_empty() {
            return Pin::new(&mut lock(&self.tape).source).poll_read(context, into);
        }
        let bytes = self.before.len().min(into.remaining());
        into.put_slice(&self.before.split_to(bytes));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    async fn text(stdin: Stdin) -> String {
        let mut text = String::new();
        match stdin {
            Stdin::Empty => {}
            Stdin::Bytes(bytes) => text.push_str(std::str::from_utf8(&bytes).unwrap()),
            Stdin::Reader(mut reader) => drop(reader.read_to_string(&mut text).await.unwrap()),
        }
        text
    }

    #[tokio::test]
    async fn a_second_run_reads_from_the_beginning_and_on() {
        let (first, second) = twice(Stdin::Reader(Box::new(&b"one two three"[..])));
        let Stdin::Reader(mut reader) = first else { panic!("a reader") };
        let mut some = [0; 4];
        reader.read_exact(&mut some).await.unwrap();
        drop(reader);
        assert_eq!(text(second.rewound().unwrap()).await, "one two three");
    }

    #[tokio::test]
    async fn bytes_are_simply_there_again() {
        let (first, second) = twice(Stdin::from("typed"));
        assert_eq!(text(first).await, "typed");
        assert_eq!(text(second.rewound().unwrap()).await, "typed");
        assert!(matches!(twice(Stdin::Empty).0, Stdin::Empty));
    }

    #[tokio::test]
    async fn too_much_is_not_kept() {
        let (first, second) = twice(Stdin::Reader(Box::new(tokio::io::repeat(b'x').take(KEPT_BYTES_MAX as u64 + 1))));
        assert_eq!(text(first).await.len(), KEPT_BYTES_MAX + 1);
        assert!(second.rewound().is_none());
    }
}

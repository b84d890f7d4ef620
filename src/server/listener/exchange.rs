//! Whose turn it is on a connection, shared by its socket and the bodies that go over it.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// State of one connection. HTTP/1.1 has one request at a time: the client's turn is from an answer's end to the end of the
/// next request's headers, then it is ours.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// Even: the client's. Odd: ours.
    turn: AtomicU64,
    first_write: OnceLock<Instant>,
    last_write_us: AtomicU64,
    body_timed_out: AtomicBool,
    unread_body: AtomicBool,
}

impl Exchange {
    /// Notes that a request has come. Dropping the guard ends the exchange.
    pub(super) fn begin(self: &Arc<Exchange>) -> Busy {
        self.turn.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Returns the turn's number, which a new one changes.
    pub(super) fn turn(&self) -> Turn {
        Turn(self.turn.load(Ordering::Relaxed))
    }

    pub(super) fn note_write(&self) {
        let micros = self.first_write.get_or_init(Instant::now).elapsed().as_micros();
        self.last_write_us.store(u64::try_from(micros).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn last_write(&self) -> Option<Instant> {
        let first = *self.first_write.get()?;
        first.checked_add(Duration::from_micros(self.last_write_us.load(Ordering::Relaxed)))
    }

    pub(super) fn note_body_timeout(&self) {
        self.body_timed_out.store(true, Ordering::Relaxed);
    }

    pub(super) fn body_timed_out(&self) -> bool {
        self.body_timed_out.load(Ordering::Relaxed)
    }

    pub(super) fn note_unread_body(&self) {
        self.unread_body.store(true, Ordering::Relaxed);
    }

    /// Returns whether an answer was given before its request had been read.
    pub(super) fn has_unread_body(&self) -> bool {
        self.unread_body.load(Ordering::Relaxed)
    }
}

/// See [`Exchange::turn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn(u64);

impl Turn {
    pub(super) fn is_the_clients(self) -> bool {
        self.0.is_multiple_of(2)
    }
}

/// Held from a request's headers to its answer's end.
#[derive(Debug)]
pub(super) struct Busy(Arc<Exchange>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.turn.fetch_add(1, Ordering::Relaxed);
    }
}

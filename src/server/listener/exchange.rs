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
#[derive(Debug)]
pub(super) struct Exchange {
    began: Instant,
    /// Even: the client's. Odd: ours.
    turn: AtomicU64,
    /// When the client's last turn began, after `began`.
    clients_turn_us: AtomicU64,
    first_write: OnceLock<Instant>,
    last_write_us: AtomicU64,
    body_timed_out: AtomicBool,
    unread_body: AtomicBool,
}

impl Default for Exchange {
    fn default() -> Exchange {
        Exchange {
            began: Instant::now(),
            turn: AtomicU64::default(),
            clients_turn_us: AtomicU64::default(),
            first_write: OnceLock::default(),
            last_write_us: AtomicU64::default(),
            body_timed_out: AtomicBool::default(),
            unread_body: AtomicBool::default(),
        }
    }
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

    /// Returns for how long it has been the client's turn, if it is.
    pub(super) fn client_waited_for(&self) -> Option<Duration> {
        let since = Duration::from_micros(self.clients_turn_us.load(Ordering::Relaxed));
        self.turn().is_the_clients().then(|| self.began.elapsed().saturating_sub(since))
    }

    pub(super) fn note_write(&self) {
        let time = self.first_write.get_or_init(Instant::now).elapsed();
        self.last_write_us.store(micros(time), Ordering::Relaxed);
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
        self.0.clients_turn_us.store(micros(self.0.began.elapsed()), Ordering::Relaxed);
        self.0.turn.fetch_add(1, Ordering::Relaxed);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

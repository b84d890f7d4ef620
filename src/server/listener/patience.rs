//! How long a client may take over its part.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};

/// Slower than this a client is there to hold a connection.
const BYTES_PER_SECOND_MIN: u64 = 8 << 10;
/// How many times the longest pause all pauses together may last, besides what the bytes allow.
const PAUSES_MAX: u32 = 10;

/// The deadline for the client's next byte: for a pause, and for all of them together, so that a byte now and then is not
/// enough.
pub(super) struct Patience {
    pause_max: Duration,
    /// For how long it was waited for before, and for how many bytes.
    waited: Duration,
    bytes: u64,
    /// Since when it is waited for. Armed only when there is something to wait for, which is rare.
    pause: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Patience {
    pub(super) fn new(pause_max: Duration) -> Patience {
        Patience { pause_max, waited: Duration::ZERO, bytes: 0, pause: None }
    }

    /// Notes that the client has done something.
    pub(super) fn moved(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if let Some((since, _)) = self.pause.take() {
            self.waited += since.elapsed();
        }
    }

    /// Counts the time of a client that does nothing; ready when that was too long.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (_, end) = self.pause.get_or_insert_with(|| {
            let earned = Duration::from_secs(self.bytes / BYTES_PER_SECOND_MIN);
            let all_max = self.pause_max.saturating_mul(PAUSES_MAX).saturating_add(earned);
            let pause_max = self.pause_max.min(all_max.saturating_sub(self.waited));
            (Instant::now(), Box::pin(sleep(pause_max)))
        });
        ready!(end.as_mut().poll(cx));
        Poll::Ready(())
    }
}

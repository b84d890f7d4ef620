//! Time as a job sees it.

use std::time::{Duration, Instant, SystemTime};

/// The monotonic clock of a snapshot stands still at this instant, and that of each job goes on from there, so that
/// instants remembered in the snapshot are never in the future.
const MONOTONIC_START: Duration = Duration::from_secs(1);

/// Wall clock, monotonic clock and CPU time of one job.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// Time spent asleep or waiting for input.
    idle: Duration,
    frozen: bool,
}

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock { started: Instant::now(), idle: Duration::ZERO, frozen: false }
    }

    /// For making a snapshot: monotonic and CPU time do not pass.
    pub(crate) fn frozen() -> Clock {
        Clock { frozen: true, ..Clock::start() }
    }

    pub(crate) fn realtime(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    pub(crate) fn monotonic(&self) -> Duration {
        MONOTONIC_START + if self.frozen { Duration::ZERO } else { self.started.elapsed() }
    }

    pub(crate) fn cpu(&self) -> Duration {
        if self.frozen { Duration::ZERO } else { self.started.elapsed().saturating_sub(self.idle) }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Counts the time until the guard is dropped as idle.
    pub(crate) fn add_idle(&mut self, idle: Duration) {
        self.idle += idle;
    }
}

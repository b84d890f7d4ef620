//! Time as a job sees it.

use std::time::{Duration, Instant, SystemTime};

/// The monotonic clock of a snapshot stands still at this instant, and that of each job goes on from there, so that
/// instants remembered in the snapshot are never in the future.
const MONOTONIC_START: Duration = Duration::from_secs(1);

/// Wall clock, monotonic clock and CPU time of one job.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// Time before that, in which it ran as well.
    before: Duration,
    /// Time spent asleep or waiting for input.
    idle: Duration,
    /// Since when it is asleep, when it is.
    idle_since: Option<Instant>,
    frozen: bool,
}

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock { started: Instant::now(), before: Duration::ZERO, idle: Duration::ZERO, idle_since: None, frozen: false }
    }

    /// Makes a clock for a snapshot: monotonic and CPU time do not pass.
    pub(crate) fn frozen() -> Clock {
        Clock { frozen: true, ..Clock::start() }
    }

    pub(crate) fn realtime(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    pub(crate) fn monotonic(&self) -> Duration {
        MONOTONIC_START + if self.frozen { Duration::ZERO } else { self.elapsed() }
    }

    pub(crate) fn cpu(&self) -> Duration {
        let idle = self.idle + self.idle_since.map_or(Duration::ZERO, |since| since.elapsed());
        if self.frozen { Duration::ZERO } else { self.elapsed().saturating_sub(idle) }
    }

    fn elapsed(&self) -> Duration {
        self.before.saturating_add(self.started.elapsed())
    }

    /// Returns the time that has passed, and that of the CPU, for a clock that goes on later.
    pub(crate) fn times(&self) -> (Duration, Duration) {
        (self.elapsed(), self.cpu())
    }

    /// Makes a clock that goes on where another one has stopped.
    pub(crate) fn going_on((elapsed, cpu): (Duration, Duration)) -> Clock {
        Clock { before: elapsed, idle: elapsed.saturating_sub(cpu), ..Clock::start() }
    }

    /// Stops CPU time while the job waits. A job that is stopped while it does is not told [`Clock::resume`].
    pub(crate) fn pause(&mut self) {
        self.idle_since = Some(Instant::now());
    }

    /// Lets CPU time pass, as the job goes on.
    pub(crate) fn resume(&mut self) {
        self.idle += self.idle_since.take().map_or(Duration::ZERO, |since| since.elapsed());
    }
}

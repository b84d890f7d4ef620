//! When a call has to end: its time stands still while it waits for its host.

use crate::sync::lock;
use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::{Duration, Instant},
};

/// As good as never, for a timer.
const LONG: Duration = Duration::from_secs(3600);

/// Says when a call has to end. Clones are the same deadline.
#[derive(Debug, Clone)]
pub(crate) enum Deadline {
    /// At an instant that stays.
    At(Instant),
    /// At one that moves while the call waits for results of tools.
    Movable(Arc<Mutex<Movable>>),
}

#[derive(Debug)]
pub(crate) struct Movable {
    at: Instant,
    paused: Option<Instant>,
}

impl Deadline {
    pub(crate) fn movable(at: Instant) -> Deadline {
        Deadline::Movable(Arc::new(Mutex::new(Movable { at, paused: None })))
    }

    /// Returns when it is, as far as is known now.
    fn at(&self) -> Instant {
        match self {
            Deadline::At(at) => *at,
            Deadline::Movable(movable) => {
                let movable = lock(movable);
                if movable.paused.is_some() { Instant::now() + LONG } else { movable.at }
            }
        }
    }

    /// Lets no time pass until it is resumed.
    pub(crate) fn pause(&self) {
        if let Deadline::Movable(movable) = self {
            lock(movable).paused.get_or_insert_with(Instant::now);
        }
    }

    pub(crate) fn resume(&self) {
        if let Deadline::Movable(movable) = self {
            let mut movable = lock(movable);
            if let Some(since) = movable.paused.take() {
                movable.at += since.elapsed();
            }
        }
    }

    /// Returns the deadline of what may follow it for a while.
    pub(crate) fn later(&self, by: Duration) -> Deadline {
        Deadline::At(self.at() + by)
    }
}

impl From<Instant> for Deadline {
    fn from(at: Instant) -> Deadline {
        Deadline::At(at)
    }
}

/// Returns the result of `work`, or `None` when the deadline comes first. The clock is looked at whenever the guest
/// yields, so a busy runtime, whose timers are late, does not make a job late.
pub(crate) async fn until<T>(deadline: &Deadline, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut armed = deadline.at();
    let mut timer = pin!(tokio::time::sleep_until(armed.into()));
    poll_fn(|context| {
        if let Poll::Ready(result) = work.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        loop {
            let at = deadline.at();
            if Instant::now() >= at {
                return Poll::Ready(None);
            }
            if matches!(deadline, Deadline::Movable(_)) && at != armed {
                armed = at;
                timer.as_mut().reset(at.into());
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if matches!(deadline, Deadline::At(_)) {
                return Poll::Ready(None);
            }
        }
    })
    .await
}

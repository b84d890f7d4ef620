//! Work that many wait for and that is done once.
//!
//! # Cancellation
//!
//! Work belongs to all who wait for it, and is polled by them: it goes on while any of them waits, whoever began it, and is
//! dropped with the last. What must not be cut off half-way is to be a task of its own.
//!
//! All who wait get the same result, errors too. Nothing is kept of it: who comes after the end begins anew.

use crate::{Error, Result, sync::lock};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex},
};
use tokio::sync::broadcast;

/// Steps that one who waits may lag behind; then it misses some.
const STEPS_KEPT: usize = 256;

/// Receives each step of some work. It must not block.
pub(crate) type StepSink<S> = Arc<dyn Fn(S) + Send + Sync>;

/// The step that work is at, and those that follow.
type StepStream<S> = (Option<S>, broadcast::Receiver<S>);

type SharedWork<T> = Shared<BoxFuture<'static, Result<T, Arc<Error>>>>;

/// Holds the work under way, by what it makes.
pub(crate) struct SingleFlight<K, T: Clone, S> {
    open: Mutex<HashMap<K, Flight<T, S>>>,
    lasts: fn(&S) -> bool,
}

struct Flight<T: Clone, S> {
    work: WeakShared<BoxFuture<'static, Result<T, Arc<Error>>>>,
    steps: Arc<Steps<S>>,
}

/// Passes steps on. One is noted and sent under one lock, so that nobody gets it twice or not at all.
struct Steps<S> {
    sender: broadcast::Sender<S>,
    now: Mutex<Option<S>>,
    lasts: fn(&S) -> bool,
}

impl<S: Clone> Steps<S> {
    fn send(&self, step: S) {
        let mut now = lock(&self.now);
        if (self.lasts)(&step) {
            *now = Some(step.clone());
        }
        // Whether anybody listens or not.
        let _ = self.sender.send(step);
    }

    fn subscribe(&self) -> StepStream<S> {
        let now = lock(&self.now);
        (now.clone(), self.sender.subscribe())
    }
}

impl<K, T, S> SingleFlight<K, T, S>
where
    K: Eq + Hash,
    T: Clone + Send + Sync + 'static,
    S: Clone + Send + 'static,
{
    /// Makes one without work; a step that `lasts` is sent first to those who come while it does.
    pub(crate) fn new(lasts: fn(&S) -> bool) -> SingleFlight<K, T, S> {
        SingleFlight { open: Mutex::default(), lasts }
    }

    /// Returns the result of the work called `key`, which `begin` starts unless it is under way.
    pub(crate) async fn join(
        &self,
        key: K,
        progress: &StepSink<S>,
        begin: impl FnOnce(StepSink<S>) -> BoxFuture<'static, Result<T>>,
    ) -> Result<T> {
        let (mut work, (now, mut steps)) = self.enter(key, begin);
        if let Some(step) = now {
            progress(step);
        }
        let mut steps_end = false;
        let ended = loop {
            tokio::select! {
                biased;
                step = steps.recv(), if !steps_end => match step {
                    Ok(step) => progress(step),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => steps_end = true,
                },
                ended = &mut work => break ended,
            }
        };
        while let Ok(step) = steps.try_recv() {
            progress(step);
        }
        ended.map_err(|error| Error::clone(&error))
    }

    fn enter(
        &self,
        key: K,
        begin: impl FnOnce(StepSink<S>) -> BoxFuture<'static, Result<T>>,
    ) -> (SharedWork<T>, StepStream<S>) {
        let mut open = lock(&self.open);
        if let Some(flight) = open.get(&key)
            && let Some(work) = flight.work.upgrade()
            // One that has ended is here only while someone takes its result.
            && work.peek().is_none()
        {
            return (work, flight.steps.subscribe());
        }
        open.retain(|_, flight| flight.work.upgrade().is_some());
        let sender = broadcast::Sender::new(STEPS_KEPT);
        let steps = Arc::new(Steps { sender, now: Mutex::default(), lasts: self.lasts });
        let stream = steps.subscribe();
        let sending = Arc::clone(&steps);
        let sink: StepSink<S> = Arc::new(move |step| sending.send(step));
        let work = begin(sink).map(|ended| ended.map_err(Arc::new)).boxed().shared();
        if let Some(weak) = work.downgrade() {
            open.insert(key, Flight { work: weak, steps });
        }
        (work, stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use std::time::Duration;

    type Sink = StepSink<Step>;

    #[derive(Debug, Clone, PartialEq)]
    enum Step {
        Copying,
        Line(&'static str),
    }

    fn flights<T: Clone + Send + Sync + 'static>() -> SingleFlight<&'static str, T, Step> {
        SingleFlight::new(|step| !matches!(step, Step::Line(_)))
    }

    fn silent() -> Sink {
        Arc::new(|_| ())
    }

    #[tokio::test]
    async fn work_is_done_once_and_the_first_who_waits_may_go_away() {
        let flights = flights::<u32>();
        let begun = Arc::new(AtomicU32::new(0));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let begin = |tell: Sink| {
            let begun = Arc::clone(&begun);
            async move {
                begun.fetch_add(1, Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
                tell(Step::Copying);
                Ok(7)
            }
            .boxed()
        };
        let quiet = silent();
        let mut first = Box::pin(flights.join("key", &quiet, begin));
        assert!(futures_util::poll!(&mut first).is_pending());
        let progress: Sink = {
            let heard = Arc::clone(&heard);
            Arc::new(move |step| heard.lock().expect("not poisoned").push(step))
        };
        let mut second = Box::pin(flights.join("key", &progress, begin));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        assert_eq!(second.await.expect("done"), 7);
        assert_eq!((begun.load(Relaxed), heard.lock().expect("not poisoned").as_slice()), (1, &[Step::Copying][..]));
        assert_eq!(flights.join("key", &quiet, begin).await.expect("done"), 7);
        assert_eq!(begun.load(Relaxed), 2);
    }

    #[tokio::test]
    async fn who_comes_later_hears_what_goes_on() {
        let flights = flights::<()>();
        let quiet = silent();
        let begin = |tell: Sink| {
            async move {
                tell(Step::Copying);
                tell(Step::Line("half of it"));
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok(())
            }
            .boxed()
        };
        let mut first = Box::pin(flights.join("key", &quiet, begin));
        assert!(futures_util::poll!(&mut first).is_pending());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&heard);
        let progress: Sink = Arc::new(move |step| sink.lock().expect("not poisoned").push(step));
        flights.join("key", &progress, begin).await.expect("done");
        assert_eq!(*heard.lock().expect("not poisoned"), [Step::Copying]);
        first.await.expect("done");
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_dropped() {
        let flights = flights::<()>();
        let held = Arc::new(());
        let quiet = silent();
        let work = Arc::clone(&held);
        let mut only = Box::pin(flights.join("key", &quiet, |_| {
            async move {
                std::future::pending::<()>().await;
                drop(work);
                Ok(())
            }
            .boxed()
        }));
        assert!(futures_util::poll!(&mut only).is_pending());
        assert_eq!(Arc::strong_count(&held), 2);
        drop(only);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

//! Work that many wait for and that is done once.

use crate::{Error, Result};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::broadcast;

/// Steps that one who waits may lag behind; then it misses some.
const STEPS_KEPT: usize = 256;

/// Says what happens before a job can run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// An image is fetched.
    Pulling {
        /// Its name.
        image: String,
    },
    /// Something outside of Docker, such as an installation.
    Phase(String),
    /// Packages are copied into a layer.
    Copying,
    /// A command runs in a build container.
    Running {
        /// The command.
        command: String,
    },
    /// Packages are installed in a build container, with their own code.
    Installing {
        /// Their names.
        packages: String,
    },
    /// A line of what it says, or of what the daemon says about a pull.
    Line(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Pulling { image } => write!(f, "pulling {image}"),
            Step::Phase(phase) => f.write_str(phase),
            Step::Copying => f.write_str("copying packages into a layer"),
            Step::Running { command } => write!(f, "running {command}"),
            Step::Installing { packages } => write!(f, "installing {packages} in a build container"),
            Step::Line(line) => f.write_str(line),
        }
    }
}

/// Is told each [`Step`], on a thread of the executor: it must not block.
pub type Progress = Arc<dyn Fn(Step) + Send + Sync>;

/// The step that work is at, and those that follow.
type Heard = (Option<Step>, broadcast::Receiver<Step>);

type Work<T> = BoxFuture<'static, Result<T, Arc<Error>>>;

/// Work under way, by what it makes. It goes on while anyone waits, and is dropped when nobody does. Nothing is kept of
/// what it came to.
pub(crate) struct Flights<T: Clone> {
    open: Mutex<HashMap<String, Flight<T>>>,
}

struct Flight<T: Clone> {
    work: WeakShared<Work<T>>,
    steps: Arc<Steps>,
}

/// Holds what is told, and what those are told first who come later. A step is noted and told under one lock, so that
/// nobody hears it twice or not at all.
struct Steps {
    sender: broadcast::Sender<Step>,
    now: Mutex<Option<Step>>,
}

impl Steps {
    fn tell(&self, step: Step) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(step, Step::Line(_)) {
            *now = Some(step.clone());
        }
        // Whether anybody listens or not.
        let _ = self.sender.send(step);
    }

    fn hear(&self) -> Heard {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        (now.clone(), self.sender.subscribe())
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    pub(crate) fn new() -> Flights<T> {
        Flights { open: Mutex::default() }
    }

    /// Returns the result of the work called `key`, which `begin` starts unless it is under way.
    pub(crate) async fn join(
        &self,
        key: &str,
        progress: &Progress,
        begin: impl FnOnce(Progress) -> BoxFuture<'static, Result<T>>,
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
        ended.map_err(|error| again(&error))
    }

    fn enter(
        &self,
        key: &str,
        begin: impl FnOnce(Progress) -> BoxFuture<'static, Result<T>>,
    ) -> (Shared<Work<T>>, Heard) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = open.get(key)
            && let Some(work) = flight.work.upgrade()
            // One that has ended is here only while someone takes what it came to.
            && work.peek().is_none()
        {
            return (work, flight.steps.hear());
        }
        open.retain(|_, flight| flight.work.upgrade().is_some());
        let steps = Arc::new(Steps { sender: broadcast::Sender::new(STEPS_KEPT), now: Mutex::default() });
        let heard = steps.hear();
        let teller = Arc::clone(&steps);
        let tell: Progress = Arc::new(move |step| teller.tell(step));
        let work = begin(tell).map(|ended| ended.map_err(Arc::new)).boxed().shared();
        if let Some(weak) = work.downgrade() {
            open.insert(key.to_owned(), Flight { work: weak, steps });
        }
        (work, heard)
    }
}

/// Copies an error; its cause is in its message.
fn again(error: &Error) -> Error {
    match error {
        Error::InvalidJob { message, exit_code } => {
            Error::InvalidJob { message: message.clone(), exit_code: *exit_code }
        }
        Error::Unavailable { message, .. } => Error::unavailable(message.clone()),
        Error::InvalidSettings { problems } => Error::InvalidSettings { problems: problems.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use std::time::Duration;

    fn silent() -> Progress {
        Arc::new(|_| ())
    }

    #[tokio::test]
    async fn work_is_done_once_and_the_first_who_waits_may_go_away() {
        let flights = Flights::<u32>::new();
        let begun = Arc::new(AtomicU32::new(0));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let begin = |tell: Progress| {
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
        let progress: Progress = {
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
        let flights = Flights::<()>::new();
        let quiet = silent();
        let begin = |tell: Progress| {
            async move {
                tell(Step::Copying);
                tell(Step::Line("half of it".to_owned()));
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok(())
            }
            .boxed()
        };
        let mut first = Box::pin(flights.join("key", &quiet, begin));
        assert!(futures_util::poll!(&mut first).is_pending());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&heard);
        let progress: Progress = Arc::new(move |step| sink.lock().expect("not poisoned").push(step));
        flights.join("key", &progress, begin).await.expect("done");
        assert_eq!(*heard.lock().expect("not poisoned"), [Step::Copying]);
        first.await.expect("done");
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_dropped() {
        let flights = Flights::<()>::new();
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

//! Work that blocks, away from the threads that drive jobs and answer requests.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Does work on a thread for it. The work goes on when the future is dropped, and should be bounded, or look at a [`Wanted`].
///
/// # Errors
///
/// When the work panicked, or the runtime is shutting down.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
}

/// Does work that nobody waits for: on a thread for it where there is a runtime, else here.
pub(crate) fn detached(work: impl FnOnce() + Send + 'static) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(work)),
        Err(_) => work(),
    }
}

/// Tells work on another thread that it is still wanted: until this is dropped.
#[derive(Debug)]
pub(crate) struct Wanted(Arc<AtomicBool>);

/// Sees whether work is still wanted.
#[derive(Debug, Clone)]
pub(crate) struct StillWanted(Arc<AtomicBool>);

impl Wanted {
    pub(crate) fn new() -> (Wanted, StillWanted) {
        let given_up = Arc::new(AtomicBool::new(false));
        (Wanted(Arc::clone(&given_up)), StillWanted(given_up))
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl StillWanted {
    /// Returns one for work that is always wanted.
    pub(crate) fn always() -> StillWanted {
        StillWanted(Arc::default())
    }

    /// Fails when the work is not wanted any more.
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.0.load(Ordering::Relaxed) {
            true => Err(io::Error::other("it is not wanted any more")),
            false => Ok(()),
        }
    }
}

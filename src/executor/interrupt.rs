//! A way to have a call raise `KeyboardInterrupt`, and to wait for what one waits for no longer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::Notify;

/// Interrupts one call, from any thread, from before it begins until it has ended. Clones interrupt the same one.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether the guest is still to be told.
    pending: AtomicBool,
    was_asked: AtomicBool,
    wakes: Notify,
}

impl Interrupt {
    /// Has the call raise `KeyboardInterrupt` at its next bytecode; after its end it does nothing.
    pub fn ask(&self) {
        self.0.was_asked.store(true, Ordering::Release);
        self.raise();
    }

    /// Has the guest see an interrupt that nobody has asked for: the end of its time.
    pub(crate) fn raise(&self) {
        self.0.pending.store(true, Ordering::Release);
        self.0.wakes.notify_waiters();
    }

    /// Takes the request, if there is one that nobody has taken.
    pub(crate) fn take(&self) -> bool {
        // Looked at often, and seldom set.
        self.0.pending.load(Ordering::Acquire) && self.0.pending.swap(false, Ordering::AcqRel)
    }

    /// Returns whether the call was ever interrupted.
    pub(crate) fn was_asked(&self) -> bool {
        self.0.was_asked.load(Ordering::Acquire)
    }

    /// Waits for a request that nobody has taken, and leaves it there.
    pub(crate) async fn asked(&self) {
        loop {
            let woken = self.0.wakes.notified();
            if self.0.pending.load(Ordering::Acquire) {
                return;
            }
            woken.await;
        }
    }
}

//! A way to have a running call raise `KeyboardInterrupt`, and to wait for what one waits for no longer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::Notify;

/// Interrupts the call that a session is in, from any thread. Clones interrupt the same one.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    asked: AtomicBool,
    wakes: Notify,
}

impl Interrupt {
    /// Has the present call raise `KeyboardInterrupt` at its next bytecode; between calls it does nothing.
    pub fn ask(&self) {
        self.0.asked.store(true, Ordering::Release);
        self.0.wakes.notify_waiters();
    }

    /// Takes the request, if there is one.
    pub(crate) fn take(&self) -> bool {
        // Looked at often, and seldom set.
        self.0.asked.load(Ordering::Acquire) && self.0.asked.swap(false, Ordering::AcqRel)
    }

    /// Forgets a request that came too late for the call before.
    pub(crate) fn forget(&self) {
        self.0.asked.store(false, Ordering::Release);
    }

    /// Waits for a request, which stays one.
    pub(crate) async fn asked(&self) {
        loop {
            let woken = self.0.wakes.notified();
            if self.0.asked.load(Ordering::Acquire) {
                return;
            }
            woken.await;
        }
    }
}

//! Ctrl-C, or another wish for an end, while something goes on.

use super::{Failure, Result};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;

/// Waits until this process is asked to end, by Ctrl-C or SIGTERM; returns its exit code then.
pub(crate) async fn interrupted() -> u8 {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => INTERRUPTED,
        () = terminated => TERMINATED,
    }
}

/// Does `work` on another thread. `None` when Ctrl-C came first; the work is then left to end with the process.
pub(crate) fn interruptible<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<Option<T>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Fault(format!("cannot start a runtime: {e}")))?;
    let done: Result<_> = runtime.block_on(async {
        // Before the work starts: whoever sees what it prints may interrupt it.
        let mut interrupts =
            signal(SignalKind::interrupt()).map_err(|e| Failure::Fault(format!("cannot handle signals: {e}")))?;
        let work = tokio::task::spawn_blocking(work);
        Ok(tokio::select! {
            done = work => Some(done),
            _ = interrupts.recv() => None,
        })
    });
    runtime.shutdown_background();
    done?.transpose().map_err(|e| Failure::Fault(format!("pyexec crashed: {e}")))
}

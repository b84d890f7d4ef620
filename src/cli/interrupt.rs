//! Ctrl-C while something blocks.

use super::{Failure, Result};

pub(crate) const INTERRUPTED: u8 = 130;

/// Does `work` on another thread. `None` when Ctrl-C came first; the work is then left to end with the process.
pub(crate) fn interruptible<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<Option<T>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Fault(format!("cannot start a runtime: {e}")))?;
    let done = runtime.block_on(async {
        let work = tokio::task::spawn_blocking(work);
        tokio::select! {
            done = work => Some(done),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    runtime.shutdown_background();
    done.transpose().map_err(|e| Failure::Fault(format!("pyexec crashed: {e}")))
}

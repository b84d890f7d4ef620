//! Which sessions stay in memory.

use super::Sessions;
use crate::{Error, Result, sync::lock};
use std::sync::Arc;

impl Sessions {
    /// Makes room for one more session in memory: those idle for longest go to disk.
    ///
    /// # Errors
    ///
    /// When all of them are in calls.
    pub(super) async fn make_room(&self) -> Result<()> {
        let live_max = self.shared.options.live_max;
        loop {
            let mut live: Vec<_> =
                lock(&self.shared.entries).values().filter(|entry| entry.is_live()).map(Arc::clone).collect();
            if live.len() < live_max {
                return Ok(());
            }
            live.sort_by_key(|entry| entry.last_used());
            let mut left = live.len();
            for entry in live {
                if entry.leave_memory().await {
                    left -= 1;
                    if left < live_max {
                        break;
                    }
                }
            }
            if left >= live_max {
                return Err(Error::busy(format!(
                    "all {live_max} sessions that may be in memory are in calls: try again when one of them has ended"
                )));
            }
        }
    }
}

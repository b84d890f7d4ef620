//! What sessions there may be: in memory, of an owner, and on disk.

use super::{Sessions, entry::Entry, keep};
use crate::{Error, Result, outcome::Tier, sync::lock};
use std::{sync::Arc, time::Duration};
use tokio::sync::OwnedSemaphorePermit;

/// Containers that were idle for as long end: their calls run again when they are needed.
const CONTAINERS_END_AFTER: Duration = Duration::from_secs(1800);

/// Counts a session that is being made.
pub(super) struct Reserved<'a> {
    sessions: &'a Sessions,
    owner: String,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let mut making = lock(&self.sessions.shared.making);
        if let Some(count) = making.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                making.remove(&self.owner);
            }
        }
    }
}

/// Counts a call of an owner while it has a place in memory.
pub(super) struct InUse<'a> {
    sessions: &'a Sessions,
    owner: String,
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        let mut in_use = lock(&self.sessions.shared.in_use);
        if let Some(count) = in_use.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                in_use.remove(&self.owner);
            }
        }
    }
}

impl Sessions {
    /// Counts one more call of an owner, until it has ended. One owner has half of the places, so that others always find
    /// one, however long calls wait for their tools.
    ///
    /// # Errors
    ///
    /// When there are as many as one may have.
    pub(super) fn use_place(&self, owner: &str) -> Result<InUse<'_>> {
        // Sessions that are made for single evaluations are those of the same one.
        let owner = owner.split('\0').next().unwrap_or_default();
        let most = self.shared.options.live_max.div_ceil(2);
        let mut in_use = lock(&self.shared.in_use);
        let count = in_use.get(owner).copied().unwrap_or_default();
        if count >= most {
            return Err(Error::busy(format!(
                "{count} sessions of this owner are in use, as many as may be at once: try again when a call has ended"
            )));
        }
        in_use.insert(owner.to_owned(), count + 1);
        Ok(InUse { sessions: self, owner: owner.to_owned() })
    }

    /// Takes a place in memory: those idle for longest go to disk to make room.
    ///
    /// # Errors
    ///
    /// When all of them are in use.
    pub(super) async fn room(&self) -> Result<OwnedSemaphorePermit> {
        let places = &self.shared.places;
        let idle = keep::container_idle();
        loop {
            if let Ok(permit) = Arc::clone(places).try_acquire_owned() {
                return Ok(permit);
            }
            let mut live: Vec<Arc<Entry>> =
                lock(&self.shared.entries).values().filter(|entry| entry.is_live()).map(Arc::clone).collect();
            live.sort_by_key(|entry| entry.last_used());
            let mut has_left = false;
            for tier in [Tier::Wasm, Tier::Docker] {
                for entry in &live {
                    if !has_left {
                        has_left = entry.leave_memory(tier, idle).await;
                    }
                }
            }
            if !has_left && places.available_permits() == 0 {
                return Err(Error::busy(format!(
                    "all {} sessions that may be in memory are in use: try again when one of them is idle",
                    self.shared.options.live_max
                )));
            }
        }
    }

    /// Ends containers that were idle for long.
    pub(super) async fn end_idle_containers(&self) {
        let live: Vec<_> = lock(&self.shared.entries).values().filter(|entry| entry.is_live()).cloned().collect();
        for entry in live {
            entry.leave_memory(Tier::Docker, CONTAINERS_END_AFTER).await;
        }
    }

    /// Counts one more session of an owner, until it is made.
    ///
    /// # Errors
    ///
    /// When there are as many as one may have.
    pub(super) fn reserve(&self, owner: &str) -> Result<Reserved<'_>> {
        let entries = lock(&self.shared.entries);
        let mut making = lock(&self.shared.making);
        let owned = entries.values().filter(|entry| entry.owner() == owner).count();
        let count = making.get(owner).copied().unwrap_or_default();
        if owned + count >= self.shared.options.owner_max {
            return Err(Error::busy(format!(
                "there are {owned} sessions, as many as one owner may have: remove some that are no longer used"
            )));
        }
        making.insert(owner.to_owned(), count + 1);
        Ok(Reserved { sessions: self, owner: owner.to_owned() })
    }

    /// Checks that the sessions of an owner may take more bytes on disk.
    ///
    /// # Errors
    ///
    /// When they take too many.
    pub(super) async fn check_disk(&self, owner: &str, more: u64) -> Result<()> {
        let entries: Vec<_> = lock(&self.shared.entries).values().filter(|it| it.owner() == owner).cloned().collect();
        let mut bytes = more;
        for entry in entries {
            bytes = bytes.saturating_add(entry.disk_bytes().await);
        }
        let most = self.shared.options.owner_bytes_max;
        if bytes > most {
            return Err(Error::busy(format!(
                "the sessions of this owner would take {bytes} bytes on disk, and may take {most}: remove some, or states \
                 that they keep"
            )));
        }
        Ok(())
    }
}

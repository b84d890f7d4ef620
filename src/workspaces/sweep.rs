//! What goes by itself: workspaces that nobody uses, and what a process left that died.

use super::{Result, Workspaces, fault};
use crate::sync::lock;
use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

/// After this, what no index names is no upload that goes on.
const UPLOAD_PAUSE_MAX: Duration = Duration::from_secs(3600);

impl Workspaces {
    /// Removes workspaces whose time is over, and what no workspace has. It is to be called now and then.
    ///
    /// # Errors
    ///
    /// When the storage cannot be listed.
    pub async fn sweep(&self) -> Result<()> {
        self.sweep_older(UPLOAD_PAUSE_MAX).await
    }

    /// Removes the same, and of unfinished uploads those that were not written to for so long.
    pub(super) async fn sweep_older(&self, pause: Duration) -> Result<()> {
        let opened = self.opened().await?;
        for id in opened.storage.ids().await.map_err(|error| fault("cannot list workspaces", error))? {
            if let Err(error) = self.sweep_one(&id, pause).await {
                tracing::warn!(%id, %error, "a workspace cannot be swept");
            }
        }
        Ok(())
    }

    async fn sweep_one(&self, id: &str, pause: Duration) -> Result<()> {
        let _locked = self.lock(id).await?;
        let opened = self.opened().await?;
        let index = opened.load(id).await?;
        if index.is_some() {
            // Another process may have used it.
            let used = opened.storage.used(id).await.map_err(|error| fault("cannot read a workspace", error))?;
            let is_over = lock(&opened.known).get_mut(id).is_some_and(|summary| {
                summary.used = used.map_or(summary.used, |used| used.max(summary.used));
                self.is_over(summary)
            });
            if is_over {
                return self.delete_whole(opened, id, index).await;
            }
        }
        let mut named: BTreeSet<&str> =
            index.iter().flat_map(|index| index.files.values()).map(|stored| stored.object.as_str()).collect();
        if index.is_some() {
            named.extend(["index.json", "used"]);
        }
        let before = SystemTime::now().checked_sub(pause).unwrap_or(SystemTime::UNIX_EPOCH);
        let keep = |name: &str| named.contains(name) || self.shared.pins.has(name);
        let swept = opened.storage.delete_others(id, before, keep).await;
        swept.map_err(|error| fault("cannot list the files of a workspace", error))
    }
}

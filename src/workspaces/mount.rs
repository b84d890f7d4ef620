//! A job's part in a workspace: its files when it starts, and what it has changed when it ends.

use super::{Change, Opened, Result, WorkspaceError, Workspaces, Writer, checked, index::Index, pins::Pinned};
use crate::{Error, Job, Outcome, Project, outcome::OutputFile};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What a file takes on a disk beyond its content, in a container.
const BLOCK_BYTES: u64 = 4096;
/// Files of which it is said that they were not kept.
const NOT_KEPT_MAX: usize = 100;

/// What became of a workspace in which a job ran.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceChanges {
    /// Its id.
    #[schema(pattern = "^[A-Za-z0-9_-]{21}$")]
    pub id: String,
    /// How many files are new or have another content.
    pub written: u64,
    /// How many files are gone.
    pub deleted: u64,
    /// Changes that were not kept, and why; at most 100 of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub not_kept: Vec<NotKept>,
}

/// A change that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotKept {
    /// Of the file; absent when it is about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Why not.
    pub reason: String,
}

/// A workspace that a job runs in.
pub(crate) struct Mounted {
    workspaces: Workspaces,
    owner: String,
    id: String,
}

impl std::fmt::Debug for Mounted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mounted({})", self.id)
    }
}

impl Workspaces {
    /// Gives a job the files of the workspace that it names, beside its own, which win, and what is left of the quota as its
    /// disk.
    pub(crate) async fn mount(&self, mut job: Job) -> crate::Result<Job> {
        let Some((owner, id)) = job.workspace.take() else { return Ok(job) };
        let (opened, index, pinned) = match self.snapshot(&owner, &id, None).await {
            Err(WorkspaceError::NotFound) => {
                return Err(Error::invalid(format!("workspace: {}", WorkspaceError::NotFound)));
            }
            found => found?,
        };
        self.touch(opened, &id).await;
        // Its own script before one that lies in the workspace.
        if job.entrypoint.is_none() {
            job.entrypoint = job.project.entrypoint(None).ok();
        }
        let (own_bytes, own_files) = job.project.size();
        let (bytes, files) = index.size();
        // What the job brings is its own matter; what is there has its place already.
        let room = self.room(opened, &id, &owner, &index);
        let rounding = BLOCK_BYTES.saturating_mul(own_files.saturating_add(files).saturating_add(1));
        let most = bytes.saturating_add(room).saturating_add(own_bytes).saturating_add(rounding);
        job.limits.disk_bytes = job.limits.disk_bytes.min(most);
        let base = project(opened, &id, &index, pinned)?;
        job.project = job.project.over(base)?;
        job.containers.workspace = Some(Arc::new(Mounted { workspaces: self.clone(), owner, id }));
        Ok(job)
    }
}

impl Mounted {
    /// Keeps what a job has changed, one file after the other as far as there is room, and says in the outcome what came of
    /// that. Of several jobs in one workspace the last to end wins, file by file.
    pub(crate) async fn keep(&self, outcome: &mut Outcome) {
        let mut changes = WorkspaceChanges { id: self.id.clone(), ..WorkspaceChanges::default() };
        for path in outcome.uncollected.drain(..) {
            changes.refuse(Some(path), "it is larger than what comes back of one job");
        }
        let kept = self.try_keep(&outcome.files, &outcome.deleted_files, &mut changes).await;
        if let Err(error) = kept {
            tracing::warn!(%error, id = %self.id, "what a job has changed in its workspace is not kept");
            (changes.written, changes.deleted) = (0, 0);
            let reason = match error {
                WorkspaceError::Unavailable(_) => "the server cannot keep it now; its log says why".to_owned(),
                error => error.to_string(),
            };
            changes.refuse(None, reason);
        }
        outcome.workspace = Some(changes);
    }

    async fn try_keep(&self, files: &[OutputFile], deleted: &[String], changes: &mut WorkspaceChanges) -> Result<()> {
        let Mounted { workspaces, owner, id } = self;
        let (opened, mut index) = workspaces.index(owner, id).await?;
        workspaces.touch(opened, id).await;
        let deleted: Vec<String> = deleted.iter().filter(|path| index.files.contains_key(*path)).cloned().collect();
        let mut change = Change { deleted: deleted.clone(), ..Change::default() };
        // As it will be, so that each file that does not fit can be named.
        let _ = index.apply(Change { deleted, ..Change::default() });
        let files_max = workspaces.shared.options.files_max;
        let mut room = workspaces.room(opened, id, owner, &index);
        for file in files {
            // What is in `/tmp` is the job's own.
            if file.path.starts_with('/') {
                continue;
            }
            let path = match checked(&file.path) {
                Ok(path) => path,
                Err(error) => {
                    changes.refuse(Some(file.path.clone()), error.to_string());
                    continue;
                }
            };
            if let Err(reason) = index.admit(&path) {
                changes.refuse(Some(path), reason);
                continue;
            }
            let replaced = index.files.get(&path).map(|stored| stored.bytes);
            let bytes = file.content.len() as u64;
            let Some(left) = room.saturating_add(replaced.unwrap_or_default()).checked_sub(bytes) else {
                changes.refuse(Some(path), "there is no room for it in the quota (workspace_mb, workspaces_mb)");
                continue;
            };
            if replaced.is_none() && index.files.len() as u64 >= files_max {
                changes.refuse(Some(path), "the workspace has as many files as it may have (workspace_files)");
                continue;
            }
            let mut writer = Writer::new(&opened.storage, id)?;
            writer.write(&file.content).await?;
            let stored = writer.finish().await?;
            room = left;
            index.files.insert(path.clone(), stored.clone());
            change.files.insert(path, stored);
        }
        if change.files.is_empty() && change.deleted.is_empty() {
            return Ok(());
        }
        (changes.written, changes.deleted) = (change.files.len() as u64, change.deleted.len() as u64);
        workspaces.change(owner, id, change).await.map(drop)
    }
}

impl WorkspaceChanges {
    fn refuse(&mut self, path: Option<String>, reason: impl Into<String>) {
        if self.not_kept.len() < NOT_KEPT_MAX {
            self.not_kept.push(NotKept { path, reason: reason.into() });
        }
    }
}

/// Makes a project of the files of a workspace, which stay as they are for as long as it is there.
pub(super) fn project(opened: &Opened, id: &str, index: &Index, pinned: Pinned) -> crate::Result<Project> {
    let on_disk = |stored: &super::Stored| opened.storage.path(id, &stored.object);
    let files = index.files.iter().map(|(path, stored)| (path.clone(), on_disk(stored), stored.bytes));
    Project::on_disk(files, Arc::new(pinned))
}

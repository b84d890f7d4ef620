//! Conversations: interpreters that live on between calls, with their files, kept on disk.
//!
//! `entry` is one session and its calls: it is live (in memory), or frozen (in its folder), and every call that was answered is
//! written down in its `journal`, so that a session outlives its process. `record` is what is known of it, `folder` where all of
//! that is, `place` what its code takes to run, and `budget` which sessions stay in memory. `stream` is a call as what happens in
//! it, for those who read slowly as well.

mod budget;
mod entry;
mod folder;
mod journal;
mod place;
mod record;
mod stream;
mod turn;

pub use entry::CallEnd;
pub use record::{Moved, SessionInfo, SessionState};
pub use stream::{CallEvent, CallEvents};

use crate::{
    Error, Job, Limits, Pyexec, Result, Stdin,
    executor::{Observer, Question, SessionFile, ToolPort},
    outcome::JsonText,
    sync::lock,
};
use bytes::Bytes;
use entry::Entry;
use folder::Folder;
use record::{Definition, Record};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

/// Separates two looks for sessions that have expired.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Settings of [`Sessions`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionsOptions {
    /// Where sessions are kept; `None` is a temporary folder, which goes with them.
    pub folder: Option<PathBuf>,
    /// Sessions in memory at the same time; the one that was idle for longest is frozen to make room.
    pub live_max: usize,
    /// Sessions that one owner may have, frozen ones included.
    pub owner_max: usize,
    /// How long a session is kept after its last use.
    pub time_to_live: Duration,
    /// How long a session waits after a call before its state is written down.
    pub freeze_after: Duration,
}

impl Default for SessionsOptions {
    fn default() -> SessionsOptions {
        SessionsOptions {
            folder: None,
            live_max: 64,
            owner_max: 1000,
            time_to_live: Duration::from_secs(24 * 3600),
            freeze_after: Duration::from_millis(250),
        }
    }
}

/// A cell, with all that it gets.
#[derive(Debug)]
pub struct Cell {
    pub(crate) code: Bytes,
    pub(crate) stdin: Bytes,
    pub(crate) limits: Option<Limits>,
    pub(crate) tools: Option<ToolPort>,
}

impl Cell {
    /// Runs code, whose last expression is the value.
    pub fn new(code: impl Into<Bytes>) -> Cell {
        Cell { code: code.into(), stdin: Bytes::new(), limits: None, tools: None }
    }

    /// Sets the standard input.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Bytes>) -> Cell {
        self.stdin = stdin.into();
        self
    }

    /// Sets time, CPU and output of this call; the session has its memory and disk.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Cell {
        self.limits = Some(limits);
        self
    }

    /// Lets it call functions of the host.
    #[must_use]
    pub fn tools(mut self, tools: ToolPort) -> Cell {
        self.tools = Some(tools);
        self
    }
}

/// Keeps sessions, and runs their calls. Cloning is cheap, and all clones have the same sessions.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> pyexec::Result<()> {
/// use pyexec::{Job, Pyexec, sessions::{Cell, Sessions, SessionsOptions}};
///
/// let sessions = Sessions::open(Pyexec::new()?, SessionsOptions::default())?;
/// let session = sessions.create("me", Job::session()).await?;
/// sessions.call("me", &session.id, Cell::new("x = 20")).await?;
/// let end = sessions.call("me", &session.id, Cell::new("x + 1")).await?;
/// assert_eq!(end.outcome.result.as_deref(), Some("21"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sessions {
    shared: Arc<Shared>,
}

struct Shared {
    pyexec: Pyexec,
    options: SessionsOptions,
    folder: Folder,
    entries: Mutex<HashMap<String, Arc<Entry>>>,
}

impl Sessions {
    /// Opens the sessions in a folder, those from before included. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used, or another process has its sessions open.
    pub fn open(pyexec: Pyexec, options: SessionsOptions) -> Result<Sessions> {
        let folder = Folder::open(options.folder.as_deref())?;
        let entries = folder.sessions().into_iter().map(|entry| (entry.id().to_owned(), Arc::new(entry))).collect();
        let shared = Arc::new(Shared { pyexec, options, folder, entries: Mutex::new(entries) });
        let weak = Arc::downgrade(&shared);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(SWEEP_EVERY).await;
                let Some(shared) = weak.upgrade() else { return };
                Sessions { shared }.sweep().await;
            }
        });
        Ok(Sessions { shared })
    }

    /// Makes a session for what a job would get: its files, variables, limits, packages. It has no code yet.
    ///
    /// # Errors
    ///
    /// When what it asks for cannot be, or its owner has too many sessions.
    pub async fn create(&self, owner: &str, job: Job) -> Result<SessionInfo> {
        let owned = lock(&self.shared.entries).values().filter(|entry| entry.owner() == owner).count();
        if owned >= self.shared.options.owner_max {
            return Err(Error::invalid(format!(
                "there are {owned} sessions, as many as one owner may have: remove some that are no longer used"
            )));
        }
        let project = job.project.clone();
        project.fits(&job.limits)?;
        let record = Record::new(owner, Definition::of(&job), self.shared.options.time_to_live);
        // What no call could have is refused now.
        self.shared.pyexec.plan(record.job_for(&Bytes::new())?).await.map_err(Error::of_job)?;
        let entry = Arc::new(self.shared.folder.create(record, &project).await?);
        let info = entry.info().await;
        lock(&self.shared.entries).insert(entry.id().to_owned(), entry);
        Ok(info)
    }

    /// Runs a cell in a session. Calls of one session run one after the other. When the future is dropped, the call is
    /// interrupted.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or the service is at fault. Code that fails is an
    /// [`Outcome`](crate::Outcome).
    pub async fn call(&self, owner: &str, id: &str, cell: Cell) -> Result<CallEnd> {
        self.call_observed(owner, id, cell, |_: crate::Event<'_>| ()).await
    }

    /// Runs a cell like [`Sessions::call`], and tells `observer` what happens, as it happens.
    ///
    /// # Errors
    ///
    /// As for [`Sessions::call`].
    pub async fn call_observed(&self, owner: &str, id: &str, cell: Cell, observer: impl Observer) -> Result<CallEnd> {
        let entry = self.entry(owner, id)?;
        entry::call(self.clone(), entry, cell, Box::new(observer)).await
    }

    /// Interrupts the call that a session is in, if it is in one.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner.
    pub fn interrupt(&self, owner: &str, id: &str) -> Result<()> {
        self.entry(owner, id)?.interrupt();
        Ok(())
    }

    /// Answers a question about what a session has.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or it does not answer.
    pub async fn ask(&self, owner: &str, id: &str, question: Question) -> Result<JsonText> {
        let entry = self.entry(owner, id)?;
        entry.ask(self, question).await
    }

    /// Returns what is known of a session.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner.
    pub async fn info(&self, owner: &str, id: &str) -> Result<SessionInfo> {
        Ok(self.entry(owner, id)?.info().await)
    }

    /// Lists the sessions of an owner, the one used last first.
    pub async fn list(&self, owner: &str) -> Vec<SessionInfo> {
        let entries: Vec<_> = lock(&self.shared.entries).values().filter(|it| it.owner() == owner).cloned().collect();
        let mut infos = Vec::with_capacity(entries.len());
        for entry in entries {
            infos.push(entry.info().await);
        }
        infos.sort_by_key(|info| std::cmp::Reverse(info.last_used));
        infos
    }

    /// Ends a session, and removes all of it.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or it cannot be removed.
    pub async fn remove(&self, owner: &str, id: &str) -> Result<()> {
        let entry = self.entry(owner, id)?;
        lock(&self.shared.entries).remove(id);
        entry.interrupt();
        entry.remove().await
    }

    /// Makes another session that goes on where this one is.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or it cannot be copied.
    pub async fn fork(&self, owner: &str, id: &str) -> Result<SessionInfo> {
        let entry = self.entry(owner, id)?;
        let fork = Arc::new(entry.fork(self).await?);
        let info = fork.info().await;
        lock(&self.shared.entries).insert(fork.id().to_owned(), fork);
        Ok(info)
    }

    /// Keeps the present state of a session under a name, in place of what had this name.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, it has too many, or its state cannot be kept.
    pub async fn checkpoint(&self, owner: &str, id: &str, name: &str) -> Result<()> {
        self.entry(owner, id)?.checkpoint(name).await
    }

    /// Goes back to what is kept under a name.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or nothing under this name.
    pub async fn roll_back(&self, owner: &str, id: &str, name: &str) -> Result<SessionInfo> {
        let entry = self.entry(owner, id)?;
        entry.roll_back(name).await?;
        Ok(entry.info().await)
    }

    /// Lists the names under which states of a session are kept.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner.
    pub fn checkpoints(&self, owner: &str, id: &str) -> Result<Vec<String>> {
        Ok(self.entry(owner, id)?.checkpoints())
    }

    /// Lists the files of a session.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner.
    pub async fn files(&self, owner: &str, id: &str) -> Result<Vec<SessionFile>> {
        let entry = self.entry(owner, id)?;
        entry.with_live(self, |session| session.list_files()).await
    }

    /// Reads a file of a session.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or no such file.
    pub async fn read_file(&self, owner: &str, id: &str, path: &str) -> Result<Bytes> {
        let (entry, path) = (self.entry(owner, id)?, path.to_owned());
        entry.with_live(self, |session| Box::pin(async move { session.read_file(&path).await })).await
    }

    /// Writes a file of a session.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or its disk is full.
    pub async fn write_file(&self, owner: &str, id: &str, path: &str, content: Bytes) -> Result<()> {
        let (entry, path) = (self.entry(owner, id)?, path.to_owned());
        entry.with_live(self, |session| Box::pin(async move { session.write_file(&path, content).await })).await
    }

    /// Removes a file of a session.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or no such file.
    pub async fn remove_file(&self, owner: &str, id: &str, path: &str) -> Result<()> {
        let (entry, path) = (self.entry(owner, id)?, path.to_owned());
        entry.with_live(self, |session| Box::pin(async move { session.remove_file(&path).await })).await
    }

    /// Writes down what is only in memory, for an end of the process in order.
    pub async fn freeze_all(&self) {
        let entries: Vec<_> = lock(&self.shared.entries).values().cloned().collect();
        for entry in entries {
            entry.interrupt();
            entry.write_down().await;
        }
    }

    /// Removes sessions whose time is over.
    async fn sweep(&self) {
        let now = SystemTime::now();
        let entries: Vec<_> = lock(&self.shared.entries).values().cloned().collect();
        for entry in entries {
            if entry.expires() > now {
                continue;
            }
            lock(&self.shared.entries).remove(entry.id());
            if let Err(error) = entry.remove().await {
                tracing::warn!(session = entry.id(), %error, "a session whose time is over cannot be removed");
            }
        }
    }

    /// Finds a session: one of somebody else is not there.
    fn entry(&self, owner: &str, id: &str) -> Result<Arc<Entry>> {
        let found = lock(&self.shared.entries).get(id).filter(|entry| entry.owner() == owner).cloned();
        found.ok_or_else(|| Error::not_found(format!("there is no session {id:?}, or no longer")))
    }

    pub(crate) fn pyexec(&self) -> &Pyexec {
        &self.shared.pyexec
    }
}

impl Stdin {
    fn of(bytes: &Bytes) -> Stdin {
        if bytes.is_empty() { Stdin::Empty } else { Stdin::Bytes(bytes.clone()) }
    }
}

//! Conversations: interpreters that live on between calls, with their files, kept on disk.
//!
//! `entry` is one session and its calls: it is live (in memory), or kept (in its folder, `keep`), and every call that was
//! answered is written down in its `journal`, so that a session outlives its process (`restore`). `record` is what is known of it,
//! `folder` where all of that is, `tree` its files at a moment, `place` what its code takes to run, and `budget` how many there
//! may be. `stream` is a call as what happens in it, for those who read slowly as well.

mod budget;
mod entry;
mod folder;
mod journal;
mod keep;
mod place;
mod record;
mod restore;
mod stream;
mod tree;
mod turn;

pub use entry::CallEnd;
pub use record::{Moved, Restored, SessionInfo, SessionState};
pub use stream::{CallEvent, CallEvents};

use crate::{
    Error, Job, Limits, Pyexec, Result, Stdin,
    executor::{Observer, Question, Session, SessionFile, ToolPort},
    outcome::JsonText,
    sync::lock,
};
use bytes::Bytes;
use entry::{Between, Entry};
use folder::Folder;
use futures_util::{StreamExt, future::BoxFuture};
use record::{Definition, Record};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::sync::Semaphore;

/// Separates two looks for sessions that have expired.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Sessions that are written down at the same time when all are closed.
const CLOSED_TOGETHER: usize = 8;

/// Settings of [`Sessions`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionsOptions {
    /// Where sessions are kept; `None` is a temporary folder, which goes with them.
    pub folder: Option<PathBuf>,
    /// Sessions in memory at the same time; the one that was idle for longest is frozen to make room. One owner may use half
    /// of them at once.
    pub live_max: usize,
    /// Sessions that one owner may have, frozen ones included.
    pub owner_max: usize,
    /// Bytes on disk of the sessions of one owner, past which there are no new ones, copies, kept states and files from
    /// outside; what their own code writes is bounded by the disk of each.
    pub owner_bytes_max: u64,
    /// How long a session is kept after its last use.
    pub time_to_live: Duration,
    /// How long a session waits after a call before its state is written down.
    pub freeze_after: Duration,
    /// How long calls of a session may run again, all together, for one that brings it back or moves it.
    pub replay_time: Duration,
}

impl Default for SessionsOptions {
    fn default() -> SessionsOptions {
        SessionsOptions {
            folder: None,
            live_max: 64,
            owner_max: 1000,
            owner_bytes_max: 64 << 30,
            time_to_live: Duration::from_secs(24 * 3600),
            freeze_after: Duration::from_millis(250),
            replay_time: Duration::from_secs(300),
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
    /// Sessions that are being made, by owner.
    making: Mutex<HashMap<String, usize>>,
    /// Calls that are under way, by owner.
    in_use: Mutex<HashMap<String, usize>>,
    /// One for each session in memory.
    places: Arc<Semaphore>,
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
        let places = Arc::new(Semaphore::new(options.live_max.clamp(1, Semaphore::MAX_PERMITS)));
        let (entries, making) = (Mutex::new(entries), Mutex::default());
        let shared = Arc::new(Shared { pyexec, options, folder, entries, making, in_use: Mutex::default(), places });
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
        let project = job.project.clone();
        project.fits(&job.limits)?;
        let record = Record::new(owner, Definition::of(&job), self.shared.options.time_to_live);
        // What no call could have is refused now.
        self.shared.pyexec.plan(record.job_for(&Bytes::new())?).await.map_err(Error::of_job)?;
        let (sessions, owner) = (self.clone(), owner.to_owned());
        whole(async move {
            let _reserved = sessions.reserve(&owner)?;
            sessions.check_disk(&owner, 0).await?;
            let entry = sessions.shared.folder.create(record, &project).await?;
            Ok(sessions.add(entry))
        })
        .await
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
        let sessions = self.clone();
        whole(async move {
            let answer = entry.ask(&sessions, question).await;
            entry::write_down_later(&sessions, entry);
            answer
        })
        .await
    }

    /// Returns what is known of a session.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner.
    pub async fn info(&self, owner: &str, id: &str) -> Result<SessionInfo> {
        Ok(self.entry(owner, id)?.info())
    }

    /// Lists the sessions of an owner, the one used last first.
    pub async fn list(&self, owner: &str) -> Vec<SessionInfo> {
        let entries: Vec<_> = lock(&self.shared.entries).values().filter(|it| it.owner() == owner).cloned().collect();
        let mut infos: Vec<_> = entries.iter().map(Arc::as_ref).map(Entry::info).collect();
        infos.sort_by_key(|info| std::cmp::Reverse(info.last_used));
        infos
    }

    /// Ends a session, and removes all of it.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or it cannot be removed.
    pub async fn remove(&self, owner: &str, id: &str) -> Result<()> {
        let (sessions, entry) = (self.clone(), self.entry(owner, id)?);
        whole(async move {
            entry.remove().await?;
            lock(&sessions.shared.entries).remove(entry.id());
            Ok(())
        })
        .await
    }

    /// Removes all sessions that there are now of owners with this end of their names, in the background.
    #[cfg(feature = "server")]
    pub(crate) fn remove_all_of(&self, ending: &str) {
        let entries: Vec<_> =
            lock(&self.shared.entries).values().filter(|it| it.owner().ends_with(ending)).cloned().collect();
        let sessions = self.clone();
        tokio::spawn(async move {
            for entry in entries {
                if let Err(error) = sessions.remove(entry.owner(), entry.id()).await {
                    tracing::warn!(%error, session = entry.id(), "a session that nobody needs is not removed");
                }
            }
        });
    }

    /// Makes another session that goes on where this one is.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or it cannot be copied.
    pub async fn fork(&self, owner: &str, id: &str) -> Result<SessionInfo> {
        let (sessions, entry) = (self.clone(), self.entry(owner, id)?);
        whole(async move {
            let _reserved = sessions.reserve(entry.owner())?;
            let fork = entry.fork(&sessions).await?;
            Ok(sessions.add(fork))
        })
        .await
    }

    /// Keeps the present state of a session under a name, in place of what had this name.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, it has too many, or its state cannot be kept.
    pub async fn checkpoint(&self, owner: &str, id: &str, name: &str) -> Result<()> {
        let (sessions, entry, name) = (self.clone(), self.entry(owner, id)?, name.to_owned());
        whole(async move { entry.checkpoint(&sessions, &name).await }).await
    }

    /// Goes back to what is kept under a name.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or nothing under this name.
    pub async fn roll_back(&self, owner: &str, id: &str, name: &str) -> Result<SessionInfo> {
        let (entry, name) = (self.entry(owner, id)?, name.to_owned());
        whole(async move {
            entry.roll_back(&name).await?;
            Ok(entry.info())
        })
        .await
    }

    /// Lists the names under which states of a session are kept.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner.
    pub async fn checkpoints(&self, owner: &str, id: &str) -> Result<Vec<String>> {
        Ok(self.entry(owner, id)?.checkpoints().await)
    }

    /// Lists the files of a session.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner.
    pub async fn files(&self, owner: &str, id: &str) -> Result<Vec<SessionFile>> {
        self.between(owner, id, Between::Look, |session| session.list_files()).await
    }

    /// Reads a file of a session.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or no such file.
    pub async fn read_file(&self, owner: &str, id: &str, path: &str) -> Result<Bytes> {
        let path = path.to_owned();
        self.between(owner, id, Between::Look, |session| Box::pin(async move { session.read_file(&path).await })).await
    }

    /// Writes a file of a session.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or its disk is full.
    pub async fn write_file(&self, owner: &str, id: &str, path: &str, content: Bytes) -> Result<()> {
        let path = path.to_owned();
        let what = Between::Write { path: path.clone(), content: content.clone() };
        self.between(owner, id, what, |session| Box::pin(async move { session.write_file(&path, content).await })).await
    }

    /// Removes a file of a session.
    ///
    /// # Errors
    ///
    /// When there is no such session of this owner, or no such file.
    pub async fn remove_file(&self, owner: &str, id: &str, path: &str) -> Result<()> {
        let path = path.to_owned();
        let what = Between::Remove { path: path.clone() };
        self.between(owner, id, what, |session| Box::pin(async move { session.remove_file(&path).await })).await
    }

    /// Writes down what is only in memory, for an end of the process in order.
    pub async fn freeze_all(&self) {
        let entries: Vec<_> = lock(&self.shared.entries).values().cloned().collect();
        for entry in &entries {
            entry.close();
        }
        futures_util::stream::iter(entries)
            .for_each_concurrent(CLOSED_TOGETHER, |entry| async move { entry.closed().await })
            .await;
    }

    /// Removes sessions whose time is over.
    async fn sweep(&self) {
        self.end_idle_containers().await;
        let now = SystemTime::now();
        let entries: Vec<_> = lock(&self.shared.entries).values().cloned().collect();
        for entry in entries {
            if entry.expires() > now {
                continue;
            }
            match entry.expire().await {
                Ok(true) => drop(lock(&self.shared.entries).remove(entry.id())),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(session = entry.id(), %error, "a session whose time is over cannot be removed");
                }
            }
        }
    }

    /// Finds a session: one of somebody else is not there.
    fn entry(&self, owner: &str, id: &str) -> Result<Arc<Entry>> {
        let found = lock(&self.shared.entries).get(id).filter(|entry| entry.owner() == owner).cloned();
        let entry = found.ok_or_else(|| Error::not_found(format!("there is no session {id:?}, or no longer")))?;
        entry.check_open()?;
        Ok(entry)
    }

    /// Adds a session that was made.
    fn add(&self, entry: Entry) -> SessionInfo {
        let info = entry.info();
        lock(&self.shared.entries).insert(entry.id().to_owned(), Arc::new(entry));
        info
    }

    /// Does something with a session in memory, between its calls.
    async fn between<T: Send + 'static>(
        &self,
        owner: &str,
        id: &str,
        what: Between,
        work: impl for<'a> FnOnce(&'a mut dyn Session) -> BoxFuture<'a, Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (sessions, entry) = (self.clone(), self.entry(owner, id)?);
        whole(async move {
            let done = entry.between(&sessions, what, work).await;
            entry::write_down_later(&sessions, entry);
            done
        })
        .await
    }

    pub(crate) fn pyexec(&self) -> &Pyexec {
        &self.shared.pyexec
    }
}

/// Does all of something, also when whoever asked for it goes away meanwhile.
async fn whole<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    tokio::spawn(work).await.unwrap_or_else(|fault| Err(Error::caused("a session could not be changed", fault)))
}

impl Stdin {
    fn of(bytes: &Bytes) -> Stdin {
        if bytes.is_empty() { Stdin::Empty } else { Stdin::Bytes(bytes.clone()) }
    }
}

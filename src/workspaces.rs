//! Files that outlive a job: workspaces, each with an id, an owner, a quota and a time to live.
//!
//! A workspace has regular files, and the folders that their paths imply; symbolic links and empty folders are not kept.
//! Its index says which object has the content of each file. Objects are written once and never changed, and the index is
//! replaced as a whole: a change is there or it is not, also when the process dies, and who reads a file sees one content
//! of it. What no index names is swept.
//!
//! Reading order: `index` is what a workspace has, `storage` where it is, `pins` what is still read, `sweep` what goes,
//! `pack` archives, `mount` a job's part.

mod id;
mod index;
mod mount;
mod pack;
mod pins;
mod storage;
mod sweep;

pub use mount::{NotKept, WorkspaceChanges};
pub use pack::ArchiveFormat;

pub(crate) use mount::Mounted;

use crate::{Error, config::data_folder, sync::lock};
use bytes::Bytes;
use futures_util::Stream;
use index::{Index, Stored};
use pins::{Pinned, Pins};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    io,
    ops::Range,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use storage::{FolderLock, Storage, Writing};
use tokio::sync::{OnceCell, Semaphore};

/// Workspaces with the same lock wait for each other.
const LOCKS: usize = 64;
/// How exactly the last use is known.
const USE_RECORDED_EVERY: Duration = Duration::from_secs(60);
/// Archives that are made or unpacked at the same time.
const ARCHIVES_MAX: usize = 4;

/// Says where workspaces are, and how much they may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceOptions {
    /// The folder that has them; `None` is `pyexec` in the user's folder for data.
    pub folder: Option<PathBuf>,
    /// Most bytes of all files of one workspace.
    pub bytes_max: u64,
    /// Most files of one workspace.
    pub files_max: u64,
    /// Most bytes of all workspaces of one owner.
    pub owner_bytes_max: u64,
    /// Most workspaces of one owner.
    pub owner_workspaces_max: u64,
    /// How long a workspace is kept after its last use.
    pub time_to_live: Duration,
}

impl Default for WorkspaceOptions {
    fn default() -> WorkspaceOptions {
        WorkspaceOptions {
            folder: None,
            bytes_max: 1 << 30,
            files_max: 10_000,
            owner_bytes_max: 10 << 30,
            owner_workspaces_max: 1000,
            time_to_live: Duration::from_secs(86_400),
        }
    }
}

/// Keeps workspaces. Cloning is cheap, and all clones are the same.
#[derive(Clone)]
pub struct Workspaces {
    shared: Arc<Shared>,
}

struct Shared {
    options: WorkspaceOptions,
    /// Opened when it is first needed.
    opened: OnceCell<Opened>,
    locks: [tokio::sync::Mutex<()>; LOCKS],
    pins: Arc<Pins>,
    archives: Semaphore,
}

/// Holds what is known of the workspaces in the storage.
struct Opened {
    storage: Storage,
    known: Mutex<HashMap<String, Summary>>,
}

/// Says what a workspace takes, without its files.
#[derive(Debug, Clone)]
struct Summary {
    owner: String,
    created: SystemTime,
    used: SystemTime,
    /// When the last use was written down.
    recorded: SystemTime,
    bytes: u64,
    files: u64,
}

/// Describes a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// 21 letters, digits, `-` and `_`.
    pub id: String,
    /// When it was made.
    pub created: SystemTime,
    /// When it was last used.
    pub last_used: SystemTime,
    /// When it is removed unless it is used.
    pub expires: SystemTime,
    /// Bytes of its files.
    pub bytes: u64,
    /// How many files it has.
    pub files: u64,
    /// Bytes that it may have.
    pub bytes_max: u64,
    /// Files that it may have.
    pub files_max: u64,
}

/// Describes a file of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceFile {
    /// Relative, with `/` between its parts.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
    /// Hexadecimal SHA-256 of its content.
    pub sha256: String,
    /// When it got this content.
    pub modified: SystemTime,
}

/// Says why a workspace does not do what it is asked for.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// There is none of this id, or it is somebody else's.
    #[error("workspace not found: it was never made, was deleted, or has not been used for too long")]
    NotFound,
    /// It has no such file.
    #[error("the workspace has no such file: list its files to see what it has")]
    NoSuchFile,
    /// The request is not acceptable.
    #[error("{0}")]
    Invalid(String),
    /// There is no room for it.
    #[error("{0}")]
    Full(String),
    /// The storage is at fault.
    #[error(transparent)]
    Unavailable(Error),
}

type Result<T, E = WorkspaceError> = std::result::Result<T, E>;

impl From<WorkspaceError> for Error {
    fn from(error: WorkspaceError) -> Error {
        match error {
            WorkspaceError::Unavailable(error) => error,
            error => Error::invalid(error.to_string()),
        }
    }
}

/// Holds a workspace's lock, in this process and against others.
struct Locked<'a> {
    _others: FolderLock,
    _ours: tokio::sync::MutexGuard<'a, ()>,
}

/// Reads one content of a file, whatever becomes of the file meanwhile.
pub struct Reading {
    /// What is read.
    pub file: WorkspaceFile,
    id: String,
    object: String,
    storage: Storage,
    pinned: Pinned,
}

/// A file that is being written, and is there once it is finished. Dropping it leaves the workspace as it was.
pub struct Upload {
    workspaces: Workspaces,
    owner: String,
    id: String,
    path: String,
    writer: Writer,
    room: u64,
}

/// Writes an object, and counts and digests it.
struct Writer {
    writing: Writing,
    object: String,
    bytes: u64,
    digest: Sha256,
}

/// Files that replace those of the same paths, and paths that go.
#[derive(Default)]
struct Change {
    files: BTreeMap<String, Stored>,
    deleted: Vec<String>,
}

impl Workspaces {
    /// Makes a keeper of workspaces, which opens its folder when it is first used.
    pub fn new(options: WorkspaceOptions) -> Workspaces {
        let shared = Shared {
            options,
            opened: OnceCell::new(),
            locks: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            pins: Arc::default(),
            archives: Semaphore::new(ARCHIVES_MAX),
        };
        Workspaces { shared: Arc::new(shared) }
    }

    /// Makes an empty workspace for `owner`.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError::Full`] when the owner has too many, [`WorkspaceError::Unavailable`] when it cannot be kept.
    pub async fn create(&self, owner: &str) -> Result<Workspace> {
        let opened = self.opened().await?;
        let id = id::random().map_err(WorkspaceError::Unavailable)?;
        // Nobody is to sweep it before it is whole.
        let _locked = self.lock(&id).await?;
        self.insert(opened, owner, &id).await
    }

    /// Returns the id of the workspace that `owner` calls by this name, and makes it where it is not there. Any text is a
    /// name, and the same name is another workspace for another owner.
    ///
    /// # Errors
    ///
    /// As for [`Workspaces::create`].
    pub async fn named(&self, owner: &str, name: &str) -> Result<String> {
        let opened = self.opened().await?;
        let id = id::of_name(owner, name);
        let _locked = self.lock(&id).await?;
        match self.index(owner, &id).await {
            Ok(_) => self.touch(opened, &id).await,
            Err(WorkspaceError::NotFound) => drop(self.insert(opened, owner, &id).await?),
            Err(error) => return Err(error),
        }
        Ok(id)
    }

    /// Returns the id that [`Workspaces::named`] has for a name.
    pub fn id_of(owner: &str, name: &str) -> String {
        id::of_name(owner, name)
    }

    /// Makes an empty workspace, whose lock is held.
    async fn insert(&self, opened: &Opened, owner: &str, id: &str) -> Result<Workspace> {
        let now = SystemTime::now();
        let summary = Summary { owner: owner.to_owned(), created: now, used: now, recorded: now, bytes: 0, files: 0 };
        {
            let mut known = lock(&opened.known);
            let most = self.shared.options.owner_workspaces_max;
            let alive = |known: &&Summary| known.owner == owner && !self.is_over(known);
            if known.values().filter(alive).count() as u64 >= most {
                return Err(WorkspaceError::Full(format!(
                    "there may be {most} workspaces of one owner (workspaces_max): delete one of them"
                )));
            }
            known.insert(id.to_owned(), summary.clone());
        }
        let index = Index::new(owner, now);
        let kept = match opened.storage.set_used(id).await {
            Ok(()) => opened.storage.set_index(id, index.encode()).await,
            failed => failed,
        };
        if let Err(error) = kept {
            lock(&opened.known).remove(id);
            return Err(fault("cannot keep a workspace", error));
        }
        Ok(self.describe(id, &summary))
    }

    /// Returns the workspaces of `owner`, the last used first.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub async fn list(&self, owner: &str) -> Result<Vec<Workspace>> {
        let opened = self.opened().await?;
        // Another process may have made some.
        for id in opened.storage.ids().await.map_err(|error| fault("cannot list workspaces", error))? {
            let is_known = lock(&opened.known).contains_key(&id);
            if !is_known && let Err(error) = opened.load(&id).await {
                tracing::warn!(%id, %error, "cannot read a workspace");
            }
        }
        let known = lock(&opened.known);
        let own = known.iter().filter(|(_, known)| known.owner == owner && !self.is_over(known));
        let mut all: Vec<_> = own.map(|(id, summary)| self.describe(id, summary)).collect();
        all.sort_by(|a, b| b.last_used.cmp(&a.last_used).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    /// Returns what is known of a workspace, which is no use of it.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError::NotFound`] when the owner has none of this id.
    pub async fn describe_one(&self, owner: &str, id: &str) -> Result<Workspace> {
        let (opened, _) = self.index(owner, id).await?;
        let known = lock(&opened.known);
        known.get(id).map(|summary| self.describe(id, summary)).ok_or(WorkspaceError::NotFound)
    }

    /// Removes a workspace with its files. What reads them now reads on.
    ///
    /// # Errors
    ///
    /// As for [`Workspaces::describe_one`].
    pub async fn delete(&self, owner: &str, id: &str) -> Result<()> {
        let _locked = self.lock(id).await?;
        let (opened, index) = self.index(owner, id).await?;
        self.delete_whole(opened, id, Some(index)).await
    }

    /// Returns the files of a workspace, by path.
    ///
    /// # Errors
    ///
    /// As for [`Workspaces::describe_one`].
    pub async fn files(&self, owner: &str, id: &str) -> Result<Vec<WorkspaceFile>> {
        let (opened, index) = self.index(owner, id).await?;
        self.touch(opened, id).await;
        Ok(index.files.into_iter().map(|(path, stored)| stored.describe(path)).collect())
    }

    /// Opens a file to read it.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError::NoSuchFile`] when there is none, and as for [`Workspaces::describe_one`].
    pub async fn read(&self, owner: &str, id: &str, path: &str) -> Result<Reading> {
        let path = checked(path)?;
        let (opened, index, pinned) = self.snapshot(owner, id, Some(&path)).await?;
        self.touch(opened, id).await;
        let stored = index.files.get(&path).ok_or(WorkspaceError::NoSuchFile)?.clone();
        let (object, storage) = (stored.object.clone(), opened.storage.clone());
        Ok(Reading { file: stored.describe(path), id: id.to_owned(), object, storage, pinned })
    }

    /// Begins to write a file of so many bytes, where that is known.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError::Invalid`] when the path is none, [`WorkspaceError::Full`] when there is no room, and as for
    /// [`Workspaces::describe_one`].
    pub async fn write(&self, owner: &str, id: &str, path: &str, bytes: Option<u64>) -> Result<Upload> {
        let path = checked(path)?;
        let (opened, index) = self.index(owner, id).await?;
        self.touch(opened, id).await;
        index.admit(&path).map_err(WorkspaceError::Invalid)?;
        let replaced = index.files.get(&path).map_or(0, |stored| stored.bytes);
        let room = self.room(opened, id, owner, &index).saturating_add(replaced);
        let writer = Writer::new(&opened.storage, id)?;
        let (owner, id) = (owner.to_owned(), id.to_owned());
        let upload = Upload { workspaces: self.clone(), owner, id, path, writer, room };
        upload.fits(bytes.unwrap_or_default())?;
        Ok(upload)
    }

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// As for [`Workspaces::read`].
    pub async fn remove(&self, owner: &str, id: &str, path: &str) -> Result<()> {
        let path = checked(path)?;
        let (opened, index) = self.index(owner, id).await?;
        self.touch(opened, id).await;
        if !index.files.contains_key(&path) {
            return Err(WorkspaceError::NoSuchFile);
        }
        self.change(owner, id, Change { deleted: vec![path], ..Change::default() }).await.map(drop)
    }

    async fn opened(&self) -> Result<&Opened> {
        self.shared.opened.get_or_try_init(|| self.open()).await
    }

    async fn open(&self) -> Result<Opened> {
        let folder = match &self.shared.options.folder {
            Some(folder) => Some(folder.clone()),
            None => data_folder(),
        };
        let folder = folder.ok_or_else(|| {
            let problem = "there is no folder for workspaces, for HOME is not set: set PYEXEC_DATA_DIR";
            WorkspaceError::Unavailable(Error::unavailable(problem))
        })?;
        let storage = Storage::open(&folder)
            .map_err(|error| WorkspaceError::Unavailable(Error::io("cannot keep workspaces in", &folder, error)))?;
        let opened = Opened { storage, known: Mutex::default() };
        for id in opened.storage.ids().await.map_err(|error| fault("cannot list workspaces", error))? {
            if let Err(error) = opened.load(&id).await {
                tracing::warn!(%id, %error, "cannot read a workspace");
            }
        }
        Ok(opened)
    }

    /// Waits until nobody else changes a workspace.
    async fn lock(&self, id: &str) -> Result<Locked<'_>> {
        let opened = self.opened().await?;
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let number = (hasher.hash_one(id) % LOCKS as u64) as usize;
        let ours = match self.shared.locks.get(number) {
            Some(lock) => lock.lock().await,
            None => return Err(WorkspaceError::NotFound),
        };
        let others = opened.storage.lock(number).await;
        let others = others.map_err(|error| fault("cannot lock a workspace", error))?;
        Ok(Locked { _others: others, _ours: ours })
    }

    /// Reads the index of a workspace of this owner.
    async fn index(&self, owner: &str, id: &str) -> Result<(&Opened, Index)> {
        if !id::is_id(id) {
            return Err(WorkspaceError::NotFound);
        }
        let opened = self.opened().await?;
        let index = opened.load(id).await?.filter(|index| index.owner == owner).ok_or(WorkspaceError::NotFound)?;
        let is_over = lock(&opened.known).get(id).is_some_and(|summary| self.is_over(summary));
        if is_over { Err(WorkspaceError::NotFound) } else { Ok((opened, index)) }
    }

    /// Reads the index, and keeps what it names: all files, or one.
    async fn snapshot(&self, owner: &str, id: &str, path: Option<&str>) -> Result<(&Opened, Index, Pinned)> {
        let _locked = self.lock(id).await?;
        let (opened, index) = self.index(owner, id).await?;
        let wanted = index.files.iter().filter(|(file, _)| path.is_none_or(|path| path == *file));
        let objects = wanted.map(|(_, stored)| stored.object.clone()).collect();
        let pinned = self.shared.pins.pin(id, objects, opened.storage.clone());
        Ok((opened, index, pinned))
    }

    /// Changes the index of a workspace at once, within its quota; returns the one that is now. On failure, what was to be
    /// new is removed.
    async fn change(&self, owner: &str, id: &str, change: Change) -> Result<Index> {
        let objects: Vec<_> = change.files.values().map(|stored| stored.object.clone()).collect();
        let changed = self.try_change(owner, id, change).await;
        if changed.is_err()
            && let Ok(opened) = self.opened().await
        {
            for object in objects {
                opened.storage.delete(id, &object).await;
            }
        }
        changed
    }

    async fn try_change(&self, owner: &str, id: &str, change: Change) -> Result<Index> {
        let _locked = self.lock(id).await?;
        let (opened, mut index) = self.index(owner, id).await?;
        let gone = index.apply(change).map_err(WorkspaceError::Invalid)?;
        let before = self.take(opened, id, &index)?;
        if let Err(error) = opened.storage.set_index(id, index.encode()).await {
            lock(&opened.known).insert(id.to_owned(), before);
            return Err(fault("cannot keep the files of a workspace", error));
        }
        for object in gone {
            if !self.shared.pins.doom(&object) {
                opened.storage.delete(id, &object).await;
            }
        }
        Ok(index)
    }

    /// Counts what a workspace is to have, if its quota and its owner's allow that; returns what it had.
    fn take(&self, opened: &Opened, id: &str, index: &Index) -> Result<Summary> {
        let options = &self.shared.options;
        let (bytes, files) = index.size();
        let mut known = lock(&opened.known);
        let others = known.iter().filter(|(other, known)| known.owner == index.owner && other.as_str() != id);
        let others: u64 = others.map(|(_, known)| known.bytes).sum();
        let summary = known.get_mut(id).ok_or(WorkspaceError::NotFound)?;
        // What gets smaller is always let through.
        let grows = bytes > summary.bytes;
        if files > options.files_max && files > summary.files {
            return Err(too_many(files, options.files_max));
        }
        if grows && bytes > options.bytes_max {
            return Err(too_much(bytes, options.bytes_max));
        }
        if grows && others.saturating_add(bytes) > options.owner_bytes_max {
            return Err(owner_full(options.owner_bytes_max));
        }
        let before = summary.clone();
        (summary.bytes, summary.files) = (bytes, files);
        Ok(before)
    }

    /// Returns how many bytes more a workspace may have.
    fn room(&self, opened: &Opened, id: &str, owner: &str, index: &Index) -> u64 {
        let options = &self.shared.options;
        let known = lock(&opened.known);
        let others = known.iter().filter(|(other, known)| known.owner == owner && other.as_str() != id);
        let others: u64 = others.map(|(_, known)| known.bytes).sum();
        let most = options.bytes_max.min(options.owner_bytes_max.saturating_sub(others));
        most.saturating_sub(index.size().0)
    }

    /// Notes that a workspace is used, which is written down once a minute.
    async fn touch(&self, opened: &Opened, id: &str) {
        let now = SystemTime::now();
        let is_due = lock(&opened.known).get_mut(id).is_some_and(|summary| {
            summary.used = now;
            let is_due = now.duration_since(summary.recorded).is_ok_and(|age| age > USE_RECORDED_EVERY);
            if is_due {
                summary.recorded = now;
            }
            is_due
        });
        if is_due && let Err(error) = opened.storage.set_used(id).await {
            tracing::warn!(%id, %error, "cannot record the use of a workspace");
        }
    }

    /// Removes a workspace: first its index, so that it is gone at once.
    async fn delete_whole(&self, opened: &Opened, id: &str, index: Option<Index>) -> Result<()> {
        opened.storage.delete_index(id).await.map_err(|error| fault("cannot delete a workspace", error))?;
        lock(&opened.known).remove(id);
        for stored in index.into_iter().flat_map(|index| index.files.into_values()) {
            if !self.shared.pins.doom(&stored.object) {
                opened.storage.delete(id, &stored.object).await;
            }
        }
        let rest = opened.storage.delete_others(id, SystemTime::now(), |object| self.shared.pins.has(object)).await;
        if let Err(error) = rest {
            tracing::warn!(%id, %error, "what a workspace had cannot be removed yet");
        }
        Ok(())
    }

    fn is_over(&self, summary: &Summary) -> bool {
        summary.used.elapsed().is_ok_and(|age| age > self.shared.options.time_to_live)
    }

    fn describe(&self, id: &str, summary: &Summary) -> Workspace {
        let options = &self.shared.options;
        Workspace {
            id: id.to_owned(),
            created: summary.created,
            last_used: summary.used,
            expires: summary.used + options.time_to_live,
            bytes: summary.bytes,
            files: summary.files,
            bytes_max: options.bytes_max,
            files_max: options.files_max,
        }
    }
}

impl Opened {
    /// Reads an index, and remembers what it takes.
    async fn load(&self, id: &str) -> Result<Option<Index>> {
        let fail = |error| fault("cannot read a workspace", error);
        let Some(content) = self.storage.index(id).await.map_err(fail)? else {
            lock(&self.known).remove(id);
            return Ok(None);
        };
        let index = Index::decode(&content).map_err(|error| fault("cannot read the index of a workspace", error))?;
        let is_known = lock(&self.known).contains_key(id);
        let used = match is_known {
            true => None,
            false => self.storage.used(id).await.map_err(fail)?,
        };
        let (bytes, files) = index.size();
        let mut known = lock(&self.known);
        let summary = known.entry(id.to_owned()).or_insert_with(|| {
            let used = used.unwrap_or(index.created);
            Summary { owner: index.owner.clone(), created: index.created, used, recorded: used, bytes, files }
        });
        // Another process may have changed it.
        (summary.bytes, summary.files) = (bytes, files);
        Ok(Some(index))
    }
}

impl Reading {
    /// Reads a part of the content.
    ///
    /// # Errors
    ///
    /// When the part is not in the file, or the storage is at fault.
    pub async fn part(self, range: Range<u64>) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>> {
        use futures_util::StreamExt as _;
        let Reading { file: _, id, object, storage, pinned } = self;
        let content = match range.is_empty() {
            true => futures_util::stream::empty().boxed(),
            false => {
                let content = storage.read(&id, &object, range).await;
                content.map_err(|error| fault("cannot read a file of a workspace", error))?.boxed()
            }
        };
        // It is kept for as long as it is read.
        Ok(content.map(move |part| {
            let _ = &pinned;
            part
        }))
    }
}

impl Upload {
    /// Writes more of it.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError::Full`] when that is more than there is room for.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.fits(self.writer.bytes.saturating_add(bytes.len() as u64))?;
        self.writer.write(bytes).await
    }

    /// Puts it in its place.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError::Full`] when others have taken the room meanwhile, and as for [`Workspaces::describe_one`].
    pub async fn finish(self) -> Result<WorkspaceFile> {
        let stored = self.writer.finish().await?;
        let change = Change { files: BTreeMap::from([(self.path.clone(), stored.clone())]), ..Change::default() };
        self.workspaces.change(&self.owner, &self.id, change).await?;
        Ok(stored.describe(self.path))
    }

    fn fits(&self, bytes: u64) -> Result<()> {
        if bytes <= self.room {
            return Ok(());
        }
        Err(WorkspaceError::Full(format!(
            "the file has more bytes than the {} that are left of the workspace's quota (workspace_mb) and its owner's \
             (workspaces_mb): delete files",
            self.room
        )))
    }
}

impl Writer {
    fn new(storage: &Storage, id: &str) -> Result<Writer> {
        let object = id::random().map_err(WorkspaceError::Unavailable)?;
        Ok(Writer { writing: storage.write(id, &object), object, bytes: 0, digest: Sha256::new() })
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.writing.write(bytes).await.map_err(|error| fault("cannot write a file of a workspace", error))
    }

    async fn finish(self) -> Result<Stored> {
        let Writer { writing, object, bytes, digest } = self;
        writing.finish().await.map_err(|error| fault("cannot write a file of a workspace", error))?;
        let sha256 = digest.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(Stored { object, bytes, sha256, modified: SystemTime::now() })
    }
}

/// Returns a path as workspaces have it.
fn checked(path: &str) -> Result<String> {
    match crate::project::relative(path) {
        Ok(path) if path.is_empty() => Err(WorkspaceError::Invalid("a file needs a name".to_owned())),
        Ok(path) => Ok(path),
        Err(error) => Err(WorkspaceError::Invalid(error.to_string())),
    }
}

fn fault(what: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> WorkspaceError {
    WorkspaceError::Unavailable(Error::caused(what, error))
}

fn too_many(files: u64, most: u64) -> WorkspaceError {
    WorkspaceError::Full(format!("the workspace would have {files} files of {most} (workspace_files): delete some"))
}

fn too_much(bytes: u64, most: u64) -> WorkspaceError {
    WorkspaceError::Full(format!("the workspace would have {bytes} bytes of {most} (workspace_mb): delete files"))
}

fn owner_full(most: u64) -> WorkspaceError {
    WorkspaceError::Full(format!("all workspaces of one owner may have {most} bytes (workspaces_mb): delete some"))
}

#[cfg(test)]
mod tests;

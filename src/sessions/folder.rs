//! Where sessions are kept: a folder each, with its record, its files, its frozen state and the calls since.

use super::{
    entry::Entry,
    keep,
    record::{Definition, Record},
    tree,
};
use crate::{
    Error, Project, Result,
    blocking::{StillWanted, blocking},
    project::Workspace,
};
use rustix::fs::FlockOperation;
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(super) const RECORD: &str = "session.json";
pub(super) const HOME: &str = "home";
pub(super) const CHECKPOINTS: &str = "checkpoints";
// What names begin with, before a number.
const FROZEN: &str = "frozen-";
const FILES: &str = "files-";
const CONTENT: &str = "content-";
const JOURNAL: &str = "calls-";

/// The folder of all sessions, which one process has at a time.
pub(super) struct Folder {
    path: PathBuf,
    /// Removed with everything in it, where nobody has named a folder.
    _temporary: Option<tempfile::TempDir>,
    _lock: File,
}

impl Folder {
    /// Opens a folder, or makes one.
    ///
    /// # Errors
    ///
    /// When it cannot be used, or another process does.
    pub(super) fn open(path: Option<&Path>) -> Result<Folder> {
        let temporary = match path {
            Some(_) => None,
            None => {
                let made = tempfile::Builder::new().prefix("pyexec-sessions-").tempdir();
                Some(made.map_err(|e| Error::caused("cannot make a folder for sessions", e))?)
            }
        };
        let path = match (path, &temporary) {
            (Some(path), _) => path.to_owned(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => PathBuf::new(),
        };
        let failed = |e| Error::io("cannot use the folder of sessions", &path, e);
        fs::create_dir_all(&path).map_err(failed)?;
        // What is in there is as secret as what the sessions know.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        let lock = File::create(path.join(".lock")).map_err(failed)?;
        if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Error::unavailable(format!(
                "another process has the sessions in {} open: give each its own folder",
                path.display()
            )));
        }
        Ok(Folder { path, _temporary: temporary, _lock: lock })
    }

    /// Reads the sessions from before. What was being made or removed when a process ended is removed.
    pub(super) fn sessions(&self) -> Vec<Entry> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let path = entry.path();
            if !path.is_dir() {
                continue;
            }
            let is_whole = !entry.file_name().to_string_lossy().starts_with('.');
            let record = fs::read(path.join(RECORD)).ok().filter(|_| is_whole);
            match record.map(|bytes| Record::read(&bytes)) {
                Some(Ok(record)) => {
                    if let Err(error) = keep::recover_checkpoints(&path) {
                        tracing::warn!(folder = %path.display(), %error, "states of a session are not in order");
                    }
                    found.push(Entry::new(record, path));
                }
                Some(Err(error)) => tracing::warn!(folder = %path.display(), %error, "a session is left alone"),
                None => {
                    if let Err(error) = fs::remove_dir_all(&path) {
                        tracing::warn!(folder = %path.display(), %error, "what was left of a session cannot be removed");
                    }
                }
            }
        }
        found
    }

    /// Makes the folder of a session, all of it or nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) async fn create(&self, mut record: Record, project: &Project) -> Result<Entry> {
        let (parent, project) = (self.path.clone(), project.clone());
        let made = blocking(move || {
            let making = Making::new(&parent, &record.id)?;
            if project.size() != (0, 0) {
                let id = record.next_id();
                // As it is now, for whatever runs again.
                let workspace = Workspace::at(&project, &making.path.join(HOME), &StillWanted::always())?;
                record.origin.files = tree::keep(&making.path, None, id)?;
                drop(workspace);
            }
            making.finish(record)
        });
        made.await.and_then(|made| made).map_err(|e| Error::io("cannot make a session in", &self.path, e))
    }

    /// Makes the folder of a copy of what is in another folder: its files, its frozen state, its calls.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) async fn copy(&self, from: &Path, record: Record) -> Result<Entry> {
        let (parent, from) = (self.path.clone(), from.to_owned());
        let made = blocking(move || {
            let making = Making::new(&parent, &record.id)?;
            copy_state(&from, &making.path, &record, record.journal)?;
            making.finish(record)
        });
        made.await.and_then(|made| made).map_err(|e| Error::io("cannot copy a session in", &self.path, e))
    }
}

/// A folder that is not yet one of a session.
struct Making {
    path: PathBuf,
    into: PathBuf,
}

impl Making {
    fn new(parent: &Path, id: &str) -> io::Result<Making> {
        let path = parent.join(format!(".making-{id}"));
        fs::create_dir(&path)?;
        Ok(Making { path, into: parent.join(id) })
    }

    fn finish(self, record: Record) -> io::Result<Entry> {
        replace(&self.path, RECORD, &record.bytes(), true)?;
        fs::rename(&self.path, &self.into)?;
        if let Some(parent) = self.into.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(Entry::new(record, self.into.clone()))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        // It is not there when all went well.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Names a frozen interpreter.
pub(super) fn frozen(folder: &Path, id: u64) -> PathBuf {
    folder.join(format!("{FROZEN}{id}"))
}

/// Names a kept tree of files.
pub(super) fn files(folder: &Path, id: u64) -> PathBuf {
    folder.join(format!("{FILES}{id}"))
}

/// Names the content of a file that came from outside.
pub(super) fn content(folder: &Path, id: u64) -> PathBuf {
    folder.join(format!("{CONTENT}{id}"))
}

/// Names the journal.
pub(super) fn journal(folder: &Path, id: u64) -> PathBuf {
    folder.join(format!("{JOURNAL}{id}.jsonl"))
}

/// Copies the kept state of a session, with `record`, which says what is part of it; blocks. What is never written to again
/// is shared; the journal gets a number.
pub(super) fn copy_state(from: &Path, to: &Path, record: &Record, into_journal: u64) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for base in record.kept.iter().chain([&record.origin]) {
        if let Some(id) = base.interpreter
            && !frozen(to, id).exists()
        {
            tree::share_file(&frozen(from, id), &frozen(to, id))?;
        }
        if let Some(id) = base.files
            && !files(to, id).exists()
        {
            let making = to.join(".files");
            tree::remove(&making)?;
            tree::share(&files(from, id), &making)?;
            fs::rename(making, files(to, id))?;
        }
    }
    for entry in fs::read_dir(from)? {
        let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if name.to_string_lossy().starts_with(CONTENT) && !to.join(&name).exists() {
            tree::share_file(&entry, &to.join(name))?;
        }
    }
    match fs::copy(journal(from, record.journal), journal(to, into_journal)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a frozen interpreter, through to the disk; blocks.
pub(super) fn keep_frozen(folder: &Path, id: u64, bytes: &[u8]) -> io::Result<()> {
    let making = folder.join(".frozen");
    let mut file = File::create(&making)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&making, frozen(folder, id))
}

/// Removes what is not part of the session any more; blocks.
pub(super) fn tidy(folder: &Path, record: &Record) -> io::Result<()> {
    let bases = || record.kept.iter().chain([&record.origin]);
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let number = |prefix| name.strip_prefix(prefix)?.trim_end_matches(".jsonl").parse::<u64>().ok();
        let is_used = match (number(FROZEN), number(FILES), number(JOURNAL)) {
            (Some(id), _, _) => bases().any(|base| base.interpreter == Some(id)),
            (_, Some(id), _) => bases().any(|base| base.files == Some(id)),
            (_, _, Some(id)) => record.journal == id,
            _ => continue,
        };
        if !is_used {
            tree::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Replaces a small file as a whole; blocks. What is durable outlasts the machine, not only the process.
pub(super) fn replace(folder: &Path, name: &str, bytes: &[u8], is_durable: bool) -> io::Result<()> {
    let making = folder.join(format!(".{name}"));
    let mut file = File::create(&making)?;
    file.write_all(bytes)?;
    if is_durable {
        file.sync_all()?;
    }
    fs::rename(making, folder.join(name))?;
    if is_durable {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Removes a session's folder; blocks. What is there when a process ends meanwhile is no session any more.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    let leaving = folder.with_file_name(format!(".gone-{}", folder.file_name().unwrap_or_default().to_string_lossy()));
    fs::rename(folder, &leaving)?;
    // It is no session any more, whatever is left of it: the next start removes that.
    if let Err(error) = fs::remove_dir_all(&leaving) {
        tracing::warn!(folder = %leaving.display(), %error, "what was left of a session cannot be removed");
    }
    Ok(())
}

/// Returns what a session of this definition is opened with.
pub(super) fn spec(folder: &Path, definition: &Definition) -> crate::executor::SessionSpec {
    let home: Arc<Path> = folder.join(HOME).into();
    // Its files are there already.
    crate::executor::SessionSpec::new(Project::empty(), definition.env().to_vec(), definition.limits()).home(home)
}

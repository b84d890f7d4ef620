//! Where sessions are kept: a folder each, with its record, its files, its frozen state and the calls since.

use super::{
    entry::Entry,
    record::{Definition, Record},
};
use crate::{
    Error, Project, Result,
    blocking::{StillWanted, blocking},
    project::Workspace,
};
use rustix::fs::FlockOperation;
use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(super) const RECORD: &str = "session.json";
pub(super) const HOME: &str = "home";
pub(super) const JOURNAL: &str = "calls.jsonl";
pub(super) const CHECKPOINTS: &str = "checkpoints";
/// What the name of a frozen state begins with, before the number of calls that are in it.
const FROZEN: &str = "frozen-";

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
                Some(Ok(record)) => found.push(Entry::new(record, path)),
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
    pub(super) async fn create(&self, record: Record, project: &Project) -> Result<Entry> {
        let (parent, project) = (self.path.clone(), project.clone());
        let made = blocking(move || {
            let making = Making::new(&parent, &record.id)?;
            if project.size() != (0, 0) {
                Workspace::at(&project, &making.path.join(HOME), &StillWanted::always())?;
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
            copy_state(&from, &making.path)?;
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
        fs::write(self.path.join(RECORD), record.bytes())?;
        fs::rename(&self.path, &self.into)?;
        Ok(Entry::new(record, self.into.clone()))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        // It is not there when all went well.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Copies files, frozen state and calls of a session; blocks.
pub(super) fn copy_state(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text == HOME {
            copy_tree(&entry.path(), &to.join(HOME))?;
        } else if text.starts_with(FROZEN) || text == JOURNAL {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}

/// Copies a tree; a file system that can shares its blocks. Links are copied as such: they stay inside of the session's tree,
/// which is looked at from its own root.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let mut pending = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = pending.pop() {
        for entry in fs::read_dir(&from)? {
            let entry = entry?;
            let (kind, into) = (entry.file_type()?, to.join(entry.file_name()));
            if kind.is_dir() {
                fs::create_dir(&into)?;
                pending.push((entry.path(), into));
            } else if kind.is_symlink() {
                std::os::unix::fs::symlink(fs::read_link(entry.path())?, into)?;
            } else if kind.is_file() {
                fs::copy(entry.path(), into)?;
            }
        }
    }
    Ok(())
}

/// Finds the frozen state with the most calls, and how many these are.
pub(super) fn frozen(folder: &Path) -> Option<(u64, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |name: &str| name.strip_prefix(FROZEN)?.parse::<u64>().ok();
    entries.filter_map(|entry| Some((of(entry.file_name().to_str()?)?, entry.path()))).max()
}

/// Writes a frozen state, in place of those before; blocks.
pub(super) fn keep_frozen(folder: &Path, calls: u64, bytes: &[u8]) -> io::Result<()> {
    let making = folder.join(".frozen");
    fs::write(&making, bytes)?;
    let into = folder.join(format!("{FROZEN}{calls}"));
    fs::rename(&making, &into)?;
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(FROZEN) && entry.path() != into {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Replaces a small file as a whole; blocks.
pub(super) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let making = folder.join(format!(".{name}"));
    fs::write(&making, bytes)?;
    fs::rename(making, folder.join(name))
}

/// Removes a session's folder; blocks. What is there when a process ends meanwhile is no session any more.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    let leaving = folder.with_file_name(format!(".gone-{}", folder.file_name().unwrap_or_default().to_string_lossy()));
    fs::rename(folder, &leaving)?;
    fs::remove_dir_all(leaving)
}

/// Returns what a session of this definition is opened with.
pub(super) fn spec(folder: &Path, definition: &Definition) -> crate::executor::SessionSpec {
    let home: Arc<Path> = folder.join(HOME).into();
    // Its files are there already.
    crate::executor::SessionSpec::new(Project::empty(), definition.env().to_vec(), definition.limits()).home(home)
}

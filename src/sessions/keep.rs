//! How the state of a session is kept on disk: the present one, others under names, and copies as sessions of their own.
//!
//! Whatever is kept gets a number of its own and is never written to again; the record says what belongs to the session. So the
//! record, which is replaced as a whole, is where a change of state happens, and what it does not name is removed.

use super::{
    Sessions,
    entry::{Entry, NOT_MEASURED, State},
    folder,
    journal::Journal,
    record::{Base, Record},
    tree,
};
use crate::{Error, Result, blocking::blocking, outcome::Tier};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::atomic::Ordering::Relaxed,
    time::{Duration, SystemTime},
};

/// Names of states that one session may keep.
const CHECKPOINTS_MAX: usize = 32;
/// What the name of a checkpoint begins with while another one takes its place.
const REPLACED: &str = ".replaced-";
/// A container is not given up for other sessions before it was idle for as long: its calls would run again.
const CONTAINER_IDLE: Duration = Duration::from_secs(60);

impl Entry {
    /// Writes down what is only in memory.
    pub(super) async fn write_down(&self) {
        if let Ok(mut state) = self.lock().await
            && let Err(error) = self.write_down_state(&mut state).await
        {
            tracing::warn!(session = self.id(), %error, "a session is not written down");
        }
    }

    pub(super) async fn write_down_state(&self, state: &mut State) -> Result<()> {
        let Some(live) = state.live.as_mut().filter(|live| live.is_dirty && live.session.is_alive()) else {
            return Ok(());
        };
        let previous = state.record.base().files;
        let failed = |e| Error::io("cannot write down a session in", &self.folder, e);
        let (interpreter, files) = if live.place.tier == Tier::Wasm {
            let frozen = live.session.freeze().await?;
            let (folder, id, tree) = (self.folder.clone(), state.record.next_id(), state.record.next_id());
            let kept = blocking(move || {
                folder::keep_frozen(&folder, id, frozen.bytes())?;
                tree::keep(&folder, previous, tree)
            });
            (Some(id), kept.await.and_then(|kept| kept).map_err(failed)?)
        } else {
            let tree = state.record.next_id();
            let mut listed = BTreeMap::new();
            for file in live.session.list_files().await? {
                listed.insert(file.path, (file.bytes, file.modified));
            }
            let is_same = listed == live.listed && (previous.is_some() || listed.is_empty());
            if is_same {
                (None, previous)
            } else {
                let folder = self.folder.clone();
                let making = blocking(move || tree::Making::new(&folder, tree)).await.and_then(|making| making);
                let mut making = making.map_err(failed)?;
                for (path, (bytes, modified)) in &listed {
                    let shared = previous.filter(|_| live.listed.get(path) == Some(&(*bytes, *modified)));
                    let shared = shared.map(|tree| folder::files(&self.folder, tree).join("work").join(path));
                    let content = match shared {
                        Some(_) => None,
                        None => match live.session.read_file(path).await {
                            Ok(content) => Some(content),
                            Err(error) if live.session.is_alive() => {
                                tracing::warn!(session = self.id(), path, %error, "a file is not kept");
                                continue;
                            }
                            Err(error) => return Err(error),
                        },
                    };
                    let (path, modified) = (Path::new("work").join(path), *modified);
                    let put = blocking(move || {
                        let content = match (&shared, &content) {
                            (Some(shared), _) => Ok(&**shared),
                            (None, content) => Err(content.as_deref().unwrap_or_default()),
                        };
                        making.put(&path, content, modified).map(|()| making)
                    });
                    making = put.await.and_then(|put| put).map_err(failed)?;
                }
                blocking(move || making.finish()).await.and_then(|made| made).map_err(failed)?;
                live.listed = listed;
                (None, Some(tree))
            }
        };
        let (entries, calls) = (state.record.entries, state.record.calls);
        state.record.kept = Some(Base { entries, calls, interpreter, files, is_copy: false });
        self.keep_for_good(&state.record).await?;
        self.disk_bytes.store(NOT_MEASURED, Relaxed);
        if let Some(live) = &mut state.live {
            live.is_dirty = false;
        }
        Ok(())
    }

    /// Goes to disk, unless it is in a call; returns whether it has left memory. A container goes only when its calls can run
    /// again, and after a while.
    pub(super) async fn leave_memory(&self, tier: Tier, idle_for: Duration) -> bool {
        let Some(mut state) = self.try_lock() else { return false };
        let Some(live) = &state.live else { return false };
        let idle = SystemTime::now().duration_since(state.record.last_used).unwrap_or_default();
        let is_container = live.place.tier == Tier::Docker;
        if live.place.tier != tier || (is_container && (state.record.has_outside_effects() || idle < idle_for)) {
            return false;
        }
        match self.write_down_state(&mut state).await {
            Ok(()) => {
                self.drop_live(&mut state);
                true
            }
            Err(error) => {
                tracing::warn!(session = self.id(), %error, "a session cannot leave memory");
                false
            }
        }
    }

    pub(super) async fn fork(&self, sessions: &Sessions) -> Result<Entry> {
        let mut state = self.lock().await?;
        self.write_down_state(&mut state).await?;
        self.check_disk(sessions, &state.record).await?;
        sessions.shared.folder.copy(&self.folder, state.record.copied()).await
    }

    /// Checks that the owner may have another copy of the session's files.
    async fn check_disk(&self, sessions: &Sessions, record: &Record) -> Result<()> {
        let files = record.base().files.map(|tree| folder::files(&self.folder, tree));
        let more = match files {
            Some(files) => blocking(move || tree::bytes(&files)).await.unwrap_or_default(),
            None => 0,
        };
        sessions.check_disk(self.owner(), more).await
    }

    /// Returns what the session's folder takes on disk.
    pub(super) async fn disk_bytes(&self) -> u64 {
        match self.disk_bytes.load(Relaxed) {
            NOT_MEASURED => {
                let folder = self.folder.clone();
                let bytes = blocking(move || tree::bytes(&folder)).await.unwrap_or_default();
                self.disk_bytes.store(bytes, Relaxed);
                bytes
            }
            bytes => bytes,
        }
    }

    pub(super) async fn checkpoint(&self, sessions: &Sessions, name: &str) -> Result<()> {
        let into = self.checkpoint_folder(name)?;
        let mut state = self.lock().await?;
        let names = self.checkpoints().await;
        if !names.iter().any(|other| other == name) && names.len() >= CHECKPOINTS_MAX {
            return Err(Error::invalid(format!("a session keeps {CHECKPOINTS_MAX} states at most")));
        }
        self.write_down_state(&mut state).await?;
        self.check_disk(sessions, &state.record).await?;
        let (folder, record) = (self.folder.clone(), state.record.clone());
        let kept = blocking(move || {
            let making = folder.join(".checkpoint");
            tree::remove(&making)?;
            folder::copy_state(&folder, &making, &record, record.journal)?;
            folder::replace(&making, folder::RECORD, &record.bytes(), true)?;
            put_checkpoint(&making, &into)
        });
        kept.await
            .and_then(|kept| kept)
            .map_err(|e| Error::io("cannot keep a state of the session in", &self.folder, e))?;
        self.disk_bytes.store(NOT_MEASURED, Relaxed);
        Ok(())
    }

    pub(super) async fn roll_back(&self, name: &str) -> Result<()> {
        let from = self.checkpoint_folder(name)?;
        let mut state = self.lock().await?;
        let state = &mut *state;
        let path = from.join(folder::RECORD);
        let bytes = match blocking(move || fs::read(path)).await.and_then(|read| read) {
            Ok(bytes) => bytes,
            Err(_) => {
                let names = self.checkpoints().await;
                let others = if names.is_empty() {
                    "nor under another name".to_owned()
                } else {
                    format!("but under {}", names.join(", "))
                };
                return Err(Error::not_found(format!("nothing is kept under {name:?}, {others}")));
            }
        };
        let kept = Record::read(&bytes)?;
        let mut record = state.record.clone();
        let since = record.go_back(kept.clone());
        record.journal = record.next_id();
        let (folder, journal) = (self.folder.clone(), record.journal);
        let copied = blocking(move || folder::copy_state(&from, &folder, &kept, journal));
        let failed = |e| Error::io("cannot go back to a state in", &self.folder, e);
        copied.await.and_then(|copied| copied).map_err(failed)?;
        // From here on it is the earlier state, whatever happens.
        self.drop_live(state);
        state.journal = Journal::new(folder::journal(&self.folder, journal));
        state.record = record;
        self.keep_for_good(&state.record).await?;
        let folder = self.folder.clone();
        let removed =
            blocking(move || since.map(|id| folder::content(&folder, id)).try_for_each(|path| tree::remove(&path)));
        removed.await.and_then(|removed| removed).map_err(failed)
    }

    pub(super) async fn checkpoints(&self) -> Vec<String> {
        let folder = self.folder.clone();
        blocking(move || checkpoints(&folder)).await.unwrap_or_default()
    }

    fn checkpoint_folder(&self, name: &str) -> Result<PathBuf> {
        let is_name = !name.is_empty()
            && name.len() <= 100
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && !name.starts_with('.');
        if !is_name {
            return Err(Error::invalid(format!(
                "{name:?} is no name for a state: letters, digits, -, _ and ., at most 100 of them"
            )));
        }
        Ok(self.folder.join(folder::CHECKPOINTS).join(name))
    }
}

/// How long a container that may be given up must have been idle.
pub(super) const fn container_idle() -> Duration {
    CONTAINER_IDLE
}

fn checkpoints(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join(folder::CHECKPOINTS)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

/// Has a state be the one of its name, in place of what had it; blocks.
fn put_checkpoint(making: &Path, into: &Path) -> io::Result<()> {
    let Some(parent) = into.parent() else { return Ok(()) };
    fs::create_dir_all(parent)?;
    let replaced = parent.join(format!("{REPLACED}{}", into.file_name().unwrap_or_default().to_string_lossy()));
    if into.exists() {
        tree::remove(&replaced)?;
        fs::rename(into, &replaced)?;
    }
    fs::rename(making, into)?;
    File::open(parent)?.sync_all()?;
    tree::remove(&replaced)
}

/// Puts states in order that were being replaced when a process ended; blocks.
pub(super) fn recover_checkpoints(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(folder::CHECKPOINTS)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if let Some(name) = name.to_str().and_then(|name| name.strip_prefix(REPLACED)) {
            let into = entry.path().with_file_name(name);
            if into.exists() {
                tree::remove(&entry.path())?;
            } else {
                fs::rename(entry.path(), into)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_there_whenever_its_replacement_was_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let into = folder.join(folder::CHECKPOINTS).join("name");
        let put = |content: &str| {
            let making = folder.join(".checkpoint");
            fs::create_dir(&making).expect("made");
            fs::write(making.join("x"), content).expect("written");
            put_checkpoint(&making, &into).expect("put");
        };
        let content = || fs::read_to_string(into.join("x")).expect("a checkpoint");
        put("one");
        put("two");
        assert_eq!((content(), checkpoints(folder)), ("two".to_owned(), vec!["name".to_owned()]));
        let replaced = into.with_file_name(".replaced-name");
        // Between the two renames.
        fs::rename(&into, &replaced).expect("moved");
        recover_checkpoints(folder).expect("recovered");
        assert_eq!(content(), "two");
        // After the second.
        fs::create_dir(&replaced).expect("made");
        recover_checkpoints(folder).expect("recovered");
        assert_eq!((content(), replaced.exists()), ("two".to_owned(), false));
    }
}

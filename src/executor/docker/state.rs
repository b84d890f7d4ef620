//! Small files by which processes of one user on one machine know of each other. Where there is no place for them, they do
//! not.

use crate::cache;
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

const HOLDER: &str = ".holder";
/// Of a note.
const NOTE_BYTES_MAX: usize = 64 << 10;

fn folder() -> Option<PathBuf> {
    let folder = cache::usual_folder("docker").ok()?;
    cache::private_folder(&folder).ok()?;
    Some(folder)
}

fn open(path: &Path) -> Option<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).ok()
}

/// Returns a file to lock.
pub(crate) fn lock(name: &str) -> Option<Lock> {
    open(&folder()?.join(format!("{name}.lock"))).map(Lock)
}

/// Held by one process at a time, until it is dropped.
pub(crate) struct Lock(File);

impl Lock {
    /// Waits for it; blocks. A file system without locks is no trouble: then the work is done twice.
    pub(crate) fn lock(self) -> Lock {
        let _ = self.0.lock();
        self
    }
}

/// Keeps a text for other processes.
pub(crate) fn note(name: &str, text: &str) {
    if let Some(folder) = folder()
        && let Ok(mut file) =
            OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(folder.join(name))
    {
        let _ = file.write_all(&text.as_bytes()[..text.floor_char_boundary(NOTE_BYTES_MAX)]);
    }
}

/// Returns a text that was kept less than `age` ago.
pub(crate) fn recent(name: &str, age: Duration) -> Option<String> {
    let path = folder()?.join(name);
    let modified = fs::metadata(&path).ok()?.modified().ok()?;
    if modified.elapsed().is_ok_and(|elapsed| elapsed < age) { fs::read_to_string(path).ok() } else { None }
}

/// A process, as others find it: while it lives, a file of its own is locked.
pub(crate) struct Holder {
    _file: File,
    path: PathBuf,
    name: String,
}

impl Holder {
    /// Makes and locks a file of this process; `None` where there is no place for it.
    pub(crate) fn take() -> Option<Holder> {
        let folder = folder()?;
        let name = uuid::Uuid::new_v4().simple().to_string();
        // Nobody finds it before it is locked.
        let unlocked = folder.join(&name);
        let file = open(&unlocked)?;
        let path = folder.join(format!("{name}{HOLDER}"));
        if file.try_lock().is_err() || fs::rename(&unlocked, &path).is_err() {
            let _ = fs::remove_file(unlocked);
            return None;
        }
        Some(Holder { _file: file, path, name: format!("{}.{name}", place(&folder)?) })
    }

    /// Returns the name with which its containers are labelled.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns whether the holder of that name has ended; nothing when it is one of another machine, or user, or folder.
pub(crate) fn is_gone(name: &str) -> Option<bool> {
    let folder = folder()?;
    let (its_place, name) = name.split_once('.')?;
    if its_place != place(&folder)? || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    Some(is_unlocked(&folder.join(format!("{name}{HOLDER}"))))
}

fn is_unlocked(path: &Path) -> bool {
    // To ask is to take the lock, until the file is closed on return: whoever asks meanwhile finds the holder alive, and
    // its containers are swept the next time.
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => file.try_lock().is_ok(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Removes the files of holders that have ended.
pub(crate) fn tidy() {
    let Some(folder) = folder() else { return };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().ends_with(HOLDER) && is_unlocked(&path) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Tells one folder from those of other machines and containers.
fn place(folder: &Path) -> Option<String> {
    let found = fs::metadata(folder).ok()?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let boot: String = boot.trim().chars().filter(char::is_ascii_alphanumeric).collect();
    Some(format!("{boot}-{}-{}", found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_gone_when_it_is_dropped_and_of_strangers_nothing_is_known() {
        let Some(holder) = Holder::take() else { return };
        let name = holder.name().to_owned();
        assert_eq!(is_gone(&name), Some(false));
        tidy();
        assert_eq!(is_gone(&name), Some(false));
        drop(holder);
        assert_eq!(is_gone(&name), Some(true));
        for stranger in ["", "x", "elsewhere-1-2.abc", &name.replace('.', "./../")] {
            assert_eq!(is_gone(stranger), None, "{stranger}");
        }
    }
}

//! A folder of the user's own for files that are expensive to make, and dangerous if someone else could change them.
//!
//! What is in it is machine code that this process will run. Therefore: the folder belongs to us and nobody else may
//! enter it; a file's name says what it was made from; its SHA-256 is recorded when it is written and compared before it
//! is used; where start-up time matters, it is enough that its size, times, inode and owner are as they were.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    env,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Overrides where the folder is.
pub(crate) const FOLDER_VARIABLE: &str = "PYEXEC_CACHE_DIR";

/// Says how much is checked before a file is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Verification {
    /// That it is untouched since it was written: size, modification and change times, inode, owner. Microseconds; right
    /// for a command line. What was touched, or copied, is verified in full.
    #[default]
    Stamp,
    /// Its whole SHA-256. Some tenths of a second; right for a server's start.
    Full,
}

/// The folder, checked.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
}

/// Files that belong together.
#[derive(Debug, Default)]
struct Group {
    files: Vec<PathBuf>,
    bytes: u64,
    /// When it was used, as its record says; without one, when it was made.
    used: Option<std::time::SystemTime>,
    is_recorded: bool,
}

/// Holds what is recorded beside a file.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Stamp {
    sha256: String,
    bytes: u64,
    modified_ns: i128,
    changed_ns: i128,
    inode: u64,
    owner: u32,
}

impl Cache {
    /// Opens `folder`, or the user's usual one, and makes it if it is not there.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Cache> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => usual_folder("images")?,
        };
        private_folder(&folder)?;
        Ok(Cache { folder })
    }

    /// Takes the lock of one that makes files; the guard is the lock.
    pub(crate) fn lock(&self) -> Result<File> {
        self.lock_file("lock")
    }

    /// Takes the lock of one that makes files whose names begin with this one.
    pub(crate) fn lock_of(&self, name: &str) -> Result<File> {
        self.lock_file(&format!("{name}.lock"))
    }

    /// Returns whether somebody has that lock.
    pub(crate) fn is_locked(&self, name: &str) -> bool {
        let file = OpenOptions::new().write(true).open(self.folder.join(format!("{name}.lock")));
        file.is_ok_and(|file| matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)))
    }

    fn lock_file(&self, name: &str) -> Result<File> {
        let path = self.folder.join(name);
        // As in a container image that was made for another version or another kind of CPU.
        let fail = |e| {
            let folder = self.folder.display();
            Error::caused(
                format!(
                    "what is missing in the cache {folder} cannot be made (set {FOLDER_VARIABLE} to another folder)"
                ),
                e,
            )
        };
        loop {
            let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
            let file = open.map_err(fail)?;
            file.lock().map_err(fail)?;
            // Whoever had it may have removed it, and then it is nobody's.
            let found = fs::metadata(&path).ok().map(|there| (there.dev(), there.ino()));
            let held = file.metadata().map_err(fail)?;
            if found == Some((held.dev(), held.ino())) {
                return Ok(file);
            }
        }
    }

    /// Records that the files whose names begin with this one are in use.
    pub(crate) fn used(&self, name: &str) {
        let now = fs::FileTimes::new().set_modified(std::time::SystemTime::now());
        let path = self.folder.join(format!("{name}.used"));
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        if let Err(error) = file.and_then(|file| file.set_times(now)) {
            // As in a container image, whose files nobody may change.
            tracing::debug!(path = %path.display(), %error, "cannot record the use of a file");
        }
    }

    /// Removes groups of files, a group being those with the same name but for what follows the first dot, until all whose
    /// names begin with `prefix` have no more than `bytes_max`. Those that were not used for longest go first; `keep` stays.
    pub(crate) fn make_room(&self, prefix: &str, keep: &str, bytes_max: u64) {
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let (Some(name), Ok(metadata)) = (name.to_str(), entry.metadata()) else { continue };
            let Some((stem, suffix)) = name.split_once('.').filter(|_| name.starts_with(prefix)) else { continue };
            let group = groups.entry(stem.to_owned()).or_default();
            group.bytes += metadata.len();
            let modified = metadata.modified().ok();
            match suffix {
                "used" => (group.used, group.is_recorded) = (modified, true),
                _ if group.is_recorded => {}
                _ => group.used = group.used.max(modified),
            }
            group.files.push(entry.path());
        }
        let mut bytes: u64 = groups.values().map(|group| group.bytes).sum();
        let mut oldest: Vec<_> = groups.into_iter().filter(|(stem, _)| stem != keep).collect();
        oldest.sort_by_key(|(_, group)| group.used);
        for (stem, group) in oldest {
            if bytes <= bytes_max {
                break;
            }
            // Another process makes it.
            if self.is_locked(&stem) {
                continue;
            }
            bytes -= group.bytes;
            self.remove(&stem, &group.files);
        }
    }

    /// Removes the group of files of this name, as [`Cache::make_room`] has it.
    pub(crate) fn remove_group(&self, name: &str) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let of_it = entries.filter(|entry| {
            let found = entry.file_name();
            found.to_str().and_then(|found| found.split_once('.')).is_some_and(|(stem, _)| stem == name)
        });
        self.remove(name, &of_it.map(|entry| entry.path()).collect::<Vec<_>>());
    }

    fn remove(&self, name: &str, files: &[PathBuf]) {
        tracing::info!(name, "removed from the cache");
        // Whoever has them mapped keeps them.
        for file in files {
            if let Err(error) = fs::remove_file(file) {
                tracing::warn!(path = %file.display(), %error, "cannot remove a file of the cache");
            }
        }
    }

    /// Returns the path of an entry that holds what was written under this name, else `None`.
    pub(crate) fn find(&self, name: &str, verification: Verification) -> Option<PathBuf> {
        let path = self.folder.join(name);
        let recorded: Stamp = serde_json::from_slice(&fs::read(self.stamp_path(name)).ok()?).ok()?;
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .ok()?;
        let metadata = file.metadata().ok()?;
        if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0
        {
            tracing::warn!(path = %path.display(), "cache entry refused: wrong owner or permissions");
            return None;
        }
        if verification == Verification::Stamp && stamp(recorded.sha256.clone(), &metadata) == recorded {
            return Some(path);
        }
        // A copy, such as the one in a container image, has other times and another inode, and is as good.
        if metadata.len() == recorded.bytes && sha256(&mut file).ok()? == recorded.sha256 {
            return Some(path);
        }
        tracing::warn!(path = %path.display(), "cache entry refused: it is not what was written");
        None
    }

    /// Writes an entry; readers see it whole or not at all.
    pub(crate) fn store(&self, name: &str, content: &[u8]) -> Result<PathBuf> {
        let path = self.folder.join(name);
        let fail = |e| Error::io("cannot write", &path, e);
        write_whole(&path, content).map_err(fail)?;
        let stamp = stamp(hex(&Sha256::digest(content)), &fs::metadata(&path).map_err(fail)?);
        let stamp = serde_json::to_vec(&stamp).map_err(|e| fail(e.into()))?;
        write_whole(&self.stamp_path(name), &stamp).map_err(fail)?;
        Ok(path)
    }

    fn stamp_path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.stamp"))
    }
}

/// Returns the usual place of the user's cache of a kind.
pub(crate) fn usual_folder(kind: &str) -> Result<PathBuf> {
    let ours = || env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
    // The variable is that of compiled code; other kinds are below.
    let ours = if kind == "images" { ours() } else { ours().map(|folder| folder.join(kind)) };
    ours.or_else(|| env::var_os("XDG_CACHE_HOME").map(|home| PathBuf::from(home).join("pyexec").join(kind)))
        .or_else(|| env::home_dir().map(|home| home.join(".cache/pyexec").join(kind)))
        .ok_or_else(|| {
            Error::unavailable(format!("no home folder: set {FOLDER_VARIABLE} to a folder for compiled code"))
        })
}

/// Makes a folder if it is not there, and sees to it that it is the user's alone.
pub(crate) fn private_folder(folder: &Path) -> Result<()> {
    let fail = |e| {
        Error::caused(
            format!("cannot use {} as the cache (set {FOLDER_VARIABLE} to another folder)", folder.display()),
            e,
        )
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fail)?;
    let metadata = fs::metadata(folder).map_err(fail)?;
    let me = rustix::process::geteuid().as_raw();
    if metadata.uid() != me || metadata.mode() & 0o077 != 0 {
        return Err(Error::unavailable(format!(
            "the cache {} must belong to user {me} and be closed to others, because code from it is run\nhint: chmod 700 \
             {0}, or set {FOLDER_VARIABLE} to another folder",
            folder.display()
        )));
    }
    Ok(())
}

fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}

fn stamp(sha256: String, metadata: &fs::Metadata) -> Stamp {
    let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    Stamp {
        sha256,
        bytes: metadata.len(),
        modified_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
        owner: metadata.uid(),
    }
}

fn sha256(file: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(&folder.path().join("cache"))).unwrap();
        (folder, cache)
    }

    fn found(cache: &Cache) -> [bool; 2] {
        [Verification::Stamp, Verification::Full].map(|verification| cache.find("entry", verification).is_some())
    }

    #[test]
    fn what_was_stored_is_found() {
        let (_folder, cache) = cache();
        assert_eq!(found(&cache), [false, false]);
        cache.store("entry", b"code").unwrap();
        assert_eq!(found(&cache), [true, true]);
    }

    #[test]
    fn a_flipped_byte_is_refused() {
        let (_folder, cache) = cache();
        let path = cache.store("entry", b"code").unwrap();
        fs::write(&path, b"cOde").unwrap();
        assert_eq!(found(&cache), [false, false]);
    }

    #[test]
    fn a_replaced_file_is_refused() {
        let (_folder, cache) = cache();
        let path = cache.store("entry", b"code").unwrap();
        fs::write(path.with_extension("new"), b"cOde").unwrap();
        fs::rename(path.with_extension("new"), &path).unwrap();
        assert_eq!(found(&cache), [false, false]);
    }

    /// As when it is in a container image.
    #[test]
    fn a_copy_is_as_good_as_what_was_written() {
        let (_folder, cache) = cache();
        let path = cache.store("entry", b"code").unwrap();
        fs::copy(&path, path.with_extension("new")).unwrap();
        fs::rename(path.with_extension("new"), &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(found(&cache), [true, true]);
    }

    #[test]
    fn a_link_or_a_file_that_others_can_write_is_refused() {
        let (_folder, cache) = cache();
        let path = cache.store("entry", b"code").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(found(&cache), [false, false]);
        let path = cache.store("entry", b"code").unwrap();
        let moved = path.with_extension("moved");
        fs::rename(&path, &moved).unwrap();
        std::os::unix::fs::symlink(&moved, &path).unwrap();
        assert_eq!(found(&cache), [false, false]);
    }

    #[test]
    fn a_folder_open_to_others_is_refused() {
        let (folder, _cache) = cache();
        let path = folder.path().join("cache");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        let error = Cache::open(Some(&path)).unwrap_err().to_string();
        assert!(error.contains("chmod 700"), "{error}");
    }
}

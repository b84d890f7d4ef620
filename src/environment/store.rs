//! Environments on disk, by content address, shared by processes.
//!
//! ```text
//! <folder>/<id>/packages/      what goes onto Python's path; for WebAssembly one file with all of it, `pack`
//!               pins           exact versions, to read
//!               manifest       SHA-256 of each file
//!               meta.json      the rest
//!          <id>.lock           held shared by who uses the entry, alone by who installs or removes it;
//!                              its time is that of the last use
//!          tmp-<id>-…/         being made, or being removed
//!          uv/, uv.lock        uv's downloads
//!          bytecode/           of packages, for other environments with the same ones
//!          verdicts/           what WebAssembly cannot take
//!          names/              what environments are made from
//! ```
//!
//! An entry appears whole, by a rename. What a process that died has left is a `tmp` folder whose lock nobody holds; that
//! is swept.

use super::{
    Pin,
    bytecode::Bytecode,
    disk,
    platform::{Platform, Target},
    site,
};
use crate::{Result, cache, pack::Pack};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};
use tempfile::TempDir;

/// Part of every address: entries of another layout are others.
pub(super) const FORMAT: u32 = 1;
/// The file with all packages for WebAssembly.
pub(super) const PACK: &str = "pack";

/// The name of an environment: 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id(String);

impl Id {
    /// Returns the address of what `content` describes.
    pub(super) fn of(content: &str) -> Id {
        Id(disk::digest(content))
    }

    pub(super) fn parse(text: &str) -> Option<Id> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(digit)).then(|| Id(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Holds what is recorded of an environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Meta {
    pub(super) format: u32,
    pub(super) platform: Platform,
    /// What was asked for.
    pub(super) requirements: Vec<String>,
    pub(super) pins: Vec<Pin>,
    pub(super) bytes: u64,
    /// Of the interpreter whose bytecode it has, where it has any.
    #[serde(default)]
    pub(super) workbench: Option<String>,
    /// SHA-256 of the manifest.
    pub(super) manifest: String,
    /// The stamp of its files where it was made; a copy has another.
    stamp: String,
}

#[cfg(test)]
impl Meta {
    /// Describes an entry that has these packages and no files.
    pub(super) fn of_pins(pins: Vec<Pin>) -> Meta {
        Meta {
            format: FORMAT,
            platform: Platform::WASM,
            requirements: Vec::new(),
            pins,
            bytes: 0,
            workbench: None,
            manifest: String::new(),
            stamp: String::new(),
        }
    }
}

/// Holds what an entry is made from.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) platform: Platform,
    pub(super) requirements: Vec<String>,
    pub(super) pins: Vec<Pin>,
    pub(super) workbench: Option<String>,
}

/// An entry that was checked.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) meta: Meta,
    pub(super) packages: PathBuf,
    /// Of the files, here and now.
    pub(super) stamp: String,
    /// Of the folder: another installation of the same is another folder.
    pub(super) identity: Identity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

/// Says why an entry cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    Absent,
    /// It is not what was written.
    Spoiled(String),
}

pub(super) fn identity(packages: &Path) -> Option<Identity> {
    let metadata = fs::symlink_metadata(packages).ok().filter(fs::Metadata::is_dir)?;
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    Some(Identity { device: metadata.dev(), inode: metadata.ino(), changed })
}

/// Says what vouches for files, instead of reading them all.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trust<'a> {
    Nobody,
    /// The stamp that was recorded with them.
    Record,
    /// A stamp that this process has seen.
    Stamp(&'a str),
}

/// Checks the entry in a folder.
pub(super) fn check(entry: &Path, trust: Trust<'_>) -> Result<Checked, Unusable> {
    let text = match fs::read(entry.join("meta.json")) {
        Ok(text) => text,
        Err(_) if !entry.exists() => return Err(Unusable::Absent),
        Err(error) => return Err(Unusable::Spoiled(error.to_string())),
    };
    let spoiled = |why: &dyn fmt::Display| Unusable::Spoiled(why.to_string());
    let meta: Meta = serde_json::from_slice(&text).map_err(|error| spoiled(&error))?;
    if meta.format != FORMAT {
        return Err(Unusable::Spoiled(format!("its format is {}", meta.format)));
    }
    let packages = entry.join("packages");
    let identity = identity(&packages).ok_or_else(|| spoiled(&"it has no packages"))?;
    let files = disk::files(&packages).map_err(|error| spoiled(&error))?;
    let stamp = disk::stamp(&files);
    let untouched = match trust {
        Trust::Nobody => false,
        Trust::Record => stamp == meta.stamp,
        Trust::Stamp(seen) => stamp == seen,
    };
    // A copy has another stamp, and so has what was changed: only the content tells.
    if !untouched {
        let written = fs::read_to_string(entry.join("manifest")).map_err(|error| spoiled(&error))?;
        if disk::digest(&written) != meta.manifest {
            return Err(spoiled(&"its manifest is another"));
        }
        if disk::manifest(&packages, &files).map_err(|error| spoiled(&error))? != written {
            return Err(spoiled(&"its files are others"));
        }
    }
    Ok(Checked { meta, packages, stamp, identity })
}

/// Reads the pack of an entry for WebAssembly that was checked; entries for others have none.
pub(super) fn pack(checked: &Checked) -> Result<Option<Pack>, Unusable> {
    if checked.meta.platform.target != Target::Wasm {
        return Ok(None);
    }
    let bytes = fs::read(checked.packages.join(PACK)).map_err(|error| Unusable::Spoiled(error.to_string()))?;
    Pack::open(bytes.into()).map(Some).ok_or_else(|| Unusable::Spoiled("its pack is damaged".to_owned()))
}

/// The folder of the user's own.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

/// An entry as it is listed.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: Id,
    pub(super) meta: Meta,
    pub(super) last_used: SystemTime,
}

impl Store {
    pub(super) fn open(folder: PathBuf) -> Result<Store> {
        cache::private_folder(&folder)?;
        // uv works in other folders, and is given these paths.
        let folder = fs::canonicalize(&folder).map_err(|error| crate::Error::io("cannot use", &folder, error))?;
        Ok(Store { folder })
    }

    pub(super) fn entry(&self, id: &Id) -> PathBuf {
        self.folder.join(id.as_str())
    }

    /// Returns a folder of other things.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// uv's downloads.
    pub(super) fn downloads(&self) -> PathBuf {
        self.folder.join("uv")
    }

    /// Locks an entry together with others who use it; `None` while somebody has it alone.
    pub(super) fn share(&self, id: &Id) -> io::Result<Option<File>> {
        self.lock(id.as_str(), File::try_lock_shared)
    }

    /// Locks an entry alone; `None` while somebody has it.
    pub(super) fn own(&self, id: &Id) -> io::Result<Option<File>> {
        self.lock(id.as_str(), File::try_lock)
    }

    /// Keeps uv's downloads from being removed.
    pub(super) fn share_downloads(&self) -> io::Result<Option<File>> {
        self.lock("uv", File::try_lock_shared)
    }

    fn lock(&self, name: &str, lock: impl Fn(&File) -> Result<(), TryLockError>) -> io::Result<Option<File>> {
        let path = self.folder.join(format!("{name}.lock"));
        loop {
            let file =
                OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path)?;
            match lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // It may have been removed between the two.
            let ours = file.metadata()?.ino();
            match fs::metadata(&path) {
                Ok(there) if there.ino() == ours => return Ok(Some(file)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes the folder in which an entry is made, by the one that has its lock alone.
    pub(super) fn workshop(&self, id: &Id) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix(&format!("tmp-{id}-")).tempdir_in(&self.folder)
    }

    /// Makes an entry of what is in a workshop's `entry/packages`.
    pub(super) fn put(&self, id: &Id, workshop: &Path, contents: Contents) -> io::Result<Checked> {
        let Contents { platform, requirements, pins, workbench } = contents;
        let made = workshop.join("entry");
        let packages = made.join("packages");
        let files = disk::files(&packages)?;
        let (manifest, stamp) = (disk::manifest(&packages, &files)?, disk::stamp(&files));
        let names: String = pins.iter().map(|pin| format!("{}=={}\n", pin.name, pin.version)).collect();
        let meta = Meta {
            format: FORMAT,
            platform,
            requirements,
            pins,
            bytes: site::bytes(&files),
            workbench,
            manifest: disk::digest(&manifest),
            stamp: stamp.clone(),
        };
        fs::write(made.join("pins"), names)?;
        fs::write(made.join("manifest"), manifest)?;
        fs::write(made.join("meta.json"), serde_json::to_vec_pretty(&meta)?)?;
        let entry = self.entry(id);
        fs::rename(&made, &entry)?;
        let packages = entry.join("packages");
        let identity = identity(&packages).ok_or_else(|| io::Error::other("the packages vanished"))?;
        Ok(Checked { meta, packages, stamp, identity })
    }

    /// Removes an entry; the caller has its lock alone. It is gone at once, and its space a little later.
    pub(super) fn discard(&self, id: &Id) -> io::Result<()> {
        let away = self.workshop(id)?;
        match fs::rename(self.entry(id), away.path().join("entry")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => away.close(),
        }
    }

    /// Removes an entry that nobody uses, and its lock; `false` when somebody does.
    pub(super) fn remove(&self, id: &Id) -> io::Result<bool> {
        let Some(_alone) = self.own(id)? else { return Ok(false) };
        self.discard(id)?;
        fs::remove_file(self.folder.join(format!("{id}.lock")))?;
        Ok(true)
    }

    /// Returns all entries, the last used first.
    pub(super) fn list(&self) -> io::Result<Vec<Entry>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let Some(id) = entry.file_name().to_str().and_then(Id::parse) else { continue };
            let meta =
                fs::read(entry.path().join("meta.json")).ok().and_then(|text| serde_json::from_slice(&text).ok());
            let Some(meta) = meta else { continue };
            let lock = fs::metadata(self.folder.join(format!("{id}.lock")));
            let last_used = lock.and_then(|lock| lock.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            found.push(Entry { id, meta, last_used });
        }
        found.sort_by_key(|entry| std::cmp::Reverse(entry.last_used));
        Ok(found)
    }

    /// Removes what processes that died have left. The caller has the lock of `mine` alone, and nothing in the making.
    pub(super) fn sweep(&self, mine: &Id) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_prefix("tmp-")).and_then(|name| name.get(..64));
            let Some(id) = id.and_then(Id::parse) else { continue };
            let alone = if id == *mine { None } else { self.own(&id)? };
            if id == *mine || alone.is_some() {
                tracing::info!(folder = %entry.path().display(), "removed what an unfinished installation has left");
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Removes what was not used for longest, until all that is left has no more than `bytes_max`. Of that, uv's downloads
    /// may have a quarter, and bytecode an eighth. What is in use stays.
    pub(super) fn make_room(&self, bytes_max: u64, bytecode: &Bytecode) -> io::Result<()> {
        let kept = bytecode.make_room(bytes_max / 8)?;
        let mut bytes = disk::size(&self.downloads());
        if bytes > bytes_max / 4
            && let Some(_alone) = self.lock("uv", File::try_lock)?
        {
            fs::remove_dir_all(self.downloads())?;
            bytes = 0;
        }
        let entries = self.list()?;
        bytes += kept + entries.iter().map(|entry| entry.meta.bytes).sum::<u64>();
        for entry in entries.iter().rev() {
            if bytes <= bytes_max {
                break;
            }
            if self.remove(&entry.id)? {
                tracing::info!(environment = %entry.id, bytes = entry.meta.bytes, "removed to make room");
                bytes -= entry.meta.bytes;
            }
        }
        Ok(())
    }
}

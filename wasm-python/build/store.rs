//! A content-addressed folder of build steps outside `target`, shared by every checkout of the user.

use crate::Result;
use sha2::{Digest, Sha256};
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Overrides where the store is.
pub const FOLDER_VARIABLE: &str = "PYEXEC_BUILD_CACHE";

pub struct Store {
    root: PathBuf,
    /// Held for the whole build: two builds of one user take turns, and the second finds the first one's work.
    _lock: File,
}

impl Store {
    pub fn open() -> Result<Store> {
        let root = env::var_os(FOLDER_VARIABLE)
            .map(PathBuf::from)
            .or_else(|| env::var_os("XDG_CACHE_HOME").map(|home| PathBuf::from(home).join("pyexec/build")))
            .or_else(|| env::home_dir().map(|home| home.join(".cache/pyexec/build")))
            .ok_or_else(|| format!("no home folder: set {FOLDER_VARIABLE} to a folder for build results"))?;
        let fail =
            |e: std::io::Error| format!("cannot use {}: {e}; set {FOLDER_VARIABLE} to another folder", root.display());
        fs::create_dir_all(&root).map_err(fail)?;
        let lock = File::create(root.join("lock")).map_err(fail)?;
        lock.lock().map_err(fail)?;
        Ok(Store { root, _lock: lock })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns whether nothing has been built here before.
    pub fn is_new(&self) -> bool {
        let steps = fs::read_dir(&self.root).into_iter().flatten().flatten();
        !steps.into_iter().any(|step| step.file_name().to_string_lossy().starts_with("native-"))
    }

    /// The folder of the step `name` with these inputs; `work` fills it when it is not there yet.
    ///
    /// A step that fails leaves its folder behind under another name, for its logs, and is run again next time.
    pub fn step(&self, name: &str, key: &Key, work: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let done = self.root.join(format!("{name}-{}", key.short()));
        if done.is_dir() {
            return Ok(done);
        }
        let fail = |e: std::io::Error| format!("cannot write {}: {e}", done.display());
        let unfinished = self.root.join(format!("{name}-unfinished"));
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(fail)?;
        }
        fs::create_dir_all(&unfinished).map_err(fail)?;
        work(&unfinished)?;
        fs::rename(&unfinished, &done).map_err(fail)?;
        Ok(done)
    }
}

/// The hash of a step's inputs.
#[derive(Clone)]
pub struct Key(Sha256);

impl Key {
    pub fn new(what: &str) -> Key {
        Key(Sha256::new()).with(what)
    }

    pub fn with(mut self, input: impl AsRef<[u8]>) -> Key {
        let input = input.as_ref();
        self.0.update((input.len() as u64).to_le_bytes());
        self.0.update(input);
        self
    }

    /// Adds the names and contents of every file under `folder` of this crate.
    pub fn with_folder(mut self, folder: &str) -> Result<Key> {
        let mut files = Vec::new();
        list(Path::new(folder), &mut files).map_err(|e| format!("cannot read {folder}: {e}"))?;
        files.sort();
        for file in files {
            let content = fs::read(&file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
            self = self.with(file.to_string_lossy().as_bytes()).with(content);
        }
        Ok(self)
    }

    pub fn short(&self) -> String {
        hex(&self.0.clone().finalize()[..8])
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn list(folder: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { list(&path, into)? } else { into.push(path) }
    }
    Ok(())
}

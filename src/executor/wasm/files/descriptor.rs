//! What descriptors stand for.

use super::{
    errno::{Result, errno},
    pipe::{Reader, Writer},
    virtual_tree::VirtualFile,
};
use crate::sync::lock;
use cap_std::fs::{Dir, File};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64},
};

/// Says what a descriptor stands for. `Arc` is what `dup` shares.
#[derive(Debug, Clone)]
pub(crate) enum Descriptor {
    Stdin,
    Stdout,
    Stderr,
    Folder(Arc<Folder>),
    File(Arc<OpenFile>),
    Virtual(Arc<VirtualFile>),
    PipeReader(Arc<Reader>),
    PipeWriter(Arc<Writer>),
}

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(super) path: OpenPath,
    /// The folder itself, where the host has one that the job opened.
    pub(super) dir: Option<Arc<Dir>>,
    /// Cookie of the item that the host gives next.
    pub(super) position: AtomicU64,
}

impl Folder {
    pub(super) fn new(path: Vec<u8>, dir: Option<Arc<Dir>>) -> Folder {
        Folder { path: OpenPath::new(path), dir, position: AtomicU64::new(0) }
    }
}

#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(super) file: File,
    pub(super) inode: u64,
    pub(super) path: OpenPath,
    pub(crate) append: AtomicBool,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// The path of something open: absolute, and without the slash before it. Renaming keeps it right.
#[derive(Debug)]
pub(super) struct OpenPath(Mutex<Vec<u8>>);

impl OpenPath {
    pub(super) fn new(path: Vec<u8>) -> OpenPath {
        OpenPath(Mutex::new(path))
    }

    pub(super) fn get(&self) -> Vec<u8> {
        lock(&self.0).clone()
    }

    /// Follows `from`, or a folder above it that it names, to `to`.
    pub(super) fn renamed(&self, from: &[u8], to: &[u8]) {
        let mut path = lock(&self.0);
        if let Some(below) = path.strip_prefix(from)
            && (below.is_empty() || below.starts_with(b"/"))
        {
            *path = [to, below].concat();
        }
    }
}

impl OpenFile {
    pub(super) fn bytes(&self) -> Result<u64> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(errno)
    }
}

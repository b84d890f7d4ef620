//! What descriptors stand for.

use super::{
    errno::{Result, errno},
    pipe::{Reader, Writer},
    virtual_tree::VirtualFile,
};
use cap_std::fs::{Dir, File};
use std::sync::{Arc, atomic::AtomicU64};

/// What a descriptor stands for. `Arc` is what `dup` shares.
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
    /// Where it was when it was opened, as an absolute path without the slash before it.
    pub(super) path: Vec<u8>,
    /// The folder itself, where the host has one that the job opened.
    pub(super) dir: Option<Arc<Dir>>,
    /// Cookie of the item that the host gives next.
    pub(super) position: AtomicU64,
}

impl Folder {
    pub(super) fn new(path: Vec<u8>, dir: Option<Arc<Dir>>) -> Folder {
        Folder { path, dir, position: AtomicU64::new(0) }
    }
}

#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(super) file: File,
    pub(super) inode: u64,
    /// Where it was when it was opened, as an absolute path without the slash before it.
    pub(super) path: Vec<u8>,
    pub(crate) append: bool,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

impl OpenFile {
    pub(super) fn bytes(&self) -> Result<u64> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(errno)
    }
}

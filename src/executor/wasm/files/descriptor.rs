//! What descriptors stand for.

use super::{
    errno::{Result, errno},
    stat::Item,
    trees::DiskTree,
    virtual_tree::{VirtualFile, VirtualPath},
};
use cap_std::fs::{Dir, File};
use std::sync::{Arc, Mutex};

/// What a descriptor stands for. `Arc` is what `dup` shares.
#[derive(Debug, Clone)]
pub(crate) enum Descriptor {
    Stdin,
    Stdout,
    Stderr,
    Folder(Arc<Folder>),
    File(Arc<OpenFile>),
    Virtual(Arc<VirtualFile>),
}

impl Descriptor {
    pub(super) fn folder(place: Place) -> Descriptor {
        Descriptor::Folder(Arc::new(Folder { place, listing: Mutex::new(None) }))
    }
}

#[derive(Debug)]
pub(crate) struct Folder {
    pub(super) place: Place,
    /// Listing as of the last time it was read from its start.
    pub(super) listing: Mutex<Option<Arc<Vec<Item>>>>,
}

#[derive(Debug)]
pub(super) enum Place {
    /// One of the job's two directories.
    Disk(DiskTree),
    /// A folder inside them.
    Opened(Dir),
    Virtual(VirtualPath),
}

#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(super) file: File,
    pub(super) inode: u64,
    pub(crate) append: bool,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

impl OpenFile {
    pub(super) fn bytes(&self) -> Result<u64> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(errno)
    }
}

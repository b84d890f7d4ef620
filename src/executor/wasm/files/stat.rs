//! What a job is told about files.

use crate::executor::wasm::preview1::types::Filetype;
use cap_std::fs::{Dir, Metadata, MetadataExt};
use std::{io, path::Path};

/// Holds what `stat` tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stat {
    pub(crate) inode: u64,
    pub(crate) kind: Filetype,
    pub(crate) mode: u32,
    pub(crate) links: u32,
    pub(crate) bytes: u64,
    pub(crate) accessed_ns: u64,
    pub(crate) modified_ns: u64,
    pub(crate) changed_ns: u64,
}

/// Bytes of WASI's record of a name, before the name.
pub(crate) const RECORD_HEAD_BYTES: usize = 24;

/// One name in a folder.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) name: Vec<u8>,
    pub(crate) inode: u64,
    pub(crate) kind: Filetype,
    /// Stands for the item after this one.
    pub(crate) next: u64,
}

impl Stat {
    /// Describes a file of the host, with the usual permission bits.
    pub(super) fn of(metadata: &Metadata) -> Stat {
        let (kind, mode) = if metadata.is_dir() {
            (Filetype::Directory, 0o755)
        } else if metadata.is_symlink() {
            (Filetype::SymbolicLink, 0o777)
        } else if metadata.is_file() {
            (Filetype::RegularFile, 0o644)
        } else {
            (Filetype::Unknown, 0o644)
        };
        let nanoseconds = |seconds: i64, rest: i64| {
            u64::try_from(i128::from(seconds) * 1_000_000_000 + i128::from(rest)).unwrap_or_default()
        };
        Stat {
            inode: metadata.ino(),
            kind,
            mode,
            links: u32::try_from(metadata.nlink()).unwrap_or(u32::MAX),
            bytes: metadata.len(),
            accessed_ns: nanoseconds(metadata.atime(), metadata.atime_nsec()),
            modified_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    pub(super) fn read_only(kind: Filetype, bytes: u64, inode: u64) -> Stat {
        let mode = if kind == Filetype::Directory { 0o555 } else { 0o444 };
        Stat { inode, kind, mode, links: 1, bytes, accessed_ns: 0, modified_ns: 0, changed_ns: 0 }
    }

    pub(super) fn link(bytes: u64, inode: u64) -> Stat {
        Stat { mode: 0o777, ..Stat::read_only(Filetype::SymbolicLink, bytes, inode) }
    }

    /// Describes a pipe, which standard streams look like, too. WASI has no type for those, so it comes with the
    /// permission bits.
    pub(super) fn pipe(inode: u64) -> Stat {
        const S_IFIFO: u32 = 0o010_000;
        Stat { mode: S_IFIFO | 0o600, ..Stat::read_only(Filetype::Unknown, 0, inode) }
    }
}

impl Item {
    pub(super) fn new(name: &[u8], inode: u64, kind: Filetype) -> Item {
        Item { name: name.to_owned(), inode, kind, next: 0 }
    }

    /// Returns how many bytes its record in a listing of WASI takes.
    pub(super) fn record_bytes(&self) -> usize {
        RECORD_HEAD_BYTES + self.name.len()
    }
}

/// Returns what the host knows of a path; of a link itself unless it is to be followed.
pub(super) fn metadata(dir: &Dir, path: &Path, follow: bool) -> io::Result<Metadata> {
    if follow { dir.metadata(path) } else { dir.symlink_metadata(path) }
}

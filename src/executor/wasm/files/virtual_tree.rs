//! Read-only trees without any file of the host behind them: `/usr`, `/dev`, and the folder of all trees.

use super::{
    errno::Result,
    stat::{Item, Stat},
    trees::{PREOPENED, VirtualTree},
};
use crate::executor::wasm::library::{Library, Node};
use bytes::Bytes;
use std::{
    io::SeekFrom,
    sync::atomic::{AtomicU64, Ordering},
};
use wasmtime_wasi::p1::types::{Errno, Filetype};

/// A place in a virtual tree, whether there is something or not.
#[derive(Debug)]
pub(super) struct VirtualPath {
    tree: VirtualTree,
    /// From the root of the tree, without `.` and `..`; empty for the root itself.
    path: String,
    library: Library,
}

/// What is at such a place.
pub(super) enum Found {
    Folder,
    File(VirtualFile),
}

impl VirtualPath {
    pub(super) fn root(tree: VirtualTree, library: Library) -> VirtualPath {
        VirtualPath { tree, path: String::new(), library }
    }

    /// The place that `path` means from this folder; nothing is above the root of the tree.
    pub(super) fn join(&self, path: &str) -> Result<VirtualPath> {
        if path.starts_with('/') {
            return Err(Errno::Perm);
        }
        let mut parts: Vec<&str> = self.path.split('/').filter(|part| !part.is_empty()).collect();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop().ok_or(Errno::Perm)?),
                part => parts.push(part),
            }
        }
        Ok(VirtualPath { tree: self.tree, path: parts.join("/"), library: self.library.clone() })
    }

    pub(super) fn find(&self) -> Option<Found> {
        let content = match self.tree {
            VirtualTree::Devices | VirtualTree::Root if self.path.is_empty() => return Some(Found::Folder),
            VirtualTree::Devices => DEVICES.iter().find(|(name, _)| *name == self.path)?.1.clone(),
            VirtualTree::Root => return root_names().any(|name| name == self.path).then_some(Found::Folder),
            VirtualTree::Library => match self.library.node(&self.path)? {
                Node::Folder => return Some(Found::Folder),
                Node::File(bytes) => Content::Bytes(bytes),
            },
        };
        Some(Found::File(VirtualFile { content, position: AtomicU64::new(0), inode: inode(&self.path) }))
    }

    pub(super) fn stat(&self) -> Result<Stat> {
        match self.find().ok_or(Errno::Noent)? {
            Found::Folder => Ok(Stat::read_only(Filetype::Directory, 0, inode(&self.path))),
            Found::File(file) => Ok(file.stat()),
        }
    }

    /// Names in this folder.
    pub(super) fn list(&self) -> Vec<Item> {
        let mut items =
            vec![Item::new(".", inode(&self.path), Filetype::Directory), Item::new("..", 0, Filetype::Directory)];
        match self.tree {
            VirtualTree::Devices => {
                items.extend(DEVICES.iter().map(|(name, _)| Item::new(name, inode(name), Filetype::CharacterDevice)));
            }
            VirtualTree::Root => {
                items.extend(root_names().map(|name| Item::new(name, inode(name), Filetype::Directory)));
            }
            VirtualTree::Library => {
                items.extend(self.library.list(&self.path).into_iter().map(|(name, is_folder)| {
                    let kind = if is_folder { Filetype::Directory } else { Filetype::RegularFile };
                    Item::new(&name, inode(&format!("{}/{name}", self.path)), kind)
                }));
            }
        }
        items
    }
}

/// An open file of a virtual tree.
#[derive(Debug)]
pub(crate) struct VirtualFile {
    content: Content,
    position: AtomicU64,
    inode: u64,
}

#[derive(Debug, Clone)]
enum Content {
    Bytes(Bytes),
    Null,
    Zero,
    Random,
}

static DEVICES: [(&str, Content); 5] = [
    ("full", Content::Zero),
    ("null", Content::Null),
    ("random", Content::Random),
    ("urandom", Content::Random),
    ("zero", Content::Zero),
];

impl VirtualFile {
    pub(super) fn is_device(&self) -> bool {
        !matches!(self.content, Content::Bytes(_))
    }

    pub(super) fn stat(&self) -> Stat {
        match &self.content {
            Content::Bytes(bytes) => Stat::read_only(Filetype::RegularFile, bytes.len() as u64, self.inode),
            _ => Stat { mode: 0o666, ..Stat::read_only(Filetype::CharacterDevice, 0, self.inode) },
        }
    }

    pub(super) fn read(&self, into: &mut [u8], at: Option<u64>) -> Result<usize> {
        match &self.content {
            Content::Bytes(bytes) => {
                let from = at.unwrap_or_else(|| self.position());
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                let n = into.len().min(bytes.len() - from);
                into[..n].copy_from_slice(&bytes[from..from + n]);
                if at.is_none() {
                    self.set_position(self.position() + n as u64);
                }
                Ok(n)
            }
            Content::Null => Ok(0),
            Content::Zero => {
                into.fill(0);
                Ok(into.len())
            }
            Content::Random => getrandom::fill(into).map(|()| into.len()).map_err(|_| Errno::Io),
        }
    }

    /// Devices take everything; the rest cannot be written.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize> {
        if self.is_device() { Ok(bytes.len()) } else { Err(Errno::Badf) }
    }

    pub(super) fn seek(&self, to: SeekFrom) -> Result<u64> {
        let Content::Bytes(bytes) = &self.content else { return Ok(0) };
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.position().checked_add_signed(by),
            SeekFrom::End(by) => (bytes.len() as u64).checked_add_signed(by),
        };
        let position = position.ok_or(Errno::Inval)?;
        self.set_position(position);
        Ok(position)
    }

    // A job makes one call at a time, so no order has to be kept.
    fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    fn set_position(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
    }
}

/// Names in the folder of all trees.
fn root_names() -> impl Iterator<Item = &'static str> {
    PREOPENED.iter().map(|(path, _)| path.trim_start_matches('/')).filter(|name| !name.is_empty())
}

/// A number for a path of a virtual tree, so that `os.path.samefile` tells files apart (FNV-1a).
fn inode(path: &str) -> u64 {
    path.trim_start_matches('/')
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(tree: VirtualTree) -> VirtualPath {
        VirtualPath::root(tree, Library::new(wasm_python::STDLIB).unwrap())
    }

    #[test]
    fn no_path_leads_out_of_a_virtual_tree() {
        let library = root(VirtualTree::Library);
        let folder = library.join("lib/./python3.14//").unwrap();
        assert_eq!(folder.path, "lib/python3.14");
        assert_eq!(folder.join("../..").unwrap().path, "");
        assert_eq!(folder.join("../../..").unwrap_err(), Errno::Perm);
        assert_eq!(library.join("/lib").unwrap_err(), Errno::Perm);
    }

    #[test]
    fn everything_listed_is_there() {
        for (tree, path) in [
            (VirtualTree::Root, "."),
            (VirtualTree::Devices, "."),
            (VirtualTree::Library, "."),
            (VirtualTree::Library, "lib/python3.14"),
        ] {
            let folder = root(tree).join(path).unwrap();
            let items = folder.list();
            assert!(items.len() > 2, "{tree:?} is empty");
            for item in items.iter().filter(|item| item.name != "..") {
                let stat = folder.join(&item.name).unwrap().stat().unwrap();
                assert_eq!((stat.kind, stat.inode), (item.kind, item.inode), "{}", item.name);
            }
        }
    }
}

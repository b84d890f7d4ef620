//! The read-only part of a job's tree, without any file of the host behind it: `/usr`, `/dev`, and the folders above them.

use super::{
    errno::Result,
    stat::{Item, Stat},
    trees::is_preopened,
};
use crate::executor::wasm::library::{self, Library};
use crate::executor::wasm::preview1::types::{Errno, Filetype};
use bytes::Bytes;
use std::{
    io::SeekFrom,
    sync::atomic::{AtomicU64, Ordering},
};

/// Folders below the root that are on the host's disk, by the same names there.
pub(super) static DISK_FOLDERS: [&str; 2] = ["tmp", "work"];

static LIBRARY: &str = "usr";
/// Its names are the numbers of the open descriptors.
pub(super) const DESCRIPTORS: &str = "proc/self/fd";
static FOLDERS: [&str; 5] = ["dev", "mnt", "proc", "proc/self", DESCRIPTORS];
/// The folder of the library whose files are programs.
static PROGRAMS: &str = "usr/bin/";

/// Symbolic links. Other services have the project in `/mnt/data`, and models look for it there.
static LINKS: [(&str, &str); 5] = [
    ("dev/fd", "/proc/self/fd"),
    ("dev/stderr", "/proc/self/fd/2"),
    ("dev/stdin", "/proc/self/fd/0"),
    ("dev/stdout", "/proc/self/fd/1"),
    ("mnt/data", "/work"),
];

static DEVICES: [(&str, Content); 6] = [
    ("dev/full", Content::Full),
    ("dev/null", Content::Null),
    ("dev/random", Content::Random),
    ("dev/tty", Content::Terminal),
    ("dev/urandom", Content::Random),
    ("dev/zero", Content::Zero),
];

/// The tree. Its paths are absolute, normal, and without the slash before them.
#[derive(Debug)]
pub(super) struct VirtualTree {
    library: Library,
}

/// Says what is at a path.
#[derive(Debug)]
pub(super) enum Node {
    Folder,
    File(VirtualFile),
    Link(&'static str),
    /// Stands for an open descriptor, if there is one of this number. The job knows nothing of those it has from the start.
    Descriptor(u32),
}

impl VirtualTree {
    pub(super) fn new(library: Library) -> VirtualTree {
        VirtualTree { library }
    }

    pub(super) fn node(&self, path: &[u8]) -> Option<Node> {
        let path = str::from_utf8(path).ok()?;
        let below_library = path.strip_prefix(LIBRARY).and_then(|rest| match rest {
            "" => Some(rest),
            _ => rest.strip_prefix('/'),
        });
        if let Some(below) = below_library {
            return Some(match self.library.node(below)? {
                library::Node::Folder => Node::Folder,
                library::Node::File(bytes) => Node::File(VirtualFile::new(Content::Bytes(bytes), path)),
            });
        }
        if path.is_empty() || FOLDERS.contains(&path) || DISK_FOLDERS.contains(&path) {
            return Some(Node::Folder);
        }
        if let Some((_, target)) = LINKS.iter().find(|(link, _)| *link == path) {
            return Some(Node::Link(target));
        }
        if let Some((_, content)) = DEVICES.iter().find(|(device, _)| *device == path) {
            return Some(Node::File(VirtualFile::new(content.clone(), path)));
        }
        let number = path.strip_prefix(DESCRIPTORS)?.strip_prefix('/')?;
        let canonical = number.bytes().all(|byte| byte.is_ascii_digit()) && (number == "0" || !number.starts_with('0'));
        let number = number.parse::<u32>().ok().filter(|number| canonical && !is_preopened(*number as usize));
        number.map(Node::Descriptor)
    }

    /// Returns the status of a node, as `lstat` tells it.
    pub(super) fn stat(&self, path: &[u8]) -> Result<Stat> {
        Ok(match self.node(path).ok_or(Errno::Noent)? {
            Node::Folder => Stat::read_only(Filetype::Directory, 0, inode(path)),
            Node::File(file) => file.stat(),
            Node::Link(target) => Stat::link(target.len() as u64, inode(path)),
            Node::Descriptor(_) => Stat::link(64, inode(path)),
        })
    }

    /// Lists the names in a folder, but for those of open descriptors.
    pub(super) fn list(&self, path: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        let mut add = |path: &str, name: &str, kind| {
            items.push(Item::new(name.as_bytes(), inode(path.as_bytes()), kind));
        };
        let path = String::from_utf8_lossy(path);
        add(&path, ".", Filetype::Directory);
        add(path.rsplit_once('/').map_or("", |(parent, _)| parent), "..", Filetype::Directory);
        if let Some(below) = path.strip_prefix(LIBRARY) {
            for (name, is_folder) in self.library.list(below.trim_start_matches('/')) {
                let kind = if is_folder { Filetype::Directory } else { Filetype::RegularFile };
                add(&format!("{path}/{name}"), &name, kind);
            }
            return items;
        }
        let folders = FOLDERS.iter().chain(&DISK_FOLDERS).chain([&LIBRARY]).map(|path| (*path, Filetype::Directory));
        let links = LINKS.iter().map(|(path, _)| (*path, Filetype::SymbolicLink));
        let devices = DEVICES.iter().map(|(path, _)| (*path, Filetype::CharacterDevice));
        for (other, kind) in folders.chain(links).chain(devices) {
            let (parent, name) = other.rsplit_once('/').unwrap_or(("", other));
            if parent == path {
                add(other, name, kind);
            }
        }
        items
    }
}

/// An open file of the virtual tree.
#[derive(Debug)]
pub(crate) struct VirtualFile {
    content: Content,
    position: AtomicU64,
    inode: u64,
    path: String,
}

#[derive(Debug, Clone)]
enum Content {
    Bytes(Bytes),
    Full,
    Null,
    Random,
    /// There is none, so it cannot be opened.
    Terminal,
    Zero,
}

impl VirtualFile {
    fn new(content: Content, path: &str) -> VirtualFile {
        let inode = inode(path.as_bytes());
        VirtualFile { content, position: AtomicU64::new(0), inode, path: path.to_owned() }
    }

    /// Returns the same file, open once more.
    pub(super) fn reopened(&self) -> VirtualFile {
        VirtualFile::new(self.content.clone(), &self.path)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn is_device(&self) -> bool {
        !matches!(self.content, Content::Bytes(_))
    }

    pub(super) fn is_terminal(&self) -> bool {
        matches!(self.content, Content::Terminal)
    }

    pub(super) fn stat(&self) -> Stat {
        match &self.content {
            Content::Bytes(bytes) => {
                let is_program = self.path.starts_with(PROGRAMS);
                let stat = Stat::read_only(Filetype::RegularFile, bytes.len() as u64, self.inode);
                Stat { mode: if is_program { 0o555 } else { stat.mode }, ..stat }
            }
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
            Content::Null | Content::Terminal => Ok(0),
            Content::Full | Content::Zero => {
                into.fill(0);
                Ok(into.len())
            }
            Content::Random => getrandom::fill(into).map(|()| into.len()).map_err(|_| Errno::Io),
        }
    }

    /// Devices take everything, but for the one that is always full; the rest cannot be written.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize> {
        match &self.content {
            Content::Bytes(_) => Err(Errno::Badf),
            Content::Full if !bytes.is_empty() => Err(Errno::Nospc),
            _ => Ok(bytes.len()),
        }
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

/// Returns a number for a path of the virtual tree, so that `os.path.samefile` tells files apart (FNV-1a).
pub(super) fn inode(path: &[u8]) -> u64 {
    path.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> VirtualTree {
        VirtualTree::new(Library::new(wasm_python::STDLIB).unwrap())
    }

    #[test]
    fn everything_listed_is_there() {
        let tree = tree();
        for folder in ["", "dev", "mnt", "proc/self", "usr", "usr/lib/python3.14"] {
            let items = tree.list(folder.as_bytes());
            assert!(items.len() > 2, "/{folder} is empty");
            for item in items.iter().filter(|item| !item.name.starts_with(b".")) {
                let name = str::from_utf8(&item.name).unwrap();
                let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                let stat = tree.stat(path.as_bytes()).unwrap();
                assert_eq!((stat.kind, stat.inode), (item.kind, item.inode), "{path}");
            }
        }
    }

    #[test]
    fn nothing_is_there_that_is_not_listed() {
        let tree = tree();
        for path in
            ["etc/shadow", "usrlib", "dev/null/x", "proc/self/fd/01", "proc/self/fd/+1", "proc/self/fd/x", "workshop"]
        {
            assert!(tree.node(path.as_bytes()).is_none(), "{path}");
        }
        assert!(matches!(tree.node(b"proc/self/fd/17"), Some(Node::Descriptor(17))));
    }
}

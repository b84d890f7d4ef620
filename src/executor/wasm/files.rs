//! The job's file descriptors and directories.
//!
//! Files are reached through cap-std, which resolves every path inside a directory handle: `..`, absolute paths and links
//! cannot leave it. On top of that come the disk quota, permission bits (WASI has none, so they are kept here), and two
//! read-only trees without any file of the host behind them: `/usr` and `/dev`.

use super::{
    library::{Library, Node},
    quota::Quota,
};
use crate::{
    Limits,
    project::{Project, Workspace},
};
use cap_std::fs::{Dir, File, Metadata, MetadataExt, OpenOptions};
use std::{
    collections::HashMap,
    io::{self, Read, Seek, SeekFrom, Write},
    sync::Arc,
};
use wasmtime_wasi::p1::types::{Errno, Filetype};

/// Descriptors that a job has from the start. The snapshot remembers them, so their order is fixed.
pub(crate) const PREOPENED: [(&str, Tree); 5] = [
    ("/work", Tree::Project),
    ("/tmp", Tree::Temporary),
    ("/usr", Tree::Library),
    ("/dev", Tree::Devices),
    ("/", Tree::Root),
];
pub(crate) const FIRST_PREOPENED: usize = 3;

const DESCRIPTORS_MAX: usize = 4096;

pub(crate) type Result<T, E = Errno> = std::result::Result<T, E>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tree {
    Project,
    Temporary,
    Library,
    Devices,
    /// The folder of the other four.
    Root,
}

/// What a descriptor stands for. `Arc` is what `dup` shares.
#[derive(Debug, Clone)]
pub(crate) enum Descriptor {
    Stdin,
    Stdout,
    Stderr,
    Folder(Arc<Folder>),
    File(Arc<OpenFile>),
    /// A file or folder of a tree that only exists here, with the position in it.
    Virtual(Arc<std::sync::Mutex<Virtual>>),
}

#[derive(Debug)]
pub(crate) struct Folder {
    place: Place,
    /// Listing as of the last time it was read from its start.
    listing: std::sync::Mutex<Option<Arc<Vec<Item>>>>,
}

#[derive(Debug)]
enum Place {
    /// One of the job's two directories, which are made when they are first needed.
    Root(Tree),
    Opened(Dir),
    /// A folder of the library or of `/dev`.
    Virtual(Tree, String),
}

#[derive(Debug)]
pub(crate) struct OpenFile {
    file: File,
    inode: u64,
    pub(crate) append: bool,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

#[derive(Debug)]
pub(crate) struct Virtual {
    content: Content,
    position: u64,
    inode: u64,
}

#[derive(Debug, Clone, Copy)]
enum Content {
    Bytes(&'static [u8]),
    Null,
    Zero,
    Random,
}

/// One name in a folder.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) inode: u64,
    pub(crate) kind: Filetype,
}

/// What `stat` tells.
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

/// How a file is to be opened.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "these are open(2)'s flags")]
pub(crate) struct Open {
    pub(crate) follow: bool,
    pub(crate) create: bool,
    pub(crate) exclusive: bool,
    pub(crate) truncate: bool,
    pub(crate) folder: bool,
    pub(crate) append: bool,
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// All files of one job.
pub(crate) struct Files {
    descriptors: Vec<Option<Descriptor>>,
    project: Project,
    workspace: Option<Workspace>,
    library: Library,
    pub(crate) quota: Quota,
    /// Permission bits by inode, where they are not the usual ones.
    modes: HashMap<u64, u32>,
    /// Permission bits that new files do not get.
    umask: u32,
    /// Targets of symbolic links, by inode, where they were given as absolute paths.
    absolute_links: HashMap<u64, String>,
}

impl Files {
    pub(crate) fn new(project: Project, library: Library, limits: &Limits) -> Files {
        let mut descriptors = vec![Some(Descriptor::Stdin), Some(Descriptor::Stdout), Some(Descriptor::Stderr)];
        descriptors.extend(PREOPENED.map(|(_, tree)| {
            let place = match tree {
                Tree::Project | Tree::Temporary => Place::Root(tree),
                Tree::Library | Tree::Devices | Tree::Root => Place::Virtual(tree, String::new()),
            };
            Some(folder(place))
        }));
        let quota = Quota::new(limits, project.size());
        Files {
            descriptors,
            project,
            workspace: None,
            library,
            quota,
            modes: HashMap::new(),
            umask: 0o022,
            absolute_links: HashMap::new(),
        }
    }

    pub(crate) fn umask(&mut self, mask: u32) {
        self.umask = mask & 0o777;
    }

    /// The job's directories, when it ever needed them.
    pub(crate) fn into_workspace(self) -> Option<Workspace> {
        self.workspace
    }

    pub(crate) fn get(&self, fd: u32) -> Result<&Descriptor> {
        self.descriptors.get(fd as usize).and_then(Option::as_ref).ok_or(Errno::Badf)
    }

    pub(crate) fn close(&mut self, fd: u32) -> Result<()> {
        let slot = self.descriptors.get_mut(fd as usize).ok_or(Errno::Badf)?;
        let descriptor = slot.take().ok_or(Errno::Badf)?;
        self.release(descriptor);
        Ok(())
    }

    /// `dup2` with the old descriptor closed: what WASI calls renumbering.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<()> {
        self.duplicate_to(from, to)?;
        if from == to { Ok(()) } else { self.close(from) }
    }

    pub(crate) fn duplicate(&mut self, fd: u32) -> Result<u32> {
        let descriptor = self.get(fd)?.clone();
        self.insert(descriptor)
    }

    pub(crate) fn duplicate_to(&mut self, from: u32, to: u32) -> Result<()> {
        let descriptor = self.get(from)?.clone();
        let at = to as usize;
        if at >= DESCRIPTORS_MAX {
            return Err(Errno::Badf);
        }
        if from == to {
            return Ok(());
        }
        if at >= self.descriptors.len() {
            self.descriptors.resize(at + 1, None);
        }
        if let Some(old) = self.descriptors[at].replace(descriptor) {
            self.release(old);
        }
        Ok(())
    }

    fn insert(&mut self, descriptor: Descriptor) -> Result<u32> {
        let at = match self.descriptors.iter().position(Option::is_none) {
            Some(free) => free,
            None if self.descriptors.len() < DESCRIPTORS_MAX => {
                self.descriptors.push(None);
                self.descriptors.len() - 1
            }
            None => {
                self.release(descriptor);
                return Err(Errno::Mfile);
            }
        };
        self.descriptors[at] = Some(descriptor);
        u32::try_from(at).map_err(|_| Errno::Mfile)
    }

    fn release(&mut self, descriptor: Descriptor) {
        if let Descriptor::File(file) = descriptor
            && Arc::strong_count(&file) == 1
        {
            self.quota.closed(file.inode, || file.file.metadata().map_or(0, |metadata| metadata.len()));
        }
    }

    fn folder(&self, fd: u32) -> Result<Arc<Folder>> {
        match self.get(fd)? {
            Descriptor::Folder(folder) => Ok(Arc::clone(folder)),
            _ => Err(Errno::Notdir),
        }
    }

    /// The folder as a directory of the host, or the place in a virtual tree that `path` means from there.
    fn resolve<'a>(&'a mut self, folder: &'a Folder, path: &str) -> Result<Resolved<'a>> {
        match &folder.place {
            Place::Opened(dir) => Ok(Resolved::Real(dir)),
            Place::Virtual(tree, at) => Ok(Resolved::Virtual(*tree, join(at, path)?)),
            Place::Root(tree) => {
                if self.workspace.is_none() {
                    self.workspace = Some(Workspace::create(&self.project).map_err(errno)?);
                }
                let workspace = self.workspace.as_ref().ok_or(Errno::Io)?;
                Ok(Resolved::Real(if *tree == Tree::Temporary { &workspace.temporary } else { &workspace.project }))
            }
        }
    }

    /// A directory that can be changed; the virtual trees cannot.
    fn writable<'a>(&'a mut self, folder: &'a Folder) -> Result<&'a Dir> {
        match self.resolve(folder, "")? {
            Resolved::Real(dir) => Ok(dir),
            Resolved::Virtual(..) => Err(Errno::Rofs),
        }
    }

    pub(crate) fn open(&mut self, fd: u32, path: &str, how: Open) -> Result<u32> {
        let folder = self.folder(fd)?;
        let library = self.library;
        let descriptor = match self.resolve(&folder, path)? {
            Resolved::Virtual(tree, at) => open_virtual(library, tree, at, how)?,
            Resolved::Real(dir) => {
                let existing = if how.follow { dir.metadata(path) } else { dir.symlink_metadata(path) };
                match existing {
                    Ok(metadata) if metadata.is_dir() => {
                        if how.exclusive && how.create {
                            return Err(Errno::Exist);
                        }
                        if how.write || how.truncate {
                            return Err(Errno::Isdir);
                        }
                        super::files::folder(Place::Opened(dir.open_dir(path).map_err(errno)?))
                    }
                    Ok(metadata) => {
                        if how.create && how.exclusive {
                            return Err(Errno::Exist);
                        }
                        if how.folder {
                            return Err(Errno::Notdir);
                        }
                        if metadata.is_symlink() {
                            return Err(Errno::Loop);
                        }
                        if !metadata.is_file() {
                            // Opening a FIFO or device could block the host.
                            return Err(Errno::Perm);
                        }
                        let before = metadata.len();
                        let file = dir.open_with(path, &options(how, false)).map_err(errno)?;
                        let opened = self.opened(file, how)?;
                        if how.truncate {
                            self.quota.shrink(before);
                        }
                        opened
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound && how.create => {
                        if how.folder {
                            return Err(Errno::Inval);
                        }
                        self.create(&folder, path, how)?
                    }
                    Err(error) => return Err(errno(error)),
                }
            }
        };
        self.insert(descriptor)
    }

    fn create(&mut self, folder: &Folder, path: &str, how: Open) -> Result<Descriptor> {
        if path.ends_with('/') {
            return Err(Errno::Isdir);
        }
        self.quota.add_file().map_err(|_| Errno::Nospc)?;
        let created = self.writable(folder)?.open_with(path, &options(how, true)).map_err(errno);
        let opened = created.and_then(|file| self.opened(file, how));
        match &opened {
            Ok(Descriptor::File(file)) => self.remember_mode(file.inode, 0o666),
            Ok(_) => {}
            Err(_) => self.quota.remove_file(),
        }
        opened
    }

    /// Permission bits of a new file or folder.
    fn remember_mode(&mut self, inode: u64, mode: u32) {
        if self.umask != 0o022 {
            self.modes.insert(inode, mode & !self.umask);
        }
    }

    fn opened(&mut self, file: File, how: Open) -> Result<Descriptor> {
        let inode = file.metadata().map_err(errno)?.ino();
        self.quota.opened(inode);
        let (append, readable, writable) = (how.append, how.read, how.write);
        Ok(Descriptor::File(Arc::new(OpenFile { file, inode, append, readable, writable })))
    }

    pub(crate) fn stat(&mut self, fd: u32) -> Result<Stat> {
        let descriptor = self.get(fd)?.clone();
        match descriptor {
            Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Ok(Stat::pipe(u64::from(fd) + 1)),
            Descriptor::File(file) => Ok(self.known(&file.file.metadata().map_err(errno)?)),
            Descriptor::Virtual(file) => file.lock().map(|file| file.stat()).map_err(|_| Errno::Io),
            Descriptor::Folder(folder) => match self.resolve(&folder, "")? {
                Resolved::Virtual(_, at) => Ok(Stat::read_only(Filetype::Directory, 0, inode_of(&at))),
                Resolved::Real(dir) => {
                    let metadata = dir.dir_metadata().map_err(errno)?;
                    Ok(self.known(&metadata))
                }
            },
        }
    }

    pub(crate) fn stat_path(&mut self, fd: u32, path: &str, follow: bool) -> Result<Stat> {
        let folder = self.folder(fd)?;
        let library = self.library;
        match self.resolve(&folder, path)? {
            Resolved::Virtual(tree, at) => {
                open_virtual(library, tree, at.clone(), Open { read: true, ..Open::default() }).and_then(|found| {
                    match found {
                        Descriptor::Virtual(file) => file.lock().map(|file| file.stat()).map_err(|_| Errno::Io),
                        _ => Ok(Stat::read_only(Filetype::Directory, 0, inode_of(&at))),
                    }
                })
            }
            Resolved::Real(dir) => {
                let metadata = if follow { dir.metadata(path) } else { dir.symlink_metadata(path) }.map_err(errno)?;
                Ok(self.known(&metadata))
            }
        }
    }

    fn known(&self, metadata: &Metadata) -> Stat {
        let kind = if metadata.is_dir() {
            Filetype::Directory
        } else if metadata.is_symlink() {
            Filetype::SymbolicLink
        } else if metadata.is_file() {
            Filetype::RegularFile
        } else {
            Filetype::Unknown
        };
        let usual = match kind {
            Filetype::Directory => 0o755,
            Filetype::SymbolicLink => 0o777,
            _ => 0o644,
        };
        let nanoseconds = |seconds: i64, rest: i64| {
            u64::try_from(i128::from(seconds) * 1_000_000_000 + i128::from(rest)).unwrap_or_default()
        };
        Stat {
            inode: metadata.ino(),
            kind,
            mode: self.modes.get(&metadata.ino()).copied().unwrap_or(usual),
            links: u32::try_from(metadata.nlink()).unwrap_or(u32::MAX),
            bytes: metadata.len(),
            accessed_ns: nanoseconds(metadata.atime(), metadata.atime_nsec()),
            modified_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Sets permission bits; an empty path is the descriptor's own file.
    pub(crate) fn chmod(&mut self, fd: u32, path: &str, mode: u32) -> Result<()> {
        let stat = if path.is_empty() { self.stat(fd)? } else { self.stat_path(fd, path, true)? };
        if let Descriptor::Folder(folder) = self.get(fd)?
            && matches!(folder.place, Place::Virtual(..))
        {
            return Err(Errno::Rofs);
        }
        self.modes.insert(stat.inode, mode & 0o7777);
        Ok(())
    }

    /// The folder's items, from memory unless it is read from its start.
    pub(crate) fn list(&mut self, fd: u32, from_start: bool) -> Result<Arc<Vec<Item>>> {
        let folder = self.folder(fd)?;
        if !from_start
            && let Ok(listing) = folder.listing.lock()
            && let Some(listing) = listing.as_ref()
        {
            return Ok(Arc::clone(listing));
        }
        let library = self.library;
        let items = match self.resolve(&folder, "")? {
            Resolved::Virtual(tree, at) => list_virtual(library, tree, &at),
            Resolved::Real(dir) => {
                use rustix::fs::FileType as Kind;
                let mut items = Vec::new();
                // cap-std's own handles are for resolving paths only.
                let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
                let readable = rustix::fs::openat(dir, ".", flags, rustix::fs::Mode::empty());
                let entries = readable.and_then(rustix::fs::Dir::new).map_err(|e| errno(e.into()))?;
                for entry in entries {
                    let entry = entry.map_err(|e| errno(e.into()))?;
                    let kind = match entry.file_type() {
                        Kind::Directory => Filetype::Directory,
                        Kind::RegularFile => Filetype::RegularFile,
                        Kind::Symlink => Filetype::SymbolicLink,
                        _ => Filetype::Unknown,
                    };
                    items.push(item(&entry.file_name().to_string_lossy(), entry.ino(), kind));
                }
                items
            }
        };
        let items = Arc::new(items);
        if let Ok(mut listing) = folder.listing.lock() {
            *listing = Some(Arc::clone(&items));
        }
        Ok(items)
    }

    pub(crate) fn read(&mut self, fd: u32, into: &mut [u8], at: Option<u64>) -> Result<usize> {
        match self.get(fd)? {
            Descriptor::File(file) if file.readable => match at {
                None => (&file.file).read(into).map_err(errno),
                Some(at) => rustix::io::pread(&file.file, into, at).map_err(|e| errno(e.into())),
            },
            Descriptor::Virtual(file) => file.lock().map_err(|_| Errno::Io)?.read(into, at),
            Descriptor::Folder(_) => Err(Errno::Isdir),
            _ => Err(Errno::Badf),
        }
    }

    /// Writes as much as the quota allows.
    pub(crate) fn write(&mut self, fd: u32, bytes: &[u8], at: Option<u64>) -> Result<usize> {
        let file = match self.get(fd)? {
            Descriptor::File(file) if file.writable => Arc::clone(file),
            Descriptor::Virtual(file) => {
                let file = file.lock().map_err(|_| Errno::Io)?;
                return if matches!(file.content, Content::Bytes(_)) { Err(Errno::Badf) } else { Ok(bytes.len()) };
            }
            _ => return Err(Errno::Badf),
        };
        if bytes.is_empty() {
            return Ok(0);
        }
        let length = file.file.metadata().map_err(errno)?.len();
        let position = match at {
            _ if file.append => length,
            Some(at) => at,
            None => (&file.file).stream_position().map_err(errno)?,
        };
        let end = position.checked_add(bytes.len() as u64).ok_or(Errno::Fbig)?;
        let growth = end.saturating_sub(length);
        let missing = growth - self.quota.room(growth);
        let allowed = bytes.len().saturating_sub(usize::try_from(missing).unwrap_or(usize::MAX));
        if allowed == 0 {
            return Err(Errno::Nospc);
        }
        let written = match at {
            Some(at) if !file.append => rustix::io::pwrite(&file.file, &bytes[..allowed], at).map_err(Into::into),
            _ => (&file.file).write(&bytes[..allowed]),
        }
        .map_err(errno)?;
        self.quota.grow((position + written as u64).saturating_sub(length));
        Ok(written)
    }

    pub(crate) fn seek(&mut self, fd: u32, to: SeekFrom) -> Result<u64> {
        match self.get(fd)? {
            Descriptor::File(file) => (&file.file).seek(to).map_err(errno),
            Descriptor::Virtual(file) => file.lock().map_err(|_| Errno::Io)?.seek(to),
            Descriptor::Folder(_) => Err(Errno::Isdir),
            _ => Err(Errno::Spipe),
        }
    }

    pub(crate) fn set_size(&mut self, fd: u32, bytes: u64) -> Result<()> {
        let Descriptor::File(file) = self.get(fd)?.clone() else { return Err(Errno::Inval) };
        if !file.writable {
            return Err(Errno::Inval);
        }
        let before = file.file.metadata().map_err(errno)?.len();
        let growth = bytes.saturating_sub(before);
        if self.quota.room(growth) < growth {
            return Err(Errno::Nospc);
        }
        file.file.set_len(bytes).map_err(errno)?;
        self.quota.grow(growth);
        self.quota.shrink(before.saturating_sub(bytes));
        Ok(())
    }

    pub(crate) fn sync(&self, fd: u32) -> Result<()> {
        // Nothing outlives the job, so there is nothing to force to a disk.
        self.get(fd).map(drop)
    }

    pub(crate) fn set_times(&mut self, fd: u32, times: Times) -> Result<()> {
        match self.get(fd)?.clone() {
            Descriptor::File(file) => times.set_file(&file.file),
            Descriptor::Folder(folder) => {
                let dir = self.writable(&folder)?;
                times.set_path(dir, ".", true)
            }
            _ => Err(Errno::Inval),
        }
    }

    pub(crate) fn set_times_path(&mut self, fd: u32, path: &str, follow: bool, times: Times) -> Result<()> {
        let folder = self.folder(fd)?;
        times.set_path(self.writable(&folder)?, path, follow)
    }

    pub(crate) fn create_folder(&mut self, fd: u32, path: &str) -> Result<()> {
        self.add_entry(fd, |dir| dir.create_dir(path))?;
        let stat = self.stat_path(fd, path, false)?;
        self.remember_mode(stat.inode, 0o777);
        Ok(())
    }

    /// An absolute target is stored relative, because the host's root is not the job's; the job reads what it wrote.
    pub(crate) fn symlink(&mut self, target: &str, fd: u32, path: &str) -> Result<()> {
        if !target.starts_with('/') {
            return self.add_entry(fd, |dir| dir.symlink(target, path));
        }
        let root = match &self.folder(fd)?.place {
            Place::Root(tree) => PREOPENED.iter().find(|(_, other)| other == tree).map(|(root, _)| *root),
            _ => None,
        };
        let inside =
            root.and_then(|root| target.strip_prefix(root)).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let inside = inside.ok_or(Errno::Perm)?.trim_start_matches('/');
        if path.split('/').any(|part| part == "..") {
            return Err(Errno::Perm);
        }
        let depth = path.split('/').filter(|part| !part.is_empty() && *part != ".").count();
        let mut relative = "../".repeat(depth.saturating_sub(1)) + inside;
        if relative.is_empty() {
            ".".clone_into(&mut relative);
        }
        self.add_entry(fd, |dir| dir.symlink(&relative, path))?;
        let inode = self.stat_path(fd, path, false)?.inode;
        self.absolute_links.insert(inode, target.to_owned());
        Ok(())
    }

    fn add_entry(&mut self, fd: u32, make: impl FnOnce(&Dir) -> io::Result<()>) -> Result<()> {
        let folder = self.folder(fd)?;
        self.writable(&folder)?;
        self.quota.add_file().map_err(|_| Errno::Nospc)?;
        let made = self.writable(&folder).and_then(|dir| make(dir).map_err(errno));
        if made.is_err() {
            self.quota.remove_file();
        }
        made
    }

    pub(crate) fn link(&mut self, from_fd: u32, from: &str, to_fd: u32, to: &str) -> Result<()> {
        let (from_folder, to_folder) = (self.folder(from_fd)?, self.folder(to_fd)?);
        let source = self.writable(&from_folder)?.try_clone().map_err(errno)?;
        self.writable(&to_folder)?;
        self.quota.add_file().map_err(|_| Errno::Nospc)?;
        let made = self.writable(&to_folder).and_then(|dir| source.hard_link(from, dir, to).map_err(errno));
        if made.is_err() {
            self.quota.remove_file();
        }
        made
    }

    pub(crate) fn read_link(&mut self, fd: u32, path: &str) -> Result<String> {
        let folder = self.folder(fd)?;
        let library = self.library;
        match self.resolve(&folder, path)? {
            Resolved::Virtual(tree, at) => {
                open_virtual(library, tree, at, Open { read: true, ..Open::default() })?;
                Err(Errno::Inval)
            }
            Resolved::Real(dir) => {
                let target = dir.read_link_contents(path).map_err(errno)?;
                let inode = dir.symlink_metadata(path).map_err(errno)?.ino();
                if let Some(absolute) = self.absolute_links.get(&inode) {
                    return Ok(absolute.clone());
                }
                target.into_os_string().into_string().map_err(|_| Errno::Ilseq)
            }
        }
    }

    pub(crate) fn remove_folder(&mut self, fd: u32, path: &str) -> Result<()> {
        let folder = self.folder(fd)?;
        self.writable(&folder)?.remove_dir(path).map_err(errno)?;
        self.quota.remove_file();
        Ok(())
    }

    pub(crate) fn unlink(&mut self, fd: u32, path: &str) -> Result<()> {
        let folder = self.folder(fd)?;
        let dir = self.writable(&folder)?;
        let metadata = dir.symlink_metadata(path).map_err(errno)?;
        if metadata.is_dir() {
            return Err(Errno::Isdir);
        }
        dir.remove_file(path).map_err(errno)?;
        self.removed(&metadata);
        Ok(())
    }

    pub(crate) fn rename(&mut self, from_fd: u32, from: &str, to_fd: u32, to: &str) -> Result<()> {
        let (from_folder, to_folder) = (self.folder(from_fd)?, self.folder(to_fd)?);
        let source = self.writable(&from_folder)?.try_clone().map_err(errno)?;
        let moved = source.symlink_metadata(from).map_err(errno)?;
        let dir = self.writable(&to_folder)?;
        let replaced = dir.symlink_metadata(to).ok();
        source.rename(from, dir, to).map_err(errno)?;
        if let Some(replaced) = replaced
            && replaced.ino() != moved.ino()
        {
            self.removed(&replaced);
        }
        Ok(())
    }

    /// Counts a name that is gone.
    fn removed(&mut self, metadata: &Metadata) {
        self.quota.remove_file();
        if metadata.is_file() && metadata.nlink() <= 1 {
            self.quota.unlinked(metadata.ino(), metadata.len());
        }
        if metadata.nlink() <= 1 {
            self.modes.remove(&metadata.ino());
            self.absolute_links.remove(&metadata.ino());
        }
    }
}

enum Resolved<'a> {
    Real(&'a Dir),
    Virtual(Tree, String),
}

/// New access and modification times; `None` leaves one as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) accessed: Option<std::time::SystemTime>,
    pub(crate) modified: Option<std::time::SystemTime>,
}

impl Times {
    fn set_file(self, file: &File) -> Result<()> {
        use fs_set_times::SetTimes;
        file.set_times(self.accessed.map(Into::into), self.modified.map(Into::into)).map_err(errno)
    }

    fn set_path(self, dir: &Dir, path: &str, follow: bool) -> Result<()> {
        use cap_fs_ext::{DirExt, SystemTimeSpec};
        let spec = |time: Option<std::time::SystemTime>| {
            time.map(|time| SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(time)))
        };
        let (accessed, modified) = (spec(self.accessed), spec(self.modified));
        if follow { dir.set_times(path, accessed, modified) } else { dir.set_symlink_times(path, accessed, modified) }
            .map_err(errno)
    }
}

impl Virtual {
    fn stat(&self) -> Stat {
        match self.content {
            Content::Bytes(bytes) => Stat::read_only(Filetype::RegularFile, bytes.len() as u64, self.inode),
            _ => Stat { mode: 0o666, ..Stat::read_only(Filetype::CharacterDevice, 0, self.inode) },
        }
    }

    fn read(&mut self, into: &mut [u8], at: Option<u64>) -> Result<usize> {
        match self.content {
            Content::Bytes(bytes) => {
                let from = usize::try_from(at.unwrap_or(self.position)).unwrap_or(usize::MAX).min(bytes.len());
                let n = into.len().min(bytes.len() - from);
                into[..n].copy_from_slice(&bytes[from..from + n]);
                if at.is_none() {
                    self.position += n as u64;
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

    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let Content::Bytes(bytes) = self.content else { return Ok(0) };
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => (bytes.len() as u64).checked_add_signed(by),
        };
        self.position = position.ok_or(Errno::Inval)?;
        Ok(self.position)
    }
}

impl Stat {
    fn read_only(kind: Filetype, bytes: u64, inode: u64) -> Stat {
        let mode = if kind == Filetype::Directory { 0o555 } else { 0o444 };
        Stat { inode, kind, mode, links: 1, bytes, accessed_ns: 0, modified_ns: 0, changed_ns: 0 }
    }

    /// Standard streams look like pipes. WASI has no type for those, so it comes with the permission bits.
    fn pipe(inode: u64) -> Stat {
        const S_IFIFO: u32 = 0o010_000;
        Stat { mode: S_IFIFO | 0o600, ..Stat::read_only(Filetype::Unknown, 0, inode) }
    }
}

fn folder(place: Place) -> Descriptor {
    Descriptor::Folder(Arc::new(Folder { place, listing: std::sync::Mutex::new(None) }))
}

fn item(name: &str, inode: u64, kind: Filetype) -> Item {
    Item { name: name.to_owned(), inode, kind }
}

fn options(how: Open, create: bool) -> OpenOptions {
    use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
    let mut options = OpenOptions::new();
    options.read(how.read || !how.write).write(how.write).append(how.write && how.append);
    options.truncate(how.truncate && how.write && !how.append);
    if create {
        options.create_new(true);
        // The quota's count of bytes needs a file that can be measured and cut, so creation implies write access.
        options.write(true);
    }
    options.follow(if how.follow { FollowSymlinks::Yes } else { FollowSymlinks::No });
    options
}

const DEVICES: [(&str, Content); 5] = [
    ("full", Content::Zero),
    ("null", Content::Null),
    ("random", Content::Random),
    ("urandom", Content::Random),
    ("zero", Content::Zero),
];

fn open_virtual(library: Library, tree: Tree, at: String, how: Open) -> Result<Descriptor> {
    let content = match tree {
        Tree::Devices | Tree::Root if at.is_empty() => None,
        Tree::Root if PREOPENED.iter().any(|(path, _)| path[1..] == at) => None,
        Tree::Root => return Err(if how.create { Errno::Rofs } else { Errno::Noent }),
        Tree::Devices => {
            let device = DEVICES.iter().find(|(name, _)| *name == at);
            Some(device.ok_or(if how.create { Errno::Rofs } else { Errno::Noent })?.1)
        }
        _ => match library.node(&at) {
            Some(Node::File(bytes)) => Some(Content::Bytes(bytes)),
            Some(Node::Folder) => None,
            None => return Err(if how.create { Errno::Rofs } else { Errno::Noent }),
        },
    };
    match content {
        None if how.write => Err(Errno::Isdir),
        None => Ok(folder(Place::Virtual(tree, at))),
        Some(_) if how.folder => Err(Errno::Notdir),
        Some(_) if how.create && how.exclusive => Err(Errno::Exist),
        Some(Content::Bytes(_)) if how.write || how.truncate => Err(Errno::Rofs),
        Some(content) => {
            let file = Virtual { content, position: 0, inode: inode_of(&at) };
            Ok(Descriptor::Virtual(Arc::new(std::sync::Mutex::new(file))))
        }
    }
}

fn list_virtual(library: Library, tree: Tree, at: &str) -> Vec<Item> {
    let mut items = vec![item(".", inode_of(at), Filetype::Directory), item("..", 0, Filetype::Directory)];
    if tree == Tree::Devices {
        items.extend(DEVICES.iter().map(|(name, _)| item(name, inode_of(name), Filetype::CharacterDevice)));
    } else if tree == Tree::Root {
        let names = PREOPENED.iter().map(|(path, _)| &path[1..]).filter(|name| !name.is_empty());
        items.extend(names.map(|name| item(name, inode_of(name), Filetype::Directory)));
    } else {
        items.extend(library.list(at).into_iter().map(|(name, is_folder)| {
            let kind = if is_folder { Filetype::Directory } else { Filetype::RegularFile };
            item(name, inode_of(&format!("{at}/{name}")), kind)
        }));
    }
    items
}

/// A number for a path of a virtual tree, so that `os.path.samefile` tells files apart (FNV-1a).
fn inode_of(path: &str) -> u64 {
    path.trim_start_matches('/')
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// `path` from the folder `at` of a virtual tree; `..` stops at its root.
fn join(at: &str, path: &str) -> Result<String> {
    if path.starts_with('/') {
        return Err(Errno::Perm);
    }
    let mut parts: Vec<&str> = at.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop().ok_or(Errno::Perm)?),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// WASI's number for an error of the host.
pub(crate) fn errno(error: io::Error) -> Errno {
    use rustix::io::Errno as Host;
    let Some(code) = error.raw_os_error() else {
        // cap-std refuses what leads outside with an error that has no number.
        return match error.kind() {
            io::ErrorKind::NotFound => Errno::Noent,
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Errno::Inval,
            io::ErrorKind::PermissionDenied => Errno::Perm,
            io::ErrorKind::AlreadyExists => Errno::Exist,
            _ => Errno::Io,
        };
    };
    match Host::from_raw_os_error(code) {
        Host::PERM => Errno::Perm,
        Host::NOENT => Errno::Noent,
        Host::INTR => Errno::Intr,
        Host::NXIO => Errno::Nxio,
        Host::BADF => Errno::Badf,
        Host::AGAIN => Errno::Again,
        Host::NOMEM => Errno::Nomem,
        Host::ACCESS => Errno::Acces,
        Host::BUSY => Errno::Busy,
        Host::EXIST => Errno::Exist,
        Host::XDEV => Errno::Xdev,
        Host::NOTDIR => Errno::Notdir,
        Host::ISDIR => Errno::Isdir,
        Host::INVAL => Errno::Inval,
        Host::NFILE => Errno::Nfile,
        Host::MFILE => Errno::Mfile,
        Host::TXTBSY => Errno::Txtbsy,
        Host::FBIG => Errno::Fbig,
        Host::NOSPC | Host::DQUOT => Errno::Nospc,
        Host::SPIPE => Errno::Spipe,
        Host::ROFS => Errno::Rofs,
        Host::MLINK => Errno::Mlink,
        Host::NAMETOOLONG => Errno::Nametoolong,
        Host::NOTEMPTY => Errno::Notempty,
        Host::LOOP => Errno::Loop,
        Host::OVERFLOW => Errno::Overflow,
        Host::NOTSUP => Errno::Notsup,
        _ => Errno::Io,
    }
}

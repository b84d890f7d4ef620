//! Names in folders: listing, adding, renaming and removing them, and links.

use super::{
    Files,
    descriptor::Descriptor,
    errno::{Result, errno},
    place::{DiskPath, Last, NamePath, Place},
    stat::Item,
    trees::is_preopened,
    virtual_tree::{self, Node},
};
use crate::executor::wasm::preview1::types::{Errno, Filetype};
use cap_std::fs::{Metadata, MetadataExt};
use rustix::fs::{FileType, Mode, OFlags, RawDir, SeekFrom};
use std::{
    ffi::OsStr,
    mem::MaybeUninit,
    os::{
        fd::AsFd,
        unix::ffi::{OsStrExt, OsStringExt},
    },
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Bytes that the host is asked for at a time.
const LISTING_BYTES: usize = 4096;
/// A record of the host with the longest name, and what its buffer may lose to alignment.
const ENTRY_BYTES_MAX: usize = 288;

impl Files {
    /// Gives items of a folder to `take`, from the one that a cookie stands for, and returns whether those were the last.
    ///
    /// Records of `room` bytes in all are given. Nothing is kept between calls but the host's own position: cookies are what
    /// its file system gave. It is set only where the guest jumps, because on some file systems it counts names, and those
    /// that were removed meanwhile would shift it.
    pub(crate) fn list(&mut self, fd: u32, cookie: u64, room: usize, mut take: impl FnMut(Item)) -> Result<bool> {
        let folder = self.folder(fd)?;
        if let Some(dir) = &folder.dir {
            self.uses += 1;
            return list(&**dir, &folder.position, cookie, room, take);
        }
        match self.place_from(&folder, b".", true)? {
            Place::Disk(place) => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let readable = rustix::fs::openat(place.dir(), place.path(), flags, Mode::empty()).map_err(errno)?;
                list(readable, &AtomicU64::new(0), cookie, room, take)
            }
            Place::Virtual(full) => {
                let mut items = self.tree.list(&full);
                if full == virtual_tree::DESCRIPTORS.as_bytes() {
                    items.extend(self.open_numbers().map(|number| {
                        let name = number.to_string();
                        let path = format!("{}/{name}", virtual_tree::DESCRIPTORS);
                        Item::new(name.as_bytes(), virtual_tree::inode(path.as_bytes()), Filetype::SymbolicLink)
                    }));
                }
                let first = usize::try_from(cookie).unwrap_or(usize::MAX);
                let mut left = room;
                for (next, item) in (1..).zip(items).skip(first) {
                    match left.checked_sub(item.record_bytes()) {
                        Some(rest) => left = rest,
                        None => return Ok(false),
                    }
                    take(Item { next, ..item });
                }
                Ok(true)
            }
        }
    }

    /// Numbers of the descriptors that a program knows of.
    fn open_numbers(&self) -> impl Iterator<Item = usize> {
        let open = self.descriptors.iter().enumerate().filter(|(_, descriptor)| descriptor.is_some());
        open.map(|(number, _)| number).filter(|number| !is_preopened(*number))
    }

    pub(crate) fn create_folder(&mut self, fd: u32, path: &[u8]) -> Result<()> {
        let place = self.creatable(fd, path, true)?;
        self.add_file(|_| place.dir().create_dir(place.path()).map_err(errno))?;
        let inode = place.dir().symlink_metadata(place.path()).map_err(errno)?.ino();
        self.remember_mode(inode, 0o777);
        Ok(())
    }

    /// Makes a link; where it leads is found out when it is followed.
    pub(crate) fn symlink(&mut self, target: &[u8], fd: u32, path: &[u8]) -> Result<()> {
        let place = self.creatable(fd, path, false)?;
        self.add_file(|_| place.dir().symlink_contents(OsStr::from_bytes(target), place.path()).map_err(errno))?;
        self.has_links = true;
        Ok(())
    }

    /// Gives a file one more name; a link at the end of `from` is followed if `follow` says so.
    pub(crate) fn link(&mut self, (from_fd, from): (u32, &[u8]), follow: bool, to_fd: u32, to: &[u8]) -> Result<()> {
        let old = match self.place(from_fd, from, follow)? {
            Place::Disk(place) => place,
            Place::Virtual(full) => {
                return Err(if self.tree.node(&full).is_some() { Errno::Xdev } else { Errno::Noent });
            }
        };
        let linked = self
            .creatable(to_fd, to, false)
            .and_then(|new| self.add_file(|_| old.dir().hard_link(old.path(), new.dir(), new.path()).map_err(errno)));
        // What is wrong with the first path is told first.
        linked.map_err(|error| self.stat_path(from_fd, from, follow).err().unwrap_or(error))
    }

    pub(crate) fn read_link(&mut self, fd: u32, path: &[u8]) -> Result<Vec<u8>> {
        match self.place(fd, path, false)? {
            Place::Disk(place) => {
                let target = place.dir().read_link_contents(place.path()).map_err(errno)?;
                Ok(target.into_os_string().into_vec())
            }
            Place::Virtual(full) => match self.tree.node(&full) {
                None => Err(Errno::Noent),
                Some(Node::Link(target)) => Ok(target.into()),
                Some(Node::Descriptor(fd)) => self.name_of(fd).ok_or(Errno::Noent),
                Some(Node::Folder | Node::File(_)) => Err(Errno::Inval),
            },
        }
    }

    /// Returns what a link below `/proc/self/fd` shows.
    fn name_of(&self, fd: u32) -> Option<Vec<u8>> {
        let absolute = |path: &[u8]| [b"/".as_slice(), path].concat();
        let pipe = |inode: u64| format!("pipe:[{inode}]").into_bytes();
        Some(match self.get(fd).ok()? {
            Descriptor::Folder(folder) => absolute(&folder.path.get()),
            Descriptor::File(file) => absolute(&file.path.get()),
            Descriptor::Virtual(file) => absolute(file.path().as_bytes()),
            Descriptor::PipeReader(reader) => pipe(reader.inode()),
            Descriptor::PipeWriter(writer) => pipe(writer.inode()),
            Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => pipe(u64::from(fd) + 1),
        })
    }

    pub(crate) fn rename(&mut self, from_fd: u32, from: &[u8], to_fd: u32, to: &[u8]) -> Result<()> {
        let (old, new, moved) = match self.movable(from_fd, from, to_fd, to) {
            Ok(found) => found,
            // Linux looks for both folders, and then for the first name, before anything else.
            Err(error) => {
                self.check_folder_of(from_fd, from)?;
                self.check_folder_of(to_fd, to)?;
                if error != Errno::Busy {
                    self.stat_path(from_fd, NamePath::of(from).path, false)?;
                }
                return Err(error);
            }
        };
        let replaced = new.dir().symlink_metadata(new.path()).ok();
        old.dir().rename(old.path(), new.dir(), new.path()).map_err(errno)?;
        for descriptor in self.descriptors.iter().flatten() {
            match descriptor {
                Descriptor::Folder(folder) => folder.path.renamed(&old.full, &new.full),
                Descriptor::File(file) => file.path.renamed(&old.full, &new.full),
                _ => {}
            }
        }
        if let Some(replaced) = replaced
            && replaced.ino() != moved.ino()
        {
            self.removed(&replaced);
        }
        Ok(())
    }

    /// Returns where both paths of a rename lead, and what is to be moved.
    fn movable(&mut self, from_fd: u32, from: &[u8], to_fd: u32, to: &[u8]) -> Result<(DiskPath, DiskPath, Metadata)> {
        let name = NamePath::of(to);
        if name.last != Last::Name {
            return Err(Errno::Busy);
        }
        let old = self.removable(from_fd, from, Errno::Busy, Errno::Busy)?.movable()?;
        let new = match self.place(to_fd, name.path, false)? {
            Place::Disk(place) => place.movable()?,
            Place::Virtual(_) => return Err(Errno::Rofs),
        };
        let moved = old.dir().symlink_metadata(old.path()).map_err(errno)?;
        if name.slash && !moved.is_dir() {
            return Err(Errno::Notdir);
        }
        Ok((old, new, moved))
    }

    pub(crate) fn remove_folder(&mut self, fd: u32, path: &[u8]) -> Result<()> {
        let place = self.removable(fd, path, Errno::Inval, Errno::Notempty)?.movable()?;
        let metadata = place.dir().symlink_metadata(place.path()).map_err(errno)?;
        place.dir().remove_dir(place.path()).map_err(errno)?;
        self.removed(&metadata);
        Ok(())
    }

    pub(crate) fn unlink(&mut self, fd: u32, path: &[u8]) -> Result<()> {
        let place = self.removable(fd, path, Errno::Isdir, Errno::Isdir)?;
        let metadata = place.dir().symlink_metadata(place.path()).map_err(errno)?;
        if metadata.is_dir() {
            return Err(Errno::Isdir);
        }
        place.dir().remove_file(place.path()).map_err(errno)?;
        self.removed(&metadata);
        Ok(())
    }

    /// Counts a name that is gone.
    fn removed(&mut self, metadata: &Metadata) {
        self.quota.remove_file();
        // Of a folder, other names are those inside it.
        if !metadata.is_dir() && metadata.nlink() > 1 {
            return;
        }
        // A file that is open is not gone yet.
        if !metadata.is_file() || self.quota.unlinked(metadata.ino(), metadata.len()) {
            self.modes.remove(&metadata.ino());
        }
    }
}

fn list(dir: impl AsFd, position: &AtomicU64, cookie: u64, room: usize, mut take: impl FnMut(Item)) -> Result<bool> {
    if cookie == 0 || cookie != position.load(Relaxed) {
        rustix::fs::seek(&dir, SeekFrom::Start(cookie)).map_err(errno)?;
    }
    position.store(u64::MAX, Relaxed);
    let mut next = cookie;
    let mut left = room;
    let mut buffer = [MaybeUninit::uninit(); LISTING_BYTES];
    let ended = loop {
        // The guest's records are larger than the host's by up to a sixth: all that is read is given.
        let bytes = (left / 7 * 6).min(LISTING_BYTES);
        if bytes < ENTRY_BYTES_MAX {
            break false;
        }
        let mut entries = RawDir::new(&dir, &mut buffer[..bytes]);
        let mut is_empty = true;
        while is_empty || !entries.is_buffer_empty() {
            let Some(entry) = entries.next() else { break };
            let entry = match entry {
                // The folder was removed: nothing is in it.
                Err(rustix::io::Errno::NOENT) => break,
                entry => entry.map_err(errno)?,
            };
            let kind = match entry.file_type() {
                FileType::Directory => Filetype::Directory,
                FileType::RegularFile => Filetype::RegularFile,
                FileType::Symlink => Filetype::SymbolicLink,
                _ => Filetype::Unknown,
            };
            next = entry.next_entry_cookie();
            let item = Item { next, ..Item::new(entry.file_name().to_bytes(), entry.ino(), kind) };
            left = left.saturating_sub(item.record_bytes());
            take(item);
            is_empty = false;
        }
        if is_empty {
            break true;
        }
    };
    position.store(next, Relaxed);
    Ok(ended)
}

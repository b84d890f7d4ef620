//! Opening and creating files.

use super::{
    Files,
    descriptor::{Descriptor, Folder, OpenFile, OpenPath},
    errno::{Result, errno},
    place::{DiskPath, Last, NamePath, Place},
    stat::metadata,
    virtual_tree::Node,
};
use crate::executor::wasm::preview1::types::Errno;
use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, Reopen};
use cap_std::fs::{Dir, File, Metadata, MetadataExt, OpenOptions};
use std::{io, sync::Arc};

/// Says how a file is to be opened.
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

impl Files {
    pub(crate) fn open(&mut self, fd: u32, path: &[u8], how: Open) -> Result<u32> {
        if how.create && how.folder {
            return Err(Errno::Inval);
        }
        let name = NamePath::of(path);
        if how.create && (name.slash || name.last != Last::Name) {
            self.check_folder_of(fd, path)?;
            return Err(if how.exclusive && name.last != Last::Name { Errno::Exist } else { Errno::Isdir });
        }
        let follow = how.follow && !(how.create && how.exclusive);
        let descriptor = match self.place(fd, path, follow)? {
            Place::Virtual(full) => self.open_virtual(full, how)?,
            Place::Disk(place) => match metadata(place.dir(), place.path(), follow) {
                Ok(_) if how.create && how.exclusive => return Err(Errno::Exist),
                Ok(existing) if existing.is_dir() => open_folder(place, how)?,
                Ok(existing) => {
                    let file = open_file(&place, &existing, how)?;
                    self.opened(file, place.full, how)?
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && how.create => self.create(place, how)?,
                Err(error) => return Err(errno(error)),
            },
        };
        self.insert(descriptor)
    }

    fn create(&mut self, place: DiskPath, how: Open) -> Result<Descriptor> {
        if place.ends_in_slash() {
            return Err(Errno::Isdir);
        }
        let opened = self.add_file(|files| {
            let file = place.dir().open_with(place.path(), &options(how, true)).map_err(errno)?;
            files.opened(file, place.full, how)
        })?;
        if let Descriptor::File(file) = &opened {
            self.remember_mode(file.inode, 0o666);
        }
        Ok(opened)
    }

    fn opened(&mut self, file: File, path: Vec<u8>, how: Open) -> Result<Descriptor> {
        let inode = file.metadata().map_err(errno)?.ino();
        let (append, readable, writable) = (how.append.into(), how.read, how.write);
        let file = OpenFile { file, inode, path: OpenPath::new(path), append, readable, writable };
        if how.truncate {
            self.resize(&file, 0)?;
        }
        self.quota.opened(inode);
        Ok(Descriptor::File(Arc::new(file)))
    }

    fn open_virtual(&mut self, full: Vec<u8>, how: Open) -> Result<Descriptor> {
        match self.tree.node(&full) {
            None if how.create => Err(Errno::Rofs),
            None => Err(Errno::Noent),
            Some(_) if how.create && how.exclusive => Err(Errno::Exist),
            Some(Node::Folder) if how.write || how.truncate => Err(Errno::Isdir),
            Some(Node::Folder) => Ok(Descriptor::Folder(Arc::new(Folder::new(full, None)))),
            Some(Node::Link(_)) => Err(Errno::Loop),
            Some(Node::Descriptor(_)) if !how.follow => Err(Errno::Loop),
            Some(Node::Descriptor(fd)) => self.reopen(fd, how),
            Some(Node::File(_)) if how.folder => Err(Errno::Notdir),
            Some(Node::File(file)) if file.is_terminal() => Err(Errno::Nxio),
            Some(Node::File(file)) if !file.is_device() && (how.write || how.truncate) => Err(Errno::Rofs),
            Some(Node::File(file)) => Ok(Descriptor::Virtual(Arc::new(file))),
        }
    }

    /// Opens what a descriptor stands for once more, as opening its path below `/proc/self/fd` does.
    fn reopen(&mut self, fd: u32, how: Open) -> Result<Descriptor> {
        let descriptor = self.get(fd).map_err(|_| Errno::Noent)?.clone();
        if how.folder && !matches!(descriptor, Descriptor::Folder(_)) {
            return Err(Errno::Notdir);
        }
        match descriptor {
            Descriptor::Stdin | Descriptor::PipeReader(_) if how.write => Err(Errno::Acces),
            Descriptor::Stdout | Descriptor::Stderr | Descriptor::PipeWriter(_) if how.read && !how.write => {
                Err(Errno::Acces)
            }
            Descriptor::Folder(_) if how.write || how.truncate => Err(Errno::Isdir),
            Descriptor::Virtual(file) if !file.is_device() && (how.write || how.truncate) => Err(Errno::Rofs),
            Descriptor::Virtual(file) => Ok(Descriptor::Virtual(Arc::new(file.reopened()))),
            Descriptor::File(file) => {
                let reopened = file.file.reopen(&options(how, false)).map_err(errno)?;
                self.opened(reopened, file.path.get(), how)
            }
            other => Ok(other),
        }
    }
}

fn open_folder(place: DiskPath, how: Open) -> Result<Descriptor> {
    if how.write || how.truncate || how.create {
        return Err(Errno::Isdir);
    }
    // cap-std's own handles of directories cannot be listed.
    let readable = place.dir().open_with(place.path(), OpenOptions::new().read(true)).map_err(errno)?;
    let dir = Arc::new(Dir::from_std_file(readable.into_std()));
    Ok(Descriptor::Folder(Arc::new(Folder::new(place.full, Some(dir)))))
}

fn open_file(place: &DiskPath, existing: &Metadata, how: Open) -> Result<File> {
    if how.folder || place.ends_in_slash() {
        return Err(Errno::Notdir);
    }
    if existing.is_symlink() {
        return Err(Errno::Loop);
    }
    if !existing.is_file() {
        // Opening a FIFO or device could block the host.
        return Err(Errno::Perm);
    }
    place.dir().open_with(place.path(), &options(how, false)).map_err(errno)
}

/// Returns the host's options. A file is cut once it is open, where the quota is told.
fn options(how: Open, create: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    let write = how.write || how.truncate || create;
    // Where appending writes to is settled at each write, because a job may change its mind.
    options.read(how.read || !write).write(write).create_new(create);
    options.follow(if how.follow { FollowSymlinks::Yes } else { FollowSymlinks::No });
    options
}

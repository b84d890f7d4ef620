//! Opening and creating files.

use super::{
    Files, Resolved,
    descriptor::{Descriptor, Folder, OpenFile, Place},
    errno::{Result, errno},
    stat::metadata,
    virtual_tree::{Found, VirtualPath},
};
use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::{Dir, File, Metadata, MetadataExt, OpenOptions};
use std::{io, sync::Arc};
use wasmtime_wasi::p1::types::Errno;

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

impl Files {
    pub(crate) fn open(&mut self, fd: u32, path: &str, how: Open) -> Result<u32> {
        let folder = self.folder(fd)?;
        let descriptor = match self.resolve(&folder, path)? {
            Resolved::Virtual(place) => open_virtual(place, how)?,
            Resolved::Real(dir) => match metadata(dir, path, how.follow) {
                Ok(_) if how.create && how.exclusive => return Err(Errno::Exist),
                Ok(existing) if existing.is_dir() => open_folder(dir, path, how)?,
                Ok(existing) => {
                    let file = open_file(dir, path, &existing, how)?;
                    let opened = self.opened(file, how)?;
                    if how.truncate {
                        self.quota.shrink(existing.len());
                    }
                    opened
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && how.create => {
                    self.create(&folder, path, how)?
                }
                Err(error) => return Err(errno(error)),
            },
        };
        self.insert(descriptor)
    }

    fn create(&mut self, folder: &Folder, path: &str, how: Open) -> Result<Descriptor> {
        if how.folder {
            return Err(Errno::Inval);
        }
        if path.ends_with('/') {
            return Err(Errno::Isdir);
        }
        let opened = self.add_file(|files| {
            let file = files.writable(folder)?.open_with(path, &options(how, true)).map_err(errno)?;
            files.opened(file, how)
        })?;
        if let Descriptor::File(file) = &opened {
            self.remember_mode(file.inode, 0o666);
        }
        Ok(opened)
    }

    fn opened(&mut self, file: File, how: Open) -> Result<Descriptor> {
        let inode = file.metadata().map_err(errno)?.ino();
        self.quota.opened(inode);
        let (append, readable, writable) = (how.append, how.read, how.write);
        Ok(Descriptor::File(Arc::new(OpenFile { file, inode, append, readable, writable })))
    }
}

fn open_virtual(place: VirtualPath, how: Open) -> Result<Descriptor> {
    match place.find() {
        None if how.create => Err(Errno::Rofs),
        None => Err(Errno::Noent),
        Some(Found::Folder) if how.write => Err(Errno::Isdir),
        Some(Found::Folder) => Ok(Descriptor::folder(Place::Virtual(place))),
        Some(Found::File(_)) if how.folder => Err(Errno::Notdir),
        Some(Found::File(_)) if how.create && how.exclusive => Err(Errno::Exist),
        Some(Found::File(file)) if !file.is_device() && (how.write || how.truncate) => Err(Errno::Rofs),
        Some(Found::File(file)) => Ok(Descriptor::Virtual(Arc::new(file))),
    }
}

fn open_folder(dir: &Dir, path: &str, how: Open) -> Result<Descriptor> {
    if how.write || how.truncate {
        return Err(Errno::Isdir);
    }
    Ok(Descriptor::folder(Place::Opened(dir.open_dir(path).map_err(errno)?)))
}

fn open_file(dir: &Dir, path: &str, existing: &Metadata, how: Open) -> Result<File> {
    if how.folder {
        return Err(Errno::Notdir);
    }
    if existing.is_symlink() {
        return Err(Errno::Loop);
    }
    if !existing.is_file() {
        // Opening a FIFO or device could block the host.
        return Err(Errno::Perm);
    }
    dir.open_with(path, &options(how, false)).map_err(errno)
}

fn options(how: Open, create: bool) -> OpenOptions {
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

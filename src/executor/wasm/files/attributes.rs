//! What files have besides their content: permission bits and times.

use super::{
    Files,
    descriptor::Descriptor,
    errno::{Result, errno},
    place::Place,
    stat::{Stat, metadata},
    virtual_tree::Node,
};
use crate::executor::wasm::preview1::types::Errno;
use cap_std::fs::{Dir, File, Metadata, MetadataExt};
use std::{path::Path, time::SystemTime};

impl Files {
    pub(crate) fn stat(&mut self, fd: u32) -> Result<Stat> {
        match self.get(fd)?.clone() {
            Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Ok(Stat::pipe(u64::from(fd) + 1)),
            Descriptor::PipeReader(reader) => Ok(Stat::pipe(reader.inode())),
            Descriptor::PipeWriter(writer) => Ok(Stat::pipe(writer.inode())),
            Descriptor::File(file) => Ok(self.stat_of(&file.file.metadata().map_err(errno)?)),
            Descriptor::Virtual(file) => Ok(file.stat()),
            Descriptor::Folder(folder) => match &folder.dir {
                Some(dir) => Ok(self.stat_of(&dir.dir_metadata().map_err(errno)?)),
                None => self.stat_path(fd, b".", true),
            },
        }
    }

    pub(crate) fn stat_path(&mut self, fd: u32, path: &[u8], follow: bool) -> Result<Stat> {
        match self.place(fd, path, follow)? {
            Place::Disk(place) => {
                let slash = place.ends_in_slash();
                let metadata = metadata(place.dir(), place.path(), follow || slash).map_err(errno)?;
                if slash && !metadata.is_dir() {
                    return Err(Errno::Notdir);
                }
                Ok(self.stat_of(&metadata))
            }
            Place::Virtual(full) => match self.tree.node(&full) {
                Some(Node::Descriptor(fd)) if follow => self.stat(fd).map_err(|_| Errno::Noent),
                Some(Node::Descriptor(fd)) if self.get(fd).is_err() => Err(Errno::Noent),
                _ => self.tree.stat(&full),
            },
        }
    }

    fn stat_of(&self, metadata: &Metadata) -> Stat {
        let stat = Stat::of(metadata);
        Stat { mode: self.modes.get(&stat.inode).copied().unwrap_or(stat.mode), ..stat }
    }

    /// Sets permission bits; an empty path is the descriptor's own file.
    pub(crate) fn chmod(&mut self, fd: u32, path: &[u8], mode: u32) -> Result<()> {
        let inode = match self.get(fd)?.clone() {
            Descriptor::File(file) if path.is_empty() => file.inode,
            Descriptor::Folder(folder) => {
                let path = if path.is_empty() { b".".as_slice() } else { path };
                let Place::Disk(place) = self.place_from(&folder, path, true)? else { return Err(Errno::Rofs) };
                metadata(place.dir(), place.path(), true).map_err(errno)?.ino()
            }
            _ => return Err(Errno::Rofs),
        };
        self.modes.insert(inode, mode & 0o7777);
        Ok(())
    }

    /// Sets the permission bits that new files and folders do not get, and those that they get otherwise.
    pub(crate) fn umask(&mut self, mask: u32, mode: Option<u32>) {
        self.umask = mask & 0o777;
        self.mode = mode.map(|mode| mode & 0o7777);
    }

    /// Remembers the permission bits of a new file or folder, of which these are the usual ones.
    pub(super) fn remember_mode(&mut self, inode: u64, usual: u32) {
        let mode = self.mode.unwrap_or(usual) & !self.umask;
        if mode == usual & !0o022 {
            // A file that is gone may have had its number.
            self.modes.remove(&inode);
        } else {
            self.modes.insert(inode, mode);
        }
    }

    pub(crate) fn set_times(&mut self, fd: u32, times: Times) -> Result<()> {
        match self.get(fd)?.clone() {
            Descriptor::File(file) => times.set_file(&file.file),
            Descriptor::Folder(_) => self.set_times_path(fd, b".", true, times),
            _ => Err(Errno::Inval),
        }
    }

    pub(crate) fn set_times_path(&mut self, fd: u32, path: &[u8], follow: bool, times: Times) -> Result<()> {
        let place = self.writable(fd, path, follow)?;
        times.set_path(place.dir(), place.path(), follow)
    }
}

/// New access and modification times; `None` leaves one as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) accessed: Option<SystemTime>,
    pub(crate) modified: Option<SystemTime>,
}

impl Times {
    fn set_file(self, file: &File) -> Result<()> {
        use fs_set_times::SetTimes;
        file.set_times(self.accessed.map(Into::into), self.modified.map(Into::into)).map_err(errno)
    }

    fn set_path(self, dir: &Dir, path: &Path, follow: bool) -> Result<()> {
        use cap_fs_ext::{DirExt, SystemTimeSpec};
        let spec = |time: SystemTime| SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(time));
        let (accessed, modified) = (self.accessed.map(spec), self.modified.map(spec));
        if follow { dir.set_times(path, accessed, modified) } else { dir.set_symlink_times(path, accessed, modified) }
            .map_err(errno)
    }
}

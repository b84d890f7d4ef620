//! What files have besides their content: permission bits and times.

use super::{
    Files, Resolved,
    descriptor::{Descriptor, Place},
    errno::{Result, errno},
    stat::{Stat, metadata},
};
use cap_std::fs::{Dir, File, Metadata};
use std::time::SystemTime;
use wasmtime_wasi::p1::types::Errno;

impl Files {
    pub(crate) fn stat(&mut self, fd: u32) -> Result<Stat> {
        match self.get(fd)?.clone() {
            Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Ok(Stat::pipe(u64::from(fd) + 1)),
            Descriptor::File(file) => Ok(self.stat_of(&file.file.metadata().map_err(errno)?)),
            Descriptor::Virtual(file) => Ok(file.stat()),
            Descriptor::Folder(folder) => match self.resolve(&folder, "")? {
                Resolved::Virtual(place) => place.stat(),
                Resolved::Real(dir) => {
                    let metadata = dir.dir_metadata().map_err(errno)?;
                    Ok(self.stat_of(&metadata))
                }
            },
        }
    }

    pub(crate) fn stat_path(&mut self, fd: u32, path: &str, follow: bool) -> Result<Stat> {
        let folder = self.folder(fd)?;
        match self.resolve(&folder, path)? {
            Resolved::Virtual(place) => place.stat(),
            Resolved::Real(dir) => {
                let metadata = metadata(dir, path, follow).map_err(errno)?;
                Ok(self.stat_of(&metadata))
            }
        }
    }

    fn stat_of(&self, metadata: &Metadata) -> Stat {
        let stat = Stat::of(metadata);
        Stat { mode: self.modes.get(&stat.inode).copied().unwrap_or(stat.mode), ..stat }
    }

    /// Sets permission bits; an empty path is the descriptor's own file.
    pub(crate) fn chmod(&mut self, fd: u32, path: &str, mode: u32) -> Result<()> {
        let stat = if path.is_empty() { self.stat(fd)? } else { self.stat_path(fd, path, true)? };
        if let Descriptor::Folder(folder) = self.get(fd)?
            && matches!(folder.place, Place::Virtual(_))
        {
            return Err(Errno::Rofs);
        }
        self.modes.insert(stat.inode, mode & 0o7777);
        Ok(())
    }

    pub(crate) fn umask(&mut self, mask: u32) {
        self.umask = mask & 0o777;
    }

    /// Permission bits of a new file or folder.
    pub(super) fn remember_mode(&mut self, inode: u64, mode: u32) {
        if self.umask != 0o022 {
            self.modes.insert(inode, mode & !self.umask);
        }
    }

    pub(crate) fn set_times(&mut self, fd: u32, times: Times) -> Result<()> {
        match self.get(fd)?.clone() {
            Descriptor::File(file) => times.set_file(&file.file),
            Descriptor::Folder(folder) => times.set_path(self.writable(&folder)?, ".", true),
            _ => Err(Errno::Inval),
        }
    }

    pub(crate) fn set_times_path(&mut self, fd: u32, path: &str, follow: bool, times: Times) -> Result<()> {
        let folder = self.folder(fd)?;
        times.set_path(self.writable(&folder)?, path, follow)
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

    fn set_path(self, dir: &Dir, path: &str, follow: bool) -> Result<()> {
        use cap_fs_ext::{DirExt, SystemTimeSpec};
        let spec = |time: SystemTime| SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(time));
        let (accessed, modified) = (self.accessed.map(spec), self.modified.map(spec));
        if follow { dir.set_times(path, accessed, modified) } else { dir.set_symlink_times(path, accessed, modified) }
            .map_err(errno)
    }
}

//! Where paths lead.
//!
//! A job sees one tree, as a process on Linux does: folders on the host's disk (`/work`, `/tmp`) beside the virtual tree.
//! Paths are resolved here, one name after the other, so that `..` and links lead from each part to every other. What is
//! left for the host is a path without links inside the job's own directory, which cap-std keeps inside once more.

use super::{
    Files,
    descriptor::{Descriptor, Folder},
    errno::{Result, errno},
    virtual_tree::{DISK_FOLDERS, Node},
};
use crate::executor::wasm::preview1::types::{Errno, Filetype};
use cap_std::fs::{Dir, MetadataExt};
use std::{
    collections::VecDeque,
    ffi::OsStr,
    io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// As on Linux, where the zero byte at the end counts.
const PATH_BYTES_MAX: usize = 4095;
const LINKS_MAX: usize = 40;
/// Names looked up for one path: each is a call of the host, and the job does not yield meanwhile.
const LOOKUPS_MAX: usize = 4096;
/// Names after which a folder that is passed is opened, so that a look-up costs the same however deep it is.
const NAMES_TO_OPEN: usize = 16;

/// Says where a path leads, whether there is something or not.
#[derive(Debug)]
pub(super) enum Place {
    Disk(DiskPath),
    /// An absolute, normal path without the slash before it.
    Virtual(Vec<u8>),
}

/// A path on the host's disk.
#[derive(Debug)]
pub(super) struct DiskPath {
    dir: Arc<Dir>,
    relative: PathBuf,
    /// The job's path, without the slash before it.
    pub(super) full: Vec<u8>,
}

impl DiskPath {
    /// Returns a directory of the host that the path starts from.
    pub(super) fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Returns the path as seen from [`DiskPath::dir`].
    pub(super) fn path(&self) -> &Path {
        &self.relative
    }

    /// Returns whether it ends in a slash, so that only a folder can be there.
    pub(super) fn ends_in_slash(&self) -> bool {
        self.relative.as_os_str().as_bytes().ends_with(b"/")
    }

    /// Returns the path, unless it is one of the folders that every job has, which stay where they are.
    pub(super) fn movable(self) -> Result<DiskPath> {
        if is_mounted(&self.full) { Err(Errno::Busy) } else { Ok(self) }
    }
}

/// A path whose last name is to be made, renamed or removed. Linux looks at that name as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamePath<'a> {
    /// The path of the folder that the name is in.
    pub(super) folder: &'a [u8],
    /// The whole path, without slashes at its end.
    pub(super) path: &'a [u8],
    /// Slashes at its end say that only a folder can be meant.
    pub(super) slash: bool,
    pub(super) last: Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Name,
    /// Also what is left of a path of slashes alone.
    Dot,
    DotDot,
}

impl NamePath<'_> {
    pub(super) fn of(path: &[u8]) -> NamePath<'_> {
        let Some(end) = path.iter().rposition(|byte| *byte != b'/').map(|at| at + 1) else {
            let root = &path[..path.len().min(1)];
            return NamePath { folder: root, path: root, slash: true, last: Last::Dot };
        };
        let (path, slash) = (&path[..end], end < path.len());
        let (folder, name) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(at) => path.split_at(at + 1),
            None => (&b"."[..], path),
        };
        let last = match name {
            b"." => Last::Dot,
            b".." => Last::DotDot,
            _ => Last::Name,
        };
        NamePath { folder, path, slash, last }
    }
}

/// Says what a name is, as far as it matters for the next one.
enum Found {
    Nothing,
    Folder,
    Link(Vec<u8>),
    Descriptor(u32),
    Other,
}

/// Folders on disk that a path has passed, each with the length of its own path, the innermost last.
#[derive(Default)]
struct Passed(Vec<(usize, Dir)>);

impl Passed {
    /// Leaves the folders that are not on the way to a path of this length, which is the start of the present one.
    fn truncate(&mut self, length: usize) {
        while self.0.pop_if(|(passed, _)| *passed > length).is_some() {}
    }
}

impl Files {
    /// Returns where `path` leads from a folder. A link at its end is followed if `follow` says so.
    pub(super) fn place(&mut self, fd: u32, path: &[u8], follow: bool) -> Result<Place> {
        let folder = self.folder(fd)?;
        self.place_from(&folder, path, follow)
    }

    pub(super) fn place_from(&mut self, folder: &Arc<Folder>, path: &[u8], follow: bool) -> Result<Place> {
        let slash = ends_in_slash(path);
        if !path.starts_with(b"/") && !path.split(|byte| *byte == b'/').any(|name| name == b"..") {
            let full = join(&folder.path.get(), path)?;
            if let Some(dir) = &folder.dir
                && (!self.has_links || !self.is_at(dir, &folder.path.get())?)
            {
                self.uses += 1;
                let (dir, relative) = (Arc::clone(dir), relative(&join(b"", path)?, slash));
                return Ok(Place::Disk(DiskPath { dir, relative, full }));
            }
            if is_on_disk(&full) && !self.has_links {
                return self.on_disk(full, slash);
            }
        }
        let (full, slash) = self.walk(&folder.path.get(), path, follow, slash)?;
        if is_on_disk(&full) {
            return self.on_disk(full, slash);
        }
        if slash && matches!(self.tree.node(&full), Some(Node::File(_))) {
            return Err(Errno::Notdir);
        }
        Ok(Place::Virtual(full))
    }

    fn on_disk(&mut self, full: Vec<u8>, slash: bool) -> Result<Place> {
        Ok(Place::Disk(DiskPath { dir: self.root()?, relative: relative(&full, slash), full }))
    }

    /// Returns a path on disk that can be changed.
    pub(super) fn writable(&mut self, fd: u32, path: &[u8], follow: bool) -> Result<DiskPath> {
        match self.place(fd, path, follow)? {
            Place::Disk(place) => Ok(place),
            Place::Virtual(full) if self.tree.node(&full).is_none() => Err(Errno::Noent),
            Place::Virtual(_) => Err(Errno::Rofs),
        }
    }

    /// Returns a path on disk where something can be made: what ends in a slash can only be a folder.
    pub(super) fn creatable(&mut self, fd: u32, path: &[u8], folder: bool) -> Result<DiskPath> {
        let name = NamePath::of(path);
        if name.last != Last::Name {
            self.check_folder_of(fd, path)?;
            return Err(Errno::Exist);
        }
        match self.place(fd, name.path, false)? {
            Place::Disk(place) if name.slash && !folder => {
                self.check_folder_of(fd, path)?;
                Err(place.dir().symlink_metadata(place.path()).map_or_else(errno, |_| Errno::Exist))
            }
            Place::Disk(place) => Ok(place),
            Place::Virtual(full) if self.tree.node(&full).is_some() => Err(Errno::Exist),
            Place::Virtual(_) => Err(Errno::Rofs),
        }
    }

    /// Returns a path on disk whose last name can be taken away, but for `.` and `..`, with which it fails as told.
    pub(super) fn removable(&mut self, fd: u32, path: &[u8], dot: Errno, dot_dot: Errno) -> Result<DiskPath> {
        let name = NamePath::of(path);
        if name.last != Last::Name {
            self.check_folder_of(fd, path)?;
            return Err(if name.last == Last::Dot { dot } else { dot_dot });
        }
        let place = self.writable(fd, name.path, false)?;
        if name.slash && !place.dir().symlink_metadata(place.path()).map_err(errno)?.is_dir() {
            return Err(Errno::Notdir);
        }
        Ok(place)
    }

    /// Fails as Linux does if the folder that a path's last name is in is none.
    pub(super) fn check_folder_of(&mut self, fd: u32, path: &[u8]) -> Result<()> {
        match self.stat_path(fd, NamePath::of(path).folder, true)?.kind {
            Filetype::Directory => Ok(()),
            _ => Err(Errno::Notdir),
        }
    }

    /// Returns whether a normal path leads to this directory, which may have been removed since it was opened.
    fn is_at(&mut self, dir: &Dir, full: &[u8]) -> Result<bool> {
        let here = dir.dir_metadata().map_err(errno)?.ino();
        let there = self.root()?.symlink_metadata(relative(full, false));
        Ok(there.is_ok_and(|there| there.ino() == here))
    }

    /// Resolves a path as Linux does. Returns where it leads, and whether only a folder can be meant: `slash` says so of the
    /// path, and a link may say so of its target.
    fn walk(&mut self, start: &[u8], path: &[u8], follow: bool, mut slash: bool) -> Result<(Vec<u8>, bool)> {
        let mut full = if path.starts_with(b"/") { Vec::new() } else { start.to_vec() };
        let mut pending: VecDeque<Vec<u8>> = names(path).map(<[u8]>::to_vec).collect();
        let (mut links, mut lookups, mut passed) = (0, 0, Passed::default());
        while let Some(name) = pending.pop_front() {
            if name == b".." {
                full.truncate(full.iter().rposition(|byte| *byte == b'/').unwrap_or(0));
                passed.truncate(full.len());
                continue;
            }
            let next = join(&full, &name)?;
            let is_last = pending.is_empty();
            lookups += 1;
            if lookups > LOOKUPS_MAX {
                return Err(Errno::Loop);
            }
            match self.look(&next, &mut passed)? {
                Found::Link(target) if follow || slash || !is_last => {
                    slash |= is_last && ends_in_slash(&target);
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(Errno::Loop);
                    }
                    if target.starts_with(b"/") {
                        full.clear();
                        passed.truncate(0);
                    }
                    for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                        pending.push_front(name.to_vec());
                    }
                }
                Found::Descriptor(fd) if !is_last => match self.get(fd) {
                    Ok(Descriptor::Folder(folder)) => {
                        full = folder.path.get();
                        passed.truncate(0);
                    }
                    Ok(_) => return Err(Errno::Notdir),
                    Err(_) => return Err(Errno::Noent),
                },
                Found::Nothing if !is_last => return Err(Errno::Noent),
                Found::Other if !is_last => return Err(Errno::Notdir),
                _ => full = next,
            }
        }
        Ok((full, slash))
    }

    /// Looks a path up whose folder the way has led to.
    fn look(&mut self, full: &[u8], passed: &mut Passed) -> Result<Found> {
        if !is_on_disk(full) || is_mounted(full) {
            return Ok(match self.tree.node(full) {
                None => Found::Nothing,
                Some(Node::Folder) => Found::Folder,
                Some(Node::Link(target)) => Found::Link(target.into()),
                Some(Node::Descriptor(fd)) => Found::Descriptor(fd),
                Some(Node::File(_)) => Found::Other,
            });
        }
        let root = self.root()?;
        let (dir, rest) = match passed.0.last() {
            Some((length, dir)) => (dir, full.get(length + 1..).unwrap_or_default()),
            None => (&*root, full),
        };
        let path = relative(rest, false);
        match dir.symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {
                if names(rest).count() >= NAMES_TO_OPEN
                    && let Ok(folder) = dir.open_dir(&path)
                {
                    passed.0.push((full.len(), folder));
                }
                Ok(Found::Folder)
            }
            Ok(metadata) if metadata.is_symlink() => {
                let target = dir.read_link_contents(&path).map_err(errno)?;
                Ok(Found::Link(target.into_os_string().into_vec()))
            }
            Ok(_) => Ok(Found::Other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
            Err(error) => Err(errno(error)),
        }
    }
}

/// Returns whether only a folder can be at a path.
fn ends_in_slash(path: &[u8]) -> bool {
    path.ends_with(b"/") || path.ends_with(b"/.")
}

/// Returns the names in a path that mean something.
fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".")
}

/// Returns the path of what is at `path` in a folder, without `.` and needless slashes.
fn join(folder: &[u8], path: &[u8]) -> Result<Vec<u8>> {
    let mut full = folder.to_vec();
    for name in names(path) {
        if !full.is_empty() {
            full.push(b'/');
        }
        full.extend_from_slice(name);
    }
    if full.len() >= PATH_BYTES_MAX { Err(Errno::Nametoolong) } else { Ok(full) }
}

/// Returns a normal path as the host takes it.
fn relative(path: &[u8], slash: bool) -> PathBuf {
    let mut bytes = if path.is_empty() { b".".to_vec() } else { path.to_vec() };
    if slash {
        bytes.push(b'/');
    }
    PathBuf::from(OsStr::from_bytes(&bytes))
}

/// Returns whether a normal path is in one of the folders on disk, or one of them.
fn is_on_disk(full: &[u8]) -> bool {
    let first = full.split(|byte| *byte == b'/').next().unwrap_or_default();
    DISK_FOLDERS.iter().any(|folder| folder.as_bytes() == first)
}

fn is_mounted(full: &[u8]) -> bool {
    is_on_disk(full) && !full.contains(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_names_are_told_apart() {
        for (path, folder, whole, slash, last) in [
            ("a", ".", "a", false, Last::Name),
            ("a/b", "a/", "a/b", false, Last::Name),
            ("/a", "/", "/a", false, Last::Name),
            ("a//", ".", "a", true, Last::Name),
            ("a//b/", "a//", "a//b", true, Last::Name),
            (".", ".", ".", false, Last::Dot),
            ("a/.", "a/", "a/.", false, Last::Dot),
            ("a/./", "a/", "a/.", true, Last::Dot),
            ("..", ".", "..", false, Last::DotDot),
            ("/..", "/", "/..", false, Last::DotDot),
            ("a/../", "a/", "a/..", true, Last::DotDot),
            ("/", "/", "/", true, Last::Dot),
            ("///", "/", "/", true, Last::Dot),
            ("...", ".", "...", false, Last::Name),
        ] {
            let found = NamePath::of(path.as_bytes());
            let folder_and_path = (found.folder, found.path);
            assert_eq!(folder_and_path, (folder.as_bytes(), whole.as_bytes()), "{path}");
            assert_eq!((found.slash, found.last), (slash, last), "{path}");
        }
    }
}

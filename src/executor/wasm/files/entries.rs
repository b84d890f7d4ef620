//! Names in folders: listing, adding, renaming and removing them, and links.

use super::{
    Files, PREOPENED, Resolved,
    descriptor::{Folder, Place},
    errno::{Result, errno},
    stat::Item,
    trees::{DiskTree, Tree},
};
use cap_std::fs::{Dir, Metadata, MetadataExt};
use std::{io, sync::Arc};
use wasmtime_wasi::p1::types::{Errno, Filetype};

impl Files {
    /// The folder's items, from memory unless it is read from its start.
    pub(crate) fn list(&mut self, fd: u32, from_start: bool) -> Result<Arc<Vec<Item>>> {
        let folder = self.folder(fd)?;
        if !from_start
            && let Ok(listing) = folder.listing.lock()
            && let Some(listing) = listing.as_ref()
        {
            return Ok(Arc::clone(listing));
        }
        let items = Arc::new(match self.resolve(&folder, "")? {
            Resolved::Virtual(place) => place.list(),
            Resolved::Real(dir) => list(dir)?,
        });
        if let Ok(mut listing) = folder.listing.lock() {
            *listing = Some(Arc::clone(&items));
        }
        Ok(items)
    }

    pub(crate) fn create_folder(&mut self, fd: u32, path: &str) -> Result<()> {
        let folder = self.folder(fd)?;
        self.add_entry(&folder, |dir| dir.create_dir(path))?;
        let stat = self.stat_path(fd, path, false)?;
        self.remember_mode(stat.inode, 0o777);
        Ok(())
    }

    /// An absolute target is stored relative, because the host's root is not the job's; the job reads what it wrote.
    pub(crate) fn symlink(&mut self, target: &str, fd: u32, path: &str) -> Result<()> {
        let folder = self.folder(fd)?;
        if !target.starts_with('/') {
            return self.add_entry(&folder, |dir| dir.symlink(target, path));
        }
        let Place::Disk(tree) = &folder.place else { return Err(Errno::Perm) };
        let stored = relative(target, *tree, path).ok_or(Errno::Perm)?;
        self.add_entry(&folder, |dir| dir.symlink(&stored, path))?;
        let inode = self.stat_path(fd, path, false)?.inode;
        self.absolute_links.insert(inode, target.to_owned());
        Ok(())
    }

    pub(crate) fn link(&mut self, from_fd: u32, from: &str, to_fd: u32, to: &str) -> Result<()> {
        let (from_folder, to_folder) = (self.folder(from_fd)?, self.folder(to_fd)?);
        let source = self.writable(&from_folder)?.try_clone().map_err(errno)?;
        self.add_entry(&to_folder, |dir| source.hard_link(from, dir, to))
    }

    fn add_entry(&mut self, folder: &Folder, make: impl FnOnce(&Dir) -> io::Result<()>) -> Result<()> {
        self.writable(folder)?;
        self.add_file(|files| make(files.writable(folder)?).map_err(errno))
    }

    pub(crate) fn read_link(&mut self, fd: u32, path: &str) -> Result<String> {
        let folder = self.folder(fd)?;
        match self.resolve(&folder, path)? {
            Resolved::Virtual(place) => place.stat().and(Err(Errno::Inval)),
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

    /// Counts a name that is gone.
    fn removed(&mut self, metadata: &Metadata) {
        self.quota.remove_file();
        if metadata.nlink() > 1 {
            return;
        }
        if metadata.is_file() {
            self.quota.unlinked(metadata.ino(), metadata.len());
        }
        self.modes.remove(&metadata.ino());
        self.absolute_links.remove(&metadata.ino());
    }
}

fn list(dir: &Dir) -> Result<Vec<Item>> {
    use rustix::fs::{FileType, Mode, OFlags};
    // cap-std's own handles are for resolving paths only.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let readable = rustix::fs::openat(dir, ".", flags, Mode::empty());
    let mut items = Vec::new();
    for entry in readable.and_then(rustix::fs::Dir::new).map_err(errno)? {
        let entry = entry.map_err(errno)?;
        let kind = match entry.file_type() {
            FileType::Directory => Filetype::Directory,
            FileType::RegularFile => Filetype::RegularFile,
            FileType::Symlink => Filetype::SymbolicLink,
            _ => Filetype::Unknown,
        };
        items.push(Item::new(&entry.file_name().to_string_lossy(), entry.ino(), kind));
    }
    Ok(items)
}

/// The absolute `target` as seen from a link at `path` in the same tree; `None` when it leads elsewhere.
fn relative(target: &str, tree: DiskTree, path: &str) -> Option<String> {
    let (root, _) = PREOPENED.iter().find(|(_, other)| *other == Tree::Disk(tree))?;
    let inside = target.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
    if path.split('/').any(|part| part == "..") {
        return None;
    }
    let depth = path.split('/').filter(|part| !part.is_empty() && *part != ".").count();
    let stored = "../".repeat(depth.saturating_sub(1)) + inside.trim_start_matches('/');
    Some(if stored.is_empty() { ".".to_owned() } else { stored })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_links_stay_in_their_tree() {
        let project = |target, path| relative(target, DiskTree::Project, path);
        assert_eq!(project("/work/a/b", "link").as_deref(), Some("a/b"));
        assert_eq!(project("/work/a", "./x/y/link").as_deref(), Some("../../a"));
        assert_eq!(project("/work", "link").as_deref(), Some("."));
        assert_eq!(project("/work", "x/link").as_deref(), Some("../"));
        assert_eq!(relative("/tmp/a", DiskTree::Temporary, "link").as_deref(), Some("a"));
        for (target, path) in
            [("/workshop", "link"), ("/tmp/a", "link"), ("/etc/passwd", "link"), ("/work/a", "x/../y")]
        {
            assert_eq!(project(target, path), None, "{target} from {path}");
        }
    }
}

//! The files of a session at one moment, kept beside those that it works on.
//!
//! A kept tree is never written to again, so that others of the session share its files by hard links. What has changed since is
//! told by inode, length and times, of which a program cannot set the last: a file whose time is too near to tell counts as
//! changed. Everything here blocks, and nothing else may write to the session's files meanwhile.

use super::folder::{HOME, files};
use rustix::fs::{AtFlags, CWD, OFlags, Timespec, Timestamps, UTIME_OMIT, utimensat};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{MetadataExt, OpenOptionsExt, symlink},
    },
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Names the list of the session's files as they were when they were the same as a kept tree.
const LISTING: &str = "home.list";
/// Two writes may have the same time when there is less between them.
const CLOCK_STEP: Duration = Duration::from_millis(50);
/// Files that are written through to the disk one by one; with more of them all of the file system is.
const SYNCED_ALONE_MAX: usize = 8;

/// What there is at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Item {
    Folder,
    Link(Vec<u8>),
    File { inode: u64, bytes: u64, written: (i64, i64), changed: (i64, i64) },
}

/// What there was at all paths; folders come before what is in them.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Listing {
    /// Which kept tree it was the same as.
    tree: u64,
    items: BTreeMap<Vec<u8>, Item>,
}

impl Listing {
    /// Reads the list, if it is of this tree.
    fn of(folder: &Path, tree: u64) -> Option<Listing> {
        let bytes = fs::read(folder.join(LISTING)).ok()?;
        postcard::from_bytes(&bytes).ok().filter(|listing: &Listing| listing.tree == tree)
    }

    /// Writes the list down, but for what is too new to be told from what comes next.
    fn write(folder: &Path, tree: u64, items: BTreeMap<Vec<u8>, Item>, now: SystemTime) -> io::Result<()> {
        let settled = (now - CLOCK_STEP).duration_since(UNIX_EPOCH).unwrap_or_default();
        let settled = (settled.as_secs().cast_signed(), i64::from(settled.subsec_nanos()));
        let mut listing = Listing { tree, items };
        for item in listing.items.values_mut() {
            if let Item::File { inode, changed, .. } = item
                && *changed >= settled
            {
                *inode = 0;
            }
        }
        let bytes = postcard::to_stdvec(&listing).map_err(io::Error::other)?;
        let making = folder.join(".listing");
        fs::write(&making, bytes)?;
        fs::rename(making, folder.join(LISTING))
    }

    /// Returns whether this is still there as it was.
    fn has(&self, path: &[u8], item: &Item) -> bool {
        self.items.get(path) == Some(item)
    }
}

/// Lists what is in a folder.
fn scan(root: &Path) -> io::Result<BTreeMap<Vec<u8>, Item>> {
    let (mut found, mut pending) = (BTreeMap::new(), vec![PathBuf::new()]);
    while let Some(below) = pending.pop() {
        for entry in fs::read_dir(root.join(&below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            let metadata = entry.metadata()?;
            let item = if metadata.is_dir() {
                pending.push(path.clone());
                Item::Folder
            } else if metadata.is_symlink() {
                Item::Link(fs::read_link(entry.path())?.into_os_string().into_vec())
            } else if metadata.is_file() {
                Item::file(&metadata)
            } else {
                continue;
            };
            found.insert(path.into_os_string().into_vec(), item);
        }
    }
    Ok(found)
}

impl Item {
    fn file(metadata: &Metadata) -> Item {
        Item::File {
            inode: metadata.ino(),
            bytes: metadata.size(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// Keeps the session's files as the tree `id`, and returns it; where they are as `previous` has them, that is returned. `None`
/// is a session that has no folder for files yet.
pub(super) fn keep(folder: &Path, previous: Option<u64>, id: u64) -> io::Result<Option<u64>> {
    let home = folder.join(HOME);
    if !home.exists() {
        return Ok(None);
    }
    let now = SystemTime::now();
    let items = scan(&home)?;
    let before = previous.and_then(|tree| Listing::of(folder, tree));
    if let Some(before) = &before
        && before.items.len() == items.len()
        && items.iter().all(|(path, item)| before.has(path, item))
    {
        return Ok(previous);
    }
    let mut making = Making::new(folder, id)?;
    for (path, item) in &items {
        let is_same = before.as_ref().is_some_and(|before| before.has(path, item));
        let path = path_of(path);
        match item {
            Item::Folder => fs::create_dir(making.path.join(path))?,
            Item::Link(to) => symlink(OsString::from_vec(to.clone()), making.path.join(path))?,
            Item::File { .. } => {
                let shared = previous.filter(|_| is_same).map(|tree| files(folder, tree).join(path));
                making.add(path, shared.as_deref(), &home.join(path))?;
            }
        }
    }
    times_of_folders(&home, &making.path, &items)?;
    making.finish()?;
    Listing::write(folder, id, items, now)?;
    Ok(Some(id))
}

/// A tree that is being made.
pub(super) struct Making {
    folder: PathBuf,
    pub(super) path: PathBuf,
    id: u64,
    copied: Vec<PathBuf>,
}

impl Making {
    pub(super) fn new(folder: &Path, id: u64) -> io::Result<Making> {
        let path = folder.join(".files");
        remove(&path)?;
        fs::create_dir(&path)?;
        Ok(Making { folder: folder.to_owned(), path, id, copied: Vec::new() })
    }

    /// Adds a file: one of another tree, or a copy.
    fn add(&mut self, path: &Path, shared: Option<&Path>, original: &Path) -> io::Result<()> {
        let into = self.path.join(path);
        if shared.is_some_and(|shared| fs::hard_link(shared, &into).is_ok()) {
            return Ok(());
        }
        copy(original, &into)?;
        self.copied.push(into);
        Ok(())
    }

    /// Adds a file with this content, or that of another tree.
    pub(super) fn put(&mut self, path: &Path, content: Result<&Path, &[u8]>, written: SystemTime) -> io::Result<()> {
        let into = self.path.join(path);
        fs::create_dir_all(into.parent().unwrap_or(&self.path))?;
        match content {
            Ok(shared) => fs::hard_link(shared, into),
            Err(content) => {
                fs::write(&into, content)?;
                File::options().write(true).open(&into)?.set_modified(written)?;
                self.copied.push(into);
                Ok(())
            }
        }
    }

    /// Has all of it on the disk, under its name.
    pub(super) fn finish(self) -> io::Result<()> {
        if self.copied.len() <= SYNCED_ALONE_MAX {
            for path in &self.copied {
                File::open(path)?.sync_all()?;
            }
        } else {
            rustix::fs::syncfs(File::open(&self.path)?)?;
        }
        let into = files(&self.folder, self.id);
        // One that was made when a process ended, and was never told of.
        remove(&into)?;
        fs::rename(&self.path, into)
    }
}

/// Has the session's files be those of a kept tree again: only what differs is written.
pub(super) fn restore(folder: &Path, tree: Option<u64>) -> io::Result<()> {
    let home = folder.join(HOME);
    let Some(tree) = tree else { return remove(&home) };
    let kept = files(folder, tree);
    let listing = Listing::of(folder, tree).filter(|_| home.exists());
    let Some(listing) = listing else {
        remove(&home)?;
        let making = folder.join(".home");
        remove(&making)?;
        let items = scan(&kept)?;
        copy_items(&kept, &making, &items, copy)?;
        fs::rename(making, &home)?;
        return Listing::write(folder, tree, scan(&home)?, SystemTime::now());
    };
    let mut there = scan(&home)?;
    let mut is_changed = false;
    for (path, item) in there.clone().iter().rev() {
        if !listing.has(path, item) {
            is_changed = true;
            // A folder is empty by now, unless it has what stays.
            let at = home.join(path_of(path));
            if matches!(item, Item::Folder) {
                fs::remove_dir(at)?
            } else {
                fs::remove_file(at)?
            }
            there.remove(path);
        }
    }
    for (path, item) in &listing.items {
        if there.contains_key(path) {
            continue;
        }
        is_changed = true;
        let path = path_of(path);
        match item {
            Item::Folder => fs::create_dir(home.join(path))?,
            Item::Link(to) => symlink(OsString::from_vec(to.clone()), home.join(path))?,
            Item::File { .. } => copy(&kept.join(path), &home.join(path))?,
        }
    }
    if !is_changed {
        return Ok(());
    }
    times_of_folders(&kept, &home, &listing.items)?;
    Listing::write(folder, tree, scan(&home)?, SystemTime::now())
}

/// Copies a kept tree, with its files shared.
pub(super) fn share(from: &Path, into: &Path) -> io::Result<()> {
    copy_items(from, into, &scan(from)?, share_file)
}

/// Has a file that nobody writes to under another name as well.
pub(super) fn share_file(from: &Path, into: &Path) -> io::Result<()> {
    // A file has a limit of names, and other folders may be on other disks.
    fs::hard_link(from, into).or_else(|_| copy(from, into))
}

fn copy_items(
    from: &Path,
    into: &Path,
    items: &BTreeMap<Vec<u8>, Item>,
    copy_file: impl Fn(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    fs::create_dir(into)?;
    for (path, item) in items {
        let path = path_of(path);
        match item {
            Item::Folder => fs::create_dir(into.join(path))?,
            Item::Link(to) => symlink(OsString::from_vec(to.clone()), into.join(path))?,
            Item::File { .. } => copy_file(&from.join(path), &into.join(path))?,
        }
    }
    times_of_folders(from, into, items)
}

/// Copies a file with its time of the last write; a file system that can shares its blocks. A link is not followed.
fn copy(from: &Path, into: &Path) -> io::Result<()> {
    let no_follow = OFlags::NOFOLLOW.bits().cast_signed();
    let mut from = OpenOptions::new().read(true).custom_flags(no_follow).open(from)?;
    let mut into = OpenOptions::new().write(true).create_new(true).custom_flags(no_follow).open(into)?;
    if rustix::fs::ioctl_ficlone(&into, &from).is_err() {
        io::copy(&mut from, &mut into)?;
    }
    into.set_modified(from.metadata()?.modified()?)
}

/// Sets the times of folders, once everything is in them.
fn times_of_folders(from: &Path, into: &Path, items: &BTreeMap<Vec<u8>, Item>) -> io::Result<()> {
    for (path, _) in items.iter().filter(|(_, item)| matches!(item, Item::Folder)) {
        let path = path_of(path);
        let metadata = fs::symlink_metadata(from.join(path))?;
        let last_access = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        let last_modification = Timespec { tv_sec: metadata.mtime(), tv_nsec: metadata.mtime_nsec() as _ };
        let times = Timestamps { last_access, last_modification };
        utimensat(CWD, into.join(path), &times, AtFlags::SYMLINK_NOFOLLOW)?;
    }
    Ok(())
}

/// Removes a file or a folder, where there is one.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns the bytes of the files in a folder.
pub(super) fn bytes(root: &Path) -> u64 {
    let (mut bytes, mut pending) = (0, vec![root.to_owned()]);
    while let Some(path) = pending.pop() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => pending.push(entry.path()),
                // Each name of a file that is shared has its part.
                Ok(metadata) => bytes += metadata.len() / metadata.nlink().max(1),
                Err(_) => {}
            }
        }
    }
    bytes
}

/// Counts the bytes of what is in a folder, and the things there are.
pub(super) fn usage(home: &Path) -> (u64, u64) {
    let (mut bytes, mut count) = (0, 0);
    for top in ["work", "tmp"] {
        for item in scan(&home.join(top)).unwrap_or_default().values() {
            count += 1;
            if let Item::File { bytes: more, .. } = item {
                bytes += more;
            }
        }
    }
    (bytes, count)
}

/// Lists the files below `work` of a kept tree: paths and lengths.
pub(super) fn work_files(folder: &Path, tree: u64) -> io::Result<Vec<(String, u64)>> {
    let work = files(folder, tree).join("work");
    if !work.exists() {
        return Ok(Vec::new());
    }
    let files = scan(&work)?.into_iter().filter_map(|(path, item)| match item {
        Item::File { bytes, .. } => Some((String::from_utf8(path).ok()?, bytes)),
        Item::Folder | Item::Link(_) => None,
    });
    Ok(files.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(folder: &Path, tree: &str) -> Vec<(String, String)> {
        let root = folder.join(tree);
        let items = scan(&root).expect("a tree").into_iter().filter(|(_, item)| matches!(item, Item::File { .. }));
        items
            .map(|(path, _)| {
                let path = String::from_utf8(path).expect("text");
                let content = fs::read_to_string(root.join(&path)).expect("a file");
                (path, content)
            })
            .collect()
    }

    #[test]
    fn files_are_again_what_they_were() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        assert_eq!(keep(folder, None, 1).expect("kept"), None);
        let home = folder.join(HOME);
        fs::create_dir_all(home.join("work/a/b")).expect("made");
        for path in ["work/a/b/1", "work/a/2", "work/3", "work/4"] {
            fs::write(home.join(path), path).expect("written");
        }
        symlink("/etc/passwd", home.join("work/link")).expect("made");
        std::thread::sleep(CLOCK_STEP * 2);
        let before = content(folder, HOME);
        assert_eq!(keep(folder, None, 1).expect("kept"), Some(1));
        assert_eq!(keep(folder, Some(1), 2).expect("kept"), Some(1), "nothing has changed");
        assert_eq!(content(folder, "files-1"), before);
        // The same length and the same time of the last write.
        let time = fs::metadata(home.join("work/3")).and_then(|it| it.modified()).expect("a time");
        fs::write(home.join("work/3"), "WORK/3").expect("written");
        File::options().write(true).open(home.join("work/3")).and_then(|it| it.set_modified(time)).expect("set");
        fs::remove_dir_all(home.join("work/a")).expect("removed");
        fs::write(home.join("work/a"), "a file").expect("written");
        fs::remove_file(home.join("work/4")).expect("removed");
        fs::create_dir(home.join("work/4")).expect("made");
        fs::write(home.join("work/4/5"), "5").expect("written");
        fs::remove_file(home.join("work/link")).expect("removed");
        let after = content(folder, HOME);
        assert_eq!(keep(folder, Some(1), 2).expect("kept"), Some(2));
        restore(folder, Some(1)).expect("restored");
        assert_eq!(content(folder, HOME), before);
        assert_eq!(fs::read_link(home.join("work/link")).expect("a link"), Path::new("/etc/passwd"));
        restore(folder, Some(2)).expect("restored");
        assert_eq!(content(folder, HOME), after);
        fs::write(home.join("work/4/5"), "six").expect("written");
        restore(folder, Some(2)).expect("restored");
        assert_eq!(content(folder, HOME), after);
        restore(folder, None).expect("removed");
        assert!(!home.exists());
    }
}

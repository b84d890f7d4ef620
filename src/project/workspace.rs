//! The directories of a running job, on the host.
//!
//! Each is locked as long as its process lives, so that a process that was killed leaves nothing for good: the next one
//! removes what is not locked.

use super::{Project, paths::DEPTH_MAX};
use crate::blocking::StillWanted;
use cap_std::fs::Dir;
use rustix::{
    fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RawDir, SeekFrom},
    io::Errno,
};
use std::{
    fs::{self, File},
    io::{self, Read},
    mem::MaybeUninit,
    os::{
        fd::AsFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    sync::{Arc, Once},
};

const PREFIX: &str = "pyexec-job-";
/// Tells them from those of versions that did not lock theirs.
const SUFFIX: &str = ".lock";
/// A folder that another process takes for one that was left, before it is locked, is made anew.
const ATTEMPTS: usize = 10;
/// Bytes that the host is asked for at a time.
const LISTING_BYTES: usize = 8192;

/// The directories of one running job, on the host. Dropping it removes them.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The directory that has the project in `work`, and `tmp` beside it.
    pub(crate) root: Arc<Dir>,
    path: PathBuf,
    /// Whether it stays when this is dropped.
    is_kept: bool,
}

impl Workspace {
    /// Makes the directories, with the project's files in the first; blocks for as long as copying those takes.
    pub(crate) fn create(project: &Project, wanted: &StillWanted) -> io::Result<Workspace> {
        static SWEPT: Once = Once::new();
        SWEPT.call_once(|| drop(std::thread::Builder::new().name("sweep".to_owned()).spawn(sweep)));
        let workspace = Workspace::empty()?;
        project.materialize(&workspace.root.open_dir("work")?, wanted)?;
        Ok(workspace)
    }

    /// Opens the directories at `home`, or makes them there, with the project's files; they stay when this is dropped.
    pub(crate) fn at(project: &Project, home: &Path, wanted: &StillWanted) -> io::Result<Workspace> {
        if !home.join("work").exists() {
            // All of it or nothing.
            let parent = home.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(parent)?;
            let making = tempfile::Builder::new().prefix("making-").tempdir_in(parent)?;
            let root = Dir::from_std_file(File::open(making.path())?);
            root.create_dir("work")?;
            root.create_dir("tmp")?;
            project.materialize(&root.open_dir("work")?, wanted)?;
            let _ = fs::remove_dir(home);
            fs::rename(making.keep(), home)?;
        }
        let root = Dir::from_std_file(File::open(home)?);
        Ok(Workspace { root: Arc::new(root), path: home.to_owned(), is_kept: true })
    }

    /// Returns whether it stays when this is dropped.
    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept
    }

    fn empty() -> io::Result<Workspace> {
        for _ in 0..ATTEMPTS {
            let path = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).tempdir()?.keep();
            // cap-std's own handles of directories can be neither locked nor listed.
            let made = File::open(&path).and_then(|root| {
                let root = Dir::from_std_file(root);
                if lock(&root)? {
                    root.create_dir("work")?;
                    root.create_dir("tmp")?;
                    return Ok(Some(root));
                }
                Ok(None)
            });
            match made {
                Ok(Some(root)) => return Ok(Workspace { root: Arc::new(root), path, is_kept: false }),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let _ = fs::remove_dir_all(&path);
                    return Err(error);
                }
            }
        }
        Err(io::Error::other("the temporary folder does not keep what is made in it"))
    }

    /// Returns the paths of regular files below `top`, in order. Links are not followed.
    pub(crate) fn files(&self, top: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut pending = vec![(PathBuf::from(top), 0)];
        while let Some((folder, depth)) = pending.pop() {
            for entry in self.root.read_dir(&folder).into_iter().flatten().flatten() {
                let path = folder.join(entry.file_name());
                match entry.file_type() {
                    Ok(kind) if kind.is_file() => found.push(path),
                    Ok(kind) if kind.is_dir() && depth < DEPTH_MAX => pending.push((path, depth + 1)),
                    _ => {}
                }
            }
        }
        found.sort();
        found
    }

    /// Opens a file to read it.
    pub(crate) fn open(&self, path: &Path) -> io::Result<File> {
        Ok(self.root.open(path)?.into_std())
    }

    /// Reads a file that has at most `bytes_max`.
    pub(crate) fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.root.open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() as u64 > bytes_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(content) }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        if let Err(error) = remove(&*self.root, &self.path) {
            tracing::warn!(%error, folder = %self.path.display(), "a job's folder is left on the disk");
        }
    }
}

/// Removes folders of jobs whose process has ended without doing so; blocks.
pub(crate) fn sweep() {
    let user = rustix::process::geteuid().as_raw();
    let mut removed = 0_u32;
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if !name.starts_with(PREFIX.as_bytes()) || !name.ends_with(SUFFIX.as_bytes()) {
            continue;
        }
        let path = entry.path();
        let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits();
        let Ok(folder) = File::options().read(true).custom_flags(flags.cast_signed()).open(&path) else { continue };
        let is_ours = folder.metadata().is_ok_and(|metadata| metadata.uid() == user);
        if !is_ours || !matches!(lock(&folder), Ok(true)) {
            continue;
        }
        match remove(&folder, &path) {
            Ok(()) => removed += 1,
            Err(error) => tracing::warn!(%error, folder = %path.display(), "what a job left cannot be removed"),
        }
    }
    if removed > 0 {
        tracing::info!(removed, "removed folders of jobs that were left behind");
    }
}

/// Locks a folder until it is closed; returns whether nobody else has. A file system without locks leaves folders to
/// their own process.
fn lock(folder: impl AsFd) -> io::Result<bool> {
    match rustix::fs::flock(folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn remove(folder: impl AsFd, path: &Path) -> io::Result<()> {
    empty(folder)?;
    match fs::remove_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what is in a folder, however deep: folders in folders are brought up to the first one, so that it takes neither
/// more descriptors nor more stack when there are more of them.
fn empty(top: impl AsFd) -> io::Result<()> {
    let mut brought = 0_u64;
    while each(&top, |name, kind| {
        if kind != FileType::Directory {
            return rustix::fs::unlinkat(&top, name, AtFlags::empty());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let inner = rustix::fs::openat(&top, name, flags, Mode::empty())?;
        while each(&inner, |name, kind| {
            if kind != FileType::Directory {
                return rustix::fs::unlinkat(&inner, name, AtFlags::empty());
            }
            brought += 1;
            rustix::fs::renameat(&inner, name, &top, brought.to_string())
        })? {}
        rustix::fs::unlinkat(&top, name, AtFlags::REMOVEDIR)
    })? {}
    Ok(())
}

/// Gives each name in a folder to `take`, once through, and returns whether there was any.
fn each(
    folder: impl AsFd,
    mut take: impl FnMut(&std::ffi::CStr, FileType) -> rustix::io::Result<()>,
) -> rustix::io::Result<bool> {
    rustix::fs::seek(&folder, SeekFrom::Start(0))?;
    let mut buffer = [MaybeUninit::uninit(); LISTING_BYTES];
    let mut entries = RawDir::new(&folder, &mut buffer);
    let mut found = false;
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        found = true;
        let kind = match entry.file_type() {
            FileType::Unknown => {
                FileType::from_raw_mode(rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode)
            }
            kind => kind,
        };
        take(name, kind)?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn workspace() -> Workspace {
        Workspace::create(&Project::script("print(1)"), &StillWanted::always()).expect("made")
    }

    #[test]
    fn folders_deeper_than_any_path_are_removed_with_few_descriptors() {
        let workspace = workspace();
        let path = workspace.path.clone();
        let work = path.join("work");
        fs::write(work.join("file"), "x").expect("written");
        symlink("/etc/passwd", work.join("link")).expect("linked");
        fs::create_dir(work.join("r")).expect("made");
        // As deep as no path is long, and deeper than there may be descriptors.
        for _ in 0..5000 {
            fs::create_dir(work.join("x")).expect("made");
            fs::write(work.join("x/2"), "x").expect("written");
            fs::rename(work.join("r"), work.join("x/r")).expect("moved");
            fs::rename(work.join("x"), work.join("r")).expect("moved");
        }
        drop(workspace);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_is_swept_when_nobody_holds_it() {
        let held = workspace();
        let left = std::env::temp_dir().join(format!("{PREFIX}{}{SUFFIX}", uuid::Uuid::new_v4()));
        fs::create_dir_all(left.join("work/deep")).expect("made");
        fs::write(left.join("work/deep/secret"), "x").expect("written");
        sweep();
        assert!(!left.exists());
        assert_eq!(fs::read(held.path.join("work/main.py")).expect("there"), b"print(1)");
    }

    #[test]
    fn what_is_not_wanted_any_more_is_not_unpacked() {
        let (wanted, still) = crate::blocking::Wanted::new();
        drop(wanted);
        assert!(Workspace::create(&Project::script("print(1)"), &still).is_err());
    }
}

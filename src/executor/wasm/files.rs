//! The job's file descriptors and directories.
//!
//! Names and paths are bytes, as on Linux. `place` resolves paths in one tree that has folders on the host's disk (`/work`,
//! `/tmp`) and a read-only part without any file of the host behind it (`virtual_tree`). The host's files are reached
//! through cap-std, which keeps every path inside a directory handle. On top of that come the disk quota and permission
//! bits (WASI has none, so they are kept here).
//!
//! Here are the descriptors. What a job does with them is one file per kind of call: `open`, `content`, `entries` and
//! `attributes`. Those know this file; what all of them are made of (`descriptor`, `pipe`, `trees`, `virtual_tree`, `stat`,
//! `errno`) does not.

mod attributes;
mod content;
#[cfg(any(feature = "fuzzing", all(test, feature = "server")))]
mod count;
mod descriptor;
mod entries;
mod errno;
mod freeze;
mod from_outside;
mod open;
mod pipe;
mod place;
mod stat;
mod trees;
mod virtual_tree;

pub(crate) use attributes::Times;
pub(crate) use descriptor::Descriptor;
pub(crate) use errno::Result;
pub(crate) use freeze::FrozenFiles;
pub(crate) use open::Open;
pub(crate) use stat::{RECORD_HEAD_BYTES, Stat};
pub(crate) use trees::{FIRST_PREOPENED, PREOPENED};

use super::{library::Library, quota::Quota};
use crate::{
    Limits,
    blocking::{StillWanted, Wanted, blocking, detached},
    project::{Project, Workspace},
};
use cap_std::fs::Dir;
use descriptor::Folder;
use errno::errno;
use std::{collections::HashMap, io, path::Path, sync::Arc};
use virtual_tree::VirtualTree;
use wasmtime_wasi::p1::types::Errno;

/// As the soft limit on Linux; each may be one of the host's.
const DESCRIPTORS_MAX: usize = 1024;
/// Open ends of pipes: each pipe may hold 64 KiB of the host's memory.
const PIPE_ENDS_MAX: usize = 128;

/// Holds what a job leaves: open files, some without a name, and its directories. Dropping it removes them, which
/// may take long.
pub(crate) struct Remains {
    pub(crate) is_large: bool,
    _descriptors: Vec<Option<Descriptor>>,
    /// The job's directories, when it ever needed them.
    pub(crate) workspace: Option<Workspace>,
}

/// All files of one job.
pub(crate) struct Files {
    descriptors: Vec<Option<Descriptor>>,
    tree: VirtualTree,
    project: Project,
    workspace: Option<Workspace>,
    /// Where the workspace is to stay, when it outlives the instance.
    home: Option<Arc<Path>>,
    /// How often it was used.
    uses: u64,
    /// How many pipes it has made.
    pipes: u64,
    pub(crate) quota: Quota,
    /// Permission bits by inode, where they are not the usual ones.
    modes: HashMap<u64, u32>,
    /// Permission bits that new files do not get.
    umask: u32,
    /// Those that new files and folders get otherwise, where they are not the usual ones.
    mode: Option<u32>,
    /// Whether there may be symbolic links on disk, so that each name of a path must be looked at.
    has_links: bool,
}

impl Files {
    pub(crate) fn new(project: Project, library: &Library, limits: &Limits, home: Option<Arc<Path>>) -> Files {
        let mut descriptors = vec![Some(Descriptor::Stdin), Some(Descriptor::Stdout), Some(Descriptor::Stderr)];
        descriptors.extend(PREOPENED.map(|path| {
            let path = path.trim_start_matches('/').as_bytes().to_vec();
            Some(Descriptor::Folder(Arc::new(Folder::new(path, None))))
        }));
        let quota = Quota::new(limits, project.size());
        Files {
            descriptors,
            tree: VirtualTree::new(library.clone()),
            has_links: project.has_links(),
            project,
            workspace: None,
            home,
            uses: 0,
            pipes: 0,
            quota,
            modes: HashMap::new(),
            umask: 0o022,
            mode: None,
        }
    }

    /// Makes the job's directories now, on another thread, when its project is so large that the first call that needs
    /// them would take long.
    pub(crate) async fn make_ready(&mut self) -> io::Result<()> {
        if self.workspace.is_some() || self.quota.is_small() {
            return Ok(());
        }
        let (project, home) = (self.project.clone(), self.home.clone());
        let (_wanted, still) = Wanted::new();
        self.workspace = Some(blocking(move || workspace(&project, home.as_deref(), &still)).await??);
        Ok(())
    }

    /// Returns what the job leaves behind.
    pub(crate) fn take_remains(&mut self) -> Remains {
        Remains {
            is_large: !self.quota.is_small(),
            _descriptors: std::mem::take(&mut self.descriptors),
            workspace: self.workspace.take(),
        }
    }

    /// Returns how often the job has used its directories.
    pub(crate) fn uses(&self) -> u64 {
        self.uses
    }

    /// Returns how many descriptors are open.
    pub(crate) fn open_count(&self) -> usize {
        self.descriptors.iter().flatten().count()
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

    /// Renumbers a descriptor, as WASI calls a `dup2` that closes the old one.
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

    /// Makes a pipe: the end to read from, and the one to write to.
    pub(crate) fn pipe(&mut self) -> Result<(u32, u32)> {
        let is_pipe = |it: &&Descriptor| matches!(it, Descriptor::PipeReader(_) | Descriptor::PipeWriter(_));
        if self.descriptors.iter().flatten().filter(is_pipe).count() >= PIPE_ENDS_MAX {
            return Err(Errno::Mfile);
        }
        self.pipes += 1;
        let (reader, writer) = pipe::pipe(self.pipes);
        let reader = self.insert(Descriptor::PipeReader(Arc::new(reader)))?;
        match self.insert(Descriptor::PipeWriter(Arc::new(writer))) {
            Ok(writer) => Ok((reader, writer)),
            Err(error) => {
                self.close(reader)?;
                Err(error)
            }
        }
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
            let inode = file.inode;
            if self.quota.closed(inode, || file.bytes().unwrap_or_default()) {
                self.modes.remove(&inode);
            }
        }
    }

    fn folder(&self, fd: u32) -> Result<Arc<Folder>> {
        match self.get(fd)? {
            Descriptor::Folder(folder) => Ok(Arc::clone(folder)),
            _ => Err(Errno::Notdir),
        }
    }

    /// Returns the directory that the job's folders on disk are in, which are made when they are first needed.
    fn root(&mut self) -> Result<Arc<Dir>> {
        self.uses += 1;
        if self.workspace.is_none() {
            let made = workspace(&self.project, self.home.as_deref(), &StillWanted::always());
            self.workspace = Some(made.map_err(errno)?);
        }
        self.workspace.as_ref().map(|workspace| Arc::clone(&workspace.root)).ok_or(Errno::Io)
    }

    /// Makes a file, which takes the place of one more.
    fn add_file<T>(&mut self, make: impl FnOnce(&mut Files) -> Result<T>) -> Result<T> {
        self.quota.add_file().map_err(|_| Errno::Nospc)?;
        let made = make(self);
        if made.is_err() {
            self.quota.remove_file();
        }
        made
    }
}

fn workspace(project: &Project, home: Option<&Path>, wanted: &StillWanted) -> io::Result<Workspace> {
    match home {
        Some(home) => Workspace::at(project, home, wanted),
        None => Workspace::create(project, wanted),
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let remains = self.take_remains();
        if remains.is_large && remains.workspace.is_some() {
            detached(move || drop(remains));
        }
    }
}

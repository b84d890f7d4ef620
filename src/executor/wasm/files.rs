//! The job's file descriptors and directories.
//!
//! Files are reached through cap-std, which resolves every path inside a directory handle: `..`, absolute paths and links
//! cannot leave it. On top of that come the disk quota, permission bits (WASI has none, so they are kept here), and two
//! read-only trees without any file of the host behind them: `/usr` and `/dev`.
//!
//! Here are the descriptors and where their paths lead. What a job does with them is one file per kind of call: `open`,
//! `content`, `entries` and `attributes`. Those know this file; what all of them are made of (`descriptor`, `trees`,
//! `virtual_tree`, `stat`, `errno`) does not.

mod attributes;
mod content;
mod descriptor;
mod entries;
mod errno;
mod open;
mod stat;
mod trees;
mod virtual_tree;

pub(crate) use attributes::Times;
pub(crate) use descriptor::Descriptor;
pub(crate) use errno::Result;
pub(crate) use open::Open;
pub(crate) use stat::Stat;
pub(crate) use trees::{FIRST_PREOPENED, PREOPENED};

use super::{library::Library, quota::Quota};
use crate::{
    Limits,
    project::{Project, Workspace},
};
use cap_std::fs::Dir;
use descriptor::{Folder, Place};
use errno::errno;
use std::{collections::HashMap, sync::Arc};
use trees::{DiskTree, Tree};
use virtual_tree::VirtualPath;
use wasmtime_wasi::p1::types::Errno;

const DESCRIPTORS_MAX: usize = 4096;

/// All files of one job.
pub(crate) struct Files {
    descriptors: Vec<Option<Descriptor>>,
    project: Project,
    workspace: Option<Workspace>,
    /// How often it was used.
    uses: u64,
    pub(crate) quota: Quota,
    /// Permission bits by inode, where they are not the usual ones.
    modes: HashMap<u64, u32>,
    /// Permission bits that new files do not get.
    umask: u32,
    /// Targets of symbolic links, by inode, where they were given as absolute paths.
    absolute_links: HashMap<u64, String>,
}

impl Files {
    pub(crate) fn new(project: Project, library: &Library, limits: &Limits) -> Files {
        let mut descriptors = vec![Some(Descriptor::Stdin), Some(Descriptor::Stdout), Some(Descriptor::Stderr)];
        descriptors.extend(PREOPENED.map(|(_, tree)| {
            let place = match tree {
                Tree::Disk(tree) => Place::Disk(tree),
                Tree::Virtual(tree) => Place::Virtual(VirtualPath::root(tree, library.clone())),
            };
            Some(Descriptor::folder(place))
        }));
        let quota = Quota::new(limits, project.size());
        Files {
            descriptors,
            project,
            workspace: None,
            uses: 0,
            quota,
            modes: HashMap::new(),
            umask: 0o022,
            absolute_links: HashMap::new(),
        }
    }

    /// The job's directories, when it ever needed them.
    pub(crate) fn into_workspace(self) -> Option<Workspace> {
        self.workspace
    }

    /// How often the job has used its directories.
    pub(crate) fn uses(&self) -> u64 {
        self.uses
    }

    /// How many descriptors are open.
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

    /// `dup2` with the old descriptor closed: what WASI calls renumbering.
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
            self.quota.closed(file.inode, || file.bytes().unwrap_or_default());
        }
    }

    fn folder(&self, fd: u32) -> Result<Arc<Folder>> {
        match self.get(fd)? {
            Descriptor::Folder(folder) => Ok(Arc::clone(folder)),
            _ => Err(Errno::Notdir),
        }
    }

    /// The folder as a directory of the host, or the place in a virtual tree that `path` means from there.
    fn resolve<'a>(&'a mut self, folder: &'a Folder, path: &str) -> Result<Resolved<'a>> {
        self.uses += u64::from(!matches!(folder.place, Place::Virtual(_)));
        match &folder.place {
            Place::Opened(dir) => Ok(Resolved::Real(dir)),
            Place::Virtual(at) => Ok(Resolved::Virtual(at.join(path)?)),
            Place::Disk(tree) => {
                if self.workspace.is_none() {
                    self.workspace = Some(Workspace::create(&self.project).map_err(errno)?);
                }
                let workspace = self.workspace.as_ref().ok_or(Errno::Io)?;
                Ok(Resolved::Real(match tree {
                    DiskTree::Project => &workspace.project,
                    DiskTree::Temporary => &workspace.temporary,
                }))
            }
        }
    }

    /// A directory that can be changed; the virtual trees cannot.
    fn writable<'a>(&'a mut self, folder: &'a Folder) -> Result<&'a Dir> {
        match self.resolve(folder, "")? {
            Resolved::Real(dir) => Ok(dir),
            Resolved::Virtual(_) => Err(Errno::Rofs),
        }
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

enum Resolved<'a> {
    Real(&'a Dir),
    Virtual(VirtualPath),
}

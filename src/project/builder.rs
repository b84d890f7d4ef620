//! Collects the entries of a project, within bounds.

use super::{
    Entry, Project,
    archive::Archive,
    omissions::{Omission, Omissions},
    paths::{PATH_BYTES_MAX, parents, stays_inside},
};
use crate::{Error, Limits, Result};
use std::{collections::BTreeMap, sync::Arc};

/// As many as any job may have.
pub(super) const ENTRIES_MAX: usize = Limits::MAXIMA.disk_files as usize;
/// All paths together, with those of folders that no entry names but in a path.
const NAMES_BYTES_MAX: usize = 16 << 20;

/// Collects entries, with the folders that their paths imply.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) entries: BTreeMap<String, Entry>,
    names_bytes: usize,
    pub(super) omissions: Omissions,
}

impl Builder {
    pub(super) fn add(&mut self, path: String, entry: Entry) -> Result<()> {
        if path.is_empty() {
            return Ok(()); // the root itself
        }
        for parent in parents(&path) {
            match self.entries.get(parent) {
                Some(Entry::Folder) => {}
                // Nothing is written through a link: it gives way.
                Some(Entry::Link { .. }) => {
                    self.omissions.add(Omission::LinkInTheWay, parent);
                    self.insert(parent.to_owned(), Entry::Folder)?;
                }
                None => self.insert(parent.to_owned(), Entry::Folder)?,
                Some(_) => return Err(Error::invalid(format!("{parent:?} is both a file and a folder"))),
            }
        }
        match (self.entries.get(&path), &entry) {
            (Some(Entry::Folder), Entry::Folder) => Ok(()),
            (Some(Entry::Folder), Entry::Link { .. }) => {
                self.omissions.add(Omission::LinkInTheWay, &path);
                Ok(())
            }
            (Some(Entry::Link { .. }), Entry::Folder) => {
                self.omissions.add(Omission::LinkInTheWay, &path);
                self.insert(path, entry)
            }
            (Some(Entry::Folder), _) | (Some(_), Entry::Folder) => {
                Err(Error::invalid(format!("{path:?} is both a file and a folder")))
            }
            _ => self.insert(path, entry),
        }
    }

    /// Inserts an entry, within bounds.
    fn insert(&mut self, path: String, entry: Entry) -> Result<()> {
        let target_bytes = if let Entry::Link { target } = &entry { target.len() } else { 0 };
        self.names_bytes += path.len() + target_bytes;
        if self.names_bytes > NAMES_BYTES_MAX {
            return Err(Error::invalid(format!("the project has paths of more than {NAMES_BYTES_MAX} bytes in all")));
        }
        self.entries.insert(path, entry);
        if self.entries.len() > ENTRIES_MAX {
            return Err(Error::invalid(format!("the project has more than {ENTRIES_MAX} files and folders")));
        }
        Ok(())
    }

    /// Adds a symbolic link, unless it has no target here.
    pub(super) fn link(&mut self, path: String, target: Option<String>) -> Result<()> {
        match target.filter(|target| (1..PATH_BYTES_MAX).contains(&target.len()) && stays_inside(&path, target)) {
            Some(target) => self.add(path, Entry::Link { target }),
            None => {
                self.omissions.add(Omission::Link, &path);
                Ok(())
            }
        }
    }

    pub(super) fn finish(self, archive: Option<Arc<Archive>>) -> Result<Project> {
        Ok(Project { entries: Arc::new(self.entries), archive, held: None, notes: self.omissions.notes().into() })
    }
}

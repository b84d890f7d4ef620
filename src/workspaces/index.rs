//! What a workspace has: an index of its files, with the object that has the content of each.

use super::{Change, WorkspaceFile};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::SystemTime};

/// Grows when an older reader would misunderstand an index.
const FORMAT: u32 = 1;
/// All paths together.
const NAMES_BYTES_MAX: usize = 4 << 20;

/// The files of a workspace, by path.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Index {
    format: u32,
    pub(super) owner: String,
    pub(super) created: SystemTime,
    pub(super) files: BTreeMap<String, Stored>,
}

/// A file's content, and the object that has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) object: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    pub(super) modified: SystemTime,
}

#[derive(Debug, thiserror::Error)]
#[error("it was written by another version (format {0})")]
struct OtherFormat(u32);

impl Index {
    pub(super) fn new(owner: &str, created: SystemTime) -> Index {
        Index { format: FORMAT, owner: owner.to_owned(), created, files: BTreeMap::new() }
    }

    pub(super) fn decode(content: &[u8]) -> Result<Index, Box<dyn std::error::Error + Send + Sync>> {
        let index: Index = serde_json::from_slice(content)?;
        if index.format == FORMAT { Ok(index) } else { Err(OtherFormat(index.format).into()) }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        // Text, numbers and times always have a form in JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Returns how many bytes and files there are.
    pub(super) fn size(&self) -> (u64, u64) {
        let bytes = self.files.values().map(|stored| stored.bytes).fold(0, u64::saturating_add);
        (bytes, self.files.len() as u64)
    }

    /// Makes a change, and returns the objects that are not needed any more.
    ///
    /// # Errors
    ///
    /// When a path would be a file and a folder.
    pub(super) fn apply(&mut self, change: Change) -> Result<Vec<String>, String> {
        let Change { files, deleted } = change;
        let mut gone: Vec<_> = deleted.iter().filter_map(|path| self.files.remove(path)).collect();
        for (path, stored) in files {
            self.admit(&path)?;
            gone.extend(self.files.insert(path, stored));
        }
        if self.files.keys().map(String::len).sum::<usize>() > NAMES_BYTES_MAX {
            return Err(format!(
                "the paths of a workspace may have {NAMES_BYTES_MAX} bytes together: use shorter names"
            ));
        }
        Ok(gone.into_iter().map(|stored| stored.object).collect())
    }

    /// Refuses a file where there is a folder, or below a file.
    pub(super) fn admit(&self, path: &str) -> Result<(), String> {
        let below = format!("{path}/");
        let is_folder = self.files.range(below.clone()..).next().is_some_and(|(other, _)| other.starts_with(&below));
        if is_folder {
            return Err(format!("{path:?} is a folder of the workspace: delete what is in it, or use another name"));
        }
        let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        match parents.into_iter().find(|parent| self.files.contains_key(*parent)) {
            Some(parent) => Err(format!("{parent:?} is a file of the workspace, and no folder: delete it first")),
            None => Ok(()),
        }
    }
}

impl Stored {
    pub(super) fn describe(self, path: String) -> WorkspaceFile {
        WorkspaceFile { path, bytes: self.bytes, sha256: self.sha256, modified: self.modified }
    }
}

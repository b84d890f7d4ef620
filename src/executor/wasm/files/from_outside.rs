//! What the host does with a session's files between calls, within the session's quota.

use super::Files;
use crate::{
    Error, Result,
    executor::{COLLECTED_BYTES_MAX, SessionFile},
    project::relative,
};
use cap_std::fs::{Dir, MetadataExt};
use std::{
    io::Read,
    path::{Path, PathBuf},
    time::SystemTime,
};

impl Files {
    /// Lists the regular files in the project folder.
    pub(crate) fn list_from_outside(&mut self) -> Result<Vec<SessionFile>> {
        let root = self.root_from_outside()?;
        let workspace = self.workspace.as_ref().map(|workspace| workspace.files("work")).unwrap_or_default();
        let file = |path: PathBuf| {
            let metadata = root.symlink_metadata(&path).ok()?;
            let modified = metadata.modified().map_or(SystemTime::UNIX_EPOCH, cap_std::time::SystemTime::into_std);
            let below = path.strip_prefix("work").ok()?.to_str()?.to_owned();
            Some(SessionFile::new(below, metadata.len(), modified))
        };
        Ok(workspace.into_iter().filter_map(file).collect())
    }

    pub(crate) fn read_from_outside(&mut self, path: &str) -> Result<Vec<u8>> {
        let (root, at) = (self.root_from_outside()?, below(path)?);
        let file = regular(&root, &at, path)?;
        let mut content = Vec::new();
        file.take(COLLECTED_BYTES_MAX + 1).read_to_end(&mut content).map_err(|e| failed(path, &e))?;
        if content.len() as u64 > COLLECTED_BYTES_MAX {
            return Err(Error::invalid(format!("{path:?} is larger than {COLLECTED_BYTES_MAX} bytes")));
        }
        Ok(content)
    }

    pub(crate) fn write_from_outside(&mut self, path: &str, content: &[u8]) -> Result<()> {
        let (root, at) = (self.root_from_outside()?, below(path)?);
        stays_in_project(&root, &at, path)?;
        let before = match root.symlink_metadata(&at) {
            Ok(metadata) if metadata.is_file() => Some(metadata.len()),
            Ok(_) => return Err(Error::invalid(format!("{path:?} is no file"))),
            Err(_) => None,
        };
        let full = || Error::invalid(format!("{path:?} does not fit: the session's disk is full"));
        let more = (content.len() as u64).saturating_sub(before.unwrap_or(0));
        if self.quota.room(more) < more {
            return Err(full());
        }
        // Each folder takes the place of a file, as it does for the program itself.
        let folders = at.parent().map(Path::ancestors).into_iter().flatten();
        let mut missing: Vec<&Path> = folders.take_while(|folder| root.symlink_metadata(folder).is_err()).collect();
        while let Some(folder) = missing.pop() {
            self.quota.add_file().map_err(|_| full())?;
            if let Err(error) = root.create_dir(folder) {
                self.quota.remove_file();
                return Err(failed(path, &error));
            }
        }
        if before.is_none() {
            self.quota.add_file().map_err(|_| full())?;
        }
        let written = root.write(&at, content);
        // What was written before it failed is there.
        let after = root.symlink_metadata(&at).ok().map(|metadata| metadata.len());
        if before.is_none() && after.is_none() {
            self.quota.remove_file();
        }
        self.quota.resized(before.unwrap_or(0), after.unwrap_or(0));
        written.map_err(|error| failed(path, &error))
    }

    pub(crate) fn remove_from_outside(&mut self, path: &str) -> Result<()> {
        let (root, at) = (self.root_from_outside()?, below(path)?);
        let metadata = regular(&root, &at, path)?.metadata().map_err(|e| failed(path, &e))?;
        root.remove_file(&at).map_err(|e| failed(path, &e))?;
        self.quota.remove_file();
        self.quota.unlinked(metadata.ino(), metadata.len());
        Ok(())
    }

    fn root_from_outside(&mut self) -> Result<std::sync::Arc<Dir>> {
        self.root().map_err(|error| Error::caused("the session's folder cannot be opened", format!("{error:?}")))
    }
}

fn below(path: &str) -> Result<PathBuf> {
    let path = relative(path)?;
    if path.is_empty() {
        return Err(Error::invalid("the path of a file is empty"));
    }
    Ok(Path::new("work").join(path))
}

/// Refuses a path that links of the program lead out of the project folder: what is written there is in no list.
fn stays_in_project(root: &Dir, at: &Path, path: &str) -> Result<()> {
    let real = at.ancestors().skip(1).find_map(|folder| root.canonicalize(folder).ok());
    if real.is_some_and(|real| real.starts_with("work")) {
        return Ok(());
    }
    Err(Error::invalid(format!("{path:?} leads out of the project folder")))
}

fn regular(root: &Dir, at: &Path, path: &str) -> Result<cap_std::fs::File> {
    stays_in_project(root, at, path)?;
    match root.symlink_metadata(at) {
        Ok(metadata) if metadata.is_file() => root.open(at).map_err(|e| failed(path, &e)),
        _ => Err(Error::not_found(format!("the session has no file {path:?}"))),
    }
}

fn failed(path: &str, error: &std::io::Error) -> Error {
    Error::invalid(format!("{path:?}: {error}"))
}

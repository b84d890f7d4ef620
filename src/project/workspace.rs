//! The directories of a running job, on the host.

use super::{DEPTH_MAX, Project};
use cap_std::{ambient_authority, fs::Dir};
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The directories of one running job, on the host. Dropping it removes them.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The directory that has the project in `work`, and `tmp` beside it.
    pub(crate) root: Arc<Dir>,
    _folder: tempfile::TempDir,
}

impl Workspace {
    /// Makes the directories, with the project's files in the first.
    pub(crate) fn create(project: &Project) -> io::Result<Workspace> {
        let folder = tempfile::Builder::new().prefix("pyexec-job-").tempdir()?;
        let root = Dir::open_ambient_dir(folder.path(), ambient_authority())?;
        root.create_dir("work")?;
        root.create_dir("tmp")?;
        project.materialize(&root.open_dir("work")?)?;
        Ok(Workspace { root: Arc::new(root), _folder: folder })
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

    /// Reads a file that has at most `bytes_max`.
    pub(crate) fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.root.open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() as u64 > bytes_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(content) }
    }
}

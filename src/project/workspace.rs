//! The directories of a running job, on the host.

use super::{DEPTH_MAX, Project};
use cap_std::{ambient_authority, fs::Dir};
use std::io::{self, Read};

/// The directories of one running job, on the host. Dropping it removes them.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The project directory.
    pub(crate) project: Dir,
    /// `/tmp`.
    pub(crate) temporary: Dir,
    _folder: tempfile::TempDir,
}

impl Workspace {
    /// Makes the directories, with the project's files in the first.
    pub(crate) fn create(project: &Project) -> io::Result<Workspace> {
        let folder = tempfile::Builder::new().prefix("pyexec-job-").tempdir()?;
        let root = Dir::open_ambient_dir(folder.path(), ambient_authority())?;
        root.create_dir("work")?;
        root.create_dir("tmp")?;
        let workspace =
            Workspace { project: root.open_dir("work")?, temporary: root.open_dir("tmp")?, _folder: folder };
        project.materialize(&workspace.project)?;
        Ok(workspace)
    }

    /// Paths of the regular files in the project directory, in order. Links are not followed.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut pending = vec![(String::new(), 0)];
        while let Some((folder, depth)) = pending.pop() {
            let entries = if folder.is_empty() { self.project.entries() } else { self.project.read_dir(&folder) };
            for entry in entries.into_iter().flatten().flatten() {
                let Ok(name) = entry.file_name().into_string() else { continue };
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
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

    /// Content of a file that has at most `bytes_max`.
    pub(crate) fn read(&self, path: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.project.open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() as u64 > bytes_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(content) }
    }
}

//! A job's files: from memory, a folder or an archive, to a directory that the job may use.
//!
//! A project is checked as a whole before anything of it is used. It consists of folders, regular files, and symbolic
//! links that stay inside; names that lead out are refused, other entries are left out and noted.

mod archive;
mod builder;
mod content;
mod headers;
mod omissions;
mod paths;
mod scripts;
mod workspace;

pub(crate) use archive::{is_tar, packed_with};
pub(crate) use paths::{is_of_macos, relative};
pub(crate) use workspace::{Workspace, sweep};

use crate::{Error, Limits, Result};
use archive::Archive;
use builder::{Builder, ENTRIES_MAX};
use bytes::Bytes;
use omissions::Omission;
use paths::{folder_of, is_hidden, parents, target_from, through_link};
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::File,
    io::{self, Write},
    ops::Bound,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Names of scripts that are meant when none is named.
const USUAL_SCRIPTS: [&str; 2] = ["main.py", "__main__.py"];

/// Folders that belong to tools, not to the project.
const IGNORED_FOLDERS: [&str; 7] = [".git", ".hg", ".svn", ".venv", "__pycache__", "node_modules", ".mypy_cache"];

/// The files of a job, as submitted. Cheap to clone; running a job never changes it.
#[derive(Clone)]
pub struct Project {
    /// By path, parents before children.
    entries: Arc<BTreeMap<String, Entry>>,
    archive: Option<Arc<Archive>>,
    /// What keeps its files on disk there.
    held: Option<Arc<dyn Any + Send + Sync>>,
    /// What was left out, in sentences for the user.
    notes: Arc<[String]>,
}

/// Takes a project, entry by entry. What is written goes to the file named last.
pub(crate) trait Receiver: Write {
    fn folder(&mut self, path: &str) -> io::Result<()>;
    fn file(&mut self, path: &str) -> io::Result<()>;
    fn link(&mut self, path: &str, target: &str) -> io::Result<()>;
}

#[derive(Clone)]
enum Entry {
    Folder,
    Memory(Bytes),
    OnDisk { path: PathBuf, bytes: u64 },
    InArchive { offset: u64, bytes: u64 },
    Link { target: String },
}

impl Project {
    /// Makes a project of nothing.
    pub fn empty() -> Project {
        Project { entries: Arc::default(), archive: None, held: None, notes: Arc::default() }
    }

    /// Makes a project of one script, named `main.py`.
    pub fn script(source: impl Into<Bytes>) -> Project {
        let entries = BTreeMap::from([("main.py".to_owned(), Entry::Memory(source.into()))]);
        Project { entries: Arc::new(entries), archive: None, held: None, notes: Arc::default() }
    }

    /// Makes a project of files, by their paths there.
    ///
    /// # Errors
    ///
    /// When a path is absolute, leaves the project, or is used twice.
    pub fn files<P: AsRef<str>, C: Into<Bytes>>(files: impl IntoIterator<Item = (P, C)>) -> Result<Project> {
        let mut builder = Builder::default();
        for (path, content) in files {
            let path = relative(path.as_ref())?;
            if builder.entries.contains_key(&path) {
                return Err(Error::invalid(format!("the project has two files named {path:?}")));
            }
            builder.add(path, Entry::Memory(content.into()))?;
        }
        builder.finish(None)
    }

    /// Makes a project of the files below a folder, which are read when the job runs. Links that stay in it remain
    /// links. Folders that belong to tools (`.git`, `.venv`, `__pycache__`, …) are left out, and so is what
    /// [`Project::notes`] names.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn folder(root: &Path) -> Result<Project> {
        let mut builder = Builder::default();
        let absolute = root.canonicalize().ok();
        let mut pending = vec![(root.to_owned(), String::new())];
        while let Some((folder, prefix)) = pending.pop() {
            let fail = |e| Error::invalid(format!("cannot read {}: {e}", folder.display()));
            for item in std::fs::read_dir(&folder).map_err(fail)? {
                let item = item.map_err(fail)?;
                let Ok(name) = item.file_name().into_string() else {
                    let shown = format!("{prefix}{}", item.file_name().to_string_lossy());
                    builder.omissions.add(Omission::Name, &shown);
                    continue;
                };
                let kind = item.file_type().map_err(fail)?;
                let path = format!("{prefix}{name}");
                if kind.is_dir() {
                    if !IGNORED_FOLDERS.contains(&name.as_str()) {
                        pending.push((item.path(), format!("{path}/")));
                        builder.add(relative(&path)?, Entry::Folder)?;
                    }
                } else if kind.is_file() {
                    let bytes = item.metadata().map_err(fail)?.len();
                    builder.add(relative(&path)?, Entry::OnDisk { path: item.path(), bytes })?;
                } else if kind.is_symlink() {
                    let target = std::fs::read_link(item.path()).map_err(fail)?;
                    let target = absolute.as_deref().and_then(|root| target_from(&path, &target, root));
                    builder.link(relative(&path)?, target)?;
                } else {
                    builder.omissions.add(Omission::Special, &path);
                }
            }
        }
        builder.finish(None)
    }

    /// Makes a project of an uncompressed tar archive in memory. Links that stay in the project remain links;
    /// [`Project::notes`] names what is left out.
    ///
    /// # Errors
    ///
    /// When it is damaged, or a name in it is absolute or leaves the project.
    pub fn tar(archive: impl Into<Bytes>) -> Result<Project> {
        Project::from_archive(Archive::Memory(archive.into()))
    }

    /// Makes a project of an uncompressed tar archive in a file, which is read when the job runs.
    ///
    /// # Errors
    ///
    /// As for [`Project::tar`].
    pub fn tar_file(archive: File) -> Result<Project> {
        Project::from_archive(Archive::File(archive.into()))
    }

    /// Makes the same, and keeps `held` for as long as the archive is kept.
    pub(crate) fn tar_file_with(archive: File, held: impl Send + Sync + 'static) -> Result<Project> {
        Project::from_archive(Archive::Held { file: archive.into(), _held: Box::new(held) })
    }

    /// Makes a project of a tar archive, compressed by gzip or not, or a zip archive, in a file. What is compressed is unpacked into a
    /// temporary file, which may have `bytes_max` bytes.
    ///
    /// # Errors
    ///
    /// As for [`Project::tar`]; when it is compressed in another way, or unpacks to more than `bytes_max`.
    pub fn archive_file(archive: File, bytes_max: u64) -> Result<Project> {
        archive::open(archive, bytes_max)
    }

    /// Makes a project of files on disk, by their paths there, which stay as they are for as long as `held` is.
    pub(crate) fn on_disk(
        files: impl IntoIterator<Item = (String, PathBuf, u64)>,
        held: Arc<dyn Any + Send + Sync>,
    ) -> Result<Project> {
        let mut builder = Builder::default();
        for (path, on_disk, bytes) in files {
            builder.add(path, Entry::OnDisk { path: on_disk, bytes })?;
        }
        Ok(Project { held: Some(held), ..builder.finish(None)? })
    }

    /// Puts this project over `base`, whose files give way where both have something.
    pub(crate) fn over(self, base: Project) -> Result<Project> {
        let mut entries = Arc::unwrap_or_clone(base.entries);
        for (path, entry) in self.entries.iter() {
            let was = entries.insert(path.clone(), entry.clone());
            if matches!(was, Some(Entry::Folder)) && !matches!(entry, Entry::Folder) {
                let below = format!("{path}/");
                let inner = entries.range(below.clone()..).map(|(path, _)| path.clone());
                let inner: Vec<_> = inner.take_while(|path| path.starts_with(&below)).collect();
                inner.iter().for_each(|path| drop(entries.remove(path)));
            }
        }
        if entries.len() > ENTRIES_MAX {
            return Err(Error::invalid(format!("the project has more than {ENTRIES_MAX} files and folders")));
        }
        Ok(Project { entries: Arc::new(entries), held: base.held, ..self })
    }

    fn from_archive(archive: Archive) -> Result<Project> {
        let entries = archive::scan(&archive)?;
        entries.finish(Some(Arc::new(archive)))
    }

    /// Returns what was left out of the archive or folder and why, one sentence for each kind.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Adds a file, or gives one another content.
    ///
    /// # Errors
    ///
    /// When the path is absolute or leaves the project.
    pub fn with_file(mut self, path: &str, content: impl Into<Bytes>) -> Result<Project> {
        let path = relative(path)?;
        let entries = Arc::make_mut(&mut self.entries);
        for parent in parents(&path) {
            entries.entry(parent.to_owned()).or_insert(Entry::Folder);
        }
        entries.insert(path, Entry::Memory(content.into()));
        Ok(self)
    }

    /// Returns the paths of the files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|(_, entry)| !matches!(entry, Entry::Folder)).map(|(path, _)| path.as_str())
    }

    /// Returns the script to run: `asked`, or the first of [`Project::entrypoint_candidates`].
    ///
    /// # Errors
    ///
    /// When the project has no such file.
    pub fn entrypoint(&self, asked: Option<&str>) -> Result<String> {
        if let Some(asked) = asked {
            // Its name as the job sees it is as good.
            let path = relative(asked.strip_prefix("/work/").unwrap_or(asked))?;
            if self.is_file(&path) {
                return Ok(path);
            }
            if let Some(Located::File { path: real, .. }) = self.locate(&path) {
                // A script imports from the folder of the file that it is, wherever a link to it may be.
                return Ok(if folder_of(&real) == folder_of(&path) { path } else { real });
            }
            let known: Vec<_> = self.scripts().take(5).collect();
            let hint = if known.is_empty() { String::new() } else { format!(" (it has {})", known.join(", ")) };
            return Err(Error::invalid(format!("the project has no file {path:?}{hint}")));
        }
        if self.is_file(USUAL_SCRIPTS[0]) {
            return Ok(USUAL_SCRIPTS[0].to_owned());
        }
        match self.entrypoint_candidates().as_slice() {
            [] => Err(Error::invalid("the project has no .py file: name the script to run")),
            [only] => self.entrypoint(Some(*only)),
            several => self.entrypoint(Some(scripts::choose(self, several)?)),
        }
    }

    /// Returns the scripts that may be meant when none is named; one if that is clear.
    ///
    /// It is clear when there is a `main.py` or `__main__.py`, or only one script, in the uppermost folder; when that has no
    /// scripts, it is the `main.py` or `__main__.py` nearest to it. Files and folders that are hidden or belong to tools do
    /// not count.
    pub fn entrypoint_candidates(&self) -> Vec<&str> {
        let scripts: Vec<_> = self.scripts().collect();
        let (outer, inner): (Vec<_>, Vec<_>) = scripts.into_iter().partition(|path| !path.contains('/'));
        if let Some(usual) = USUAL_SCRIPTS.iter().find_map(|usual| outer.iter().find(|path| *path == usual)) {
            return vec![*usual];
        }
        if !outer.is_empty() {
            return outer;
        }
        let nearest = |usual: &str| {
            let named = inner.iter().filter(|path| path.rsplit('/').next() == Some(usual));
            named.min_by_key(|path| parents(path).count())
        };
        match USUAL_SCRIPTS.into_iter().find_map(nearest).copied() {
            Some(usual) => vec![usual],
            None => inner,
        }
    }

    /// Returns whether there is a file of that very path.
    pub(crate) fn is_file(&self, path: &str) -> bool {
        !matches!(self.entries.get(path), None | Some(Entry::Folder | Entry::Link { .. }))
    }

    /// Returns the Python files that a user would call scripts, in order.
    fn scripts(&self) -> impl Iterator<Item = &str> {
        let is_file = |path: &&str| matches!(self.locate(path), Some(Located::File { .. }));
        self.paths().filter(|path| path.ends_with(".py") && !is_hidden(path)).filter(is_file)
    }

    /// Returns the names by which modules and packages beside `script` can be imported.
    pub(crate) fn modules_beside(&self, script: &str) -> BTreeSet<&str> {
        let folder = script.rfind('/').map_or("", |at| &script[..=at]);
        self.entries
            .keys()
            .filter_map(|path| path.strip_prefix(folder))
            .filter_map(|path| match path.split_once('/') {
                Some((package, _)) => Some(package),
                None => path.strip_suffix(".py"),
            })
            .collect()
    }

    /// Finds what a path leads to, through links within the project.
    pub(crate) fn locate(&self, path: &str) -> Option<Located> {
        const LINKS_MAX: usize = 16;
        let mut path = path.to_owned();
        'again: for _ in 0..LINKS_MAX {
            for end in path.match_indices('/').map(|(at, _)| at).chain([path.len()]) {
                match self.entries.get(&path[..end])? {
                    Entry::Link { target } => {
                        path = through_link(&path[..end], target, &path[end..])?;
                        continue 'again;
                    }
                    Entry::Folder if end == path.len() => return Some(Located::Folder { path }),
                    Entry::Folder => {}
                    file => return (end == path.len()).then(|| Located::File { bytes: file.bytes(), path }),
                }
            }
        }
        None
    }

    /// Returns the paths of files that start with `prefix`, in order.
    pub(crate) fn paths_from(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.entries
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(path, _)| path.starts_with(prefix))
            .filter(|(_, entry)| !matches!(entry, Entry::Folder))
            .map(|(path, _)| path.as_str())
    }

    /// Counts bytes and entries as the disk limit does.
    pub(crate) fn size(&self) -> (u64, u64) {
        let files = self.entries.values().filter(|entry| !matches!(entry, Entry::Link { .. }));
        let bytes = files.map(Entry::bytes).fold(0, u64::saturating_add);
        (bytes, self.entries.len() as u64)
    }

    /// Returns whether anything in it is a symbolic link.
    pub(crate) fn has_links(&self) -> bool {
        self.entries.values().any(|entry| matches!(entry, Entry::Link { .. }))
    }

    /// Returns about how much memory it takes, besides that of an archive in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        let entry = |(path, entry): (&String, &Entry)| {
            let content = if let Entry::Memory(content) = entry { content.len() } else { 0 };
            path.len() + content + size_of::<(String, Entry)>()
        };
        self.entries.iter().map(entry).sum()
    }

    /// Checks that the project is within the disk limits.
    pub(crate) fn fits(&self, limits: &Limits) -> Result<()> {
        let (bytes, files) = self.size();
        if bytes > limits.disk_bytes {
            return Err(Error::invalid(format!(
                "the project has {bytes} bytes; the disk limit is {}",
                limits.disk_bytes
            )));
        }
        if files > limits.disk_files {
            return Err(Error::invalid(format!("the project has {files} files; the limit is {}", limits.disk_files)));
        }
        Ok(())
    }

    /// Returns the paths of regular files, in order.
    pub(crate) fn files_themselves(&self) -> impl Iterator<Item = &str> {
        let is_file = |entry: &Entry| !matches!(entry, Entry::Folder | Entry::Link { .. });
        self.entries.iter().filter(move |(_, entry)| is_file(entry)).map(|(path, _)| path.as_str())
    }
}

/// Says where a path in a project leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Located {
    /// A regular file, at this path of its own.
    File { path: String, bytes: u64 },
    /// A folder.
    Folder { path: String },
}

impl Entry {
    fn bytes(&self) -> u64 {
        match self {
            Entry::Folder => 0,
            Entry::Memory(content) => content.len() as u64,
            Entry::OnDisk { bytes, .. } | Entry::InArchive { bytes, .. } => *bytes,
            Entry::Link { target } => target.len() as u64,
        }
    }

    /// Returns how many bytes follow its header in an archive.
    fn content_bytes(&self) -> u64 {
        match self {
            Entry::Link { .. } => 0,
            entry => entry.bytes(),
        }
    }
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.paths()).finish()
    }
}

#[cfg(test)]
mod tests;

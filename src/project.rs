//! A job's files: from memory, a folder or a tar archive, to a directory that the job may use.
//!
//! This is the only place that reads archives. An archive is checked as a whole before anything of it is used; what is
//! accepted is folders, regular files, and symbolic links that stay inside.

use crate::{Error, Limits, Result};
use bytes::Bytes;
use cap_std::{ambient_authority, fs::Dir};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Bound,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

const COMPONENT_BYTES_MAX: usize = 255;
const PATH_BYTES_MAX: usize = 4096;
const DEPTH_MAX: usize = 64;
const ENTRIES_MAX: usize = 1_000_000;

/// Folders that belong to tools, not to the project.
const IGNORED_FOLDERS: [&str; 7] = [".git", ".hg", ".svn", ".venv", "__pycache__", "node_modules", ".mypy_cache"];

/// The files of a job, as submitted. Cheap to clone; running a job never changes it.
#[derive(Clone)]
pub struct Project {
    /// By path, parents before children.
    entries: Arc<BTreeMap<String, Entry>>,
    archive: Option<Arc<Archive>>,
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

enum Archive {
    Memory(Bytes),
    File(std::sync::Mutex<File>),
}

impl Project {
    /// One script, named `main.py`.
    pub fn script(source: impl Into<Bytes>) -> Project {
        let entries = BTreeMap::from([("main.py".to_owned(), Entry::Memory(source.into()))]);
        Project { entries: Arc::new(entries), archive: None }
    }

    /// Files by their paths in the project.
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

    /// The files below a folder, which are read when the job runs. Links, and folders that belong to tools (`.git`,
    /// `.venv`, `__pycache__`, …), are left out.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn folder(root: &Path) -> Result<Project> {
        let mut builder = Builder::default();
        let mut pending = vec![(root.to_owned(), String::new())];
        while let Some((folder, prefix)) = pending.pop() {
            let fail = |e| Error::invalid(format!("cannot read {}: {e}", folder.display()));
            for item in std::fs::read_dir(&folder).map_err(fail)? {
                let item = item.map_err(fail)?;
                let Ok(name) = item.file_name().into_string() else {
                    return Err(Error::invalid(format!("{} is not named in UTF-8", item.path().display())));
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
                }
            }
        }
        builder.finish(None)
    }

    /// An uncompressed tar archive in memory.
    ///
    /// # Errors
    ///
    /// When it is damaged, or has anything in it but folders, regular files and links that stay inside.
    pub fn tar(archive: impl Into<Bytes>) -> Result<Project> {
        Project::from_archive(Archive::Memory(archive.into()))
    }

    /// An uncompressed tar archive in a file, which is read when the job runs.
    ///
    /// # Errors
    ///
    /// As for [`Project::tar`].
    pub fn tar_file(archive: File) -> Result<Project> {
        Project::from_archive(Archive::File(archive.into()))
    }

    fn from_archive(archive: Archive) -> Result<Project> {
        let entries = scan(&archive)?;
        entries.finish(Some(Arc::new(archive)))
    }

    /// This project with one more file, or with another content for one.
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

    /// Paths of the files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|(_, entry)| !matches!(entry, Entry::Folder)).map(|(path, _)| path.as_str())
    }

    /// The script to run: `asked`, or `main.py`, `__main__.py`, the first `.py` file.
    ///
    /// # Errors
    ///
    /// When the project has no such file.
    pub fn entrypoint(&self, asked: Option<&str>) -> Result<String> {
        let scripts = || self.paths().filter(|path| path.ends_with(".py"));
        if let Some(asked) = asked {
            let path = relative(asked)?;
            if matches!(self.entries.get(&path), None | Some(Entry::Folder)) {
                let known: Vec<_> = scripts().take(5).collect();
                let hint = if known.is_empty() { String::new() } else { format!(" (it has {})", known.join(", ")) };
                return Err(Error::invalid(format!("the project has no file {path:?}{hint}")));
            }
            return Ok(path);
        }
        ["main.py", "__main__.py"]
            .into_iter()
            .find(|name| self.entries.contains_key(*name))
            .or_else(|| scripts().find(|path| !path.contains('/')))
            .or_else(|| scripts().next())
            .map(str::to_owned)
            .ok_or_else(|| Error::invalid("the project has no .py file: name the script to run"))
    }

    /// Names that the project's modules and packages beside `script` can be imported by.
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

    /// What a path leads to, through links within the project; nothing when there is nothing.
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

    /// Paths of the files that start with `prefix`, in order.
    pub(crate) fn paths_from(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.entries
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(path, _)| path.starts_with(prefix))
            .filter(|(_, entry)| !matches!(entry, Entry::Folder))
            .map(|(path, _)| path.as_str())
    }

    /// The content of a file, following no links.
    ///
    /// # Errors
    ///
    /// When there is no such file, or it cannot be read.
    pub fn read(&self, path: &str) -> Result<Bytes> {
        let fail = |e: io::Error| Error::invalid(format!("cannot read {path}: {e}"));
        match self.entries.get(path) {
            Some(Entry::Memory(content)) => Ok(content.clone()),
            Some(Entry::OnDisk { path, .. }) => std::fs::read(path).map(Bytes::from).map_err(fail),
            Some(&Entry::InArchive { offset, bytes }) => {
                let mut content = Vec::new();
                self.copy_from_archive(offset, bytes, &mut content).map_err(fail)?;
                Ok(content.into())
            }
            Some(Entry::Link { .. }) => Err(Error::invalid(format!("{path} is a link: name the file itself"))),
            Some(Entry::Folder) | None => Err(Error::invalid(format!("the project has no file {path:?}"))),
        }
    }

    /// Writes the project as an uncompressed tar archive, which [`Project::tar`] reads back.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or a file on disk is gone or got shorter since the project was made.
    pub fn to_tar(&self, into: impl Write) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
        let mut tar = tar::Builder::new(into);
        for (path, entry) in self.entries.iter() {
            let (kind, mode) = match entry {
                Entry::Folder => (tar::EntryType::Directory, 0o755),
                Entry::Link { .. } => (tar::EntryType::Symlink, 0o777),
                Entry::Memory(_) | Entry::OnDisk { .. } | Entry::InArchive { .. } => (tar::EntryType::Regular, 0o644),
            };
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_mode(mode);
            header.set_mtime(now);
            header.set_size(entry.content_bytes());
            match entry {
                Entry::Folder => tar.append_data(&mut header, format!("{path}/"), io::empty())?,
                Entry::Memory(content) => tar.append_data(&mut header, path, &content[..])?,
                Entry::OnDisk { path: source, bytes } => {
                    let content = Exactly { from: File::open(source)?, left: *bytes };
                    tar.append_data(&mut header, path, content)?;
                }
                &Entry::InArchive { offset, bytes } => {
                    self.read_archive(offset, bytes, |content| tar.append_data(&mut header, path, content))?;
                }
                Entry::Link { target } => tar.append_link(&mut header, path, target)?,
            }
        }
        tar.into_inner()?.flush()
    }

    /// Bytes and entries as the disk limit counts them.
    pub(crate) fn size(&self) -> (u64, u64) {
        let bytes = self.entries.values().map(Entry::bytes).fold(0, u64::saturating_add);
        (bytes, self.entries.len() as u64)
    }

    /// Whether anything in it is a symbolic link.
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

    /// Whether the project is within the disk limits.
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

    /// Writes the files into an empty directory.
    pub(crate) fn materialize(&self, into: &Dir) -> io::Result<()> {
        // Links last, so that nothing is ever written through one.
        for links in [false, true] {
            for (path, entry) in self.entries.iter().filter(|(_, entry)| matches!(entry, Entry::Link { .. }) == links) {
                match entry {
                    Entry::Folder => into.create_dir(path)?,
                    Entry::Memory(content) => into.write(path, content)?,
                    Entry::OnDisk { path: source, .. } => {
                        io::copy(&mut File::open(source)?, &mut into.create(path)?)?;
                    }
                    &Entry::InArchive { offset, bytes } => {
                        self.copy_from_archive(offset, bytes, &mut into.create(path)?)?;
                    }
                    Entry::Link { target } => into.symlink(target, path)?,
                }
            }
        }
        Ok(())
    }

    /// Gives everything to `into`: folders before what is in them, links last.
    pub(crate) fn send(&self, into: &mut impl Receiver) -> io::Result<()> {
        for links in [false, true] {
            for (path, entry) in self.entries.iter().filter(|(_, entry)| matches!(entry, Entry::Link { .. }) == links) {
                match entry {
                    Entry::Folder => into.folder(path)?,
                    Entry::Link { target } => into.link(path, target)?,
                    Entry::Memory(content) => {
                        into.file(path)?;
                        into.write_all(content)?;
                    }
                    Entry::OnDisk { path: source, bytes } => {
                        into.file(path)?;
                        // What was checked against the limit, though the file may have grown since.
                        io::copy(&mut File::open(source)?.take(*bytes), into)?;
                    }
                    &Entry::InArchive { offset, bytes } => {
                        into.file(path)?;
                        self.copy_from_archive(offset, bytes, into)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn copy_from_archive(&self, offset: u64, bytes: u64, into: &mut impl Write) -> io::Result<()> {
        self.read_archive(offset, bytes, |part| io::copy(part, into)).map(drop)
    }

    /// Gives `read` that part of the archive, and fails when there is less than that.
    fn read_archive<T>(
        &self,
        offset: u64,
        bytes: u64,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> io::Result<T> {
        match self.archive.as_deref() {
            Some(Archive::Memory(archive)) => {
                let part = usize::try_from(offset).ok().zip(usize::try_from(offset.saturating_add(bytes)).ok());
                let content = part.and_then(|(from, to)| archive.get(from..to)).ok_or(io::ErrorKind::UnexpectedEof)?;
                read(&mut Exactly { from: content, left: bytes })
            }
            Some(Archive::File(file)) => {
                let mut file = file.lock().map_err(|_| io::Error::other("the archive's lock is poisoned"))?;
                file.seek(SeekFrom::Start(offset))?;
                read(&mut Exactly { from: &mut *file, left: bytes })
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Whether a file of this content was submitted under this path.
    pub(crate) fn has(&self, path: &str, content: &[u8]) -> bool {
        self.entries.contains_key(path) && self.read(path).is_ok_and(|submitted| submitted == content)
    }
}

/// Where a path in a project leads.
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

    /// Bytes that follow its header in an archive.
    fn content_bytes(&self) -> u64 {
        match self {
            Entry::Link { .. } => 0,
            entry => entry.bytes(),
        }
    }
}

/// Reads as many bytes as were promised, and fails when there are fewer.
struct Exactly<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let into = into.get_mut(..want).unwrap_or_default();
        let got = self.from.read(into)?;
        if got == 0 && !into.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= got as u64;
        Ok(got)
    }
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.paths()).finish()
    }
}

/// Collects entries, with the folders that their paths imply.
#[derive(Default)]
struct Builder {
    entries: BTreeMap<String, Entry>,
}

impl Builder {
    fn add(&mut self, path: String, entry: Entry) -> Result<()> {
        if path.is_empty() {
            return Ok(()); // the root itself
        }
        for parent in parents(&path) {
            match self.entries.get(parent) {
                None => drop(self.entries.insert(parent.to_owned(), Entry::Folder)),
                Some(Entry::Folder) => {}
                Some(Entry::Link { .. }) => {
                    return Err(Error::invalid(format!("{path:?} goes through the link {parent:?}")));
                }
                Some(_) => return Err(Error::invalid(format!("{parent:?} is both a file and a folder"))),
            }
        }
        match (self.entries.get(&path), &entry) {
            (Some(Entry::Folder), Entry::Folder) => {}
            (Some(Entry::Folder), _) | (Some(_), Entry::Folder) => {
                return Err(Error::invalid(format!("{path:?} is both a file and a folder")));
            }
            _ => drop(self.entries.insert(path, entry)),
        }
        if self.entries.len() > ENTRIES_MAX {
            return Err(Error::invalid(format!("the project has more than {ENTRIES_MAX} entries")));
        }
        Ok(())
    }

    fn finish(self, archive: Option<Arc<Archive>>) -> Result<Project> {
        for (path, entry) in &self.entries {
            if let Entry::Link { target } = entry {
                stays_inside(path, target)?;
            }
        }
        Ok(Project { entries: Arc::new(self.entries), archive })
    }
}

/// `a/b/c` has the parents `a` and `a/b`.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// A path in its one form: no `.`, no `..`, no root, `/` between components.
pub(crate) fn relative(path: &str) -> Result<String> {
    let bad = |why: &str| Err(Error::invalid(format!("bad file name {path:?}: {why}")));
    if path.len() > PATH_BYTES_MAX {
        return Err(Error::invalid(format!("a file name of {} bytes is too long", path.len())));
    }
    if path.contains('\0') {
        return bad("it contains NUL");
    }
    let mut parts = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str().unwrap_or_default()),
            Component::CurDir => {}
            Component::ParentDir => return bad("it contains '..'"),
            Component::RootDir | Component::Prefix(_) => return bad("it is absolute"),
        }
    }
    if parts.len() > DEPTH_MAX {
        return bad("it is too deep");
    }
    if parts.iter().any(|part| part.len() > COMPONENT_BYTES_MAX) {
        return bad("a part of it is too long");
    }
    Ok(parts.join("/"))
}

fn stays_inside(link: &str, target: &str) -> Result<()> {
    let mut depth = parents(link).count();
    for component in Path::new(target).components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(Error::invalid(format!("the link {link:?} leads out of the project, to {target:?}")));
            }
        }
    }
    Ok(())
}

/// `rest`, which was asked for below a link, where the link leads.
fn through_link(link: &str, target: &str, rest: &str) -> Option<String> {
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in target.split('/').chain(rest.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Returns whether a file is a whole tar archive, whatever the names and kinds of what is in it.
pub(crate) fn is_tar(mut archive: File) -> bool {
    let Ok(length) = archive.seek(SeekFrom::End(0)) else { return false };
    if archive.rewind().is_err() {
        return false;
    }
    let is_whole = |entry: io::Result<tar::Entry<'_, File>>| {
        entry.is_ok_and(|entry| entry.raw_file_position().saturating_add(entry.size()) <= length)
    };
    let mut archive = tar::Archive::new(archive);
    archive.entries_with_seek().is_ok_and(|entries| entries.take(ENTRIES_MAX).all(is_whole))
}

/// Reads the headers of an archive.
fn scan(archive: &Archive) -> Result<Builder> {
    match archive {
        Archive::Memory(bytes) => scan_entries(io::Cursor::new(bytes), bytes.len() as u64),
        Archive::File(file) => {
            let mut file = file.lock().map_err(|_| Error::unavailable("the archive's lock is poisoned"))?;
            let length = file.seek(SeekFrom::End(0)).map_err(damaged)?;
            file.rewind().map_err(damaged)?;
            scan_entries(&mut *file, length)
        }
    }
}

fn scan_entries(reader: impl Read + Seek, length: u64) -> Result<Builder> {
    let mut builder = Builder::default();
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries_with_seek().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let header = entry.header();
        let name = entry.path_bytes();
        let Ok(name) = std::str::from_utf8(&name) else {
            return Err(Error::invalid("bad archive: a file name is not UTF-8"));
        };
        let path = relative(name)?;
        let kind = header.entry_type();
        match kind {
            tar::EntryType::Directory => builder.add(path, Entry::Folder)?,
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                let (offset, bytes) = (entry.raw_file_position(), entry.size());
                if offset.checked_add(bytes).is_none_or(|end| end > length) {
                    return Err(Error::invalid(format!("bad archive: it ends within {path:?}")));
                }
                builder.add(path, Entry::InArchive { offset, bytes })?;
            }
            tar::EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                let target = String::from_utf8(target)
                    .map_err(|_| Error::invalid(format!("bad archive: the link {path:?} has a target not in UTF-8")))?;
                builder.add(path, Entry::Link { target })?;
            }
            tar::EntryType::XGlobalHeader => {}
            _ => {
                let what = match kind {
                    tar::EntryType::Link => "a hard link",
                    tar::EntryType::Block | tar::EntryType::Char => "a device",
                    tar::EntryType::Fifo => "a FIFO",
                    tar::EntryType::GNUSparse => "a sparse file",
                    _ => "neither file, folder nor symbolic link",
                };
                return Err(Error::invalid(format!("bad archive: {path:?} is {what}")));
            }
        }
    }
    Ok(builder)
}

fn damaged(error: io::Error) -> Error {
    Error::invalid(format!("bad archive: {error}"))
}

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
}

impl Workspace {
    /// Paths of the regular files below `top`, in order. Links are not followed.
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

    /// Content of a file that has at most `bytes_max`.
    pub(crate) fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.root.open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() as u64 > bytes_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(content) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(project: &Project) -> Project {
        let mut archive = Vec::new();
        project.to_tar(&mut archive).expect("packed");
        Project::tar(archive).expect("read back")
    }

    #[test]
    fn archives_made_of_a_project_hold_the_same_project() {
        let long = format!("{}/deep.py", ["a-folder-with-a-rather-long-name"; 8].join("/"));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("sub/empty")).expect("made");
        std::fs::create_dir_all(folder.path().join(".git")).expect("made");
        std::fs::write(folder.path().join("sub/file"), "from disk").expect("written");
        std::fs::write(folder.path().join(".git/HEAD"), "").expect("written");
        let project = Project::folder(folder.path()).expect("read");
        let project = project.with_file("main.py", "print(1)").and_then(|p| p.with_file(&long, "x")).expect("added");

        let once = round_trip(&project);
        let twice = round_trip(&once);
        for copy in [once, twice] {
            assert_eq!(copy.entries.keys().collect::<Vec<_>>(), project.entries.keys().collect::<Vec<_>>());
            assert_eq!(copy.read("main.py").expect("there"), "print(1)");
            assert_eq!(copy.read("sub/file").expect("there"), "from disk");
            assert_eq!(copy.read(&long).expect("there"), "x");
            assert!(matches!(copy.entries.get("sub/empty"), Some(Entry::Folder)));
            assert!(!copy.entries.contains_key(".git/HEAD"));
        }
    }

    #[test]
    fn links_stay_links_in_an_archive() {
        let mut builder = Builder::default();
        builder.add("to.txt".into(), Entry::Memory("x".into())).expect("added");
        builder.add("link".into(), Entry::Link { target: "to.txt".into() }).expect("added");
        let copy = round_trip(&builder.finish(None).expect("a project"));
        assert!(matches!(copy.entries.get("link"), Some(Entry::Link { target }) if target == "to.txt"));
    }

    #[test]
    fn a_file_that_got_shorter_is_not_packed() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("main.py"), "print(1)").expect("written");
        let project = Project::folder(folder.path()).expect("read");
        std::fs::write(folder.path().join("main.py"), "p").expect("written");
        assert_eq!(project.to_tar(Vec::new()).expect_err("too short").kind(), io::ErrorKind::UnexpectedEof);
    }
}

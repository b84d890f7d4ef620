//! A job's files: from memory, a folder or an archive, to a directory that the job may use.
//!
//! A project is checked as a whole before anything of it is used. It consists of folders, regular files, and symbolic
//! links that stay inside; names that lead out are refused, other entries are left out and noted.

mod archive;
mod headers;
mod omissions;
mod scripts;
mod workspace;

pub(crate) use archive::{is_tar, packed_with};
pub(crate) use workspace::{Workspace, sweep};

use crate::{Error, Limits, Result, blocking::StillWanted};
use archive::Archive;
use bytes::Bytes;
use cap_std::fs::Dir;
use omissions::{Omission, Omissions};
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::File,
    io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom, Write},
    ops::Bound,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

const COMPONENT_BYTES_MAX: usize = 255;
const PATH_BYTES_MAX: usize = 4096;
const DEPTH_MAX: usize = 64;
/// As many as any job may have.
const ENTRIES_MAX: usize = Limits::MAXIMA.disk_files as usize;
/// All paths together, with those of folders that no entry names but in a path.
const NAMES_BYTES_MAX: usize = 16 << 20;
/// Bytes that are copied before it is looked whether they are still wanted.
const COPIED_BYTES: u64 = 16 << 20;

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

    /// Returns the content of a file, through links within the project.
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
            Some(Entry::Link { .. } | Entry::Folder) | None => match self.locate(path) {
                Some(Located::File { path: real, .. }) if real != path => self.read(&real),
                _ => Err(Error::invalid(format!("the project has no file {path:?}"))),
            },
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

    /// Writes the files into an empty directory, as long as that is wanted.
    pub(crate) fn materialize(&self, into: &Dir, wanted: &StillWanted) -> io::Result<()> {
        // Links last, so that nothing is ever written through one.
        for links in [false, true] {
            for (path, entry) in self.entries.iter().filter(|(_, entry)| matches!(entry, Entry::Link { .. }) == links) {
                wanted.check()?;
                match entry {
                    Entry::Folder => into.create_dir(path)?,
                    Entry::Memory(content) => into.write(path, content)?,
                    Entry::OnDisk { path: source, .. } => {
                        let (source, mut copy) = (File::open(source)?, into.create(path)?);
                        while io::copy(&mut (&source).take(COPIED_BYTES), &mut copy)? > 0 {
                            wanted.check()?;
                        }
                    }
                    &Entry::InArchive { offset, bytes } => {
                        let mut copy = into.create(path)?;
                        self.read_archive(offset, bytes, |content| {
                            while io::copy(&mut Read::take(&mut *content, COPIED_BYTES), &mut copy)? > 0 {
                                wanted.check()?;
                            }
                            Ok(())
                        })?;
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
            Some(Archive::File(file) | Archive::Held { file, .. }) => {
                let mut file = file.lock().map_err(|_| io::Error::other("the archive's lock is poisoned"))?;
                file.seek(SeekFrom::Start(offset))?;
                read(&mut Exactly { from: &mut *file, left: bytes })
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Returns whether a file has the content that was submitted under this path, without either in memory as a whole.
    pub(crate) fn has_file(&self, path: &str, file: impl Read) -> bool {
        match self.entries.get(path) {
            Some(Entry::OnDisk { path, .. }) => File::open(path).is_ok_and(|submitted| is_same(submitted, file)),
            Some(_) => self.read(path).is_ok_and(|submitted| is_same(&submitted[..], file)),
            None => false,
        }
    }

    /// Returns the paths of regular files, in order.
    pub(crate) fn files_themselves(&self) -> impl Iterator<Item = &str> {
        let is_file = |entry: &Entry| !matches!(entry, Entry::Folder | Entry::Link { .. });
        self.entries.iter().filter(move |(_, entry)| is_file(entry)).map(|(path, _)| path.as_str())
    }

    /// Returns whether a file of this content was submitted under this path.
    pub(crate) fn has(&self, path: &str, content: &[u8]) -> bool {
        self.entries.contains_key(path) && self.read(path).is_ok_and(|submitted| submitted == content)
    }
}

/// Returns whether two readers have the same to read.
fn is_same(one: impl Read, other: impl Read) -> bool {
    let (mut one, mut other) = (BufReader::with_capacity(1 << 16, one), BufReader::with_capacity(1 << 16, other));
    loop {
        let (Ok(a), Ok(b)) = (one.fill_buf(), other.fill_buf()) else { return false };
        let common = a.len().min(b.len());
        if common == 0 || a[..common] != b[..common] {
            return a.is_empty() && b.is_empty();
        }
        one.consume(common);
        other.consume(common);
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
    names_bytes: usize,
    omissions: Omissions,
}

impl Builder {
    fn add(&mut self, path: String, entry: Entry) -> Result<()> {
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
    fn link(&mut self, path: String, target: Option<String>) -> Result<()> {
        match target.filter(|target| (1..PATH_BYTES_MAX).contains(&target.len()) && stays_inside(&path, target)) {
            Some(target) => self.add(path, Entry::Link { target }),
            None => {
                self.omissions.add(Omission::Link, &path);
                Ok(())
            }
        }
    }

    fn finish(self, archive: Option<Arc<Archive>>) -> Result<Project> {
        Ok(Project { entries: Arc::new(self.entries), archive, held: None, notes: self.omissions.notes().into() })
    }
}

/// Returns the parents of a path: those of `a/b/c` are `a` and `a/b`.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns a path in its one form, or nothing: no `.`, no `..`, no root.
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

/// Returns whether no `..` on the way to a link's target leaves the project, as it is written.
fn stays_inside(link: &str, target: &str) -> bool {
    let mut depth = parents(link).count();
    let mut parts = Path::new(target).components();
    !target.contains('\0')
        && parts.all(|part| match part {
            Component::Normal(_) => {
                depth += 1;
                true
            }
            Component::CurDir => true,
            Component::ParentDir if depth > 0 => {
                depth -= 1;
                true
            }
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => false,
        })
}

/// Returns the target of a link on disk, from the folder that the link is in, if it can be written in this project.
fn target_from(link: &str, target: &Path, root: &Path) -> Option<String> {
    if !target.is_absolute() {
        return target.to_str().map(str::to_owned);
    }
    let inside = target.strip_prefix(root).ok()?.to_str()?;
    let up = "../".repeat(parents(link).count());
    Some(if inside.is_empty() && up.is_empty() { ".".to_owned() } else { format!("{up}{inside}") })
}

/// Returns whether a file is none of the project's but has what macOS knows of another, as archives from there do.
pub(crate) fn is_of_macos(path: &str) -> bool {
    path.starts_with("__MACOSX/") || path.rsplit('/').next().is_some_and(|name| name.starts_with("._"))
}

/// Returns whether no user would call a file a script: it is hidden, or of a tool's folder.
fn is_hidden(path: &str) -> bool {
    let of_a_tool = |part: &str| matches!(part, "__MACOSX" | "node_modules" | "site-packages" | "__pycache__");
    path.split('/').any(|part| part.starts_with('.') || of_a_tool(part))
}

/// Returns where a link leads with `rest`, which was asked for below it.
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
        builder.link("link".into(), Some("to.txt".into())).expect("added");
        let copy = round_trip(&builder.finish(None).expect("a project"));
        assert!(matches!(copy.entries.get("link"), Some(Entry::Link { target }) if target == "to.txt"));
        assert_eq!(copy.read("link").expect("there"), "x");
    }

    #[test]
    fn links_of_a_folder_are_kept_when_they_stay_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a folder");
        std::fs::create_dir_all(root.join("app")).expect("made");
        std::fs::write(root.join("app/cli.py"), "print(1)").expect("written");
        let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, root.join(name)).expect("linked");
        link(Path::new("app/cli.py"), "run.py");
        link(Path::new("../app"), "app/again");
        link(&root.join("app/cli.py"), "app/absolute.py");
        link(Path::new("../elsewhere"), "out");
        link(Path::new("/usr/bin/python3"), "python3");
        link(Path::new("run.py"), "again.py");
        link(Path::new("gone.py"), "dangling.py");
        let project = Project::folder(&root).expect("read");
        for (name, script) in [
            ("run.py", "app/cli.py"),
            ("app/again/cli.py", "app/cli.py"),
            ("app/absolute.py", "app/absolute.py"),
            ("again.py", "app/cli.py"),
        ] {
            assert_eq!(project.read(name).expect(name), "print(1)", "{name}");
            assert_eq!(project.entrypoint(Some(name)).expect(name), script);
        }
        assert_eq!(project.entrypoint_candidates(), ["again.py", "run.py"]);
        assert!(project.entrypoint(Some("dangling.py")).is_err() && project.read("dangling.py").is_err());
        assert_eq!(project.notes(), ["2 symbolic links that lead out of the project were left out: out, python3"]);
    }

    #[test]
    fn a_script_is_chosen_when_it_is_clear_which() {
        for (paths, candidates) in [
            (&["main.py", "app.py", "__main__.py"][..], &["main.py"][..]),
            (&["__main__.py", "app.py", "sub/main.py"], &["__main__.py"]),
            (&["app.py", "lib/x.py", "lib/main.py"], &["app.py"]),
            (&["._app.py", "app.py", "__MACOSX/._app.py", ".venv/lib/x.py", "data.txt"], &["app.py"]),
            (&["one.py", "two.py"], &["one.py", "two.py"]),
            (&["top/app/x.py", "top/main.py", "a/b/c/main.py"], &["top/main.py"]),
            (&["top/x.py", "top/pkg/__main__.py"], &["top/pkg/__main__.py"]),
            (&["top/x.py", "top/y.py", "__MACOSX/main.py"], &["top/x.py", "top/y.py"]),
            (&["readme.md", "._x.py", "node_modules/x.py"], &[]),
        ] {
            let project = Project::files(paths.iter().map(|path| (*path, ""))).expect("a project");
            assert_eq!(project.entrypoint_candidates(), candidates, "{paths:?}");
        }
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

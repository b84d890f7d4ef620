//! What a session's open files are between calls, as bytes, and opening them again from these.
//!
//! Files are told by their paths below the session's own folder, which stays where it is; those without a name come along.
//! Nothing of the host's is kept: no inode, no descriptor.

use super::{
    Files,
    descriptor::{Descriptor, Folder, OpenFile, OpenPath},
    pipe::{self, Reader, Writer},
    virtual_tree::Node,
};
use crate::{Error, Limits, Project, Result, executor::wasm::library::Library};
use cap_std::fs::{Dir, File, MetadataExt, OpenOptions};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    ffi::OsStr,
    io::{Seek, SeekFrom, Write},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// Bytes of files without a name that come along.
const UNNAMED_BYTES_MAX: u64 = 16 << 20;

/// The files of a session between calls.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FrozenFiles {
    /// For each number what it stands for, as an index.
    descriptors: Vec<Option<u32>>,
    open: Vec<Frozen>,
    modes: Vec<(Vec<u8>, u32)>,
    pipes: u64,
    umask: u32,
    mode: Option<u32>,
    bytes: u64,
    files: u64,
    has_links: bool,
}

#[derive(Debug, Serialize, Deserialize)]
enum Frozen {
    Stdin,
    Stdout,
    Stderr,
    Folder { path: Vec<u8>, on_disk: bool, position: u64 },
    File { path: Vec<u8>, position: u64, append: bool, readable: bool, writable: bool, unnamed: Option<Vec<u8>> },
    Virtual { path: String, position: u64 },
    PipeReader { pipe: u64, nonblocking: bool, content: Vec<u8> },
    PipeWriter { pipe: u64, nonblocking: bool },
}

impl Files {
    /// Describes the files; nothing of them changes. Looks at the disk.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or too much is in files that have no name any more.
    pub(crate) fn freeze(&self) -> Result<FrozenFiles> {
        if self.workspace.as_ref().is_some_and(|workspace| !workspace.is_kept()) {
            return Err(Error::invalid("a session whose files have no folder of their own cannot be frozen"));
        }
        let (mut open, mut known, mut unnamed) = (Vec::new(), HashMap::new(), 0);
        let mut descriptors = Vec::with_capacity(self.descriptors.len());
        for descriptor in &self.descriptors {
            let Some(descriptor) = descriptor else {
                descriptors.push(None);
                continue;
            };
            let next = u32::try_from(open.len()).unwrap_or(u32::MAX);
            let index = *known.entry(identity(descriptor)).or_insert(next);
            if index == next {
                open.push(self.frozen(descriptor, &mut unnamed)?);
            }
            descriptors.push(Some(index));
        }
        let modes = self.modes_by_path();
        let (bytes, files) = self.quota.used();
        let Files { pipes, umask, mode, has_links, .. } = *self;
        Ok(FrozenFiles { descriptors, open, modes, pipes, umask, mode, bytes, files, has_links })
    }

    fn frozen(&self, descriptor: &Descriptor, unnamed: &mut u64) -> Result<Frozen> {
        Ok(match descriptor {
            Descriptor::Stdin => Frozen::Stdin,
            Descriptor::Stdout => Frozen::Stdout,
            Descriptor::Stderr => Frozen::Stderr,
            Descriptor::Folder(folder) => Frozen::Folder {
                path: folder.path.get(),
                on_disk: folder.dir.is_some(),
                position: folder.position.load(Relaxed),
            },
            Descriptor::Virtual(file) => {
                Frozen::Virtual { path: file.path().to_owned(), position: file.seek(SeekFrom::Current(0)).unwrap_or(0) }
            }
            Descriptor::PipeReader(reader) => Frozen::PipeReader {
                pipe: reader.inode(),
                nonblocking: reader.nonblocking.load(Relaxed),
                content: reader.content(),
            },
            Descriptor::PipeWriter(writer) => {
                Frozen::PipeWriter { pipe: writer.inode(), nonblocking: writer.nonblocking.load(Relaxed) }
            }
            Descriptor::File(file) => {
                let failed = |error| Error::caused("an open file of the session cannot be read", error);
                let path = file.path.get();
                let position = (&file.file).stream_position().map_err(failed)?;
                let is_there = self.inode_at(&path) == Some(file.inode);
                let content = if is_there { None } else { Some(self.unnamed(file, unnamed)?) };
                Frozen::File {
                    path,
                    position,
                    append: file.append.load(Relaxed),
                    readable: file.readable,
                    writable: file.writable,
                    unnamed: content,
                }
            }
        })
    }

    fn unnamed(&self, file: &OpenFile, so_far: &mut u64) -> Result<Vec<u8>> {
        *so_far += file.bytes().unwrap_or(0);
        if *so_far > UNNAMED_BYTES_MAX {
            return Err(Error::invalid(format!(
                "a session with more than {UNNAMED_BYTES_MAX} bytes in open files that were removed cannot be frozen"
            )));
        }
        let mut content = vec![0; usize::try_from(file.bytes().unwrap_or(0)).unwrap_or(0)];
        let mut at = 0;
        while at < content.len() {
            match rustix::io::pread(&file.file, &mut content[at..], at as u64) {
                Ok(0) => break,
                Ok(n) => at += n,
                // One that can only be written to is written anew from nothing it could have read.
                Err(_) => break,
            }
        }
        content.truncate(at);
        Ok(content)
    }

    fn inode_at(&self, path: &[u8]) -> Option<u64> {
        let root = &self.workspace.as_ref()?.root;
        root.symlink_metadata(OsStr::from_bytes(path)).ok().map(|metadata| metadata.ino())
    }

    /// Returns the permission bits that are not the usual ones, by path.
    fn modes_by_path(&self) -> Vec<(Vec<u8>, u32)> {
        let (Some(workspace), false) = (&self.workspace, self.modes.is_empty()) else { return Vec::new() };
        let (mut found, mut pending) = (Vec::new(), vec![PathBuf::from("work"), PathBuf::from("tmp")]);
        while let Some(path) = pending.pop() {
            let Ok(metadata) = workspace.root.symlink_metadata(&path) else { continue };
            if let Some(mode) = self.modes.get(&metadata.ino()) {
                found.push((path.as_os_str().as_bytes().to_vec(), *mode));
            }
            if metadata.is_dir() {
                let names = workspace.root.read_dir(&path).into_iter().flatten().flatten();
                pending.extend(names.map(|entry| path.join(entry.file_name())));
            }
        }
        found
    }

    /// Opens the files again that were described; `home` has what is on disk. What is not there any more is closed.
    ///
    /// # Errors
    ///
    /// When the folder of the session cannot be opened.
    pub(crate) fn thaw(
        frozen: FrozenFiles,
        project: Project,
        library: &Library,
        limits: &Limits,
        home: Option<Arc<Path>>,
    ) -> Result<Files> {
        let mut files = Files::new(project, library, limits, home);
        let FrozenFiles { descriptors, open, modes, pipes, umask, mode, bytes, files: count, has_links } = frozen;
        files.quota.restore(bytes, count);
        (files.pipes, files.umask, files.mode, files.has_links) = (pipes, umask, mode, has_links);
        if !modes.is_empty() || open.iter().any(Frozen::is_on_disk) {
            let root = files
                .root()
                .map_err(|error| Error::caused("the session's folder cannot be opened", format!("{error:?}")))?;
            for (path, mode) in modes {
                if let Ok(metadata) = root.symlink_metadata(OsStr::from_bytes(&path)) {
                    files.modes.insert(metadata.ino(), mode);
                }
            }
        }
        let mut ends = Pipes::default();
        for frozen in &open {
            if let Frozen::PipeReader { pipe, .. } | Frozen::PipeWriter { pipe, .. } = frozen {
                ends.add(*pipe);
            }
        }
        let opened: Vec<Option<Descriptor>> = open.into_iter().map(|frozen| files.thawed(frozen, &mut ends)).collect();
        drop(ends);
        files.descriptors = descriptors
            .into_iter()
            .take(super::DESCRIPTORS_MAX)
            .map(|index| opened.get(index? as usize).cloned().flatten())
            .collect();
        Ok(files)
    }

    fn thawed(&mut self, frozen: Frozen, pipes: &mut Pipes) -> Option<Descriptor> {
        Some(match frozen {
            Frozen::Stdin => Descriptor::Stdin,
            Frozen::Stdout => Descriptor::Stdout,
            Frozen::Stderr => Descriptor::Stderr,
            Frozen::Folder { path, on_disk, position } => {
                let dir = if on_disk { Some(self.open_folder_at(&path)?) } else { None };
                let folder = Folder::new(path, dir);
                folder.position.store(position, Relaxed);
                Descriptor::Folder(Arc::new(folder))
            }
            Frozen::Virtual { path, position } => match self.tree.node(path.as_bytes()) {
                Some(Node::File(file)) => {
                    // A device has no place in it.
                    let _ = file.seek(SeekFrom::Start(position));
                    Descriptor::Virtual(Arc::new(file))
                }
                _ => return None,
            },
            Frozen::PipeReader { pipe, nonblocking, content } => {
                let reader = pipes.reader(pipe)?;
                reader.nonblocking.store(nonblocking, Relaxed);
                reader.fill(content);
                Descriptor::PipeReader(Arc::new(reader))
            }
            Frozen::PipeWriter { pipe, nonblocking } => {
                let writer = pipes.writer(pipe)?;
                writer.nonblocking.store(nonblocking, Relaxed);
                Descriptor::PipeWriter(Arc::new(writer))
            }
            Frozen::File { path, position, append, readable, writable, unnamed } => {
                let was_removed = unnamed.is_some();
                let mut file = self.open_file_at(&path, writable, unnamed)?;
                file.seek(SeekFrom::Start(position)).ok()?;
                let inode = file.metadata().ok()?.ino();
                self.quota.opened(inode);
                if was_removed {
                    // It is counted already, as what it was.
                    self.quota.unlinked(inode, 0);
                }
                let append = AtomicBool::new(append);
                let path = OpenPath::new(path);
                Descriptor::File(Arc::new(OpenFile { file, inode, path, append, readable, writable }))
            }
        })
    }

    fn open_folder_at(&mut self, path: &[u8]) -> Option<Arc<Dir>> {
        let root = self.root().ok()?;
        // cap-std's own handles of directories cannot be listed.
        let readable = root.open_with(OsStr::from_bytes(path), OpenOptions::new().read(true)).ok()?;
        readable.metadata().ok()?.is_dir().then(|| Arc::new(Dir::from_std_file(readable.into_std())))
    }

    fn open_file_at(&mut self, path: &[u8], writable: bool, unnamed: Option<Vec<u8>>) -> Option<File> {
        let root = self.root().ok()?;
        let mut options = OpenOptions::new();
        options.read(true).write(writable);
        let Some(content) = unnamed else {
            let metadata = root.symlink_metadata(OsStr::from_bytes(path)).ok()?;
            return if metadata.is_file() { root.open_with(OsStr::from_bytes(path), &options).ok() } else { None };
        };
        // Beside the folders that the session sees, and gone at once.
        let name = format!("removed-{}", uuid::Uuid::new_v4());
        let mut file = root.open_with(&name, options.write(true).create_new(true)).ok()?;
        root.remove_file(&name).ok()?;
        file.write_all(&content).ok()?;
        Some(file)
    }
}

impl Frozen {
    fn is_on_disk(&self) -> bool {
        matches!(self, Frozen::File { .. } | Frozen::Folder { on_disk: true, .. })
    }
}

/// Ends of pipes that were not taken yet, by the number of the pipe. One that nobody takes is closed.
#[derive(Default)]
struct Pipes {
    readers: HashMap<u64, Reader>,
    writers: HashMap<u64, Writer>,
}

impl Pipes {
    fn add(&mut self, pipe: u64) {
        if let Slot::Vacant(slot) = self.readers.entry(pipe) {
            let (reader, writer) = pipe::pipe_of_inode(pipe);
            slot.insert(reader);
            self.writers.insert(pipe, writer);
        }
    }

    fn reader(&mut self, pipe: u64) -> Option<Reader> {
        self.readers.remove(&pipe)
    }

    fn writer(&mut self, pipe: u64) -> Option<Writer> {
        self.writers.remove(&pipe)
    }
}

/// Tells what `dup` shares from what is only alike.
fn identity(descriptor: &Descriptor) -> (u8, usize) {
    match descriptor {
        Descriptor::Stdin => (0, 0),
        Descriptor::Stdout => (1, 0),
        Descriptor::Stderr => (2, 0),
        Descriptor::Folder(it) => (3, Arc::as_ptr(it).addr()),
        Descriptor::File(it) => (4, Arc::as_ptr(it).addr()),
        Descriptor::Virtual(it) => (5, Arc::as_ptr(it).addr()),
        Descriptor::PipeReader(it) => (6, Arc::as_ptr(it).addr()),
        Descriptor::PipeWriter(it) => (7, Arc::as_ptr(it).addr()),
    }
}

//! Content of a project's files: read, packed, and written into the folder of a job.

use super::{Entry, Located, Project, Receiver, archive::Archive};
use crate::{Error, Result, blocking::StillWanted};
use bytes::Bytes;
use cap_std::fs::Dir;
use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom, Write},
    time::{SystemTime, UNIX_EPOCH},
};

/// Bytes that are copied before it is looked whether they are still wanted.
const COPIED_BYTES: u64 = 16 << 20;

impl Project {
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

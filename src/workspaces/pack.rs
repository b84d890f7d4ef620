//! Archives: into a workspace, and of all that is in one.

use super::{
    Change, Result, WorkspaceError, Workspaces, Writer, checked, fault, index::Stored, mount, too_many, too_much,
};
use crate::{Error, Project, blocking::blocking, project::Receiver};
use bytes::{Bytes, BytesMut};
use flate2::{Compression, write::GzEncoder};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Seek as _, Write},
};
use tokio::sync::mpsc;
use zip::{ZipWriter, write::SimpleFileOptions};

/// Bytes that are passed on at a time, and how many such pieces wait.
const PIECE_BYTES: usize = 256 << 10;
const PIECES_MAX: usize = 4;

/// How the files of a workspace are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArchiveFormat {
    /// `tar`, compressed by gzip.
    #[default]
    TarGz,
    /// `tar`.
    Tar,
    /// `zip`.
    Zip,
}

/// What an archive consists of, piece by piece.
enum Piece {
    File(String),
    Content(Bytes),
    /// Not kept: a symbolic link.
    Link,
}

impl Workspaces {
    /// Puts the files of an archive into a workspace: all of them or none. Returns what of it was left out, in sentences.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError::Invalid`] when it is none, or a name leads out of it, [`WorkspaceError::Full`] when there is no
    /// room, and as for [`Workspaces::describe_one`].
    pub async fn unpack(&self, owner: &str, id: &str, archive: File) -> Result<Vec<String>> {
        let (opened, index) = self.index(owner, id).await?;
        self.touch(opened, id).await;
        let permit = self.shared.archives.acquire().await;
        let most = self.shared.options.bytes_max;
        let project = blocking(move || Project::archive_file(archive, most)).await;
        let project = project.map_err(|error| fault("reading the archive failed", error))?.map_err(refused)?;
        // Before anything is written: what it replaces is known only at the end.
        let (bytes, _) = project.size();
        let files = project.paths().count() as u64;
        if bytes > most {
            return Err(too_much(bytes, most));
        }
        if files > self.shared.options.files_max {
            return Err(too_many(files, self.shared.options.files_max));
        }
        let replaced = project.paths().filter_map(|path| index.files.get(path)).map(|stored| stored.bytes);
        let room = self.room(opened, id, owner, &index).saturating_add(replaced.sum());
        if bytes > room {
            return Err(WorkspaceError::Full(format!(
                "the archive has {bytes} bytes, and {room} are left of the workspace's quota (workspace_mb) and its \
                 owner's (workspaces_mb): delete files"
            )));
        }
        let mut notes = project.notes().to_vec();
        let (sender, pieces) = mpsc::channel(PIECES_MAX);
        let reading = tokio::task::spawn_blocking(move || {
            let mut pieces = Pieces { content: BytesMut::new(), sender };
            project.send(&mut pieces)?;
            pieces.flush()
        });
        let stored = self.store(id, pieces).await;
        let read = reading.await.unwrap_or_else(|fault| Err(io::Error::other(fault)));
        drop(permit);
        let (files, links) = stored?;
        let change = Change { files, ..Change::default() };
        if let Err(error) = read {
            self.discard(id, change).await;
            return Err(WorkspaceError::Invalid(format!("the archive cannot be read: {error}")));
        }
        self.change(owner, id, change).await?;
        if links > 0 {
            notes.push(format!("{links} symbolic links were left out: a workspace has files only"));
        }
        Ok(notes)
    }

    /// Writes what comes as objects; on failure nothing of it is left.
    async fn store(&self, id: &str, mut pieces: mpsc::Receiver<Piece>) -> Result<(BTreeMap<String, Stored>, u64)> {
        let mut files = BTreeMap::new();
        let mut links = 0;
        let mut current: Option<(String, Writer)> = None;
        let opened = self.opened().await?;
        let written = async {
            while let Some(piece) = pieces.recv().await {
                match piece {
                    Piece::Content(bytes) => {
                        if let Some((_, writer)) = &mut current {
                            writer.write(&bytes).await?;
                        }
                    }
                    Piece::File(path) => {
                        let next = (checked(&path)?, Writer::new(&opened.storage, id)?);
                        if let Some((path, writer)) = current.replace(next) {
                            files.insert(path, writer.finish().await?);
                        }
                    }
                    Piece::Link => links += 1,
                }
            }
            if let Some((path, writer)) = current.take() {
                files.insert(path, writer.finish().await?);
            }
            Ok(())
        };
        match written.await {
            Ok(()) => Ok((files, links)),
            Err(error) => {
                self.discard(id, Change { files, ..Change::default() }).await;
                Err(error)
            }
        }
    }

    /// Removes what was written for a change that is not made.
    async fn discard(&self, id: &str, change: Change) {
        let Ok(opened) = self.opened().await else { return };
        for stored in change.files.into_values() {
            opened.storage.delete(id, &stored.object).await;
        }
    }

    /// Packs all files of a workspace into `into`, a file, and returns it, at its start. `admit` is told how many bytes
    /// they have, and can refuse that.
    ///
    /// # Errors
    ///
    /// What `admit` says, and as for [`Workspaces::describe_one`].
    pub async fn pack<E: From<WorkspaceError>>(
        &self,
        owner: &str,
        id: &str,
        format: ArchiveFormat,
        into: File,
        admit: impl FnOnce(u64) -> Result<(), E>,
    ) -> Result<File, E> {
        let (opened, index, pinned) = self.snapshot(owner, id, None).await?;
        self.touch(opened, id).await;
        admit(index.size().0)?;
        let project = mount::project(opened, id, &index, pinned).map_err(refused)?;
        let _permit = self.shared.archives.acquire().await;
        let packed = blocking(move || packed(&project, format, into)).await;
        let packed = packed.and_then(|packed| packed);
        Ok(packed.map_err(|error| fault("cannot pack the files of a workspace", error))?)
    }
}

fn refused(error: Error) -> WorkspaceError {
    if error.is_invalid_job() {
        WorkspaceError::Invalid(error.message().to_owned())
    } else {
        WorkspaceError::Unavailable(error)
    }
}

fn packed(project: &Project, format: ArchiveFormat, mut into: File) -> io::Result<File> {
    match format {
        ArchiveFormat::Tar => project.to_tar(BufWriter::new(&into))?,
        ArchiveFormat::TarGz => {
            let mut packing = GzEncoder::new(BufWriter::new(&into), Compression::default());
            project.to_tar(&mut packing)?;
            packing.finish()?.flush()?;
        }
        ArchiveFormat::Zip => {
            let mut zip = Zip(ZipWriter::new(BufWriter::new(&into)));
            project.send(&mut zip)?;
            zip.0.finish()?.flush()?;
        }
    }
    into.rewind()?;
    Ok(into)
}

/// Packs a project as a zip archive.
struct Zip<W: Write + io::Seek>(ZipWriter<W>);

impl<W: Write + io::Seek> Receiver for Zip<W> {
    fn folder(&mut self, path: &str) -> io::Result<()> {
        Ok(self.0.add_directory(path, SimpleFileOptions::default())?)
    }

    fn file(&mut self, path: &str) -> io::Result<()> {
        Ok(self.0.start_file(path, SimpleFileOptions::default().large_file(true))?)
    }

    fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        Ok(self.0.add_symlink(path, target, SimpleFileOptions::default())?)
    }
}

impl<W: Write + io::Seek> Write for Zip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Passes the files of a project on to who stores them.
struct Pieces {
    content: BytesMut,
    sender: mpsc::Sender<Piece>,
}

impl Pieces {
    fn send(&self, piece: Piece) -> io::Result<()> {
        self.sender.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Receiver for Pieces {
    fn folder(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn file(&mut self, path: &str) -> io::Result<()> {
        self.flush()?;
        self.send(Piece::File(path.to_owned()))
    }

    fn link(&mut self, _: &str, _: &str) -> io::Result<()> {
        self.send(Piece::Link)
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.content.extend_from_slice(bytes);
        if self.content.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.content.split().freeze() {
            content if content.is_empty() => Ok(()),
            content => self.send(Piece::Content(content)),
        }
    }
}

//! Keeps bytes under keys: in a folder now, in any object store by the same interface.
//!
//! **Architecture invariant:** the crate `object_store` is known only here, and nothing here knows what a workspace is
//! beyond its id. What is kept is written once, under a name of its own, and never changed; only an index is replaced, as
//! a whole.

use super::id;
use crate::blocking::blocking;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt as _};
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutPayload,
    local::LocalFileSystem, path::Path as Key,
};
use rustix::fs::FlockOperation;
use std::{
    fs::{self, File},
    io,
    ops::Range,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

/// Below it each workspace has a folder.
const TOP: &str = "workspaces";
const INDEX: &str = "index.json";
/// Its time of change is when the workspace was last used.
const USED: &str = "used";
const OBJECTS: &str = "objects";
/// Locks of processes that share the folder.
const LOCKS: &str = "locks";
/// Bytes that are written at a time.
const PART_BYTES: usize = 256 << 10;

/// Keeps the bytes of workspaces.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    store: Arc<dyn ObjectStore>,
    folder: Arc<Path>,
}

/// Locks workspaces against other processes, until this is dropped.
pub(super) struct FolderLock(#[expect(dead_code, reason = "closing it unlocks")] File);

type Result<T> = std::result::Result<T, object_store::Error>;

impl Storage {
    /// Opens a folder, which is made where it is missing.
    pub(super) fn open(folder: &Path) -> io::Result<Storage> {
        // Nobody else's business, wherever the folder is.
        for below in [TOP, LOCKS] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.join(below))?;
        }
        let store = LocalFileSystem::new_with_prefix(folder).map_err(io::Error::other)?.with_automatic_cleanup(true);
        Ok(Storage { store: Arc::new(store), folder: folder.canonicalize()?.into() })
    }

    /// Takes the lock of this number, for which it may wait.
    pub(super) async fn lock(&self, number: usize) -> io::Result<FolderLock> {
        let path = self.folder.join(LOCKS).join(number.to_string());
        blocking(move || {
            let file = File::options().create(true).append(true).open(path)?;
            rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
            Ok(FolderLock(file))
        })
        .await?
    }

    /// Returns the ids of all that has something here, whole or not.
    pub(super) async fn ids(&self) -> Result<Vec<String>> {
        // What an upload left that never ended is not listed.
        let folder = self.folder.join(TOP);
        let list = move || match fs::read_dir(folder) {
            Ok(entries) => Ok(entries.flatten().map(|entry| entry.file_name()).collect::<Vec<_>>()),
            // It goes with the last of them.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let names = blocking(list).await.and_then(|names| names);
        let names = names.map_err(|error| object_store::Error::Generic { store: "folder", source: error.into() })?;
        Ok(names.into_iter().filter_map(|name| name.into_string().ok()).filter(|name| id::is_id(name)).collect())
    }

    pub(super) async fn index(&self, id: &str) -> Result<Option<Bytes>> {
        match self.store.get(&key(id, &[INDEX])).await {
            Ok(found) => found.bytes().await.map(Some),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the index; readers see the old one or this one.
    pub(super) async fn set_index(&self, id: &str, content: Vec<u8>) -> Result<()> {
        self.store.put(&key(id, &[INDEX]), content.into()).await.map(drop)
    }

    /// Notes that a workspace is used now.
    pub(super) async fn set_used(&self, id: &str) -> Result<()> {
        self.store.put(&key(id, &[USED]), PutPayload::new()).await.map(drop)
    }

    /// Returns when it was last used, if that is known.
    pub(super) async fn used(&self, id: &str) -> Result<Option<SystemTime>> {
        match self.store.head(&key(id, &[USED])).await {
            Ok(meta) => Ok(Some(meta.last_modified.into())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Begins to write an object, which is there once it is finished.
    pub(super) fn write(&self, id: &str, object: &str) -> Writing {
        Writing {
            store: Arc::clone(&self.store),
            key: key(id, &[OBJECTS, object]),
            upload: None,
            part: BytesMut::new(),
        }
    }

    /// Reads a part of an object.
    pub(super) async fn read(
        &self,
        id: &str,
        object: &str,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = self.store.get_opts(&key(id, &[OBJECTS, object]), options).await?;
        Ok(found.into_stream().map_err(io::Error::other))
    }

    /// Returns the file that an object is, for jobs.
    pub(super) fn path(&self, id: &str, object: &str) -> PathBuf {
        self.folder.join(TOP).join(id).join(OBJECTS).join(object)
    }

    pub(super) async fn delete(&self, id: &str, object: &str) {
        self.remove(&key(id, &[OBJECTS, object])).await;
    }

    /// Removes the index, with which a workspace is gone.
    pub(super) async fn delete_index(&self, id: &str) -> Result<()> {
        self.store.delete(&key(id, &[INDEX])).await
    }

    /// Removes what lies in the folder of a workspace, is older, and is not to be kept.
    pub(super) async fn delete_others(&self, id: &str, before: SystemTime, keep: impl Fn(&str) -> bool) -> Result<()> {
        let found: Vec<ObjectMeta> = self.store.list(Some(&key(id, &[]))).try_collect().await?;
        for meta in found {
            let name = meta.location.filename().unwrap_or_default();
            if SystemTime::from(meta.last_modified) < before && !keep(name) {
                self.remove(&meta.location).await;
            }
        }
        // Of uploads that never ended, which the store does not list.
        let folders = [self.folder.join(TOP).join(id), self.folder.join(TOP).join(id).join(OBJECTS)];
        let swept = blocking(move || folders.iter().rev().for_each(|folder| remove_unfinished(folder, before))).await;
        if let Err(error) = swept {
            tracing::warn!(%error, id, "what uploads left cannot be removed");
        }
        Ok(())
    }

    async fn remove(&self, key: &Key) {
        match self.store.delete(key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            // It is removed when the folder is swept.
            Err(error) => tracing::warn!(%error, %key, "what a workspace had cannot be removed"),
        }
    }
}

/// Removes files with the mark of the store for what is not finished, and the folder when nothing is left in it.
fn remove_unfinished(folder: &Path, before: SystemTime) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_unfinished = entry.file_name().as_encoded_bytes().contains(&b'#');
        let is_old = entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|modified| modified < before);
        if is_unfinished && is_old {
            let _ = fs::remove_file(entry.path());
        }
    }
    let is_old = fs::metadata(folder).and_then(|metadata| metadata.modified()).is_ok_and(|modified| modified < before);
    if is_old {
        // It fails where there is something in it.
        let _ = fs::remove_dir(folder);
    }
}

/// An object that is being written. Dropping it leaves nothing.
#[derive(Debug)]
pub(super) struct Writing {
    store: Arc<dyn ObjectStore>,
    key: Key,
    /// Once there is more than one part.
    upload: Option<Box<dyn MultipartUpload>>,
    part: BytesMut,
}

impl Writing {
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PART_BYTES - self.part.len()));
            self.part.extend_from_slice(now);
            bytes = later;
            if self.part.len() == PART_BYTES {
                let part = self.part.split().freeze();
                let upload = match &mut self.upload {
                    Some(upload) => upload,
                    none => none.insert(self.store.put_multipart(&self.key).await?),
                };
                upload.put_part(part.into()).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<()> {
        let part = self.part.split().freeze();
        match &mut self.upload {
            None => self.store.put(&self.key, part.into()).await.map(drop),
            Some(upload) => {
                if !part.is_empty() {
                    upload.put_part(part.into()).await?;
                }
                upload.complete().await.map(drop)
            }
        }
    }
}

fn key(id: &str, below: &[&str]) -> Key {
    Key::from_iter([TOP, id].into_iter().chain(below.iter().copied()))
}

//! Files of an installed environment: what there is, and whether it is still the same.

use crate::cache::hex;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

/// A regular file, by its path in the folder.
pub(super) struct Listed {
    pub(super) path: String,
    pub(super) metadata: Metadata,
}

/// Lists all files of a folder, by path. Links and other things are an error: no wheel has them, and whoever reads the
/// folder may be led astray by them.
pub(super) fn files(folder: &Path) -> io::Result<Vec<Listed>> {
    let mut found = Vec::new();
    let mut pending = vec![String::new()];
    while let Some(parent) = pending.pop() {
        for entry in fs::read_dir(folder.join(&parent))? {
            let entry = entry?;
            let name = entry.file_name();
            let odd = |what: &str| io::Error::other(format!("{} {what}", entry.path().display()));
            let name =
                name.to_str().filter(|name| !name.contains('\n')).ok_or_else(|| odd("has a name that is no text"))?;
            let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                pending.push(path);
            } else if metadata.is_file() {
                found.push(Listed { path, metadata });
            } else {
                return Err(odd("is neither a file nor a folder"));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Counts the bytes in a folder, as far as that goes while it changes.
pub(super) fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let entries = entries.flatten().filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)));
    entries.map(|(path, metadata)| if metadata.is_dir() { size(&path) } else { metadata.len() }).sum()
}

/// Lists the files, one line each: SHA-256, whether it is a program, and path.
pub(super) fn manifest(folder: &Path, files: &[Listed]) -> io::Result<String> {
    let mut text = String::new();
    for file in files {
        let mut hash = Sha256::new();
        io::copy(&mut File::open(folder.join(&file.path))?, &mut hash)?;
        let program = if file.metadata.mode() & 0o111 == 0 { '-' } else { 'x' };
        text.push_str(&format!("{} {program} {}\n", hex(&hash.finalize()), file.path));
    }
    Ok(text)
}

/// Returns a digest that changes whenever a file is written, replaced, added or removed. It reads none of them.
pub(super) fn stamp(files: &[Listed]) -> String {
    let mut hash = Sha256::new();
    for Listed { path, metadata } in files {
        let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
        hash.update((path.len() as u64).to_le_bytes());
        hash.update(path);
        hash.update(metadata.len().to_le_bytes());
        hash.update(metadata.ino().to_le_bytes());
        hash.update(metadata.uid().to_le_bytes());
        times.iter().for_each(|time| hash.update(time.to_le_bytes()));
    }
    hex(&hash.finalize())
}

pub(super) fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

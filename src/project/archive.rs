//! Archives, which are hostile: tar as it is, tar in gzip, and zip.
//!
//! This is the only place that reads them. Headers are read once; what files contain stays in the archive, or in a
//! temporary file when it was compressed, until a job runs. Nothing is unpacked beyond a bound.

use super::{
    Entry, Project,
    builder::{Builder, ENTRIES_MAX},
    headers::{Headers, Member, Name},
    omissions::Omission,
    paths::PATH_BYTES_MAX,
    relative,
};
use crate::{Error, Result};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use std::{
    any::Any,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    sync::{Arc, Mutex},
};
use tar::EntryType;
use zip::{ZipArchive, read::ZipFile, result::ZipError};

/// Bytes that a tar archive may have beyond the content of its files.
const TAR_OVERHEAD_BYTES: u64 = 256 << 20;

/// Says where the content of a project's files is.
pub(super) enum Archive {
    Memory(Bytes),
    File(Mutex<File>),
    /// With what is held for it.
    Held {
        file: Mutex<File>,
        _held: Box<dyn Any + Send + Sync>,
    },
}

/// Says how an archive is packed, as its first bytes tell.
enum Packing {
    Tar,
    Gzip,
    Zip,
    Other(&'static str),
}

/// Opens an archive of any kind that can be read.
pub(super) fn open(mut archive: File, bytes_max: u64) -> Result<Project> {
    match packing(&mut archive).map_err(damaged)? {
        Packing::Tar => Project::tar_file(archive),
        Packing::Gzip => {
            let bound = bytes_max.saturating_add(TAR_OVERHEAD_BYTES);
            let mut unpacked = tempfile::tempfile().map_err(no_room)?;
            unpack(MultiGzDecoder::new(BufReader::new(archive)), &mut unpacked, bound)?;
            Project::tar_file(unpacked)
        }
        Packing::Zip => zip(archive, bytes_max),
        Packing::Other(name) => Err(Error::invalid(format!(
            "the archive is packed with {name}, which is not read here: pack it as .tar, .tar.gz or .zip"
        ))),
    }
}

fn packing(archive: &mut File) -> io::Result<Packing> {
    let mut start = Vec::new();
    archive.rewind()?;
    Read::by_ref(archive).take(6).read_to_end(&mut start)?;
    archive.rewind()?;
    Ok(match start.as_slice() {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        // The second is an empty archive, the third one with a #! line for a shell: a zipapp.
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'#', b'!', ..] => Packing::Zip,
        [b'B', b'Z', b'h', ..] => Packing::Other("bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Packing::Other("xz"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Other("zstd"),
        [b'7', b'z', 0xbc, 0xaf, ..] => Packing::Other("7-Zip"),
        [b'R', b'a', b'r', b'!', ..] => Packing::Other("RAR"),
        _ => Packing::Tar,
    })
}

/// Returns what an archive is packed with that is no plain tar, as its first bytes tell.
pub(crate) fn packed_with(mut archive: File) -> Option<&'static str> {
    match packing(&mut archive).ok()? {
        Packing::Tar => None,
        Packing::Gzip => Some("gzip"),
        Packing::Zip => Some("zip"),
        Packing::Other(name) => Some(name),
    }
}

/// Copies what `from` unpacks to, unless that is more than `bytes_max`; returns how much it is.
fn unpack(from: impl Read, into: &mut impl Write, bytes_max: u64) -> Result<u64> {
    let mut from = from.take(bytes_max.saturating_add(1));
    let mut into = BufWriter::new(into);
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0;
    loop {
        // A fault of the archive is the user's, one of the temporary folder is not.
        let got = from.read(&mut buffer).map_err(damaged)?;
        if got == 0 {
            break;
        }
        total += got as u64;
        if total > bytes_max {
            return Err(Error::invalid(format!(
                "the archive unpacks to more than {bytes_max} bytes, which is the disk limit"
            )));
        }
        into.write_all(buffer.get(..got).unwrap_or_default()).map_err(no_room)?;
    }
    into.flush().map_err(no_room)?;
    Ok(total)
}

fn zip(archive: File, bytes_max: u64) -> Result<Project> {
    let mut archive = ZipArchive::new(BufReader::new(archive)).map_err(damaged_zip)?;
    if archive.len() > ENTRIES_MAX {
        return Err(Error::invalid(format!("the project has more than {ENTRIES_MAX} files and folders")));
    }
    let mut builder = Builder::default();
    let mut unpacked = tempfile::tempfile().map_err(no_room)?;
    let mut offset = 0;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(damaged_zip)?;
        let Some(path) = zip_path(&entry)? else {
            builder.omissions.add(Omission::Name, &String::from_utf8_lossy(entry.name_raw()));
            continue;
        };
        if entry.is_dir() {
            builder.add(path, Entry::Folder)?;
        } else if entry.is_symlink() {
            let mut target = Vec::new();
            entry.by_ref().take(PATH_BYTES_MAX as u64 + 1).read_to_end(&mut target).map_err(damaged)?;
            builder.link(path, String::from_utf8(target).ok())?;
        } else {
            let bytes = unpack(entry, &mut unpacked, bytes_max.saturating_sub(offset))?;
            builder.add(path, Entry::InArchive { offset, bytes })?;
            offset += bytes;
        }
    }
    builder.finish(Some(Arc::new(Archive::File(unpacked.into()))))
}

/// Returns the path of an entry; nothing when its name is not text.
fn zip_path<R: Read>(entry: &ZipFile<'_, R>) -> Result<Option<String>> {
    let Ok(name) = entry.name() else { return Ok(None) };
    // Some programs on Windows write their own separator.
    let name = if name.contains('/') { name.into_owned() } else { name.replace('\\', "/") };
    relative(&name).map(Some)
}

/// Returns whether a file is a whole tar archive, whatever the names and kinds of what is in it.
pub(crate) fn is_tar(mut archive: File) -> bool {
    let Ok(length) = archive.seek(SeekFrom::End(0)) else { return false };
    if archive.rewind().is_err() {
        return false;
    }
    let mut headers = Headers::new(archive);
    // More is no project, and need not be looked through.
    for _ in 0..=ENTRIES_MAX {
        match headers.next() {
            Ok(Some(member)) if member.end() <= length => {}
            Ok(None) => return true,
            Ok(Some(_)) | Err(_) => return false,
        }
    }
    true
}

/// Reads the headers of a tar archive.
pub(super) fn scan(archive: &Archive) -> Result<Builder> {
    match archive {
        Archive::Memory(bytes) => scan_members(io::Cursor::new(bytes), bytes.len() as u64),
        Archive::File(file) | Archive::Held { file, .. } => {
            let mut file = file.lock().map_err(|_| Error::unavailable("the archive's lock is poisoned"))?;
            let length = file.seek(SeekFrom::End(0)).map_err(damaged)?;
            file.rewind().map_err(damaged)?;
            scan_members(&mut *file, length)
        }
    }
}

fn scan_members(reader: impl Read + Seek, length: u64) -> Result<Builder> {
    let mut builder = Builder::default();
    let mut headers = Headers::new(reader);
    while let Some(member) = headers.next().map_err(damaged)? {
        if let Some(bytes) = member.unread {
            return Err(Error::invalid(format!("bad archive: a header of {bytes} bytes is too long")));
        }
        let end = member.end();
        let Member { path, target, kind, offset, bytes, is_sparse, .. } = member;
        let name = match path {
            Name::Bytes(name) => name,
            Name::TooLong(bytes) => return Err(Error::invalid(format!("a file name of {bytes} bytes is too long"))),
        };
        let Ok(name) = str::from_utf8(&name) else {
            builder.omissions.add(Omission::Name, &String::from_utf8_lossy(&name));
            continue;
        };
        let path = relative(name)?;
        let target = match target {
            Some(Name::Bytes(target)) => String::from_utf8(target).ok(),
            Some(Name::TooLong(_)) | None => None,
        };
        match kind {
            _ if is_sparse => builder.omissions.add(Omission::Sparse, &path),
            EntryType::Directory => builder.add(path, Entry::Folder)?,
            // The oldest archives have no other mark of a folder.
            EntryType::Regular if name.ends_with('/') => builder.add(path, Entry::Folder)?,
            EntryType::Regular | EntryType::Continuous => {
                if end > length {
                    return Err(Error::invalid(format!("bad archive: it ends within {path:?}")));
                }
                builder.add(path, Entry::InArchive { offset, bytes })?;
            }
            EntryType::Symlink => builder.link(path, target)?,
            EntryType::Link => match target.and_then(|target| builder.entries.get(&relative(&target).ok()?)) {
                // A second name of a file that came before it. Each counts as a file of its own.
                Some(&Entry::InArchive { offset, bytes }) => builder.add(path, Entry::InArchive { offset, bytes })?,
                _ => builder.omissions.add(Omission::HardLink, &path),
            },
            _ => builder.omissions.add(Omission::Special, &path),
        }
    }
    Ok(builder)
}

fn damaged(error: io::Error) -> Error {
    Error::invalid(format!("bad archive: {error}"))
}

fn damaged_zip(error: ZipError) -> Error {
    Error::invalid(format!("bad archive: {error}"))
}

fn no_room(error: io::Error) -> Error {
    Error::caused("cannot unpack the archive into the temporary folder", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use zip::{ZipWriter, write::SimpleFileOptions};

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        file
    }

    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let files = files.iter().map(|&(path, content)| (path, content.to_vec()));
        let mut archive = Vec::new();
        Project::files(files).map(|project| project.to_tar(&mut archive)).expect("valid").expect("packed");
        archive
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    }

    fn refused(archive: &[u8], bytes_max: u64) -> String {
        open(file(archive), bytes_max).expect_err("refused").to_string()
    }

    #[test]
    fn a_tar_archive_is_read_compressed_or_not() {
        let plain = tar_of(&[("main.py", b"print(1)"), ("a/b.txt", b"b")]);
        // Tools that work in parallel write several streams.
        let (one, two) = plain.split_at(700);
        for archive in [plain.clone(), gzip(&plain), [gzip(one), gzip(two)].concat()] {
            let project = open(file(&archive), 1 << 20).expect("read");
            assert_eq!(project.paths().collect::<Vec<_>>(), ["a/b.txt", "main.py"]);
            assert_eq!(project.read("main.py").expect("there"), "print(1)");
        }
    }

    #[test]
    fn a_zip_archive_is_read() {
        let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        zip.add_directory("empty/", options).expect("added");
        for (name, content) in [("__main__.py", "print(1)"), ("a/b.txt", "b"), ("c\\d.txt", "d"), ("void", "")] {
            zip.start_file(name, options).expect("added");
            zip.write_all(content.as_bytes()).expect("written");
        }
        zip.add_symlink("link.py", "__main__.py", options).expect("added");
        zip.add_symlink("python3", "/usr/bin/python3", options).expect("added");
        let archive = zip.finish().expect("packed").into_inner();
        let zipapp = [b"#!/usr/bin/env python3\n", archive.as_slice()].concat();
        assert_eq!(open(file(&zipapp), 1 << 20).expect("read").read("__main__.py").expect("there"), "print(1)");
        let project = open(file(&archive), 1 << 20).expect("read");
        let paths: Vec<_> = project.paths().collect();
        assert_eq!(paths, ["__main__.py", "a/b.txt", "c/d.txt", "link.py", "void"]);
        assert_eq!(project.read("link.py").expect("there"), "print(1)");
        assert_eq!(project.read("c/d.txt").expect("there"), "d");
        assert_eq!(project.notes(), ["1 symbolic link that leads out of the project was left out: python3"]);
        assert!(refused(&archive, 9).contains("more than"), "{}", refused(&archive, 9));
        assert!(refused(&archive[..archive.len() - 30], 1 << 20).contains("bad archive"));
    }

    #[test]
    fn a_zip_archive_cannot_write_outside() {
        for name in ["../x", "/x", "a/../../x", "..\\x"] {
            let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
            zip.start_file(name, SimpleFileOptions::default()).expect("added");
            let archive = zip.finish().expect("packed").into_inner();
            assert!(refused(&archive, 1 << 20).contains("bad file name"), "{name}");
        }
    }

    #[test]
    fn archives_that_unpack_to_too_much_are_refused() {
        let bound = 1 << 16;
        let zeros = vec![0; (TAR_OVERHEAD_BYTES + bound) as usize + 1];
        assert!(refused(&gzip(&zeros), bound).contains("disk limit"));
        let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        // Together they have too much, not one of them.
        for name in ["a", "b", "c"] {
            zip.start_file(name, options).expect("added");
            zip.write_all(&zeros[..bound as usize / 2]).expect("written");
        }
        assert!(refused(&zip.finish().expect("packed").into_inner(), bound).contains("disk limit"));
    }

    #[test]
    fn damaged_and_unknown_archives_are_refused() {
        let plain = tar_of(&[("main.py", &[b'#'; 5000])]);
        let packed = gzip(&plain);
        assert!(refused(&packed[..packed.len() / 2], 1 << 20).contains("bad archive"));
        assert!(refused(b"BZh91AY&SY and so on", 1 << 20).contains("packed with bzip2"));
        assert!(refused(b"PK\x03\x04 and nothing more", 1 << 20).contains("bad archive"));
        assert!(refused(b"#!/bin/sh\necho no archive\n", 1 << 20).contains("bad archive"));
    }
}

//! A folder with installed packages, on its way into a layer.

use super::hardening::ENVIRONMENT;
use crate::Project;
use bytes::Bytes;
use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Component, Path},
};
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;

const PART_BYTES: usize = 256 * 1024;
/// Folders within folders.
const DEPTH_MAX: usize = 64;

/// Sends `folder` as an archive in which everything is root's, readable by all and writable by nobody else; returns the
/// bytes of its files. Blocks.
///
/// # Errors
///
/// When something in it is neither file nor folder nor a link to something in it, or changes meanwhile.
pub(super) fn send(folder: &Path, parts: mpsc::Sender<io::Result<Bytes>>) -> io::Result<u64> {
    let failed = parts.clone();
    let sent = pack(folder, Parts { part: Vec::with_capacity(PART_BYTES), sender: parts });
    if let Err(error) = &sent {
        // So that the archive does not look whole.
        let _ = failed.blocking_send(Err(io::Error::new(error.kind(), error.to_string())));
    }
    sent
}

/// Sends a project as an archive. Blocks.
///
/// # Errors
///
/// When it cannot be read, or nobody takes it.
pub(super) fn send_project(project: &Project, parts: mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let failed = parts.clone();
    let sent = project.to_tar(Parts { part: Vec::with_capacity(PART_BYTES), sender: parts });
    if let Err(error) = &sent {
        let _ = failed.blocking_send(Err(io::Error::new(error.kind(), error.to_string())));
    }
    sent
}

fn pack(folder: &Path, parts: Parts) -> io::Result<u64> {
    let mut archive = Builder::new(parts);
    let root = Path::new(ENVIRONMENT.trim_start_matches('/'));
    let mut bytes = 0;
    add(&mut archive, folder, root, 0, &mut bytes)?;
    archive.into_inner()?.flush()?;
    Ok(bytes)
}

fn add(archive: &mut Builder<Parts>, from: &Path, to: &Path, depth: usize, bytes: &mut u64) -> io::Result<()> {
    if depth > DEPTH_MAX {
        return Err(wrong(from, "is nested too deeply"));
    }
    archive.append_data(&mut header(EntryType::Directory, 0o755, &fs::metadata(from)?), to, io::empty())?;
    let mut entries = fs::read_dir(from)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        let found = entry.metadata()?;
        if found.is_dir() {
            add(archive, &path, &to, depth + 1, bytes)?;
        } else if found.is_symlink() {
            let target = fs::read_link(&path)?;
            if !stays(&target, depth) {
                return Err(wrong(&path, "is a link that leads out"));
            }
            archive.append_link(&mut header(EntryType::Symlink, 0o777, &found), to, target)?;
        } else if found.is_file() {
            let file = File::options().read(true).custom_flags(libc_nofollow()).open(&path)?;
            let found = file.metadata()?;
            let mode = if found.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
            let mut header = header(EntryType::Regular, mode, &found);
            header.set_size(found.len());
            let mut file = Exactly { left: found.len(), inner: file };
            archive.append_data(&mut header, to, &mut file)?;
            *bytes += found.len();
        } else {
            return Err(wrong(&path, "is neither a file nor a folder"));
        }
    }
    Ok(())
}

/// Returns whether a link stays below the root: it goes up first, no further, then only down.
fn stays(target: &Path, depth: usize) -> bool {
    let ups = target.components().take_while(|part| *part == Component::ParentDir).count();
    ups <= depth && target.components().skip(ups).all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn header(kind: EntryType, mode: u32, found: &Metadata) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    // Compiled code is believed only with the time of its source.
    header.set_mtime(u64::try_from(found.mtime()).unwrap_or_default());
    header
}

fn libc_nofollow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default()
}

fn wrong(path: &Path, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} {what}", path.display()))
}

/// As many bytes as an archive was promised.
struct Exactly {
    left: u64,
    inner: File,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.inner.read(&mut buffer[..room])?;
        if read == 0 && room > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// Collects what is written into parts of some size.
struct Parts {
    part: Vec<u8>,
    sender: mpsc::Sender<io::Result<Bytes>>,
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART_BYTES));
        self.sender.blocking_send(Ok(part.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn packed(folder: &Path) -> io::Result<Vec<(String, u32, EntryType)>> {
        let (sender, mut receiver) = mpsc::channel(1000);
        send(folder, sender)?;
        let mut archive = Vec::new();
        while let Some(part) = receiver.blocking_recv() {
            archive.extend_from_slice(&part?);
        }
        let mut archive = tar::Archive::new(&archive[..]);
        archive
            .entries()?
            .map(|entry| {
                let entry = entry?;
                let header = entry.header();
                assert_eq!((header.uid()?, header.gid()?), (0, 0));
                Ok((entry.path()?.display().to_string(), header.mode()?, header.entry_type()))
            })
            .collect()
    }

    #[test]
    fn everything_is_roots_and_readable_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        fs::create_dir(path.join("package")).expect("made");
        let long = format!("{}.py", "n".repeat(180));
        for (name, mode) in [("package/private.py", 0o600), ("package/tool", 0o6711), (long.as_str(), 0o666)] {
            fs::write(path.join(name), "x").expect("written");
            fs::set_permissions(path.join(name), fs::Permissions::from_mode(mode)).expect("set");
        }
        symlink("../package/tool", path.join("package/link")).expect("made");
        let found = packed(path).expect("packed");
        let found: Vec<_> = found.iter().map(|(path, mode, _)| (path.as_str(), *mode)).collect();
        let long = format!("environment/{long}");
        assert_eq!(
            found,
            [
                ("environment", 0o755),
                (long.as_str(), 0o644),
                ("environment/package", 0o755),
                ("environment/package/link", 0o777),
                ("environment/package/private.py", 0o644),
                ("environment/package/tool", 0o755),
            ]
        );
    }

    #[test]
    fn links_do_not_lead_out() {
        for (target, inside) in [
            ("x", true),
            ("./x/y", true),
            ("../x", true),
            ("../../x", false),
            ("/etc/passwd", false),
            ("x/../../y", false),
            ("x/..", false),
        ] {
            assert_eq!(stays(Path::new(target), 1), inside, "{target}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        symlink("/etc", folder.path().join("etc")).expect("made");
        let refused = packed(folder.path()).expect_err("leads out").to_string();
        assert!(refused.ends_with("is a link that leads out"), "{refused}");
    }
}

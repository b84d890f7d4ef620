//! Bytecode of packages, kept for other environments with the same ones.
//!
//! A file's name is the digest of the sources and of the interpreter: never of what a package says of itself, or one could
//! pass its bytecode off as that of another. The SHA-256 of its content is before it. Files appear whole, by a rename, and
//! one that is removed while it is read is read to its end.

use super::workbench::Workbench;
use crate::{
    Result,
    cache::hex,
    pack::{Pack, Packed},
};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, FileTimes},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

const DIGEST_BYTES: usize = 32;
/// Folders whose modules import each other at most, and are compiled when they do.
const TESTS: [&str; 2] = ["test", "tests"];

/// The folder.
#[derive(Debug)]
pub(super) struct Bytecode {
    folder: PathBuf,
}

/// Files that are compiled together: those of one package, so that none can have a say in the bytecode of another.
pub(super) struct Group {
    key: String,
    /// Their sources.
    pub(super) pack: Pack,
    /// How many they are.
    pub(super) modules: usize,
}

impl Group {
    /// Groups the modules among these files; `None` when there are none, or too many.
    pub(super) fn new<'a>(version: &str, files: impl Iterator<Item = &'a Packed>) -> Option<Group> {
        let mut sources: Vec<_> = files
            .filter(|file| is_compiled(&file.path))
            .map(|file| Packed { path: file.path.clone(), content: file.content.clone(), code: Vec::new() })
            .collect();
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        let modules = sources.len();
        let mut hash = Sha256::new();
        hash.update(version);
        for file in &sources {
            for part in [file.path.as_bytes(), &file.content] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        let pack = Pack::open(Pack::build(sources)?.into())?;
        (modules > 0).then(|| Group { key: hex(&hash.finalize()), pack, modules })
    }

    /// Compiles them: paths, and code.
    pub(super) async fn compile(&self, workbench: &dyn Workbench) -> Result<Vec<(String, Vec<u8>)>> {
        let mut compiled = workbench.compile(&self.pack).await?;
        compiled.retain(|(path, _)| self.pack.find(path).is_some());
        Ok(compiled)
    }
}

fn is_compiled(path: &str) -> bool {
    let Some((folders, _)) = path.rsplit_once('/').filter(|_| path.ends_with(".py")) else { return false };
    !folders.split('/').any(|folder| TESTS.contains(&folder))
}

impl Bytecode {
    /// Keeps bytecode in a folder, which is made when something is put into it.
    pub(super) fn new(folder: PathBuf) -> Bytecode {
        Bytecode { folder }
    }

    /// Returns what was kept of a group: paths, and code.
    pub(super) fn find(&self, group: &Group) -> Option<Vec<(String, Vec<u8>)>> {
        let path = self.folder.join(&group.key);
        let bytes = fs::read(&path).ok()?;
        let whole = |bytes: &[u8]| {
            let (digest, content) = bytes.split_at_checked(DIGEST_BYTES)?;
            (*digest == *Sha256::digest(content)).then(|| Pack::open(content.to_vec().into()))?
        };
        let Some(pack) = whole(&bytes) else {
            tracing::warn!(path = %path.display(), "bytecode is not what was written: it is made anew");
            return None;
        };
        if let Ok(file) = File::open(&path) {
            // Where this fails it is removed sooner than it could be.
            let _ = file.set_times(FileTimes::new().set_modified(SystemTime::now()));
        }
        Some(pack.files().map(|file| (file.path.to_owned(), file.code.to_vec())).collect())
    }

    /// Keeps what was made of a group; `workshop` is a folder of the caller's beside this one.
    pub(super) fn keep(&self, group: &Group, compiled: &[(String, Vec<u8>)], workshop: &Path) -> io::Result<()> {
        let packed =
            compiled.iter().map(|(path, code)| Packed { path: path.clone(), content: Vec::new(), code: code.clone() });
        let Some(content) = Pack::build(packed.collect()) else { return Ok(()) };
        let made = workshop.join(format!("bytecode-{}", group.key));
        fs::create_dir_all(&self.folder)?;
        fs::write(&made, [&*Sha256::digest(&content), &content].concat())?;
        fs::rename(made, self.folder.join(&group.key))
    }

    /// Removes what was not used for longest, until the rest has no more than that; says how many bytes are left.
    pub(super) fn make_room(&self, bytes_max: u64) -> io::Result<u64> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            files.push((metadata.modified()?, metadata.len(), entry.path()));
        }
        files.sort();
        let mut bytes = files.iter().map(|(_, bytes, _)| bytes).sum::<u64>();
        for (_, size, path) in files {
            if bytes <= bytes_max {
                break;
            }
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => bytes -= size,
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn group(version: &str, files: &[(&str, &str)]) -> Option<Group> {
        let packed = |(path, content): &(&str, &str)| Packed {
            path: format!("lib/{path}"),
            content: content.as_bytes().to_vec(),
            code: Vec::new(),
        };
        let files: Vec<_> = files.iter().map(packed).collect();
        Group::new(version, files.iter())
    }

    #[test]
    fn only_the_same_sources_have_the_same_bytecode() {
        let files = [("a/x.py", "x = 1"), ("a/data.txt", "1"), ("a/tests/t.py", "1")];
        let first = group("1", &files).unwrap();
        assert_eq!(first.modules, 1);
        assert_eq!(first.key, group("1", &files[..1]).unwrap().key);
        let others = [
            group("2", &files).unwrap(),
            group("1", &[("a/x.py", "x = 2")]).unwrap(),
            group("1", &[("b/x.py", "x = 1")]).unwrap(),
        ];
        assert!(others.iter().all(|other| other.key != first.key));
        assert!(group("1", &files[1..]).is_none());
    }

    #[test]
    fn bytecode_is_found_again_unless_it_was_changed_or_removed() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Bytecode::new(folder.path().join("bytecode"));
        let [one, two] = ["x = 1", "x = 2"].map(|content| group("", &[("x.py", content)]).unwrap());
        assert!(kept.find(&one).is_none() && kept.make_room(0).unwrap() == 0);
        let compiled = vec![("lib/x.py".to_owned(), b"code".to_vec())];
        for group in [&one, &two] {
            kept.keep(group, &compiled, folder.path()).unwrap();
        }
        let path = kept.folder.join(&one.key);
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        let age = |key: &str| {
            let file = File::open(kept.folder.join(key)).unwrap();
            file.set_times(FileTimes::new().set_modified(hour_ago)).unwrap();
        };
        age(&one.key);
        assert_eq!(kept.find(&one).unwrap(), compiled);
        age(&two.key);
        let bytes = fs::metadata(&path).unwrap().len();
        assert_eq!(kept.make_room(bytes).unwrap(), bytes);
        assert!(kept.find(&two).is_none(), "it was not used for longest");
        let mut content = fs::read(&path).unwrap();
        *content.last_mut().unwrap() ^= 1;
        fs::write(&path, content).unwrap();
        assert!(kept.find(&one).is_none(), "it was changed");
        fs::write(&path, "").unwrap();
        assert!(kept.find(&one).is_none(), "it is empty");
    }
}

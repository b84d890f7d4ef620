//! Sets of requirements that WebAssembly cannot take, remembered for a day: a newer version may have other wheels.

use super::store::Id;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, Read, Write},
    path::PathBuf,
    time::{Duration, SystemTime},
};

/// How long a verdict stands.
const STANDS: Duration = Duration::from_secs(24 * 3600);
/// Verdicts that are kept in memory, and half of those on disk.
const COUNT_MAX: usize = 4096;
/// Of a file, in bytes.
const BYTES_MAX: u64 = 64 << 10;

/// One file each in a folder, and in memory those that this process has seen.
#[derive(Debug)]
pub(super) struct Verdicts {
    folder: PathBuf,
    seen: moka::sync::Cache<Id, Verdict>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Verdict {
    /// What cannot be taken, with versions.
    packages: Vec<String>,
    since: SystemTime,
}

impl Verdict {
    fn stands(&self) -> bool {
        // One from the future is of a clock that was wrong.
        self.since.elapsed().is_ok_and(|age| age < STANDS)
    }
}

impl Verdicts {
    /// Keeps verdicts in a folder, which is made with the first.
    pub(super) fn new(folder: PathBuf) -> Verdicts {
        Verdicts { folder, seen: moka::sync::Cache::new(COUNT_MAX as u64) }
    }

    /// Returns the packages that cannot be taken, as far as this process knows.
    pub(super) fn known(&self, id: &Id) -> Option<Vec<String>> {
        self.seen.get(id).filter(Verdict::stands).map(|verdict| verdict.packages)
    }

    /// Returns the packages that cannot be taken, as far as any process knows. Reads a file.
    pub(super) fn find(&self, id: &Id) -> Option<Vec<String>> {
        let mut text = Vec::new();
        fs::File::open(self.folder.join(id.as_str())).ok()?.take(BYTES_MAX).read_to_end(&mut text).ok()?;
        let verdict: Verdict = serde_json::from_slice(&text).ok()?;
        if !verdict.stands() {
            return None;
        }
        let packages = verdict.packages.clone();
        self.seen.insert(id.clone(), verdict);
        Some(packages)
    }

    /// Remembers that these packages cannot be taken.
    pub(super) fn keep(&self, id: &Id, packages: Vec<String>) -> io::Result<()> {
        let verdict = Verdict { packages, since: SystemTime::now() };
        let text = serde_json::to_vec(&verdict)?;
        self.seen.insert(id.clone(), verdict);
        fs::create_dir_all(&self.folder)?;
        self.make_room()?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&text)?;
        file.persist(self.folder.join(id.as_str())).map_err(|error| error.error)?;
        Ok(())
    }

    /// Removes what does not stand any more, what was left unfinished, and when there is too much the older half.
    fn make_room(&self) -> io::Result<()> {
        let entries = fs::read_dir(&self.folder)?.flatten();
        let mut files: Vec<_> =
            entries.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
        files.sort();
        let surplus = if files.len() >= 2 * COUNT_MAX { COUNT_MAX } else { 0 };
        for (at, (modified, path)) in files.iter().enumerate() {
            let old = modified.elapsed().is_ok_and(|age| age > STANDS);
            if (old || at < surplus)
                && let Err(error) = fs::remove_file(path)
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, FileTimes};

    #[test]
    fn a_verdict_stands_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Verdicts::new(folder.path().join("verdicts"));
        let (verdicts, id) = (open(), Id::of("x"));
        assert!(verdicts.known(&id).is_none() && verdicts.find(&id).is_none());
        verdicts.keep(&id, vec!["numpy==2".to_owned()]).unwrap();
        assert_eq!(verdicts.known(&id).unwrap(), ["numpy==2"]);
        let again = open();
        assert!(again.known(&id).is_none());
        assert_eq!(again.find(&id).unwrap(), ["numpy==2"]);
        assert!(again.known(&id).is_some());

        let path = folder.path().join("verdicts").join(id.as_str());
        let age = |since: SystemTime| {
            let verdict = Verdict { packages: Vec::new(), since };
            fs::write(&path, serde_json::to_vec(&verdict).unwrap()).unwrap();
            let verdicts = open();
            verdicts.seen.insert(id.clone(), verdict);
            assert_eq!(verdicts.known(&id).is_some(), verdicts.find(&id).is_some());
            verdicts.known(&id).is_some()
        };
        let (hour, now) = (Duration::from_secs(3600), SystemTime::now());
        assert!(age(now - 23 * hour));
        assert!(!age(now - 25 * hour) && !age(now + hour));

        let old = FileTimes::new().set_modified(now - 25 * hour);
        File::open(&path).unwrap().set_times(old).unwrap();
        verdicts.keep(&Id::of("y"), Vec::new()).unwrap();
        assert!(!path.exists());
        fs::write(&path, "no verdict").unwrap();
        assert!(open().find(&id).is_none());
    }
}

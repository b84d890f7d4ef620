//! Files with their bytecode in one piece of memory: the standard library that `wasm-python` carries, and the packages of
//! an environment. The format is described in `wasm-python/build/pack_stdlib.py`.

use bytes::Bytes;

const MAGIC: &[u8] = b"PYXSTD01";
const RECORD_BYTES: usize = 24;

/// Where packages are, below `/usr`.
pub(crate) const SITE_PACKAGES: &str = "lib/python3.14/site-packages/";

/// Where a pack names the native modules that were taken from its packages, one on each line, for the guest.
pub(crate) const NATIVE_PARTS: &str = "lib/python3.14/site-packages/.native-parts";

/// An index into such a piece of memory. Nothing is parsed or copied when it is opened, and clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pack {
    bytes: Bytes,
    count: usize,
}

/// A file to be packed.
#[derive(Debug)]
pub(crate) struct Packed {
    /// Below `/usr`, without `.` and `..`.
    pub(crate) path: String,
    pub(crate) content: Vec<u8>,
    /// A marshalled code object, or nothing.
    pub(crate) code: Vec<u8>,
}

/// A file in a pack.
#[derive(Debug, Clone)]
pub(crate) struct Record<'p> {
    pub(crate) path: &'p str,
    pub(crate) content: Bytes,
    /// A marshalled code object, or nothing.
    pub(crate) code: Bytes,
}

impl Pack {
    /// Opens a pack; `None` when the bytes are none.
    pub(crate) fn open(bytes: Bytes) -> Option<Pack> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let count = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        let pack = Pack { bytes, count };
        // Offsets are trusted from here on no further than slices check them.
        if count > 0 {
            pack.record(count - 1)?;
        }
        Some(pack)
    }

    /// Packs files; `None` when they have 4 GiB or more.
    pub(crate) fn build(mut files: Vec<Packed>) -> Option<Vec<u8>> {
        files.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
        let start = MAGIC.len() + 4 + files.len() * RECORD_BYTES;
        let parts = |file: &Packed| [file.path.len(), file.content.len(), file.code.len()];
        let end = files.iter().flat_map(parts).try_fold(start, usize::checked_add)?;
        u32::try_from(end).ok()?;
        let mut bytes = Vec::with_capacity(end);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&u32::try_from(files.len()).ok()?.to_le_bytes());
        let mut at = start;
        for part in files.iter().flat_map(parts) {
            for number in [at, part] {
                bytes.extend_from_slice(&u32::try_from(number).ok()?.to_le_bytes());
            }
            at += part;
        }
        for file in files {
            bytes.extend_from_slice(file.path.as_bytes());
            bytes.extend_from_slice(&file.content);
            bytes.extend_from_slice(&file.code);
        }
        Some(bytes)
    }

    /// Returns the memory that was opened.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns all files, by path.
    pub(crate) fn files(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.count).map_while(|at| self.record(at))
    }

    /// Returns the file at a path.
    pub(crate) fn find(&self, path: &str) -> Option<Record<'_>> {
        self.record(self.search(path).ok()?)
    }

    /// Returns whether there are files below this path, which ends with a slash or is empty.
    pub(crate) fn has_below(&self, prefix: &str) -> bool {
        self.below(prefix).next().is_some()
    }

    /// Returns the paths from this one of all files below it; it ends with a slash or is empty.
    pub(crate) fn below<'p>(&'p self, prefix: &'p str) -> impl Iterator<Item = &'p str> {
        let first = self.search(prefix).unwrap_or_else(|at| at);
        (first..self.count).map_while(move |at| self.path(at)?.strip_prefix(prefix))
    }

    fn search(&self, path: &str) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            match self.path(middle).map(|found| found.as_bytes().cmp(path.as_bytes())) {
                Some(std::cmp::Ordering::Equal) => return Ok(middle),
                Some(std::cmp::Ordering::Less) => low = middle + 1,
                Some(std::cmp::Ordering::Greater) | None => high = middle,
            }
        }
        Err(low)
    }

    fn path(&self, at: usize) -> Option<&str> {
        let [path, _, _] = self.ranges(at)?;
        std::str::from_utf8(self.bytes.get(path)?).ok()
    }

    fn record(&self, at: usize) -> Option<Record<'_>> {
        let [_, content, code] = self.ranges(at)?;
        let slice = |range: std::ops::Range<usize>| self.bytes.get(range).map(|found| self.bytes.slice_ref(found));
        Some(Record { path: self.path(at)?, content: slice(content)?, code: slice(code)? })
    }

    fn ranges(&self, at: usize) -> Option<[std::ops::Range<usize>; 3]> {
        let start = MAGIC.len() + 4 + at.checked_mul(RECORD_BYTES)?;
        let record = self.bytes.get(start..start + RECORD_BYTES).filter(|_| at < self.count)?;
        let number = |i: usize| -> usize {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(&record[4 * i..4 * i + 4]);
            u32::from_le_bytes(bytes) as usize
        };
        let range = |i: usize| Some(number(i)..number(i).checked_add(number(i + 1))?);
        Some([range(0)?, range(2)?, range(4)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(path: &str, content: &str, code: &str) -> Packed {
        Packed { path: path.into(), content: content.into(), code: code.into() }
    }

    #[test]
    fn what_was_packed_is_found() {
        let files = vec![packed("b/c.txt", "text", ""), packed("a.py", "x = 1", "code"), packed("b/a", "", "")];
        let pack = Pack::open(Pack::build(files).unwrap().into()).unwrap();
        let paths: Vec<_> = pack.files().map(|file| file.path.to_owned()).collect();
        assert_eq!(paths, ["a.py", "b/a", "b/c.txt"]);
        let found = pack.find("a.py").unwrap();
        assert_eq!((&*found.content, &*found.code), (&b"x = 1"[..], &b"code"[..]));
        assert!(pack.find("b").is_none() && pack.find("z").is_none());
        assert_eq!(pack.below("b/").collect::<Vec<_>>(), ["a", "c.txt"]);
        assert!(pack.has_below("") && !pack.has_below("c/"));
    }

    #[test]
    fn an_empty_pack_has_no_files() {
        let pack = Pack::open(Pack::build(Vec::new()).unwrap().into()).unwrap();
        assert_eq!(pack.files().count(), 0);
        assert!(!pack.has_below(""));
    }

    #[test]
    fn damage_is_seen_or_does_no_harm() {
        let whole = Pack::build(vec![packed("a.py", "x = 1", "code"), packed("b.py", "", "")]).unwrap();
        assert!(Pack::open(Bytes::from_static(b"PYXSTD02\0\0\0\0")).is_none());
        for length in 0..whole.len() - 1 {
            if let Some(pack) = Pack::open(Bytes::copy_from_slice(&whole[..length])) {
                pack.files().for_each(drop);
            }
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            if let Some(pack) = Pack::open(damaged.into()) {
                pack.files().for_each(drop);
                let _ = (pack.find("a.py"), pack.find("b.py"));
            }
        }
    }
}

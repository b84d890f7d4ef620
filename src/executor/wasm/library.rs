//! The read-only `/usr` of every job, served from the bytes that the `wasm-python` crate carries.

/// An index into the image that `wasm-python/build/pack_stdlib.py` writes. Nothing is parsed or copied at start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Library {
    bytes: &'static [u8],
    count: usize,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    File(&'static [u8]),
    Folder,
}

const MAGIC: &[u8] = b"PYXSTD01";
const RECORD_BYTES: usize = 24;
const STDLIB: &str = "lib/python3.14/";

struct Record {
    path: &'static str,
    source: &'static [u8],
    code: &'static [u8],
}

impl Library {
    /// `None` when the bytes are not such an image.
    pub(crate) fn new(bytes: &'static [u8]) -> Option<Library> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let count = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        let library = Library { bytes, count };
        // Offsets are trusted from here on no further than slices check them.
        library.record(count.checked_sub(1)?)?;
        Some(library)
    }

    /// What is at this path below `/usr`; the empty path is `/usr` itself.
    pub(crate) fn node(&self, path: &str) -> Option<Node> {
        if path.is_empty() {
            return Some(Node::Folder);
        }
        if let Ok(at) = self.search(path) {
            return self.record(at).map(|record| Node::File(record.source));
        }
        let prefix = format!("{path}/");
        let at = self.search(&prefix).unwrap_or_else(|at| at);
        self.record(at).filter(|record| record.path.starts_with(&prefix)).map(|_| Node::Folder)
    }

    /// Names in a folder, and whether each is a folder itself.
    pub(crate) fn list(&self, path: &str) -> Vec<(&'static str, bool)> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let mut at = self.search(&prefix).unwrap_or_else(|at| at);
        let mut names: Vec<(&str, bool)> = Vec::new();
        while let Some(rest) = self.record(at).and_then(|record| record.path.strip_prefix(prefix.as_str())) {
            let (name, is_folder) = match rest.split_once('/') {
                Some((name, _)) => (name, true),
                None => (rest, false),
            };
            if names.last() != Some(&(name, is_folder)) {
                names.push((name, is_folder));
            }
            at += 1;
        }
        names
    }

    /// Marshalled code of a standard library module by its dotted name, and whether it is a package.
    pub(crate) fn module(&self, name: &str) -> Option<(&'static [u8], bool)> {
        let stem = format!("{STDLIB}{}", name.replace('.', "/"));
        let code = |path: String| {
            let record = self.record(self.search(&path).ok()?)?;
            (!record.code.is_empty()).then_some(record.code)
        };
        code(format!("{stem}/__init__.py"))
            .map(|code| (code, true))
            .or_else(|| code(format!("{stem}.py")).map(|code| (code, false)))
    }

    fn search(&self, path: &str) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            match self.record(middle).map(|record| record.path.as_bytes().cmp(path.as_bytes())) {
                Some(std::cmp::Ordering::Equal) => return Ok(middle),
                Some(std::cmp::Ordering::Less) => low = middle + 1,
                Some(std::cmp::Ordering::Greater) | None => high = middle,
            }
        }
        Err(low)
    }

    fn record(&self, at: usize) -> Option<Record> {
        if at >= self.count {
            return None;
        }
        let start = MAGIC.len() + 4 + at * RECORD_BYTES;
        let record = self.bytes.get(start..start + RECORD_BYTES)?;
        let number = |i: usize| -> usize {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(&record[4 * i..4 * i + 4]);
            u32::from_le_bytes(bytes) as usize
        };
        let slice = |i: usize| self.bytes.get(number(i)..number(i).checked_add(number(i + 1))?);
        Some(Record { path: std::str::from_utf8(slice(0)?).ok()?, source: slice(2)?, code: slice(4)? })
    }
}

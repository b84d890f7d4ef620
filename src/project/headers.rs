//! Reads the headers of a tar archive, in memory that does not depend on what they claim.

use super::paths::PATH_BYTES_MAX;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use tar::{EntryType, GnuExtSparseHeader, Header, PaxExtensions};

const BLOCK: u64 = 512;
/// Of a header with extensions: names, times, and what file systems attach to files.
const EXTENSIONS_BYTES_MAX: u64 = 1 << 20;

/// The headers, one after the other.
pub(super) struct Headers<R> {
    reader: BufReader<R>,
    /// Where the reader is.
    at: u64,
    /// Where the next header is.
    next: u64,
}

/// An entry of an archive.
pub(super) struct Member {
    pub(super) path: Name,
    /// Where a link leads.
    pub(super) target: Option<Name>,
    pub(super) kind: EntryType,
    /// Where its content begins.
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) is_sparse: bool,
    /// Bytes of its extensions, when there are too many to be read.
    pub(super) unread: Option<u64>,
}

/// A name, if it was read.
pub(super) enum Name {
    Bytes(Vec<u8>),
    /// It has so many bytes.
    TooLong(u64),
}

/// What headers before an entry say of it.
#[derive(Default)]
struct Described {
    path: Option<Name>,
    target: Option<Name>,
    extensions: Option<Vec<u8>>,
    unread: Option<u64>,
}

impl Member {
    /// Where its content ends.
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes)
    }
}

impl<R: Read + Seek> Headers<R> {
    /// Reads from where `reader` is, which is the beginning.
    pub(super) fn new(reader: R) -> Headers<R> {
        Headers { reader: BufReader::new(reader), at: 0, next: 0 }
    }

    /// Returns the next entry, unless the archive ends before it.
    ///
    /// # Errors
    ///
    /// When the archive is damaged, or cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        let mut described = Described::default();
        let mut is_described = false;
        loop {
            let Some(header) = self.header()? else {
                return if is_described { Err(fault("it ends where a file should follow")) } else { Ok(None) };
            };
            let bytes = header.entry_size()?;
            let kind = header.entry_type();
            let is_known = header.as_gnu().is_some() || header.as_ustar().is_some();
            let offset = self.next;
            match kind {
                EntryType::GNULongName if is_known => {
                    once(&mut described.path, self.name(bytes)?, "two long names describe the same file")?;
                }
                EntryType::GNULongLink if is_known => {
                    once(&mut described.target, self.name(bytes)?, "two long link names describe the same file")?;
                }
                EntryType::XHeader if is_known => {
                    if described.extensions.is_some() || described.unread.is_some() {
                        return Err(fault("two headers with extensions describe the same file"));
                    }
                    if bytes > EXTENSIONS_BYTES_MAX {
                        described.unread = Some(bytes);
                    } else {
                        described.extensions = Some(self.content(bytes)?);
                    }
                }
                EntryType::XGlobalHeader => {}
                _ => return self.member(&header, described, bytes).map(Some),
            }
            is_described |= kind != EntryType::XGlobalHeader;
            self.next = after(offset, bytes)?;
        }
    }

    fn member(&mut self, header: &Header, described: Described, bytes: u64) -> io::Result<Member> {
        let Described { path, target, extensions, unread } = described;
        let extension = |key: &str| {
            let found =
                PaxExtensions::new(extensions.as_deref()?).flatten().find(|it| it.key_bytes() == key.as_bytes());
            found.map(|it| it.value_bytes().to_vec())
        };
        let kind = header.entry_type();
        // What it says is what other programs go by.
        let bytes = extension("size").and_then(|size| str::from_utf8(&size).ok()?.parse().ok()).unwrap_or(bytes);
        let is_sparse_in_pax = PaxExtensions::new(extensions.as_deref().unwrap_or_default())
            .flatten()
            .any(|it| it.key_bytes().starts_with(b"GNU.sparse."));
        if kind == EntryType::GNUSparse {
            let Some(gnu) = header.as_gnu() else { return Err(fault("a file with holes has no GNU header")) };
            // Of no use here, and bad when it is bad.
            gnu.real_size()?;
            let mut more = gnu.is_extended();
            while more {
                let mut map = GnuExtSparseHeader::new();
                self.seek(self.next)?;
                self.reader.read_exact(map.as_mut_bytes())?;
                self.at += BLOCK;
                self.next += BLOCK;
                more = map.is_extended();
            }
        }
        let offset = self.next;
        self.next = after(offset, bytes)?;
        Ok(Member {
            path: path
                .or_else(|| extension("path").map(Name::Bytes))
                .unwrap_or_else(|| Name::Bytes(header.path_bytes().into_owned())),
            target: target
                .or_else(|| extension("linkpath").map(Name::Bytes))
                .or_else(|| header.link_name_bytes().map(|name| Name::Bytes(name.into_owned()))),
            kind,
            offset,
            bytes,
            is_sparse: kind == EntryType::GNUSparse || is_sparse_in_pax,
            unread,
        })
    }

    fn header(&mut self) -> io::Result<Option<Header>> {
        self.seek(self.next)?;
        let mut header = Header::new_old();
        let block = header.as_mut_bytes();
        let mut filled = 0;
        while filled < block.len() {
            match self.reader.read(&mut block[filled..])? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(fault("it ends within a header")),
                read => filled += read,
            }
        }
        self.at += BLOCK;
        self.next += BLOCK;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        // The checksum counts as spaces.
        let sum = |part: &[u8]| part.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let expected = sum(&block[..148]) + sum(&block[156..]) + 8 * u32::from(b' ');
        if header.cksum()? != expected {
            return Err(fault("the checksum of a header is wrong"));
        }
        Ok(Some(header))
    }

    fn name(&mut self, bytes: u64) -> io::Result<Name> {
        // One more is the zero at its end.
        if bytes > PATH_BYTES_MAX as u64 + 1 {
            return Ok(Name::TooLong(bytes));
        }
        let mut name = self.content(bytes)?;
        if name.last() == Some(&0) {
            name.pop();
        }
        Ok(Name::Bytes(name))
    }

    fn content(&mut self, bytes: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        Read::by_ref(&mut self.reader).take(bytes).read_to_end(&mut content)?;
        self.at += content.len() as u64;
        if content.len() as u64 == bytes { Ok(content) } else { Err(fault("it ends within a header")) }
    }

    fn seek(&mut self, to: u64) -> io::Result<()> {
        match i64::try_from(i128::from(to) - i128::from(self.at)) {
            Ok(by) => self.reader.seek_relative(by)?,
            Err(_) => drop(self.reader.seek(SeekFrom::Start(to))?),
        }
        self.at = to;
        Ok(())
    }
}

fn once(into: &mut Option<Name>, name: Name, twice: &str) -> io::Result<()> {
    if into.is_some() {
        return Err(fault(twice));
    }
    *into = Some(name);
    Ok(())
}

/// Where the block after some content begins.
fn after(offset: u64, bytes: u64) -> io::Result<u64> {
    let end = offset.checked_add(bytes).and_then(|end| end.checked_next_multiple_of(BLOCK));
    end.ok_or_else(|| fault("a file in it is larger than any archive"))
}

fn fault(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Project;

    fn block(name: &[u8], kind: u8, bytes: u64) -> Vec<u8> {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(EntryType::new(kind));
        header.set_size(bytes);
        header.set_cksum();
        header.as_bytes().to_vec()
    }

    fn long_name(name: &[u8]) -> Vec<u8> {
        let mut bytes = block(b"././@LongLink", b'L', name.len() as u64);
        bytes.extend_from_slice(name);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn refused(archive: Vec<u8>) -> String {
        Project::tar(archive).expect_err("refused").to_string()
    }

    /// Goes on for ever after what is at its beginning: where it is, and how much was read.
    struct Endless(Vec<u8>, u64, usize);

    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let known = self.0.get(usize::try_from(self.1).unwrap_or(usize::MAX)..).unwrap_or_default();
            let n = if known.is_empty() { into.len() } else { known.len().min(into.len()) };
            into[..n].fill(b'a');
            into[..n.min(known.len())].copy_from_slice(&known[..n.min(known.len())]);
            self.1 += n as u64;
            self.2 += n;
            assert!(self.2 < 1 << 20, "what is not needed is read");
            Ok(n)
        }
    }

    impl Seek for Endless {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            match to {
                SeekFrom::Current(by) => self.1 = self.1.saturating_add_signed(by),
                SeekFrom::Start(at) => self.1 = at,
                SeekFrom::End(_) => unreachable!("it has none"),
            }
            Ok(self.1)
        }
    }

    #[test]
    fn what_headers_claim_is_not_believed() {
        for kind in [b'L', b'K', b'x'] {
            let mut headers = Headers::new(Endless(block(b"long", kind, 1 << 30), 0, 0));
            assert!(headers.next().is_err(), "after it is no header");
        }
        assert_eq!(
            refused([block(b"x", b'L', 4098), vec![b'a'; 4608], block(b"x", b'0', 0)].concat()),
            "a file name of 4098 bytes is too long"
        );
        let extensions = [block(b"x", b'x', 2 << 20), vec![b'a'; 2 << 20], block(b"x", b'0', 0)].concat();
        assert!(refused(extensions).contains("a header of 2097152 bytes is too long"));
    }

    #[test]
    fn paths_are_bounded_together() {
        let deep = ["n"; 60].map(|name| name.repeat(62)).join("/");
        let mut archive = block(b"main.py", b'0', 0);
        for n in 0..200 {
            archive.extend(long_name(format!("{n}/{deep}/x").as_bytes()));
            archive.extend(block(b"x", b'0', 0));
        }
        assert!(refused(archive).contains("paths of more than 16777216 bytes"));
        let many: Vec<_> = (0..100_001).flat_map(|n| block(format!("{n}").as_bytes(), b'0', 0)).collect();
        assert!(refused(many).contains("more than 100000 files"));
    }

    #[test]
    fn long_names_and_extensions_are_read_as_other_programs_do() {
        let path = format!("{}/main.py", "d".repeat(200));
        let pax = |text: &str| {
            let mut bytes = block(b"p", b'x', text.len() as u64);
            bytes.extend_from_slice(text.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(512), 0);
            bytes
        };
        let content = [b"print(1)".to_vec(), vec![0; 504]].concat();
        for before in
            [long_name(format!("{path}\0").as_bytes()), pax(&format!("{} path={path}\n10 size=8\n", path.len() + 10))]
        {
            let global = block(b"g", b'g', 0);
            let archive = [before, global, block(b"short", b'0', 8), content.clone(), block(b"b.py", b'0', 0)].concat();
            let project = Project::tar(archive).expect("read");
            assert_eq!(project.paths().collect::<Vec<_>>(), ["b.py", &path]);
            assert_eq!(project.read(&path).expect("there"), "print(1)");
        }
        assert!(refused([long_name(b"a"), long_name(b"b"), block(b"x", b'0', 0)].concat()).contains("two long names"));
        assert!(refused(long_name(b"a")).contains("it ends where a file should follow"));
    }
}

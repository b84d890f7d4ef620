//! What programs of the WASI specification expect, checked call by call as a guest makes them.
//!
//! wasmtime has such programs (`p1_*` in its test programs), and each test here is named after one of them; what differs on
//! purpose is in `differs_on_purpose`. The calls are those of the ABI: numbers, and places in memory.

use crate::executor::wasm::preview1::{
    types::{Errno, Fdflags, Filetype, Fstflags, Oflags, Rights},
    wasi_snapshot_preview1 as calls,
};
use crate::{
    Limits, Project,
    executor::wasm::{clock::Clock, host::Host, library::Library},
};
use futures_util::FutureExt;
use std::fmt::Debug;
use wiggle::GuestMemory;

/// Descriptors that a guest has from the start.
const WORK: i32 = 3;
const TMP: i32 = 4;
/// Places in its memory: two paths, a vector, what that is of, and results.
const PATH: i32 = 0;
const OTHER_PATH: i32 = 5000;
const VECTOR: i32 = 10_000;
const RESULT: i32 = 10_104;
const CONTENT: i32 = 11_000;
const MEMORY_BYTES: usize = 1 << 20;

const FOLLOW: i32 = 1;
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;
const SET: i32 = 0;
const CUR: i32 = 1;
const END: i32 = 2;

struct Guest {
    host: Host,
    memory: Vec<u8>,
}

/// Makes a call that returns a future, which never waits here.
macro_rules! call {
    ($guest:expr, $name:ident $(, $argument:expr)*) => {{
        let Guest { host, memory } = &mut *$guest;
        let result = calls::$name(host, &mut GuestMemory::Unshared(memory) $(, $argument)*).now_or_never();
        errno(result.expect("nothing to wait for"))
    }};
}

/// Makes one that returns at once.
macro_rules! call_now {
    ($guest:expr, $name:ident $(, $argument:expr)*) => {{
        let Guest { host, memory } = &mut *$guest;
        errno(calls::$name(host, &mut GuestMemory::Unshared(memory) $(, $argument)*))
    }};
}

/// The number that a call returned as what it means.
fn errno(result: wasmtime::Result<i32>) -> Result<(), Errno> {
    match result.expect("no trap") {
        0 => Ok(()),
        number => Err(u16::try_from(number).ok().and_then(|number| Errno::try_from(number).ok()).expect("an errno")),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    kind: u8,
    links: u32,
    size: u64,
    accessed: u64,
    modified: u64,
    inode: u64,
}

/// A name, its cookie, its inode and its kind.
type Listed = (String, u64, u64, u8);

impl Guest {
    fn new() -> Guest {
        let library = Library::new(wasm_python::STDLIB).expect("the library");
        let project = Project::tar(Vec::new()).unwrap_or_else(|_| Project::script(""));
        let host = Host::new(project, &Limits::default(), library, Clock::start());
        Guest { host, memory: vec![0; MEMORY_BYTES] }
    }

    fn put(&mut self, at: i32, bytes: impl AsRef<[u8]>) -> (i32, i32) {
        let bytes = bytes.as_ref();
        self.memory[at as usize..][..bytes.len()].copy_from_slice(bytes);
        (at, bytes.len() as i32)
    }

    fn number(&self, at: i32) -> u64 {
        u64::from_le_bytes(self.memory[at as usize..][..8].try_into().unwrap())
    }

    fn word(&self, at: i32) -> u32 {
        u32::from_le_bytes(self.memory[at as usize..][..4].try_into().unwrap())
    }

    fn open_as(&mut self, folder: i32, path: &str, how: Oflags, rights: u64, flags: Fdflags) -> Result<i32, Errno> {
        self.open_following(0, folder, path, how, rights, flags)
    }

    fn open_following(
        &mut self,
        follow: i32,
        folder: i32,
        path: &str,
        how: Oflags,
        rights: u64,
        flags: Fdflags,
    ) -> Result<i32, Errno> {
        let (path, length) = self.put(PATH, path);
        let (how, flags) = (i32::from(u16::from(how)), i32::from(u16::from(flags)));
        call!(self, path_open, folder, follow, path, length, how, rights as i64, 0, flags, RESULT)?;
        Ok(self.word(RESULT) as i32)
    }

    fn open(&mut self, path: &str, how: Oflags) -> Result<i32, Errno> {
        self.open_as(WORK, path, how, READ | WRITE, Fdflags::empty())
    }

    fn create(&mut self, path: &str) {
        let fd = self.open(path, Oflags::CREAT | Oflags::EXCL).expect(path);
        self.close(fd).expect(path);
    }

    fn close(&mut self, fd: i32) -> Result<(), Errno> {
        call!(self, fd_close, fd)
    }

    fn vector(&mut self, at: i32, length: usize) {
        let vector = [at.to_le_bytes(), (length as u32).to_le_bytes()].concat();
        self.put(VECTOR, vector);
    }

    fn write(&mut self, fd: i32, bytes: &[u8]) -> Result<u32, Errno> {
        self.put(CONTENT, bytes);
        self.vector(CONTENT, bytes.len());
        call!(self, fd_write, fd, VECTOR, 1, RESULT)?;
        Ok(self.word(RESULT))
    }

    fn read(&mut self, fd: i32, length: usize) -> Result<Vec<u8>, Errno> {
        self.vector(CONTENT, length);
        call!(self, fd_read, fd, VECTOR, 1, RESULT)?;
        Ok(self.memory[CONTENT as usize..][..self.word(RESULT) as usize].to_vec())
    }

    fn pread(&mut self, fd: i32, length: usize, at: i64) -> Result<Vec<u8>, Errno> {
        self.vector(CONTENT, length);
        call!(self, fd_pread, fd, VECTOR, 1, at, RESULT)?;
        Ok(self.memory[CONTENT as usize..][..self.word(RESULT) as usize].to_vec())
    }

    fn pwrite(&mut self, fd: i32, bytes: &[u8], at: i64) -> Result<u32, Errno> {
        self.put(CONTENT, bytes);
        self.vector(CONTENT, bytes.len());
        call!(self, fd_pwrite, fd, VECTOR, 1, at, RESULT)?;
        Ok(self.word(RESULT))
    }

    fn seek(&mut self, fd: i32, offset: i64, whence: i32) -> Result<u64, Errno> {
        call!(self, fd_seek, fd, offset, whence, RESULT)?;
        Ok(self.number(RESULT))
    }

    fn tell(&mut self, fd: i32) -> Result<u64, Errno> {
        call_now!(self, fd_tell, fd, RESULT)?;
        Ok(self.number(RESULT))
    }

    fn stat_at(&self, at: i32) -> Stat {
        Stat {
            inode: self.number(at + 8),
            kind: self.memory[at as usize + 16],
            links: self.number(at + 24) as u32,
            size: self.number(at + 32),
            accessed: self.number(at + 40),
            modified: self.number(at + 48),
        }
    }

    fn fd_stat(&mut self, fd: i32) -> Result<Stat, Errno> {
        call!(self, fd_filestat_get, fd, RESULT)?;
        Ok(self.stat_at(RESULT))
    }

    fn stat(&mut self, path: &str, follow: i32) -> Result<Stat, Errno> {
        let (path, length) = self.put(PATH, path);
        call!(self, path_filestat_get, WORK, follow, path, length, RESULT)?;
        Ok(self.stat_at(RESULT))
    }

    /// Kind, flags and rights of a descriptor.
    fn descriptor(&mut self, fd: i32) -> Result<(u8, Fdflags, u64), Errno> {
        call!(self, fd_fdstat_get, fd, RESULT)?;
        let flags = u16::from_le_bytes(self.memory[RESULT as usize + 2..][..2].try_into().unwrap());
        Ok((self.memory[RESULT as usize], Fdflags::from_bits_truncate(flags), self.number(RESULT + 8)))
    }

    fn mkdir(&mut self, path: &str) -> Result<(), Errno> {
        let (path, length) = self.put(PATH, path);
        call!(self, path_create_directory, WORK, path, length)
    }

    fn rmdir(&mut self, path: &str) -> Result<(), Errno> {
        let (path, length) = self.put(PATH, path);
        call!(self, path_remove_directory, WORK, path, length)
    }

    fn unlink(&mut self, path: &str) -> Result<(), Errno> {
        let (path, length) = self.put(PATH, path);
        call!(self, path_unlink_file, WORK, path, length)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let ((from, length), (to, to_length)) = (self.put(PATH, from), self.put(OTHER_PATH, to));
        call!(self, path_rename, WORK, from, length, WORK, to, to_length)
    }

    fn link(&mut self, follow: i32, from: &str, to: &str) -> Result<(), Errno> {
        let ((from, length), (to, to_length)) = (self.put(PATH, from), self.put(OTHER_PATH, to));
        call!(self, path_link, WORK, follow, from, length, WORK, to, to_length)
    }

    fn symlink(&mut self, target: &str, path: &str) -> Result<(), Errno> {
        let ((path, length), (target, target_length)) = (self.put(PATH, path), self.put(OTHER_PATH, target));
        call!(self, path_symlink, target, target_length, WORK, path, length)
    }

    fn readlink(&mut self, path: &str, room: i32) -> Result<Vec<u8>, Errno> {
        let (path, length) = self.put(PATH, path);
        call!(self, path_readlink, WORK, path, length, CONTENT, room, RESULT)?;
        Ok(self.memory[CONTENT as usize..][..self.word(RESULT) as usize].to_vec())
    }

    /// Lists names in a folder with the cookies after them, as one call gives them.
    fn list(&mut self, fd: i32, cookie: u64, room: i32) -> Result<(Vec<Listed>, u32), Errno> {
        call!(self, fd_readdir, fd, CONTENT, room, cookie as i64, RESULT)?;
        let used = self.word(RESULT);
        let (mut at, mut items) = (CONTENT, Vec::new());
        while at + 24 <= CONTENT + used as i32 {
            let length = self.word(at + 16) as usize;
            if at + 24 + length as i32 > CONTENT + used as i32 {
                break;
            }
            let name = String::from_utf8_lossy(&self.memory[at as usize + 24..][..length]).into_owned();
            items.push((name, self.number(at), self.number(at + 8), self.memory[at as usize + 20]));
            at += 24 + length as i32;
        }
        Ok((items, used))
    }
}

/// What a call failed with.
fn refused<T: Debug>(result: Result<T, Errno>) -> Errno {
    result.expect_err("refused")
}

#[test]
fn big_random_buf() {
    let mut guest = Guest::new();
    call_now!(&mut guest, random_get, CONTENT, 1024).unwrap();
    assert!(guest.memory[CONTENT as usize..][..1024].iter().any(|byte| *byte != 0));
}

#[test]
fn clock_time_get() {
    let mut guest = Guest::new();
    for clock in 0..4 {
        let mut time = || {
            call_now!(&mut guest, clock_time_get, clock, 1, RESULT).unwrap();
            guest.number(RESULT)
        };
        let (first, second) = (time(), time());
        assert!(first <= second, "clock {clock}");
    }
    assert!(call_now!(&mut guest, clock_res_get, 1, RESULT).is_ok() && guest.number(RESULT) > 0);
}

#[test]
fn close_preopen() {
    let mut guest = Guest::new();
    let fd = guest.open("d", Oflags::CREAT).unwrap();
    guest.close(TMP).unwrap();
    assert_eq!(refused(guest.fd_stat(TMP)), Errno::Badf);
    call!(&mut guest, fd_renumber, fd, TMP).unwrap();
    guest.fd_stat(TMP).unwrap();
    assert_eq!(refused(guest.close(fd)), Errno::Badf);
}

#[test]
fn dangling_fd() {
    let mut guest = Guest::new();
    for n in 0..3 {
        guest.create("f");
        let fd = guest.open("f", Oflags::empty()).unwrap();
        guest.unlink("f").unwrap();
        assert_eq!(guest.write(fd, b"kept"), Ok(4), "{n}");
        guest.close(fd).unwrap();
        guest.mkdir("d").unwrap();
        let fd = guest.open_as(WORK, "d", Oflags::DIRECTORY, READ, Fdflags::empty()).unwrap();
        guest.rmdir("d").unwrap();
        guest.close(fd).unwrap();
    }
}

#[test]
fn dangling_symlink() {
    let mut guest = Guest::new();
    guest.symlink("target", "link").unwrap();
    let empty = Oflags::empty();
    assert_eq!(refused(guest.open_as(WORK, "link", Oflags::DIRECTORY, 0, Fdflags::empty())), Errno::Notdir);
    assert_eq!(refused(guest.open_as(WORK, "link", empty, 0, Fdflags::empty())), Errno::Loop);
    assert_eq!(refused(guest.open_following(FOLLOW, WORK, "link", empty, READ, Fdflags::empty())), Errno::Noent);
}

#[test]
fn directory_seek() {
    let mut guest = Guest::new();
    guest.mkdir("d").unwrap();
    let fd = guest.open_as(WORK, "d", Oflags::DIRECTORY, READ, Fdflags::empty()).unwrap();
    assert!(matches!(refused(guest.seek(fd, 0, CUR)), Errno::Badf | Errno::Isdir));
    let (kind, _, rights) = guest.descriptor(fd).unwrap();
    assert_eq!(kind, Filetype::Directory as u8);
    assert!(!Rights::from_bits_truncate(rights).contains(Rights::FD_SEEK));
}

#[test]
fn fd_advise() {
    let mut guest = Guest::new();
    let fd = guest.open("f", Oflags::CREAT).unwrap();
    call!(&mut guest, fd_filestat_set_size, fd, 100).unwrap();
    for advice in 0..6 {
        call!(&mut guest, fd_advise, fd, 10, 50, advice).unwrap();
    }
    assert_eq!(guest.fd_stat(fd).unwrap().size, 100);
}

#[test]
fn fd_filestat_set() {
    let mut guest = Guest::new();
    let fd = guest.open("f", Oflags::CREAT).unwrap();
    assert_eq!(guest.fd_stat(fd).unwrap().size, 0);
    call!(&mut guest, fd_filestat_set_size, fd, 100).unwrap();
    let before = guest.fd_stat(fd).unwrap();
    assert_eq!(before.size, 100);
    let which = i32::from(u16::from(Fstflags::MTIM));
    call!(&mut guest, fd_filestat_set_times, fd, 7, before.modified as i64 - 100, which).unwrap();
    let after = guest.fd_stat(fd).unwrap();
    assert_eq!((after.modified, after.accessed), (before.modified - 100, before.accessed));
    let both = i32::from(u16::from(Fstflags::MTIM | Fstflags::MTIM_NOW));
    assert_eq!(refused(call!(&mut guest, fd_filestat_set_times, fd, 0, 0, both)), Errno::Inval);
}

#[test]
fn fd_flags_set() {
    let mut guest = Guest::new();
    let fd = guest.open_as(WORK, "f", Oflags::CREAT, READ | WRITE, Fdflags::APPEND).unwrap();
    assert!(guest.descriptor(fd).unwrap().1.contains(Fdflags::APPEND));
    for byte in [0, 1] {
        guest.seek(fd, 0, SET).unwrap();
        assert_eq!(guest.write(fd, &[byte; 100]), Ok(100));
        assert_eq!(guest.tell(fd), Ok((u64::from(byte) + 1) * 100), "appended at the end");
    }
    call_now!(&mut guest, fd_fdstat_set_flags, fd, 0).unwrap();
    assert!(!guest.descriptor(fd).unwrap().1.contains(Fdflags::APPEND));
    guest.seek(fd, 0, SET).unwrap();
    assert_eq!(guest.write(fd, &[2; 100]), Ok(100));
    assert_eq!(guest.pread(fd, 300, 0).unwrap(), [[2; 100], [1; 100]].concat());
    call_now!(&mut guest, fd_fdstat_set_flags, fd, i32::from(u16::from(Fdflags::APPEND))).unwrap();
    guest.seek(fd, 0, SET).unwrap();
    assert_eq!(guest.write(fd, &[3; 100]), Ok(100));
    assert_eq!(guest.stat("f", 0).unwrap().size, 300);
}

#[test]
fn fd_readdir() {
    let mut guest = Guest::new();
    guest.mkdir("d").unwrap();
    guest.create("d/file");
    guest.mkdir("d/nested").unwrap();
    let fd = guest.open_as(WORK, "d", Oflags::DIRECTORY, READ, Fdflags::empty()).unwrap();
    let (items, used) = guest.list(fd, 0, 4000).unwrap();
    assert!(used < 4000, "the end is told by room that is left");
    let mut names: Vec<_> = items.iter().map(|(name, ..)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, [".", "..", "file", "nested"]);
    for (name, _, inode, kind) in &items {
        let stat = guest.stat(&format!("d/{name}"), 0).unwrap();
        assert_eq!((stat.inode, stat.kind), (*inode, *kind), "{name}");
    }
    // From each item's cookie on come those after it.
    for (n, (_, next, ..)) in items.iter().enumerate() {
        assert_eq!(guest.list(fd, *next, 4000).unwrap().0, items[n + 1..]);
    }
    // In a buffer that is full there is more.
    for n in 0..500 {
        guest.create(&format!("d/{n:0100}"));
    }
    let (mut found, mut cookie) = (0, 0);
    loop {
        let (items, used) = guest.list(fd, cookie, 1000).unwrap();
        found += items.len();
        cookie = items.last().map_or(cookie, |(_, next, ..)| *next);
        if used < 1000 {
            break;
        }
    }
    assert_eq!(found, 504);
}

#[test]
fn file_allocate() {
    let mut guest = Guest::new();
    let fd = guest.open("f", Oflags::CREAT).unwrap();
    call_now!(&mut guest, fd_allocate, fd, 0, 100).unwrap();
    assert_eq!(guest.fd_stat(fd).unwrap().size, 100);
    call_now!(&mut guest, fd_allocate, fd, 10, 10).unwrap();
    assert_eq!(guest.fd_stat(fd).unwrap().size, 100, "nothing is cut");
    call_now!(&mut guest, fd_allocate, fd, 90, 20).unwrap();
    assert_eq!(guest.fd_stat(fd).unwrap().size, 110);
    let read_only = guest.open_as(WORK, "f", Oflags::empty(), READ, Fdflags::empty()).unwrap();
    for length in [10, 1000] {
        assert_eq!(refused(call_now!(&mut guest, fd_allocate, read_only, 0, length)), Errno::Badf, "{length}");
    }
}

#[test]
fn file_pread_pwrite() {
    let mut guest = Guest::new();
    let fd = guest.open("f", Oflags::CREAT).unwrap();
    assert_eq!(guest.pwrite(fd, &[0, 1, 2, 3], 0), Ok(4));
    assert_eq!(guest.pread(fd, 4, 0).unwrap(), [0, 1, 2, 3]);
    assert_eq!(guest.pread(fd, 10, 2).unwrap(), [2, 3]);
    assert_eq!(guest.pread(fd, 10, 4).unwrap(), b"");
    assert_eq!(guest.tell(fd), Ok(0), "the position stays");
    // Two vectors: the second takes what the first has no room for.
    let second = [(CONTENT + 100).to_le_bytes(), 3_u32.to_le_bytes()].concat();
    guest.vector(CONTENT, 2);
    guest.put(VECTOR + 8, second);
    call!(&mut guest, fd_pread, fd, VECTOR, 2, 1, RESULT).unwrap();
    assert_eq!(guest.word(RESULT), 3);
    assert_eq!(guest.memory[CONTENT as usize..][..2], [1, 2]);
    assert_eq!(guest.memory[CONTENT as usize + 100], 3);
    assert_eq!(guest.pwrite(fd, &[9], 2), Ok(1));
    assert_eq!(guest.pread(fd, 4, 0).unwrap(), [0, 1, 9, 3]);
    call!(&mut guest, fd_pread, fd, VECTOR, 0, 0, RESULT).unwrap();
    assert_eq!(guest.word(RESULT), 0);
    assert_eq!(refused(guest.pread(fd, 4, -1)), Errno::Inval);
    assert_eq!(refused(guest.pwrite(fd, &[1], -1)), Errno::Inval);
}

#[test]
fn file_seek_tell() {
    let mut guest = Guest::new();
    let fd = guest.open("f", Oflags::CREAT).unwrap();
    assert_eq!(guest.tell(fd), Ok(0));
    assert_eq!(guest.write(fd, &[0; 100]), Ok(100));
    assert_eq!(guest.tell(fd), Ok(100));
    assert_eq!(guest.seek(fd, -50, CUR), Ok(50));
    assert_eq!(guest.seek(fd, 0, SET), Ok(0));
    assert_eq!(guest.seek(fd, 0, CUR), Ok(0));
    assert_eq!(guest.seek(fd, 1000, CUR), Ok(1000), "beyond the end");
    assert_eq!(guest.seek(fd, -1, END), Ok(99));
    for (offset, whence) in [(-2000, CUR), (-2000, SET), (-101, END)] {
        assert_eq!(refused(guest.seek(fd, offset, whence)), Errno::Inval);
    }
    assert_eq!(guest.tell(fd), Ok(99), "what fails moves nothing");
}

#[test]
fn file_truncation() {
    let mut guest = Guest::new();
    for content in [&b"first and long"[..], b"second"] {
        let fd = guest.open("f", Oflags::CREAT | Oflags::TRUNC).unwrap();
        guest.write(fd, content).unwrap();
        guest.close(fd).unwrap();
    }
    let fd = guest.open("f", Oflags::empty()).unwrap();
    assert_eq!(guest.read(fd, 100).unwrap(), b"second");
}

#[test]
fn file_unbuffered_write() {
    let mut guest = Guest::new();
    let reader = guest.open_as(WORK, "f", Oflags::CREAT, READ, Fdflags::empty()).unwrap();
    let writer = guest.open_as(WORK, "f", Oflags::empty(), WRITE, Fdflags::empty()).unwrap();
    assert_eq!(guest.write(writer, &[1]), Ok(1));
    assert_eq!(guest.read(reader, 1).unwrap(), [1]);
}

#[test]
fn interesting_paths() {
    let mut guest = Guest::new();
    guest.mkdir("dir").unwrap();
    guest.mkdir("dir/nested").unwrap();
    guest.create("dir/nested/file");
    let mut open = |path: &str| guest.open_as(WORK, path, Oflags::empty(), 0, Fdflags::empty());
    open("dir/.//nested/../../dir/nested/../nested///./file").unwrap();
    assert_eq!(refused(open("dir/nested/file\0")), Errno::Inval);
    for path in ["dir/nested/file/", "dir/nested/file///"] {
        assert_eq!(refused(open(path)), Errno::Notdir);
    }
    for path in ["dir/nested/", "dir/nested///"] {
        open(path).unwrap();
    }
    assert_eq!(refused(open("")), Errno::Noent);
}

#[test]
fn nofollow_errors() {
    let mut guest = Guest::new();
    let none = Fdflags::empty();
    guest.mkdir("target").unwrap();
    guest.symlink("target", "link").unwrap();
    assert_eq!(refused(guest.open_as(WORK, "link", Oflags::empty(), READ, none)), Errno::Loop);
    assert_eq!(refused(guest.open_as(WORK, "link", Oflags::DIRECTORY, READ, none)), Errno::Notdir);
    guest.open_following(FOLLOW, WORK, "link", Oflags::DIRECTORY, READ, none).unwrap();
    guest.open_following(FOLLOW, WORK, "link", Oflags::empty(), READ, none).unwrap();
    assert_eq!(refused(guest.rmdir("link")), Errno::Notdir);
    guest.rmdir("target").unwrap();
    guest.create("target");
    assert_eq!(refused(guest.open_as(WORK, "link", Oflags::empty(), READ, none)), Errno::Loop);
    assert_eq!(refused(guest.open_following(FOLLOW, WORK, "link", Oflags::DIRECTORY, READ, none)), Errno::Notdir);
    guest.unlink("link").unwrap();
    guest.unlink("target").unwrap();
}

#[test]
fn overwrite_preopen() {
    let mut guest = Guest::new();
    let before = guest.fd_stat(WORK).unwrap();
    call!(&mut guest, fd_renumber, WORK, WORK).unwrap();
    assert_eq!(guest.fd_stat(WORK).unwrap(), before);
    let fd = guest.open_as(WORK, ".", Oflags::DIRECTORY, READ, Fdflags::empty()).unwrap();
    call!(&mut guest, fd_renumber, fd, WORK).unwrap();
    let fd = guest.open_as(WORK, ".", Oflags::DIRECTORY, READ, Fdflags::empty()).unwrap();
    assert_eq!(guest.fd_stat(fd).unwrap().inode, before.inode);
}

#[test]
fn path_exists() {
    let mut guest = Guest::new();
    guest.mkdir("d").unwrap();
    guest.create("f");
    guest.symlink("f", "l").unwrap();
    let mut kind = |path: &str, follow| guest.stat(path, follow).map(|stat| stat.kind);
    assert_eq!(kind("d", 0), Ok(Filetype::Directory as u8));
    assert_eq!(kind("f", FOLLOW), Ok(Filetype::RegularFile as u8));
    assert_eq!(kind("l", 0), Ok(Filetype::SymbolicLink as u8));
    assert_eq!(kind("l", FOLLOW), Ok(Filetype::RegularFile as u8));
    assert_eq!(kind("missing", FOLLOW), Err(Errno::Noent));
}

#[test]
fn path_filestat() {
    let mut guest = Guest::new();
    let fd = guest.open_as(WORK, "f", Oflags::CREAT, READ | WRITE, Fdflags::APPEND).unwrap();
    assert_eq!(guest.stat("f", 0).unwrap().size, 0);
    guest.write(fd, &[1; 7]).unwrap();
    let before = guest.stat("f", 0).unwrap();
    assert_eq!((before.size, before.links), (7, 1));
    let mut set = |path: &str, follow: i32, modified: u64, which: Fstflags| {
        let (path, length) = guest.put(PATH, path);
        let which = i32::from(u16::from(which));
        call!(&mut guest, path_filestat_set_times, WORK, follow, path, length, 5, modified as i64, which)
    };
    set("f", 0, before.modified - 100, Fstflags::MTIM).unwrap();
    assert_eq!(refused(set("f", 0, 0, Fstflags::MTIM | Fstflags::MTIM_NOW)), Errno::Inval);
    assert_eq!(refused(set("f", 0, 0, Fstflags::ATIM | Fstflags::ATIM_NOW)), Errno::Inval);
    let after = guest.stat("f", 0).unwrap();
    assert_eq!((after.modified, after.accessed), (before.modified - 100, before.accessed));
    // Of a link itself, or of what it leads to.
    guest.symlink("f", "l").unwrap();
    let mut set = |follow: i32, modified: i64| {
        let (path, length) = guest.put(PATH, "l");
        let which = i32::from(u16::from(Fstflags::MTIM));
        call!(&mut guest, path_filestat_set_times, WORK, follow, path, length, 0, modified, which).unwrap();
    };
    set(0, 1000);
    set(FOLLOW, 2000);
    assert_eq!((guest.stat("l", 0).unwrap().modified, guest.stat("f", 0).unwrap().modified), (1000, 2000));
}

#[test]
fn path_link() {
    let mut guest = Guest::new();
    guest.create("file");
    guest.link(0, "file", "link").unwrap();
    let (one, other) = (guest.stat("file", 0).unwrap(), guest.stat("link", 0).unwrap());
    assert_eq!((one, one.links), (other, 2));
    guest.unlink("link").unwrap();
    guest.mkdir("sub").unwrap();
    guest.link(0, "file", "sub/link").unwrap();
    guest.unlink("sub/link").unwrap();
    assert_eq!(refused(guest.link(0, "file", "file")), Errno::Exist);
    assert_eq!(refused(guest.link(0, "file", "sub")), Errno::Exist);
    assert_eq!(refused(guest.link(0, "sub", "other")), Errno::Perm);
    assert_eq!(refused(guest.link(0, "file", "link/")), Errno::Noent);
    assert_eq!(refused(guest.link(0, "missing", "link")), Errno::Noent);
    // A link is linked itself, or what it leads to.
    guest.symlink("file", "symlink").unwrap();
    guest.link(0, "symlink", "hard").unwrap();
    assert_eq!(guest.stat("hard", 0).unwrap().kind, Filetype::SymbolicLink as u8);
    guest.unlink("hard").unwrap();
    guest.link(FOLLOW, "symlink", "hard").unwrap();
    assert_eq!(guest.stat("hard", 0).unwrap().inode, guest.stat("file", 0).unwrap().inode);
    guest.symlink("nowhere", "dangling").unwrap();
    guest.link(0, "dangling", "dangling-too").unwrap();
    assert_eq!(refused(guest.link(FOLLOW, "dangling", "other")), Errno::Noent);
    assert_eq!(refused(guest.link(0, "file", "dangling")), Errno::Exist);
    guest.symlink("round", "round").unwrap();
    guest.link(0, "round", "round-too").unwrap();
    assert_eq!(refused(guest.link(FOLLOW, "round", "other")), Errno::Loop);
}

#[test]
fn path_open_create_existing() {
    let mut guest = Guest::new();
    guest.create("file");
    assert_eq!(refused(guest.open("file", Oflags::CREAT | Oflags::EXCL)), Errno::Exist);
    guest.open("file", Oflags::CREAT).unwrap();
}

#[test]
fn path_open_dirfd_not_dir() {
    let mut guest = Guest::new();
    let fd = guest.open("file", Oflags::CREAT).unwrap();
    assert_eq!(refused(guest.open_as(fd, "foo", Oflags::CREAT, READ, Fdflags::empty())), Errno::Notdir);
    assert_eq!(refused(guest.open_as(900, "foo", Oflags::CREAT, READ, Fdflags::empty())), Errno::Badf);
}

#[test]
fn path_open_lots() {
    let mut guest = Guest::new();
    for _ in 0..2000 {
        let fd = guest.open("file", Oflags::CREAT).unwrap();
        guest.close(fd).unwrap();
    }
    let opened = std::iter::from_fn(|| guest.open("file", Oflags::empty()).ok()).count();
    assert!((1000..1024).contains(&opened), "{opened} at once");
    assert_eq!(refused(guest.open("file", Oflags::empty())), Errno::Mfile);
}

#[test]
fn path_open_missing() {
    let mut guest = Guest::new();
    assert_eq!(refused(guest.open("file", Oflags::empty())), Errno::Noent);
}

#[test]
fn path_open_nonblock() {
    let mut guest = Guest::new();
    guest.open_as(WORK, "file", Oflags::CREAT, READ, Fdflags::NONBLOCK).unwrap();
    guest.open_as(WORK, ".", Oflags::empty(), READ, Fdflags::NONBLOCK).unwrap();
}

#[test]
fn path_open_preopen() {
    let mut guest = Guest::new();
    for (path, how) in [(".", Oflags::DIRECTORY), (".", Oflags::empty()), ("./", Oflags::DIRECTORY)] {
        let fd = guest.open_as(WORK, path, how, READ, Fdflags::empty()).unwrap();
        assert_eq!(guest.descriptor(fd).unwrap().0, Filetype::Directory as u8);
    }
    call_now!(&mut guest, fd_prestat_get, WORK, RESULT).unwrap();
    let length = guest.word(RESULT + 4) as i32;
    call_now!(&mut guest, fd_prestat_dir_name, WORK, CONTENT, length).unwrap();
    assert_eq!(guest.memory[CONTENT as usize..][..length as usize], *b"/work");
    assert_eq!(refused(call_now!(&mut guest, fd_prestat_dir_name, WORK, CONTENT, length - 1)), Errno::Nametoolong);
    assert_eq!(refused(call_now!(&mut guest, fd_prestat_get, 900, RESULT)), Errno::Badf);
}

#[test]
fn path_open_read_write() {
    let mut guest = Guest::new();
    guest.create("file");
    let mut open = |rights| guest.open_as(WORK, "file", Oflags::empty(), rights, Fdflags::empty()).unwrap();
    let (reader, writer, both, neither) = (open(READ), open(WRITE), open(READ | WRITE), open(0));
    let readdir = 1 << 14;
    for (fd, reads, writes) in
        [(reader, true, false), (writer, false, true), (both, true, true), (neither, false, false)]
    {
        let rights = guest.descriptor(fd).unwrap().2;
        assert_eq!((rights & READ != 0, rights & WRITE != 0), (reads, writes));
        assert_eq!(rights & readdir, 0, "of a file");
        guest.seek(fd, 0, SET).unwrap();
        assert_eq!(guest.read(fd, 10).err(), (!reads).then_some(Errno::Badf));
        assert_eq!(guest.write(fd, b"content").err(), (!writes).then_some(Errno::Badf));
    }
}

#[test]
fn path_rename() {
    let mut guest = Guest::new();
    guest.mkdir("source").unwrap();
    guest.rename("source", "target").unwrap();
    assert_eq!(refused(guest.open_as(WORK, "source", Oflags::DIRECTORY, READ, Fdflags::empty())), Errno::Noent);
    guest.open_as(WORK, "target", Oflags::DIRECTORY, READ, Fdflags::empty()).unwrap();
    // Onto an empty folder, one with something in it, and a file.
    guest.mkdir("source").unwrap();
    guest.rename("source", "target").unwrap();
    guest.mkdir("source").unwrap();
    guest.create("target/file");
    assert_eq!(refused(guest.rename("source", "target")), Errno::Notempty);
    assert_eq!(refused(guest.rename("source", "target/file")), Errno::Notdir);
    // Files.
    guest.create("file");
    guest.rename("file", "other").unwrap();
    assert_eq!(refused(guest.stat("file", 0)), Errno::Noent);
    guest.create("file");
    guest.rename("file", "other").unwrap();
    assert_eq!(refused(guest.rename("other", "source")), Errno::Isdir);
    assert_eq!(refused(guest.rename("source", "source/below")), Errno::Inval);
    guest.rename("other", "other").unwrap();
}

#[test]
fn path_rename_trailing_slashes() {
    let mut guest = Guest::new();
    guest.mkdir("dir").unwrap();
    for (from, to) in [("dir/", "one"), ("one", "two/"), ("two/", "three//")] {
        guest.rename(from, to).unwrap();
    }
    guest.create("file");
    for (from, to) in [("file", "new/"), ("file/", "new"), ("file/", "new/")] {
        assert_eq!(refused(guest.rename(from, to)), Errno::Notdir, "{from} {to}");
    }
    guest.stat("file", 0).unwrap();
    for (from, to) in [(".", "new"), ("three/.", "new"), ("three", "."), ("three", "three/..")] {
        assert_eq!(refused(guest.rename(from, to)), Errno::Busy, "{from} {to}");
    }
}

#[test]
fn path_symlink_trailing_slashes() {
    let mut guest = Guest::new();
    assert_eq!(refused(guest.symlink("source", "target/")), Errno::Noent);
    guest.symlink("source/", "target").unwrap();
    guest.unlink("target").unwrap();
    guest.mkdir("target").unwrap();
    assert_eq!(refused(guest.symlink("source", "target/")), Errno::Exist);
    assert_eq!(refused(guest.symlink("source", "target")), Errno::Exist);
    guest.rmdir("target").unwrap();
    guest.create("target");
    for path in ["target/", "target"] {
        assert!(matches!(refused(guest.symlink("source", path)), Errno::Exist | Errno::Notdir));
    }
}

#[test]
fn readlink() {
    let mut guest = Guest::new();
    guest.create("target");
    guest.symlink("target", "link").unwrap();
    assert_eq!(guest.readlink("link", 100).unwrap(), b"target");
    assert_eq!(guest.readlink("link", 3).unwrap(), b"tar");
    assert_eq!(guest.readlink("link", 0).unwrap(), b"");
    assert_eq!(refused(guest.readlink("target", 100)), Errno::Inval);
}

#[test]
fn remove_directory() {
    let mut guest = Guest::new();
    for path in ["dir", "dir/", "dir///"] {
        guest.mkdir("dir").unwrap();
        guest.rmdir(path).unwrap();
    }
    guest.create("file");
    for path in ["file", "file/"] {
        assert_eq!(refused(guest.rmdir(path)), Errno::Notdir);
    }
    guest.mkdir("dir").unwrap();
    guest.mkdir("dir/nested").unwrap();
    assert_eq!(refused(guest.rmdir("dir")), Errno::Notempty);
    assert_eq!(refused(guest.rmdir("dir/.")), Errno::Inval);
    assert_eq!(refused(guest.rmdir("dir/nested/..")), Errno::Notempty);
}

#[test]
fn renumber() {
    let mut guest = Guest::new();
    let (from, to) = (guest.open("one", Oflags::CREAT).unwrap(), guest.open("two", Oflags::CREAT).unwrap());
    let (one, before) = (guest.fd_stat(from).unwrap(), guest.descriptor(from).unwrap());
    call!(&mut guest, fd_renumber, from, to).unwrap();
    assert_eq!(refused(guest.close(from)), Errno::Badf);
    assert_eq!((guest.fd_stat(to).unwrap(), guest.descriptor(to).unwrap()), (one, before));
    assert_eq!(refused(call!(&mut guest, fd_renumber, 900, to)), Errno::Badf);
}

#[test]
fn stdio() {
    let mut guest = Guest::new();
    for fd in 0..3 {
        let (kind, ..) = guest.descriptor(fd).unwrap();
        assert_ne!(kind, Filetype::CharacterDevice as u8, "no terminal");
        guest.fd_stat(fd).unwrap();
    }
    assert_eq!(guest.read(0, 10).unwrap(), b"");
    assert_eq!((guest.write(1, b"out"), guest.write(2, b"err")), (Ok(3), Ok(3)));
    assert_eq!(refused(guest.write(0, b"in")), Errno::Badf);
    assert_eq!(refused(guest.read(1, 10)), Errno::Badf);
    assert_eq!(refused(guest.seek(1, 0, SET)), Errno::Spipe);
}

#[test]
fn symlink_create() {
    let mut guest = Guest::new();
    guest.create("file");
    guest.mkdir("dir").unwrap();
    guest.symlink("file", "to-file").unwrap();
    guest.symlink("dir", "to-dir").unwrap();
    guest.open_following(FOLLOW, WORK, "to-file", Oflags::empty(), READ, Fdflags::empty()).unwrap();
    guest.open_following(FOLLOW, WORK, "to-dir", Oflags::DIRECTORY, READ, Fdflags::empty()).unwrap();
    guest.create("to-dir/below");
    guest.stat("dir/below", 0).unwrap();
}

#[test]
fn symlink_filestat() {
    let mut guest = Guest::new();
    let fd = guest.open("file", Oflags::CREAT).unwrap();
    guest.write(fd, &[1; 20]).unwrap();
    guest.symlink("file", "link").unwrap();
    let (link, file) = (guest.stat("link", 0).unwrap(), guest.stat("link", FOLLOW).unwrap());
    assert_eq!((link.size, file.size), (4, 20));
    assert_ne!(link.inode, file.inode);
    assert_eq!(file, guest.fd_stat(fd).unwrap());
}

#[test]
fn symlink_loop() {
    let mut guest = Guest::new();
    guest.symlink("round", "round").unwrap();
    assert_eq!(refused(guest.open_as(WORK, "round", Oflags::empty(), READ, Fdflags::empty())), Errno::Loop);
    let following = guest.open_following(FOLLOW, WORK, "round", Oflags::empty(), READ, Fdflags::empty());
    assert_eq!(refused(following), Errno::Loop);
}

#[test]
fn unlink_file_trailing_slashes() {
    let mut guest = Guest::new();
    guest.mkdir("dir").unwrap();
    for path in ["dir", "dir/"] {
        assert_eq!(refused(guest.unlink(path)), Errno::Isdir);
    }
    guest.create("file");
    for path in ["file/", "file///"] {
        assert_eq!(refused(guest.unlink(path)), Errno::Notdir);
    }
    guest.unlink("file").unwrap();
}

#[test]
fn hostcall_fuel() {
    let mut guest = Guest::new();
    // One call moves no more than its bound, however much it is given.
    let fd = guest.open("file", Oflags::CREAT).unwrap();
    let part = [0_i32.to_le_bytes(), (MEMORY_BYTES as u32).to_le_bytes()].concat();
    let vectors = part.repeat(1024);
    guest.put(CONTENT, vectors);
    call!(&mut guest, fd_write, fd, CONTENT, 1024, RESULT).unwrap();
    assert!(guest.word(RESULT) as usize <= MEMORY_BYTES);
    assert_eq!(refused(call!(&mut guest, fd_write, fd, CONTENT, 1025, RESULT)), Errno::Inval);
    assert_eq!(refused(call!(&mut guest, poll_oneoff, CONTENT, CONTENT, 1 << 20, RESULT)), Errno::Inval);
    assert_eq!(refused(call_now!(&mut guest, random_get, 0, i32::MAX)), Errno::Inval);
}

#[test]
fn differs_on_purpose() {
    let mut guest = Guest::new();
    // One tree, as on Linux: absolute paths and `..` lead from every folder to all of it, where upstream has EPERM.
    guest.create("file");
    guest.open_as(TMP, "/work/file", Oflags::empty(), READ, Fdflags::empty()).unwrap();
    guest.open_as(TMP, "../work/file", Oflags::empty(), READ, Fdflags::empty()).unwrap();
    guest.symlink("/work/file", "absolute").unwrap();
    assert_eq!(
        refused(guest.open_as(WORK, "../../../etc/passwd", Oflags::empty(), READ, Fdflags::empty())),
        Errno::Noent
    );
    // Any free number can be the target of a renumbering, where upstream wants an open one.
    let fd = guest.open("file", Oflags::empty()).unwrap();
    call!(&mut guest, fd_renumber, fd, 500).unwrap();
    // Names are bytes.
    let (path, length) = guest.put(PATH, b"\xff");
    call!(&mut guest, path_create_directory, WORK, path, length).unwrap();
    // There are no rights that could be dropped.
    call_now!(&mut guest, fd_fdstat_set_rights, 500, 0, 0).unwrap();
    assert_eq!(guest.read(500, 10).unwrap(), b"");
}

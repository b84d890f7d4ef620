//! System calls that are any bytes.

use super::preview1::wasi_snapshot_preview1 as calls;
use super::{
    clock::Clock,
    host::{CallState, Host},
    library::Library,
};
use crate::{Limits, executor::Event, job::Stdin, project::Project};
use futures_util::FutureExt;
use std::{future::Future, sync::OnceLock};
use wiggle::GuestMemory;

const MEMORY_BYTES: usize = 64 << 10;
/// Where paths are in the guest's memory, each in a slot of its own.
const PATHS: [&str; 24] = [
    "a",
    "b",
    "c",
    "a/b",
    "b/a",
    "a/b/c",
    ".",
    "..",
    "a/..",
    "a/",
    "./b",
    "/work/a",
    "/tmp/a",
    "/tmp/b",
    "../tmp/a",
    "l",
    "l/a",
    "/usr/lib",
    "/dev/null",
    "/proc/self/fd/8",
    "\u{fffd}",
    "x/../../y",
    "/",
    "a/.",
];
const SLOT_BYTES: usize = 32;
/// Where vectors are, and what they are of.
const VECTORS: usize = 4096;
const CONTENT: usize = 16 << 10;
/// Where results go.
const RESULTS: usize = 48 << 10;
/// Calls of one input, so that none takes long.
const CALLS_MAX: usize = 500;
const DISK_BYTES_MAX: u64 = 100_000;
const DISK_FILES_MAX: u64 = 40;

/// Makes system calls with any arguments.
///
/// # Panics
///
/// If the quota is not what there is, or more than it allows is there.
pub fn wasi(bytes: &[u8]) {
    let limits = Limits { disk_bytes: DISK_BYTES_MAX, disk_files: DISK_FILES_MAX, ..Limits::default() };
    let input = Stdin::Bytes(bytes::Bytes::from_static(b"some input\n"));
    let nobody = Box::new(|_: Event<'_>| ());
    let project = Project::script("print()");
    let mut host = Host::new(project, &limits, library(), Clock::start());
    host.call = CallState::new(input, &limits, None, nobody);
    let mut memory = memory();
    let mut choices = Choices(bytes);
    // Sleeping needs a runtime; nothing is waited for.
    let runtime = runtime().enter();
    for n in 0..CALLS_MAX {
        if choices.0.is_empty() {
            break;
        }
        call(&mut host, &mut GuestMemory::Unshared(&mut memory), &mut choices);
        if n % 16 == 0 {
            check(&mut host);
        }
    }
    check(&mut host);
    for fd in 0..host.files.descriptors_max() {
        let _ = host.files.close(fd);
    }
    check(&mut host);
    drop(runtime);
}

fn check(host: &mut Host) {
    let Some(found) = host.files.count().expect("the job's folders can be read") else { return };
    let (bytes_max, bytes_free, files_max, files_free) = host.files.quota.room_left();
    assert_eq!((bytes_max - bytes_free, files_max - files_free), found, "the quota is not what there is");
    assert!(found.0 <= DISK_BYTES_MAX && found.1 <= DISK_FILES_MAX, "{found:?} is more than may be there");
}

fn library() -> Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::new(wasm_python::STDLIB).expect("the library")).clone()
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"))
}

/// A guest's memory with paths and vectors.
fn memory() -> Vec<u8> {
    let mut memory: Vec<u8> = (0..MEMORY_BYTES).map(|at| (at % 251) as u8).collect();
    for (n, path) in PATHS.iter().enumerate() {
        memory[n * SLOT_BYTES..][..path.len()].copy_from_slice(path.as_bytes());
    }
    let lengths = [0, 1, 100, 5000, 0, 20_000, 7, 1000];
    for (n, length) in lengths.into_iter().enumerate() {
        let (at, length): (u32, u32) = ((CONTENT + n * 100) as u32, length);
        memory[VECTORS + n * 8..][..4].copy_from_slice(&at.to_le_bytes());
        memory[VECTORS + n * 8 + 4..][..4].copy_from_slice(&length.to_le_bytes());
    }
    memory
}

/// Bytes that decide what is done; after the last of them, all are 0.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    fn raw(&mut self) -> i64 {
        i64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    fn fd(&mut self) -> i32 {
        match self.byte() {
            byte @ ..200 => i32::from(byte % 20),
            200..240 => 3,
            _ => self.raw() as i32,
        }
    }

    /// A path: where it is and its length.
    fn path(&mut self) -> (i32, i32) {
        let byte = self.byte();
        match PATHS.get(usize::from(byte) % (PATHS.len() + 1)) {
            Some(path) => ((usize::from(byte) % (PATHS.len() + 1) * SLOT_BYTES) as i32, path.len() as i32),
            None => (self.raw() as i32, self.raw() as i32),
        }
    }

    /// Vectors: where they are and how many.
    fn vectors(&mut self) -> (i32, i32) {
        match self.byte() {
            byte @ ..240 => (VECTORS as i32 + 8 * i32::from(byte % 8), i32::from(byte / 32)),
            _ => (self.raw() as i32, self.raw() as i32),
        }
    }

    /// Where a result goes.
    fn result(&mut self) -> i32 {
        match self.byte() {
            byte @ ..240 => RESULTS as i32 + 8 * i32::from(byte),
            _ => self.raw() as i32,
        }
    }

    fn length(&mut self) -> i32 {
        match self.byte() {
            byte @ ..100 => i32::from(byte),
            byte @ 100..240 => i32::from(byte) * 50,
            _ => self.raw() as i32,
        }
    }

    fn offset(&mut self) -> i64 {
        match self.byte() {
            byte @ ..100 => i64::from(byte),
            byte @ 100..230 => i64::from(byte) * 1000,
            _ => self.raw(),
        }
    }

    /// Flags or one of a few values, now and then with more bits than there are.
    fn flags(&mut self, known: u8) -> i32 {
        match self.byte() {
            byte @ ..240 => i32::from(byte & known),
            _ => self.raw() as i32,
        }
    }
}

/// Makes a call, whatever comes of it.
fn call(host: &mut Host, memory: &mut GuestMemory<'_>, from: &mut Choices<'_>) {
    match from.byte() % 36 {
        0..4 => {
            let (fd, follow, (path, length)) = (from.fd(), from.flags(1), from.path());
            let (how, rights, flags) = (from.flags(15), from.byte(), from.flags(31));
            // Reading and writing, or any rights.
            let rights = if rights < 250 { i64::from(rights & 0b100_0010) } else { from.raw() };
            let (inherited, result) = (from.raw(), from.result());
            end(calls::path_open(host, memory, fd, follow, path, length, how, rights, inherited, flags, result));
        }
        4 => end(calls::fd_close(host, memory, from.fd())),
        5 | 6 => {
            let (fd, (vectors, count), result) = (from.fd(), from.vectors(), from.result());
            end(calls::fd_write(host, memory, fd, vectors, count, result));
        }
        7 => {
            let (fd, (vectors, count), at, result) = (from.fd(), from.vectors(), from.offset(), from.result());
            end(calls::fd_pwrite(host, memory, fd, vectors, count, at, result));
        }
        8 => {
            let (fd, (vectors, count), result) = (from.fd(), from.vectors(), from.result());
            end(calls::fd_read(host, memory, fd, vectors, count, result));
        }
        9 => {
            let (fd, (vectors, count), at, result) = (from.fd(), from.vectors(), from.offset(), from.result());
            end(calls::fd_pread(host, memory, fd, vectors, count, at, result));
        }
        10 => {
            let (fd, offset, whence, result) = (from.fd(), from.offset(), from.flags(3), from.result());
            end(calls::fd_seek(host, memory, fd, offset, whence, result));
        }
        11 => {
            let (fd, size) = (from.fd(), from.offset());
            end(calls::fd_filestat_set_size(host, memory, fd, size));
        }
        12 => {
            let (fd, at, length) = (from.fd(), from.offset(), from.offset());
            let _ = calls::fd_allocate(host, memory, fd, at, length);
        }
        13 | 14 => {
            let (fd, (path, length)) = (from.fd(), from.path());
            end(calls::path_create_directory(host, memory, fd, path, length));
        }
        15 => {
            let (fd, (path, length)) = (from.fd(), from.path());
            end(calls::path_remove_directory(host, memory, fd, path, length));
        }
        16 => {
            let (fd, (path, length)) = (from.fd(), from.path());
            end(calls::path_unlink_file(host, memory, fd, path, length));
        }
        17 | 18 => {
            let (fd, (path, length), to, (new, new_length)) = (from.fd(), from.path(), from.fd(), from.path());
            end(calls::path_rename(host, memory, fd, path, length, to, new, new_length));
        }
        19 => {
            let (fd, follow, (path, length)) = (from.fd(), from.flags(1), from.path());
            let (to, (new, new_length)) = (from.fd(), from.path());
            end(calls::path_link(host, memory, fd, follow, path, length, to, new, new_length));
        }
        20 => {
            let ((target, target_length), fd, (path, length)) = (from.path(), from.fd(), from.path());
            end(calls::path_symlink(host, memory, target, target_length, fd, path, length));
        }
        21 => {
            let (fd, (path, length)) = (from.fd(), from.path());
            let (buffer, buffer_length, result) = (from.result(), from.length(), from.result());
            end(calls::path_readlink(host, memory, fd, path, length, buffer, buffer_length, result));
        }
        22 => {
            let (fd, follow, (path, length), result) = (from.fd(), from.flags(1), from.path(), from.result());
            end(calls::path_filestat_get(host, memory, fd, follow, path, length, result));
        }
        23 => {
            let (fd, follow, (path, length)) = (from.fd(), from.flags(1), from.path());
            let (accessed, modified, which) = (from.raw(), from.raw(), from.flags(15));
            end(calls::path_filestat_set_times(host, memory, fd, follow, path, length, accessed, modified, which));
        }
        24 => {
            let (fd, accessed, modified, which) = (from.fd(), from.raw(), from.raw(), from.flags(15));
            end(calls::fd_filestat_set_times(host, memory, fd, accessed, modified, which));
        }
        25 => {
            let (fd, buffer, length) = (from.fd(), from.result(), from.length());
            let (cookie, result) = (from.offset(), from.result());
            end(calls::fd_readdir(host, memory, fd, buffer, length, cookie, result));
        }
        26 => {
            let (fd, to) = (from.fd(), from.fd());
            end(calls::fd_renumber(host, memory, fd, to));
        }
        27 => end(calls::fd_filestat_get(host, memory, from.fd(), from.result())),
        28 => end(calls::fd_fdstat_get(host, memory, from.fd(), from.result())),
        29 => drop(calls::fd_fdstat_set_flags(host, memory, from.fd(), from.flags(31))),
        30 => {
            let (subscriptions, events, count, result) = (from.result(), from.result(), from.length(), from.result());
            end(calls::poll_oneoff(host, memory, subscriptions, events, count, result));
        }
        31 => {
            let (fd, into, length) = (from.fd(), from.result(), from.length());
            let _ = calls::fd_prestat_dir_name(host, memory, fd, into, length);
            let _ = calls::fd_prestat_get(host, memory, fd, into);
        }
        32 => drop(calls::random_get(host, memory, from.result(), from.length())),
        33 => drop(calls::fd_tell(host, memory, from.fd(), from.result())),
        // What is not of WASI.
        34 => {
            let (fd, to) = (from.fd(), from.fd());
            let _ = match to {
                ..10 => host.files.duplicate(fd as u32).map(drop),
                10..12 => host.files.pipe().map(drop),
                _ => host.files.duplicate_to(fd as u32, to as u32),
            };
        }
        // Bytes of the guest's memory, for vectors, paths and subscriptions of any kind.
        _ => {
            let at = from.result() as usize % MEMORY_BYTES;
            let bytes: [u8; 8] = from.raw().to_le_bytes();
            if let GuestMemory::Unshared(memory) = memory
                && let Some(into) = memory.get_mut(at..at + bytes.len())
            {
                into.copy_from_slice(&bytes);
            }
        }
    }
}

/// Drives a call as far as it comes without waiting: a trap is as good as an errno.
fn end<T>(call: impl Future<Output = T>) {
    drop(call.now_or_never());
}

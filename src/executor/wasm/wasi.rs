//! WASI preview 1 for a job: its system calls, over [`Files`](super::files::Files), its streams and its clock.
//!
//! wasmtime-wasi gives the ABI (types, memory access, linking); what the calls do is ours. Its own implementation has no
//! quota, copies files through 4 KiB stream writes on other threads, lists a folder again for every 4 KiB of names, and
//! refuses exit codes above 125. It is one file, as it is one trait.

use super::{
    files::{Descriptor, FIRST_PREOPENED, Open, PREOPENED, RECORD_HEAD_BYTES, Result as FileResult, Stat, Times},
    host::{ExitStatus, Host, interrupted},
    stdio::Stream,
};
use std::{
    io::SeekFrom,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant, SystemTime},
};
use wasmtime_wasi::p1::{
    types::{self, Errno, Error},
    wasi_snapshot_preview1::WasiSnapshotPreview1,
};
use wiggle::{GuestMemory, GuestPtr};

type Result<T> = std::result::Result<T, Error>;

/// As PATH_MAX on Linux, where the zero byte at the end counts.
const PATH_BYTES_MAX: u32 = 4095;
/// Bytes that one call moves: the job yields between calls. More is for the guest's libc to ask for again.
const CALL_BYTES_MAX: usize = 1 << 20;
/// A name longer than what a full listing leaves of its buffer, and shorter than libc's own buffer.
const CUT_NAME_BYTES: usize = 512;
/// Bytes of a listing that one call returns.
const LISTING_BYTES_MAX: u32 = 64 << 10;
/// As IOV_MAX on Linux.
const VECTORS_MAX: u32 = 1024;
const SUBSCRIPTIONS_MAX: u32 = 4096;
/// Returns a path, which is bytes as on Linux, whatever the type says.
fn path(memory: &GuestMemory<'_>, pointer: GuestPtr<str>) -> Result<Vec<u8>> {
    if pointer.len() > PATH_BYTES_MAX {
        return Err(Errno::Nametoolong.into());
    }
    let bytes = memory.as_slice(pointer.as_bytes())?.ok_or(Errno::Notsup)?;
    if bytes.is_empty() {
        return Err(Errno::Noent.into());
    }
    if bytes.contains(&0) {
        return Err(Errno::Inval.into());
    }
    Ok(bytes.to_vec())
}

/// Returns the part of guest memory that a pointer and a length mean.
fn bytes_mut<'a>(memory: &'a mut GuestMemory<'_>, at: GuestPtr<u8>, length: u32) -> Result<&'a mut [u8]> {
    memory.as_slice_mut(at.as_array(length))?.ok_or_else(|| Errno::Notsup.into())
}

/// Adds `n` bytes to what a call has moved so far.
fn sum(total: u32, n: usize) -> Result<u32> {
    u32::try_from(n).ok().and_then(|n| total.checked_add(n)).ok_or_else(|| Errno::Inval.into())
}

fn filestat(stat: Stat) -> types::Filestat {
    types::Filestat {
        dev: 1,
        ino: stat.inode,
        filetype: stat.kind,
        // The guest's libc takes the mode from here: WASI has none.
        nlink: u64::from(stat.links) | u64::from(stat.mode) << 32,
        size: stat.bytes,
        atim: stat.accessed_ns,
        mtim: stat.modified_ns,
        ctim: stat.changed_ns,
    }
}

fn times(accessed: u64, modified: u64, flags: types::Fstflags) -> Result<Times> {
    use types::Fstflags as F;
    let pick = |now: bool, given: bool, nanoseconds: u64| match (now, given) {
        (true, true) => Err(Errno::Inval),
        (true, false) => Ok(Some(SystemTime::now())),
        (false, true) => Ok(Some(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds))),
        (false, false) => Ok(None),
    };
    Ok(Times {
        accessed: pick(flags.contains(F::ATIM_NOW), flags.contains(F::ATIM), accessed)?,
        modified: pick(flags.contains(F::MTIM_NOW), flags.contains(F::MTIM), modified)?,
    })
}

impl Host {
    async fn read_into(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        vectors: types::IovecArray,
        at: Option<u64>,
    ) -> Result<u32> {
        if vectors.len() > VECTORS_MAX {
            return Err(Errno::Inval.into());
        }
        let is_stdin = matches!(self.files.get(fd)?, Descriptor::Stdin);
        let mut room = self.call_bytes();
        let mut total: u32 = 0;
        let mut is_empty = true;
        for vector in vectors.iter() {
            let vector = memory.read(vector?)?;
            let wanted = (vector.buf_len as usize).min(room);
            if wanted == 0 {
                continue;
            }
            is_empty = false;
            if is_stdin && total == 0 {
                self.wait_for_input(memory).await?;
            }
            let into = &mut bytes_mut(memory, vector.buf, vector.buf_len)?[..wanted];
            let n = if is_stdin {
                self.call.input.take(into)
            } else {
                match self.files.read(fd, into, at.map(|at| at.saturating_add(total.into()))) {
                    Ok(n) => n,
                    Err(_) if total > 0 => break,
                    Err(error) => return Err(error.into()),
                }
            };
            total = sum(total, n)?;
            room -= n;
            if n < vector.buf_len as usize {
                break;
            }
        }
        if is_empty && !is_stdin {
            // For the errors that come of it.
            self.files.read(fd, &mut [], at)?;
        }
        Ok(total)
    }

    fn write_from(
        &mut self,
        memory: &GuestMemory<'_>,
        fd: u32,
        vectors: types::CiovecArray,
        at: Option<u64>,
    ) -> Result<u32> {
        if vectors.len() > VECTORS_MAX {
            return Err(Errno::Inval.into());
        }
        let stream = match self.files.get(fd)? {
            Descriptor::Stdout => Some(Stream::Stdout),
            Descriptor::Stderr => Some(Stream::Stderr),
            Descriptor::Stdin => return Err(Errno::Badf.into()),
            _ => None,
        };
        let mut room = self.call_bytes();
        let mut total: u32 = 0;
        for vector in vectors.iter() {
            let vector = memory.read(vector?)?;
            let bytes = memory.as_slice(vector.buf.as_array(vector.buf_len))?.ok_or(Errno::Notsup)?;
            let bytes = &bytes[..bytes.len().min(room)];
            let n = match stream {
                Some(stream) => {
                    self.call.outputs.write(stream, bytes);
                    bytes.len()
                }
                None => match self.files.write(fd, bytes, at.map(|at| at.saturating_add(total.into()))) {
                    Ok(n) => n,
                    Err(_) if total > 0 => break,
                    Err(error) => return Err(error.into()),
                },
            };
            total = sum(total, n)?;
            room -= n;
            if n < vector.buf_len as usize {
                break;
            }
        }
        Ok(total)
    }

    /// Returns how many bytes the present call may move.
    fn call_bytes(&self) -> usize {
        self.hostcall_fuel.min(CALL_BYTES_MAX)
    }

    /// Waits for standard input, unless it is interrupted.
    async fn wait_for_input(&mut self, memory: &mut GuestMemory<'_>) -> Result<()> {
        self.clock.pause();
        let result = tokio::select! {
            biased;
            result = self.call.input.readable() => result.map_err(|_| Errno::Io.into()),
            () = interrupted(self.interruptible.as_ref()) => Err(Errno::Intr.into()),
        };
        self.clock.resume();
        if result.is_err() {
            self.see_interrupt(memory);
        }
        result
    }

    fn see_interrupt(&mut self, memory: &mut GuestMemory<'_>) -> bool {
        match memory {
            GuestMemory::Unshared(memory) => self.interrupt(memory),
            GuestMemory::Shared(_) => false,
        }
    }

    /// Returns when a clock subscription is due, as time from now.
    fn due(&self, clock: &types::SubscriptionClock) -> Result<Duration> {
        let timeout = Duration::from_nanos(clock.timeout);
        if !clock.flags.contains(types::Subclockflags::SUBSCRIPTION_CLOCK_ABSTIME) {
            return Ok(timeout);
        }
        let now = match clock.id {
            types::Clockid::Realtime => self.clock.realtime(),
            types::Clockid::Monotonic => self.clock.monotonic(),
            _ => return Err(Errno::Inval.into()),
        };
        Ok(timeout.saturating_sub(now))
    }
}

fn preopened(fd: types::Fd) -> Result<&'static str> {
    let fd = u32::from(fd) as usize;
    fd.checked_sub(FIRST_PREOPENED).and_then(|at| PREOPENED.get(at)).copied().ok_or_else(|| Errno::Badf.into())
}

impl WasiSnapshotPreview1 for Host {
    fn set_hostcall_fuel(&mut self, fuel: usize) {
        self.hostcall_fuel = fuel;
    }

    // Arguments and environment come with the job, not through WASI.
    fn args_get(&mut self, _: &mut GuestMemory<'_>, _: GuestPtr<GuestPtr<u8>>, _: GuestPtr<u8>) -> Result<()> {
        Ok(())
    }

    fn args_sizes_get(&mut self, _: &mut GuestMemory<'_>) -> Result<(types::Size, types::Size)> {
        Ok((0, 0))
    }

    fn environ_get(&mut self, _: &mut GuestMemory<'_>, _: GuestPtr<GuestPtr<u8>>, _: GuestPtr<u8>) -> Result<()> {
        Ok(())
    }

    fn environ_sizes_get(&mut self, _: &mut GuestMemory<'_>) -> Result<(types::Size, types::Size)> {
        Ok((0, 0))
    }

    fn clock_res_get(&mut self, _: &mut GuestMemory<'_>, _: types::Clockid) -> Result<types::Timestamp> {
        Ok(1)
    }

    fn clock_time_get(
        &mut self,
        _: &mut GuestMemory<'_>,
        id: types::Clockid,
        _precision: types::Timestamp,
    ) -> Result<types::Timestamp> {
        self.effects.clock += 1;
        let time = match id {
            types::Clockid::Realtime => self.clock.realtime(),
            types::Clockid::Monotonic => self.clock.monotonic(),
            types::Clockid::ProcessCputimeId | types::Clockid::ThreadCputimeId => self.clock.cpu(),
        };
        u64::try_from(time.as_nanos()).map_err(|_| Errno::Overflow.into())
    }

    async fn fd_advise(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        _offset: types::Filesize,
        _length: types::Filesize,
        _advice: types::Advice,
    ) -> Result<()> {
        self.files.get(fd.into())?;
        Ok(())
    }

    fn fd_allocate(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        offset: types::Filesize,
        length: types::Filesize,
    ) -> Result<()> {
        if !matches!(self.files.get(fd.into())?, Descriptor::File(file) if file.writable) {
            return Err(Errno::Badf.into());
        }
        let end = offset.checked_add(length).ok_or(Errno::Fbig)?;
        if self.files.stat(fd.into())?.bytes < end {
            self.files.set_size(fd.into(), end)?;
        }
        Ok(())
    }

    async fn fd_close(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd) -> Result<()> {
        Ok(self.files.close(fd.into())?)
    }

    async fn fd_datasync(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd) -> Result<()> {
        Ok(self.files.sync(fd.into())?)
    }

    async fn fd_fdstat_get(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd) -> Result<types::Fdstat> {
        use types::Rights;
        let all = Rights::all();
        let mut flags = types::Fdflags::empty();
        let (kind, rights) = match self.files.get(fd.into())? {
            Descriptor::Stdin => (types::Filetype::Unknown, Rights::FD_READ | Rights::POLL_FD_READWRITE),
            Descriptor::Stdout | Descriptor::Stderr => {
                (types::Filetype::Unknown, Rights::FD_WRITE | Rights::POLL_FD_READWRITE)
            }
            Descriptor::PipeReader(reader) => {
                if reader.nonblocking.load(Relaxed) {
                    flags |= types::Fdflags::NONBLOCK;
                }
                (types::Filetype::Unknown, Rights::FD_READ | Rights::POLL_FD_READWRITE)
            }
            Descriptor::PipeWriter(writer) => {
                if writer.nonblocking.load(Relaxed) {
                    flags |= types::Fdflags::NONBLOCK;
                }
                (types::Filetype::Unknown, Rights::FD_WRITE | Rights::POLL_FD_READWRITE)
            }
            Descriptor::Folder(_) => (types::Filetype::Directory, all & !(Rights::FD_SEEK | Rights::FD_WRITE)),
            Descriptor::File(file) => {
                if file.append.load(Relaxed) {
                    flags |= types::Fdflags::APPEND;
                }
                let mut rights = all & !Rights::FD_READDIR;
                if !file.readable {
                    rights &= !Rights::FD_READ;
                }
                if !file.writable {
                    rights &= !Rights::FD_WRITE;
                }
                (types::Filetype::RegularFile, rights)
            }
            Descriptor::Virtual(_) => (self.files.stat(fd.into())?.kind, all),
        };
        Ok(types::Fdstat { fs_filetype: kind, fs_flags: flags, fs_rights_base: rights, fs_rights_inheriting: all })
    }

    fn fd_fdstat_set_flags(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd, flags: types::Fdflags) -> Result<()> {
        let nonblocking = flags.contains(types::Fdflags::NONBLOCK);
        match self.files.get(fd.into())? {
            Descriptor::PipeReader(reader) => reader.nonblocking.store(nonblocking, Relaxed),
            Descriptor::PipeWriter(writer) => writer.nonblocking.store(nonblocking, Relaxed),
            Descriptor::File(file) => file.append.store(flags.contains(types::Fdflags::APPEND), Relaxed),
            // Nothing else is ever waited for, but standard input, whose end is not the job's.
            _ => {}
        }
        Ok(())
    }

    fn fd_fdstat_set_rights(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        _: types::Rights,
        _: types::Rights,
    ) -> Result<()> {
        self.files.get(fd.into())?;
        Ok(())
    }

    async fn fd_filestat_get(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd) -> Result<types::Filestat> {
        Ok(filestat(self.files.stat(fd.into())?))
    }

    async fn fd_filestat_set_size(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        size: types::Filesize,
    ) -> Result<()> {
        Ok(self.files.set_size(fd.into(), size)?)
    }

    async fn fd_filestat_set_times(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        accessed: types::Timestamp,
        modified: types::Timestamp,
        flags: types::Fstflags,
    ) -> Result<()> {
        Ok(self.files.set_times(fd.into(), times(accessed, modified, flags)?)?)
    }

    async fn fd_read(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        vectors: types::IovecArray,
    ) -> Result<types::Size> {
        self.read_into(memory, fd.into(), vectors, None).await
    }

    async fn fd_pread(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        vectors: types::IovecArray,
        offset: types::Filesize,
    ) -> Result<types::Size> {
        if matches!(self.files.get(fd.into())?, Descriptor::Stdin) {
            return Err(Errno::Spipe.into());
        }
        self.read_into(memory, fd.into(), vectors, Some(offset)).await
    }

    async fn fd_write(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        vectors: types::CiovecArray,
    ) -> Result<types::Size> {
        self.write_from(memory, fd.into(), vectors, None)
    }

    async fn fd_pwrite(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        vectors: types::CiovecArray,
        offset: types::Filesize,
    ) -> Result<types::Size> {
        if matches!(self.files.get(fd.into())?, Descriptor::Stdout | Descriptor::Stderr) {
            return Err(Errno::Spipe.into());
        }
        self.write_from(memory, fd.into(), vectors, Some(offset))
    }

    fn fd_prestat_get(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd) -> Result<types::Prestat> {
        let pr_name_len = u32::try_from(preopened(fd)?.len()).map_err(|_| Errno::Overflow)?;
        Ok(types::Prestat::Dir(types::PrestatDir { pr_name_len }))
    }

    fn fd_prestat_dir_name(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        into: GuestPtr<u8>,
        length: types::Size,
    ) -> Result<()> {
        let name = preopened(fd)?.as_bytes();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if name.len() > length {
            return Err(Errno::Nametoolong.into());
        }
        let into = bytes_mut(memory, into, u32::try_from(name.len()).map_err(|_| Errno::Overflow)?)?;
        into.copy_from_slice(name);
        Ok(())
    }

    async fn fd_renumber(&mut self, _: &mut GuestMemory<'_>, from: types::Fd, to: types::Fd) -> Result<()> {
        Ok(self.files.renumber(from.into(), to.into())?)
    }

    async fn fd_seek(
        &mut self,
        _: &mut GuestMemory<'_>,
        fd: types::Fd,
        offset: types::Filedelta,
        whence: types::Whence,
    ) -> Result<types::Filesize> {
        self.files.get(fd.into())?;
        let to = match whence {
            types::Whence::Set => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::Inval)?),
            types::Whence::Cur => SeekFrom::Current(offset),
            types::Whence::End => SeekFrom::End(offset),
        };
        Ok(self.files.seek(fd.into(), to)?)
    }

    async fn fd_sync(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd) -> Result<()> {
        Ok(self.files.sync(fd.into())?)
    }

    fn fd_tell(&mut self, _: &mut GuestMemory<'_>, fd: types::Fd) -> Result<types::Filesize> {
        Ok(self.files.seek(fd.into(), SeekFrom::Current(0))?)
    }

    async fn fd_readdir(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        buffer: GuestPtr<u8>,
        length: types::Size,
        cookie: types::Dircookie,
    ) -> Result<types::Size> {
        // One that is shorter than what was asked for ends the listing, so only a guest that asks for more sees this bound.
        let buffer = bytes_mut(memory, buffer, length.min(LISTING_BYTES_MAX))?;
        let room = buffer.len();
        let mut used = 0;
        let mut put = |head: [u8; RECORD_HEAD_BYTES], name: &[u8]| {
            for part in [&head[..], name] {
                let n = part.len().min(buffer.len() - used);
                buffer[used..used + n].copy_from_slice(&part[..n]);
                used += n;
            }
        };
        let head = |next: u64, inode: u64, length: usize, kind: u8| {
            let mut head = [0; RECORD_HEAD_BYTES];
            head[0..8].copy_from_slice(&next.to_le_bytes());
            head[8..16].copy_from_slice(&inode.to_le_bytes());
            head[16..20].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
            head[20] = kind;
            head
        };
        let ended = self.files.list(fd.into(), cookie, room, |item| {
            put(head(item.next, item.inode, item.name.len(), item.kind as u8), &item.name);
        })?;
        if !ended {
            // What is full is not the end. A record that is cut short, of whatever name, makes the guest ask again; a whole
            // one would not, and neither would a buffer with room at its end.
            put(head(0, 0, CUT_NAME_BYTES, 0), &[0; CUT_NAME_BYTES]);
        }
        u32::try_from(used).map_err(|_| Errno::Overflow.into())
    }

    async fn path_create_directory(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        at: GuestPtr<str>,
    ) -> Result<()> {
        Ok(self.files.create_folder(fd.into(), &path(memory, at)?)?)
    }

    async fn path_filestat_get(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        flags: types::Lookupflags,
        at: GuestPtr<str>,
    ) -> Result<types::Filestat> {
        let follow = flags.contains(types::Lookupflags::SYMLINK_FOLLOW);
        Ok(filestat(self.files.stat_path(fd.into(), &path(memory, at)?, follow)?))
    }

    async fn path_filestat_set_times(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        flags: types::Lookupflags,
        at: GuestPtr<str>,
        accessed: types::Timestamp,
        modified: types::Timestamp,
        which: types::Fstflags,
    ) -> Result<()> {
        let follow = flags.contains(types::Lookupflags::SYMLINK_FOLLOW);
        let times = times(accessed, modified, which)?;
        Ok(self.files.set_times_path(fd.into(), &path(memory, at)?, follow, times)?)
    }

    async fn path_link(
        &mut self,
        memory: &mut GuestMemory<'_>,
        from_fd: types::Fd,
        flags: types::Lookupflags,
        from: GuestPtr<str>,
        to_fd: types::Fd,
        to: GuestPtr<str>,
    ) -> Result<()> {
        let follow = flags.contains(types::Lookupflags::SYMLINK_FOLLOW);
        let (from, to) = (path(memory, from)?, path(memory, to)?);
        Ok(self.files.link((from_fd.into(), &from), follow, to_fd.into(), &to)?)
    }

    async fn path_open(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        lookup: types::Lookupflags,
        at: GuestPtr<str>,
        how: types::Oflags,
        rights: types::Rights,
        _inherited: types::Rights,
        flags: types::Fdflags,
    ) -> Result<types::Fd> {
        let open = Open {
            follow: lookup.contains(types::Lookupflags::SYMLINK_FOLLOW),
            create: how.contains(types::Oflags::CREAT),
            exclusive: how.contains(types::Oflags::EXCL),
            truncate: how.contains(types::Oflags::TRUNC),
            folder: how.contains(types::Oflags::DIRECTORY),
            append: flags.contains(types::Fdflags::APPEND),
            read: rights.contains(types::Rights::FD_READ),
            write: rights.contains(types::Rights::FD_WRITE),
        };
        Ok(self.files.open(fd.into(), &path(memory, at)?, open)?.into())
    }

    async fn path_readlink(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        at: GuestPtr<str>,
        buffer: GuestPtr<u8>,
        length: types::Size,
    ) -> Result<types::Size> {
        let target = self.files.read_link(fd.into(), &path(memory, at)?)?;
        let n = target.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        let size = u32::try_from(n).map_err(|_| Errno::Overflow)?;
        bytes_mut(memory, buffer, size)?.copy_from_slice(&target[..n]);
        Ok(size)
    }

    async fn path_remove_directory(
        &mut self,
        memory: &mut GuestMemory<'_>,
        fd: types::Fd,
        at: GuestPtr<str>,
    ) -> Result<()> {
        Ok(self.files.remove_folder(fd.into(), &path(memory, at)?)?)
    }

    async fn path_rename(
        &mut self,
        memory: &mut GuestMemory<'_>,
        from_fd: types::Fd,
        from: GuestPtr<str>,
        to_fd: types::Fd,
        to: GuestPtr<str>,
    ) -> Result<()> {
        let (from, to) = (path(memory, from)?, path(memory, to)?);
        Ok(self.files.rename(from_fd.into(), &from, to_fd.into(), &to)?)
    }

    async fn path_symlink(
        &mut self,
        memory: &mut GuestMemory<'_>,
        target: GuestPtr<str>,
        fd: types::Fd,
        at: GuestPtr<str>,
    ) -> Result<()> {
        let (target, at) = (path(memory, target)?, path(memory, at)?);
        Ok(self.files.symlink(&target, fd.into(), &at)?)
    }

    async fn path_unlink_file(&mut self, memory: &mut GuestMemory<'_>, fd: types::Fd, at: GuestPtr<str>) -> Result<()> {
        Ok(self.files.unlink(fd.into(), &path(memory, at)?)?)
    }

    async fn poll_oneoff(
        &mut self,
        memory: &mut GuestMemory<'_>,
        subscriptions: GuestPtr<types::Subscription>,
        events: GuestPtr<types::Event>,
        count: types::Size,
    ) -> Result<types::Size> {
        if count > SUBSCRIPTIONS_MAX {
            return Err(Errno::Inval.into());
        }
        let mut wanted = Vec::new();
        for subscription in subscriptions.as_array(count).iter() {
            wanted.push(memory.read(subscription?)?);
        }
        // When each clock is due is settled now: an absolute time comes no nearer while the job sleeps.
        let mut due = Vec::new();
        let mut sleep_of: Option<Duration> = None;
        let (mut input, mut ready) = (false, false);
        for subscription in &wanted {
            let mut time = None;
            match &subscription.u {
                types::SubscriptionU::Clock(clock) => {
                    let clock = self.due(clock)?;
                    time = Some(clock);
                    sleep_of = Some(sleep_of.map_or(clock, |other| other.min(clock)));
                }
                types::SubscriptionU::FdRead(read) => match self.files.get(read.file_descriptor.into()) {
                    Ok(Descriptor::Stdin) => input = true,
                    Ok(Descriptor::PipeReader(reader)) => ready |= reader.is_ready(),
                    _ => ready = true,
                },
                types::SubscriptionU::FdWrite(write) => match self.files.get(write.file_descriptor.into()) {
                    Ok(Descriptor::PipeWriter(writer)) => ready |= writer.is_ready(),
                    _ => ready = true,
                },
            }
            due.push(time);
        }
        let began = Instant::now();
        let (mut input_ready, mut is_interrupted) = (false, false);
        if !ready {
            self.clock.pause();
            let sleep = async {
                match sleep_of {
                    Some(Duration::ZERO) => {}
                    Some(time) => tokio::time::sleep(time).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                result = self.call.input.readable(), if input => {
                    result.map_err(|_| Errno::Io)?;
                    input_ready = true;
                }
                () = interrupted(self.interruptible.as_ref()) => is_interrupted = true,
                () = sleep => {}
            }
            self.clock.resume();
        }
        if is_interrupted {
            self.see_interrupt(memory);
            // A sleep is over, then; the exception comes at the next bytecode. What has no end is told that it was cut short.
            if sleep_of.is_none() {
                return Err(Errno::Intr.into());
            }
        }
        let passed = began.elapsed();
        let mut used = 0;
        let events = events.as_array(count);
        for (subscription, due) in wanted.into_iter().zip(due) {
            let mut bytes = 1;
            let (error, type_) = match &subscription.u {
                types::SubscriptionU::Clock(_) if is_interrupted || due.is_some_and(|due| due <= passed) => {
                    (Errno::Success, types::Eventtype::Clock)
                }
                types::SubscriptionU::Clock(_) => continue,
                types::SubscriptionU::FdRead(read) => match self.files.get(read.file_descriptor.into()) {
                    Ok(Descriptor::Stdin) if !input_ready => continue,
                    Ok(Descriptor::PipeReader(reader)) if !reader.is_ready() => continue,
                    other => {
                        if let Ok(Descriptor::PipeReader(reader)) = other {
                            bytes = reader.waiting() as u64;
                        }
                        (error_of(other), types::Eventtype::FdRead)
                    }
                },
                types::SubscriptionU::FdWrite(write) => match self.files.get(write.file_descriptor.into()) {
                    Ok(Descriptor::PipeWriter(writer)) if !writer.is_ready() => continue,
                    other => (error_of(other), types::Eventtype::FdWrite),
                },
            };
            let event = types::Event {
                userdata: subscription.userdata,
                error,
                type_,
                fd_readwrite: types::EventFdReadwrite { flags: types::Eventrwflags::empty(), nbytes: bytes },
            };
            memory.write(events.get(used).ok_or(Errno::Inval)?, event)?;
            used += 1;
        }
        Ok(used)
    }

    fn proc_exit(&mut self, _: &mut GuestMemory<'_>, status: types::Exitcode) -> wasmtime::Error {
        ExitStatus(status as u8).into()
    }

    fn proc_raise(&mut self, _: &mut GuestMemory<'_>, _: types::Signal) -> Result<()> {
        Err(Errno::Notsup.into())
    }

    fn sched_yield(&mut self, _: &mut GuestMemory<'_>) -> Result<()> {
        Ok(())
    }

    fn random_get(&mut self, memory: &mut GuestMemory<'_>, into: GuestPtr<u8>, length: types::Size) -> Result<()> {
        self.effects.random += 1;
        // libc asks for 256 bytes at a time.
        if length as usize > CALL_BYTES_MAX {
            return Err(Errno::Inval.into());
        }
        getrandom::fill(bytes_mut(memory, into, length)?).map_err(|_| Errno::Io.into())
    }

    // There are no sockets to pass in.
    fn sock_accept(&mut self, _: &mut GuestMemory<'_>, _: types::Fd, _: types::Fdflags) -> Result<types::Fd> {
        Err(Errno::Notsock.into())
    }

    fn sock_recv(
        &mut self,
        _: &mut GuestMemory<'_>,
        _: types::Fd,
        _: types::IovecArray,
        _: types::Riflags,
    ) -> Result<(types::Size, types::Roflags)> {
        Err(Errno::Notsock.into())
    }

    fn sock_send(
        &mut self,
        _: &mut GuestMemory<'_>,
        _: types::Fd,
        _: types::CiovecArray,
        _: types::Siflags,
    ) -> Result<types::Size> {
        Err(Errno::Notsock.into())
    }

    fn sock_shutdown(&mut self, _: &mut GuestMemory<'_>, _: types::Fd, _: types::Sdflags) -> Result<()> {
        Err(Errno::Notsock.into())
    }
}

fn error_of(found: FileResult<&Descriptor>) -> Errno {
    found.err().unwrap_or(Errno::Success)
}

#[cfg(test)]
mod tests;

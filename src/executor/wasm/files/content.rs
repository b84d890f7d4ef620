//! What is in files: reading and, as far as the quota allows, writing.

use super::{
    Files,
    descriptor::{Descriptor, OpenFile},
    errno::{Result, errno},
};
use crate::executor::wasm::preview1::types::Errno;
use std::{
    io::{Read, Seek, SeekFrom, Write},
    sync::{Arc, atomic::Ordering::Relaxed},
};

impl Files {
    pub(crate) fn read(&mut self, fd: u32, into: &mut [u8], at: Option<u64>) -> Result<usize> {
        match self.get(fd)? {
            Descriptor::File(file) if file.readable => match at {
                None => (&file.file).read(into).map_err(errno),
                Some(at) => rustix::io::pread(&file.file, into, at).map_err(errno),
            },
            Descriptor::Virtual(file) => file.read(into, at),
            Descriptor::PipeReader(_) | Descriptor::PipeWriter(_) if at.is_some() => Err(Errno::Spipe),
            Descriptor::PipeReader(reader) => reader.read(into),
            Descriptor::Folder(_) => Err(Errno::Isdir),
            _ => Err(Errno::Badf),
        }
    }

    /// Writes as much as the quota allows.
    pub(crate) fn write(&mut self, fd: u32, bytes: &[u8], at: Option<u64>) -> Result<usize> {
        let file = match self.get(fd)? {
            Descriptor::File(file) if file.writable => Arc::clone(file),
            Descriptor::Virtual(file) => return file.write(bytes),
            Descriptor::PipeReader(_) | Descriptor::PipeWriter(_) if at.is_some() => return Err(Errno::Spipe),
            Descriptor::PipeWriter(writer) => return writer.write(bytes),
            _ => return Err(Errno::Badf),
        };
        if bytes.is_empty() {
            return Ok(0);
        }
        let length = file.bytes()?;
        let append = file.append.load(Relaxed);
        let position = match at {
            _ if append => length,
            Some(at) => at,
            None => (&file.file).stream_position().map_err(errno)?,
        };
        if i64::try_from(position).is_err() {
            return Err(Errno::Inval);
        }
        let end = position.checked_add(bytes.len() as u64).ok_or(Errno::Fbig)?;
        let growth = end.saturating_sub(length);
        let missing = growth - self.quota.room(growth);
        let allowed = bytes.len().saturating_sub(usize::try_from(missing).unwrap_or(usize::MAX));
        if allowed == 0 {
            return Err(Errno::Nospc);
        }
        let written = if at.is_none() && !append {
            (&file.file).write(&bytes[..allowed]).map_err(errno)?
        } else {
            rustix::io::pwrite(&file.file, &bytes[..allowed], position).map_err(errno)?
        };
        if at.is_none() && append {
            (&file.file).seek(SeekFrom::Start(position + written as u64)).map_err(errno)?;
        }
        self.quota.resized(length, length.max(position + written as u64));
        Ok(written)
    }

    pub(crate) fn seek(&mut self, fd: u32, to: SeekFrom) -> Result<u64> {
        match self.get(fd)? {
            Descriptor::File(file) => (&file.file).seek(to).map_err(errno),
            Descriptor::Virtual(file) => file.seek(to),
            Descriptor::Folder(_) => Err(Errno::Isdir),
            _ => Err(Errno::Spipe),
        }
    }

    pub(crate) fn set_size(&mut self, fd: u32, bytes: u64) -> Result<()> {
        match self.get(fd)? {
            Descriptor::File(file) if file.writable => {
                let file = Arc::clone(file);
                self.resize(&file, bytes)
            }
            _ => Err(Errno::Inval),
        }
    }

    /// Cuts or extends a file; with writing, the only way in which its length changes.
    pub(super) fn resize(&mut self, file: &OpenFile, bytes: u64) -> Result<()> {
        let before = file.bytes()?;
        let growth = bytes.saturating_sub(before);
        if self.quota.room(growth) < growth {
            return Err(Errno::Nospc);
        }
        file.file.set_len(bytes).map_err(errno)?;
        self.quota.resized(before, bytes);
        Ok(())
    }

    pub(crate) fn sync(&self, fd: u32) -> Result<()> {
        // Nothing outlives the job, so there is nothing to force to a disk.
        self.get(fd).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Limits, Project,
        executor::wasm::{files::Open, library::Library},
    };

    const PROJECT: u32 = 3;

    #[test]
    fn writes_stop_at_the_quota_and_cutting_makes_room() {
        let limits = Limits { disk_bytes: 10, ..Limits::default() };
        let library = Library::new(wasm_python::STDLIB).unwrap();
        let mut files = Files::new(Project::script(""), &library, &limits);
        let fd =
            files.open(PROJECT, b"new", Open { create: true, read: true, write: true, ..Open::default() }).unwrap();
        assert_eq!(files.write(fd, &[1; 7], None), Ok(7));
        assert_eq!(files.write(fd, &[2; 7], None), Ok(3));
        assert_eq!(files.write(fd, &[3], None), Err(Errno::Nospc));
        assert_eq!(files.write(fd, &[4; 2], Some(0)), Ok(2));
        assert_eq!(files.set_size(fd, 11), Err(Errno::Nospc));
        assert_eq!(files.set_size(fd, 8), Ok(()));
        let mut content = [0; 10];
        assert_eq!(files.read(fd, &mut content, Some(0)), Ok(8));
        assert_eq!(content, [4, 4, 1, 1, 1, 1, 1, 2, 0, 0]);
        assert_eq!(files.write(fd, &[5; 7], Some(8)), Ok(2));
        files.unlink(PROJECT, b"new").unwrap();
        assert_eq!(files.quota.bytes(), 10);
        files.close(fd).unwrap();
        assert_eq!(files.quota.bytes(), 0);
    }

    #[test]
    fn opening_to_cut_gives_back_only_what_was_cut() {
        let library = Library::new(wasm_python::STDLIB).unwrap();
        let mut files = Files::new(Project::script(""), &library, &Limits::default());
        let new = Open { create: true, write: true, ..Open::default() };
        let cut = Open { truncate: true, ..Open::default() };
        for (n, how) in
            [cut, Open { read: true, ..cut }, Open { write: true, append: true, ..cut }].into_iter().enumerate()
        {
            let fd = files.open(PROJECT, b"f", new).unwrap();
            assert_eq!(files.write(fd, &[1; 7], Some(0)), Ok(7), "{n}");
            assert_eq!(files.quota.bytes(), 7);
            let again = files.open(PROJECT, b"f", how).unwrap();
            assert_eq!((files.stat(again).unwrap().bytes, files.quota.bytes()), (0, 0), "{n}");
        }
    }
}

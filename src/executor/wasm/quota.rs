//! Bytes and files that a job may have in its directories.

use crate::{Limits, outcome::LimitHit};
use std::collections::HashMap;

const SMALL_BYTES: u64 = 256 << 10;
const SMALL_FILES: u64 = 16;

/// Counts what the job's directories hold, including files that were removed but are still open.
#[derive(Debug)]
pub(crate) struct Quota {
    bytes: u64,
    bytes_max: u64,
    files: u64,
    files_max: u64,
    /// Open files by inode: they keep their space until the last descriptor closes.
    open: HashMap<u64, OpenFile>,
    pub(crate) hit: Vec<LimitHit>,
}

#[derive(Debug, Default)]
struct OpenFile {
    descriptors: u32,
    removed: bool,
}

/// The quota is used up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Quota {
    pub(crate) fn new(limits: &Limits, (bytes, files): (u64, u64)) -> Quota {
        Quota {
            bytes,
            bytes_max: limits.disk_bytes,
            files,
            files_max: limits.disk_files,
            open: HashMap::new(),
            hit: Vec::new(),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the bytes and files that there are.
    pub(crate) fn used(&self) -> (u64, u64) {
        (self.bytes, self.files)
    }

    /// Sets what there is.
    pub(crate) fn restore(&mut self, bytes: u64, files: u64) {
        (self.bytes, self.files) = (bytes, files);
    }

    /// Returns whether all of it is so little that it is made and removed in well under a millisecond.
    pub(crate) fn is_small(&self) -> bool {
        self.bytes <= SMALL_BYTES && self.files <= SMALL_FILES
    }

    /// Returns bytes and files, each in all and free.
    pub(crate) fn room_left(&self) -> (u64, u64, u64, u64) {
        let bytes_free = self.bytes_max.saturating_sub(self.bytes);
        (self.bytes_max, bytes_free, self.files_max, self.files_max.saturating_sub(self.files))
    }

    /// Returns how many of `wanted` more bytes there is room for.
    pub(crate) fn room(&mut self, wanted: u64) -> u64 {
        let room = self.bytes_max.saturating_sub(self.bytes);
        if wanted > room {
            self.note(LimitHit::DiskBytes);
        }
        room.min(wanted)
    }

    /// Counts a file's new length: for the functions that change one, and nobody else.
    pub(crate) fn resized(&mut self, before: u64, after: u64) {
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
    }

    /// Gives back what a file took that is gone for good.
    fn freed(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Takes the place of one more file.
    pub(crate) fn add_file(&mut self) -> Result<(), Full> {
        if self.files >= self.files_max {
            self.note(LimitHit::DiskFiles);
            return Err(Full);
        }
        self.files += 1;
        Ok(())
    }

    pub(crate) fn remove_file(&mut self) {
        self.files = self.files.saturating_sub(1);
    }

    /// Notes that the last name of a file is gone. Returns whether the file is, too: it may be open.
    pub(crate) fn unlinked(&mut self, inode: u64, bytes: u64) -> bool {
        match self.open.get_mut(&inode) {
            Some(open) => {
                open.removed = true;
                false
            }
            None => {
                self.freed(bytes);
                true
            }
        }
    }

    pub(crate) fn opened(&mut self, inode: u64) {
        self.open.entry(inode).or_default().descriptors += 1;
    }

    /// Notes a closed descriptor. Returns whether the file is gone with it; `bytes` is asked for only then.
    pub(crate) fn closed(&mut self, inode: u64, bytes: impl FnOnce() -> u64) -> bool {
        let Some(open) = self.open.get_mut(&inode) else { return false };
        open.descriptors = open.descriptors.saturating_sub(1);
        if open.descriptors > 0 {
            return false;
        }
        let removed = open.removed;
        self.open.remove(&inode);
        if removed {
            self.freed(bytes());
        }
        removed
    }

    fn note(&mut self, limit: LimitHit) {
        if !self.hit.contains(&limit) {
            self.hit.push(limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(bytes: u64, files: u64) -> Quota {
        Quota::new(&Limits { disk_bytes: bytes, disk_files: files, ..Limits::default() }, (0, 0))
    }

    #[test]
    fn removed_but_open_files_still_count() {
        let mut quota = quota(10, 2);
        quota.resized(0, 8);
        quota.opened(7);
        quota.opened(7);
        assert!(!quota.unlinked(7, 8));
        assert!(!quota.closed(7, || unreachable!("another descriptor is open")));
        assert_eq!(quota.room(10), 2);
        assert!(quota.closed(7, || 8));
        assert_eq!(quota.room(10), 10);
    }

    #[test]
    fn limits_name_themselves() {
        let mut quota = quota(10, 1);
        assert_eq!(quota.room(4), 4);
        assert!(quota.hit.is_empty());
        assert_eq!(quota.room(11), 10);
        assert_eq!(quota.add_file(), Ok(()));
        assert_eq!(quota.add_file(), Err(Full));
        assert_eq!(quota.hit, [LimitHit::DiskBytes, LimitHit::DiskFiles]);
        quota.remove_file();
        assert_eq!(quota.add_file(), Ok(()));
    }
}

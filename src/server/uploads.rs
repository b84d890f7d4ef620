//! Disk that uploads take together, from their first byte until their execution has ended.

use crate::sync::lock;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

/// How much there is at most.
#[derive(Debug)]
pub(crate) struct Uploads {
    bytes_max: u64,
    callers: usize,
    /// By caller.
    taken: Mutex<HashMap<usize, u64>>,
}

/// What one upload takes, until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    uploads: Arc<Uploads>,
    caller: usize,
    bytes: u64,
}

/// There is no room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Uploads {
    pub(crate) fn new(bytes_max: u64, callers: usize) -> Arc<Uploads> {
        Arc::new(Uploads { bytes_max, callers, taken: Mutex::default() })
    }

    pub(crate) fn reserve(self: &Arc<Uploads>, caller: usize) -> Reservation {
        Reservation { uploads: Arc::clone(self), caller, bytes: 0 }
    }

    /// Nothing here panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, HashMap<usize, u64>> {
        lock(&self.taken)
    }
}

impl Reservation {
    /// Takes more. Where there are several callers, none has more than half of it, so that no one shuts out the others.
    pub(crate) fn grow(&mut self, bytes: u64) -> Result<(), Full> {
        let Uploads { bytes_max, callers, .. } = *self.uploads;
        let mut taken = self.uploads.lock();
        let all: u64 = taken.values().sum();
        let own = taken.entry(self.caller).or_default();
        let own_max = if callers > 1 { bytes_max / 2 } else { bytes_max };
        // A single one that is larger than all of it may come where nothing else does.
        let is_alone = all == self.bytes;
        let fits = all.saturating_add(bytes) <= bytes_max && own.saturating_add(bytes) <= own_max;
        if !fits && !is_alone {
            return Err(Full);
        }
        *own = own.saturating_add(bytes);
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut taken = self.uploads.lock();
        if let Some(own) = taken.get_mut(&self.caller) {
            *own = own.saturating_sub(self.bytes);
            if *own == 0 {
                taken.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_share_what_there_is() {
        let uploads = Uploads::new(100, 1);
        let (mut first, mut second) = (uploads.reserve(0), uploads.reserve(0));
        assert_eq!(
            (first.grow(60), second.grow(40), second.grow(1), first.grow(1)),
            (Ok(()), Ok(()), Err(Full), Err(Full))
        );
        drop(first);
        assert_eq!(second.grow(60), Ok(()));
        // It is the only one.
        assert_eq!(second.grow(1000), Ok(()));
        drop(second);
        assert!(uploads.lock().is_empty());
    }

    #[test]
    fn a_caller_leaves_half_of_it_to_others() {
        let uploads = Uploads::new(100, 2);
        let mut of_one = [uploads.reserve(0), uploads.reserve(0)];
        assert_eq!((of_one[0].grow(40), of_one[1].grow(20), of_one[1].grow(10)), (Ok(()), Err(Full), Ok(())));
        let mut of_other = uploads.reserve(1);
        assert_eq!(of_other.grow(50), Ok(()));
    }
}

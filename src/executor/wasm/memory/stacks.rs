//! Stacks of jobs, zeroed before the next one.

use super::{free::Free, mapping::StackSpace};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a stack keeps of its memory: more than an ordinary job uses.
const KEPT_BYTES: usize = 64 << 10;

/// Stacks that no job has.
#[derive(Default)]
pub(super) struct Stacks {
    free: Free<StackSpace>,
    count: AtomicUsize,
    count_max: usize,
}

impl Stacks {
    pub(super) fn new(count_max: usize) -> Stacks {
        Stacks { count_max, ..Stacks::default() }
    }

    /// Returns one of this size, if any is free.
    pub(super) fn take(&self, size: usize) -> Option<StackSpace> {
        let space = self.free.take()?;
        self.count.fetch_sub(1, Ordering::Relaxed);
        (space.size() == size).then_some(space)
    }

    /// Takes one back.
    pub(super) fn put(&self, mut space: StackSpace) {
        match space.clear(KEPT_BYTES) {
            Err(error) => tracing::error!(%error, "cannot clear a stack"),
            Ok(()) if self.count.load(Ordering::Relaxed) >= self.count_max => {}
            Ok(()) => {
                self.count.fetch_add(1, Ordering::Relaxed);
                self.free.put(space);
            }
        }
    }
}

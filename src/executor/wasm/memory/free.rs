//! Things that are free, kept by the thread that used them last.

use std::{
    cell::Cell,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Lists; threads beyond that share them.
const LISTS: usize = 32;

/// Free things, in lists of which a thread has one of its own: what it used last is still in its core's caches.
#[derive(Debug)]
pub(super) struct Free<T> {
    lists: [List<T>; LISTS],
}

/// On cache lines of its own, so that threads do not wait for each other's.
#[derive(Debug)]
#[repr(align(128))]
struct List<T>(Mutex<Vec<T>>);

impl<T> Default for Free<T> {
    fn default() -> Free<T> {
        Free { lists: std::array::from_fn(|_| List(Mutex::default())) }
    }
}

impl<T> Free<T> {
    /// Takes what this thread gave back last, or what another did.
    pub(super) fn take(&self) -> Option<T> {
        let own = own_list();
        (0..LISTS).find_map(|next| self.lists[(own + next) % LISTS].lock().pop())
    }

    /// Gives something back.
    pub(super) fn put(&self, thing: T) {
        self.lists[own_list()].lock().push(thing);
    }

    /// Takes all that is there.
    pub(super) fn drain(&self) -> Vec<T> {
        self.lists.iter().flat_map(|list| std::mem::take(&mut *list.lock())).collect()
    }
}

impl<T> List<T> {
    /// Locks what is whole after every statement, whoever panicked.
    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn own_list() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static LIST: Cell<Option<usize>> = const { Cell::new(None) });
    LIST.with(|list| {
        let own = list.get().unwrap_or_else(|| THREADS.fetch_add(1, Ordering::Relaxed) % LISTS);
        list.set(Some(own));
        own
    })
}

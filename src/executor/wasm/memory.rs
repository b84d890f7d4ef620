//! Linear memories of jobs: an image mapped copy-on-write, and restored after each job in proportion to what it wrote.
//!
//! wasmtime's own pool looks for at most 32 stretches of written pages and gives back all behind them, and finds them by a
//! look at every page that is there, which those only read slow down: a slot that ran a large job stays slow. Here the
//! kernel protects pages from writing and notes which lose that (userfaultfd, `PAGEMAP_SCAN`); those are compared with the
//! image and copied back, however many stretches they are. What was written stays unprotected, as the next job writes most
//! of it again, until more of it was compared in vain than protecting costs. So nothing is remembered of single pages, and
//! a slot that ran a large job is as fast as before after a few small ones.
//!
//! Where the kernel does not protect, the pages that are not the file's are compared, and all is dropped now and then; where
//! it tells nothing, after each job.

mod free;
#[expect(unsafe_code, reason = "maps memory and hands its addresses to wasmtime; the argument is at its top")]
mod mapping;
mod pages;
mod stacks;
#[cfg(test)]
mod tests;

pub(crate) use mapping::Content;

use free::Free;
use mapping::{Creator, Space, StackMaker, Tracking, page_bytes};
use pages::{PageSet, Restoring};
use rustix::io;
use stacks::Stacks;
use std::{
    fs::File,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};
use wasmtime::Config;

/// Memory that free slots keep, all together.
const RESIDENT_BYTES: usize = 48 << 20;

/// Memory that one slot keeps: an ordinary job writes half a MiB.
const SLOT_BYTES_MAX: usize = 8 << 20;

/// Pages that may be compared in vain before all are protected again. That costs a fault for each page that the next job
/// writes, as much as comparing some ten times as many.
const VAIN_MAX: usize = 1000;

/// The same where pages cannot be protected, and dropping them costs the next job more.
const VAIN_PRESENT_MAX: usize = 10_000;

/// Jobs after which a slot drops its pages where they cannot be protected: those that were only read make looking slow.
const PRESENT_JOBS: usize = 256;

/// Makes memories and stacks for the engines of one executor.
#[derive(Clone)]
pub(crate) struct Allocator {
    stacks: Arc<Stacks>,
    shared: Arc<Shared>,
    keeps_pages: bool,
}

/// What free slots of all images keep.
struct Shared {
    kept_bytes: AtomicUsize,
    slots_max: usize,
    homes: Mutex<Vec<Weak<Home>>>,
}

impl Allocator {
    /// Makes an allocator that keeps up to `slots_max` free slots, with their pages if wanted and where it is safe.
    pub(crate) fn new(slots_max: usize, keeps_pages: bool) -> Allocator {
        let shared = Shared { kept_bytes: AtomicUsize::new(0), slots_max, homes: Mutex::default() };
        Allocator { stacks: Arc::new(Stacks::new(slots_max)), shared: Arc::new(shared), keeps_pages }
    }

    /// Returns one that gives all pages back after each job.
    pub(crate) fn without_kept_pages(&self) -> Allocator {
        Allocator { keeps_pages: false, ..self.clone() }
    }

    /// Has an engine make its memories here, with this content, and its stacks.
    pub(crate) fn apply(&self, config: &mut Config, content: Arc<Content>) {
        let tracking = if self.keeps_pages { Tracking::best() } else { Tracking::None };
        let home = self.home(content, tracking);
        config.with_host_memory(Arc::new(Creator(home)));
        config.with_host_stack(Arc::new(StackMaker(Arc::clone(&self.stacks))));
    }

    fn home(&self, content: Arc<Content>, tracking: Tracking) -> Arc<Home> {
        let home = Arc::new(Home {
            content,
            free: Free::default(),
            count: AtomicUsize::new(0),
            used: AtomicUsize::new(0),
            tracking,
            shared: Arc::clone(&self.shared),
        });
        let mut homes = self.shared.homes.lock().unwrap_or_else(PoisonError::into_inner);
        homes.retain(|home| home.strong_count() > 0);
        homes.push(Arc::downgrade(&home));
        home
    }
}

/// Holds the free slots of one image.
struct Home {
    content: Arc<Content>,
    free: Free<Slot>,
    count: AtomicUsize,
    /// How often slots were taken.
    used: AtomicUsize,
    tracking: Tracking,
    shared: Arc<Shared>,
}

/// Space for a memory, with what is known of its pages.
struct Slot {
    space: Space,
    tracking: Tracking,
    jobs: usize,
    /// Pages that were compared in vain since they were last protected or dropped.
    vain: usize,
    /// Pages that it may have of its own.
    kept: PageSet,
}

impl Home {
    fn take(&self, minimum: usize, capacity: usize, guard: usize) -> io::Result<Slot> {
        self.used.fetch_add(1, Ordering::Relaxed);
        if let Some(mut slot) = self.free.take() {
            self.count.fetch_sub(1, Ordering::Relaxed);
            self.shared.kept_bytes.fetch_sub(slot.kept_bytes(), Ordering::Relaxed);
            if slot.space.fits(minimum, capacity) {
                slot.prepare();
                return Ok(slot);
            }
        }
        let space = Space::map(&self.content, minimum, capacity, guard)?;
        Ok(Slot { space, tracking: self.tracking, jobs: 0, vain: 0, kept: PageSet::default() })
    }

    fn put(&self, mut slot: Slot) {
        if let Err(error) = slot.reset() {
            // It is unmapped, with what is in it.
            tracing::error!(%error, "cannot reset the memory of a job");
            return;
        }
        if self.count.load(Ordering::Relaxed) >= self.shared.slots_max {
            return;
        }
        let kept = slot.kept_bytes();
        if kept > 0 && self.shared.kept_bytes.load(Ordering::Relaxed) + kept > RESIDENT_BYTES {
            self.shared.make_room(self);
        }
        if kept > 0
            && self.shared.kept_bytes.load(Ordering::Relaxed) + kept > RESIDENT_BYTES
            && slot.drop_pages().is_err()
        {
            return;
        }
        self.shared.kept_bytes.fetch_add(slot.kept_bytes(), Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.free.put(slot);
    }

    fn empty(&self) {
        for slot in self.free.drain() {
            self.count.fetch_sub(1, Ordering::Relaxed);
            self.shared.kept_bytes.fetch_sub(slot.kept_bytes(), Ordering::Relaxed);
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.empty();
    }
}

impl Shared {
    /// Unmaps the free slots of the image that was used least, unless it is this one.
    fn make_room(&self, home: &Home) {
        let mut homes: Vec<_> = {
            let homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
            homes.iter().filter_map(Weak::upgrade).collect()
        };
        homes.retain(|other| other.count.load(Ordering::Relaxed) > 0);
        let uses = |home: &Home| home.used.swap(0, Ordering::Relaxed);
        if let Some(idle) = homes.iter().min_by_key(|other| uses(other))
            && !std::ptr::eq(&**idle, home)
        {
            idle.empty();
        }
    }
}

impl Slot {
    fn kept_bytes(&self) -> usize {
        self.kept.count() * page_bytes()
    }

    /// Prepares it for its next job. Protecting all of it takes half a millisecond, which only pays from the second on.
    fn prepare(&mut self) {
        self.jobs += 1;
        if self.jobs == 1
            && self.tracking == Tracking::Protection
            && let Err(error) = self.space.protect()
        {
            tracing::warn!(%error, "memory cannot be protected");
            self.tracking = Tracking::None;
        }
    }

    /// Makes its memory what the image is.
    fn reset(&mut self) -> io::Result<()> {
        if self.jobs == 0 || self.tracking == Tracking::None {
            return self.space.discard();
        }
        let mut pages = Restoring::new(&mut self.kept, SLOT_BYTES_MAX / page_bytes());
        self.space.restore(&mut pages)?;
        self.vain += pages.unchanged;
        if self.kept_bytes() > SLOT_BYTES_MAX {
            return self.drop_pages();
        }
        match self.tracking {
            Tracking::Protection if self.vain > VAIN_MAX => {
                self.vain = 0;
                self.space.protect()
            }
            Tracking::Present if self.vain > VAIN_PRESENT_MAX || self.jobs.is_multiple_of(PRESENT_JOBS) => {
                self.drop_pages()
            }
            _ => Ok(()),
        }
    }

    fn drop_pages(&mut self) -> io::Result<()> {
        self.kept.clear();
        self.vain = 0;
        self.space.discard()?;
        // What is not there and not protected counts as written.
        if self.tracking == Tracking::Protection && self.jobs > 0 { self.space.protect() } else { Ok(()) }
    }
}

/// Returns which bytes of a memory are not those of its image, in ranges of whole pages.
pub(crate) fn changed(content: &Content, memory: &[u8]) -> Vec<Range<usize>> {
    let page = page_bytes();
    let touched = mapping::touched(memory).unwrap_or_else(|| std::iter::once(0..memory.len()).collect());
    let mut changed: Vec<Range<usize>> = Vec::new();
    for start in touched.into_iter().flat_map(|range| range.step_by(page)) {
        let end = (start + page).min(memory.len());
        if pages::is_original(content.bytes(), start, &memory[start..end]) {
            continue;
        }
        match changed.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => changed.push(start..end),
        }
    }
    changed
}

/// Maps the content of an image that lies in a file, which nobody changes.
pub(crate) fn content(file: File, offset: u64, length: usize) -> io::Result<Content> {
    Content::map(file, offset, length)
}

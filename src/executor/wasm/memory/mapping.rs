//! Address space of jobs: the one module that maps memory, and hands its addresses to wasmtime.
//!
//! # Why this is sound
//!
//! - A [`Space`] owns the addresses from its guard before to its guard behind: they come from one `mmap` and go with one
//!   `munmap`, in its `Drop`. Whatever else is mapped is mapped over a part of them. Nobody else has the addresses but the
//!   linear memory that wasmtime has of it, and wasmtime drops that, with the store, before the space is looked at here:
//!   [`Lent`] has the space as its own field, and gives it back in its `Drop`. So methods that take `&mut self` may write.
//! - Compiled code reaches 4 GiB and a guard from the base, without a check. All of that is reserved for as long as the
//!   space lives: the content and what was grown is readable and writable, the rest is `PROT_NONE`, where an access traps.
//!   The base never moves. [`Space::map`] refuses less than wasmtime asks for.
//! - The content is a private mapping of a file that nobody changes (see `image::deserialize`, whose file it is): writes
//!   go to copies of its pages, which nothing else sees. `MADV_DONTNEED` drops the copies, and the content is there again.
//! - What a job wrote is gone after [`Space::discard`], whatever it was, as that drops every page; memory beyond the content
//!   is dropped after each job, by mapping over it. [`Space::restore`] keeps pages instead, and takes from the kernel which
//!   may have been written. With write protection that is every page but those that have been protected and not been
//!   written since (a page that was swapped out keeps its mark), without it every page, in memory or swapped out, that is not the
//!   file's. Each that is named is compared with the content, so that one too many is only time, and none too few can
//!   be: a page that is neither in the list nor protected has not been touched, and one that is protected was equal to the
//!   content when it was, as protecting comes right after restoring, with nothing in between that writes.
//! - A process that forks does not have these mappings in its child (`MADV_DONTFORK`), where the kernel would be asked of
//!   the parent's pages.
//! - Stacks are mapped like that as well: a guard below, one owner, unmapped once.

use super::{Home, Slot, pages, stacks};
use rustix::{
    fd::OwnedFd,
    io,
    ioctl::{self, Updater, opcode},
    mm::{self, Advice, MapFlags, MprotectFlags, ProtFlags, UserfaultfdFlags},
};
use std::{
    ffi::c_void,
    fs::File,
    ops::Range,
    ptr::{self, NonNull},
    sync::{Arc, LazyLock},
};
use wasmtime::{LinearMemory, MemoryCreator, MemoryType, StackCreator, StackMemory};

/// Returns the size of a page of memory.
pub(super) fn page_bytes() -> usize {
    rustix::param::page_size()
}

/// Addresses that are unmapped when this goes.
struct Reserved {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: addresses, which are as good on one thread as on another; who may use them when is said above.
unsafe impl Send for Reserved {}
// SAFETY: as above.
unsafe impl Sync for Reserved {}

impl Reserved {
    fn new(length: usize, protection: ProtFlags) -> io::Result<Reserved> {
        // SAFETY: a mapping at a place of the kernel's choice touches no other.
        let start = unsafe {
            mm::mmap_anonymous(ptr::null_mut(), length, protection, MapFlags::PRIVATE | MapFlags::NORESERVE)?
        };
        NonNull::new(start.cast()).map(|start| Reserved { start, length }).ok_or(io::Errno::NOMEM)
    }

    fn of_file(file: &File, offset: u64, length: usize) -> io::Result<Reserved> {
        // SAFETY: as above; the file is not changed while it is mapped.
        let start = unsafe { mm::mmap(ptr::null_mut(), length, ProtFlags::READ, MapFlags::PRIVATE, file, offset)? };
        NonNull::new(start.cast()).map(|start| Reserved { start, length }).ok_or(io::Errno::NOMEM)
    }

    /// Returns the address of a range that lies inside.
    fn at(&self, range: &Range<usize>) -> *mut c_void {
        assert!(range.start <= range.end && range.end <= self.length, "{range:?} of {}", self.length);
        self.start.as_ptr().wrapping_add(range.start).cast()
    }

    fn protect(&mut self, range: &Range<usize>, flags: MprotectFlags) -> io::Result<()> {
        // SAFETY: the range lies inside of what is ours.
        unsafe { mm::mprotect(self.at(range), range.len(), flags) }
    }

    fn advise(&mut self, range: &Range<usize>, advice: Advice) -> io::Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        // SAFETY: the range lies inside of what is ours; no reference into it outlives a borrow of it.
        unsafe { mm::madvise(self.at(range), range.len(), advice) }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        // SAFETY: it is ours, all of it, and this is its end.
        if let Err(error) = unsafe { mm::munmap(self.start.as_ptr().cast(), self.length) } {
            tracing::error!(%error, "cannot give address space back");
        }
    }
}

/// The bytes that a memory starts with, in a file.
pub(crate) struct Content {
    file: File,
    offset: u64,
    mapped: Reserved,
}

impl Content {
    /// Maps `length` bytes of a file, which nobody may change. Both numbers are multiples of a page.
    pub(super) fn map(file: File, offset: u64, length: usize) -> io::Result<Content> {
        let mapped = Reserved::of_file(&file, offset, length)?;
        Ok(Content { file, offset, mapped })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: mapped, readable and of this length for as long as `self`, and the file does not change.
        unsafe { std::slice::from_raw_parts(self.mapped.start.as_ptr(), self.mapped.length) }
    }
}

/// Address space for one memory, with the content in it.
pub(super) struct Space {
    reserved: Reserved,
    content: Arc<Content>,
    /// What precedes the base.
    guard: usize,
    /// What can be reached from the base.
    capacity: usize,
    /// What a memory starts with.
    minimum: usize,
    /// What is accessible.
    size: usize,
    is_registered: bool,
}

impl Space {
    /// Reserves `capacity` bytes with a guard on both sides, and maps the content at the base.
    pub(super) fn map(content: &Arc<Content>, minimum: usize, capacity: usize, guard: usize) -> io::Result<Space> {
        let page = page_bytes();
        let length = content.bytes().len();
        if [minimum, capacity, guard].iter().any(|number| number % page != 0) || length > minimum || minimum > capacity
        {
            return Err(io::Errno::INVAL);
        }
        let mut reserved = Reserved::new(guard + capacity + guard, ProtFlags::empty())?;
        reserved.advise(&(0..guard + capacity + guard), Advice::LinuxDontFork)?;
        let (protection, flags) =
            (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE);
        if length > 0 {
            let at = reserved.at(&(guard..guard + length));
            // SAFETY: it replaces a part of what has just been reserved, and is unmapped with it.
            unsafe { mm::mmap(at, length, protection, flags, &content.file, content.offset)? };
            reserved.advise(&(guard..guard + length), Advice::LinuxDontFork)?;
        }
        if minimum > length {
            reserved.protect(&(guard + length..guard + minimum), MprotectFlags::READ | MprotectFlags::WRITE)?;
        }
        let content = Arc::clone(content);
        Ok(Space { reserved, content, guard, capacity, minimum, size: minimum, is_registered: false })
    }

    /// Returns whether a memory of this size and reach fits into it.
    pub(super) fn fits(&self, minimum: usize, capacity: usize) -> bool {
        self.minimum == minimum && self.capacity >= capacity
    }

    /// Makes more of it accessible.
    pub(super) fn grow_to(&mut self, size: usize) -> io::Result<()> {
        let size_in_pages = size.next_multiple_of(page_bytes());
        if size_in_pages > self.capacity {
            return Err(io::Errno::NOMEM);
        }
        if size_in_pages > self.size {
            let added = self.guard + self.size..self.guard + size_in_pages;
            self.reserved.protect(&added, MprotectFlags::READ | MprotectFlags::WRITE)?;
            self.size = size_in_pages;
        }
        Ok(())
    }

    /// Returns it to the size that it started with, and what was beyond to the system.
    pub(super) fn shrink(&mut self) -> io::Result<()> {
        if self.size > self.minimum {
            let grown = self.guard + self.minimum..self.guard + self.size;
            let flags = MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE;
            // SAFETY: it replaces a part of what is ours, which nobody uses any more.
            unsafe { mm::mmap_anonymous(self.reserved.at(&grown), grown.len(), ProtFlags::empty(), flags)? };
            self.reserved.advise(&grown, Advice::LinuxDontFork)?;
            self.size = self.minimum;
        }
        Ok(())
    }

    /// Returns what a job can reach.
    #[cfg(test)]
    pub(super) fn accessible(&mut self) -> &mut [u8] {
        let range = self.guard..self.guard + self.size;
        // SAFETY: accessible, of this length, and `&mut self` says that nobody else has it.
        unsafe { std::slice::from_raw_parts_mut(self.reserved.at(&range).cast(), range.len()) }
    }

    /// Does to the pages what happens when memory is scarce.
    #[cfg(test)]
    pub(super) fn reclaim(&mut self) -> io::Result<()> {
        let range = self.guard..self.guard + self.size;
        self.reserved.advise(&range, Advice::LinuxPageOut)
    }

    fn initial(&self) -> Range<usize> {
        self.guard..self.guard + self.minimum
    }

    /// Drops every page, so that the content is there again.
    pub(super) fn discard(&mut self) -> io::Result<()> {
        self.shrink()?;
        self.reserved.advise(&self.initial(), Advice::LinuxDontNeed)
    }

    /// Has the kernel note which pages are written from now on.
    pub(super) fn protect(&mut self) -> io::Result<()> {
        let Some(userfault) = &KERNEL.userfault else { return Err(io::Errno::NOSYS) };
        let initial = self.initial();
        let (start, length) = (self.reserved.at(&initial).addr() as u64, initial.len() as u64);
        if !self.is_registered {
            let mut register = UffdRegister { start, length, mode: UFFD_MODE_WP, ioctls: 0 };
            // SAFETY: the structure is the one of this request; the range is ours, and nobody waits for its faults, which
            // the kernel handles itself (`UFFD_FEATURE_WP_ASYNC`).
            unsafe { ioctl::ioctl(userfault, Updater::<UFFDIO_REGISTER, _>::new(&mut register))? };
            self.is_registered = true;
            let mut protect = UffdProtect { start, length, mode: UFFD_PROTECT };
            // SAFETY: as above.
            return unsafe { ioctl::ioctl(userfault, Updater::<UFFDIO_WRITEPROTECT, _>::new(&mut protect)) };
        }
        let mut scan = Scan::new(start, start + length);
        scan.flags = SCAN_PROTECT | SCAN_CHECK;
        scan.category_mask = WRITTEN;
        scan.return_mask = WRITTEN;
        scan.run()
    }

    /// Restores every page that may have been written since it was protected, or, where the kernel does not protect, that
    /// is no longer the file's.
    pub(super) fn restore(&mut self, pages: &mut pages::Restoring) -> io::Result<()> {
        self.shrink()?;
        let initial = self.initial();
        let base = self.reserved.at(&initial).addr();
        let (mut start, end) = (base as u64, (base + self.minimum) as u64);
        let mut regions = [Region::default(); REGIONS];
        while start < end {
            let mut scan = Scan::new(start, end);
            if self.is_registered {
                scan.flags = SCAN_CHECK;
                scan.category_mask = WRITTEN;
                scan.return_mask = WRITTEN;
            } else {
                scan.only_own_pages();
            }
            let found = scan.run_into(&mut regions)?;
            for region in found {
                let (from, to) = (region.start as usize - base, region.end as usize - base);
                let range = self.guard + from..self.guard + to;
                // SAFETY: `at` has checked the range, which lies in what is accessible; `&mut self` says that nobody else
                // has it.
                let memory = unsafe { std::slice::from_raw_parts_mut(self.reserved.at(&range).cast(), range.len()) };
                pages.restore(self.content.bytes(), from, memory);
            }
            if scan.walk_end <= start {
                return Err(io::Errno::IO);
            }
            start = scan.walk_end;
        }
        Ok(())
    }
}

/// A memory that an instance has: a slot that goes home with it.
pub(super) struct Lent {
    slot: Option<Slot>,
    home: Arc<Home>,
    bytes: usize,
}

impl Lent {
    fn space(&self) -> &Space {
        // It is taken in `Drop` alone.
        &self.slot.as_ref().expect("a memory in use has its slot").space
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.home.put(slot);
        }
    }
}

// SAFETY: see the top of this file. The size is what was asked for, the memory accessible up to it, and all else up to
// capacity and guard reserved.
unsafe impl LinearMemory for Lent {
    fn byte_size(&self) -> usize {
        self.bytes
    }

    fn byte_capacity(&self) -> usize {
        self.space().capacity
    }

    fn grow_to(&mut self, size: usize) -> wasmtime::Result<()> {
        let slot = self.slot.as_mut().expect("a memory in use has its slot");
        slot.space.grow_to(size)?;
        self.bytes = size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        let space = self.space();
        space.reserved.at(&(space.guard..space.guard)).cast()
    }
}

/// Makes memories with the content of an image.
pub(super) struct Creator(pub(super) Arc<Home>);

// SAFETY: see the top of this file. The memory is not zero at first, but as wasmtime's own is that starts with an image:
// the module that it is for has no data, and starts from this content.
unsafe impl MemoryCreator for Creator {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let Some(capacity) = reserved else { return Err("a memory without a size to reserve".to_owned()) };
        let slot = self.0.take(minimum, capacity, guard).map_err(|error| format!("cannot map memory: {error}"))?;
        Ok(Box::new(Lent { slot: Some(slot), home: Arc::clone(&self.0), bytes: minimum }))
    }
}

/// Address space for a stack.
pub(super) struct StackSpace {
    reserved: Reserved,
    guard: usize,
}

impl StackSpace {
    fn map(size: usize) -> io::Result<StackSpace> {
        let guard = page_bytes().max(64 << 10);
        let size = size.next_multiple_of(page_bytes());
        let mut reserved = Reserved::new(guard + size, ProtFlags::READ | ProtFlags::WRITE)?;
        reserved.advise(&(0..guard + size), Advice::LinuxDontFork)?;
        reserved.protect(&(0..guard), MprotectFlags::empty())?;
        Ok(StackSpace { reserved, guard })
    }

    pub(super) fn size(&self) -> usize {
        self.reserved.length - self.guard
    }

    /// Makes all of it zero, the last `kept` bytes by writing, which keeps their pages.
    pub(super) fn clear(&mut self, kept: usize) -> io::Result<()> {
        let end = self.reserved.length;
        let kept = end - kept.min(self.size()).next_multiple_of(page_bytes());
        self.reserved.advise(&(self.guard..kept), Advice::LinuxDontNeed)?;
        // SAFETY: accessible, ours alone, and any bytes are bytes.
        unsafe { ptr::write_bytes(self.reserved.at(&(kept..end)).cast::<u8>(), 0, end - kept) };
        Ok(())
    }
}

struct LentStack {
    space: Option<StackSpace>,
    home: Arc<stacks::Stacks>,
}

impl LentStack {
    fn space(&self) -> &StackSpace {
        self.space.as_ref().expect("a stack in use has its space")
    }
}

impl Drop for LentStack {
    fn drop(&mut self) {
        if let Some(space) = self.space.take() {
            self.home.put(space);
        }
    }
}

// SAFETY: the range is accessible, of whole pages, zero, and preceded by a guard; it lives as long as this.
unsafe impl StackMemory for LentStack {
    fn top(&self) -> *mut u8 {
        self.range().end as *mut u8
    }

    fn range(&self) -> Range<usize> {
        let space = self.space();
        let start = space.reserved.start.as_ptr().addr();
        start + space.guard..start + space.reserved.length
    }

    fn guard_range(&self) -> Range<*mut u8> {
        let start = self.space().reserved.start.as_ptr();
        start..start.wrapping_add(self.space().guard)
    }
}

/// Makes stacks, of those that are free.
pub(super) struct StackMaker(pub(super) Arc<stacks::Stacks>);

// SAFETY: stacks are as `StackMemory` for `LentStack` says.
unsafe impl StackCreator for StackMaker {
    fn new_stack(&self, size: usize, _zeroed: bool) -> wasmtime::Result<Box<dyn StackMemory>> {
        let space = match self.0.take(size) {
            Some(space) => space,
            None => StackSpace::map(size)?,
        };
        Ok(Box::new(LentStack { space: Some(space), home: Arc::clone(&self.0) }))
    }
}

/// Says how the kernel tells which pages of a space were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tracking {
    /// It does not.
    None,
    /// By the pages that are present and no file's: written once, for as long as they are kept.
    Present,
    /// By write protection, which goes with the first write.
    Protection,
}

impl Tracking {
    /// Returns the best that there is here.
    pub(super) fn best() -> Tracking {
        match (&KERNEL.pagemap, &KERNEL.userfault) {
            (None, _) => Tracking::None,
            (Some(_), None) => Tracking::Present,
            (Some(_), Some(_)) => Tracking::Protection,
        }
    }
}

/// Returns the ranges of accessible memory that may have been written, in bytes from its start; `None` when the kernel does
/// not tell.
pub(super) fn touched(memory: &[u8]) -> Option<Vec<Range<usize>>> {
    let base = memory.as_ptr().addr();
    let (mut start, end) = (base as u64, (base + memory.len()) as u64);
    let mut touched = Vec::new();
    let mut regions = [Region::default(); REGIONS];
    while start < end {
        let mut scan = Scan::new(start, end);
        scan.only_own_pages();
        for region in scan.run_into(&mut regions).ok()? {
            touched.push(region.start as usize - base..region.end as usize - base);
        }
        if scan.walk_end <= start {
            return None;
        }
        start = scan.walk_end;
    }
    Some(touched)
}

struct Kernel {
    pagemap: Option<File>,
    userfault: Option<OwnedFd>,
}

static KERNEL: LazyLock<Kernel> = LazyLock::new(|| {
    let pagemap = File::open("/proc/self/pagemap").ok();
    let pagemap = pagemap.filter(|file| {
        let mut probe = Scan::new(0, 0);
        probe.category_mask = PRESENT;
        probe.run_on(file, &mut []).is_ok()
    });
    Kernel { userfault: pagemap.is_some().then(userfault).flatten(), pagemap }
});

/// Opens what protects pages from writing without anybody being told, if the kernel has it and lets us.
fn userfault() -> Option<OwnedFd> {
    let flags = UserfaultfdFlags::CLOEXEC | UserfaultfdFlags::from_bits_retain(UFFD_USER_MODE_ONLY);
    // SAFETY: only ranges of ours are ever registered with it.
    let userfault = unsafe { mm::userfaultfd(flags) }.ok()?;
    let mut api = UffdApi { api: UFFD_API, features: UFFD_FEATURES, ioctls: 0 };
    // SAFETY: the structure is the one of this request.
    unsafe { ioctl::ioctl(&userfault, Updater::<UFFDIO_API, _>::new(&mut api)) }.ok()?;
    Some(userfault)
}

/// Regions that are asked for at once.
const REGIONS: usize = 256;

/// `struct page_region` of `linux/fs.h`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    regions: u64,
    regions_length: u64,
    pages_max: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

const PAGEMAP_SCAN: ioctl::Opcode = opcode::read_write::<Scan>(b'f', 16);
const SCAN_PROTECT: u64 = 1 << 0;
/// Fails where pages are not write-protected without anybody being told.
const SCAN_CHECK: u64 = 1 << 1;
const WRITTEN: u64 = 1 << 1;
const FILE: u64 = 1 << 2;
const PRESENT: u64 = 1 << 3;
const SWAPPED: u64 = 1 << 4;
const ZERO: u64 = 1 << 5;

impl Scan {
    fn new(start: u64, end: u64) -> Scan {
        Scan { size: size_of::<Scan>() as u64, start, end, ..Scan::default() }
    }

    /// Asks for pages that are neither the file's nor the kernel's one of zeros, in memory or not: one that is moved or
    /// swapped out counts as swapped.
    fn only_own_pages(&mut self) {
        self.category_inverted = FILE | ZERO;
        self.category_mask = FILE | ZERO;
        self.category_anyof_mask = PRESENT | SWAPPED;
    }

    fn run(&mut self) -> io::Result<()> {
        let Some(pagemap) = &KERNEL.pagemap else { return Err(io::Errno::NOSYS) };
        self.run_on(pagemap, &mut []).map(|_| ())
    }

    fn run_into<'a>(&mut self, regions: &'a mut [Region]) -> io::Result<&'a [Region]> {
        let Some(pagemap) = &KERNEL.pagemap else { return Err(io::Errno::NOSYS) };
        let found = self.run_on(pagemap, regions)?;
        regions.get(..found).ok_or(io::Errno::IO)
    }

    fn run_on(&mut self, pagemap: &File, regions: &mut [Region]) -> io::Result<usize> {
        if !regions.is_empty() {
            self.regions = regions.as_mut_ptr().addr() as u64;
            self.regions_length = regions.len() as u64;
        }
        // SAFETY: the structure is the one of this request; the regions are borrowed until it returns.
        unsafe { ioctl::ioctl(pagemap, ScanRequest(self)) }
    }
}

/// The request, which returns how many regions it found.
struct ScanRequest<'a>(&'a mut Scan);

// SAFETY: the request reads and writes the structure, and the regions that it points to, and nothing else of ours.
unsafe impl ioctl::Ioctl for ScanRequest<'_> {
    type Output = usize;

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> ioctl::Opcode {
        PAGEMAP_SCAN
    }

    fn as_ptr(&mut self) -> *mut c_void {
        ptr::from_mut(self.0).cast()
    }

    unsafe fn output_from_ptr(found: ioctl::IoctlOutput, _: *mut c_void) -> io::Result<usize> {
        usize::try_from(found).map_err(|_| io::Errno::IO)
    }
}

/// `struct uffdio_api` of `linux/userfaultfd.h`.
#[repr(C)]
struct UffdApi {
    api: u64,
    features: u64,
    ioctls: u64,
}

/// `struct uffdio_register`.
#[repr(C)]
struct UffdRegister {
    start: u64,
    length: u64,
    mode: u64,
    ioctls: u64,
}

/// `struct uffdio_writeprotect`.
#[repr(C)]
struct UffdProtect {
    start: u64,
    length: u64,
    mode: u64,
}

const UFFD_USER_MODE_ONLY: u32 = 1;
const UFFD_API: u64 = 0xaa;
/// Protection of shared memory and of pages that are not there, and by the kernel alone.
const UFFD_FEATURES: u64 = 1 << 12 | 1 << 13 | 1 << 15;
const UFFD_MODE_WP: u64 = 1 << 1;
const UFFD_PROTECT: u64 = 1 << 0;
const UFFDIO_API: ioctl::Opcode = opcode::read_write::<UffdApi>(0xaa, 0x3f);
const UFFDIO_REGISTER: ioctl::Opcode = opcode::read_write::<UffdRegister>(0xaa, 0x00);
const UFFDIO_WRITEPROTECT: ioctl::Opcode = opcode::read_write::<UffdProtect>(0xaa, 0x06);

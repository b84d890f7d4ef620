//! What a job costs its host: memory, disk, descriptors, and time in one piece. For a process that runs nothing else.

use std::{
    fs,
    future::Future,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Beyond the job's own memory: what the host keeps for it, code of the interpreter that it came to use, and results.
pub const MEMORY_BYTES: u64 = 64 << 20;
/// Longest time on the processor between two looks at the clock, and after the deadline.
pub const PIECE: Duration = Duration::from_millis(100);
/// What the process keeps for the next jobs.
pub const KEPT_BYTES: u64 = 64 << 20;
const SAMPLES_EVERY: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(10);
const BLOCK_BYTES: u64 = 4096;

/// What a job may cost.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub memory_bytes: u64,
    pub disk_bytes: u64,
    pub files: u64,
}

/// Watches this process while it runs one job. Its temporary folder must be its own.
pub struct Watch {
    resident: u64,
    descriptors: usize,
    disk: Sampler,
}

impl Watch {
    /// Begins with the process as it is now.
    pub fn begin() -> Watch {
        // From here on the peak is that of the job.
        fs::write("/proc/self/clear_refs", "5").expect("Linux");
        Watch { resident: status("VmRSS"), descriptors: descriptors(), disk: Sampler::start(std::env::temp_dir()) }
    }

    /// Says what cost more than it may, when the job has ended and nothing of it is held any more.
    pub fn end(self, bounds: Bounds, times: &Times) -> Vec<String> {
        let mut found = Vec::new();
        let Watch { resident, descriptors: open, disk } = self;
        let peak = status("VmHWM").saturating_sub(resident);
        let most = bounds.memory_bytes + MEMORY_BYTES;
        if peak > most {
            found.push(format!("memory: the process grew by {} MiB, its job may have {}", peak >> 20, most >> 20));
        }
        let most = bounds.disk_bytes + bounds.disk_bytes / 10 + bounds.files * BLOCK_BYTES;
        let disk = disk.stop();
        if disk > most {
            found.push(format!("disk: its folders took {} MiB of {}", disk >> 20, most >> 20));
        }
        let left = soon(|| (descriptors() <= open).then_some(()));
        if left.is_none() {
            found.push(format!("descriptors: {} are open, {open} were before", descriptors()));
        }
        if soon(|| folders().is_empty().then_some(())).is_none() {
            found.push(format!("folders: {:?} are left", folders()));
        }
        if times.longest > PIECE {
            found.push(format!("time: it ran for {:?} in one piece", times.longest));
        }
        if times.late > PIECE {
            found.push(format!("time: it ran for {:?} after its deadline", times.late));
        }
        found
    }
}

/// Says how much more than before the process keeps in memory, if that is too much.
pub fn kept_since(before: u64) -> Option<String> {
    let kept = || anonymous().saturating_sub(before);
    let gone = soon(|| (kept() <= KEPT_BYTES).then_some(()));
    gone.is_none().then(|| format!("memory: {} MiB are kept", kept() >> 20))
}

/// Anonymous memory of this process.
pub fn anonymous() -> u64 {
    status("RssAnon")
}

fn soon<T>(look: impl Fn() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if began.elapsed() > PATIENCE {
            return None;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn status(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).expect("a field");
    value.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") << 10
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("Linux").count()
}

fn folders() -> Vec<String> {
    let entries = fs::read_dir(std::env::temp_dir()).expect("readable").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("pyexec-job-")).collect()
}

/// Looks again and again how much is on the disk, with files that are open and have no name any more.
struct Sampler {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Sampler {
    fn start(folder: PathBuf) -> Sampler {
        let ended = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            let mut most = 0;
            while !is_over.load(Ordering::Relaxed) {
                let began = Instant::now();
                most = most.max(on_disk(&folder) + without_name(&folder));
                // Most of the time is the job's.
                thread::sleep(SAMPLES_EVERY.max(10 * began.elapsed()));
            }
            most
        });
        Sampler { ended, thread }
    }

    fn stop(self) -> u64 {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic")
    }
}

fn on_disk(folder: &Path) -> u64 {
    // As deep as paths go; what is deeper is folders only, or was counted on its way there.
    let (mut total, mut pending) = (0, vec![folder.to_owned()]);
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            // It may go meanwhile.
            let Ok(metadata) = entry.metadata() else { continue };
            let links = if metadata.is_dir() { 1 } else { metadata.nlink().max(1) };
            total += metadata.blocks() * 512 / links;
            if metadata.is_dir() {
                pending.push(entry.path());
            }
        }
    }
    total
}

fn without_name(folder: &Path) -> u64 {
    let mut seen = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        let Ok(metadata) = fs::metadata(entry.path()) else { continue };
        if target.starts_with(folder) && metadata.nlink() == 0 && metadata.is_file() {
            seen.push((metadata.ino(), metadata.blocks() * 512));
        }
    }
    seen.sort_unstable();
    seen.dedup();
    seen.into_iter().map(|(_, bytes)| bytes).sum()
}

/// How long a future ran, in time of the processor: a busy machine makes no difference to it.
#[derive(Debug, Default)]
pub struct Times {
    /// Between two chances for others on the thread.
    pub longest: Duration,
    /// From the last chance before the deadline to its end.
    pub late: Duration,
}

/// Polls a future, and notes in `Times` what it takes.
pub struct Timed<F> {
    future: Pin<Box<F>>,
    deadline: Instant,
    times: Arc<Mutex<Times>>,
    /// Time on the processor when the deadline came.
    at_deadline: Option<Duration>,
    /// Does something bad at each poll, and says whether the future is polled, in tests of the tests.
    pub at_poll: fn(late: Duration) -> bool,
}

impl<F: Future> Timed<F> {
    pub fn new(future: F, deadline: Duration) -> (Timed<F>, Arc<Mutex<Times>>) {
        let times = Arc::<Mutex<Times>>::default();
        let deadline = Instant::now() + deadline;
        let timed = Timed {
            future: Box::pin(future),
            deadline,
            times: Arc::clone(&times),
            at_deadline: None,
            at_poll: |_| true,
        };
        (timed, times)
    }
}

impl<F: Future> Future for Timed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let before = on_processor();
        let goes_on = (self.at_poll)(self.deadline.elapsed());
        let polled = if goes_on { self.future.as_mut().poll(context) } else { Poll::Pending };
        if !goes_on {
            context.waker().wake_by_ref();
        }
        let after = on_processor();
        if self.at_deadline.is_none() && Instant::now() > self.deadline {
            self.at_deadline = Some(before);
        }
        let since = self.at_deadline;
        let mut times = self.times.lock().expect("not poisoned");
        times.longest = times.longest.max(after.saturating_sub(before));
        if let Some(since) = since {
            times.late = after.saturating_sub(since);
        }
        drop(times);
        polled
    }
}

/// What this thread has used.
pub fn on_processor() -> Duration {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = statistics.split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
    Duration::from_nanos(nanoseconds)
}

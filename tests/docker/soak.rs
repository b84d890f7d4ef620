//! Hundreds of jobs of all kinds, some dropped, with faults of the daemon in between; and what is left behind.

use super::{
    block_on, limits, memory_was_the_limit,
    pool::{idle, usual},
    stopped,
};
use crate::support::{
    docker::{Containers, containers_of, networks_of, without_docker},
    process::{Usage, usage},
    proxy::{Mode, Proxy},
};
use pyexec::{
    Job, Limits, Outcome, Result,
    executor::docker::Placement,
    outcome::{Ending, StopReason},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fs,
    process::Command,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

const JOBS: usize = 500;
const AT_ONCE: usize = 4;
const POOL: u32 = 2;
/// Jobs between two faults of the daemon.
const FAULT_EVERY: usize = 40;
const FAULT: Duration = Duration::from_millis(200);
const UNAVAILABLE: &str = "unavailable";
const FAULTS: [Mode; 5] = [Mode::Fail, Mode::Drop, Mode::DropAnswer, Mode::Cut, Mode::Hang];

/// In a process of its own, whose threads and files are counted.
#[test]
fn hundreds_of_mixed_jobs_with_faults_leave_nothing_behind() {
    const PART: &str = "docker::soak::hundreds_of_mixed_jobs_with_faults_leave_nothing_behind";
    if without_docker() {
        return;
    }
    if std::env::var_os("SOAK_OF_CONTAINERS").is_some() {
        return soak();
    }
    let temporary = tempfile::tempdir().expect("a folder");
    let part = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", PART, "--nocapture"])
        .env("SOAK_OF_CONTAINERS", "1")
        .env("TMPDIR", temporary.path())
        .output()
        .expect("starts");
    let said = [part.stdout, part.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(part.status.success(), "{said}");
    assert_eq!(fs::read_dir(temporary.path()).expect("a folder").count(), 0, "{said}");
    print!("{said}");
}

/// What becomes of a job when nothing is wrong with the daemon.
enum Expected {
    Printed(&'static str),
    Failed,
    File,
    MemoryLimit,
    TimeLimit,
    /// Nobody waits longer than this.
    Dropped(Duration),
}

fn soak() {
    let proxy = Proxy::start();
    let socket = proxy.socket().to_str().expect("a path").to_owned();
    block_on(async {
        let containers = Containers::new(|options| {
            (options.pool, options.slots) = (POOL, AT_ONCE as u32);
            options.socket = socket;
        });
        let soak = Soak { containers: containers.expect("Docker"), proxy: &proxy, faults: Cell::new((0, 0)) };
        // What is made on first use is there before anything is counted.
        soak.all(FAULT_EVERY).await;
        let before = soak.at_rest(None).await;
        let began = Instant::now();
        let seen = soak.all(JOBS).await;
        println!("{JOBS} jobs in {:?}: {seen:?}", began.elapsed());
        assert!(seen[UNAVAILABLE] < JOBS / 10, "{seen:?}");
        let after = soak.at_rest(Some(before)).await;
        println!("before {before:?}, after {after:?}");
        let Soak { containers, .. } = soak;
        let began = Instant::now();
        containers.executor().shutdown().await.expect("shut down");
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert_eq!((containers_of(&containers.instance).len(), networks_of(&containers.instance).len()), (0, 0));
    });
}

struct Soak<'a> {
    containers: Containers,
    proxy: &'a Proxy,
    /// How many faults have begun and ended.
    faults: Cell<(usize, usize)>,
}

impl Soak<'_> {
    /// Runs so many jobs, and counts what came of them.
    async fn all(&self, jobs: usize) -> BTreeMap<&'static str, usize> {
        let next = Cell::new(0);
        let seen = RefCell::new(BTreeMap::from([(UNAVAILABLE, 0)]));
        let workers = (0..AT_ONCE).map(|_| async {
            while next.get() < jobs {
                let at = next.replace(next.get() + 1);
                if at % FAULT_EVERY == FAULT_EVERY - 1 {
                    self.fault(FAULTS[at / FAULT_EVERY % FAULTS.len()]).await;
                }
                let came = self.one(at).await;
                *seen.borrow_mut().entry(came).or_default() += 1;
                if came == UNAVAILABLE {
                    // As a client that comes back later.
                    sleep(FAULT).await;
                }
            }
        });
        futures_util::future::join_all(workers).await;
        seen.into_inner()
    }

    async fn fault(&self, mode: Mode) {
        let (begun, ended) = self.faults.get();
        self.faults.set((begun + 1, ended));
        self.proxy.set(mode);
        sleep(FAULT).await;
        self.proxy.set(Mode::PassOn);
        let (begun, ended) = self.faults.get();
        self.faults.set((begun, ended + 1));
    }

    /// Runs the `at`-th job, checks what comes of it, and says what that was.
    async fn one(&self, at: usize) -> &'static str {
        let (job, placement, expected) = kind(at);
        let (_, ended) = self.faults.get();
        let running = self.containers.placed(job, placement);
        let came = match expected {
            Expected::Dropped(after) => match timeout(after, running).await {
                Ok(came) => came,
                Err(_) => return "dropped",
            },
            _ => running.await,
        };
        let (begun, _) = self.faults.get();
        check(at, &expected, came, begun > ended)
    }

    /// What there is when nothing runs. With `before`, waits until it is as it was then.
    async fn at_rest(&self, before: Option<Usage>) -> Usage {
        let began = Instant::now();
        loop {
            idle(&self.containers, POOL).await;
            let now = usage(std::process::id());
            let left = self.containers.left();
            let same = before.is_none_or(|before| now.files <= before.files && now.threads <= before.threads);
            // Threads for blocking calls end when they had nothing to do for ten seconds.
            let settled = before.is_some() || began.elapsed() > Duration::from_secs(11);
            if left.len() == POOL as usize && same && settled {
                return now;
            }
            assert!(began.elapsed() < Duration::from_secs(40), "{before:?} {now:?} {left:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

fn kind(at: usize) -> (Job, Placement, Expected) {
    const SLEEP: &str = "import time; time.sleep(60)";
    // Spread over the first half second, at moments that have nothing to do with the kinds.
    let moment = Duration::from_millis((at as u64 * 7919) % 500);
    let (job, expected) = match at % 20 {
        0 => (usual("1/0"), Expected::Failed),
        1 => (usual("import sys; sys.exit('no')"), Expected::Failed),
        2 => {
            let code = "import threading\nthread = threading.Thread(target=print, args=('in a thread',))\nthread.start()\nthread.join()";
            (usual(code), Expected::Printed("in a thread\n"))
        }
        3 => (usual("open('made.txt', 'w').write('made')").collect_files(true), Expected::File),
        4 if at % 40 == 24 => {
            let code = "import mmap\nm = mmap.mmap(-1, 1 << 30)\nfor i in range(0, 1 << 30, 4096): m[i] = 1";
            let small = limits(|limits| (limits.memory_bytes, limits.disk_bytes) = (64 << 20, 1 << 20));
            (Job::code(code).limits(small), Expected::MemoryLimit)
        }
        5 => {
            let short = Limits { wall_clock_ms: 300, ..Limits::default() };
            (Job::code(SLEEP).limits(short), Expected::TimeLimit)
        }
        6 => (usual("import os\nif os.fork(): print('parent')\nelse: os.setsid()"), Expected::Printed("parent\n")),
        7..=12 => (usual(SLEEP), Expected::Dropped(moment)),
        13 => (usual("print('dropped or not')"), Expected::Dropped(moment)),
        14 => (usual("print(input())").stdin("typed"), Expected::Printed("typed\n")),
        _ => (usual("print('hello')"), Expected::Printed("hello\n")),
    };
    let mut placement = Placement::default();
    placement.network = at % 100 == 77;
    (job, placement, expected)
}

fn check(at: usize, expected: &Expected, came: Result<Outcome>, faulty: bool) -> &'static str {
    let outcome = match came {
        Ok(outcome) => outcome,
        Err(error) if faulty && !error.is_invalid_job() => {
            let message = error.message();
            assert!(message.contains("Docker") || message.contains("container"), "{at}: {message}");
            return UNAVAILABLE;
        }
        Err(error) => panic!("{at}: {error:?}, without a fault"),
    };
    match expected {
        Expected::Printed(text) => {
            assert_eq!((outcome.success(), outcome.stdout.text.as_str()), (true, *text), "{at}: {outcome:#?}");
            "printed"
        }
        Expected::Failed => {
            assert_eq!(outcome.ending, Ending::Exited { exit_code: 1 }, "{at}: {outcome:#?}");
            "failed"
        }
        Expected::File => {
            let files: Vec<_> = outcome.files.iter().map(|file| (file.path.as_str(), &*file.content)).collect();
            assert_eq!(files, [("made.txt", b"made".as_slice())], "{at}: {outcome:#?}");
            "file"
        }
        // Whether it was for memory, the daemon alone knows.
        Expected::MemoryLimit if faulty && outcome.ending == (Ending::Exited { exit_code: 137 }) => "killed",
        Expected::MemoryLimit => {
            memory_was_the_limit(&outcome);
            "memory limit"
        }
        Expected::TimeLimit => {
            assert_eq!(outcome.ending, stopped(StopReason::TimeLimit), "{at}: {outcome:#?}");
            "time limit"
        }
        Expected::Dropped(_) => {
            assert_eq!(outcome.stdout.text, "dropped or not\n", "{at}: {outcome:#?}");
            "printed before it was dropped"
        }
    }
}

//! What jobs must not see of each other, and what they must give back.

use crate::support::pyexec;
use pyexec::{Event, Job, Limits, Pyexec, TierChoice};
use std::{
    fs,
    time::{Duration, Instant},
};

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") << 10
}

/// Every page of a job's memory is as in the snapshot, whatever the one before it left there, with pages reused or not.
#[test]
fn no_page_of_one_job_is_seen_by_the_next() {
    // Written all over the memory that a job can have, in values that no interpreter has by chance.
    let leave = "marker = bytes.fromhex('c0ffee' * 5 + 'badc0de5')\nkeep = [marker * 50_000 for _ in range(60)]\n\
                 small = [marker + b'%d' % i for i in range(100_000)]\n1/0";
    // Looks through all of its own memory; ctypes reads any address. The two halves of the needle never lie side by side.
    let look = "import ctypes\nhalf, end = bytes.fromhex('c0ffee' * 5), bytes.fromhex('badc0de5')\n\
                def count(data):\n    found, at = 0, data.find(end)\n    while at >= 0:\n        \
                found += data[max(at - 15, 0):at] == half\n        at = data.find(end, at + 1)\n    return found\n\
                print(count(ctypes.string_at(0x400, 28 << 20)))\n\
                fresh = bytearray(100 << 20)\nprint(fresh.count(0) == len(fresh))\n\
                print(count(ctypes.string_at(28 << 20, 40 << 20)))";
    for reuse in [true, false] {
        let pyexec = Pyexec::builder().slots(1).page_reuse(reuse).build().expect("the interpreter");
        for _ in 0..5 {
            let left = pyexec.run_blocking(Job::code(leave).tier(TierChoice::Wasm)).expect("an outcome");
            assert!(left.usage.peak_memory_bytes > 60 << 20, "the memory was written");
            let looked = pyexec.run_blocking(Job::code(look).tier(TierChoice::Wasm)).expect("an outcome");
            assert_eq!(looked.stdout.text, "0\nTrue\n0\n", "{}", looked.stderr.text);
        }
    }
}

#[test]
fn a_thousand_poisoned_jobs_leave_nothing() {
    let poison = "import builtins, sys, os, gc\nfor name in list(vars(builtins)):\n    try: delattr(builtins, name)\n    except: pass\n\
                  sys.modules.clear()";
    let look = "import sys, os, json\nprint(len(sys.argv), json.dumps({'a': [1]}), sorted(os.listdir('/tmp')))";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for _ in 0..1000 {
        runtime.block_on(pyexec().run(Job::code(poison).tier(TierChoice::Wasm))).expect("an outcome");
        let looked = runtime.block_on(pyexec().run(Job::code(look).tier(TierChoice::Wasm))).expect("an outcome");
        assert_eq!(looked.stdout.text, "1 {\"a\": [1]} []\n", "{}", looked.stderr.text);
    }
}

/// Slots, memory and files come back however a job ends. 2,000 futures dropped at random points.
#[test]
fn dropped_jobs_give_everything_back() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let pyexec = Pyexec::builder().slots(4).build().expect("the interpreter");
    let temporary = std::env::temp_dir();
    let count = || {
        let entries = fs::read_dir(&temporary).expect("readable").flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("pyexec-job-")).count()
    };
    let codes = [
        "while True: pass",
        "import time\ntime.sleep(60)",
        "open('f', 'w').write('x' * 100000)\nwhile True: print('y')",
    ];
    let before = count();
    let mut state = 12345u64;
    for i in 0..2000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let wait = Duration::from_micros(state >> 33 & 0x7ff);
        runtime.block_on(async {
            let _ = tokio::time::timeout(wait, pyexec.run(Job::code(codes[i % codes.len()]))).await;
        });
    }
    let descriptors = fs::read_dir("/proc/self/fd").expect("Linux").count();
    assert!(descriptors < 400, "{descriptors} descriptors are open");
    // Other tests run at the same time and have folders of their own.
    assert!(count() < before + 50, "folders are left behind");
    runtime.block_on(async {
        let jobs = (0..4).map(|_| pyexec.run(Job::code("print('ok')")));
        for outcome in futures_all(jobs).await {
            assert_eq!(outcome.expect("an outcome").stdout.text, "ok\n");
        }
    });
}

async fn futures_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut results = Vec::new();
    for future in futures {
        results.push(future.await);
    }
    results
}

/// 16 jobs at 90 % of their deadline, while neighbours are started and cancelled every 10 ms.
#[test]
fn cancelled_neighbours_do_not_disturb() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut jobs = Vec::new();
        for _ in 0..16 {
            let limits = Limits { wall_clock_ms: 3000, ..Limits::default() };
            let job = Job::code("import time\ntime.sleep(2.0)\nprint('finished')").limits(limits);
            jobs.push(tokio::spawn(async move { pyexec().run(job).await }));
        }
        let until = Instant::now() + Duration::from_millis(1800);
        while Instant::now() < until {
            let neighbour = pyexec().run(Job::code("while True: pass"));
            let _ = tokio::time::timeout(Duration::from_millis(10), neighbour).await;
        }
        for job in jobs {
            let outcome = job.await.expect("no panic").expect("an outcome");
            assert_eq!(outcome.stdout.text, "finished\n", "{outcome:?}");
        }
    });
}

/// Resident memory after jobs that touched much is what it was, within what slots may keep.
/// In a process of its own: other tests use memory too.
#[test]
fn memory_comes_back() {
    if std::env::var_os("ALONE").is_none() {
        pyexec();
        let alone = std::process::Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", "isolation::memory_comes_back", "--nocapture"])
            .env("ALONE", "1")
            .output()
            .expect("starts");
        assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stderr));
        return;
    }
    let pyexec = Pyexec::builder().slots(2).build().expect("the interpreter");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let run = |code: &'static str| {
        runtime.block_on(async { pyexec.run_observed(Job::code(code), |_: Event<'_>| ()).await.expect("an outcome") })
    };
    run("print(1)");
    let before = resident_bytes();
    for _ in 0..50 {
        assert!(run("x = b'x' * (200 << 20)\nprint(len(x))").success());
    }
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown <= 64 << 20, "{} MiB more are resident", grown >> 20);
}

/// Whatever a job leaves, under whatever name, comes back when it is asked for.
#[test]
fn files_of_the_project_folder_and_of_tmp_come_back() {
    let code = "import os\n\
                open('/tmp/report.csv', 'w').write('a,b')\n\
                os.makedirs('/tmp/deep/er'); open('/tmp/deep/er/x', 'w').write('x')\n\
                os.makedirs('/tmp/.cache/tool'); open('/tmp/.cache/tool/x', 'w').write('not asked for')\n\
                open('/mnt/data/made.txt', 'w').write(open('/mnt/data/main.py').readline())\n\
                os.symlink('/work/made.txt', '/tmp/link')\n\
                open(b'caf\\xe9.txt', 'w').write('bytes')\n\
                print(os.path.realpath('/mnt/data'), sorted(os.listdir('/mnt/data')) == sorted(os.listdir('/work')))\n\
                os.chdir('/mnt/data'); print(os.getcwd())";
    let job = Job::code(code).tier(TierChoice::Wasm).collect_files(true);
    let outcome = pyexec().run_blocking(job).expect("an outcome");
    assert_eq!((outcome.stdout.text.as_str(), outcome.stderr.text.as_str()), ("/work True\n/work\n", ""));
    let files: Vec<_> = outcome.files.iter().map(|file| (file.path.as_str(), &file.content[..])).collect();
    let expected: [(&str, &[u8]); 4] = [
        ("caf\\xe9.txt", b"bytes"),
        ("made.txt", b"import os\n"),
        ("/tmp/deep/er/x", b"x"),
        ("/tmp/report.csv", b"a,b"),
    ];
    assert_eq!(files, expected);
}

/// What is in an open folder is not kept on this side: with a listing for each of them, this would be 400 MB.
#[test]
fn open_folders_cost_the_host_nothing() {
    let code = "import os\nos.mkdir('d')\n\
                for i in range(3000): os.close(os.open(f\"d/{i:06}{'n' * 249}\", os.O_CREAT | os.O_WRONLY))\n\
                scans = []\n\
                for _ in range(900):\n    scans.append(os.scandir('d'))\n    next(scans[-1])\n\
                print(len(scans))";
    let pyexec = Pyexec::builder().slots(1).build().expect("the interpreter");
    pyexec.run_blocking(Job::code("import os; os.mkdir('d')").tier(TierChoice::Wasm)).expect("an outcome");
    let before = resident_bytes();
    let peak = std::thread::scope(|scope| {
        let job = scope.spawn(|| pyexec.run_blocking(Job::code(code).tier(TierChoice::Wasm)).expect("an outcome"));
        let mut peak = before;
        while !job.is_finished() {
            peak = peak.max(resident_bytes());
            std::thread::sleep(Duration::from_millis(2));
        }
        let outcome = job.join().expect("it ended");
        assert_eq!(outcome.stdout.text, "900\n", "{}", outcome.stderr.text);
        peak
    });
    assert!(peak < before + (150 << 20), "{} MB more than before", (peak - before) >> 20);
}

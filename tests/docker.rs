//! What the Docker tier adds to the contract: its walls as seen from inside, what must become of attacks on them, that
//! nothing is left, and faults of the daemon.

use crate::support::docker::Containers;
use pyexec::{
    Event, Job, Limits, Outcome, Project, Stdin,
    executor::docker::Placement,
    outcome::{Ending, LimitHit, StopReason},
};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

mod commands;
mod faults;
mod figures;
mod images;
mod layers;
mod leftovers;
mod network;
mod packages;
mod pool;
mod preload;
mod sessions;
mod soak;
mod stack;
mod versions;

/// Runs `test` with an executor of its own; when that ends, no container may be left.
fn with_docker<F: Future<Output = ()>>(test: impl FnOnce(Arc<Containers>) -> F) {
    let Some(containers) = Containers::new(|_| ()) else { return };
    block_on(test(Arc::new(containers)));
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(test);
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits =
        Limits { wall_clock_ms: 20_000, memory_bytes: 128 << 20, disk_bytes: 16 << 20, ..Limits::default() };
    change(&mut limits);
    limits
}

fn job(code: &str) -> Job {
    Job::code(code.to_owned()).limits(limits(|_| ()))
}

fn stopped(reason: StopReason) -> Ending {
    Ending::Stopped { reason }
}

async fn stdout(containers: &Containers, code: &str) -> String {
    let outcome = containers.run(job(code)).await;
    assert!(outcome.success(), "{code}\n{outcome:#?}");
    outcome.stdout.text
}

#[test]
fn the_walls_are_seen_from_inside() {
    with_docker(async |containers| {
        let code = "import os, socket\n\
            status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n\
            print(*(status[name].strip() for name in ('CapEff', 'CapPrm', 'CapBnd', 'NoNewPrivs', 'Seccomp')))\n\
            print(os.getuid() in range(20000, 60000), os.getgid() == os.getuid(), [name for _, name in socket.if_nameindex()])\n\
            for path in ('/x', '/usr/x', '/etc/x', '/dev/x', '/proc/sys/kernel/x'):\n\
            \x20   try: open(path, 'w'); print('written', path)\n\
            \x20   except OSError: pass\n\
            print(os.path.exists('/var/run/docker.sock'), sorted(name for name in os.environ if name.startswith('PYEXEC')))";
        assert_eq!(
            stdout(&containers, code).await,
            "0000000000000000 0000000000000000 0000000000000000 1 2\nTrue True ['lo']\nFalse []\n"
        );
    });
}

#[test]
fn dangerous_system_calls_are_refused() {
    with_docker(async |containers| {
        let code = "import ctypes, errno, os, socket\n\
            libc = ctypes.CDLL(None, use_errno=True)\n\
            calls = dict(ptrace=101, mount=165, umount=166, pivot_root=155, chroot=161, unshare=272, setns=308, bpf=321, keyctl=250, add_key=248,\n\
            \x20   userfaultfd=323, perf_event_open=298, io_uring_setup=425, init_module=175, kexec_load=246, open_by_handle_at=304,\n\
            \x20   process_vm_readv=310, fsopen=430, clone_newuser=56)\n\
            for name, number in calls.items():\n\
            \x20   ctypes.set_errno(0)\n\
            \x20   result = libc.syscall(number, 0x10000011 if name == 'clone_newuser' else 0, 0, 0, 0, 0)\n\
            \x20   if result == 0 and name == 'clone_newuser': os._exit(9)\n\
            \x20   if result != -1 or ctypes.get_errno() != errno.EPERM: print(name, result, ctypes.get_errno())\n\
            for family in (socket.AF_PACKET, 40, 38):\n\
            \x20   try: print(socket.socket(family, socket.SOCK_RAW))\n\
            \x20   except OSError as e: assert e.errno == errno.EPERM, e";
        if cfg!(target_arch = "x86_64") {
            assert_eq!(stdout(&containers, code).await, "");
        }
    });
}

#[test]
fn ordinary_programs_of_a_full_linux_work() {
    with_docker(async |containers| {
        let code = "import asyncio, ctypes, multiprocessing, os, sqlite3, ssl, subprocess, tempfile, threading\n\
            def work(n): return n * n\n\
            found = []\n\
            thread = threading.Thread(target=found.append, args=('thread',)); thread.start(); thread.join()\n\
            print(found, subprocess.run(['echo', 'child'], capture_output=True, text=True).stdout.strip())\n\
            with multiprocessing.Pool(2) as pool: print(pool.map(work, range(4)))\n\
            server, client = __import__('socket').socketpair(); client.send(b'x'); print(server.recv(1))\n\
            async def child():\n\
            \x20   process = await asyncio.create_subprocess_exec('sh', '-c', 'exit 3'); return await process.wait()\n\
            print(asyncio.run(child()), os.path.expanduser('~'), tempfile.gettempdir())";
        assert_eq!(stdout(&containers, code).await, "['thread'] child\n[0, 1, 4, 9]\nb'x'\n3 /tmp /tmp\n");
    });
}

#[test]
fn localhost_is_there_by_both_of_its_addresses() {
    with_docker(async |containers| {
        let code = "import errno, os, socket, threading\n\
            for host in ('localhost', '127.0.0.1', '::1'):\n\
            \x20   try: socket.create_connection((host, 9), 2)\n\
            \x20   except OSError as e: print(host, errno.errorcode[e.errno])\n\
            for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):\n\
            \x20   server = socket.create_server((host, 0), family=family)\n\
            \x20   client = socket.create_connection(('localhost', server.getsockname()[1]), 2)\n\
            \x20   server.accept()[0].send(b'hello'); print(client.recv(9))";
        let expected = "localhost ECONNREFUSED\n127.0.0.1 ECONNREFUSED\n::1 ECONNREFUSED\nb'hello'\nb'hello'\n";
        assert_eq!(stdout(&containers, code).await, expected);
        let mut networked = Placement::default();
        networked.network = true;
        let outcome = containers.placed(job(code), networked).await.expect("an outcome");
        assert_eq!(outcome.stdout.text, expected, "{}", outcome.stderr.text);
    });
}

#[test]
fn nothing_outside_is_reached() {
    with_docker(async |containers| {
        let code = "import socket\n\
            for address in (('1.1.1.1', 53), ('169.254.169.254', 80), ('172.17.0.1', 22), ('8.8.8.8', 443)):\n\
            \x20   try: socket.create_connection(address, 2); print('reached', address)\n\
            \x20   except OSError as e: pass\n\
            try: socket.getaddrinfo('example.com', 80); print('resolved')\n\
            except OSError: pass";
        assert_eq!(stdout(&containers, code).await, "");
    });
}

#[test]
fn number_of_processes_is_limited() {
    with_docker(async |containers| {
        let threads = "import threading, time\nn = 0\ntry:\n    while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); n += 1\n\
                       except RuntimeError: print(50 < n < 128)";
        // Each has a stack, which counts as memory.
        let roomy = limits(|limits| limits.memory_bytes = 1 << 30);
        let outcome = containers.run(job(threads).limits(roomy)).await;
        assert_eq!(outcome.stdout.text, "True\n", "{outcome:#?}");
        assert_eq!(outcome.limits_hit, [LimitHit::Processes], "the script survived, and yet it is told");
        let bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass";
        let outcome = containers.run(job(bomb).limits(limits(|limits| limits.wall_clock_ms = 3000))).await;
        assert_eq!(outcome.ending, stopped(StopReason::TimeLimit));
        assert_eq!(outcome.limits_hit, [LimitHit::WallClock, LimitHit::Processes]);
        let next = containers.run(job("import os; print(os.waitstatus_to_exitcode(os.system('exit 3')))")).await;
        assert_eq!((next.stdout.text.as_str(), next.limits_hit.as_slice()), ("3\n", &[][..]));
    });
}

fn memory_was_the_limit(outcome: &Outcome) {
    assert_eq!(outcome.limits_hit, [LimitHit::Memory], "{outcome:#?}");
    let named = match &outcome.ending {
        Ending::Exited { .. } => outcome.exception.as_ref().is_some_and(|exception| exception.kind == "MemoryError"),
        Ending::Stopped { reason } => *reason == StopReason::MemoryLimit,
        Ending::Failed { .. } => false,
    };
    assert!(named, "{outcome:#?}");
}

#[test]
fn memory_that_python_asks_for_is_limited() {
    with_docker(async |containers| {
        for code in ["x = []\nwhile True: x.append(bytearray(1 << 20))", "b'x' * 10**10", "x = [0]\nwhile True: x += x"]
        {
            memory_was_the_limit(&containers.run(job(code)).await);
        }
    });
}

#[test]
fn memory_that_python_does_not_count_is_limited() {
    with_docker(async |containers| {
        // Shared memory is no data segment.
        let code = "import mmap\nm = mmap.mmap(-1, 1 << 30)\nfor i in range(0, 1 << 30, 4096): m[i] = 1";
        let outcome = containers.run(job(code)).await;
        memory_was_the_limit(&outcome);
        assert_eq!(outcome.ending, stopped(StopReason::MemoryLimit));
        assert!(outcome.stderr.text.ends_with("pyexec: memory limit of 128 MiB exceeded\n"), "{}", outcome.stderr.text);
    });
}

#[test]
fn memory_of_child_processes_is_limited() {
    with_docker(async |containers| {
        let code = "import subprocess, sys\n\
            hog = 'import mmap\\nm = mmap.mmap(-1, 1 << 30)\\nfor i in range(0, 1 << 30, 4096): m[i] = 1'\n\
            print(subprocess.run([sys.executable, '-c', hog]).returncode)";
        let outcome = containers.run(job(code)).await;
        // Which of the two the kernel takes is its choice.
        match &outcome.ending {
            Ending::Exited { exit_code } => assert_eq!((*exit_code, outcome.stdout.text.as_str()), (0, "-9\n")),
            Ending::Stopped { reason } => assert_eq!(*reason, StopReason::MemoryLimit),
            Ending::Failed { message, .. } => panic!("{message}"),
        }
        assert_eq!(outcome.limits_hit, [LimitHit::Memory], "the script survived, and yet it is told");
    });
}

#[test]
fn memory_in_files_is_limited_as_disk() {
    with_docker(async |containers| {
        for folder in ["/work", "/tmp", "/dev/shm"] {
            let code = format!("with open('{folder}/big', 'wb') as f:\n    while True: f.write(b'x' * (1 << 20))");
            let outcome = containers.run(job(&code)).await;
            assert_eq!(outcome.ending, Ending::Exited { exit_code: 1 });
            let exception = outcome.exception.expect("told");
            assert!(
                exception.message.contains("No space left") || exception.message.contains("File too large"),
                "{exception:?}"
            );
            if folder != "/dev/shm" {
                assert_eq!(outcome.limits_hit, [LimitHit::DiskBytes], "{folder}");
            }
        }
    });
}

#[test]
fn the_disk_of_the_host_is_out_of_reach() {
    with_docker(async |containers| {
        let code = "import errno, os\n\
            def attempt(what):\n\
            \x20   try: what(); print('done')\n\
            \x20   except OSError as e: print(errno.errorcode[e.errno])\n\
            def big():\n\
            \x20   with open('big', 'wb') as f: f.seek(10 << 30); f.write(b'x')\n\
            def sparse():\n\
            \x20   with open('sparse', 'wb') as f: f.truncate(1 << 50)\n\
            def many():\n\
            \x20   for i in range(10**6): open(f'/tmp/{i}', 'w').close()\n\
            for what in (big, sparse, many, lambda: open('/root.txt', 'w'), lambda: open('/usr/lib/x', 'w')): attempt(what)";
        let outcome = containers.run(job(code)).await;
        assert_eq!(outcome.stdout.text, "EFBIG\nEFBIG\nENOSPC\nEROFS\nEROFS\n", "{}", outcome.stderr.text);
        assert_eq!(outcome.limits_hit, [LimitHit::DiskFiles]);
    });
}

/// Waits until no container is left, and says how long that took.
async fn gone(containers: &Containers) -> Duration {
    let began = Instant::now();
    while !containers.left().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

#[test]
fn nothing_outlives_the_deadline() {
    with_docker(async |containers| {
        let daemon = "import os, time\n\
            if os.fork() == 0:\n\
            \x20   os.setsid()\n\
            \x20   if os.fork() == 0:\n\
            \x20       while True: time.sleep(0.1)\n\
            \x20   os._exit(0)\n";
        let outcome = containers
            .run(job(&format!("{daemon}time.sleep(60)")).limits(limits(|limits| limits.wall_clock_ms = 3000)))
            .await;
        assert_eq!(outcome.ending, stopped(StopReason::TimeLimit));
        let took = gone(&containers).await;
        assert!(took < Duration::from_secs(2), "gone after {took:?}");
        // Nor the end of a script, which does not wait for it.
        let outcome = containers.run(job(&format!("{daemon}print('main ends')"))).await;
        assert_eq!((outcome.success(), outcome.stdout.text.as_str()), (true, "main ends\n"));
        assert!(outcome.usage.wall_us < 10_000_000);
        gone(&containers).await;
    });
}

#[test]
fn signals_cannot_be_ignored_to_live_on() {
    with_docker(async |containers| {
        let code = "import os, signal, time\n\
            for number in range(1, 65):\n\
            \x20   try: signal.signal(number, signal.SIG_IGN)\n\
            \x20   except (OSError, ValueError): pass\n\
            for _ in range(20):\n\
            \x20   if os.fork() == 0: os._exit(0)\n\
            print('deaf', flush=True)\n\
            while True: time.sleep(1)";
        let began = Instant::now();
        let outcome = containers.run(job(code).limits(limits(|limits| limits.wall_clock_ms = 3000))).await;
        assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
        assert_eq!((outcome.ending, outcome.stdout.text.as_str()), (stopped(StopReason::TimeLimit), "deaf\n"));
    });
}

#[test]
fn a_flood_of_output_is_bounded_and_stopped() {
    with_docker(async |containers| {
        for code in ["import os\nwhile True: os.write(1, b'x' * 65536)", "import os\nwhile True: os.write(2, b'x')"] {
            let began = Instant::now();
            let short = limits(|limits| (limits.wall_clock_ms, limits.output_bytes) = (3000, 10_000));
            let outcome = containers.run(job(code).limits(short)).await;
            assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
            assert_eq!(outcome.ending, stopped(StopReason::TimeLimit));
            assert_eq!(outcome.limits_hit, [LimitHit::WallClock, LimitHit::Output]);
            let bytes = outcome.stdout.bytes + outcome.stderr.bytes;
            assert!(bytes > 100_000 && outcome.stdout.text.len() + outcome.stderr.text.len() < 21_000, "{bytes}");
        }
    });
}

#[test]
fn much_input_is_passed_on_and_unread_input_does_no_harm() {
    with_docker(async |containers| {
        let input = "0123456789abcde\n".repeat(500_000);
        let count = "import sys\nprint(sum(len(line) for line in sys.stdin))";
        let outcome = containers.run(job(count).stdin(input.clone())).await;
        assert_eq!(outcome.stdout.text, "8000000\n", "{outcome:#?}");
        let (mut writer, reader) = tokio::io::duplex(64);
        let job_with_reader = job("print(input()); print(input())").stdin(Stdin::Reader(Box::new(reader)));
        let typing = async {
            use tokio::io::AsyncWriteExt;
            writer.write_all(b"one\n").await.expect("taken");
            tokio::time::sleep(Duration::from_millis(700)).await;
            writer.write_all(b"two\n").await.expect("taken");
        };
        let (outcome, ()) = tokio::join!(containers.run(job_with_reader), typing);
        assert_eq!(outcome.stdout.text, "one\ntwo\n", "{outcome:#?}");
        let unread = "import time\nprint('here')\ndef wait():\n    time.sleep(60)\nwait()";
        let short = limits(|limits| limits.wall_clock_ms = 3000);
        let outcome = containers.run(job(unread).stdin(input).limits(short)).await;
        assert!(outcome.stderr.text.contains("line 4, in wait"), "{outcome:#?}");
    });
}

/// What a job can write to the container's own output, as the runner does.
const FORGE: &str = "import json, os, struct, sys, time\n\
    def frame(kind, content=b''): return kind + struct.pack('<I', len(content)) + content\n\
    def forge(data):\n\
    \x20   with open('/proc/1/fd/1', 'wb', buffering=0) as f: f.write(data)\n";

#[test]
fn forged_frames_harm_only_the_forgers_own_result() {
    with_docker(async |containers| {
        let run = async |code: &str, collect| {
            let short = limits(|limits| (limits.wall_clock_ms, limits.output_bytes) = (4000, 1000));
            containers.run(job(&format!("{FORGE}{code}")).limits(short).collect_files(collect)).await
        };
        // An end that is none: the job ends with it.
        let outcome = run("forge(frame(b'Z', b'{\"code\": 7}'))\nwhile True: pass", false).await;
        assert_eq!(outcome.ending, Ending::Exited { exit_code: 7 });
        gone(&containers).await;
        // Numbers that nobody has.
        let outcome = run(
            "forge(frame(b'Z', b'{\"code\": 99999, \"cpu_us\": 18446744073709551615, \"peak_bytes\": 18446744073709551615, \"disk_bytes\": 1e3}'))",
            false,
        )
        .await;
        assert!(outcome.usage.peak_memory_bytes < 1 << 30 && outcome.usage.cpu_us < 1_000_000_000, "{outcome:#?}");
        // Things that the runner does not say.
        for nonsense in
            ["b'\\xff' * 100000", "frame(b'?')", "frame(b'Z', b'[')", "b'O\\xff\\xff\\xff\\xff'", "frame(b'P', b'{}')"]
        {
            let outcome = run(&format!("forge({nonsense})\ntime.sleep(60)"), false).await;
            assert!(matches!(outcome.ending, Ending::Stopped { .. }), "{nonsense} {outcome:#?}");
        }
        // More than it would say.
        let outcome = run(
            "for _ in range(50): forge(frame(b'K') * 1000 + frame(b'S') * 1000)\n\
             for _ in range(100): forge(frame(b'O', b'\\xff' * 60000) + frame(b'V', b'{\"result\": \"' + b'r' * 60000 + b'\"}'))\n\
             for path in (b'../out', b'/etc/passwd', b'a/../../b', b'\\xff', b'', b'ok.txt'):\n\
             \x20   forge(frame(b'F', path) + frame(b'C', b'content'))\n",
            true,
        )
        .await;
        assert!(outcome.stdout.truncated && outcome.stdout.text.len() < 4000, "{}", outcome.stdout.text.len());
        let paths: Vec<_> = outcome.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["ok.txt"]);
        // Its runner is out of its reach, but for ending it.
        let outcome = run("for name in ('mem', 'fd/1'):\n    try: open(f'/proc/{os.getppid()}/{name}', 'wb'); print('open')\n    except OSError: pass", false).await;
        assert_eq!(outcome.stdout.text, "");
        let outcome = run("import signal\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(60)", false).await;
        assert!(matches!(outcome.ending, Ending::Stopped { reason: StopReason::Crashed(_) }), "{outcome:#?}");
        let outcome = run("import signal\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(60)", false).await;
        assert_eq!(outcome.ending, stopped(StopReason::TimeLimit));
        assert_eq!(stdout(&containers, "print('next')").await, "next\n");
    });
}

#[test]
fn ends_by_signal_are_a_shells() {
    with_docker(async |containers| {
        for (code, expected) in [
            ("import os; os.kill(os.getpid(), 15)", 143),
            ("import os; os.abort()", 134),
            ("import ctypes; ctypes.string_at(0)", 139),
            ("import os; os.kill(os.getpid(), 9)", 137),
        ] {
            let outcome = containers.run(job(code)).await;
            assert_eq!(
                (outcome.ending, outcome.limits_hit),
                (Ending::Exited { exit_code: expected }, Vec::new()),
                "{code}"
            );
        }
    });
}

#[test]
fn files_come_back_and_links_do_not_lead_out() {
    with_docker(async |containers| {
        let code = "import os\n\
            os.symlink('/etc', 'etc'); os.symlink('/etc/passwd', 'passwd'); os.mkfifo('fifo'); os.link('kept.txt', 'again.txt')\n\
            os.mkdir('deep'); open('deep/a.bin', 'wb').write(bytes(range(256)) * 1000)\n\
            open(b'\\xff', 'w').write('x'); open('kept.txt').read()";
        let files = [("main.py", code.to_owned()), ("kept.txt", "kept".to_owned())];
        let project = Project::files(files).expect("a project");
        let outcome = containers.run(Job::project(project).limits(limits(|_| ())).collect_files(true)).await;
        assert!(outcome.success(), "{}", outcome.stderr.text);
        let found: Vec<_> = outcome.files.iter().map(|file| (file.path.as_str(), file.content.len())).collect();
        assert_eq!(found, [("again.txt", 4), ("deep/a.bin", 256_000)]);
    });
}

#[test]
fn another_python_version_is_another_image() {
    with_docker(async |containers| {
        let mut placement = Placement::default();
        placement.python = Some("3.11".to_owned());
        placement.reason = "Python 3.11 was asked for".to_owned();
        let code = "import sys\nprint(sys.version_info[:2])\n1/0";
        let outcome = containers.placed(job(code), placement.clone()).await.expect("an outcome");
        assert_eq!(outcome.stdout.text, "(3, 11)\n");
        assert_eq!((outcome.exception.expect("told").line, outcome.route_reason), (Some(3), placement.reason));
        // Says where it was, there too.
        let mut placement = Placement::default();
        placement.python = Some("3.11".to_owned());
        let short = limits(|limits| limits.wall_clock_ms = 3000);
        let job = job("print('partial', end='')\nwhile True: pass").limits(short);
        let outcome = containers.placed(job, placement).await.expect("an outcome");
        assert_eq!(outcome.stdout.text, "partial");
        assert!(
            outcome
                .stderr
                .text
                .contains("main.py\", line 2, in <module>\n    while True: pass\npyexec: time limit of 3 s")
        );
    });
}

#[test]
fn what_this_tier_cannot_do_is_refused() {
    with_docker(async |containers| {
        for (limits, words) in [
            (limits(|limits| limits.cpu_fuel = Some(1)), "fuel is counted in WebAssembly only"),
            (limits(|limits| limits.memory_bytes = 1 << 20), "ask for 64 MiB"),
        ] {
            let refused = containers.placed(Job::code("").limits(limits), Placement::default()).await;
            assert!(
                matches!(&refused, Err(error) if error.is_invalid_job() && error.message().contains(words)),
                "{refused:?}"
            );
        }
    });
}

#[test]
fn a_dropped_job_is_gone_within_a_second() {
    with_docker(async |containers| {
        let (sender, started) = tokio::sync::oneshot::channel();
        let sender = Mutex::new(Some(sender));
        let observer = move |event: Event<'_>| {
            if event == Event::Started
                && let Some(sender) = sender.lock().expect("not poisoned").take()
            {
                let _ = sender.send(());
            }
        };
        let mut running = Box::pin(containers.observed(job("while True: pass"), Placement::default(), observer));
        tokio::select! {
            outcome = &mut running => panic!("{outcome:?}"),
            _ = started => {}
        }
        drop(running);
        let took = gone(&containers).await;
        assert!(took < Duration::from_secs(2), "gone after {took:?}");
        // At any moment of its start.
        for i in 0..12 {
            let running = containers.placed(job("while True: pass"), Placement::default());
            let _ = tokio::time::timeout(Duration::from_millis(30 * i), running).await;
        }
        gone(&containers).await;
    });
}

#[test]
fn jobs_are_ended_by_a_shutdown() {
    with_docker(async |containers| {
        let running = containers.placed(job("while True: pass"), Placement::default());
        let shutdown = async {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            containers.executor().shutdown().await
        };
        let (ran, shut_down) = tokio::join!(running, shutdown);
        shut_down.expect("shut down");
        assert!(matches!(&ran, Err(error) if !error.is_invalid_job()), "{ran:?}");
        assert!(containers.left().is_empty());
        let late = containers.placed(job(""), Placement::default()).await;
        assert!(matches!(&late, Err(error) if !error.is_invalid_job()), "{late:?}");
    });
}

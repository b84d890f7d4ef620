//! All benchmarks: `cargo bench`, or `cargo bench -- SECTION…` for some of them.
//!
//! Everything is measured side by side with the native CPython of the same version (-O3) that the build makes, in one
//! run, because only ratios travel between machines. Sections: latency, mixed, throughput, imports, interpreter, memory, drift,
//! command, environments, serve, docker, sessions, scripts.

mod docker;
mod environments;
mod scripts;
mod serve;
mod sessions;

use pyexec::{Job, Limits, Project, Pyexec};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

type Runtime = tokio::runtime::Runtime;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let sections: [Section; 13] = [
        ("latency", latency),
        ("mixed", mixed),
        ("throughput", throughput),
        ("imports", imports),
        ("interpreter", interpreter),
        ("memory", memory),
        ("drift", drift),
        ("command", command),
        ("environments", environments::environments),
        ("serve", serve::serve),
        ("docker", docker::docker),
        ("sessions", sessions::sessions),
        ("scripts", scripts::scripts),
    ];
    machine();
    let bench = Bench::new();
    for (name, section) in sections {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            println!("\n## {name}\n");
            section(&bench);
        }
    }
}

/// A part of the output, and what measures it.
type Section = (&'static str, fn(&Bench));

struct Bench {
    pyexec: Pyexec,
    runtime: Runtime,
    native: PathBuf,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            pyexec: Pyexec::builder().on_progress(|line| eprintln!("{line}")).build().expect("the interpreter"),
            runtime: runtime(),
            native: wasm_python::native_interpreter().expect("the native CPython that the build makes").into(),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn sandbox(&self, job: Job) -> (Duration, String) {
        let began = Instant::now();
        let outcome = self.runtime.block_on(self.pyexec.run(job)).expect("an outcome");
        let took = began.elapsed();
        assert!(outcome.success(), "{outcome:#?}");
        (took, outcome.stdout.text)
    }

    fn native(&self, script: &Path, arguments: &[&str]) -> (Duration, String) {
        timed(Command::new(&self.native).arg(script).args(arguments).current_dir(self.folder.path()))
    }

    fn script(&self, name: &str, code: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, code).expect("written");
        path
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn timed(command: &mut Command) -> (Duration, String) {
    let began = Instant::now();
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("starts");
    let took = began.elapsed();
    assert!(output.status.success());
    (took, String::from_utf8(output.stdout).expect("UTF-8"))
}

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0
}

fn machine() {
    let first = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines()
            .find(|line| line.starts_with(key))
            .and_then(|line| line.split_once(':'))
            .map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let changed = if git(&["status", "--porcelain"]).is_empty() { "" } else { " with changes" };
    println!(
        "pyexec {} at {}{changed}; {} × {}; Linux {}; memory {}",
        env!("CARGO_PKG_VERSION"),
        git(&["rev-parse", "--short", "HEAD"]),
        std::thread::available_parallelism().map_or(0, usize::from),
        first("/proc/cpuinfo", "model name"),
        fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        first("/proc/meminfo", "MemTotal"),
    );
}

const HELLO: &str = "print('hello', 1 + 1)\n";

/// Small scripts of several kinds.
const SCRIPTS: [(&str, &str); 7] = [
    ("empty", ""),
    ("hello", HELLO),
    ("json, re, random", "import json, random, re\nprint(json.dumps(re.findall(r'\\d', 'a1b2')), random.random())\n"),
    (
        "dataclass, sorted, format",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: float = 0.5\nprint(sorted([P(3), P(1)], key=lambda p: p.x), f'{1/3:.3f}')\n",
    ),
    ("asyncio.run", "import asyncio\nasync def main(): await asyncio.sleep(0); return 1\nprint(asyncio.run(main()))\n"),
    ("file written and read", "open('f', 'w').write('x' * 1000)\nprint(len(open('f').read()))\n"),
    ("uncaught exception caught", "try: {}['x']\nexcept KeyError as e: print(repr(e))\n"),
];

fn latency(bench: &Bench) {
    println!("| script | sandbox p50 | p99 | p99/p50 | native process p50 | p50 ratio |\n|---|---|---|---|---|---|");
    for (name, code) in SCRIPTS {
        let script = bench.script("latency.py", code);
        let mut native = Vec::new();
        let mut sandbox = Vec::new();
        bench.sandbox(Job::code(code));
        for _ in 0..60 {
            native.push(bench.native(&script, &[]).0);
            sandbox.extend((0..50).map(|_| bench.sandbox(Job::code(code)).0));
        }
        let (p50, p99, native) =
            (percentile(&mut sandbox, 50), percentile(&mut sandbox, 99), percentile(&mut native, 50));
        println!("| {name} | {p50:.3} ms | {p99:.3} ms | {:.1} | {native:.1} ms | 1/{:.0} |", p99 / p50, native / p50);
    }
    let cold = Pyexec::builder().page_reuse(false).build().expect("the interpreter");
    let mut times: Vec<_> = (0..2000)
        .map(|_| {
            let began = Instant::now();
            bench.runtime.block_on(cold.run(Job::code(HELLO))).expect("an outcome");
            began.elapsed()
        })
        .collect();
    println!(
        "\nhello without page reuse: p50 {:.3} ms, p99 {:.3} ms",
        percentile(&mut times, 50),
        percentile(&mut times, 99)
    );
}

/// Runs many small jobs in one service, then compares it with a new one.
fn mixed(bench: &Bench) {
    const JOBS: usize = 5000;
    let used = Pyexec::builder().build().expect("the interpreter");
    let before = resident_mib();
    for i in 0..JOBS {
        let code = SCRIPTS[(i * 5 + i / SCRIPTS.len()) % SCRIPTS.len()].1;
        bench.runtime.block_on(used.run(Job::code(code))).expect("an outcome");
    }
    let kept = resident_mib() - before;
    compare_hello(bench, &used, JOBS);
    println!("idle after them: {kept:+.1} MiB resident");
}

/// Compares hello in a used service with hello in a new one, in turns, as the machine changes its speed.
fn compare_hello(bench: &Bench, used: &Pyexec, jobs: usize) {
    let new = Pyexec::builder().build().expect("the interpreter");
    let run = |pyexec: &Pyexec| {
        let began = Instant::now();
        bench.runtime.block_on(pyexec.run(Job::code(HELLO))).expect("an outcome");
        began.elapsed()
    };
    let (mut on_new, mut on_used) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        on_new.extend((0..100).map(|_| run(&new)));
        on_used.extend((0..100).map(|_| run(used)));
    }
    let (on_new, on_used) = (percentile(&mut on_new, 50), percentile(&mut on_used, 50));
    println!(
        "hello after {jobs} mixed jobs, p50: {on_used:.3} ms; on a new service {on_new:.3} ms; {:.2} × (aim: ≤ 1.1)",
        on_used / on_new
    );
}

fn throughput(bench: &Bench) {
    let mut one = 0.0;
    for threads in [1, 2] {
        let done = AtomicU64::new(0);
        let until = Instant::now() + Duration::from_secs(4);
        let mut all = Vec::new();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        let (runtime, mut times) = (runtime(), Vec::new());
                        while Instant::now() < until {
                            let began = Instant::now();
                            runtime.block_on(bench.pyexec.run(Job::code(HELLO))).expect("an outcome");
                            times.push(began.elapsed());
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                        times
                    })
                })
                .collect();
            for worker in workers {
                all.extend(worker.join().expect("no panic"));
            }
        });
        let rate = done.load(Ordering::Relaxed) as f64 / 4.0;
        if threads == 1 {
            one = rate;
        }
        let (p50, p99) = (percentile(&mut all, 50), percentile(&mut all, 99));
        println!(
            "{threads} thread(s): {rate:.0} hello/s ({:.2} × one thread), p50 {p50:.3} ms, p99 {p99:.3} ms, p99/p50 {:.1}",
            rate / one,
            p99 / p50
        );
    }
}

/// Modules that are not in the snapshot; each is imported in a fresh process or instance.
const IMPORTS: [&str; 14] = [
    "tabnanny",
    "xmlrpc.client",
    "http.server",
    "mailbox",
    "modulefinder",
    "zipapp",
    "cProfile",
    "rlcompleter",
    "poplib",
    "ftplib",
    "wsgiref.simple_server",
    "multiprocessing",
    "venv",
    "trace",
];

fn imports(bench: &Bench) {
    println!("| module | sandbox p50 | native, warm .pyc, p50 | ratio |\n|---|---|---|---|");
    let mut ratios = Vec::new();
    for module in IMPORTS {
        let code = format!("import time\nt = time.perf_counter()\nimport {module}\nprint(time.perf_counter() - t)\n");
        let script = bench.script("imports.py", &code);
        let seconds = |text: &str| Duration::from_secs_f64(text.trim().parse().expect("seconds"));
        bench.native(&script, &[]);
        let (mut native, mut sandbox) = (Vec::new(), Vec::new());
        for _ in 0..15 {
            native.push(seconds(&bench.native(&script, &[]).1));
            sandbox.push(seconds(&bench.sandbox(Job::code(code.clone())).1));
        }
        let (ours, theirs) = (percentile(&mut sandbox, 50), percentile(&mut native, 50));
        ratios.push(ours / theirs);
        println!("| {module} | {ours:.2} ms | {theirs:.2} ms | {:.2} |", ours / theirs);
    }
    println!("\ngeometric mean {:.2}", geometric_mean(&ratios));
}

const HARNESS: &str = "import importlib, sys, time\n\
    module = importlib.import_module(sys.argv[1])\n\
    best = float('inf')\n\
    for _ in range(int(sys.argv[2])):\n    t = time.perf_counter(); value = module.bench(); best = min(best, time.perf_counter() - t)\n\
    print(best, repr(value))\n";

fn interpreter(bench: &Bench) {
    println!("| program | sandbox | native -O3 | ratio |\n|---|---|---|---|");
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/programs");
    let mut paths: Vec<_> =
        fs::read_dir(programs).expect("programs").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let harness = bench.script("harness.py", HARNESS);
    let mut ratios = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "py")) {
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let source = fs::read_to_string(path).expect("readable");
        bench.script(&format!("{name}.py"), &source);
        let project =
            Project::files([("main.py", HARNESS.to_owned()), (&format!("{name}.py"), source)]).expect("a project");
        let job = || Job::project(project.clone()).args([name, "3"]).limits(Limits::default());
        let parse = |text: String| {
            let (seconds, value) =
                text.trim().split_once(' ').map(|(s, v)| (s.to_owned(), v.to_owned())).expect("two words");
            (seconds.parse::<f64>().expect("seconds"), value)
        };
        // In turn, so that a change of the machine's speed meets both.
        let (mut ours, mut theirs) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..2 {
            let (sandbox, value) = parse(bench.sandbox(job()).1);
            let (native, expected) = parse(bench.native(&harness, &[name, "3"]).1);
            assert_eq!(value, expected, "{name} computes the same");
            (ours, theirs) = (ours.min(sandbox), theirs.min(native));
        }
        ratios.push(ours / theirs);
        println!("| {name} | {:.0} ms | {:.0} ms | {:.2} |", ours * 1000.0, theirs * 1000.0, ours / theirs);
    }
    println!("\ngeometric mean {:.2}", geometric_mean(&ratios));
}

fn geometric_mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

/// Memory this process occupies. VmRSS would count a page of the snapshot once for every slot that has it mapped.
fn resident_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/smaps_rollup").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("Pss:")).expect("a line");
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().expect("a number") / 1024.0
}

/// Private memory of jobs that are asleep after doing a little.
fn memory(bench: &Bench) {
    let code = "import json, time\nx = json.dumps(list(range(1000)))\ntime.sleep(1.5)\n";
    bench.sandbox(Job::code(HELLO));
    let before = resident_mib();
    bench.runtime.block_on(async {
        let jobs: Vec<_> = (0..40)
            .map(|_| {
                let pyexec = bench.pyexec.clone();
                async move { pyexec.run(Job::code(code)).await.expect("an outcome") }
            })
            .collect();
        let running = async {
            let mut set = tokio::task::JoinSet::new();
            jobs.into_iter().for_each(|job| drop(set.spawn(job)));
            while set.join_next().await.is_some() {}
        };
        let look = async {
            tokio::time::sleep(Duration::from_millis(1000)).await;
            println!("{:.2} MiB resident per running job (40 jobs)", (resident_mib() - before) / 40.0);
        };
        tokio::join!(running, look);
    });
    for _ in 0..1000 {
        bench.sandbox(Job::code("x = b'x' * (200 << 20)\n"));
    }
    println!("after 1,000 jobs that each touched 200 MB: {:+.1} MiB", resident_mib() - before);
}

fn drift(bench: &Bench) {
    let jobs: u32 = std::env::var("DRIFT_JOBS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let codes = [
        HELLO,
        "import json\nprint(json.dumps(list(range(100))))",
        "open('f', 'w').write('x')",
        "1/0",
        "x = bytearray(1 << 20)",
    ];
    let mut at_100 = 0.0;
    for i in 0..jobs {
        bench.runtime.block_on(bench.pyexec.run(Job::code(codes[i as usize % codes.len()]))).expect("an outcome");
        if i == 100 {
            at_100 = resident_mib();
        }
    }
    println!("resident memory from job 100 to job {jobs}: {:+.2} MiB", resident_mib() - at_100);
}

fn command(bench: &Bench) {
    let script = bench.script("hello.py", HELLO);
    let command = env!("CARGO_BIN_EXE_pyexec");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        ours.push(timed(Command::new(command).arg("run").arg(&script)).0);
        theirs.push(bench.native(&script, &[]).0);
    }
    let (ours, theirs) = (percentile(&mut ours, 50), percentile(&mut theirs, 50));
    println!(
        "`pyexec run hello.py`, whole process, p50: {ours:.1} ms; native `python hello.py`: {theirs:.1} ms; ratio {:.2}",
        ours / theirs
    );
}

//! Hostile programs, one behaviour per file in `tests/attacks`, and what must become of each.
//!
//! The head of each file says what it promises, under which limits, and which ends are acceptable. After each the same
//! executor must still run an ordinary job, and each must cost the host no more than its limits say: memory, disk,
//! descriptors, and time in one piece (`support/oracle.rs`). Therefore each runs in a process of its own.

use crate::support::{
    for_each, name,
    oracle::{self, Bounds, Timed, Watch},
    pyexec, repository, scripts,
};
use pyexec::{
    Event, Job, Limits, Project, Stdin, TierChoice,
    outcome::{Ending, StopReason},
};
use serde::Deserialize;
use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// The attack that the process is for.
const ATTACK: &str = "PYEXEC_TEST_ATTACK";
/// The file for what is wrong with it.
const FOUND: &str = "PYEXEC_TEST_FOUND";
/// What the host does wrong, in a test of the tests.
const FAULT: &str = "PYEXEC_TEST_FAULT";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Promise {
    promise: String,
    wall_clock_ms: Option<u64>,
    memory_mb: Option<u64>,
    disk_mb: Option<u64>,
    files: Option<u64>,
    output_bytes: Option<u64>,
    fuel: Option<u64>,
    #[serde(default)]
    stdin_open: bool,
    outcome: Vec<String>,
    exit_code: Option<u8>,
    stdout: Option<String>,
    #[serde(default)]
    stdout_has: Vec<String>,
    #[serde(default)]
    stderr_has: Vec<String>,
}

#[test]
fn attacks_end_as_promised_and_harm_only_themselves() {
    let wanted = env::var("ATTACK").unwrap_or_default();
    let scripts: Vec<_> = scripts("tests/attacks").into_iter().filter(|path| name(path).contains(&wanted)).collect();
    // The interpreter is made once, not by all of them.
    pyexec();
    for_each(&scripts, |path| alone(path, None).map_err(|failure| format!("{}: {failure}", name(path))));
}

/// Whatever a host may do wrong is seen.
#[test]
fn a_host_that_gives_too_much_fails_the_test_of_attacks() {
    pyexec();
    let path = repository("tests/attacks/endless_loop_is_stopped.py");
    let faults = [
        ("nothing", None),
        ("memory", Some("memory: the process grew")),
        ("disk", Some("disk: its folders took")),
        ("folder", Some("folders:")),
        ("descriptors", Some("descriptors:")),
        ("piece", Some("in one piece")),
        ("deadline", Some("after its deadline")),
        ("kept", Some("are kept")),
    ];
    for_each(&faults, |(fault, expected)| {
        let found = alone(&path, Some(fault)).err().unwrap_or_default();
        let is_seen = expected.map_or(found.is_empty(), |expected| found.contains(expected));
        if is_seen { Ok(()) } else { Err(format!("{fault}: {found:?}")) }
    });
}

/// Runs an attack in a process of its own, with a temporary folder of its own.
fn alone(path: &Path, fault: Option<&str>) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let (temporary, found) = (folder.path().join("tmp"), folder.path().join("found"));
    fs::create_dir(&temporary).map_err(|e| e.to_string())?;
    let program = env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.args(["attacks::one_attack", "--exact", "--nocapture"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.env(ATTACK, path).env(FOUND, &found).env("TMPDIR", &temporary);
    if let Some(fault) = fault {
        command.env(FAULT, fault);
    }
    let status = command.status().map_err(|e| e.to_string())?;
    match fs::read_to_string(&found) {
        Ok(found) if found.is_empty() && status.success() => Ok(()),
        Ok(found) if !found.is_empty() => Err(found),
        _ => Err(format!("the process of the host ended: {status}")),
    }
}

/// The other half of [`alone`]; nothing where nobody asks for it.
#[test]
fn one_attack() {
    let (Some(path), Some(found)) = (env::var_os(ATTACK), env::var_os(FOUND)) else { return };
    let result = attack(Path::new(&path), &env::var(FAULT).unwrap_or_default());
    fs::write(found, result.err().unwrap_or_default()).expect("written");
}

/// Does something wrong on the host, for [`a_host_that_gives_too_much_fails_the_test_of_attacks`].
struct Faulty {
    fault: String,
    held: Vec<u8>,
}

impl Faulty {
    fn meet(&mut self, limits: &Limits) {
        match &*self.fault {
            "memory" => drop(std::hint::black_box(vec![1u8; limits.memory_bytes as usize + (100 << 20)])),
            "kept" => self.held = vec![1; 100 << 20],
            "disk" | "folder" => {
                let folder = env::temp_dir().join("pyexec-job-fault");
                fs::create_dir_all(&folder).expect("made");
                if self.fault == "disk" {
                    fs::write(folder.join("file"), vec![1; 2 * limits.disk_bytes as usize]).expect("written");
                    std::thread::sleep(Duration::from_millis(100));
                    fs::remove_dir_all(folder).expect("removed");
                }
            }
            "descriptors" => std::mem::forget(fs::File::open("/dev/null").expect("opened")),
            _ => {}
        }
    }
}

/// Uses so much of the processor, however long it takes to get that.
fn spin(time: Duration) {
    let until = oracle::on_processor() + time;
    while oracle::on_processor() < until {}
}

fn attack(path: &Path, fault: &str) -> Result<(), String> {
    let source = fs::read_to_string(path).expect("readable");
    let head: String =
        source.lines().filter_map(|line| line.strip_prefix("#: ")).map(|line| format!("{line}\n")).collect();
    let promise: Promise = toml::from_str(&head).map_err(|e| format!("bad head: {e}"))?;
    let limits = Limits {
        wall_clock_ms: promise.wall_clock_ms.unwrap_or(5000),
        cpu_fuel: promise.fuel,
        memory_bytes: promise.memory_mb.unwrap_or(256) << 20,
        disk_bytes: promise.disk_mb.unwrap_or(64) << 20,
        disk_files: promise.files.unwrap_or(1000),
        output_bytes: promise.output_bytes.unwrap_or(64 << 10),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (_never, silent) = tokio::io::duplex(1);
    let script = format!("{}.py", name(path));
    let project = Project::files([(script, source.clone())]).expect("a project");
    let job = Job::project(project).tier(TierChoice::Wasm).limits(limits).stdin(if promise.stdin_open {
        Stdin::Reader(Box::new(silent))
    } else {
        Stdin::Empty
    });
    // What the process needs at all is there before it is watched.
    let first = Job::code("open('f', 'w').write('x')\nprint(open('f').read())").tier(TierChoice::Wasm);
    runtime.block_on(pyexec().run(first)).map_err(|e| format!("the first job: {e}"))?;
    let kept = oracle::anonymous();
    let watch = Watch::begin();
    let mut faulty = Faulty { fault: fault.to_owned(), held: Vec::new() };
    faulty.meet(&limits);
    let began = Instant::now();
    let deadline = Duration::from_millis(limits.wall_clock_ms);
    let (mut timed, times) = Timed::new(pyexec().run_observed(job, |_: Event<'_>| ()), deadline);
    match fault {
        "piece" => {
            timed.at_poll = |_| {
                spin(2 * oracle::PIECE);
                true
            }
        }
        "deadline" => {
            // Until long after it, in small pieces.
            static POLLS: AtomicU32 = AtomicU32::new(0);
            timed.at_poll = |late| {
                spin(oracle::PIECE / 4);
                !late.is_zero() && POLLS.fetch_add(1, Ordering::Relaxed) > 8
            }
        }
        _ => {}
    }
    let outcome = runtime.block_on(timed).map_err(|e| format!("refused: {e}"))?;
    let took = began.elapsed();
    let bounds = Bounds { memory_bytes: limits.memory_bytes, disk_bytes: limits.disk_bytes, files: limits.disk_files };
    let costs = watch.end(bounds, &times.lock().expect("not poisoned"));

    let (end, exit_code) = match &outcome.ending {
        Ending::Exited { exit_code } => ("completed", Some(*exit_code)),
        Ending::Stopped { reason } => match reason {
            StopReason::TimeLimit => ("time_limit", None),
            StopReason::CpuLimit => ("cpu_limit", None),
            StopReason::MemoryLimit => ("memory_limit", None),
            StopReason::StackOverflow => ("stack_overflow", None),
            StopReason::Crashed(_) => ("crashed", None),
            other => panic!("stopped for a reason that no attack expects: {other:?}"),
        },
        Ending::Failed { exit_code, .. } => ("failed", Some(*exit_code)),
    };
    let shown = || {
        format!(
            "[{}] {:?} in {took:?}\n  stdout {:?}\n  stderr {:?}",
            promise.promise,
            outcome.ending,
            outcome.stdout.text.chars().take(300).collect::<String>(),
            outcome.stderr.text.chars().rev().take(600).collect::<Vec<_>>().into_iter().rev().collect::<String>()
        )
    };
    if !promise.outcome.iter().any(|allowed| allowed == end) {
        return Err(shown());
    }
    if let Some(found) = exit_code {
        if promise.exit_code.is_some_and(|expected| expected != found) {
            return Err(shown());
        }
        if promise.stdout.as_ref().is_some_and(|expected| *expected != outcome.stdout.text) {
            return Err(shown());
        }
    }
    if !promise.stdout_has.iter().all(|part| outcome.stdout.text.contains(part))
        || !promise.stderr_has.iter().all(|part| outcome.stderr.text.contains(part))
    {
        return Err(shown());
    }
    if !costs.is_empty() {
        return Err(format!("{}\n  {}", costs.join("\n  "), shown()));
    }
    // Two seconds for a machine that is busy with the other tests.
    if took > Duration::from_millis(limits.wall_clock_ms + 2000) {
        return Err(format!("took {took:?}, {}", shown()));
    }
    if outcome.stdout.text.len() as u64 > limits.output_bytes * 3 + 200 {
        return Err(format!("kept {} bytes of output", outcome.stdout.text.len()));
    }
    let next =
        runtime.block_on(pyexec().run(Job::code("print(sum(range(10)))"))).map_err(|e| format!("next job: {e}"))?;
    if next.stdout.text != "45\n" {
        return Err(format!("the next job went wrong: {next:?}"));
    }
    let shown = shown();
    drop(outcome);
    let kept = oracle::kept_since(kept);
    std::hint::black_box(&faulty.held);
    kept.map_or(Ok(()), |kept| Err(format!("{kept}\n  {shown}")))
}

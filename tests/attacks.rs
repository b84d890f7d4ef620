//! Hostile programs, one behaviour per file in `tests/attacks`, and what must become of each.
//!
//! The head of each file says what it promises, under which limits, and which ends are acceptable. After each the same
//! executor must still run an ordinary job.

use crate::support::{for_each, name, pyexec, scripts};
use pyexec::{
    Job, Limits, Project, Stdin, TierChoice,
    outcome::{Ending, StopReason},
};
use serde::Deserialize;
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

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
    let wanted = std::env::var("ATTACK").unwrap_or_default();
    let scripts: Vec<_> = scripts("tests/attacks").into_iter().filter(|path| name(path).contains(&wanted)).collect();
    for_each(&scripts, |path| attack(path).map_err(|failure| format!("{}: {failure}", name(path))));
}

fn attack(path: &Path) -> Result<(), String> {
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
    let began = Instant::now();
    let outcome = runtime.block_on(pyexec().run(job)).map_err(|e| format!("refused: {e}"))?;
    let took = began.elapsed();

    let (end, exit_code) = match &outcome.ending {
        Ending::Exited { exit_code } => ("completed", Some(*exit_code)),
        Ending::Stopped { reason } => match reason {
            StopReason::TimeLimit => ("time_limit", None),
            StopReason::CpuLimit => ("cpu_limit", None),
            StopReason::MemoryLimit => ("memory_limit", None),
            StopReason::StackOverflow => ("stack_overflow", None),
            StopReason::Crashed(_) => ("crashed", None),
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
    Ok(())
}

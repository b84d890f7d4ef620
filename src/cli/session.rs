//! Runs one job in this process, for a person at a terminal or a script that pipes.

use super::{Failure, Result, options::OutputOptions};
use pyexec::{
    Builder, Event, Job, Outcome, Pyexec, Stdin,
    outcome::{Ending, StopReason},
};
use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// What the user came for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// What the script prints.
    Output,
    /// The value of its last expression, after what it prints.
    Result,
}

const INTERRUPTED: u8 = 130;

/// This process's standard input, for the script.
pub(crate) fn stdin() -> Stdin {
    Stdin::Reader(Box::new(tokio::io::stdin()))
}

pub(crate) fn builder(quiet: bool) -> Builder {
    Pyexec::builder().slots(1).on_progress(move |line| {
        if !quiet {
            eprintln!("pyexec: {line}");
        }
    })
}

pub(crate) fn run(job: Job, output: &OutputOptions, show: Show, out: Option<&Path>) -> Result<u8> {
    let pyexec = builder(output.quiet).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Usage(format!("cannot start a runtime: {e}")))?;
    let finished = runtime.block_on(async {
        let live = !output.json;
        let quiet = output.quiet;
        let run = pyexec.run_observed(job, move |event: Event<'_>| match event {
            Event::Stdout(bytes) if live => write(io::stdout().lock(), bytes),
            Event::Stderr(bytes) if live && !quiet => write(io::stderr().lock(), bytes),
            _ => {}
        });
        tokio::select! {
            outcome = run => Some(outcome),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    // A read of stdin that is still going on must not keep us.
    runtime.shutdown_background();
    let Some(outcome) = finished else { return Ok(INTERRUPTED) };
    let outcome = outcome?;
    if output.json {
        let text = serde_json::to_string_pretty(&outcome).unwrap_or_default();
        write(io::stdout().lock(), format!("{text}\n").as_bytes());
    } else if show == Show::Result
        && let Some(result) = &outcome.result
    {
        write(io::stdout().lock(), format!("{result}\n").as_bytes());
    }
    if let Some(folder) = out {
        save(&outcome, folder)?;
    }
    if !output.quiet {
        remark(&outcome);
    }
    if output.verbose {
        describe(&outcome);
    }
    Ok(exit_code(&outcome.ending))
}

/// A reader that went away is no reason to stop the script: it may still have files to write.
fn write(mut to: impl Write, bytes: &[u8]) {
    let _ = to.write_all(bytes).and_then(|()| to.flush());
}

fn exit_code(ending: &Ending) -> u8 {
    match ending {
        Ending::Exited { exit_code } => *exit_code,
        Ending::Stopped { reason } => match reason {
            StopReason::TimeLimit | StopReason::CpuLimit => 124,
            StopReason::MemoryLimit => 137,
            StopReason::StackOverflow => 139,
            StopReason::Crashed(_) => 134,
        },
    }
}

/// What a user could not see otherwise, with what to do about it.
fn remark(outcome: &Outcome) {
    if !outcome.success() && !outcome.capability_misses.is_empty() {
        let what: Vec<_> =
            outcome.capability_misses.iter().map(|miss| format!("{} ({})", miss.kind, miss.detail)).collect();
        eprintln!("pyexec: not available in WebAssembly: {}", what.join(", "));
    }
    if let Ending::Stopped { reason: StopReason::TimeLimit } = &outcome.ending {
        eprintln!("hint: --timeout SECONDS allows more");
    }
}

fn describe(outcome: &Outcome) {
    let usage = &outcome.usage;
    let limits: Vec<_> = outcome.limits_hit.iter().map(|limit| format!("{limit:?}")).collect();
    eprintln!(
        "pyexec: {:?}: {}\npyexec: wall {:.3} ms, CPU {:.3} ms, fuel {}, peak memory {:.1} MiB, disk {} bytes\npyexec: stdout \
         {} bytes, stderr {} bytes, limits hit: {}",
        outcome.tier,
        outcome.route_reason,
        usage.wall_us as f64 / 1000.0,
        usage.cpu_us as f64 / 1000.0,
        usage.fuel,
        usage.peak_memory_bytes as f64 / f64::from(1 << 20),
        usage.disk_bytes,
        outcome.stdout.bytes,
        outcome.stderr.bytes,
        if limits.is_empty() { "none".to_owned() } else { limits.join(", ") },
    );
}

/// Writes the script's files below `folder`. Their names were checked to stay inside by the directory they come from.
fn save(outcome: &Outcome, folder: &Path) -> Result<()> {
    for file in &outcome.files {
        let path = folder.join(&file.path);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, &file.content));
        written.map_err(|e| Failure::Usage(format!("cannot write {}: {e}", path.display())))?;
    }
    Ok(())
}

//! Runs one job in this process, for a person at a terminal or a script that pipes.

use super::{
    Failure, Result,
    interrupt::INTERRUPTED,
    options::OutputOptions,
    report::{Report, write},
};
use pyexec::{Builder, Event, Job, Outcome, Pyexec, Stdin};
use std::{fs, io, path::Path};

/// What the user came for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// What the script prints.
    Output,
    /// The value of its last expression, after what it prints.
    Result,
}

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

pub(crate) fn run(job: Job, output: OutputOptions, show: Show, out: Option<&Path>) -> Result<u8> {
    let pyexec = builder(output.quiet).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Fault(format!("cannot start a runtime: {e}")))?;
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
    let report = Report::from(outcome?);
    report.show(output, show);
    if let Some(folder) = out {
        save(report.outcome(), folder)?;
    }
    report.comment(output);
    Ok(report.exit_code())
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

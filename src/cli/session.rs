//! Runs one job in this process, for a person at a terminal or a script that pipes.

use super::{
    Failure, Result, bake,
    interrupt::INTERRUPTED,
    options::OutputOptions,
    replay::Stream,
    report::{Report, write},
};
use pyexec::{Baking, Builder, Event, Job, Outcome, Pyexec, Stdin, config::Settings};
use std::{
    env, fs, io,
    path::{Component, Path, PathBuf},
};

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
    let settings = Settings::without_server(env::vars())?;
    // This process ends too soon to do it.
    let pyexec = builder(output.quiet).settings(&settings).baking(Baking::OnOrder).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Fault(format!("cannot start a runtime: {e}")))?;
    let finished = runtime.block_on(async {
        let mut screen = Screen::new(output);
        let run = pyexec.run_observed(job, move |event: Event<'_>| screen.event(event));
        tokio::select! {
            outcome = run => Some(outcome),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    // A read of stdin that is still going on must not keep us.
    runtime.shutdown_background();
    if settings.containers.bake {
        bake::start(pyexec.bake_orders(), output.quiet);
    }
    // Before anything else ends this process: containers are removed here.
    drop(pyexec);
    let Some(outcome) = finished else { return Ok(INTERRUPTED) };
    let report = Report::from(outcome?);
    report.show(output, show);
    if let Some(folder) = out {
        save(report.outcome(), folder)?;
    }
    report.comment(output);
    Ok(report.exit_code())
}

/// What a person sees while the script runs.
struct Screen {
    output: OutputOptions,
    stdout: Stream,
    stderr: Stream,
}

impl Screen {
    fn new(output: OutputOptions) -> Screen {
        Screen { output, stdout: Stream::default(), stderr: Stream::default() }
    }

    fn event(&mut self, event: Event<'_>) {
        let OutputOptions { quiet, verbose, json } = self.output;
        match event {
            Event::Stdout(bytes) if !json => write(io::stdout().lock(), &self.stdout.printed(bytes)),
            Event::Stderr(bytes) if !json && !quiet => write(io::stderr().lock(), &self.stderr.printed(bytes)),
            Event::Progress(text) if !quiet => eprintln!("pyexec: {text}"),
            Event::Detail(line) if verbose => eprintln!("pyexec:   {line}"),
            Event::Restarted(reason) => {
                if verbose {
                    eprintln!("pyexec: {reason}");
                }
                self.stdout.restart();
                self.stderr.restart();
            }
            Event::Stdout(_) | Event::Stderr(_) | Event::Progress(_) | Event::Detail(_) | Event::Started => {}
        }
    }
}

/// Writes the script's files below `folder`, those of `/tmp` below `tmp` there; the project's own come last, and stay.
fn save(outcome: &Outcome, folder: &Path) -> Result<()> {
    for file in outcome.files.iter().rev() {
        let Some(path) = below(folder, &file.path) else {
            return Err(Failure::Usage(format!("cannot write {:?}: it leads out of {}", file.path, folder.display())));
        };
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, &file.content));
        written.map_err(|e| Failure::Usage(format!("cannot write {}: {e}", path.display())))?;
    }
    Ok(())
}

/// Returns where a file of a job goes below `folder`, or `None` when its path leads out or names nothing.
pub(crate) fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    let mut inside = folder.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    (inside != folder).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_inside_the_folder_only() {
        let below = |path| below(Path::new("/out"), path);
        assert_eq!(below("a/b.txt"), Some(PathBuf::from("/out/a/b.txt")));
        assert_eq!(below("/tmp/report.csv"), Some(PathBuf::from("/out/tmp/report.csv")));
        assert_eq!(below("/"), None);
        assert_eq!(below("../b.txt"), None);
        assert_eq!(below("/tmp/../../b.txt"), None);
    }
}

//! Runs one job in this process, for a person at a terminal or a script that pipes.

use super::{
    Failure, Result, bake,
    console::note,
    hints,
    interrupt::{INTERRUPTED, interrupted},
    options::OutputOptions,
    progress::Progress,
    report::Report,
    request::JobRequest,
    screen::{Screen, Waiting, set_waiting, waiting_since},
};
use pyexec::{Attempt, Baking, Builder, Event, Job, Outcome, Pyexec, Stdin, Update, config::Settings};
use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, IsTerminal},
    path::{Component, Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::Notify,
};

/// How often it is looked whether output is to be held back any longer.
const TICK: Duration = Duration::from_millis(50);

/// Says what the user came for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// What the script prints.
    Output,
    /// The value of its last expression, after what it prints.
    Result,
}

/// Reads the settings of this process, from variables.
pub(crate) fn settings() -> Result<Settings> {
    // One that is not UTF-8 is none of ours.
    let text = |text: OsString| text.into_string().ok();
    let variables = env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?)));
    Ok(Settings::without_server(variables)?)
}

pub(crate) fn builder(quiet: bool) -> Builder {
    Pyexec::builder().slots(1).wording(hints::words).on_progress(move |line| {
        if !quiet {
            note!("pyexec: {line}");
        }
    })
}

pub(crate) fn run(mut request: JobRequest, output: OutputOptions, show: Show, out: Option<&Path>) -> Result<u8> {
    // Without --out they are named, so that nobody thinks that they are here.
    request.collect_files = true;
    let (stdin, cells) = (request.stdin, request.cells.take());
    let mut job = request.local()?;
    let settings = settings()?;
    // This process ends too soon to do it.
    let pyexec = builder(output.quiet).settings(&settings).baking(Baking::OnOrder).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Fault(format!("cannot start a runtime: {e}")))?;
    let waiting = Waiting::default();
    if stdin {
        let reader = Input { inner: tokio::io::stdin(), waiting: Arc::clone(&waiting) };
        job = job.stdin(Stdin::Reader(Box::new(reader)));
    }
    let mut screen = Screen::new(output, Progress::default(), out.is_some());
    screen.take_cells(cells);
    let shown = Shown { screen: Arc::new(Mutex::new(screen)), failure: Arc::default(), failed: Arc::default() };
    let mut status = INTERRUPTED;
    let finished = runtime.block_on(async {
        let mut run = std::pin::pin!(attempts(&pyexec, job, output, &shown));
        let mut interrupt = std::pin::pin!(interrupted());
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                outcome = &mut run => break Some(outcome),
                asked_to_end = &mut interrupt => {
                    status = asked_to_end;
                    break None;
                }
                () = shown.failed.notified() => break None,
                _ = ticks.tick() => shown.keep(|screen| screen.tick(waiting_since(&waiting))),
            }
        }
    });
    match &finished {
        Some(Ok(_)) => shown.keep(Screen::finish),
        // What the script had printed when it was interrupted is its output.
        None => shown.keep(Screen::release),
        Some(Err(_)) => {}
    }
    // A read of stdin that is still going on must not keep us.
    runtime.shutdown_background();
    if settings.containers.bake {
        bake::start(pyexec.bake_orders(), output.quiet);
    }
    // Before anything else ends this process: containers are removed here.
    drop(pyexec);
    if let Some(failure) = shown.failure() {
        return Err(failure);
    }
    let Some(outcome) = finished else { return Ok(status) };
    let report = Report::from(outcome.map_err(Failure::of_job)?).in_cells(shown.screen().cells());
    report.show(output, show)?;
    if let Some(folder) = out {
        save(report.outcome(), folder)?;
    }
    report.comment(output);
    if out.is_none() {
        report.name_files();
    }
    Ok(report.exit_code())
}

/// Runs a job to its end, over as many attempts as that takes.
async fn attempts(pyexec: &Pyexec, job: Job, output: OutputOptions, shown: &Shown) -> pyexec::Result<Outcome> {
    let mut plan = pyexec.plan(job).await?;
    loop {
        let ready = match plan.into_ready() {
            Ok(ready) => ready,
            Err(plan) => pyexec.provision(*plan, &shown.progress(output)).await?,
        };
        let hold = !output.json && pyexec.may_run_again(&ready) && !io::stdout().is_terminal();
        shown.screen().begin(hold);
        let observer = shown.clone();
        let slot = pyexec.slot(&ready).await;
        match pyexec.attempt(ready, slot, move |event: Event<'_>| observer.event(event, output)).await? {
            Attempt::Done(outcome) => return Ok(*outcome),
            Attempt::Again(again) => {
                shown.screen().restart(&again.replay_reason().unwrap_or_default());
                plan = *again;
            }
        }
    }
}

/// Holds what a person sees while the script runs. Cheap to clone.
#[derive(Clone)]
struct Shown {
    screen: Arc<Mutex<Screen>>,
    /// Why nothing more can be shown.
    failure: Arc<Mutex<Option<Failure>>>,
    failed: Arc<Notify>,
}

impl Shown {
    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self) -> Option<Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Shows what goes on before the script runs.
    fn progress(&self, output: OutputOptions) -> pyexec::Progress {
        let shown = self.clone();
        pyexec::Progress::new(move |update| match update {
            Update::Phase(phase) => shown.event(Event::Progress(phase), output),
            Update::Detail(line) => shown.event(Event::Detail(line), output),
            _ => {}
        })
    }

    fn event(&self, event: Event<'_>, output: OutputOptions) {
        match event {
            Event::Stdout(bytes) => self.keep(|screen| screen.stdout(bytes)),
            Event::Stderr(bytes) => self.keep(|screen| screen.stderr(bytes)),
            Event::Progress(text) => self.screen().line(text),
            Event::Detail(line) if output.verbose => note!("pyexec:   {line}"),
            _ => {}
        }
    }

    /// Does something to the screen, and remembers that it failed.
    fn keep(&self, work: impl FnOnce(&mut Screen) -> Result<()>) {
        let Err(failure) = work(&mut self.screen()) else { return };
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
        self.failed.notify_one();
    }
}

/// Standard input that tells when it is waited for.
struct Input {
    inner: tokio::io::Stdin,
    waiting: Waiting,
}

impl AsyncRead for Input {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_read(context, into);
        set_waiting(&self.waiting, polled.is_pending());
        polled
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

//! One execution, from its place in the queue to its result.

use super::{
    App,
    api::ErrorKind,
    ending::{self, Ended, Refusal, go_duration},
    executions::{Decoder, End, LiveExecution, OUTPUT_BYTES_MAX, Stream, Terms},
};
use crate::{
    Attempt, Event, Plan, Progress, Ready,
    outcome::{OutputFile, Tier},
    scheduler::Entry,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::Instrument as _;

/// Whether the caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// It does: its deadline includes the time in the queue.
    Yes,
    /// It asks later: its deadline starts when the job does, and the time in the queue has a limit of its own.
    No,
}

/// Holds what is to be run.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) work: Work,
    pub(crate) terms: Terms,
    pub(crate) waiting: Waiting,
    /// As clients expect it of an evaluation with a result: without the last newline of stdout.
    pub(crate) strip_newline: bool,
    /// Whether files come back.
    pub(crate) collect_files: bool,
    /// What it takes in memory while it waits.
    pub(crate) bytes: usize,
}

/// A job, or why there is none.
#[derive(Debug)]
pub(crate) enum Work {
    Planned(Box<Plan>),
    /// The request is well formed and asks for what cannot be.
    Refused(Refusal),
}

/// A job that has its plan.
struct Planned {
    plan: Plan,
    waiting: Waiting,
    strip_newline: bool,
    collect_files: bool,
    bytes: usize,
}

/// Runs it to its end, whichever that is, and stores what came of it.
pub(crate) async fn run(app: Arc<App>, execution: Arc<LiveExecution>, request: Request, entry: Option<Entry>) {
    let span = tracing::info_span!("execution", id = %execution.id, owner = %execution.caller.name);
    let mut unfinished = Unfinished { app: Some(Arc::clone(&app)), execution: Arc::clone(&execution) };
    let Request { work, terms: _, waiting, strip_newline, collect_files, bytes } = request;
    match app.executions.claim(&execution).await {
        Ok(Some(())) => {}
        // Another node runs it, or nobody is to.
        Ok(None) => return unfinished.app = None,
        Err(error) => {
            let (end, files) = ending::refused(&execution, error.into()).await;
            return unfinished.finish(end, files).await;
        }
    }
    let (end, files) = match (work, entry) {
        (Work::Planned(plan), Some(entry)) => {
            let planned = Planned { plan: *plan, waiting, strip_newline, collect_files, bytes };
            attempt(&app, &execution, planned, entry).instrument(span.clone()).await
        }
        (Work::Refused(refusal), _) => ending::refused(&execution, refusal).await,
        (Work::Planned(_), None) => {
            let message = "the execution has no place in the queue";
            ending::refused(&execution, Refusal::unavailable(message)).await
        }
    };
    span.in_scope(|| {
        tracing::info!(
            status = ?end.status,
            exit_code = end.exit_code,
            kind = end.error_kind.map(tracing::field::debug),
            queue_us = end.queue_us,
            run_us = end.usage.wall_us,
            fuel = end.usage.fuel,
            "ended"
        );
    });
    unfinished.finish(end, files).await;
}

/// An execution that someone waits for. Whatever happens to its task, it gets a result.
struct Unfinished {
    /// Taken when it has got one.
    app: Option<Arc<App>>,
    execution: Arc<LiveExecution>,
}

impl Unfinished {
    async fn finish(&mut self, end: End, files: Vec<OutputFile>) {
        if let Some(app) = self.app.take() {
            finish(&app, &self.execution, end, files).await;
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let Some(app) = self.app.take() else { return };
        let execution = Arc::clone(&self.execution);
        tracing::error!(id = %execution.id, "the task of an execution ended early");
        app.jobs.clone().spawn(async move {
            let refusal = Refusal::unavailable("the service failed while it ran; its log says why");
            let (end, files) = ending::refused(&execution, refusal).await;
            finish(&app, &execution, end, files).await;
        });
    }
}

async fn finish(app: &App, execution: &LiveExecution, end: End, files: Vec<OutputFile>) {
    app.metrics.execution_ended(&end);
    app.executions.finish(execution, end, files).await;
}

async fn attempt(app: &App, execution: &Arc<LiveExecution>, planned: Planned, entry: Entry) -> (End, Vec<OutputFile>) {
    let Planned { mut plan, waiting, strip_newline, collect_files, bytes } = planned;
    let timeout = plan.wall_clock();
    let (scheduler, owner) = (app.pyexec.scheduler(), execution.caller.index as u64);
    let mut entry = entry;
    let mut since = execution.queued_at;
    let mut waited = Duration::ZERO;
    let mut again = false;
    loop {
        let mut ready = match plan.into_ready() {
            Ok(ready) => ready,
            Err(plan) => {
                if plan.takes_time() {
                    execution.start();
                }
                let provisioned = tokio::select! {
                    biased;
                    () = execution.killed() => return ending::killed(execution).await,
                    provisioned = provision(app, execution, *plan) => provisioned,
                };
                // What it takes to have its packages is no time in the queue.
                since = Instant::now();
                match provisioned {
                    Ok(ready) => ready,
                    Err(error) => return ending::refused(execution, error.into()).await,
                }
            }
        };
        let tier = ready.tier();
        let place = scheduler.join(entry, tier, owner, bytes);
        // A second attempt has what the first has left, whoever waits.
        let counts = waiting == Waiting::Yes || again;
        let patience = if counts { Some(ready.wall_clock()) } else { app.settings.queue_ttl };
        let queued = tokio::select! {
            biased;
            () = execution.killed() => return ending::killed(execution).await,
            slot = within(patience, place.slot()).instrument(tracing::info_span!("queue")) => slot,
        };
        waited += since.elapsed();
        let slot = match (queued, patience) {
            (Some(slot), Some(patience)) if counts => {
                ready.set_wall_clock(patience.saturating_sub(since.elapsed()));
                slot
            }
            (Some(slot), _) => slot,
            (None, patience) => {
                let message = match patience.filter(|_| !counts) {
                    None => format!("execution timeout after {} in the queue", go_duration(timeout)),
                    Some(patience) => format!("no slot became free within {}", go_duration(patience)),
                };
                return (ending::failed(execution, ErrorKind::QueueTimeout, message), Vec::new());
            }
        };
        if !again {
            app.metrics.queue_left(waited);
        }
        execution.start();
        let mut output = LiveOutput::new(Arc::clone(execution));
        let run = app.pyexec.attempt(ready, slot, move |event: Event<'_>| output.event(event));
        let run = run.instrument(tracing::info_span!("run"));
        let attempt = tokio::select! {
            biased;
            () = execution.killed() => return ending::killed(execution).await,
            attempt = run => attempt,
        };
        match attempt {
            Ok(Attempt::Done(outcome)) => {
                return ending::finished(*outcome, &Ended { waited, timeout, strip_newline, collect_files });
            }
            Ok(Attempt::Again(second)) => {
                (plan, again, since) = (*second, true, Instant::now());
                entry = scheduler.enter_again(plan.tier(), plan.is_ready(), owner, bytes);
                app.metrics.replayed();
                execution.restarted(plan.replay_reason().unwrap_or_default());
            }
            // What goes wrong in here is for the log alone; what a daemon says is about the job's container.
            Err(error) if !error.is_invalid_job() && tier == Tier::Wasm => {
                tracing::error!(%error, "the execution could not be run");
                let refusal = Refusal::unavailable("the service cannot run it now; its log says why");
                return ending::refused(execution, refusal).await;
            }
            Err(error) => return ending::refused(execution, error.into()).await,
        }
    }
}

/// Waits, for as long as there is patience.
async fn within<T>(patience: Option<Duration>, future: impl Future<Output = T>) -> Option<T> {
    match patience {
        Some(patience) => tokio::time::timeout(patience, future).await.ok(),
        None => Some(future.await),
    }
}

/// Makes what it takes to run, as those who follow it are told.
async fn provision(app: &App, execution: &Arc<LiveExecution>, plan: Plan) -> crate::Result<Ready> {
    let shown = Arc::clone(execution);
    let progress = Progress::phases(move |phase| shown.set_progress(Some(phase)));
    let ready = app.pyexec.provision(plan, &progress).instrument(tracing::info_span!("provision")).await;
    execution.set_progress(None);
    ready
}

/// Passes output on to those who follow, as text.
struct LiveOutput {
    execution: Arc<LiveExecution>,
    stdout: Decoder,
    stderr: Decoder,
}

impl LiveOutput {
    fn new(execution: Arc<LiveExecution>) -> LiveOutput {
        LiveOutput { execution, stdout: Decoder::default(), stderr: Decoder::default() }
    }

    fn event(&mut self, event: Event<'_>) {
        let (stream, decoder, bytes) = match event {
            Event::Progress(text) => return self.execution.set_progress(Some(text)),
            Event::Started => return self.execution.set_progress(None),
            // An attempt is one run, of what tools say the log of the engine has enough, and displays are of sessions.
            Event::Restarted(_) | Event::Detail(_) | Event::Display(_) => return,
            Event::Stdout(bytes) => (Stream::Stdout, &mut self.stdout, bytes),
            Event::Stderr(bytes) => (Stream::Stderr, &mut self.stderr, bytes),
        };
        // A script may write hundreds of megabytes at once.
        for piece in bytes.chunks(OUTPUT_BYTES_MAX) {
            self.execution.output(stream, decoder.decode(piece));
        }
    }
}

impl Drop for LiveOutput {
    fn drop(&mut self) {
        let stdout = self.stdout.finish();
        self.execution.output(Stream::Stdout, stdout);
        let stderr = self.stderr.finish();
        self.execution.output(Stream::Stderr, stderr);
    }
}

//! One execution, from its place in the queue to its result.

use super::{
    App,
    admission::Place,
    api::{ErrorKind, ExecutionResult, FileLink, GivenLimits, Status, Usage},
    events::{Decoder, Kind, OUTPUT_BYTES_MAX},
    store::Execution,
};
use crate::{
    Attempt, Error, Event, Outcome, Plan, Progress, Ready,
    outcome::{Ending, OutputFile, StopReason, Tier},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tracing::Instrument as _;

/// Files up to this size come in the result itself, as long as all together are not above [`INLINE_BYTES_MAX`].
const INLINE_FILE_BYTES_MAX: usize = 64 << 10;
const INLINE_BYTES_MAX: usize = 1 << 20;

const ERROR_MESSAGE_BYTES_MAX: usize = 16 << 10;

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

/// Says why a job cannot be run, for its client.
#[derive(Debug)]
pub(crate) struct Refusal {
    kind: ErrorKind,
    exit_code: u8,
    message: String,
}

/// Holds what a request got, and what is to be said about it.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) limits: GivenLimits,
    pub(crate) warnings: Vec<String>,
}

impl Terms {
    /// Returns terms that are as good as none.
    #[cfg(test)]
    pub(crate) fn nothing() -> Terms {
        let limits = GivenLimits {
            timeout_seconds: 1.into(),
            memory_mb: 1.into(),
            disk_mb: 1.into(),
            cpu_shares: 2,
            cpu_fuel: None,
            max_output_bytes: 1,
        };
        Terms { limits, warnings: Vec::new() }
    }
}

/// A job that has its plan.
struct Planned {
    plan: Plan,
    waiting: Waiting,
    strip_newline: bool,
    collect_files: bool,
    bytes: usize,
}

impl Refusal {
    fn unavailable(message: impl Into<String>) -> Refusal {
        Refusal { kind: ErrorKind::Unavailable, exit_code: 1, message: message.into() }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        match error {
            Error::InvalidJob { message, exit_code } => Refusal { kind: ErrorKind::Invalid, exit_code, message },
            Error::Unavailable { .. } | Error::InvalidSettings { .. } => {
                tracing::error!(%error, "an execution could not be run");
                Refusal::unavailable(error.to_string())
            }
        }
    }
}

/// Runs it to its end, whichever that is, and stores what came of it.
pub(crate) async fn run(app: Arc<App>, execution: Arc<Execution>, request: Request, place: Option<Place>) {
    let unfinished = Unfinished { app: Arc::clone(&app), execution: Arc::clone(&execution) };
    let span = tracing::info_span!("execution", id = %execution.id, owner = execution.owner);
    let Request { work, terms: _, waiting, strip_newline, collect_files, bytes } = request;
    let (result, files) = match (work, place) {
        (Work::Planned(plan), Some(place)) => {
            let planned = Planned { plan: *plan, waiting, strip_newline, collect_files, bytes };
            attempt(&app, &execution, planned, place).instrument(span.clone()).await
        }
        (Work::Refused(refusal), _) => (refused(&execution, refusal), Vec::new()),
        (Work::Planned(_), None) => {
            let message = "the execution has no place in the queue";
            (refused(&execution, Refusal::unavailable(message)), Vec::new())
        }
    };
    span.in_scope(|| {
        tracing::info!(
            status = ?result.status,
            exit_code = result.exit_code,
            kind = result.error_kind.map(tracing::field::debug),
            queue_us = result.usage.queue_us,
            run_us = result.duration_us,
            fuel = result.usage.fuel,
            "ended"
        );
    });
    unfinished.finish(result, files);
}

/// An execution that someone waits for. Whatever happens to its task, it gets a result.
struct Unfinished {
    app: Arc<App>,
    execution: Arc<Execution>,
}

impl Unfinished {
    fn finish(&self, result: ExecutionResult, files: Vec<OutputFile>) {
        self.app.metrics.execution_ended(&result);
        self.app.store.finish(&self.execution, result, files);
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.execution.end().is_none() {
            tracing::error!(id = %self.execution.id, "the task of an execution ended early");
            let refusal = Refusal::unavailable("the service failed while it ran; its log says why");
            self.finish(refused(&self.execution, refusal), Vec::new());
        }
    }
}

async fn attempt(
    app: &App,
    execution: &Arc<Execution>,
    planned: Planned,
    place: Place,
) -> (ExecutionResult, Vec<OutputFile>) {
    let Planned { mut plan, waiting, strip_newline, collect_files, bytes } = planned;
    let timeout = plan.wall_clock();
    let mut place = place;
    let mut waited = Duration::ZERO;
    let mut again = false;
    loop {
        let mut ready = match plan.into_ready() {
            Ok(ready) => ready,
            Err(plan) => {
                if execution.started().is_none() {
                    execution.start();
                }
                let provisioned = tokio::select! {
                    biased;
                    () = execution.killed() => return (killed(execution), Vec::new()),
                    provisioned = provision(app, execution, *plan) => provisioned,
                };
                let ready = match provisioned {
                    Ok(ready) => ready,
                    Err(error) => return (refused(execution, error.into()), Vec::new()),
                };
                place = app.gates.of(ready.tier()).join(execution.owner, bytes);
                ready
            }
        };
        let tier = ready.tier();
        // A second attempt has what the first has left, whoever waits.
        let counts = waiting == Waiting::Yes || again;
        let patience = if counts { Some(ready.wall_clock()) } else { app.settings.queue_ttl };
        // What it takes to have its packages does not count.
        let since = if execution.started().is_some() { Instant::now() } else { execution.queued_at };
        let queued = tokio::select! {
            biased;
            () = execution.killed() => return (killed(execution), Vec::new()),
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
                return (failed(execution, ErrorKind::QueueTimeout, message), Vec::new());
            }
        };
        if !again {
            app.metrics.queue_left(waited);
        }
        if execution.started().is_none() {
            execution.start();
        }
        let mut output = LiveOutput::new(Arc::clone(execution));
        let run = app.pyexec.attempt(ready, move |event: Event<'_>| output.event(event));
        let run = run.instrument(tracing::info_span!("run"));
        let attempt = tokio::select! {
            biased;
            () = execution.killed() => return (killed(execution), Vec::new()),
            attempt = run => attempt,
        };
        drop(slot);
        match attempt {
            Ok(Attempt::Done(outcome)) => {
                let files = collect_files.then(|| links(&execution.id, &outcome.files));
                return finished(execution, *outcome, Ended { waited, timeout, strip_newline, files });
            }
            Ok(Attempt::Again(second)) => {
                (plan, again) = (*second, true);
                // It was let in, and has stopped where it was: it is not to be turned away any more.
                place = app.gates.next(&plan).join(execution.owner, bytes);
                app.metrics.replayed();
                execution.events.restarted(&plan.replay_reason().unwrap_or_default());
            }
            // What goes wrong in here is for the log alone; what a daemon says is about the job's container.
            Err(error @ Error::Unavailable { .. }) if tier == Tier::Wasm => {
                tracing::error!(%error, "the execution could not be run");
                let refusal = Refusal::unavailable("the service cannot run it now; its log says why");
                return (refused(execution, refusal), Vec::new());
            }
            Err(error) => return (refused(execution, error.into()), Vec::new()),
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
async fn provision(app: &App, execution: &Arc<Execution>, plan: Plan) -> crate::Result<Ready> {
    let shown = Arc::clone(execution);
    let progress = Progress::phases(move |phase| shown.set_progress(Some(phase)));
    let ready = app.pyexec.provision(plan, &progress).instrument(tracing::info_span!("provision")).await;
    execution.set_progress(None);
    ready
}

/// Makes the result of an execution that could not be run to its end. Not all clients show errors, but all show what a
/// script wrote.
fn refused(execution: &Execution, refusal: Refusal) -> ExecutionResult {
    let Refusal { kind, exit_code, message } = refusal;
    execution.events.output(Kind::Stderr, &format!("{}\n", message.trim_end()));
    ExecutionResult { exit_code: exit_code.into(), ..with_output(execution, failed(execution, kind, message)) }
}

/// Returns the result with what was printed so far.
fn with_output(execution: &Execution, result: ExecutionResult) -> ExecutionResult {
    let (stdout, stdout_truncated) = execution.events.text(Kind::Stdout);
    let (stderr, stderr_truncated) = execution.events.text(Kind::Stderr);
    ExecutionResult {
        stdout_bytes: stdout.len() as u64,
        stderr_bytes: stderr.len() as u64,
        stdout,
        stderr,
        stdout_truncated,
        stderr_truncated,
        ..result
    }
}

/// Passes output on to those who follow, as text.
struct LiveOutput {
    execution: Arc<Execution>,
    stdout: Decoder,
    stderr: Decoder,
}

impl LiveOutput {
    fn new(execution: Arc<Execution>) -> LiveOutput {
        LiveOutput { execution, stdout: Decoder::default(), stderr: Decoder::default() }
    }

    fn event(&mut self, event: Event<'_>) {
        let (kind, decoder, bytes) = match event {
            Event::Progress(text) => return self.execution.set_progress(Some(text)),
            Event::Started => return self.execution.set_progress(None),
            // An attempt is one run, and of what tools say the log of the engine has enough.
            Event::Restarted(_) | Event::Detail(_) => return,
            Event::Stdout(bytes) => (Kind::Stdout, &mut self.stdout, bytes),
            Event::Stderr(bytes) => (Kind::Stderr, &mut self.stderr, bytes),
        };
        // A script may write hundreds of megabytes at once.
        for piece in bytes.chunks(OUTPUT_BYTES_MAX) {
            self.execution.events.output(kind, &decoder.decode(piece));
        }
    }
}

impl Drop for LiveOutput {
    fn drop(&mut self) {
        self.execution.events.output(Kind::Stdout, &self.stdout.finish());
        self.execution.events.output(Kind::Stderr, &self.stderr.finish());
    }
}

/// Makes the result of an execution of which only its being there is known.
pub(crate) fn blank(execution: &Execution) -> ExecutionResult {
    ExecutionResult {
        execution_id: execution.id.clone(),
        status: execution.status(),
        exit_code: 0,
        stdout: String::new(),
        stderr: String::new(),
        duration_ms: 0,
        duration_us: 0,
        error: None,
        error_type: None,
        error_message: None,
        error_line: None,
        error_frames: Vec::new(),
        error_kind: None,
        started_at: execution.started().map(timestamp),
        finished_at: None,
        result: None,
        result_json: None,
        executor: None,
        progress: execution.progress().filter(|_| execution.end().is_none()),
        route_reason: None,
        usage: Usage::default(),
        stdout_truncated: false,
        stderr_truncated: false,
        stdout_bytes: 0,
        stderr_bytes: 0,
        limits_hit: Vec::new(),
        capability_misses: Vec::new(),
        outputs: Vec::new(),
        files: None,
        files_dropped: None,
        limits: execution.terms.limits.clone(),
        warnings: execution.terms.warnings.clone(),
    }
}

/// Makes the result of an execution that was stopped by something other than its script.
pub(crate) fn failed(execution: &Execution, kind: ErrorKind, message: String) -> ExecutionResult {
    let now = SystemTime::now();
    let ran = execution.started().map_or(Duration::ZERO, |started| now.duration_since(started).unwrap_or_default());
    let queued = execution.queued_at.elapsed().saturating_sub(ran);
    ExecutionResult {
        status: Status::Failed,
        duration_ms: microseconds(ran) / 1000,
        duration_us: microseconds(ran),
        error: Some(message),
        error_kind: Some(kind),
        finished_at: Some(timestamp(now)),
        progress: None,
        usage: Usage { wall_us: microseconds(ran), queue_us: microseconds(queued), ..Usage::default() },
        ..blank(execution)
    }
}

/// Makes the result of an execution that someone stopped, with what it had printed.
fn killed(execution: &Execution) -> ExecutionResult {
    let result = failed(execution, ErrorKind::Killed, "execution killed".to_owned());
    ExecutionResult { status: Status::Killed, exit_code: 137, ..with_output(execution, result) }
}

/// Holds what the outcome does not know.
struct Ended {
    waited: Duration,
    timeout: Duration,
    strip_newline: bool,
    files: Option<Vec<FileLink>>,
}

fn finished(execution: &Execution, outcome: Outcome, ended: Ended) -> (ExecutionResult, Vec<OutputFile>) {
    let Ended { waited, timeout, strip_newline, files } = ended;
    let (status, exit_code, error, error_kind) = match &outcome.ending {
        Ending::Exited { exit_code } => (Status::Completed, i32::from(*exit_code), None, None),
        Ending::Stopped { reason } => {
            let (kind, message) = stopped(reason, timeout);
            (Status::Failed, 0, Some(message), Some(kind))
        }
        Ending::Failed { exit_code, message } => {
            (Status::Failed, i32::from(*exit_code), Some(message.clone()), Some(ErrorKind::Invalid))
        }
    };
    let mut stdout = outcome.stdout.text;
    if strip_newline && outcome.result.is_some() && stdout.ends_with('\n') {
        stdout.pop();
    }
    let usage = outcome.usage;
    let (mut error_type, mut error_message, mut error_line, mut error_frames) = (None, None, None, Vec::new());
    if let Some(exception) = outcome.exception {
        error_type = Some(exception.kind);
        error_message = Some(shortened(exception.message));
        (error_line, error_frames) = (exception.line, exception.frames);
    }
    let result = ExecutionResult {
        status,
        exit_code,
        stdout,
        stderr: outcome.stderr.text,
        duration_ms: usage.wall_us / 1000,
        duration_us: usage.wall_us,
        error,
        error_type,
        error_message,
        error_line,
        error_frames,
        error_kind,
        finished_at: Some(timestamp(SystemTime::now())),
        result: outcome.result,
        result_json: outcome.result_json,
        executor: Some(outcome.tier),
        progress: None,
        route_reason: Some(outcome.route_reason),
        usage: Usage {
            fuel: usage.fuel,
            peak_memory_bytes: usage.peak_memory_bytes,
            disk_bytes: usage.disk_bytes,
            cpu_us: usage.cpu_us,
            wall_us: usage.wall_us,
            queue_us: microseconds(waited),
        },
        stdout_truncated: outcome.stdout.truncated,
        stderr_truncated: outcome.stderr.truncated,
        stdout_bytes: outcome.stdout.bytes,
        stderr_bytes: outcome.stderr.bytes,
        limits_hit: outcome.limits_hit,
        capability_misses: outcome.capability_misses,
        outputs: outcome.outputs,
        files,
        ..blank(execution)
    };
    (result, outcome.files)
}

/// Shortens a message, of which standard error has all.
fn shortened(mut message: String) -> String {
    if message.len() > ERROR_MESSAGE_BYTES_MAX {
        message.truncate(message.floor_char_boundary(ERROR_MESSAGE_BYTES_MAX));
        message.push('…');
    }
    message
}

fn stopped(reason: &StopReason, timeout: Duration) -> (ErrorKind, String) {
    match reason {
        // The words that existing clients look for.
        StopReason::TimeLimit => (ErrorKind::TimeLimit, format!("execution timeout after {}", go_duration(timeout))),
        StopReason::CpuLimit => (ErrorKind::CpuLimit, reason.to_string()),
        StopReason::MemoryLimit => (ErrorKind::MemoryLimit, reason.to_string()),
        StopReason::StackOverflow => (ErrorKind::StackOverflow, reason.to_string()),
        StopReason::Crashed(_) => (ErrorKind::Crashed, reason.to_string()),
    }
}

fn links(id: &str, files: &[OutputFile]) -> Vec<FileLink> {
    let mut room = INLINE_BYTES_MAX;
    let link = |file: &OutputFile| {
        let inline = file.content.len() <= INLINE_FILE_BYTES_MAX && file.content.len() <= room;
        let (mut content, mut content_base64) = (None, None);
        if inline {
            room -= file.content.len();
            match std::str::from_utf8(&file.content) {
                Ok(text) => content = Some(text.to_owned()),
                Err(_) => content_base64 = Some(STANDARD.encode(&file.content)),
            }
        }
        FileLink {
            path: file.path.clone(),
            size: file.content.len() as u64,
            url: format!("/api/v1/executions/{id}/files/{}", percent_encoded(&file.path)),
            content,
            content_base64,
        }
    };
    files.iter().map(link).collect()
}

/// Encodes a path as it stands in a URL.
fn percent_encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Writes a time in UTC with six fractional digits and `Z`, which existing clients parse.
pub(crate) fn timestamp(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time).to_string()
}

/// Writes a duration as Go prints a `time.Duration`.
pub(crate) fn go_duration(duration: Duration) -> String {
    let (hours, minutes) = (duration.as_secs() / 3600, duration.as_secs() / 60 % 60);
    let seconds = duration.as_secs_f64() - (hours * 3600 + minutes * 60) as f64;
    match (hours, minutes) {
        (0, 0) if duration < Duration::from_secs(1) => format!("{}ms", duration.as_secs_f64() * 1000.0),
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_in_go() {
        for (milliseconds, text) in
            [(300_000, "5m0s"), (3_600_000, "1h0m0s"), (1500, "1.5s"), (90_000, "1m30s"), (250, "250ms"), (2000, "2s")]
        {
            assert_eq!(go_duration(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn times_have_six_digits_and_a_z() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_000_001);
        assert_eq!(timestamp(time), "2023-11-14T22:13:20.000001Z");
    }

    #[test]
    fn paths_are_encoded_for_urls() {
        assert_eq!(percent_encoded("a b/ü?.txt"), "a%20b/%C3%BC%3F.txt");
    }
}

//! How an execution ended, in the words of its record.

use super::{
    api::{ErrorKind, Status},
    executions::{End, FileEntry, LiveExecution, Printed, Stream},
    hints,
};
use crate::{
    Error, Outcome,
    outcome::{Ending, Exception, Output, OutputFile, StopReason, Usage},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::time::{Duration, SystemTime};

/// Files up to this size come in the result itself, as long as all together are not above [`INLINE_BYTES_MAX`].
const INLINE_FILE_BYTES_MAX: usize = 64 << 10;
const INLINE_BYTES_MAX: usize = 1 << 20;

const ERROR_MESSAGE_BYTES_MAX: usize = 16 << 10;

/// Says why a job cannot be run, for its client.
#[derive(Debug)]
pub(crate) struct Refusal {
    kind: ErrorKind,
    exit_code: u8,
    message: String,
    hint: Option<String>,
}

impl Refusal {
    pub(crate) fn unavailable(message: impl Into<String>) -> Refusal {
        Refusal { kind: ErrorKind::Unavailable, exit_code: 1, message: message.into(), hint: None }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        let hint = error.hint().map(hints::words);
        let kind = if error.is_invalid_job() { ErrorKind::Invalid } else { ErrorKind::Unavailable };
        if kind == ErrorKind::Unavailable {
            tracing::error!(%error, "an execution could not be run");
        }
        Refusal { kind, exit_code: error.exit_code(), message: error.to_string(), hint }
    }
}

/// Ends an execution that could not be run to its end. Not all clients show errors, but all show what a script wrote.
pub(crate) async fn refused(execution: &LiveExecution, refusal: Refusal) -> (End, Vec<OutputFile>) {
    let Refusal { kind, exit_code, message, hint } = refusal;
    let advice = hint.as_ref().map_or_else(String::new, |hint| format!("hint: {hint}\n"));
    execution.output(Stream::Stderr, format!("{}\n{advice}", message.trim_end()));
    (End { exit_code, hint, ..with_output(execution, failed(execution, kind, message)).await }, Vec::new())
}

/// Ends an execution that someone stopped, with what it had printed.
pub(crate) async fn killed(execution: &LiveExecution) -> (End, Vec<OutputFile>) {
    let end = failed(execution, ErrorKind::Killed, "execution killed".to_owned());
    (End { status: Status::Killed, exit_code: 137, ..with_output(execution, end).await }, Vec::new())
}

/// Adds what was printed so far.
async fn with_output(execution: &LiveExecution, end: End) -> End {
    let printed = execution.printed().await.unwrap_or_else(|error| {
        tracing::error!(%error, id = %execution.id, "what an execution has printed cannot be read");
        Printed { truncated: true, ..Printed::default() }
    });
    let stream = |text: String| Output { bytes: text.len() as u64, text, truncated: printed.truncated };
    End { stdout: stream(printed.stdout), stderr: stream(printed.stderr), ..end }
}

/// Ends an execution that was stopped by something other than its script.
pub(crate) fn failed(execution: &LiveExecution, kind: ErrorKind, message: String) -> End {
    let now = SystemTime::now();
    let ran = execution.started().map_or(Duration::ZERO, |started| now.duration_since(started).unwrap_or_default());
    let queued = execution.queued_at.elapsed().saturating_sub(ran);
    End {
        status: Status::Failed,
        exit_code: 0,
        error: Some(message),
        hint: None,
        error_kind: Some(kind),
        finished_at: now,
        stdout: Output::default(),
        stderr: Output::default(),
        result: None,
        result_json: None,
        exception: None,
        tier: None,
        route_reason: None,
        usage: Usage { wall_us: microseconds(ran), ..Usage::default() },
        queue_us: microseconds(queued),
        limits_hit: Vec::new(),
        capability_misses: Vec::new(),
        outputs: Vec::new(),
        files: None,
        workspace: None,
        is_dropped: false,
    }
}

/// Holds what the outcome does not know.
pub(crate) struct Ended {
    pub(crate) waited: Duration,
    pub(crate) timeout: Duration,
    /// As clients expect it of an evaluation with a result.
    pub(crate) strip_newline: bool,
    pub(crate) collect_files: bool,
}

/// Ends an execution with what came of its script.
pub(crate) fn finished(outcome: Outcome, ended: &Ended) -> (End, Vec<OutputFile>) {
    let (status, exit_code, error, error_kind) = match outcome.ending {
        Ending::Exited { exit_code } => (Status::Completed, exit_code, None, None),
        Ending::Stopped { reason } => {
            let (kind, message) = stopped(&reason, ended.timeout);
            (Status::Failed, 0, Some(message), Some(kind))
        }
        Ending::Failed { exit_code, message } => (Status::Failed, exit_code, Some(message), Some(ErrorKind::Invalid)),
    };
    let mut stdout = outcome.stdout;
    if ended.strip_newline && outcome.result.is_some() && stdout.text.ends_with('\n') {
        stdout.text.pop();
    }
    let shorten = |exception: Exception| Exception { message: shortened(exception.message), ..exception };
    let end = End {
        status,
        exit_code,
        error,
        hint: None,
        error_kind,
        finished_at: SystemTime::now(),
        stdout,
        stderr: outcome.stderr,
        result: outcome.result,
        result_json: outcome.result_json,
        exception: outcome.exception.map(shorten),
        tier: Some(outcome.tier),
        route_reason: Some(outcome.route_reason),
        usage: outcome.usage,
        queue_us: microseconds(ended.waited),
        limits_hit: outcome.limits_hit,
        capability_misses: outcome.capability_misses,
        outputs: outcome.outputs,
        files: ended.collect_files.then(|| entries(&outcome.files)),
        workspace: outcome.workspace,
        is_dropped: false,
    };
    (end, outcome.files)
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

/// Describes files, with the content of small ones.
fn entries(files: &[OutputFile]) -> Vec<FileEntry> {
    let mut room = INLINE_BYTES_MAX;
    let entry = |file: &OutputFile| {
        let is_inline = file.content.len() <= INLINE_FILE_BYTES_MAX && file.content.len() <= room;
        let (mut content, mut content_base64) = (None, None);
        if is_inline {
            room -= file.content.len();
            match std::str::from_utf8(&file.content) {
                Ok(text) => content = Some(text.to_owned()),
                Err(_) => content_base64 = Some(STANDARD.encode(&file.content)),
            }
        }
        FileEntry { path: file.path.clone(), size: file.content.len() as u64, content, content_base64 }
    };
    files.iter().map(entry).collect()
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
}

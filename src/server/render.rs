//! From records to the objects of the wire, at the edge and nowhere else.

use super::{
    api::{ExecutionResult, ExecutionSummary, FileLink, GivenLimits, Status, Usage},
    executions::{End, EventKind, ExecutionRecord, FileEntry, GrantedLimits, Stream},
};
use crate::blocking::blocking;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Number, json};
use std::{sync::Arc, time::SystemTime};

/// Larger results are written by a thread that may take its time.
const LARGE_BYTES: usize = 256 << 10;

const MIB: u64 = 1 << 20;

/// What a path in a URL has to have encoded.
pub(crate) const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Makes the JSON of an execution.
pub(crate) async fn json(record: Arc<ExecutionRecord>) -> Bytes {
    let write = |record: &ExecutionRecord| Bytes::from(serde_json::to_vec(&result(record)).unwrap_or_default());
    if record.bytes() <= LARGE_BYTES {
        return write(&record);
    }
    blocking(move || write(&record)).await.unwrap_or_default()
}

/// Makes what is said of a call that has ended.
pub(crate) fn call(id: String, given: &GrantedLimits, warnings: Vec<String>, end: End) -> ExecutionResult {
    let blank = blank(id, end.status, given, warnings);
    ended(blank, end)
}

/// Makes what is said of an execution, ended or not.
pub(crate) fn result(record: &ExecutionRecord) -> ExecutionResult {
    let ExecutionRecord { id, terms, started_at, progress, .. } = record;
    let blank = ExecutionResult {
        started_at: started_at.map(timestamp),
        progress: progress.clone(),
        ..blank(id.clone(), record.status(), &terms.limits, terms.warnings.clone())
    };
    match record.end.clone() {
        Some(end) => ended(blank, end),
        None => blank,
    }
}

fn blank(execution_id: String, status: Status, given: &GrantedLimits, warnings: Vec<String>) -> ExecutionResult {
    ExecutionResult {
        execution_id,
        status,
        exit_code: 0,
        stdout: String::new(),
        stderr: String::new(),
        duration_ms: 0,
        duration_us: 0,
        error: None,
        hint: None,
        error_type: None,
        error_message: None,
        error_line: None,
        error_frames: Vec::new(),
        error_kind: None,
        started_at: None,
        finished_at: None,
        result: None,
        result_json: None,
        executor: None,
        progress: None,
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
        workspace: None,
        limits: limits(given),
        warnings,
    }
}

fn ended(blank: ExecutionResult, end: End) -> ExecutionResult {
    let (mut error_type, mut error_message, mut error_line, mut error_frames) = (None, None, None, Vec::new());
    if let Some(exception) = end.exception {
        error_type = Some(exception.kind);
        error_message = Some(exception.message);
        (error_line, error_frames) = (exception.line, exception.frames);
    }
    let usage = end.usage;
    let id = &blank.execution_id;
    let files = end.files.map(|files| files.into_iter().map(|file| link(id, file)).collect());
    ExecutionResult {
        exit_code: end.exit_code.into(),
        stdout: end.stdout.text,
        stderr: end.stderr.text,
        duration_ms: usage.wall_us / 1000,
        duration_us: usage.wall_us,
        error: end.error,
        hint: end.hint,
        error_type,
        error_message,
        error_line,
        error_frames,
        error_kind: end.error_kind,
        finished_at: Some(timestamp(end.finished_at)),
        result: end.result,
        result_json: end.result_json,
        executor: end.tier,
        route_reason: end.route_reason,
        usage: Usage {
            fuel: usage.fuel,
            peak_memory_bytes: usage.peak_memory_bytes,
            disk_bytes: usage.disk_bytes,
            cpu_us: usage.cpu_us,
            wall_us: usage.wall_us,
            queue_us: end.queue_us,
        },
        stdout_truncated: end.stdout.truncated,
        stderr_truncated: end.stderr.truncated,
        stdout_bytes: end.stdout.bytes,
        stderr_bytes: end.stderr.bytes,
        limits_hit: end.limits_hit,
        capability_misses: end.capability_misses,
        outputs: end.outputs,
        files,
        workspace: end.workspace,
        files_dropped: end.is_dropped.then_some("too_large"),
        ..blank
    }
}

/// Makes a line of a list.
pub(crate) fn summary(record: &ExecutionRecord) -> ExecutionSummary {
    let end = record.end.as_ref();
    ExecutionSummary {
        execution_id: record.id.clone(),
        status: record.status(),
        created_at: timestamp(record.created_at),
        finished_at: end.map(|end| timestamp(end.finished_at)),
        exit_code: end.map(|end| end.exit_code.into()),
        duration_ms: end.map(|end| end.usage.wall_us / 1000),
    }
}

/// The data of a state, in the order that clients know.
#[derive(Serialize)]
struct State<'a> {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<&'a str>,
}

/// Returns the name and the data of an event; the data of the last one is the result.
pub(crate) fn event(id: &str, kind: &EventKind) -> (&'static str, Option<String>) {
    let (name, data) = match kind {
        EventKind::State(status) => {
            let execution_id = (*status == Status::Pending).then_some(id);
            return ("state", serde_json::to_string(&State { status: *status, execution_id }).ok());
        }
        EventKind::Progress(text) => ("progress", json!({"text": text})),
        EventKind::Restarted(reason) => ("restarted", json!({"reason": reason})),
        EventKind::Output(Stream::Stdout, text) => ("stdout", json!({"text": text})),
        EventKind::Output(Stream::Stderr, text) => ("stderr", json!({"text": text})),
        EventKind::Lagged(missed) => ("lagged", json!({"missed": missed})),
        EventKind::Ended => return ("result", None),
    };
    (name, Some(data.to_string()))
}

fn link(id: &str, file: FileEntry) -> FileLink {
    let FileEntry { path, size, content, content_base64 } = file;
    // An absolute path would begin with a second slash, which proxies take for one.
    let (slash, rest) = path.strip_prefix('/').map_or(("", &*path), |rest| ("%2F", rest));
    let url = format!("/api/v1/executions/{id}/files/{slash}{}", utf8_percent_encode(rest, PATH));
    FileLink { path, size, url, content, content_base64 }
}

/// Returns limits in the units of a request.
fn limits(limits: &GrantedLimits) -> GivenLimits {
    GivenLimits {
        timeout_seconds: number(limits.wall_clock_ms, 1000),
        memory_mb: number(limits.memory_bytes, MIB),
        disk_mb: number(limits.disk_bytes, MIB),
        cpu_shares: (limits.cpu_shares > 0).then_some(limits.cpu_shares),
        cpu_fuel: limits.cpu_fuel,
        max_output_bytes: limits.output_bytes,
    }
}

/// Returns a whole number where it is one.
pub(crate) fn number(value: u64, unit: u64) -> Number {
    if value.is_multiple_of(unit) {
        return Number::from(value / unit);
    }
    Number::from_f64(value as f64 / unit as f64).unwrap_or_else(|| Number::from(value / unit))
}

/// Writes a time in UTC with six fractional digits and `Z`, which existing clients parse.
pub(crate) fn timestamp(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::executions::{Terms, Update, samples::end};
    use std::time::Duration;

    #[test]
    fn times_have_six_digits_and_a_z() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_000_001);
        assert_eq!(timestamp(time), "2023-11-14T22:13:20.000001Z");
    }

    #[test]
    fn paths_are_encoded_for_urls() {
        let file = FileEntry { path: "a b/ü?.txt".to_owned(), size: 1, content: None, content_base64: None };
        assert_eq!(link("exe_1", file).url, "/api/v1/executions/exe_1/files/a%20b/%C3%BC%3F.txt");
        let file = FileEntry { path: "/tmp/a.txt".to_owned(), size: 1, content: None, content_base64: None };
        assert_eq!(link("exe_1", file).url, "/api/v1/executions/exe_1/files/%2Ftmp/a.txt");
    }

    #[test]
    fn the_first_event_has_the_id() {
        let (name, data) = event("exe_1", &EventKind::State(Status::Pending));
        assert_eq!((name, data.as_deref()), ("state", Some(r#"{"status":"pending","execution_id":"exe_1"}"#)));
        let (name, data) = event("exe_1", &EventKind::Output(Stream::Stderr, "\"é\n".to_owned()));
        assert_eq!((name, data.as_deref()), ("stderr", Some(r#"{"text":"\"é\n"}"#)));
        assert_eq!(event("exe_1", &EventKind::Ended), ("result", None));
    }

    #[test]
    fn a_record_says_how_far_it_is_and_then_what_it_came_to() {
        let mut record = ExecutionRecord::new("alice", Terms::default());
        assert_eq!((result(&record).status, result(&record).started_at), (Status::Pending, None));
        record.apply(&Update::Started(SystemTime::UNIX_EPOCH));
        record.apply(&Update::Progress(Some("installing".to_owned())));
        let running = result(&record);
        assert_eq!((running.status, running.progress.as_deref()), (Status::Running, Some("installing")));
        record.finish(end("out"), &mut Vec::new(), 1000);
        let ended = result(&record);
        assert_eq!((ended.status, ended.exit_code, &*ended.stdout), (Status::Completed, 3, "out"));
        assert_eq!((ended.duration_us, ended.usage.queue_us, ended.progress), (150, 7, None));
        assert_eq!(summary(&record).exit_code, Some(3));
    }
}

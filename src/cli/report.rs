//! Shows how a job ended, wherever it ran.

use super::{
    Result,
    console::{note, pass_on_error, print},
    notebook::Cells,
    options::OutputOptions,
    session::Show,
    wire::ExecutionResult,
};
use bytes::Bytes;
use pyexec::{
    Outcome,
    outcome::{Ending, Exception, LimitHit, Output, OutputFile, StopReason, Tier},
};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;

/// An outcome, with what a server adds.
#[derive(Debug)]
pub(crate) struct Report {
    outcome: Outcome,
    execution: Option<Execution>,
}

#[derive(Debug)]
struct Execution {
    id: String,
    status: String,
    error: Option<String>,
    queue_us: u64,
    warnings: Vec<String>,
    /// Its output was shown as it came.
    followed: bool,
}

impl From<Outcome> for Report {
    fn from(outcome: Outcome) -> Report {
        Report { outcome, execution: None }
    }
}

impl From<ExecutionResult> for Report {
    fn from(result: ExecutionResult) -> Report {
        let ending = ending(&result);
        let output = |text: String, bytes: Option<u64>, truncated| {
            let bytes = bytes.unwrap_or(text.len() as u64);
            Output::new(text, bytes, truncated)
        };
        let mut stdout = output(result.stdout, result.stdout_bytes, result.stdout_truncated);
        // Beside a value, a server leaves out the line end of what was printed before it.
        if result.result.is_some() && !stdout.truncated && stdout.bytes == stdout.text.len() as u64 + 1 {
            stdout.text.push('\n');
        }
        // An older server has the message elsewhere.
        let message = result.error_message.or_else(|| result.error.clone()).unwrap_or_default();
        let (line, frames) = (result.error_line, result.error_frames);
        let failed = |kind| {
            let mut exception = Exception::new(kind, message);
            (exception.line, exception.frames) = (line, frames);
            exception
        };
        let limit = |name: &String| serde_json::from_value(Value::from(name.as_str())).ok();
        let tier = if result.executor.as_deref() == Some("docker") { Tier::Docker } else { Tier::Wasm };
        let mut outcome = Outcome::new(ending, tier);
        outcome.stdout = stdout;
        outcome.stderr = output(result.stderr, result.stderr_bytes, result.stderr_truncated);
        outcome.result = result.result;
        outcome.result_json = result.result_json;
        outcome.exception = result.error_type.map(failed);
        outcome.limits_hit = result.limits_hit.iter().filter_map(limit).collect();
        outcome.capability_misses = result.capability_misses;
        outcome.usage = result.usage.usage;
        outcome.outputs = result.outputs;
        outcome.files = result.files.into_iter().map(|file| OutputFile::new(file.path, Bytes::new())).collect();
        outcome.route_reason = result.route_reason;
        let execution = Execution {
            id: result.execution_id,
            status: result.status,
            error: result.error,
            queue_us: result.usage.queue_us,
            warnings: result.warnings,
            followed: false,
        };
        Report { outcome, execution: Some(execution) }
    }
}

fn ending(result: &ExecutionResult) -> Ending {
    let reason = match result.error_kind.as_deref() {
        Some("time_limit") => StopReason::TimeLimit,
        Some("cpu_limit") => StopReason::CpuLimit,
        Some("memory_limit") => StopReason::MemoryLimit,
        Some("stack_overflow") => StopReason::StackOverflow,
        Some("crashed") => StopReason::Crashed(result.error.clone().unwrap_or_default()),
        // As a shell sees a process that was killed.
        _ if result.status == "killed" => return Ending::Exited { exit_code: 137 },
        _ if result.status == "failed" => {
            let exit_code = u8::try_from(result.exit_code).unwrap_or(u8::MAX).max(1);
            return Ending::Failed { exit_code, message: result.error.clone().unwrap_or_default() };
        }
        _ => return Ending::Exited { exit_code: u8::try_from(result.exit_code).unwrap_or(u8::MAX) },
    };
    Ending::Stopped { reason }
}

impl Report {
    /// Returns the report of an execution whose output was shown as it came, all of it.
    pub(crate) fn followed(mut self) -> Report {
        if let Some(execution) = &mut self.execution {
            execution.followed = true;
        }
        self
    }

    /// Names lines of a notebook's script by its cells.
    pub(crate) fn in_cells(mut self, cells: Option<&Cells>) -> Report {
        let Some(cells) = cells else { return self };
        self.outcome.stderr.text = cells.in_text(&self.outcome.stderr.text);
        for frame in self.outcome.exception.iter_mut().flat_map(|exception| &mut exception.frames) {
            if let Some((file, line)) = cells.frame(&frame.file, frame.line) {
                (frame.file, frame.line) = (file, line);
            }
        }
        self
    }

    pub(crate) fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Shows what goes to stdout at the end.
    pub(crate) fn show(&self, output: OutputOptions, show: Show) -> Result<()> {
        if output.json {
            let text = self.json().and_then(|fields| serde_json::to_string_pretty(&fields)).unwrap_or_default();
            return print(&format!("{text}\n"));
        }
        if show == Show::Result
            && let Some(result) = &self.outcome.result
        {
            return print(&format!("{result}\n"));
        }
        Ok(())
    }

    /// Shows what goes to stderr at the end.
    pub(crate) fn comment(&self, output: OutputOptions) {
        if !output.quiet {
            self.remark(output);
        } else if !self.outcome.success() {
            let _ = pass_on_error(self.outcome.stderr.text.as_bytes());
        }
        if output.verbose {
            self.describe();
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match &self.outcome.ending {
            Ending::Exited { exit_code } | Ending::Failed { exit_code, .. } => *exit_code,
            Ending::Stopped { reason } => match reason {
                StopReason::TimeLimit | StopReason::CpuLimit => 124,
                StopReason::MemoryLimit => 137,
                StopReason::StackOverflow => 139,
                StopReason::Crashed(_) => 134,
                // One that a later version of the library has.
                _ => 1,
            },
        }
    }

    /// Returns the fields of the outcome as JSON; values stay as they were written, which a tree would change.
    fn json(&self) -> serde_json::Result<BTreeMap<String, Box<RawValue>>> {
        let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&serde_json::to_string(&self.outcome)?)?;
        // Also of what was stopped by a limit.
        fields.insert("exit_code".into(), raw(self.exit_code())?);
        if let Some(execution) = &self.execution {
            // A server does not tell.
            fields.remove("ended_in_miss");
            fields.insert("execution_id".into(), raw(&execution.id)?);
            fields.insert("status".into(), raw(&execution.status)?);
        }
        Ok(fields)
    }

    /// Shows what a user could not see otherwise, with what to do about it.
    fn remark(&self, output: OutputOptions) {
        let outcome = &self.outcome;
        for (name, stream) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
            // What is shown as it comes is shown in full.
            if stream.truncated && (output.json || self.execution.as_ref().is_some_and(|execution| !execution.followed))
            {
                note!("pyexec: {name} was cut: the script wrote {} bytes", stream.bytes);
                note!("hint: --max-output SIZE keeps more");
            }
        }
        // Of the network standard error has a line.
        let misses = outcome.capability_misses.iter().filter(|miss| miss.kind != "network");
        let what: Vec<_> = misses.map(|miss| format!("{} ({})", miss.kind, miss.detail)).collect();
        if !outcome.success() && !what.is_empty() {
            note!("pyexec: not available in WebAssembly: {}", what.join(", "));
        }
        if let Some(execution) = &self.execution {
            for warning in &execution.warnings {
                note!("pyexec: {warning}");
            }
            if execution.status == "killed" {
                note!("pyexec: it was killed");
            } else if let ("failed", Some(error)) = (&*execution.status, &execution.error)
                && outcome.stderr.text.is_empty()
            {
                note!("pyexec: {error}");
            }
        }
        if let Some(hint) = outcome.exception.as_ref().and_then(|exception| dialect(exception, &outcome.stderr.text)) {
            note!("hint: {hint}");
        }
        if let Ending::Stopped { reason: StopReason::TimeLimit } = &outcome.ending {
            note!("hint: --timeout TIME allows more");
        }
        if !outcome.success() && outcome.limits_hit.contains(&LimitHit::Memory) {
            note!("hint: --memory SIZE allows more");
        }
    }

    /// Names files that the script made and that are gone with it.
    pub(crate) fn name_files(&self) {
        const NAMED_MAX: usize = 3;
        let hidden = |path: &str| path.split('/').any(|part| part.starts_with('.') || part == "__pycache__");
        let made: Vec<_> = self.outcome.files.iter().map(|file| &*file.path).filter(|path| !hidden(path)).collect();
        if made.is_empty() {
            return;
        }
        let named = made.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
        let more = made.len().saturating_sub(NAMED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        note!("pyexec: the script wrote {named}{more}, which --out DIR would have kept");
    }

    fn describe(&self) {
        let (outcome, usage) = (&self.outcome, &self.outcome.usage);
        if let Some(execution) = &self.execution {
            note!(
                "pyexec: execution {}: {}, {:.3} ms in the queue",
                execution.id,
                execution.status,
                execution.queue_us as f64 / 1000.0
            );
        }
        let limits: Vec<_> = outcome.limits_hit.iter().map(|limit| format!("{limit:?}")).collect();
        note!(
            "pyexec: {:?}: {}\npyexec: wall {:.3} ms, CPU {:.3} ms, fuel {}, peak memory {:.1} MiB, disk {} \
             bytes\npyexec: stdout {} bytes, stderr {} bytes, limits hit: {}",
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
}

/// Returns what to do about code that only notebooks take, as Python's own words tell.
fn dialect(exception: &Exception, stderr: &str) -> Option<&'static str> {
    // The line that it quotes stands before the last ones.
    let quotes_command = || stderr.lines().rev().take(5).any(|line| line.trim_start().starts_with(['%', '!']));
    match (&*exception.kind, &*exception.message) {
        ("SyntaxError", message) if message.contains("'await' outside") => {
            Some("`pyexec eval` and cells of a notebook take await at the top level; a script has asyncio.run")
        }
        ("NameError", "name 'display' is not defined") => {
            Some("display is there in `pyexec eval` and in cells of a notebook; a script has print")
        }
        ("SyntaxError", _) if quotes_command() => {
            Some("lines that start with % or ! are for notebooks: pyexec runs .ipynb files")
        }
        _ => None,
    }
}

fn raw(value: impl Serialize) -> serde_json::Result<Box<RawValue>> {
    RawValue::from_string(serde_json::to_string(&value)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(json: Value) -> Report {
        serde_json::from_value::<ExecutionResult>(json).expect("valid").into()
    }

    #[test]
    fn exit_codes_tell_how_an_execution_ended() {
        for (kind, status, code) in [
            ("time_limit", "failed", 124),
            ("cpu_limit", "failed", 124),
            ("memory_limit", "failed", 137),
            ("stack_overflow", "failed", 139),
            ("crashed", "failed", 134),
            ("killed", "killed", 137),
        ] {
            assert_eq!(report(json!({"error_kind": kind, "status": status})).exit_code(), code, "{kind}");
        }
        assert_eq!(report(json!({"status": "completed", "exit_code": 3})).exit_code(), 3);
        assert_eq!(report(json!({"status": "completed", "exit_code": 256})).exit_code(), 255);
    }

    #[test]
    fn json_of_an_execution_is_that_of_an_outcome() {
        let json = report(json!({
            "execution_id": "exe_1", "status": "completed", "exit_code": 0, "stdout": "out", "stdout_bytes": 4,
            "result": "7", "result_json": 7, "executor": "wasm", "usage": {"fuel": 5, "queue_us": 9},
            "limits_hit": ["output", "from the future"], "error_type": "E", "error_message": "why", "error_line": 2,
            "error_frames": [{"file": "main.py", "line": 2, "function": "<module>"}],
            "files": [{"path": "a.txt", "size": 1, "url": "x"}], "unheard_of": 1,
        }))
        .json();
        let json: Value =
            serde_json::from_str(&serde_json::to_string(&json.expect("JSON")).expect("JSON")).expect("JSON");
        assert_eq!(json["stdout"], json!({"text": "out\n", "truncated": false, "bytes": 4}));
        assert_eq!((&json["ending"], &json["exit_code"]), (&json!("exited"), &json!(0)));
        assert_eq!((&json["result_json"], &json["usage"]["fuel"]), (&json!(7), &json!(5)));
        assert_eq!(json["limits_hit"], json!(["output"]));
        assert_eq!(
            json["exception"],
            json!({"kind": "E", "message": "why", "line": 2,
            "frames": [{"file": "main.py", "line": 2, "function": "<module>"}]})
        );
        assert_eq!((&json["files"][0]["path"], &json["execution_id"]), (&json!("a.txt"), &json!("exe_1")));
        assert!(json.get("ended_in_miss").is_none());
    }

    #[test]
    fn numbers_and_keys_of_a_result_are_shown_as_they_came() {
        let text = r#"{"status": "completed", "result_json": {"z": 18446744073709551617, "a": 1.50}}"#;
        let report = Report::from(serde_json::from_str::<ExecutionResult>(text).expect("valid"));
        assert_eq!(report.json().expect("JSON")["result_json"].get(), r#"{"z": 18446744073709551617, "a": 1.50}"#);
    }

    #[test]
    fn what_a_server_could_not_run_has_its_exit_code_and_never_0() {
        for (code, exit_code) in [(100, 100), (1, 1), (0, 1)] {
            let report = report(json!({"status": "failed", "error_kind": "invalid", "error": "x", "exit_code": code}));
            assert_eq!(report.exit_code(), exit_code);
        }
    }
}

//! The objects of the code executor.

use crate::server::{
    api::{
        ErrorKind, Status,
        validation::{Fields, Refused},
    },
    executions::End,
};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Of a name that a client gives its execution.
const ID_CHARS_MAX: usize = 255;
/// What may be asked for, whatever else the server allows.
const TIMEOUT_S_MAX: u64 = 600;
const MEMORY_MB_MAX: u64 = 8192;

const MISSING_MODULE: &str = "ModuleNotFoundError";
const TRACEBACK: &str = "Traceback (most recent call last):";
const ALLOWED_ONLY: &str = "Ensure required modules are installed and in ALLOWED_MODULES.";

/// Code to run, if the policy has nothing against it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"code": "print('Hello, World!')", "language": "python", "timeout": 60}))]
pub(crate) struct CodeRequest {
    pub(crate) code: String,
    /// `python`, which is the default.
    #[schema(required = false)]
    pub(crate) language: String,
    /// A name for the execution, which comes back.
    pub(crate) execution_id: Option<String>,
    /// Seconds, at most 600.
    #[schema(minimum = 0)]
    pub(crate) timeout: Option<u64>,
    /// MiB, at most 8192.
    #[schema(minimum = 0)]
    pub(crate) max_memory_mb: Option<u64>,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeResult {
    execution_id: String,
    status: CodeStatus,
    stdout: String,
    stderr: String,
    /// In seconds.
    execution_time: f64,
    exit_code: i32,
}

/// How code ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CodeStatus {
    /// By itself, with whatever exit code.
    Completed,
    /// It took too long.
    Timeout,
    /// Something else has stopped it.
    Error,
}

impl CodeRequest {
    pub(super) fn read(text: &str) -> Result<CodeRequest, Refused> {
        let mut fields = Fields::of(text)?;
        let asked = |number: Option<u64>, most: u64| number.filter(|&number| number > 0).map(|number| number.min(most));
        let request = CodeRequest {
            code: fields.text("code"),
            language: fields.optional_text("language").unwrap_or_else(|| "python".to_owned()),
            execution_id: fields.optional_short_text("execution_id", ID_CHARS_MAX).filter(|id| !id.is_empty()),
            timeout: asked(fields.integer("timeout"), TIMEOUT_S_MAX),
            max_memory_mb: asked(fields.integer("max_memory_mb"), MEMORY_MB_MAX),
        };
        fields.end()?;
        Ok(request)
    }
}

/// Says how code ended in the words of the service.
pub(super) fn result(execution_id: String, end: End, time: Duration, timeout: Duration) -> CodeResult {
    let mut stderr = end.stderr.text;
    let (status, exit_code) = match (end.status, end.error_kind) {
        (Status::Completed, _) => (CodeStatus::Completed, i32::from(end.exit_code)),
        // As of a process that was killed.
        (_, Some(ErrorKind::TimeLimit | ErrorKind::QueueTimeout)) => (CodeStatus::Timeout, -9),
        _ => (CodeStatus::Error, -1),
    };
    match status {
        CodeStatus::Completed => {
            let missing = end.exception.filter(|exception| exit_code == 1 && exception.kind == MISSING_MODULE);
            if let Some(exception) = missing {
                // What it printed itself stands before that.
                stderr.truncate(stderr.rfind(TRACEBACK).unwrap_or_default());
                let name = exception.message.split(';').next().unwrap_or_default();
                stderr.push_str(&format!("ImportError: {name}\n{ALLOWED_ONLY}"));
            }
        }
        CodeStatus::Timeout if stderr.is_empty() => {
            stderr = format!("Execution timed out after {} seconds", timeout.as_secs_f64());
        }
        CodeStatus::Timeout => {}
        CodeStatus::Error => {
            let why = end.error.unwrap_or_default();
            if !stderr.contains(&why) {
                stderr = format!("{stderr}\n{why}").trim_start().to_owned();
            }
        }
    }
    let execution_time = time.as_secs_f64();
    CodeResult { execution_id, status, stdout: end.stdout.text, stderr, execution_time, exit_code }
}

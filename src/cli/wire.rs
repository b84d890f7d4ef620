//! What goes to a server and comes from it. Lenient in what it reads: an older server sends less, a newer one more.

use super::options::Executor;
use pyexec::outcome::{CapabilityMiss, ErrorFrame, JsonText, RichOutput, Usage};
use serde::{Deserialize, Serialize};

/// Accompanies the archive of a project.
#[derive(Debug, Serialize)]
pub(crate) struct Metadata {
    pub(crate) entrypoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) docker_image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requirements_txt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) pre_commands: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) python_version: Option<String>,
    #[serde(skip_serializing_if = "Executor::is_auto")]
    pub(crate) executor: Executor,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stdin: Option<String>,
    /// For a notebook, whose last value is shown.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) eval_last_expr: bool,
    pub(crate) config: Config,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) env_vars: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) script_args: Vec<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) collect_files: bool,
}

/// Code to evaluate.
#[derive(Debug, Serialize)]
pub(crate) struct Eval {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<EvalFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entrypoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stdin: Option<String>,
    pub(crate) config: Config,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) python_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) eval_last_expr: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requirements_txt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) docker_image: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) pre_commands: Vec<String>,
    #[serde(skip_serializing_if = "Executor::is_auto")]
    pub(crate) executor: Executor,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) env_vars: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) script_args: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<bool>,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) collect_files: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) stream: bool,
}

/// A file beside code to evaluate.
#[derive(Debug, Serialize)]
pub(crate) struct EvalFile {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_base64: Option<String>,
}

/// Limits and permissions; what is absent is left to the server.
#[derive(Debug, Serialize)]
pub(crate) struct Config {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_seconds: Option<serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network_disabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_mb: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disk_mb: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_shares: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_fuel: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_output_bytes: Option<u64>,
}

/// The answer to a submission.
#[derive(Debug, Deserialize)]
pub(crate) struct Submitted {
    pub(crate) execution_id: String,
}

/// The answer to the wish for a session.
#[derive(Debug, Deserialize)]
pub(crate) struct SessionId {
    pub(crate) id: String,
}

/// The status of an execution, as an event or as the answer to a kill.
#[derive(Debug, Deserialize)]
pub(crate) struct State {
    pub(crate) status: String,
    pub(crate) execution_id: Option<String>,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    pub(crate) executions: Vec<serde_json::Value>,
    pub(crate) next: Option<String>,
}

/// A line of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Listed {
    pub(crate) execution_id: String,
    pub(crate) status: String,
    pub(crate) created_at: Option<String>,
    pub(crate) started_at: Option<String>,
    pub(crate) finished_at: Option<String>,
    pub(crate) duration_ms: Option<u64>,
    pub(crate) exit_code: Option<i64>,
}

/// An execution and, once it has ended, its result.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ExecutionResult {
    pub(crate) execution_id: String,
    pub(crate) status: String,
    pub(crate) exit_code: i64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) duration_ms: u64,
    pub(crate) error: Option<String>,
    pub(crate) hint: Option<String>,
    pub(crate) error_type: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) error_line: Option<u32>,
    pub(crate) error_frames: Vec<ErrorFrame>,
    pub(crate) error_kind: Option<String>,
    pub(crate) result: Option<String>,
    pub(crate) result_json: Option<JsonText>,
    pub(crate) executor: Option<String>,
    pub(crate) route_reason: String,
    pub(crate) usage: QueuedUsage,
    pub(crate) stdout_truncated: bool,
    pub(crate) stderr_truncated: bool,
    pub(crate) stdout_bytes: Option<u64>,
    pub(crate) stderr_bytes: Option<u64>,
    pub(crate) limits_hit: Vec<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) capability_misses: Vec<CapabilityMiss>,
    pub(crate) outputs: Vec<RichOutput>,
    pub(crate) files: Vec<MadeFile>,
}

/// Holds what an execution used, with its time in the queue.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct QueuedUsage {
    #[serde(flatten)]
    pub(crate) usage: Usage,
    pub(crate) queue_us: u64,
}

/// A file that a script made or changed; its content is here or to be fetched.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MadeFile {
    pub(crate) path: String,
    pub(crate) content: Option<String>,
    pub(crate) content_base64: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

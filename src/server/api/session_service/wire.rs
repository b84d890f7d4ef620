//! The objects of the sessions service.

use super::tasks::Install;
use crate::server::{
    api::{
        ErrorKind, Status,
        validation::{Fields, Refused},
    },
    executions::{End, ExecutionRecord},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

/// Of the name of a session.
pub(super) const SESSION_CHARS_MAX: usize = 1024;

/// What one segment of a path has to have encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Packages for a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"session_id": "my-session", "packages": ["pandas", "numpy"]}))]
pub(crate) struct InstallRequest {
    #[schema(max_length = 1024)]
    pub(crate) session_id: String,
    /// Each as in a requirements.txt.
    pub(crate) packages: Vec<String>,
}

/// Code to run in a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"session_id": "my-session", "code": "print('hello')"}))]
pub(crate) struct ExecuteRequest {
    #[schema(max_length = 1024)]
    pub(crate) session_id: String,
    pub(crate) code: String,
    /// Environment variables.
    #[schema(required = false, value_type = std::collections::HashMap<String, String>)]
    pub(crate) env: Vec<(String, String)>,
}

/// A session to forget.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"session_id": "my-session"}))]
pub(crate) struct TerminateRequest {
    #[schema(max_length = 1024)]
    pub(crate) session_id: String,
}

/// A file for a session.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct UploadForm {
    #[schema(max_length = 1024)]
    session_id: String,
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

/// Which file of which session.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct DownloadQuery {
    session_id: String,
    filename: String,
}

/// Where the status of a task is.
#[derive(serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct TaskPath {
    /// `install` or `execute`.
    #[expect(dead_code, reason = "the id says it all")]
    pub(crate) task_type: String,
    pub(crate) task_id: String,
}

/// That packages are going to be installed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueuedInstallation {
    status: &'static str,
    session_id: String,
    task_id: String,
    status_url: String,
}

/// That code is going to be run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueuedExecution {
    status: &'static str,
    task_id: String,
    status_url: String,
}

/// How far a task is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskStatus {
    status: TaskState,
    /// Of an installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    logs: Option<String>,
    /// What code printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    /// What code printed to standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    /// Why it failed, when that was not the code's doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// How far a task is, in one word.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TaskState {
    Installing,
    Running,
    Success,
    Failed,
}

/// That a file is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UploadedFile {
    pub(crate) filename: String,
    pub(crate) storage: &'static str,
}

/// What became of a session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TerminatedSession {
    status: &'static str,
    message: String,
}

impl InstallRequest {
    pub(super) fn read(text: &str) -> Result<InstallRequest, Refused> {
        let mut fields = Fields::of(text)?;
        let session_id = fields.short_text("session_id", SESSION_CHARS_MAX);
        let request = InstallRequest { session_id, packages: fields.texts("packages") };
        fields.end().map(|()| request)
    }
}

impl ExecuteRequest {
    pub(super) fn read(text: &str) -> Result<ExecuteRequest, Refused> {
        let mut fields = Fields::of(text)?;
        let session_id = fields.short_text("session_id", SESSION_CHARS_MAX);
        let request = ExecuteRequest { session_id, code: fields.text("code"), env: fields.map("env") };
        fields.end().map(|()| request)
    }
}

impl TerminateRequest {
    pub(super) fn read(text: &str) -> Result<TerminateRequest, Refused> {
        let mut fields = Fields::of(text)?;
        let request = TerminateRequest { session_id: fields.short_text("session_id", SESSION_CHARS_MAX) };
        fields.end().map(|()| request)
    }
}

impl QueuedInstallation {
    pub(super) fn new(session_id: String, task_id: String) -> QueuedInstallation {
        let status_url = status_url("install", &task_id);
        QueuedInstallation { status: "install_queued", session_id, task_id, status_url }
    }
}

impl QueuedExecution {
    pub(super) fn new(task_id: String) -> QueuedExecution {
        let status_url = status_url("execute", &task_id);
        QueuedExecution { status: "execute_queued", task_id, status_url }
    }
}

fn status_url(kind: &str, task_id: &str) -> String {
    format!("/status/{kind}/{}", utf8_percent_encode(task_id, SEGMENT))
}

impl TaskStatus {
    fn new(status: TaskState) -> TaskStatus {
        TaskStatus { status, logs: None, output: None, errors: None, exit_code: None, error: None }
    }

    pub(super) fn of_install(install: &Install) -> TaskStatus {
        match install {
            Install::Running => TaskStatus { logs: Some(String::new()), ..TaskStatus::new(TaskState::Installing) },
            Install::Done { logs } => TaskStatus { logs: Some(logs.clone()), ..TaskStatus::new(TaskState::Success) },
            Install::Failed { logs, error } => TaskStatus {
                logs: Some(logs.clone()),
                error: Some(error.clone()),
                ..TaskStatus::new(TaskState::Failed)
            },
        }
    }

    pub(super) fn of_execution(record: &ExecutionRecord) -> TaskStatus {
        match &record.end {
            None => TaskStatus::new(TaskState::Running),
            Some(end) => TaskStatus::ended(end),
        }
    }

    fn ended(end: &End) -> TaskStatus {
        let why = || end.error.clone().unwrap_or_default();
        let exit_code = match (end.status, end.error_kind) {
            (Status::Completed, _) => end.exit_code,
            (_, Some(ErrorKind::TimeLimit | ErrorKind::CpuLimit)) => 124,
            (_, Some(ErrorKind::MemoryLimit | ErrorKind::StackOverflow | ErrorKind::Crashed | ErrorKind::Killed)) => {
                137
            }
            // It was not the code's doing.
            _ => return TaskStatus { error: Some(why()), ..TaskStatus::new(TaskState::Failed) },
        };
        let mut errors = end.stderr.text.clone();
        if let Some(why) = &end.error
            && !errors.contains(why)
        {
            errors = format!("{errors}\n{why}").trim_start().to_owned();
        }
        let state = if exit_code == 0 { TaskState::Success } else { TaskState::Failed };
        let output = Some(end.stdout.text.clone());
        TaskStatus { output, errors: Some(errors), exit_code: Some(exit_code), ..TaskStatus::new(state) }
    }
}

impl TerminatedSession {
    pub(super) fn new(session_id: &str, was_there: bool) -> TerminatedSession {
        let what = if was_there { "terminated successfully" } else { "not found" };
        TerminatedSession { status: "success", message: format!("Session {session_id} {what}.") }
    }
}

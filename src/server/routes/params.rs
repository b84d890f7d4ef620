//! What comes beside the body.

use crate::server::api::{EnvironmentId, ExecutionId, SessionId, WorkspaceId};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which execution.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ExecutionPath {
    /// As given by `exec/async` or in a result.
    #[param(value_type = ExecutionId)]
    pub(super) id: String,
}

/// Which environment.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct EnvironmentPath {
    /// As given when it was created.
    #[param(value_type = EnvironmentId)]
    pub(super) id: String,
}

/// Which file of which execution.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct FilePath {
    /// As in a result.
    #[param(value_type = ExecutionId)]
    pub(super) id: String,
    /// As in `files` of the result. Slashes may stand for themselves.
    pub(super) path: String,
}

/// Which session.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct SessionPath {
    /// As given when it was created.
    #[param(value_type = SessionId)]
    pub(super) id: String,
}

/// Which state of which session.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct CheckpointPath {
    /// As given when it was created.
    #[param(value_type = SessionId)]
    pub(super) id: String,
    /// Letters, digits, `-`, `_` and `.`
    #[param(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]*$", max_length = 100)]
    pub(super) name: String,
}

/// Which file of which session.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct SessionFilePath {
    /// As given when it was created.
    #[param(value_type = SessionId)]
    pub(super) id: String,
    /// Relative, without `..`. Slashes may stand for themselves.
    pub(super) path: String,
}

/// Which workspace.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct WorkspacePath {
    /// As given when it was created.
    #[param(value_type = WorkspaceId)]
    pub(super) id: String,
}

/// Which file of which workspace.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct WorkspaceFilePath {
    /// As given when it was created.
    #[param(value_type = WorkspaceId)]
    pub(super) id: String,
    /// Relative, without `..`. Slashes may stand for themselves.
    pub(super) path: String,
}

/// Which bytes of a file, and which content the client has already.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described")]
pub(super) struct Conditions {
    /// One range of bytes, such as `bytes=0-99`, `bytes=100-` or `bytes=-100`. Anything else is all of the file.
    #[param(rename = "Range", nullable = false)]
    range: Option<String>,
    /// The `ETag` of what the client has.
    #[param(rename = "If-None-Match", nullable = false)]
    if_none_match: Option<String>,
}

/// How a download is packed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ArchiveQuery {
    /// `tar.gz`, `tar` or `zip`.
    #[serde(default)]
    #[param(pattern = r"^(tar\.gz|tar|zip)$", nullable = false, required = false)]
    pub(super) format: Option<String>,
}

/// Says that a request is the same as an earlier one.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described")]
pub(super) struct IdempotencyKey {
    /// The same key and body lead to the same execution.
    #[param(
        rename = "Idempotency-Key",
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[!-~]([\t -~]*[!-~])?$"
    )]
    idempotency_key: Option<String>,
}

/// Where to go on in a stream of events.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described")]
pub(super) struct LastEventId {
    /// Number of the last event that was received.
    #[param(rename = "Last-Event-ID", nullable = false)]
    last_event_id: Option<u64>,
}

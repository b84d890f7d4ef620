//! What comes beside the body.

use crate::server::api::{EnvironmentId, ExecutionId};
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

//! The one shape in which a request is refused before it reaches a handler.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// Makes a body like `{"error": ..., "code": ..., "hint": ..., "request_id": ...}`.
pub(crate) fn refusal(
    status: StatusCode,
    code: &'static str,
    error: &str,
    hint: Option<&str>,
    request_id: Option<&str>,
) -> Response {
    (status, Json(Refusal { error, code, hint, request_id })).into_response()
}

/// Makes the same body for where there can be no other status.
pub(crate) fn refusal_json(code: &'static str, error: &str, hint: Option<&str>, request_id: Option<&str>) -> String {
    serde_json::to_string(&Refusal { error, code, hint, request_id }).unwrap_or_default()
}

#[derive(Serialize)]
struct Refusal<'a> {
    error: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

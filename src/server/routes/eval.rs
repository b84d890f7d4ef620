//! Code in, result out.

use super::executions::stream;
use crate::server::{
    App,
    api::{ErrorBody, EvalRequest, ExecutionResult},
    auth::Caller,
    body,
    error::ApiError,
    request,
    submit::{GiveUpOnDrop, idempotency, result, submit},
};
use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Runs code and waits for the result, or streams events until it is there.
#[utoipa::path(
    post,
    path = "/api/v1/eval",
    tag = "run",
    request_body = EvalRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body lead to the same execution")),
    responses(
        (status = 200, description = "It ran, well or not; with `stream`, server-sent events", body = ExecutionResult),
        (status = 400, description = "The request is not acceptable", body = ErrorBody),
        (status = 401, description = "No valid API key", body = ErrorBody),
        (status = 409, description = "The Idempotency-Key was used for another request", body = ErrorBody),
        (status = 413, description = "Too much code", body = ErrorBody),
        (status = 429, description = "Too many requests, or the queue is full", body = ErrorBody),
        (status = 503, description = "Shutting down", body = ErrorBody),
    )
)]
pub(super) async fn eval(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    let request: EvalRequest =
        serde_json::from_slice(&bytes).map_err(|e| ApiError::invalid(format!("invalid JSON: {e}")))?;
    let idempotency = idempotency(&headers, &[b"eval", &bytes])?;
    drop(bytes);
    let streamed = request.stream;
    let request = request::eval(request, &app.settings)?;
    let execution = submit(&app, &caller, request, idempotency)?;
    if streamed {
        let waiting = GiveUpOnDrop::new(&app, &execution);
        return Ok(stream(execution, 0, Some(waiting)).into_response());
    }
    Ok(Json(&*result(&app, &execution).await?).into_response())
}

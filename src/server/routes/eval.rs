//! Code in, result out.

use super::{
    executions::{json, stream},
    params::IdempotencyKey,
    refusals::{Guarded, SameSite, Unstarted},
};
use crate::server::{
    App,
    api::{EvalRequest, ExecutionResult, StreamEvent},
    auth::Caller,
    body,
    error::ApiError,
    request,
    submit::{GiveUpOnDrop, idempotency, result, submit},
};
use axum::{
    Extension,
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
    params(IdempotencyKey),
    responses(
        (
            status = 200,
            description = "It ran, well or not; with `stream`, server-sent events as of `/executions/{id}/events`",
            content((ExecutionResult = "application/json"), (StreamEvent = "text/event-stream")),
        ),
        Guarded,
        SameSite,
        Unstarted,
    )
)]
pub(super) async fn eval(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    let read = EvalRequest::read(&bytes).map_err(|e| ApiError::invalid(format!("invalid JSON: {e}")))?;
    let idempotency = idempotency(&headers, &[b"eval", &bytes])?;
    let length = bytes.len();
    drop(bytes);
    let streamed = read.request.stream;
    let request = request::eval(read, length, &app).await?;
    let execution = submit(&app, &caller, request, idempotency)?;
    if streamed {
        let waiting = GiveUpOnDrop::new(&app, &execution);
        return Ok(stream(execution, 0, Some(waiting)).into_response());
    }
    Ok(json(result(&app, &execution).await?))
}

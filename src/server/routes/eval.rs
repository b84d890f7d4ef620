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
    request_body(
        content = EvalRequest,
        examples(
            ("code" = (value = json!({"code": "print('hello')\n6 * 7", "eval_last_expr": true}))),
            ("input and limits" = (value = json!({
                "code": "import sys\nprint(sys.argv[1:], input())",
                "stdin": "a line\n",
                "script_args": ["--verbose"],
                "config": {"timeout_seconds": 2.5, "memory_mb": 256}
            }))),
            ("files" = (value = json!({
                "files": [
                    {"name": "main.py", "content": "import helper\nprint(helper.greeting())"},
                    {"name": "helper.py", "content": "def greeting():\n    return open('name.txt').read()"},
                    {"name": "name.txt", "content_base64": "d29ybGQ="}
                ],
                "collect_files": true
            }))),
            ("function" = (value = json!({
                "code": "def add(a, b):\n    return a + b",
                "entry_function": {"name": "add", "arguments": {"a": 1, "b": 2}}
            }))),
            ("events" = (value = json!({"code": "for n in range(3):\n    print(n)", "stream": true}))),
        ),
    ),
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
    let request = request::eval(read, length, &app, &caller).await?;
    if streamed {
        let submitted = submit(&app, &caller, request, idempotency).await?;
        let waiting = GiveUpOnDrop::new(&app, &submitted);
        return Ok(stream(&app, submitted, 0, Some(waiting)).await?.into_response());
    }
    Ok(json(result(&app, &caller, request, idempotency).await?).await)
}

//! Code in, result out.

use super::{
    executions::{json, stream},
    params::IdempotencyKey,
    refusals::{Guarded, MissingSession, SameSite, Unstarted},
    sessions::call_events,
};
use crate::server::{
    App,
    api::{
        EvalRequest, StreamEvent,
        sessions::{ContinueRequest, EvalAnswer},
    },
    auth::Caller,
    body, conversations,
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
            ("tools" = (value = json!({"code": "weather(city='Bern')", "tools": [{"name": "weather"}]}))),
            ("events" = (value = json!({"code": "for n in range(3):\n    print(n)", "stream": true}))),
        ),
    ),
    params(IdempotencyKey),
    responses(
        (
            status = 200,
            description = "It ran, well or not; with `stream`, server-sent events as of `/executions/{id}/events`",
            content((EvalAnswer = "application/json"), (StreamEvent = "text/event-stream")),
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
    if !read.request.tools.is_empty() {
        if idempotency.is_some() {
            return Err(ApiError::invalid("Idempotency-Key does not go with tools: nothing of them is kept"));
        }
        if read.request.stream {
            return Ok(call_events(conversations::eval_stream(&app, &caller, read).await?));
        }
        return Ok(Json(conversations::eval(&app, &caller, read).await?).into_response());
    }
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

/// Goes on with an evaluation that waits for results of tools.
#[utoipa::path(
    post,
    path = "/api/v1/eval/continue",
    tag = "run",
    request_body(content = ContinueRequest),
    responses(
        (status = 200, description = "It ran, well or not, or waits for more", body = EvalAnswer),
        Guarded,
        SameSite,
        MissingSession,
    )
)]
pub(super) async fn go_on(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<EvalAnswer>, ApiError> {
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    let request: ContinueRequest =
        serde_json::from_slice(&bytes).map_err(|e| ApiError::invalid(format!("invalid JSON: {e}")))?;
    Ok(Json(conversations::eval_on(&app, &caller, request).await?))
}

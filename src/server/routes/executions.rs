//! Executions that wait, run, or ended a while ago.

use super::{
    params::{ExecutionPath, FilePath, LastEventId},
    refusals::{Guarded, Missing, SameSite},
};
use crate::server::{
    App,
    api::{ErrorBody, ExecutionList, ExecutionResult, ExecutionSummary, Status, StatusOnly, StreamEvent},
    auth::Caller,
    error::ApiError,
    run,
    store::Execution,
    submit::GiveUpOnDrop,
};
use axum::{
    Extension, Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use bytes::Bytes;
use futures_util::{Stream, stream::unfold};
use serde::Deserialize;
use std::{convert::Infallible, sync::Arc, time::Duration};

const PAGE: usize = 50;
const PAGE_MAX: usize = 200;
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How far an execution is, or what it came to.
#[utoipa::path(
    get,
    path = "/api/v1/executions/{id}",
    tag = "executions",
    params(ExecutionPath),
    responses(
        (status = 200, description = "What is known of it", body = ExecutionResult),
        Guarded,
        Missing,
    )
)]
pub(super) async fn status(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(ExecutionPath { id }): Path<ExecutionPath>,
) -> Result<Response, ApiError> {
    let execution = find(&app, &caller, &id)?;
    Ok(match execution.end() {
        Some(end) => json(end.json.clone()),
        None => Json(run::blank(&execution)).into_response(),
    })
}

/// Answers with what is JSON already.
pub(super) fn json(bytes: Bytes) -> Response {
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Kills an execution that waits or runs.
#[utoipa::path(
    delete,
    path = "/api/v1/executions/{id}",
    tag = "executions",
    params(ExecutionPath),
    responses(
        (status = 200, description = "`killed`, or the status of one that had ended", body = StatusOnly),
        Guarded,
        SameSite,
        Missing,
    )
)]
pub(super) async fn kill(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(ExecutionPath { id }): Path<ExecutionPath>,
) -> Result<Json<StatusOnly>, ApiError> {
    let execution = find(&app, &caller, &id)?;
    execution.kill();
    // Whoever is told that it is killed finds it so.
    let status = execution.finished().await.map_or(Status::Killed, |end| end.status);
    Ok(Json(StatusOnly { status }))
}

/// What [`list`] can be asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only those that are so far.
    status: Option<Status>,
    /// How many at most; 1 to 200, 50 when not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the page before.
    #[param(value_type = Option<crate::server::api::ExecutionId>)]
    after: Option<String>,
}

/// The executions of this caller, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/executions",
    tag = "executions",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of them", body = ExecutionList),
        (status = 400, description = "The query is not acceptable", body = ErrorBody),
        Guarded,
    )
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<ExecutionList>, ApiError> {
    let Query(query) = query.map_err(|e| ApiError::invalid(e.body_text()))?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(ApiError::invalid(format!("limit must be 1 to {PAGE_MAX}")));
    }
    let page = app.store.list(caller.index, query.status, query.after.as_deref(), limit);
    // An empty page would look like the end.
    let (found, more) =
        page.ok_or_else(|| ApiError::invalid("after: there is no such execution any more; start from the first page"))?;
    let next = found.last().filter(|_| more).map(|execution| execution.id.clone());
    let executions = found.iter().map(|execution| ExecutionSummary::from(&**execution)).collect();
    Ok(Json(ExecutionList { executions, next }))
}

/// What happens in an execution, as server-sent events: `state`, `stdout`, `stderr`, and at last `result`.
///
/// After a broken connection, `Last-Event-ID` goes on where it was. `lagged` stands for output that was dropped before it
/// could be sent.
#[utoipa::path(
    get,
    path = "/api/v1/executions/{id}/events",
    tag = "executions",
    params(ExecutionPath, LastEventId),
    responses(
        (status = 200, description = "Events until the result", content_type = "text/event-stream", body = StreamEvent),
        Guarded,
        Missing,
    )
)]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(ExecutionPath { id }): Path<ExecutionPath>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let after = match headers.get("last-event-id") {
        None => 0,
        Some(number) => number
            .to_str()
            .ok()
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| ApiError::invalid("Last-Event-ID must be the number of an event"))?,
    };
    Ok(stream(find(&app, &caller, &id)?, after, None).into_response())
}

/// The bytes of a file, as the document describes them.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "only described")]
pub(super) struct Content(Vec<u8>);

/// A file that an execution made or changed, when it was asked to collect them.
#[utoipa::path(
    get,
    path = "/api/v1/executions/{id}/files/{path}",
    tag = "executions",
    params(FilePath),
    responses(
        (
            status = 200,
            description = "The content",
            content_type = "application/octet-stream",
            body = inline(Content),
            headers(("Content-Disposition" = String, description = "`attachment`")),
        ),
        Guarded,
        Missing,
    )
)]
pub(super) async fn file(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(FilePath { id, path }): Path<FilePath>,
) -> Result<Response, ApiError> {
    let execution = find(&app, &caller, &id)?;
    let Some(content) = execution.file(&path) else {
        return Err(ApiError::new(
            crate::server::error::Problem::NotFound,
            "the execution has no such file: ask for them with collect_files, and see `files` of its result",
        ));
    };
    let mut response = content.into_response();
    // Whatever it is, a browser must not show it as a page of ours.
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    Ok(response)
}

/// Streams the events after number `after`, until the result. The guard goes with the stream.
pub(super) fn stream(
    execution: Arc<Execution>,
    after: u64,
    guard: Option<GiveUpOnDrop>,
) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let events = unfold((execution, after, guard), |(execution, after, guard)| async move {
        let Some(event) = execution.events.after(after).await else {
            // It ended: there is nothing to give up.
            guard.into_iter().for_each(GiveUpOnDrop::disarm);
            return None;
        };
        let number = event.number;
        let sent = sse::Event::default().id(number.to_string()).event(event.kind.name()).data(event.data);
        Some((Ok(sent), (execution, number, guard)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive"))
}

fn find(app: &App, caller: &Caller, id: &str) -> Result<Arc<Execution>, ApiError> {
    app.store.find(caller.index, id).ok_or_else(ApiError::no_execution)
}

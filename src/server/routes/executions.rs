//! Executions that wait, run, or ended a while ago.

use super::{
    params::{ExecutionPath, FilePath, LastEventId},
    refusals::{Guarded, Missing, SameSite},
};
use crate::server::{
    App,
    api::{ErrorBody, ExecutionList, ExecutionResult, Status, StatusOnly, StreamEvent},
    auth::Caller,
    error::{ApiError, Problem},
    executions::{Event, ExecutionRecord, Followed, Found, Query as Wanted},
    render,
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
use futures_util::{Stream, StreamExt as _, stream::unfold};
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
    Ok(json(find(&app, &caller, &id).await?.record).await)
}

/// Answers with what is known of an execution.
pub(super) async fn json(record: Arc<ExecutionRecord>) -> Response {
    let mut response = render::json(record).await.into_response();
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
    let found = find(&app, &caller, &id).await?.followed();
    app.executions.kill(&found).await?;
    // Whoever is told that it is killed finds it so.
    let status = app.executions.finished(&found).await?.map_or(Status::Killed, |record| record.status());
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
    let wanted = Wanted { owner: &caller.name, status: query.status, after: query.after.as_deref(), limit };
    // An empty page would look like the end.
    let page = app.executions.list(&wanted).await?;
    let page =
        page.ok_or_else(|| ApiError::invalid("after: there is no such execution any more; start from the first page"))?;
    let next = page.records.last().filter(|_| !page.is_last).map(|record| record.id.clone());
    let executions = page.records.iter().map(|record| render::summary(record)).collect();
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
    let found = find(&app, &caller, &id).await?.followed();
    Ok(stream(&app, found, after, None).await?.into_response())
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
    find(&app, &caller, &id).await?;
    let content = match app.executions.file(&id, &path).await? {
        // A proxy may have made one slash of two.
        None if !path.starts_with('/') => app.executions.file(&id, &format!("/{path}")).await?,
        content => content,
    };
    let Some(content) = content else {
        return Err(ApiError::new(
            Problem::NotFound,
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
pub(super) async fn stream(
    app: &Arc<App>,
    execution: Followed,
    after: u64,
    guard: Option<GiveUpOnDrop>,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>> + use<>>, ApiError> {
    let events = app.executions.events_after(execution.id(), after).await?;
    let following = (Arc::clone(app), execution, events, guard);
    let events = unfold(following, |(app, execution, mut events, guard)| async move {
        let Some(Event { number, kind }) = events.next().await else {
            // It ended: there is nothing to give up.
            guard.into_iter().for_each(GiveUpOnDrop::disarm);
            return None;
        };
        let (name, data) = render::event(execution.id(), &kind);
        let data = match data {
            Some(data) => data,
            None => result(&app, &execution).await?,
        };
        let sent = sse::Event::default().id(number.to_string()).event(name).data(data);
        Some((Ok(sent), (app, execution, events, guard)))
    });
    Ok(Sse::new(events).keep_alive(keep_alive()))
}

/// Shows proxies that a stream is still alive.
pub(super) fn keep_alive() -> KeepAlive {
    KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive")
}

/// Returns the result of an execution that has ended, as JSON.
async fn result(app: &App, execution: &Followed) -> Option<String> {
    let ended = app.executions.finished(execution).await;
    let ended = ended.inspect_err(|error| tracing::error!(%error, "the result of an execution cannot be read"));
    String::from_utf8(render::json(ended.ok()??).await.into()).ok()
}

async fn find(app: &App, caller: &Caller, id: &str) -> Result<Found, ApiError> {
    app.executions.find(&caller.name, id).await?.ok_or_else(ApiError::no_execution)
}

//! Interpreters that live on between calls. Nobody sees those of another key: they are not there for it.

use super::{
    executions::keep_alive,
    params::{CheckpointPath, SessionFilePath, SessionPath},
    refusals::{Guarded, MissingSession, SameSite},
    workspaces::Content,
};
use crate::{
    Error,
    executor::Question,
    server::{
        App,
        api::{
            ErrorBody, EvalRequest,
            sessions::{
                CallAnswer, CallRequest, CallStreamEvent, CheckpointList, CodeSoFar, Completeness, Completions,
                ContinueRequest, Inspection, PlaceInCode, Session, SessionFiles, SessionList, SessionRequest,
            },
        },
        auth::Caller,
        body,
        conversations::{self, Conversations, Followed},
        error::{ApiError, Problem},
        request,
    },
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse, Response, sse::Sse},
};
use futures_util::stream::unfold;
use serde::de::DeserializeOwned;
use std::{convert::Infallible, sync::Arc};

/// Makes a session, with what an evaluation would get: files, variables, packages, limits. It runs no code yet.
#[utoipa::path(
    post,
    path = "/api/v1/sessions",
    tag = "sessions",
    request_body(content = SessionRequest, example = json!({"requirements_txt": "humanize"})),
    responses(
        (
            status = 201,
            description = "It is there",
            body = Session,
            links(("inspect" = (operation_id = "sessions_inspect", parameters(("id" = "$response.body#/id"))))),
        ),
        Guarded,
        SameSite,
        MissingSession,
    ),
    operation_id = "sessions_create",
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, ApiError> {
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    let read = EvalRequest::read(&bytes).map_err(|e| ApiError::invalid(format!("invalid JSON: {e}")))?;
    if app.is_draining() {
        return Err(ApiError::new(Problem::Draining, "the server is shutting down: try another, or again later"));
    }
    let (job, warnings) = request::session(read, &app)?;
    let info = app.sessions()?.sessions.create(&caller.name, job).await?;
    Ok((StatusCode::CREATED, Json(Session::new(&info, warnings))).into_response())
}

/// The caller's sessions, the one used last first.
#[utoipa::path(
    get,
    path = "/api/v1/sessions",
    tag = "sessions",
    responses((status = 200, description = "All of them", body = SessionList), Guarded),
    operation_id = "sessions_list",
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<SessionList>, ApiError> {
    let infos = app.sessions()?.sessions.list(&caller.name).await;
    Ok(Json(SessionList { sessions: infos.iter().map(|info| Session::new(info, Vec::new())).collect() }))
}

/// What is known of a session.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}",
    tag = "sessions",
    params(SessionPath),
    responses((status = 200, description = "What is known of it", body = Session), Guarded, MissingSession),
    operation_id = "sessions_inspect",
)]
pub(super) async fn inspect(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
) -> Result<Json<Session>, ApiError> {
    Ok(Json(Session::new(&app.sessions()?.sessions.info(&caller.name, &id).await?, Vec::new())))
}

/// Ends a session, and deletes all of it.
#[utoipa::path(
    delete,
    path = "/api/v1/sessions/{id}",
    tag = "sessions",
    params(SessionPath),
    responses((status = 204, description = "It is gone"), Guarded, SameSite, MissingSession),
    operation_id = "sessions_remove",
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
) -> Result<StatusCode, ApiError> {
    app.sessions()?.sessions.remove(&caller.name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a cell in a session. Names, imports and files live on; the last expression is the result.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/calls",
    tag = "sessions",
    params(SessionPath),
    request_body(content = CallRequest),
    responses(
        (
            status = 200,
            description = "It ran, well or not, or waits for results of tools; with `stream`, server-sent events",
            content((CallAnswer = "application/json"), (CallStreamEvent = "text/event-stream")),
        ),
        (status = 409, description = "Another call of the session waits for results of tools", body = ErrorBody),
        Guarded,
        SameSite,
        MissingSession,
    ),
    operation_id = "sessions_call",
)]
pub(super) async fn call(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    let read = CallRequest::read(&bytes).map_err(|e| ApiError::invalid(format!("invalid JSON: {e}")))?;
    if !read.request.stream && !asks_for_events(&headers) {
        return Ok(Json(conversations::call(&app, &caller, &id, read).await?).into_response());
    }
    Ok(call_events(conversations::stream(&app, &caller, &id, read).await?))
}

/// Sends the events of a call, until its result.
pub(super) fn call_events(followed: Followed) -> Response {
    let events = unfold(followed, |mut followed| async move {
        let event = followed.next().await?;
        Some((Ok::<_, Infallible>(event), followed))
    });
    Sse::new(events).keep_alive(keep_alive()).into_response()
}

fn asks_for_events(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok()).any(|it| it.contains("text/event-stream"))
}

/// Goes on with a call that waits for results of tools.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/calls/continue",
    tag = "sessions",
    params(SessionPath),
    request_body(content = ContinueRequest),
    responses(
        (status = 200, description = "It ran, well or not, or waits for more", body = CallAnswer),
        Guarded,
        SameSite,
        MissingSession,
    ),
    operation_id = "sessions_continue",
)]
pub(super) async fn go_on(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
    body: Body,
) -> Result<Json<CallAnswer>, ApiError> {
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    let request: ContinueRequest =
        serde_json::from_slice(&bytes).map_err(|e| ApiError::invalid(format!("invalid JSON: {e}")))?;
    Ok(Json(conversations::go_on(&app, &caller, &id, request).await?))
}

/// Interrupts the call that a session is in: it raises KeyboardInterrupt, and the session lives on.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/interrupt",
    tag = "sessions",
    params(SessionPath),
    responses((status = 204, description = "It is interrupted, if it is in a call"), Guarded, SameSite, MissingSession),
    operation_id = "sessions_interrupt",
)]
pub(super) async fn interrupt(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
) -> Result<StatusCode, ApiError> {
    app.sessions()?.interrupt(&caller.name, &id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes another session that goes on where this one is.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/fork",
    tag = "sessions",
    params(SessionPath),
    responses((status = 201, description = "It is there", body = Session), Guarded, SameSite, MissingSession),
    operation_id = "sessions_fork",
)]
pub(super) async fn fork(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
) -> Result<Response, ApiError> {
    let info = app.sessions()?.sessions.fork(&caller.name, &id).await?;
    Ok((StatusCode::CREATED, Json(Session::new(&info, Vec::new()))).into_response())
}

/// The names under which states of a session are kept.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/checkpoints",
    tag = "sessions",
    params(SessionPath),
    responses((status = 200, description = "All of them", body = CheckpointList), Guarded, MissingSession),
    operation_id = "sessions_checkpoints",
)]
pub(super) async fn checkpoints(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
) -> Result<Json<CheckpointList>, ApiError> {
    Ok(Json(CheckpointList { checkpoints: app.sessions()?.sessions.checkpoints(&caller.name, &id).await? }))
}

/// Keeps the present state of a session under a name.
#[utoipa::path(
    put,
    path = "/api/v1/sessions/{id}/checkpoints/{name}",
    tag = "sessions",
    params(CheckpointPath),
    responses((status = 204, description = "It is kept"), Guarded, SameSite, MissingSession),
    operation_id = "sessions_checkpoint",
)]
pub(super) async fn checkpoint(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(CheckpointPath { id, name }): Path<CheckpointPath>,
) -> Result<StatusCode, ApiError> {
    app.sessions()?.sessions.checkpoint(&caller.name, &id, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Goes back to a state that is kept.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/checkpoints/{name}",
    tag = "sessions",
    params(CheckpointPath),
    responses((status = 200, description = "It is back there", body = Session), Guarded, SameSite, MissingSession),
    operation_id = "sessions_roll_back",
)]
pub(super) async fn roll_back(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(CheckpointPath { id, name }): Path<CheckpointPath>,
) -> Result<Json<Session>, ApiError> {
    Ok(Json(Session::new(&app.sessions()?.sessions.roll_back(&caller.name, &id, &name).await?, Vec::new())))
}

/// The variables of a session: name, type, size in bytes, and a short text of each.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/variables",
    tag = "sessions",
    params(SessionPath),
    responses((status = 200, description = "An array of objects", body = Vec<Object>), Guarded, MissingSession),
    operation_id = "sessions_variables",
)]
pub(super) async fn variables(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
) -> Result<Response, ApiError> {
    ask(&app, &caller, &id, Question::variables()).await
}

async fn ask(app: &App, caller: &Caller, id: &str, question: Question) -> Result<Response, ApiError> {
    let conversations: &Conversations = app.sessions()?;
    let text = conversations.sessions.ask(&caller.name, id, question).await?;
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json)], text.as_str().to_owned()).into_response())
}

async fn asked<T: DeserializeOwned>(app: &App, body: Body) -> Result<T, ApiError> {
    let bytes = body::read(body, app.settings.code_max_bytes).await?;
    serde_json::from_slice(&bytes).map_err(|e| ApiError::invalid(format!("invalid JSON: {e}")))
}

/// What may stand at a place in code, by the names that the session has.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/complete",
    tag = "sessions",
    params(SessionPath),
    request_body(content = PlaceInCode, example = json!({"code": "x.app", "at": 5})),
    responses((status = 200, description = "Perhaps nothing", body = Completions), Guarded, SameSite, MissingSession),
    operation_id = "sessions_complete",
)]
pub(super) async fn complete(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
    body: Body,
) -> Result<Response, ApiError> {
    let PlaceInCode { code, at } = asked(&app, body).await?;
    let at = at.unwrap_or_else(|| code.chars().count());
    ask(&app, &caller, &id, Question::complete(&code, at)).await
}

/// Whether code is whole, or goes on in another line.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/is_complete",
    tag = "sessions",
    params(SessionPath),
    request_body(content = CodeSoFar, example = json!({"code": "for n in range(3):"})),
    responses((status = 200, description = "Whether it is", body = Completeness), Guarded, SameSite, MissingSession),
    operation_id = "sessions_is_complete",
)]
pub(super) async fn is_complete(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
    body: Body,
) -> Result<Response, ApiError> {
    let CodeSoFar { code } = asked(&app, body).await?;
    ask(&app, &caller, &id, Question::is_complete(&code)).await
}

/// What is known of the object at a place in code: its documentation.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/{id}/inspect",
    tag = "sessions",
    params(SessionPath),
    request_body(content = PlaceInCode, example = json!({"code": "len", "at": 1})),
    responses((status = 200, description = "Perhaps nothing", body = Inspection), Guarded, SameSite, MissingSession),
    operation_id = "sessions_inspect_code",
)]
pub(super) async fn inspect_code(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
    body: Body,
) -> Result<Response, ApiError> {
    let PlaceInCode { code, at } = asked(&app, body).await?;
    let at = at.unwrap_or_else(|| code.chars().count());
    ask(&app, &caller, &id, Question::inspect(&code, at)).await
}

/// The files in the project folder of a session, by path.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/files",
    tag = "sessions",
    params(SessionPath),
    responses((status = 200, description = "All of them", body = SessionFiles), Guarded, MissingSession),
    operation_id = "sessions_files",
)]
pub(super) async fn files(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionPath { id }): Path<SessionPath>,
) -> Result<Json<SessionFiles>, ApiError> {
    let files = app.sessions()?.sessions.files(&caller.name, &id).await?;
    Ok(Json(SessionFiles { files: files.into_iter().map(Into::into).collect() }))
}

/// A file of a session.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/files/{path}",
    tag = "sessions",
    params(SessionFilePath),
    responses(
        (status = 200, description = "Its content", body = Content, content_type = "application/octet-stream"),
        Guarded,
        MissingSession,
    ),
    operation_id = "sessions_read_file",
)]
pub(super) async fn read_file(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionFilePath { id, path }): Path<SessionFilePath>,
) -> Result<Response, ApiError> {
    let content = app.sessions()?.sessions.read_file(&caller.name, &id, &path).await?;
    // Whatever is in it, a browser shows nothing of it as a page of ours.
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(CONTENT_TYPE, kind)], content).into_response())
}

/// Writes a file of a session.
#[utoipa::path(
    put,
    path = "/api/v1/sessions/{id}/files/{path}",
    tag = "sessions",
    params(SessionFilePath),
    request_body(content = Option<Content>, content_type = "application/octet-stream"),
    responses((status = 204, description = "It is written"), Guarded, SameSite, MissingSession),
    operation_id = "sessions_write_file",
)]
pub(super) async fn write_file(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionFilePath { id, path }): Path<SessionFilePath>,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let content = body::read(body, app.settings.files_max_bytes).await?;
    app.sessions()?.sessions.write_file(&caller.name, &id, &path, content).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a file of a session.
#[utoipa::path(
    delete,
    path = "/api/v1/sessions/{id}/files/{path}",
    tag = "sessions",
    params(SessionFilePath),
    responses((status = 204, description = "It is gone"), Guarded, SameSite, MissingSession),
    operation_id = "sessions_remove_file",
)]
pub(super) async fn remove_file(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(SessionFilePath { id, path }): Path<SessionFilePath>,
) -> Result<StatusCode, ApiError> {
    app.sessions()?.sessions.remove_file(&caller.name, &id, &path).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl App {
    fn sessions(&self) -> Result<&Conversations, Error> {
        self.conversations.as_ref().ok_or_else(|| {
            Error::unavailable("the sessions of this server are open in another process: give each its own data_dir")
        })
    }
}

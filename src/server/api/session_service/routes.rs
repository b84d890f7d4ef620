//! Files, packages and runs of sessions.

use super::{
    tasks::{Install, Task},
    wire::{
        DownloadQuery, ExecuteRequest, InstallRequest, QueuedExecution, QueuedInstallation, SESSION_CHARS_MAX,
        TaskPath, TaskStatus, TerminateRequest, TerminatedSession, UploadForm, UploadedFile,
    },
};
use crate::{
    Job, Progress, Project, Pyexec, Requirements,
    blocking::blocking,
    environment::Definition,
    server::{
        App,
        api::validation::{DetailBody, Refused, WrongMember},
        auth::{AuthError, Caller},
        body,
        error::{ApiError, Problem},
        form::{Form, Spooled},
        members::utf8,
        request,
        run::Waiting,
        submit::submit,
    },
    service::{EnvironmentState, NamedEnvironment},
    workspaces::{WorkspaceError, Workspaces},
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{MatchedPath, Path, RawQuery, Request, State, rejection::PathRejection},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt as _;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::{
    collections::BTreeSet,
    io::{Read as _, Seek as _, SeekFrom},
    sync::Arc,
};
use tokio::sync::OwnedSemaphorePermit;

/// Routes on which a missing or wrong key is said in this service's words. Of those that share `/execute` it is the only
/// one with keys.
const WORDED: &[&str] =
    &["/execute", "/install", "/status/{task_type}/{task_id}", "/upload", "/download", "/terminate"];

/// The script's name in the folder of its session.
const SCRIPT: &str = "temp_code.py";
/// The file that has the packages of a session.
const PACKAGES: &str = "packages.txt";
/// Of that file.
const PACKAGES_BYTES_MAX: u64 = 1 << 20;
/// Of what is kept about an installation, each of a few texts.
const LOG_BYTES_MAX: usize = 16 << 10;
/// Bytes of an upload that are copied at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// Packages of a session are the business of nobody else, and no files of it.
fn files_of(session: &str) -> String {
    format!("session files {session}")
}

fn packages_of(session: &str) -> String {
    format!("session packages {session}")
}

fn install_task(session: &str) -> String {
    format!("install-{session}")
}

/// Installs packages for a session, in the background.
#[utoipa::path(
    post,
    path = "/install",
    tag = "sessions service",
    request_body(content = InstallRequest),
    responses(
        (status = 202, description = "It has begun", body = QueuedInstallation),
        super::super::validation::Guarded,
        super::super::validation::Malformed,
        super::super::validation::TooBusy,
    ),
    operation_id = "install",
)]
pub(crate) async fn install(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Refused> {
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    let InstallRequest { session_id, packages } = InstallRequest::read(&utf8(&bytes))?;
    if app.is_draining() {
        let message = "the server is shutting down: try another, or again later";
        return Err(ApiError::new(Problem::Draining, message).into());
    }
    let task_id = install_task(&session_id);
    let begun = app.session_tasks.begin_install(&caller.name, &task_id);
    let permit = begun.map_err(|why| ApiError::new(Problem::QueueFull, why).retry_after(5))?;
    let queued = QueuedInstallation::new(session_id.clone(), task_id.clone());
    let jobs = app.jobs.clone();
    let installing =
        Installing { app: Arc::clone(&app), owner: Arc::clone(&caller.name), task_id, ended: None, _permit: permit };
    jobs.spawn(async move {
        let logs = format!("Installing packages: {}...\n", shortened(packages.join(" ")));
        let ended = match installed(&app.pyexec, &caller.name, &session_id, &packages).await {
            Ok(pins) => Install::Done { logs: format!("{logs}{}", shortened(pins)) },
            Err(error) => {
                let error = shortened(error);
                Install::Failed { logs: format!("{logs}\nError during installation: {error}"), error }
            }
        };
        installing.end(ended);
    });
    Ok((StatusCode::ACCEPTED, Json(queued)).into_response())
}

/// Has an installation end, whatever becomes of its task.
struct Installing {
    app: Arc<App>,
    owner: Arc<str>,
    task_id: String,
    ended: Option<Install>,
    _permit: OwnedSemaphorePermit,
}

impl Installing {
    fn end(mut self, ended: Install) {
        self.ended = Some(ended);
    }
}

impl Drop for Installing {
    fn drop(&mut self) {
        let ended = self.ended.take().unwrap_or_else(|| {
            let error = "the installation was cut off: try again".to_owned();
            Install::Failed { logs: error.clone(), error }
        });
        self.app.session_tasks.set(&self.owner, &self.task_id, Task::Install(ended));
    }
}

/// Shortens a text that is kept for as long as its task.
fn shortened(mut text: String) -> String {
    if text.len() > LOG_BYTES_MAX {
        text.truncate(text.floor_char_boundary(LOG_BYTES_MAX));
        text.push('…');
    }
    text
}

/// Installs packages beside those that a session has, and says which there are now.
async fn installed(pyexec: &Pyexec, owner: &str, session: &str, packages: &[String]) -> Result<String, String> {
    let asked = Requirements::from_list(packages.iter().map(String::as_str)).map_err(|error| error.to_string())?;
    if asked.is_empty() {
        return Err("You must give at least one package to install".to_owned());
    }
    let workspaces = pyexec.workspaces();
    let before = requirements(workspaces, owner, session).await.map_err(|error| error.to_string())?;
    // What is asked for again is asked for anew, as by pip.
    let asked = asked.to_string();
    let again: BTreeSet<_> = asked.lines().map(name_in).collect();
    let kept = before.lines().filter(|line| !again.contains(name_in(line)));
    let all = Requirements::from_list(kept.chain(asked.lines())).map_err(|error| error.to_string())?;
    let text = all.to_string();
    let definition = Definition { requirements: all, python: None, preload: Vec::new() };
    let made = async {
        // The files of a session are there from here on, as its folder was.
        workspaces.named(owner, &files_of(session)).await.map_err(crate::Error::from)?;
        let named = pyexec.create_environment(definition).await?;
        let made = pyexec.make_environment(&named.id, &Progress::new(|_| ())).await?;
        let id = workspaces.named(owner, &packages_of(session)).await.map_err(crate::Error::from)?;
        let mut writing = workspaces.write(owner, &id, PACKAGES, None).await.map_err(crate::Error::from)?;
        writing.write(text.as_bytes()).await.map_err(crate::Error::from)?;
        writing.finish().await.map_err(crate::Error::from)?;
        Ok::<_, crate::Error>(made)
    };
    made.await.map(|made| described(&made)).map_err(|error| error.to_string())
}

fn described(made: &NamedEnvironment) -> String {
    let EnvironmentState::Ready(ready) = &made.state else { return String::new() };
    let pins: Vec<_> = ready.packages.iter().map(|pin| format!("{}-{}", pin.name, pin.version)).collect();
    format!("Successfully installed {}\n", pins.join(" "))
}

/// Returns the name of the package that a line asks for.
fn name_in(line: &str) -> &str {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c));
    line.split(ends).next().unwrap_or_default()
}

/// Returns the packages of a session, a line for each.
async fn requirements(workspaces: &Workspaces, owner: &str, session: &str) -> Result<String, WorkspaceError> {
    let id = Workspaces::id_of(owner, &packages_of(session));
    let reading = match workspaces.read(owner, &id, PACKAGES).await {
        Err(WorkspaceError::NotFound | WorkspaceError::NoSuchFile) => return Ok(String::new()),
        reading => reading?,
    };
    let all = 0..reading.file.bytes.min(PACKAGES_BYTES_MAX);
    let parts: Result<Vec<_>, _> = reading.part(all).await?.try_collect().await;
    let parts =
        parts.map_err(|error| WorkspaceError::Unavailable(crate::Error::caused("cannot read packages", error)))?;
    Ok(String::from_utf8_lossy(&parts.concat()).into_owned())
}

/// Accepts code for a session; ask for its status.
pub(crate) async fn execute(app: &Arc<App>, caller: &Caller, json: &[u8]) -> Result<Response, Refused> {
    let ExecuteRequest { session_id, code, env } = ExecuteRequest::read(&utf8(json))?;
    let (bytes, most) = (code.len(), app.settings.code_max_bytes);
    if bytes > most {
        let message = format!("the code has {bytes} bytes, more than the limit of {most}");
        return Err(ApiError::new(Problem::TooLarge, message).into());
    }
    let workspaces = app.pyexec.workspaces();
    let id = workspaces.named(&caller.name, &files_of(&session_id)).await.map_err(ApiError::from)?;
    let packages = requirements(workspaces, &caller.name, &session_id).await.map_err(ApiError::from)?;
    let job = Project::files([(SCRIPT, code)]).and_then(|project| {
        let job = Job::project(project).entrypoint(SCRIPT).workspace(&*caller.name, id);
        let job = job.requirements(Requirements::parse(&packages)?);
        Ok(env.into_iter().fold(job, |job, (name, value)| job.env(name, value)))
    });
    let limits = request::call_limits(None, app, &mut Vec::new());
    let request = request::foreign(job, limits, Waiting::No, bytes, app).await;
    let submitted = submit(app, caller, request, None).await?;
    let digits: String = submitted.id().trim_start_matches("exe_").chars().take(8).collect();
    let task_id = format!("exec-{session_id}-{digits}");
    app.session_tasks.set(&caller.name, &task_id, Task::Execution(submitted.id().to_owned()));
    Ok((StatusCode::ACCEPTED, Json(QueuedExecution::new(task_id))).into_response())
}

/// How far a task is.
#[utoipa::path(
    get,
    path = "/status/{task_type}/{task_id}",
    tag = "sessions service",
    params(TaskPath),
    responses(
        (status = 200, description = "What is known of it", body = TaskStatus),
        (status = 404, description = "It is unknown, someone else's, or too long ago", body = DetailBody),
        super::super::validation::Guarded,
    ),
    operation_id = "task_status",
)]
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<TaskPath>, PathRejection>,
) -> Result<Json<TaskStatus>, Refused> {
    let unknown = || Refused::new(StatusCode::NOT_FOUND, "Task not found.");
    let Path(TaskPath { task_id, .. }) = path.map_err(|_| unknown())?;
    match app.session_tasks.get(&caller.name, &task_id).ok_or_else(unknown)? {
        Task::Install(install) => Ok(Json(TaskStatus::of_install(&install))),
        Task::Execution(id) => {
            let found = app.executions.find(&caller.name, &id).await.map_err(ApiError::from)?;
            let found = found.ok_or_else(unknown)?;
            Ok(Json(TaskStatus::of_execution(&found.record)))
        }
    }
}

/// Puts a file into a session.
#[utoipa::path(
    post,
    path = "/upload",
    tag = "sessions service",
    request_body(content(
        (UploadForm = "multipart/form-data", encoding(("file" = (content_type = "application/octet-stream"))))
    )),
    responses(
        (status = 200, description = "It is there", body = UploadedFile),
        (status = 400, description = "The form or the file's name is none", body = DetailBody),
        (status = 507, description = "There is no room for it", body = DetailBody),
        super::super::validation::Guarded,
        super::super::validation::Malformed,
        super::super::validation::TooBusy,
    ),
    operation_id = "upload",
)]
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    http: Request,
) -> Result<Json<UploadedFile>, Refused> {
    let bytes_max = app.settings.upload_max_bytes.saturating_add(app.settings.body_max_bytes as u64);
    let mut form = Form::new(http, bytes_max).await?;
    let (mut session, mut file) = (None, None);
    while let Some(part) = form.part().await? {
        match (part.name(), part.file_name()) {
            (Some("session_id"), None) if session.is_none() => {
                session = Some(utf8(&part.text(&app).await?).into_owned());
            }
            (Some("file"), Some(name)) if file.is_none() => {
                let name = name.to_owned();
                file = Some((name, part.spool(&app, &caller).await?));
            }
            _ => part.skip(&app).await?,
        }
    }
    let (session, (filename, spooled)) = match (session, file) {
        (Some(session), Some(_)) if session.chars().nth(SESSION_CHARS_MAX).is_some() => {
            let wrong = WrongMember::too_long("body", "session_id", SESSION_CHARS_MAX);
            return Err(Refused::members(vec![wrong]));
        }
        (Some(session), Some(file)) => (session, file),
        (session, file) => {
            let missing = [("session_id", session.is_none()), ("file", file.is_none())];
            let missing = missing.into_iter().filter(|(_, is_missing)| *is_missing);
            return Err(Refused::members(missing.map(|(name, _)| WrongMember::missing("body", name)).collect()));
        }
    };
    keep(&app, &caller, &session, &filename, spooled).await?;
    Ok(Json(UploadedFile { filename, storage: "local" }))
}

/// Writes an upload into the folder of a session.
async fn keep(app: &App, caller: &Caller, session: &str, name: &str, spooled: Spooled) -> Result<(), ApiError> {
    let workspaces = app.pyexec.workspaces();
    let Spooled { mut file, bytes, reservation: _reservation, .. } = spooled;
    let id = workspaces.named(&caller.name, &files_of(session)).await?;
    let mut writing = workspaces.write(&caller.name, &id, name, Some(bytes)).await?;
    let unreadable = || ApiError::new(Problem::Unavailable, "the server cannot read the upload again: try again later");
    let mut place = SeekFrom::Start(0);
    loop {
        let read = blocking(move || {
            let mut chunk = vec![0; CHUNK_BYTES];
            file.seek(place)?;
            let length = file.read(&mut chunk)?;
            chunk.truncate(length);
            Ok::<_, std::io::Error>((file, chunk))
        });
        let (again, chunk) = read.await.and_then(|read| read).map_err(|error| {
            tracing::error!(%error, "cannot read an upload");
            unreadable()
        })?;
        if chunk.is_empty() {
            break;
        }
        (file, place) = (again, SeekFrom::Current(0));
        writing.write(&chunk).await?;
    }
    writing.finish().await?;
    Ok(())
}

/// The content of a file of a session.
#[utoipa::path(
    get,
    path = "/download",
    tag = "sessions service",
    params(DownloadQuery),
    responses(
        (
            status = 200,
            description = "All of it",
            content_type = "application/octet-stream",
            body = inline(super::super::validation::Content),
            headers(("Content-Disposition" = String, description = "`attachment`, with its name")),
        ),
        (status = 404, description = "There is no such session, or no such file in it", body = DetailBody),
        (status = 422, description = "The request does not say which", body = DetailBody),
        super::super::validation::Guarded,
        super::super::validation::TooBusy,
    ),
    operation_id = "download",
)]
pub(crate) async fn download(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let query = query.unwrap_or_default();
    let (session, name) = match (parameter(&query, "session_id"), parameter(&query, "filename")) {
        (Some(session), Some(name)) => (session, name),
        (session, name) => {
            let missing = [("session_id", session.is_none()), ("filename", name.is_none())];
            let missing = missing.into_iter().filter(|(_, is_missing)| *is_missing);
            return Err(Refused::members(missing.map(|(name, _)| WrongMember::missing("query", name)).collect()));
        }
    };
    let id = Workspaces::id_of(&caller.name, &files_of(&session));
    let reading = match app.pyexec.workspaces().read(&caller.name, &id, &name).await {
        Err(WorkspaceError::NotFound | WorkspaceError::NoSuchFile | WorkspaceError::Invalid(_)) => {
            return Err(Refused::new(StatusCode::NOT_FOUND, "File not found."));
        }
        reading => reading.map_err(ApiError::from)?,
    };
    let bytes = reading.file.bytes;
    let content = reading.part(0..bytes).await.map_err(ApiError::from)?;
    let mut response = Body::from_stream(content).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    if let Ok(disposition) = HeaderValue::from_str(&attachment(&name)) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// Returns a parameter of a query, decoded.
fn parameter(query: &str, name: &str) -> Option<String> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(found, _)| decoded(found) == name).map(|(_, value)| decoded(value))
}

fn attachment(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~ ".contains(c);
    if name.chars().all(is_plain) {
        return format!("attachment; filename=\"{name}\"");
    }
    format!("attachment; filename*=utf-8''{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

/// Forgets a session with its files and packages.
#[utoipa::path(
    post,
    path = "/terminate",
    tag = "sessions service",
    request_body(content = TerminateRequest),
    responses(
        (status = 200, description = "It is gone, if it was there", body = TerminatedSession),
        super::super::validation::Guarded,
        super::super::validation::Malformed,
        super::super::validation::TooBusy,
    ),
    operation_id = "terminate",
)]
pub(crate) async fn terminate(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<TerminatedSession>, Refused> {
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    let TerminateRequest { session_id } = TerminateRequest::read(&utf8(&bytes))?;
    let mut was_there = false;
    for name in [files_of(&session_id), packages_of(&session_id)] {
        match app.pyexec.workspaces().delete(&caller.name, &Workspaces::id_of(&caller.name, &name)).await {
            Ok(()) => was_there = true,
            Err(WorkspaceError::NotFound) => {}
            Err(error) => return Err(ApiError::from(error).into()),
        }
    }
    app.session_tasks.forget(&caller.name, &install_task(&session_id));
    Ok(Json(TerminatedSession::new(&session_id, was_there)))
}

/// Says in this service's words that a key is missing or wrong.
pub(crate) async fn word(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let Some(&error) = response.extensions().get::<AuthError>() else { return response };
    if !route.is_some_and(|route| WORDED.contains(&route.as_str())) {
        return response;
    }
    let detail = match error {
        AuthError::Missing => "Not authenticated",
        AuthError::Ambiguous | AuthError::Malformed | AuthError::Unknown => "Could not validate credentials",
    };
    let mut worded = Refused::new(StatusCode::FORBIDDEN, detail).into_response();
    // Others outside look for them.
    *worded.extensions_mut() = response.extensions().clone();
    worded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_it_was_meant() {
        let query = "session_id=a%2F..%2Fb+c&filename=%C3%A9.txt&empty&x=1&x=2";
        assert_eq!(parameter(query, "session_id").as_deref(), Some("a/../b c"));
        assert_eq!(parameter(query, "filename").as_deref(), Some("é.txt"));
        assert_eq!(parameter(query, "empty").as_deref(), Some(""));
        assert_eq!(parameter(query, "x").as_deref(), Some("1"));
        assert_eq!(parameter(query, "y"), None);
    }

    #[test]
    fn names_of_packages_are_found() {
        for (line, name) in
            [("numpy==2.0", "numpy"), ("a-b[c] >= 1", "a-b"), ("scikit_learn", "scikit_learn"), ("", "")]
        {
            assert_eq!(name_in(line), name, "{line}");
        }
    }
}

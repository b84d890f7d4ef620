//! E2B's sandboxes: what its SDKs do by code contexts and files is done by sessions. A sandbox is some sessions, one for each
//! code context; each has files of its own, and `/files` are those of the first.
//!
//! `control` makes and ends sandboxes, `interpreter` runs code, `files` reads and writes. What takes a shell, a template or a
//! desktop is refused by name.

mod control;
mod files;
mod interpreter;

pub(crate) use control::{connect, create, inspect, kill, list, set_timeout, unsupported};
pub(crate) use files::{filesystem, process, read, write};
pub(crate) use interpreter::{contexts, create_context, execute, remove_context, restart_context};

use crate::{
    ErrorKind, Job,
    server::{
        App,
        auth::{Caller, Scope},
        error::ApiError,
        hints,
    },
    sessions::Sessions,
    sync::lock,
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{Mutex as AsyncMutex, Notify},
    task::{JoinError, JoinHandle},
};

const SANDBOX_ID: &str = "e2b-sandbox-id";
/// Where clients look for files; of a session it is the project's folder.
const HOME: &str = "/home/user";

/// Sandboxes of one caller.
const SANDBOXES_MAX: usize = 1000;
/// For whom this server has no room now.
const RETRY_AFTER_SECONDS: u64 = 5;
/// How often a sandbox is dropped whose files were removed as a session.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Sandboxes, by id, and the requests that made them.
#[derive(Default)]
pub(crate) struct Sandboxes {
    open: Mutex<HashMap<String, Sandbox>>,
    /// Requests that may be sent again, for as long as what they made is there.
    requests: Mutex<HashMap<RequestName, Arc<NamedRequest>>>,
}

/// A caller, and an idempotency key of it.
type RequestName = (Arc<str>, String);

/// A request with an idempotency key.
struct NamedRequest {
    digest: [u8; 32],
    /// Of the sandbox that it made. Whoever makes it holds this; others with the same key wait.
    made: AsyncMutex<Option<String>>,
}

/// What is known of one.
struct Sandbox {
    owner: Caller,
    /// Lets its client in to this one.
    token: String,
    template: String,
    metadata: HashMap<String, String>,
    setup: Setup,
    started: SystemTime,
    ends: SystemTime,
    /// Told when that was changed.
    rescheduled: Arc<Notify>,
    /// Of the request that made it.
    idempotency_key: Option<String>,
    /// The first is the one that is meant when none is named.
    contexts: Vec<Context>,
}

/// A code context.
#[derive(Clone)]
struct Context {
    id: String,
    session: String,
    cwd: String,
    calls: u64,
    variables: VariablesLock,
}

/// Keeps calls of a context apart. `true` while variables of one call may still be set in it.
type VariablesLock = Arc<AsyncMutex<bool>>;

impl Context {
    fn new(session: &str) -> Context {
        Context {
            id: session.to_owned(),
            session: session.to_owned(),
            cwd: HOME.to_owned(),
            calls: 0,
            variables: Arc::default(),
        }
    }
}

/// What each of its sessions gets.
#[derive(Clone)]
struct Setup {
    env: HashMap<String, String>,
    network: bool,
}

impl Setup {
    fn job(&self, app: &App, project: crate::Project) -> Job {
        let job = Job::project(project).limits(app.settings.defaults).network(self.network);
        self.env.iter().fold(job, |job, (name, value)| job.env(name, value))
    }
}

impl Sandboxes {
    /// Does something with a sandbox of this caller; `None` when there is none.
    fn with<T>(&self, caller: &Caller, id: &str, work: impl FnOnce(&mut Sandbox) -> T) -> Option<T> {
        let mut sandboxes = lock(&self.open);
        let sandbox = sandboxes.get_mut(id).filter(|sandbox| sandbox.owner == *caller)?;
        Some(work(sandbox))
    }

    /// Adds a sandbox, unless its caller has too many.
    fn add(&self, id: &str, sandbox: Sandbox) -> Result<()> {
        let mut sandboxes = lock(&self.open);
        check_room(&sandboxes, &sandbox.owner)?;
        sandboxes.insert(id.to_owned(), sandbox);
        Ok(())
    }

    /// Takes a sandbox of this caller out, if it is as expected.
    fn take(&self, caller: &Caller, id: &str, is_it: impl FnOnce(&Sandbox) -> bool) -> Option<Sandbox> {
        let mut sandboxes = lock(&self.open);
        sandboxes.get(id).filter(|sandbox| sandbox.owner == *caller && is_it(sandbox))?;
        let sandbox = sandboxes.remove(id)?;
        if let Some(key) = &sandbox.idempotency_key {
            lock(&self.requests).remove(&(Arc::clone(&caller.name), key.clone()));
        }
        Some(sandbox)
    }

    fn ids(&self, caller: &Caller) -> Vec<String> {
        let sandboxes = lock(&self.open);
        sandboxes.iter().filter(|(_, sandbox)| sandbox.owner == *caller).map(|(id, _)| id.clone()).collect()
    }
}

fn check_room(sandboxes: &HashMap<String, Sandbox>, caller: &Caller) -> Result<()> {
    if sandboxes.values().filter(|sandbox| sandbox.owner == *caller).count() < SANDBOXES_MAX {
        return Ok(());
    }
    let message = format!("you have {SANDBOXES_MAX} sandboxes, as many as there may be: end some");
    Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, message).retry_after(RETRY_AFTER_SECONDS))
}

/// What went wrong, as the SDKs read it.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    message: String,
    retry_after_s: Option<u64>,
}

type Result<T> = std::result::Result<T, Refused>;

impl Refused {
    fn new(status: StatusCode, message: impl Into<String>) -> Refused {
        Refused { status, message: message.into(), retry_after_s: None }
    }

    fn invalid(message: impl Into<String>) -> Refused {
        Refused::new(StatusCode::BAD_REQUEST, message)
    }

    /// Tells the client to try again, but not before so many seconds.
    fn retry_after(mut self, seconds: u64) -> Refused {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Adds the header that says when to try again.
    fn note_retry(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// In its sandbox the clients see it by this status.
    fn no_sandbox() -> Refused {
        Refused::new(StatusCode::BAD_GATEWAY, "The sandbox was not found")
    }
}

impl From<crate::Error> for Refused {
    fn from(error: crate::Error) -> Refused {
        let status = match error.kind() {
            ErrorKind::InvalidJob => StatusCode::BAD_REQUEST,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Busy => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Unavailable | ErrorKind::NoImage | ErrorKind::InvalidSettings => {
                tracing::error!(%error, "the service is at fault");
                let message = "the service cannot do this now; its log says why";
                return Refused::new(StatusCode::SERVICE_UNAVAILABLE, message).retry_after(RETRY_AFTER_SECONDS);
            }
        };
        let hint = error.hint().map_or_else(String::new, |hint| format!("; {}", hints::words(hint)));
        let refused = Refused::new(status, format!("{}{hint}", error.message()));
        if status == StatusCode::TOO_MANY_REQUESTS { refused.retry_after(RETRY_AFTER_SECONDS) } else { refused }
    }
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Refused {
        let (status, message, retry_after_s) = error.into_parts();
        Refused { status, message, retry_after_s }
    }
}

impl From<JoinError> for Refused {
    fn from(error: JoinError) -> Refused {
        crate::Error::caused("a task of a sandbox failed", error).into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.status.as_u16(), "message": self.message });
        self.note_retry((self.status, Json(body)).into_response())
    }
}

/// Middleware: answers a client who asks whether its sandbox is there, and it is not.
pub(crate) async fn health(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if let Some(id) = request.headers().get(SANDBOX_ID)
        && !id.to_str().is_ok_and(|id| lock(&app.sandboxes.open).contains_key(id))
    {
        return Refused::no_sandbox().into_response();
    }
    next.run(request).await
}

/// Returns whether a request is of a client of E2B's, inside a sandbox.
pub(crate) fn is_for(headers: &HeaderMap) -> bool {
    headers.contains_key(SANDBOX_ID)
}

fn sessions(app: &App) -> Result<&Sessions> {
    let missing = "this server has no sessions: another process has those in its data_dir";
    let conversations = app.conversations.as_ref();
    let conversations = conversations.ok_or_else(|| Refused::new(StatusCode::SERVICE_UNAVAILABLE, missing))?;
    Ok(&conversations.sessions)
}

/// Refuses new work when the server ends.
fn check_open(app: &App) -> Result<()> {
    if !app.is_draining() {
        return Ok(());
    }
    let message = "the server is shutting down: try another, or again later";
    let grace = app.settings.shutdown_grace.as_secs().max(1);
    Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, message).retry_after(grace))
}

/// Returns the sandbox that a request is for, if its caller has it.
async fn sandbox(app: &Arc<App>, caller: &Caller, parts: &Parts) -> Result<String> {
    let id = parts.headers.get(SANDBOX_ID).and_then(|id| id.to_str().ok());
    let id =
        id.ok_or_else(|| Refused::invalid("the header E2b-Sandbox-Id is missing: set E2B_SANDBOX_URL to this server"))?;
    // One that came in by the token of a sandbox has this one.
    let is_let_in = parts.extensions.get::<Scope>().is_none_or(|scope| *scope.0 == *id);
    if is_let_in && is_there(app, caller, id).await { Ok(id.to_owned()) } else { Err(Refused::no_sandbox()) }
}

/// Returns whether a caller has a sandbox. One whose first session is gone, and with it the files, is dropped.
async fn is_there(app: &Arc<App>, caller: &Caller, id: &str) -> bool {
    let first = |sandbox: &Sandbox| sandbox.contexts.first().map(|first| first.session.clone());
    let Some(session) = app.sandboxes.with(caller, id, |sandbox| first(sandbox)) else { return false };
    let (Ok(sessions), Some(session)) = (sessions(app), session) else { return true };
    let found = sessions.info(&caller.name, &session).await;
    if !found.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return true;
    }
    // A context that begins anew has another session.
    match app.sandboxes.take(caller, id, |sandbox| first(sandbox).as_ref() == Some(&session)) {
        Some(sandbox) => {
            end(app, sandbox);
            false
        }
        None => app.sandboxes.with(caller, id, |_| ()).is_some(),
    }
}

/// Removes a sandbox with all that it has; returns whether it was there.
async fn remove(app: &Arc<App>, caller: &Caller, id: &str) -> Result<bool> {
    let Some(sandbox) = app.sandboxes.take(caller, id, |_| true) else { return Ok(false) };
    end(app, sandbox).await?;
    Ok(true)
}

/// Ends what a sandbox had, also when nobody waits for it.
fn end(app: &Arc<App>, sandbox: Sandbox) -> JoinHandle<()> {
    app.tokens.remove(&sandbox.token);
    sandbox.rescheduled.notify_one();
    let app_of_task = Arc::clone(app);
    app.jobs.spawn(async move {
        for context in sandbox.contexts {
            remove_session(&app_of_task, &sandbox.owner, &context.session).await;
        }
    })
}

/// Removes a session of a sandbox, which may have gone by itself.
async fn remove_session(app: &App, caller: &Caller, session: &str) {
    let Ok(sessions) = sessions(app) else { return };
    if let Err(error) = sessions.remove(&caller.name, session).await
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(%error, session, "a session of a sandbox cannot be removed");
    }
}

/// Does something whole, also when its client goes meanwhile.
async fn whole<T: Send + 'static>(app: &App, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    app.jobs.spawn(work).await?
}

/// Ends a sandbox when its time is over, which its client may put off.
fn end_in_time(app: &Arc<App>, caller: Caller, id: String) {
    let app_of_task = Arc::clone(app);
    app.jobs.spawn(async move {
        let app = app_of_task;
        let end = |sandbox: &mut Sandbox| (sandbox.ends, Arc::clone(&sandbox.rescheduled));
        while let Some((ends, rescheduled)) = app.sandboxes.with(&caller, &id, end) {
            match ends.duration_since(SystemTime::now()) {
                Ok(left) if !left.is_zero() => {
                    tokio::select! {
                        () = tokio::time::sleep(left.min(LOOK_EVERY)) => {}
                        () = rescheduled.notified() => {}
                    }
                    if !is_there(&app, &caller, &id).await {
                        return;
                    }
                }
                _ => {
                    if let Err(refused) = remove(&app, &caller, &id).await {
                        tracing::warn!(sandbox = id, error = refused.message, "a sandbox cannot be removed");
                    }
                    return;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str) -> Caller {
        Caller { name: name.into(), index: 0 }
    }

    fn sandbox_of(name: &str, idempotency_key: Option<&str>) -> Sandbox {
        Sandbox {
            owner: caller(name),
            token: String::new(),
            template: String::new(),
            metadata: HashMap::new(),
            setup: Setup { env: HashMap::new(), network: false },
            started: SystemTime::UNIX_EPOCH,
            ends: SystemTime::UNIX_EPOCH,
            rescheduled: Arc::default(),
            idempotency_key: idempotency_key.map(str::to_owned),
            contexts: Vec::new(),
        }
    }

    #[test]
    fn a_caller_has_so_many_sandboxes_and_others_have_theirs() {
        let sandboxes = Sandboxes::default();
        for id in 0..SANDBOXES_MAX {
            sandboxes.add(&id.to_string(), sandbox_of("a", None)).unwrap();
        }
        let refused = sandboxes.add("x", sandbox_of("a", None)).unwrap_err();
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(refused.into_response().headers().contains_key(RETRY_AFTER));
        sandboxes.add("x", sandbox_of("b", None)).unwrap();
        assert!(sandboxes.take(&caller("b"), "0", |_| true).is_none());
        assert!(sandboxes.take(&caller("a"), "0", |_| true).is_some());
        sandboxes.add("y", sandbox_of("a", None)).unwrap();
    }

    #[test]
    fn a_request_is_forgotten_with_what_it_made() {
        let sandboxes = Sandboxes::default();
        let named = || ("a".into(), "key".to_owned());
        let request = NamedRequest { digest: [0; 32], made: AsyncMutex::default() };
        lock(&sandboxes.requests).insert(named(), Arc::new(request));
        sandboxes.add("x", sandbox_of("a", Some("key"))).unwrap();
        assert!(sandboxes.take(&caller("a"), "x", |_| false).is_none());
        assert!(lock(&sandboxes.requests).contains_key(&named()));
        assert!(sandboxes.take(&caller("a"), "x", |_| true).is_some());
        assert!(lock(&sandboxes.requests).is_empty());
    }

    #[test]
    fn refusals_say_when_to_try_again() {
        for (error, status, seconds) in [
            (crate::Error::busy("x"), 429, Some("5")),
            (crate::Error::unavailable("x"), 503, Some("5")),
            (crate::Error::invalid("x"), 400, None),
        ] {
            let response = Refused::from(error).into_response();
            let seconds_told = response.headers().get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok());
            assert_eq!((response.status().as_u16(), seconds_told), (status, seconds));
        }
    }
}

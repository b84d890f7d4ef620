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
        hints,
    },
    sessions::Sessions,
    sync::lock,
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::SystemTime,
};
use tokio::sync::Notify;

const SANDBOX_ID: &str = "e2b-sandbox-id";
/// Where clients look for files; of a session it is the project's folder.
const HOME: &str = "/home/user";

/// Sandboxes, by id.
#[derive(Default)]
pub(crate) struct Sandboxes(Mutex<HashMap<String, Sandbox>>);

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
        let mut sandboxes = lock(&self.0);
        let sandbox = sandboxes.get_mut(id).filter(|sandbox| sandbox.owner == *caller)?;
        Some(work(sandbox))
    }
}

/// What went wrong, as the SDKs read it.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    message: String,
}

type Result<T> = std::result::Result<T, Refused>;

impl Refused {
    fn new(status: StatusCode, message: impl Into<String>) -> Refused {
        Refused { status, message: message.into() }
    }

    fn invalid(message: impl Into<String>) -> Refused {
        Refused::new(StatusCode::BAD_REQUEST, message)
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
                return Refused::new(StatusCode::INTERNAL_SERVER_ERROR, message);
            }
        };
        let hint = error.hint().map_or_else(String::new, |hint| format!("; {}", hints::words(hint)));
        Refused::new(status, format!("{}{hint}", error.message()))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.status.as_u16(), "message": self.message });
        (self.status, Json(body)).into_response()
    }
}

/// Middleware: answers a client who asks whether its sandbox is there, and it is not.
pub(crate) async fn health(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if let Some(id) = request.headers().get(SANDBOX_ID)
        && !id.to_str().is_ok_and(|id| lock(&app.sandboxes.0).contains_key(id))
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
    let conversations = conversations.ok_or_else(|| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, missing))?;
    Ok(&conversations.sessions)
}

/// Returns the sandbox that a request is for, if its caller has it.
fn sandbox(app: &App, caller: &Caller, parts: &Parts) -> Result<String> {
    let id = parts.headers.get(SANDBOX_ID).and_then(|id| id.to_str().ok());
    let id =
        id.ok_or_else(|| Refused::invalid("the header E2b-Sandbox-Id is missing: set E2B_SANDBOX_URL to this server"))?;
    // One that came in by the token of a sandbox has this one.
    let is_let_in = parts.extensions.get::<Scope>().is_none_or(|scope| *scope.0 == *id);
    let found = app.sandboxes.with(caller, id, |_| ()).filter(|()| is_let_in);
    found.map(|()| id.to_owned()).ok_or_else(Refused::no_sandbox)
}

/// Removes a sandbox with all that it has; returns whether it was there.
async fn remove(app: &App, caller: &Caller, id: &str) -> Result<bool> {
    let removed = {
        let mut sandboxes = lock(&app.sandboxes.0);
        match sandboxes.get(id).is_some_and(|sandbox| sandbox.owner == *caller) {
            true => sandboxes.remove(id),
            false => None,
        }
    };
    let Some(sandbox) = removed else { return Ok(false) };
    app.tokens.remove(&sandbox.token);
    sandbox.rescheduled.notify_one();
    for context in sandbox.contexts {
        // It may have gone by itself.
        let _ = sessions(app)?.remove(&caller.name, &context.session).await;
    }
    Ok(true)
}

/// Ends a sandbox when its time is over, which its client may put off.
fn end_in_time(app: &Arc<App>, caller: Caller, id: String) {
    let app_of_task = Arc::clone(app);
    app.jobs.spawn(async move {
        let app = app_of_task;
        let end = |sandbox: &mut Sandbox| (sandbox.ends, Arc::clone(&sandbox.rescheduled));
        while let Some((ends, rescheduled)) = app.sandboxes.with(&caller, &id, end) {
            match ends.duration_since(SystemTime::now()) {
                Ok(left) if !left.is_zero() => tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    () = rescheduled.notified() => {}
                },
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

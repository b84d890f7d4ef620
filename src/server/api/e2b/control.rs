//! Makes, finds and ends sandboxes.

use super::{
    Context, NamedRequest, Refused, Result, Sandbox, Setup, check_open, check_room, end_in_time, is_there, remove,
    remove_session, sessions, whole,
};
use crate::{
    Project,
    server::{App, auth::Caller, body, executions::RequestKey, render::timestamp, submit},
    sync::lock,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::Mutex as AsyncMutex;

/// New enough for uploads of bytes, and no newer than what is understood.
const ENVD_VERSION: &str = "0.5.7";
const TIMEOUT_SECONDS: u64 = 300;
const TIMEOUT_SECONDS_MAX: u64 = 24 * 3600;
/// Variables, and entries of metadata.
const ENTRIES_MAX: usize = 1000;
const BODY_BYTES_MAX: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewSandbox {
    #[serde(rename = "templateID")]
    template_id: String,
    #[serde(default)]
    timeout: Option<u64>,
    #[serde(default)]
    metadata: HashMap<String, String>,
    #[serde(default)]
    env_vars: HashMap<String, String>,
    #[serde(default, rename = "allow_internet_access")]
    allow_internet_access: Option<bool>,
    #[serde(default)]
    volume_mounts: Option<Vec<serde_json::Value>>,
    #[serde(default)]
    mcp: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Timeout {
    #[serde(default)]
    timeout: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    #[serde(rename = "templateID")]
    template_id: String,
    #[serde(rename = "sandboxID")]
    sandbox_id: String,
    #[serde(rename = "clientID")]
    client_id: &'static str,
    envd_version: &'static str,
    envd_access_token: String,
    traffic_access_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(rename = "templateID")]
    template_id: String,
    #[serde(rename = "sandboxID")]
    sandbox_id: String,
    #[serde(rename = "clientID")]
    client_id: &'static str,
    started_at: String,
    end_at: String,
    cpu_count: u32,
    #[serde(rename = "memoryMB")]
    memory_mb: u64,
    #[serde(rename = "diskSizeMB")]
    disk_size_mb: u64,
    state: &'static str,
    envd_version: &'static str,
    metadata: HashMap<String, String>,
}

const CLIENT_ID: &str = "pyexec";

impl Made {
    fn new(id: &str, sandbox: &Sandbox) -> Made {
        Made {
            template_id: sandbox.template.clone(),
            sandbox_id: id.to_owned(),
            client_id: CLIENT_ID,
            envd_version: ENVD_VERSION,
            envd_access_token: sandbox.token.clone(),
            traffic_access_token: sandbox.token.clone(),
        }
    }
}

impl Listed {
    fn new(id: &str, sandbox: &Sandbox, app: &App) -> Listed {
        Listed {
            template_id: sandbox.template.clone(),
            sandbox_id: id.to_owned(),
            client_id: CLIENT_ID,
            started_at: timestamp(sandbox.started),
            end_at: timestamp(sandbox.ends),
            cpu_count: 1,
            memory_mb: app.settings.defaults.memory_bytes >> 20,
            disk_size_mb: app.settings.defaults.disk_bytes >> 20,
            state: "running",
            envd_version: ENVD_VERSION,
            metadata: sandbox.metadata.clone(),
        }
    }
}

/// Makes a sandbox.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answered(make(&app, &caller, &headers, body).await.map(|made| (StatusCode::CREATED, Json(made))))
}

async fn make(app: &Arc<App>, caller: &Caller, headers: &HeaderMap, body: Body) -> Result<Made> {
    check_open(app)?;
    let bytes = body::read(body, BODY_BYTES_MAX).await?;
    let request: NewSandbox = parsed(&bytes)?;
    if request.volume_mounts.as_ref().is_some_and(|mounts| !mounts.is_empty()) || request.mcp.is_some() {
        return Err(Refused::invalid("this server has no volumes, and no MCP gateway in its sandboxes"));
    }
    if request.metadata.len() > ENTRIES_MAX || request.env_vars.len() > ENTRIES_MAX {
        return Err(Refused::invalid(format!("metadata and envVars have {ENTRIES_MAX} entries at most")));
    }
    let key = submit::idempotency(headers, &[&bytes])?;
    let (app_of_task, caller) = (Arc::clone(app), caller.clone());
    let made = async move {
        match key {
            Some(key) => make_once(&app_of_task, &caller, request, key).await,
            None => make_new(&app_of_task, &caller, request, None).await,
        }
    };
    whole(app, made).await
}

/// Makes a sandbox, unless the same request has made one that is still there.
async fn make_once(app: &Arc<App>, caller: &Caller, request: NewSandbox, key: RequestKey) -> Result<Made> {
    let RequestKey { key, digest } = key;
    let name = (Arc::clone(&caller.name), key.clone());
    loop {
        let named = {
            let mut requests = lock(&app.sandboxes.requests);
            let new = || Arc::new(NamedRequest { digest, made: AsyncMutex::default() });
            Arc::clone(requests.entry(name.clone()).or_insert_with(new))
        };
        if named.digest != digest {
            let message = "this Idempotency-Key was used for another request: use a new key";
            return Err(Refused::new(StatusCode::CONFLICT, message));
        }
        let mut made = named.made.lock().await;
        let is_current = || lock(&app.sandboxes.requests).get(&name).is_some_and(|it| Arc::ptr_eq(it, &named));
        if !is_current() {
            // What it made has failed, or is gone.
            continue;
        }
        if let Some(id) = &*made {
            match app.sandboxes.with(caller, id, |sandbox| Made::new(id, sandbox)) {
                Some(made) => return Ok(made),
                None => continue,
            }
        }
        let new = make_new(app, caller, request, Some(key)).await;
        match &new {
            Ok(new) => *made = Some(new.sandbox_id.clone()),
            Err(_) => drop(lock(&app.sandboxes.requests).remove(&name)),
        }
        return new;
    }
}

async fn make_new(
    app: &Arc<App>,
    caller: &Caller,
    request: NewSandbox,
    idempotency_key: Option<String>,
) -> Result<Made> {
    check_room(&lock(&app.sandboxes.open), caller)?;
    // E2B's have the network unless they say no; here it is what the server allows.
    let network = request.allow_internet_access.unwrap_or(app.settings.default_network || app.settings.allow_network);
    let setup = Setup { env: request.env_vars, network };
    let session = sessions(app)?.create(&caller.name, setup.job(app, Project::empty())).await?.id;
    let now = SystemTime::now();
    let sandbox = Sandbox {
        owner: caller.clone(),
        token: app.tokens.issue(caller, &session),
        template: request.template_id,
        metadata: request.metadata,
        setup,
        started: now,
        rescheduled: Arc::default(),
        ends: now + seconds(request.timeout.unwrap_or(TIMEOUT_SECONDS)),
        idempotency_key,
        contexts: vec![Context::new(&session)],
    };
    let made = Made::new(&session, &sandbox);
    if let Err(refused) = app.sandboxes.add(&session, sandbox) {
        // Others were made meanwhile.
        app.tokens.remove(&made.envd_access_token);
        remove_session(app, caller, &session).await;
        return Err(refused);
    }
    end_in_time(app, caller.clone(), session);
    Ok(made)
}

/// Says what is known of a sandbox.
pub(crate) async fn inspect(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    is_there(&app, &caller, &id).await;
    let found = app.sandboxes.with(&caller, &id, |sandbox| Listed::new(&id, sandbox, &app));
    answered(found.map(Json).ok_or_else(|| missing(&id)))
}

#[derive(Deserialize)]
pub(crate) struct Filter {
    /// Names and values, as in a query.
    #[serde(default)]
    metadata: Option<String>,
    #[serde(default)]
    state: Option<String>,
}

/// Lists the caller's sandboxes, the newest first.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(filter): Query<Filter>,
) -> Response {
    let wanted: Vec<(String, String)> = filter.metadata.as_deref().unwrap_or("").split('&').filter_map(pair).collect();
    let is_wanted = |sandbox: &Sandbox| wanted.iter().all(|(name, value)| sandbox.metadata.get(name) == Some(value));
    let runs = filter.state.is_none_or(|states| states.split(',').any(|state| state == "running"));
    for id in app.sandboxes.ids(&caller) {
        is_there(&app, &caller, &id).await;
    }
    let sandboxes = lock(&app.sandboxes.open);
    let own = sandboxes.iter().filter(|(_, sandbox)| runs && sandbox.owner == caller && is_wanted(sandbox));
    let mut own: Vec<_> = own.map(|(id, sandbox)| (sandbox.started, Listed::new(id, sandbox, &app))).collect();
    own.sort_by_key(|(started, _)| std::cmp::Reverse(*started));
    Json(own.into_iter().map(|(_, listed)| listed).collect::<Vec<_>>()).into_response()
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(Into::into);
    Some((decoded(name)?, decoded(value)?))
}

/// Ends a sandbox.
pub(crate) async fn kill(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Response {
    let killed = remove(&app, &caller, &id).await;
    answered(killed.and_then(|was_there| if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(missing(&id)) }))
}

/// Sets how long a sandbox is kept from now.
pub(crate) async fn set_timeout(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Response {
    let set = async {
        let Timeout { timeout } = read(body).await?;
        let timeout = timeout.ok_or_else(|| Refused::invalid("timeout is missing"))?;
        let ends = SystemTime::now() + seconds(timeout);
        is_there(&app, &caller, &id).await;
        let set = app.sandboxes.with(&caller, &id, |sandbox| {
            sandbox.ends = ends;
            sandbox.rescheduled.notify_one();
        });
        set.map(|()| StatusCode::NO_CONTENT).ok_or_else(|| missing(&id))
    };
    answered(set.await)
}

/// Goes on with a sandbox.
pub(crate) async fn connect(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Body,
) -> Response {
    let connected = async {
        let Timeout { timeout } = read(body).await?;
        let ends = SystemTime::now() + seconds(timeout.unwrap_or(TIMEOUT_SECONDS));
        is_there(&app, &caller, &id).await;
        let made = app.sandboxes.with(&caller, &id, |sandbox| {
            sandbox.ends = sandbox.ends.max(ends);
            Made::new(&id, sandbox)
        });
        made.map(Json).ok_or_else(|| missing(&id))
    };
    answered(connected.await)
}

/// Refuses what sessions cannot do.
pub(crate) async fn unsupported(Path((id, what)): Path<(String, String)>) -> Response {
    let message = format!("this server cannot do {what:?} of a sandbox ({id}): it makes, lists, extends and ends them");
    Refused::new(StatusCode::NOT_IMPLEMENTED, message).into_response()
}

fn seconds(timeout: u64) -> Duration {
    Duration::from_secs(timeout.min(TIMEOUT_SECONDS_MAX))
}

fn missing(id: &str) -> Refused {
    Refused::new(StatusCode::NOT_FOUND, format!("sandbox {id:?} was not found, or has ended"))
}

async fn read<T: for<'a> Deserialize<'a>>(body: Body) -> Result<T> {
    parsed(&body::read(body, BODY_BYTES_MAX).await?)
}

fn parsed<T: for<'a> Deserialize<'a>>(json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|e| Refused::invalid(format!("invalid JSON: {e}")))
}

fn answered(answer: Result<impl IntoResponse>) -> Response {
    answer.map_or_else(IntoResponse::into_response, IntoResponse::into_response)
}

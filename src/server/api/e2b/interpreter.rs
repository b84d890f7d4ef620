//! Runs code in the contexts of a sandbox.

use super::{
    Context, HOME, Refused, Result, Sandbox, VariablesLock, check_open, remove_session, sandbox, sessions, whole,
};
use crate::{
    ErrorKind, Event, Project,
    outcome::{Display, Ending, Exception, Outcome},
    server::{App, auth::Caller, body, executions::Decoder, render::timestamp},
    sessions::{CallEnd, Cell, Sessions},
    sync::lock,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};
use tokio::{
    runtime::Handle,
    sync::{
        OwnedMutexGuard,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    task::JoinHandle,
};

const LANGUAGES: [&str; 3] = ["python", "python3", "py"];
const CONTEXTS_MAX: usize = 32;
/// What a new context takes over in files.
const COPIED_BYTES_MAX: u64 = 256 << 20;
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);
/// What waits for a client that reads slowly; the rest of the output is left out, and said to be.
const WAITING_BYTES_MAX: usize = 16 << 20;

#[derive(Deserialize)]
struct Execute {
    code: String,
    #[serde(default)]
    context_id: Option<String>,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    env_vars: Option<HashMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NewContext {
    language: Option<String>,
    cwd: Option<String>,
}

/// Runs code, and streams what it does, a JSON object in each line.
pub(crate) async fn execute(app: &Arc<App>, caller: &Caller, parts: &Parts, body: &[u8]) -> Response {
    match started(app, caller, parts, body).await {
        Ok(run) => {
            let kind = HeaderValue::from_static("application/x-ndjson");
            let lines = stream::unfold(run, |mut run| async move {
                let line = run.next().await?;
                Some((Ok::<_, Infallible>(line), run))
            });
            ([(CONTENT_TYPE, kind)], Body::from_stream(lines)).into_response()
        }
        Err(refused) => refused.into_response(),
    }
}

async fn started(app: &Arc<App>, caller: &Caller, parts: &Parts, body: &[u8]) -> Result<Run> {
    check_open(app)?;
    let id = sandbox(app, caller, parts).await?;
    let request: Execute = serde_json::from_slice(body).map_err(|e| Refused::invalid(format!("invalid JSON: {e}")))?;
    let Execute { code, context_id, language, env_vars } = request;
    if context_id.is_some() && language.is_some() {
        return Err(Refused::invalid("Only one of context_id or language can be provided"));
    }
    is_known(language.as_deref())?;
    if code.len() > app.settings.code_max_bytes {
        let (bytes, most) = (code.len(), app.settings.code_max_bytes);
        return Err(Refused::invalid(format!("code has {bytes} bytes, and may have {most}: write the rest to files")));
    }
    let context = app.sandboxes.with(caller, &id, |sandbox| {
        let first = sandbox.contexts.first().map(|first| first.id.clone());
        let context = sandbox.contexts.iter_mut().find(|it| Some(&it.id) == context_id.as_ref().or(first.as_ref()))?;
        context.calls += 1;
        Some(context.clone())
    });
    let context = context.flatten().ok_or_else(|| no_context(context_id.as_deref()))?;
    let call = Call {
        place: Place {
            sessions: sessions(app)?.clone(),
            owner: Arc::clone(&caller.name),
            session: context.session.into(),
        },
        jobs: app.jobs.clone(),
        variables: context.variables,
        cell: Cell::new(code).limits(app.settings.defaults),
        env: env_vars.unwrap_or_default(),
    };
    let (lines, from) = Lines::new();
    lines.send(&json!({"type": "number_of_executions", "execution_count": context.calls}));
    let (waiting, task) = (Arc::clone(&lines.waiting), app.jobs.spawn(call.run(lines)));
    Ok(Run { task, from, waiting })
}

fn is_known(language: Option<&str>) -> Result<()> {
    match language {
        Some(other) if !LANGUAGES.contains(&other) => {
            Err(Refused::invalid(format!("this server runs Python, and no {other}")))
        }
        _ => Ok(()),
    }
}

fn no_context(id: Option<&str>) -> Refused {
    Refused::new(StatusCode::NOT_FOUND, format!("Context {} not found", id.unwrap_or("default")))
}

/// Lists the contexts of a sandbox.
pub(crate) async fn contexts(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let listed = sandbox(&app, &caller, &parts).await.map(|id| {
        let all = app.sandboxes.with(&caller, &id, |sandbox| sandbox.contexts.iter().map(shown).collect::<Vec<_>>());
        Json(all.unwrap_or_default())
    });
    listed.map_or_else(IntoResponse::into_response, IntoResponse::into_response)
}

fn shown(context: &Context) -> Value {
    json!({"id": context.id, "language": "python", "cwd": context.cwd})
}

/// Makes a context, with a copy of the files that the first one has.
pub(crate) async fn create_context(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let made = async {
        check_open(&app)?;
        let id = sandbox(&app, &caller, &parts).await?;
        let bytes = body::read(body, 1 << 16).await.map_err(|_| Refused::invalid("the request is too large"))?;
        let request: NewContext = if bytes.is_empty() {
            NewContext::default()
        } else {
            serde_json::from_slice(&bytes).map_err(|e| Refused::invalid(format!("invalid JSON: {e}")))?
        };
        is_known(request.language.as_deref())?;
        if let Some(cwd) = request.cwd.as_deref().filter(|cwd| cwd.trim_end_matches('/') != HOME) {
            return Err(Refused::invalid(format!("contexts begin in {HOME}: have the code change to {cwd:?}")));
        }
        let app_of_task = Arc::clone(&app);
        let shown = whole(&app, async move { add_context(&app_of_task, &caller, &id).await }).await?;
        Ok((StatusCode::CREATED, Json(shown)))
    };
    made.await.map_or_else(|refused: Refused| refused.into_response(), IntoResponse::into_response)
}

async fn add_context(app: &App, caller: &Caller, id: &str) -> Result<Value> {
    let too_many = || Refused::invalid(format!("a sandbox has {CONTEXTS_MAX} contexts at most"));
    let first = app.sandboxes.with(caller, id, |sandbox| {
        let first = sandbox.contexts.first().map(|first| first.session.clone());
        (sandbox.contexts.len() < CONTEXTS_MAX).then_some(first)
    });
    let first = first.ok_or_else(Refused::no_sandbox)?.ok_or_else(too_many)?;
    let context = Context::new(&again(app, caller, id, first.as_deref()).await?);
    let (session, shown) = (context.session.clone(), shown(&context));
    let added = app.sandboxes.with(caller, id, |sandbox| {
        // Others may have come first.
        let has_room = sandbox.contexts.len() < CONTEXTS_MAX;
        if has_room {
            sandbox.contexts.push(context);
        }
        has_room
    });
    if added != Some(true) {
        remove_session(app, caller, &session).await;
        return Err(added.map_or_else(Refused::no_sandbox, |_| too_many()));
    }
    Ok(shown)
}

/// Has a context begin anew, with its files.
pub(crate) async fn restart_context(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(context): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let restarted = async {
        check_open(&app)?;
        let id = sandbox(&app, &caller, &parts).await?;
        let app_of_task = Arc::clone(&app);
        whole(&app, async move { begin_anew(&app_of_task, &caller, &id, &context).await }).await?;
        Ok(StatusCode::OK)
    };
    restarted.await.map_or_else(|refused: Refused| refused.into_response(), IntoResponse::into_response)
}

async fn begin_anew(app: &App, caller: &Caller, id: &str, context: &str) -> Result<()> {
    let old = session_of(app, caller, id, context)?;
    let new = again(app, caller, id, Some(&old)).await?;
    let replaced = app.sandboxes.with(caller, id, |sandbox| {
        let found = sandbox.contexts.iter_mut().find(|it| it.id == context && it.session == old)?;
        *found = Context { id: found.id.clone(), ..Context::new(&new) };
        Some(())
    });
    let is_replaced = replaced.flatten().is_some();
    remove_session(app, caller, if is_replaced { &old } else { &new }).await;
    is_replaced.then_some(()).ok_or_else(|| no_context(Some(context)))
}

/// Ends a context.
pub(crate) async fn remove_context(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(context): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let removed = async {
        let id = sandbox(&app, &caller, &parts).await?;
        let session = session_of(&app, &caller, &id, &context)?;
        let is_first = |sandbox: &mut Sandbox| sandbox.contexts.first().is_some_and(|it| it.id == context);
        if app.sandboxes.with(&caller, &id, is_first) == Some(true) {
            return Err(Refused::invalid("the first context has the sandbox's files: restart it, or kill the sandbox"));
        }
        let app_of_task = Arc::clone(&app);
        let removed = async move {
            app_of_task.sandboxes.with(&caller, &id, |sandbox| sandbox.contexts.retain(|it| it.id != context));
            remove_session(&app_of_task, &caller, &session).await;
            Ok(StatusCode::NO_CONTENT)
        };
        whole(&app, removed).await
    };
    removed.await.map_or_else(|refused: Refused| refused.into_response(), IntoResponse::into_response)
}

fn session_of(app: &App, caller: &Caller, id: &str, context: &str) -> Result<String> {
    let find = |sandbox: &mut Sandbox| sandbox.contexts.iter().find(|it| it.id == context).map(|it| it.session.clone());
    app.sandboxes.with(caller, id, find).flatten().ok_or_else(|| no_context(Some(context)))
}

/// Makes another session for a sandbox, with the files of this one.
async fn again(app: &App, caller: &Caller, id: &str, from: Option<&str>) -> Result<String> {
    let setup = app.sandboxes.with(caller, id, |sandbox| sandbox.setup.clone()).ok_or_else(Refused::no_sandbox)?;
    let sessions = sessions(app)?;
    let mut project = Project::empty();
    if let Some(from) = from {
        let files = sessions.files(&caller.name, from).await?;
        let bytes: u64 = files.iter().map(|file| file.bytes).sum();
        if bytes > COPIED_BYTES_MAX {
            return Err(Refused::invalid(format!("its files have {bytes} bytes, too many to be copied")));
        }
        for file in files {
            project = project.with_file(&file.path, sessions.read_file(&caller.name, from, &file.path).await?)?;
        }
    }
    Ok(sessions.create(&caller.name, setup.job(app, project)).await?.id)
}

/// A call, with what comes before and after.
struct Call {
    place: Place,
    jobs: Handle,
    variables: VariablesLock,
    cell: Cell,
    env: HashMap<String, String>,
}

impl Call {
    async fn run(self, lines: Lines) {
        let lines = Arc::new(Mutex::new(lines));
        let ended = self.end(&lines).await;
        lock(&lines).end(ended);
    }

    async fn end(self, lines: &Arc<Mutex<Lines>>) -> crate::Result<CallEnd> {
        let Call { place, jobs, variables, cell, env } = self;
        let mut are_set = variables.lock_owned().await;
        if *are_set {
            // The call before could not take them back, and they are no business of this one.
            place.aside(RESTORE_VARIABLES.to_owned()).await?;
            *are_set = false;
        }
        let mut variables = Variables { place: place.clone(), jobs, are_set: Some(are_set) };
        if !env.is_empty() {
            variables.set(&env).await?;
        }
        let observer = Arc::clone(lines);
        let observer = move |event: Event<'_>| lock(&observer).event(event);
        let end = place.sessions.call_observed(&place.owner, &place.session, cell, observer).await;
        variables.restore().await;
        end
    }
}

/// Where calls run.
#[derive(Clone)]
struct Place {
    sessions: Sessions,
    owner: Arc<str>,
    session: Arc<str>,
}

impl Place {
    /// Runs code that is not the client's.
    async fn aside(&self, code: String) -> crate::Result<()> {
        let end = self.sessions.call(&self.owner, &self.session, Cell::new(code)).await?;
        if end.outcome.success() {
            return Ok(());
        }
        let message = "the variables of a call cannot be set, or taken back, in this context: restart it";
        Err(crate::Error::invalid(message))
    }
}

/// Variables of one call. Dropping it takes them back, also when nobody waits for the call any more.
struct Variables {
    place: Place,
    jobs: Handle,
    /// Keeps other calls of the context away. `None` when it is done.
    are_set: Option<OwnedMutexGuard<bool>>,
}

impl Variables {
    async fn set(&mut self, env: &HashMap<String, String>) -> crate::Result<()> {
        if let Some(are_set) = &mut self.are_set {
            **are_set = true;
        }
        self.place.aside(set_variables(env)).await
    }

    /// Takes them back.
    async fn restore(mut self) {
        if let Some(task) = self.restoring() {
            // What went wrong is in the log; the next call tries again.
            let _ = task.await;
        }
    }

    fn restoring(&mut self) -> Option<JoinHandle<()>> {
        let mut are_set = self.are_set.take().filter(|are_set| **are_set)?;
        let place = self.place.clone();
        Some(self.jobs.spawn(async move {
            match place.aside(RESTORE_VARIABLES.to_owned()).await {
                Ok(()) => *are_set = false,
                // There is nothing to take back.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(%error, session = &*place.session, "variables of a call stay set"),
            }
        }))
    }
}

impl Drop for Variables {
    fn drop(&mut self) {
        self.restoring();
    }
}

/// Sets variables for a call; nothing of that is seen among its names.
fn set_variables(env: &HashMap<String, String>) -> String {
    // Text in JSON is text in Python.
    let text = |value: &str| Value::from(value).to_string();
    let json = text(&serde_json::to_string(env).unwrap_or_default());
    let code = "import builtins, json, os\nnew = json.loads(text)\nbuiltins._pyexec_variables = {name: os.environ.get(name) \
                for name in new}\nos.environ.update(new)";
    format!("exec({}, {{'text': {json}}})", text(code))
}

const RESTORE_VARIABLES: &str = "exec('import builtins, os\\nfor name, value in builtins.__dict__.pop(\"_pyexec_variables\", \
                                 {}).items():\\n    if value is None:\\n        os.environ.pop(name, None)\\n    else:\\n        \
                                 os.environ[name] = value', {})";

/// Code that runs, until it is dropped.
struct Run {
    task: JoinHandle<()>,
    from: UnboundedReceiver<Bytes>,
    waiting: Arc<AtomicUsize>,
}

impl Run {
    async fn next(&mut self) -> Option<Bytes> {
        let keepalive = || Bytes::from_static(b"{\"type\":\"keepalive\"}\n");
        match tokio::time::timeout(KEEPALIVE_EVERY, self.from.recv()).await {
            Ok(line) => {
                let line = line?;
                self.waiting.fetch_sub(line.len(), Relaxed);
                Some(line)
            }
            Err(_) => Some(keepalive()),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Whoever closes the connection does not want the rest.
        self.task.abort();
    }
}

/// Writes what happens, line by line.
struct Lines {
    to: UnboundedSender<Bytes>,
    /// Bytes that the client has not read.
    waiting: Arc<AtomicUsize>,
    left_out: usize,
    stdout: Decoder,
    stderr: Decoder,
    /// What may be the traceback of what ends the code, which is told as an error.
    held: String,
}

impl Lines {
    fn new() -> (Lines, UnboundedReceiver<Bytes>) {
        let (to, from) = unbounded_channel();
        let (stdout, stderr) = (Decoder::default(), Decoder::default());
        (Lines { to, waiting: Arc::default(), left_out: 0, stdout, stderr, held: String::new() }, from)
    }

    fn send(&self, line: &Value) {
        let line = Bytes::from(format!("{line}\n"));
        self.waiting.fetch_add(line.len(), Relaxed);
        // Nobody may be there any more.
        let _ = self.to.send(line);
    }

    fn print(&mut self, stream: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.waiting.load(Relaxed) > WAITING_BYTES_MAX {
            self.left_out += text.len();
            return;
        }
        self.send(&json!({"type": stream, "text": text, "timestamp": timestamp(SystemTime::now())}));
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Stdout(bytes) => {
                self.release();
                let text = self.stdout.decode(bytes);
                self.print("stdout", &text);
            }
            Event::Stderr(bytes) => {
                let text = self.stderr.decode(bytes);
                if self.held.is_empty() && !begins_traceback(&text) {
                    self.print("stderr", &text);
                } else {
                    self.held.push_str(&text);
                    if self.held.len() > WAITING_BYTES_MAX {
                        self.release();
                    }
                }
            }
            _ => {}
        }
    }

    /// Prints what was held, which was no end.
    fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.print("stderr", &held);
    }

    fn end(&mut self, ended: crate::Result<CallEnd>) {
        let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
        self.print("stdout", &stdout);
        self.held.push_str(&stderr);
        match ended {
            Ok(end) => self.outcome(end.outcome),
            Err(error) => {
                self.release();
                let Refused { message, .. } = Refused::from(error);
                self.error("ServiceError", &message, &message);
            }
        }
        self.send(&json!({"type": "end_of_execution"}));
    }

    fn outcome(&mut self, outcome: Outcome) {
        let error = error(&outcome);
        let held = std::mem::take(&mut self.held);
        if error.is_none() || !begins_traceback(&held) {
            self.print("stderr", &held);
        }
        if self.left_out > 0 {
            let text = format!("{} bytes of output were left out, since they were read too slowly\n", self.left_out);
            self.send(&json!({"type": "stderr", "text": text, "timestamp": timestamp(SystemTime::now())}));
        }
        match outcome.result {
            Some(result) if outcome.displays.is_empty() => {
                self.send(&json!({"type": "result", "text": unquoted(&result), "is_main_result": true}));
            }
            // The value is among them, unless it has shown itself.
            _ => outcome.displays.iter().for_each(|display| self.send(&result(display))),
        }
        if let Some((name, value)) = error {
            let traceback = if held.is_empty() { format!("{name}: {value}") } else { held };
            self.error(&name, &value, traceback.trim_end());
        }
    }

    fn error(&self, name: &str, value: &str, traceback: &str) {
        self.send(&json!({"type": "error", "name": name, "value": value, "traceback": traceback}));
    }
}

fn begins_traceback(text: &str) -> bool {
    text.starts_with("Traceback (most recent call last)")
        || text.starts_with("  File \"")
        || text.starts_with("  + Exception Group Traceback")
}

/// Returns the class and the message of what ended the code, if it did not end well.
fn error(outcome: &Outcome) -> Option<(String, String)> {
    if let Some(Exception { kind, message, .. }) = &outcome.exception {
        return Some((kind.clone(), message.clone()));
    }
    match &outcome.ending {
        Ending::Exited { exit_code: 0 } => None,
        Ending::Exited { exit_code } => Some(("SystemExit".to_owned(), exit_code.to_string())),
        Ending::Stopped { reason } => Some(("ExecutionStopped".to_owned(), reason.to_string())),
        Ending::Failed { message, .. } => Some(("ExecutionFailed".to_owned(), message.trim_end().to_owned())),
    }
}

/// Returns the line of something that is shown.
fn result(display: &Display) -> Value {
    let (mut line, mut extra) = (Map::new(), Map::new());
    for (media_type, data) in &display.data {
        // It is JSON, since it was read as that.
        let data: Value = data.parse().unwrap_or_default();
        let Some(member) = member(media_type) else {
            // A guest may call it as it likes, also like a member of the line.
            extra.insert(media_type.clone(), data);
            continue;
        };
        let data = match data {
            Value::String(text) if member == "text" => unquoted(&text).into(),
            data if member == "json" || data.is_string() => data,
            // Clients expect text.
            other => other.to_string().into(),
        };
        line.insert(member.to_owned(), data);
    }
    if !extra.is_empty() {
        line.insert("extra".to_owned(), extra.into());
    }
    line.insert("type".to_owned(), "result".into());
    line.insert("is_main_result".to_owned(), display.is_result.into());
    line.into()
}

/// Returns the member of a result that has this media type, if there is one.
fn member(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "text/plain" => "text",
        "text/html" => "html",
        "text/markdown" => "markdown",
        "text/latex" => "latex",
        "image/svg+xml" => "svg",
        "image/png" => "png",
        "image/jpeg" => "jpeg",
        "application/pdf" => "pdf",
        "application/json" => "json",
        "application/javascript" => "javascript",
        _ => return None,
    })
}

/// Returns a value as it is shown: text without its quotes.
fn unquoted(result: &str) -> &str {
    let quoted = |quote: char| result.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    quoted('\'').or_else(|| quoted('"')).unwrap_or(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(from: &mut UnboundedReceiver<Bytes>) -> Vec<Value> {
        std::iter::from_fn(|| from.try_recv().ok()).map(|line| serde_json::from_slice(&line).unwrap()).collect()
    }

    fn told(events: &[Event<'_>], outcome: Outcome) -> Vec<Value> {
        let (mut to, mut from) = Lines::new();
        events.iter().for_each(|event| to.event(*event));
        to.outcome(outcome);
        let mut lines = lines(&mut from);
        lines.iter_mut().filter_map(Value::as_object_mut).for_each(|line| drop(line.remove("timestamp")));
        lines
    }

    #[test]
    fn the_traceback_of_what_ends_the_code_is_an_error_and_others_are_output() {
        let traceback = b"Traceback (most recent call last):\n  ...\nKeyError: 'x'\n";
        let events = [Event::Stderr(traceback), Event::Stdout(b"goes on\n"), Event::Stderr(traceback)];
        let mut outcome = Outcome::new(Ending::Exited { exit_code: 1 }, crate::outcome::Tier::Wasm);
        outcome.exception = Some(Exception::new("KeyError", "'x'"));
        let text = String::from_utf8_lossy(traceback);
        assert_eq!(
            told(&events, outcome),
            [
                json!({"type": "stderr", "text": text}),
                json!({"type": "stdout", "text": "goes on\n"}),
                json!({"type": "error", "name": "KeyError", "value": "'x'", "traceback": text.trim_end()}),
            ]
        );
        let outcome = Outcome::new(Ending::Exited { exit_code: 0 }, crate::outcome::Tier::Wasm);
        assert_eq!(told(&events[..1], outcome), [json!({"type": "stderr", "text": text})]);
    }

    #[test]
    fn results_are_named_by_their_kind() {
        let mut outcome = Outcome::new(Ending::Exited { exit_code: 0 }, crate::outcome::Tier::Wasm);
        let display = |formats: Value, is_result: bool| -> Display {
            serde_json::from_value(json!({"data": formats, "is_result": is_result})).unwrap()
        };
        outcome.displays = vec![
            display(json!({"image/png": "AAA=", "text/html": [1]}), false),
            display(json!({"application/json": [1], "image/gif": "R0lG", "x": {"a": 1}}), false),
            display(json!({"text/plain": "'text'", "text/html": "<b>"}), true),
        ];
        outcome.result = Some("'text'".to_owned());
        let forged = json!({"type": "end_of_execution", "is_main_result": true, "extra": 1, "text": "x"});
        outcome.displays.push(display(forged.clone(), false));
        assert_eq!(
            told(&[], outcome),
            [
                json!({"type": "result", "is_main_result": false, "png": "AAA=", "html": "[1]"}),
                json!({
                    "type": "result",
                    "is_main_result": false,
                    "json": [1],
                    "extra": {"image/gif": "R0lG", "x": {"a": 1}},
                }),
                json!({"type": "result", "is_main_result": true, "text": "text", "html": "<b>"}),
                json!({"type": "result", "is_main_result": false, "extra": forged}),
            ]
        );
    }

    #[test]
    fn a_client_that_does_not_read_is_told_what_it_missed() {
        let (mut to, mut from) = Lines::new();
        let chunk = vec![b'x'; 1 << 20];
        for _ in 0..40 {
            to.event(Event::Stdout(&chunk));
        }
        to.outcome(Outcome::new(Ending::Exited { exit_code: 0 }, crate::outcome::Tier::Wasm));
        let lines = lines(&mut from);
        assert!(lines.len() < 20, "{}", lines.len());
        assert!(lines.last().unwrap()["text"].as_str().unwrap().contains("bytes of output were left out"));
    }
}

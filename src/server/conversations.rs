//! Calls of sessions over HTTP: each to its end, or to where it waits for results of tools.

use super::{
    App,
    api::{
        Read,
        sessions::{
            CallAnswer, CallRequest, CallResult, ContinueRequest, MovedSession, RequiredCall, ToolCallsRequired,
            WaitingStatus,
        },
    },
    auth::Caller,
    ending::{self, Ended},
    error::{ApiError, Problem},
    executions::GrantedLimits,
    render, request,
};
use crate::{
    Error, Result,
    executor::{ToolCall, ToolDesk, ToolResult, tools},
    outcome::JsonText,
    sessions::{CallEnd, Cell, Sessions},
    sync::lock,
};
use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// How long a call waits for results of tools.
const WAITS_FOR: Duration = Duration::from_secs(600);
/// Calls that wait, of all keys.
const WAITING_MAX: usize = 1000;

/// The sessions of a server, and which of their calls wait.
pub(crate) struct Conversations {
    pub(crate) sessions: Sessions,
    waiting: Mutex<HashMap<String, Waiting>>,
}

/// A call that waits for results of tools.
struct Waiting {
    owner: String,
    session: String,
    call: Running,
    since: Instant,
}

/// A call on its way.
struct Running {
    task: JoinHandle<Result<CallEnd>>,
    desk: Option<ToolDesk>,
    timeout: Duration,
    limits: GrantedLimits,
    warnings: Vec<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // The call is interrupted, unless it has ended.
        self.task.abort();
    }
}

impl Conversations {
    pub(crate) fn new(sessions: Sessions) -> Conversations {
        Conversations { sessions, waiting: Mutex::default() }
    }

    fn wait(&self, owner: &str, session: &str, call: Running) -> Result<String, ApiError> {
        let token = format!("ct_{}", uuid::Uuid::new_v4().simple());
        let mut waiting = lock(&self.waiting);
        waiting.retain(|_, it| it.since.elapsed() < WAITS_FOR);
        if waiting.len() >= WAITING_MAX {
            let message = format!("{WAITING_MAX} calls wait for results of tools already");
            return Err(ApiError::new(Problem::Unavailable, message).retry_after(5));
        }
        let (owner, session) = (owner.to_owned(), session.to_owned());
        waiting.insert(token.clone(), Waiting { owner, session, call, since: Instant::now() });
        Ok(token)
    }

    fn take(&self, owner: &str, session: &str, token: &str) -> Option<Running> {
        let mut waiting = lock(&self.waiting);
        waiting.retain(|_, it| it.since.elapsed() < WAITS_FOR);
        waiting.get(token).filter(|it| it.owner == owner && it.session == session)?;
        waiting.remove(token).map(|it| it.call)
    }
}

/// Runs a cell.
pub(crate) async fn call(
    app: &App,
    caller: &Caller,
    id: &str,
    read: Read<CallRequest>,
) -> Result<CallAnswer, ApiError> {
    let conversations = conversations(app)?;
    let Read { request: CallRequest { code, stdin, config, tools: declared }, mut warnings } = read;
    if code.len() > app.settings.code_max_bytes {
        let message = format!("code size {} bytes exceeds limit of {} bytes", code.len(), app.settings.code_max_bytes);
        return Err(ApiError::new(Problem::TooLarge, message));
    }
    // At once, not when its turn comes.
    conversations.sessions.info(&caller.name, id).await?;
    let limits = request::call_limits(config, app, &mut warnings);
    let mut cell = Cell::new(code).stdin(stdin).limits(limits);
    let mut desk = None;
    if !declared.is_empty() {
        let (port, other) = tools(declared.into_iter().map(Into::into).collect())?;
        cell = cell.tools(port);
        desk = Some(other);
    }
    let (sessions, owner, session) = (conversations.sessions.clone(), caller.name.to_string(), id.to_owned());
    // On the threads that run code.
    let task = app.jobs.spawn(async move { sessions.call(&owner, &session, cell).await });
    let running = Running { task, desk, timeout: limits.wall_clock(), limits: request::granted(&limits, 0), warnings };
    follow(conversations, caller, id, running).await
}

/// Goes on with a call that has results now.
pub(crate) async fn go_on(
    app: &App,
    caller: &Caller,
    id: &str,
    request: ContinueRequest,
) -> Result<CallAnswer, ApiError> {
    let conversations = conversations(app)?;
    let ContinueRequest { continuation_token, tool_results } = request;
    let running = conversations.take(&caller.name, id, &continuation_token);
    let running = running.ok_or_else(|| ApiError::new(Problem::NotFound, "Execution not found or expired"))?;
    if let Some(desk) = &running.desk {
        for answer in tool_results {
            let end = match answer.error {
                Some(error) => Err(error.into()),
                None => Ok(answer.result.unwrap_or_else(|| JsonText::from(serde_json::Value::Null))),
            };
            // A call that has ended meanwhile says so below.
            let _ = desk.results.send(ToolResult::new(answer.call_id, end));
        }
    }
    follow(conversations, caller, id, running).await
}

/// Follows a call to its end, or to where it waits.
async fn follow(
    conversations: &Conversations,
    caller: &Caller,
    id: &str,
    mut running: Running,
) -> Result<CallAnswer, ApiError> {
    let calls = match &mut running.desk {
        None => None,
        Some(desk) => desk.calls.recv().await,
    };
    if let Some(calls) = calls {
        let continuation_token = conversations.wait(&caller.name, id, running)?;
        return Ok(CallAnswer::Waits(ToolCallsRequired {
            session_id: id.to_owned(),
            status: WaitingStatus::ToolCallRequired,
            continuation_token,
            tool_calls: calls.into_iter().map(required).collect(),
        }));
    }
    let end = (&mut running.task).await.map_err(|fault| Error::caused("running a call failed", fault))??;
    Ok(CallAnswer::Ended(Box::new(ended(&running, end))))
}

fn required(call: ToolCall) -> RequiredCall {
    let ToolCall { id, name, args, kwargs } = call;
    RequiredCall { id, name, input: kwargs, args }
}

fn ended(running: &Running, end: CallEnd) -> CallResult {
    let CallEnd { outcome, number, session, moved, lost } = end;
    let ended = Ended { waited: Duration::ZERO, timeout: running.timeout, strip_newline: false, collect_files: false };
    let (end, _) = ending::finished(outcome, &ended);
    let id = format!("exe_{}", uuid::Uuid::new_v4());
    CallResult {
        execution: render::call(id, &running.limits, running.warnings.clone(), end),
        session_id: session.id,
        call: number,
        moved: moved.map(|moved| MovedSession { replayed: moved.replayed, different: moved.different }),
        interpreter_lost: lost,
    }
}

fn conversations(app: &App) -> Result<&Conversations, ApiError> {
    app.conversations.as_ref().ok_or_else(|| {
        ApiError::new(
            Problem::Unavailable,
            "the sessions of this server are open in another process: give each its own data_dir",
        )
    })
}

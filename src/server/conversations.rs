//! Calls of sessions over HTTP: each to its end, or to where it waits for results of tools.

use super::{
    App,
    api::{
        Read,
        sessions::{
            CallAnswer, CallRequest, CallResult, ContinueRequest, MovedSession, RequiredCall, RestoredSession,
            ToolAnswer, ToolCallsRequired, WaitingStatus,
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
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::task::JoinHandle;

/// How long a call waits for results of tools.
const WAITS_FOR: Duration = Duration::from_secs(600);
/// Calls that wait, of all keys.
const WAITING_MAX: usize = 1000;

/// The sessions of a server, and which of their calls wait.
pub(crate) struct Conversations {
    pub(crate) sessions: Sessions,
    waiting: Arc<Mutex<HashMap<String, Waiting>>>,
}

/// A call that waits for results of tools.
struct Waiting {
    owner: String,
    session: String,
    call: Running,
}

/// A call on its way.
struct Running {
    task: JoinHandle<Result<CallEnd>>,
    desk: Option<ToolDesk>,
    /// Calls of tools without a result.
    open: Vec<ToolCall>,
    /// Results that were passed on.
    passed: u64,
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
        Conversations { sessions, waiting: Arc::default() }
    }

    fn wait(&self, owner: &str, session: &str, call: Running) -> Result<String, ApiError> {
        let token = format!("ct_{}", uuid::Uuid::new_v4().simple());
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= WAITING_MAX {
            let message = format!("{WAITING_MAX} calls wait for results of tools already");
            return Err(ApiError::new(Problem::Unavailable, message).retry_after(5));
        }
        let (owner, session) = (owner.to_owned(), session.to_owned());
        waiting.insert(token.clone(), Waiting { owner, session, call });
        let (all, expired) = (Arc::clone(&self.waiting), token.clone());
        tokio::spawn(async move {
            tokio::time::sleep(WAITS_FOR).await;
            // Which interrupts it.
            let _ = lock(&all).remove(&expired);
        });
        Ok(token)
    }

    /// Takes a call that waits, for results that are of its calls; otherwise it goes on waiting.
    fn take(&self, owner: &str, session: &str, token: &str, results: &[ToolAnswer]) -> Result<Running, ApiError> {
        let mut waiting = lock(&self.waiting);
        let found = waiting.get(token).filter(|it| it.owner == owner && it.session == session);
        let found = found.ok_or_else(|| {
            let message = "no call waits for results under this continuation_token, or no longer";
            ApiError::new(Problem::NotFound, message)
        })?;
        check_results(results, &found.call.open)?;
        let taken = waiting.remove(token).map(|it| it.call);
        taken.ok_or_else(|| ApiError::new(Problem::NotFound, "the call does not wait any more"))
    }
}

/// Checks that results are of calls that wait for them, each once. Some of them are enough.
fn check_results(results: &[ToolAnswer], open: &[ToolCall]) -> Result<(), ApiError> {
    let ids = |ids: Vec<&str>| ids.join(", ");
    let waits_for = || ids(open.iter().map(|call| &*call.id).collect());
    if results.is_empty() {
        return Err(ApiError::invalid(format!("tool_results is empty: the call waits for {}", waits_for())));
    }
    let is_open = |id: &str| open.iter().any(|call| call.id == id);
    let unknown: Vec<&str> = results.iter().map(|result| &*result.call_id).filter(|id| !is_open(id)).collect();
    if !unknown.is_empty() {
        let message = format!("tool_results: nobody waits for {}; the call waits for {}", ids(unknown), waits_for());
        return Err(ApiError::invalid(message));
    }
    let is_again = |at: usize| results[..at].iter().any(|other| other.call_id == results[at].call_id);
    let doubled: Vec<&str> = (0..results.len()).filter(|at| is_again(*at)).map(|at| &*results[at].call_id).collect();
    if !doubled.is_empty() {
        return Err(ApiError::invalid(format!("tool_results: {} more than once", ids(doubled))));
    }
    Ok(())
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
    let (timeout, limits) = (limits.wall_clock(), request::granted(&limits, 0));
    let running = Running { task, desk, open: Vec::new(), passed: 0, timeout, limits, warnings };
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
    let mut running = conversations.take(&caller.name, id, &continuation_token, &tool_results)?;
    running.open.retain(|call| tool_results.iter().all(|result| result.call_id != call.id));
    running.passed += tool_results.len() as u64;
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
    let waits = match &mut running.desk {
        None => false,
        Some(desk) => {
            let waits_again = desk.waits_after(running.passed);
            // It comes with new calls, or waits for others of the old ones, or ends.
            let calls = tokio::select! {
                biased;
                calls = desk.calls.recv() => calls,
                () = waits_again, if !running.open.is_empty() => Some(Vec::new()),
            };
            let waits = calls.is_some();
            running.open.extend(calls.into_iter().flatten());
            while let Ok(more) = desk.calls.try_recv() {
                running.open.extend(more);
            }
            waits
        }
    };
    if waits {
        let tool_calls = running.open.iter().cloned().map(required).collect();
        let continuation_token = conversations.wait(&caller.name, id, running)?;
        return Ok(CallAnswer::Waits(ToolCallsRequired {
            session_id: id.to_owned(),
            status: WaitingStatus::ToolCallRequired,
            continuation_token,
            tool_calls,
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
    let CallEnd { outcome, number, session, moved, restored, lost } = end;
    let ended = Ended { waited: Duration::ZERO, timeout: running.timeout, strip_newline: false, collect_files: false };
    let (end, _) = ending::finished(outcome, &ended);
    let id = format!("exe_{}", uuid::Uuid::new_v4());
    CallResult {
        execution: render::call(id, &running.limits, running.warnings.clone(), end),
        session_id: session.id,
        call: number,
        moved: moved.map(|moved| MovedSession { replayed: moved.replayed, different: moved.different }),
        restored: restored.map(|it| RestoredSession {
            replayed: it.replayed,
            different: it.different,
            lost_calls: it.lost,
        }),
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

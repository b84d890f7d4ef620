//! Calls of sessions over HTTP: each to its end, or to where it waits for results of tools, or as events.

use super::{
    App,
    api::{
        EvalRequest, Read,
        sessions::{
            CallAnswer, CallGoesOn, CallRequest, CallResult, ContinueRequest, EvalAnswer, MovedSession, RequiredCall,
            RestoredSession, RunningStatus, ToolAnswer, ToolCallsRequired, WaitingStatus,
        },
    },
    auth::Caller,
    ending::{self, Ended},
    error::{ApiError, Problem},
    executions::{Decoder, GrantedLimits},
    render, request, request_id,
};
use crate::{
    Error, Result, RunEvent,
    executor::{ToolCall, ToolDesk, ToolResult, tools},
    outcome::JsonText,
    sessions::{CallEnd, CallEvent, CallEvents, Cell, Sessions},
    sync::lock,
};
use axum::response::sse;
use serde::Serialize;
use serde_json::json;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc::UnboundedSender,
    task::{AbortHandle, JoinHandle},
};

/// How long a call waits for results of tools.
const WAITS_FOR: Duration = Duration::from_secs(600);
/// Stands for the session of an evaluation, which has no name.
const EVALUATION: &str = "";
/// Ends the owner of sessions of evaluations: nobody has those among sessions.
const OWNER_OF_EVALUATIONS: &str = "\0eval";
/// Calls that wait, of all keys.
const WAITING_MAX: usize = 1000;
/// Calls that wait, of one key.
const OWNER_WAITING_MAX: usize = WAITING_MAX / 4;

/// The sessions of a server, and which of their calls wait.
pub(crate) struct Conversations {
    pub(crate) sessions: Sessions,
    waiting: Arc<Mutex<HashMap<String, Waiting>>>,
}

/// A call that waits for results of tools.
struct Waiting {
    owner: String,
    session: String,
    call: Parked,
    open: Arc<Mutex<Open>>,
    is_interrupted: bool,
    /// Ends the waiting; whoever follows a call does that itself.
    _timer: Option<Timer>,
}

/// A task that ends when this is dropped.
struct Timer(AbortHandle);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Calls of tools without a result, of one call of a session.
#[derive(Default)]
struct Open {
    calls: Vec<ToolCall>,
    /// Results that were passed on.
    passed: u64,
}

/// Says who hears of results.
enum Parked {
    /// Whoever brings them: the call itself is here.
    Here(Box<Running>),
    /// Whoever follows the events of the call.
    Followed(UnboundedSender<ToolResult>),
}

/// A call on its way.
struct Running {
    task: JoinHandle<Result<CallEnd>>,
    desk: Option<ToolDesk>,
    open: Arc<Mutex<Open>>,
    terms: Terms,
    /// Goes with the call.
    _passing: Option<Passing>,
}

/// What is said of a call beside what came of it.
#[derive(Default)]
struct Terms {
    timeout: Duration,
    limits: GrantedLimits,
    warnings: Vec<String>,
    /// As clients expect it of an evaluation with a result.
    strip_newline: bool,
    wants_result: bool,
}

/// A session of one call, which goes when this is dropped.
struct Passing {
    app: Arc<App>,
    owner: String,
    id: String,
}

impl Drop for Passing {
    fn drop(&mut self) {
        let (app, owner, id) = (Arc::clone(&self.app), self.owner.clone(), self.id.clone());
        self.app.jobs.spawn(async move {
            let Some(conversations) = &app.conversations else { return };
            if let Err(error) = conversations.sessions.remove(&owner, &id).await {
                tracing::warn!(%error, session = id, "the session of an evaluation is not removed");
            }
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The call is interrupted, unless it has ended.
        self.task.abort();
    }
}

impl Conversations {
    /// Opens them, without what evaluations have left that a server before this one did not end.
    pub(crate) fn new(sessions: Sessions) -> Conversations {
        sessions.remove_all_of(OWNER_OF_EVALUATIONS);
        Conversations { sessions, waiting: Arc::default() }
    }

    fn wait(&self, owner: &str, session: &str, call: Parked, open: Arc<Mutex<Open>>) -> Result<String, ApiError> {
        let token = format!("ct_{}", uuid::Uuid::new_v4().simple());
        let mut waiting = lock(&self.waiting);
        for (count, most) in
            [(waiting.len(), WAITING_MAX), (waiting.values().filter(|it| it.owner == owner).count(), OWNER_WAITING_MAX)]
        {
            if count >= most {
                let message = format!("{count} calls wait for results of tools already: answer some first");
                return Err(ApiError::new(Problem::Unavailable, message).retry_after(5));
            }
        }
        let (owner, session) = (owner.to_owned(), session.to_owned());
        let timer = matches!(call, Parked::Here(_)).then(|| {
            let (all, expired) = (Arc::clone(&self.waiting), token.clone());
            let timer = tokio::spawn(async move {
                tokio::time::sleep(WAITS_FOR).await;
                // Which interrupts it.
                let _ = lock(&all).remove(&expired);
            });
            Timer(timer.abort_handle())
        });
        waiting.insert(token.clone(), Waiting { owner, session, call, open, is_interrupted: false, _timer: timer });
        Ok(token)
    }

    /// Refuses a call of a session of which another waits for its client: it would wait as long.
    fn refuse_behind_tools(&self, owner: &str, session: &str) -> Result<(), ApiError> {
        let is_asked = |it: &Waiting| match &it.call {
            _ if it.is_interrupted => false,
            Parked::Here(running) => !running.task.is_finished(),
            Parked::Followed(results) => !results.is_closed() && !lock(&it.open).calls.is_empty(),
        };
        let waiting = lock(&self.waiting);
        if !waiting.values().any(|it| it.owner == owner && it.session == session && is_asked(it)) {
            return Ok(());
        }
        let message = "a call of this session waits for results of tools: send them under its continuation_token, or \
                       interrupt it";
        Err(ApiError::new(Problem::Conflict, message))
    }

    /// Interrupts the call of a session.
    pub(crate) fn interrupt(&self, owner: &str, session: &str) -> Result<()> {
        for waiting in lock(&self.waiting).values_mut() {
            waiting.is_interrupted |= waiting.owner == owner && waiting.session == session;
        }
        self.sessions.interrupt(owner, session)
    }

    /// Forgets a token.
    fn forget(&self, token: &str) {
        lock(&self.waiting).remove(token);
    }

    /// Takes a call that waits, for results that are of its calls; otherwise it goes on waiting.
    fn take(&self, owner: &str, session: &str, token: &str, results: &[ToolAnswer]) -> Result<Parked, ApiError> {
        let mut waiting = lock(&self.waiting);
        let found = waiting.get(token).filter(|it| it.owner == owner && it.session == session);
        let found = found.ok_or_else(|| {
            let message = "no call waits for results under this continuation_token, or no longer";
            ApiError::new(Problem::NotFound, message)
        })?;
        {
            let mut open = lock(&found.open);
            check_results(results, &open.calls)?;
            open.calls.retain(|call| results.iter().all(|result| result.call_id != call.id));
            open.passed += results.len() as u64;
        }
        // Whoever follows the call goes on to do so under the same token.
        if let Parked::Followed(results) = &found.call {
            return Ok(Parked::Followed(results.clone()));
        }
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

/// Runs a cell to its end, or to where it waits.
pub(crate) async fn call(
    app: &App,
    caller: &Caller,
    id: &str,
    read: Read<CallRequest>,
) -> Result<CallAnswer, ApiError> {
    let conversations = conversations(app)?;
    let (cell, desk, terms) = cell(app, conversations, &caller.name, id, read).await?;
    conversations.refuse_behind_tools(&caller.name, id)?;
    let (sessions, owner, session) = (conversations.sessions.clone(), caller.name.to_string(), id.to_owned());
    // On the threads that run code.
    let task = app.jobs.spawn(async move { sessions.call(&owner, &session, cell).await });
    let running = Running { task, desk, open: Arc::default(), terms, _passing: None };
    Ok(match follow(conversations, caller, id, running).await? {
        Reached::End(terms, end) => CallAnswer::Ended(Box::new(ended(&terms, *end))),
        Reached::Tools(waits) => CallAnswer::Waits(waits),
    })
}

/// Says how far a call has come.
enum Reached {
    End(Terms, Box<CallEnd>),
    Tools(ToolCallsRequired),
}

/// Evaluates code that may call functions of the client: in a session of its own, which goes with it.
pub(crate) async fn eval(app: &Arc<App>, caller: &Caller, read: Read<EvalRequest>) -> Result<EvalAnswer, ApiError> {
    let conversations = conversations(app)?;
    let (passing, cell, desk, terms) = evaluation(app, conversations, caller, read).await?;
    let (sessions, owner, session) = (conversations.sessions.clone(), passing.owner.clone(), passing.id.clone());
    let task = app.jobs.spawn(async move { sessions.call(&owner, &session, cell).await });
    let running = Running { task, desk, open: Arc::default(), terms, _passing: Some(passing) };
    evaluated(follow(conversations, caller, EVALUATION, running).await?)
}

/// Goes on with an evaluation that has results now.
pub(crate) async fn eval_on(app: &App, caller: &Caller, request: ContinueRequest) -> Result<EvalAnswer, ApiError> {
    let conversations = conversations(app)?;
    match answered(conversations, caller, EVALUATION, request)? {
        Parked::Here(running) => evaluated(follow(conversations, caller, EVALUATION, *running).await?),
        Parked::Followed(_) => Ok(EvalAnswer::GoesOn(CallGoesOn { session_id: None, status: RunningStatus::Running })),
    }
}

fn evaluated(reached: Reached) -> Result<EvalAnswer, ApiError> {
    Ok(match reached {
        Reached::End(terms, end) => EvalAnswer::Ended(Box::new(ended(&terms, *end).execution)),
        Reached::Tools(waits) => EvalAnswer::Waits(waits),
    })
}

/// Evaluates code that may call functions of the client, as server-sent events.
pub(crate) async fn eval_stream(
    app: &Arc<App>,
    caller: &Caller,
    read: Read<EvalRequest>,
) -> Result<Followed, ApiError> {
    let conversations = conversations(app)?;
    let (passing, cell, desk, terms) = evaluation(app, conversations, caller, read).await?;
    let entered = app.jobs.enter();
    let events = conversations.sessions.call_stream(&passing.owner, &passing.id, cell);
    drop(entered);
    Ok(Followed::new(app, caller, EVALUATION, events, (desk, terms, Some(passing))))
}

/// Makes the session of an evaluation, and its cell.
async fn evaluation(
    app: &Arc<App>,
    conversations: &Conversations,
    caller: &Caller,
    mut read: Read<EvalRequest>,
) -> Result<(Passing, Cell, Option<ToolDesk>, Terms), ApiError> {
    let request = &mut read.request;
    let common = &mut request.common;
    let others = [
        ("entry_function", common.entry_function.is_some()),
        ("script_args", !common.script_args.is_empty()),
        ("collect_files", common.collect_files),
        ("workspace", !common.workspace.is_empty()),
    ];
    if let Some((name, _)) = others.iter().find(|(_, is_given)| *is_given) {
        return Err(ApiError::invalid(format!("{name} does not go with tools: make a session, and call that")));
    }
    let wants_result = common.eval_last_expr;
    let mut code = std::mem::take(&mut request.code);
    if code.is_empty() {
        let name = if common.entrypoint.is_empty() { "main.py" } else { &*common.entrypoint };
        let script = request.files.iter().find(|file| file.name == name);
        code = script.and_then(|file| file.content.clone()).ok_or_else(|| {
            ApiError::invalid(format!("with tools there must be 'code', or a file {name:?} with text"))
        })?;
    }
    common.entrypoint.clear();
    let (stdin, config) = (std::mem::take(&mut common.stdin), request.config.clone());
    let declared = std::mem::take(&mut request.tools);
    let (job, warnings) = request::session(read, app)?;
    let owner = format!("{}{OWNER_OF_EVALUATIONS}", caller.name);
    let making = {
        let (app, owner, sessions) = (Arc::clone(app), owner.clone(), conversations.sessions.clone());
        // In a task of its own: when the client goes, the session is made all the same, and goes.
        app.jobs.clone().spawn(async move {
            let id = sessions.create(&owner, job).await?.id;
            Ok::<_, Error>(Passing { app, owner, id })
        })
    };
    let passing = making.await.map_err(|fault| Error::caused("making a session failed", fault))??;
    let request = CallRequest { code, stdin, config, tools: declared, stream: false };
    let (cell, desk, terms) = cell(app, conversations, &owner, &passing.id, Read { request, warnings }).await?;
    Ok((passing, cell, desk, Terms { strip_newline: wants_result, wants_result, ..terms }))
}

/// Makes a cell of a request, with what whoever answers its tools has of it.
async fn cell(
    app: &App,
    conversations: &Conversations,
    owner: &str,
    id: &str,
    read: Read<CallRequest>,
) -> Result<(Cell, Option<ToolDesk>, Terms), ApiError> {
    let Read { request: CallRequest { code, stdin, config, tools: declared, stream: _ }, mut warnings } = read;
    if code.len() > app.settings.code_max_bytes {
        let message = format!("code size {} bytes exceeds limit of {} bytes", code.len(), app.settings.code_max_bytes);
        return Err(ApiError::new(Problem::TooLarge, message));
    }
    // At once, not when its turn comes.
    conversations.sessions.info(owner, id).await?;
    let limits = request::call_limits(config, app, &mut warnings);
    let mut cell = Cell::new(code).stdin(stdin).limits(limits);
    let mut desk = None;
    if !declared.is_empty() {
        let (port, other) = tools(declared.into_iter().map(Into::into).collect())?;
        cell = cell.tools(port);
        desk = Some(other);
    }
    let (timeout, limits) = (limits.wall_clock(), request::granted(&limits, 0));
    let terms = Terms { timeout, limits, warnings, strip_newline: false, wants_result: true };
    Ok((cell, desk, terms))
}

/// Goes on with a call that has results now.
pub(crate) async fn go_on(
    app: &App,
    caller: &Caller,
    id: &str,
    request: ContinueRequest,
) -> Result<CallAnswer, ApiError> {
    let conversations = conversations(app)?;
    match answered(conversations, caller, id, request)? {
        Parked::Here(running) => Ok(match follow(conversations, caller, id, *running).await? {
            Reached::End(terms, end) => CallAnswer::Ended(Box::new(ended(&terms, *end))),
            Reached::Tools(waits) => CallAnswer::Waits(waits),
        }),
        Parked::Followed(_) => {
            Ok(CallAnswer::GoesOn(CallGoesOn { session_id: Some(id.to_owned()), status: RunningStatus::Running }))
        }
    }
}

/// Hands results to a call that waits for them, and returns that.
fn answered(
    conversations: &Conversations,
    caller: &Caller,
    id: &str,
    request: ContinueRequest,
) -> Result<Parked, ApiError> {
    let ContinueRequest { continuation_token, tool_results } = request;
    let parked = conversations.take(&caller.name, id, &continuation_token, &tool_results)?;
    let results = match &parked {
        Parked::Here(running) => running.desk.as_ref().map(|desk| &desk.results),
        Parked::Followed(results) if results.is_closed() => {
            let message = "the call does not wait any more: nobody follows its events";
            return Err(ApiError::new(Problem::NotFound, message));
        }
        Parked::Followed(results) => Some(results),
    };
    if let Some(results) = results {
        for answer in tool_results {
            let end = match answer.error {
                Some(error) => Err(error.into()),
                None => Ok(answer.result.unwrap_or_else(|| JsonText::from(serde_json::Value::Null))),
            };
            // A call that has ended meanwhile says so below.
            let _ = results.send(ToolResult::new(answer.call_id, end));
        }
    }
    Ok(parked)
}

/// Follows a call to its end, or to where it waits.
async fn follow(
    conversations: &Conversations,
    caller: &Caller,
    id: &str,
    mut running: Running,
) -> Result<Reached, ApiError> {
    let passed = lock(&running.open).passed;
    if let Some(desk) = &mut running.desk
        && asks(desk, &running.open, passed).await
    {
        let open = Arc::clone(&running.open);
        let calls = lock(&open).calls.clone();
        let continuation_token = conversations.wait(&caller.name, id, Parked::Here(Box::new(running)), open)?;
        return Ok(Reached::Tools(waits(id, continuation_token, calls)));
    }
    let end = (&mut running.task).await.map_err(|fault| Error::caused("running a call failed", fault))??;
    let terms = std::mem::take(&mut running.terms);
    Ok(Reached::End(terms, Box::new(end)))
}

/// Waits until a call waits for results, of new calls of tools or, after so many results, of others of the old ones, and notes
/// which; `false` when it asks for none any more.
async fn asks(desk: &mut ToolDesk, open: &Mutex<Open>, passed: u64) -> bool {
    let is_open = !lock(open).calls.is_empty();
    let waits_again = desk.waits_after(passed);
    let calls = tokio::select! {
        biased;
        calls = desk.calls.recv() => calls,
        () = waits_again, if is_open => Some(Vec::new()),
    };
    let Some(calls) = calls else { return false };
    let mut open = lock(open);
    open.calls.extend(calls);
    while let Ok(more) = desk.calls.try_recv() {
        open.calls.extend(more);
    }
    true
}

/// Runs a cell as server-sent events, of which the result is the last. Dropping them interrupts the call.
pub(crate) async fn stream(
    app: &Arc<App>,
    caller: &Caller,
    id: &str,
    read: Read<CallRequest>,
) -> Result<Followed, ApiError> {
    let conversations = conversations(app)?;
    let (cell, desk, terms) = cell(app, conversations, &caller.name, id, read).await?;
    conversations.refuse_behind_tools(&caller.name, id)?;
    // On the threads that run code.
    let entered = app.jobs.enter();
    let events = conversations.sessions.call_stream(&caller.name, id, cell);
    drop(entered);
    Ok(Followed::new(app, caller, id, events, (desk, terms, None)))
}

/// A call whose events are followed.
pub(crate) struct Followed {
    app: Arc<App>,
    owner: String,
    session: String,
    /// `None` when it is over.
    events: Option<CallEvents>,
    desk: Option<ToolDesk>,
    open: Arc<Mutex<Open>>,
    terms: Terms,
    stdout: Decoder,
    stderr: Decoder,
    /// Names and data of events that are to be sent.
    ready: VecDeque<(&'static str, String)>,
    number: u64,
    /// Results that had been passed on when it last asked for more.
    passed: u64,
    /// Under which results of tools come.
    token: Option<String>,
    /// Since when results of tools are missing.
    asked: Option<Instant>,
    request_id: Option<String>,
    /// Goes with it.
    passing: Option<Passing>,
}

impl Followed {
    fn new(
        app: &Arc<App>,
        caller: &Caller,
        session: &str,
        events: CallEvents,
        (desk, terms, passing): (Option<ToolDesk>, Terms, Option<Passing>),
    ) -> Followed {
        Followed {
            app: Arc::clone(app),
            owner: caller.name.to_string(),
            session: session.to_owned(),
            events: Some(events),
            desk,
            open: Arc::default(),
            terms,
            stdout: Decoder::default(),
            stderr: Decoder::default(),
            ready: VecDeque::new(),
            number: 0,
            passed: 0,
            token: None,
            asked: None,
            request_id: request_id::current(),
            passing,
        }
    }

    /// Returns the next event; nothing after the last.
    pub(crate) async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if let Some((name, data)) = self.ready.pop_front() {
                self.number += 1;
                return Some(sse::Event::default().id(self.number.to_string()).event(name).data(data));
            }
            let events = self.events.as_mut()?;
            let late = self.asked.map(|asked| tokio::time::Instant::from_std(asked + WAITS_FOR));
            tokio::select! {
                biased;
                event = events.next() => {
                    self.heard();
                    match event {
                        Some(Ok(event)) => self.take(event),
                        Some(Err(error)) => self.fail(&error.into()),
                        None => self.events = None,
                    }
                }
                waits = asked(&mut self.desk, &self.open, self.passed + 1), if self.desk.is_some() => match waits {
                    true => self.ask(),
                    false => self.desk = None,
                },
                () = sleep_until(late), if late.is_some() => if self.heard() {
                    let message = format!("the call waited {} s for results of tools", WAITS_FOR.as_secs());
                    self.fail(&ApiError::new(Problem::Timeout, message));
                }
            }
        }
    }

    fn take(&mut self, event: CallEvent) {
        match event {
            CallEvent::Run(RunEvent::Started) => self.send("state", &json!({"status": "running"})),
            CallEvent::Run(RunEvent::Progress(text)) => self.send("progress", &json!({"text": text})),
            CallEvent::Run(RunEvent::Restarted(reason)) => {
                (self.stdout, self.stderr) = (Decoder::default(), Decoder::default());
                self.send("restarted", &json!({"reason": reason}));
            }
            CallEvent::Run(RunEvent::Stdout(bytes)) => {
                let text = self.stdout.decode(&bytes);
                self.send_text("stdout", &text);
            }
            CallEvent::Run(RunEvent::Stderr(bytes)) => {
                let text = self.stderr.decode(&bytes);
                self.send_text("stderr", &text);
            }
            CallEvent::Run(RunEvent::Display(display)) => self.send("display", &*display),
            // Of what tools say the log of the engine has enough.
            CallEvent::Run(RunEvent::Detail(_) | RunEvent::Ended(_)) => {}
            CallEvent::Lagged(missed) => self.send("lagged", &json!({"missed": missed})),
            CallEvent::Ended(end) => {
                let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
                self.send_text("stdout", &stdout);
                self.send_text("stderr", &stderr);
                let result = ended(&self.terms, *end);
                match &self.passing {
                    Some(_) => self.send("result", &result.execution),
                    None => self.send("result", &result),
                }
                self.events = None;
            }
        }
    }

    /// Notes whether results have come since they were asked for, and returns whether they are still missing.
    fn heard(&mut self) -> bool {
        if lock(&self.open).passed > self.passed {
            self.asked = None;
        }
        self.asked.is_some()
    }

    /// Asks whoever follows for results.
    fn ask(&mut self) {
        let (Some(desk), Some(conversations)) = (&self.desk, &self.app.conversations) else { return };
        let calls = {
            let open = lock(&self.open);
            self.passed = open.passed;
            open.calls.clone()
        };
        let token = match &self.token {
            Some(token) => Ok(token.clone()),
            None => {
                let parked = Parked::Followed(desk.results.clone());
                conversations.wait(&self.owner, &self.session, parked, Arc::clone(&self.open))
            }
        };
        match token {
            Ok(token) => {
                self.token = Some(token.clone());
                self.asked = Some(Instant::now());
                let waits = waits(&self.session, token, calls);
                self.send("tool_calls", &waits);
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Ends the stream with what is wrong.
    fn fail(&mut self, error: &ApiError) {
        self.ready.push_back(("error", error.json(self.request_id.as_deref())));
        self.events = None;
    }

    fn send_text(&mut self, name: &'static str, text: &str) {
        if !text.is_empty() {
            self.send(name, &json!({"text": text}));
        }
    }

    fn send(&mut self, name: &'static str, data: &impl Serialize) {
        match serde_json::to_string(data) {
            Ok(data) => self.ready.push_back((name, data)),
            Err(error) => tracing::error!(%error, "an event of a call cannot be written"),
        }
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        if let (Some(token), Some(conversations)) = (&self.token, &self.app.conversations) {
            conversations.forget(token);
        }
    }
}

async fn asked(desk: &mut Option<ToolDesk>, open: &Mutex<Open>, passed: u64) -> bool {
    match desk {
        Some(desk) => asks(desk, open, passed).await,
        None => false,
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at).await;
    }
}

fn waits(session: &str, continuation_token: String, calls: Vec<ToolCall>) -> ToolCallsRequired {
    ToolCallsRequired {
        session_id: (session != EVALUATION).then(|| session.to_owned()),
        status: WaitingStatus::ToolCallRequired,
        continuation_token,
        tool_calls: calls.into_iter().map(required).collect(),
    }
}

fn required(call: ToolCall) -> RequiredCall {
    let ToolCall { id, name, args, kwargs } = call;
    RequiredCall { id, name, input: kwargs, args }
}

fn ended(terms: &Terms, end: CallEnd) -> CallResult {
    let CallEnd { mut outcome, number, session, moved, restored, lost } = end;
    let displays = std::mem::take(&mut outcome.displays);
    if !terms.wants_result {
        (outcome.result, outcome.result_json) = (None, None);
    }
    let ended = Ended {
        waited: Duration::ZERO,
        timeout: terms.timeout,
        strip_newline: terms.strip_newline,
        collect_files: false,
    };
    let (end, _) = ending::finished(outcome, &ended);
    let id = format!("exe_{}", uuid::Uuid::new_v4());
    CallResult {
        execution: render::call(id, &terms.limits, terms.warnings.clone(), end),
        session_id: session.id,
        call: number,
        moved: moved.map(|moved| MovedSession { replayed: moved.replayed, different: moved.different }),
        restored: restored.map(|it| RestoredSession {
            replayed: it.replayed,
            different: it.different,
            lost_calls: it.lost,
        }),
        interpreter_lost: lost,
        displays,
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

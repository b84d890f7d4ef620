//! The life of a session of cells in one container: a task of its own has the container, and makes one call after the other.

use super::{
    container::{Container, Waiting},
    frames::{FILES, to},
    placement::Placement,
    prepare::Prepared,
    protocol::{AboutFiles, Called, End, Message},
    run::{POST_MORTEM, Runner, Started, check_limits, finished, nonsense, vanished},
    runner_session::{Ended, Heard, Line, RunnerSession},
    stdin_writer::{Signals, Writer, next_piece, write_session},
};
use crate::{
    Error, Limits, Project, Result, Stdin,
    executor::{
        COLLECTED_BYTES_MAX, Call, Code, Event, Frozen, Interrupt, Observer, Question, Run, Session, SessionFile,
        SessionSpec, ToolPort,
        deadline::{Deadline, until},
    },
    outcome::{Ending, JsonText, StopReason},
    project::relative,
};
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::{mpsc, oneshot, watch};

/// For a container to start, and to take the project.
const START: Duration = Duration::from_secs(120);
/// What a call that is out of time may still take after each of two interrupts: a program that waits for another one gives
/// that a quarter of a second itself.
const GRACE: Duration = Duration::from_millis(500);
/// What a question may take.
const QUESTION_TIME: Duration = Duration::from_secs(2);
/// What it may take to do something with files.
const FILES_TIME: Duration = Duration::from_secs(30);
/// Of a file that is read or written.
const PIECE_BYTES: usize = 4 << 20;
const WHY_CHARS_MAX: usize = 300;
/// What is taken of a session's output between its calls; after that its programs wait to write more.
const BETWEEN_BYTES_MAX: usize = 256 << 10;

/// What may wait to go into a container, beyond what was put last.
const BACKLOG_BYTES_MAX: usize = 64 << 20;

const LOST: &str = "this session was lost: its container is gone, or a call of it had to be stopped or was cut off";

/// A session of cells: the way to the task that has its container.
pub(super) struct CellSession {
    requests: mpsc::Sender<Request>,
    closing: watch::Receiver<bool>,
}

enum Request {
    Call(Box<Call>, Box<dyn Observer>, oneshot::Sender<Result<Run>>),
    Ask(Question, oneshot::Sender<Result<JsonText>>),
    /// What is to be done with files, as JSON, and content for them.
    Files(serde_json::Value, Bytes, oneshot::Sender<Result<AboutFiles>>),
}

/// Starts a container, and a session in it.
pub(super) async fn open(runner: Arc<Runner>, spec: SessionSpec, prepared: Prepared) -> Result<CellSession> {
    check_limits(&spec.limits)?;
    let starting = tokio::time::timeout(START, Cells::start(Arc::clone(&runner), spec, prepared)).await;
    let late = || Error::unavailable(format!("the session's container has not started in {} s", START.as_secs()));
    let cells = starting.unwrap_or_else(|_| Err(late()))?;
    let (requests, receiver) = mpsc::channel(1);
    let session = CellSession { requests, closing: runner.daemon().closing() };
    runner.daemon().runtime().spawn(cells.serve(receiver));
    Ok(session)
}

impl CellSession {
    async fn request<T>(&self, request: impl FnOnce(oneshot::Sender<Result<T>>) -> Request) -> Result<T> {
        let (sender, reply) = oneshot::channel();
        // An error says that the task has ended, and the reply does so then, too.
        let _ = self.requests.send(request(sender)).await;
        reply.await.unwrap_or_else(|_| Err(self.lost()))
    }

    async fn files(&self, asked: serde_json::Value, content: Bytes) -> Result<AboutFiles> {
        let about = self.request(|reply| Request::Files(asked, content, reply)).await?;
        match about.error {
            Some(why) => {
                Err(Error::invalid(why.chars().filter(|c| !c.is_control()).take(WHY_CHARS_MAX).collect::<String>()))
            }
            None => Ok(about),
        }
    }

    fn lost(&self) -> Error {
        if *self.closing.borrow() {
            Error::unavailable("the executor is shutting down")
        } else {
            Error::unavailable(LOST)
        }
    }
}

#[async_trait::async_trait]
impl Session for CellSession {
    async fn call(&mut self, call: Call, observer: Box<dyn Observer>) -> Result<Run> {
        check_limits(&Limits { memory_bytes: u64::MAX, ..call.limits })?;
        if matches!(call.code, Code::Script(_)) {
            return Err(Error::invalid("this session is of cells: open one of a script"));
        }
        self.request(|reply| Request::Call(Box::new(call), observer, reply)).await
    }

    async fn ask(&mut self, question: Question) -> Result<JsonText> {
        self.request(|reply| Request::Ask(question, reply)).await
    }

    async fn freeze(&mut self) -> Result<Frozen> {
        Err(Error::invalid("a session in a container cannot be frozen"))
    }

    async fn list_files(&mut self) -> Result<Vec<SessionFile>> {
        let about = self.files(serde_json::json!({"do": "list", "path": ""}), Bytes::new()).await?;
        let file = |(path, bytes, modified): (String, u64, u64)| {
            // Anyone in the container can say what it likes.
            relative(&path)
                .is_ok()
                .then(|| SessionFile::new(path, bytes, SystemTime::UNIX_EPOCH + Duration::from_nanos(modified)))
        };
        Ok(about.files.into_iter().filter_map(file).collect())
    }

    async fn read_file(&mut self, path: &str) -> Result<Bytes> {
        let below = checked(path)?;
        let mut content = BytesMut::new();
        loop {
            let asked = serde_json::json!({"do": "read", "path": below, "at": content.len(), "length": PIECE_BYTES});
            let about = self.files(asked, Bytes::new()).await.map_err(|error| named(path, error))?;
            if about.size.max(content.len() as u64) > COLLECTED_BYTES_MAX {
                return Err(Error::invalid(format!("{path:?} is larger than {COLLECTED_BYTES_MAX} bytes")));
            }
            content.extend_from_slice(&about.content);
            if about.content.is_empty() || content.len() as u64 >= about.size {
                return Ok(content.freeze());
            }
        }
    }

    async fn write_file(&mut self, path: &str, content: Bytes) -> Result<()> {
        let below = checked(path)?;
        let mut at = 0;
        loop {
            let piece = content.slice(at..content.len().min(at + PIECE_BYTES));
            let asked = serde_json::json!({"do": "write", "path": below, "at": at});
            at += piece.len();
            self.files(asked, piece).await.map_err(|error| named(path, error))?;
            if at == content.len() {
                return Ok(());
            }
        }
    }

    async fn remove_file(&mut self, path: &str) -> Result<()> {
        let asked = serde_json::json!({"do": "remove", "path": checked(path)?});
        self.files(asked, Bytes::new()).await.map(drop).map_err(|error| named(path, error))
    }

    fn is_alive(&self) -> bool {
        !self.requests.is_closed()
    }
}

/// Checks the path of a file, and returns it.
fn checked(path: &str) -> Result<String> {
    let below = relative(path)?;
    if below.is_empty() {
        return Err(Error::invalid("the path of a file is empty"));
    }
    Ok(below)
}

/// Says to which file an error belongs.
fn named(path: &str, error: Error) -> Error {
    if error.is_invalid_job() { Error::invalid(format!("{path:?}: {}", error.message())) } else { error }
}

/// A container with a session in it.
struct Cells {
    runner: Arc<Runner>,
    container: Container,
    line: Line,
    writer: Writer,
    /// Keeps its layer.
    prepared: Prepared,
    project: Project,
    limits: Limits,
    /// Calls so far.
    count: u64,
    is_paused: bool,
}

/// What is under way in the container.
struct Exchange<'a> {
    conversation: &'a mut RunnerSession,
    stdin: Option<Stdin>,
    tools: Option<ToolPort>,
    interrupt: Interrupt,
    deadline: Deadline,
    grace: Grace,
}

/// Says how far a call is that is out of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grace {
    /// It is not.
    InTime,
    /// It was interrupted.
    Interrupted,
    /// It was interrupted twice.
    InterruptedAgain,
}

/// Says how a call or a question came to its end.
enum Conclusion {
    Called(Called),
    Answered(Bytes),
    Files(AboutFiles),
    /// The session's process has ended.
    Ended(End),
    /// It goes on in spite of interrupts.
    OutOfTime,
    /// It calls tools as no program of Python does.
    NoCalls(&'static str),
    Gone,
    Malformed,
    /// Whoever asked has gone.
    CutOff,
}

impl Cells {
    async fn start(runner: Arc<Runner>, spec: SessionSpec, prepared: Prepared) -> Result<Cells> {
        let header = header(&spec, prepared.placement().network);
        let mut may_be_warm = true;
        // Once more only when a container that waited has ended before it took the session.
        loop {
            let Started { waiting: Waiting { container, mut input, output }, was_warm, prepared } =
                runner.start(may_be_warm, &prepared, spec.limits).await?;
            let mut line = Line::new(output);
            let writing = write_session(&mut input, &header, spec.project.clone());
            let started = tokio::select! {
                started = started(&mut line) => started,
                Err(error) = writing => return Err(error),
            };
            let started = match started {
                Heard::Gone if was_warm => {
                    may_be_warm = false;
                    continue;
                }
                started => started,
            };
            match started {
                Heard::Message(Message::Started) => {}
                Heard::Message(Message::Refused(refusal)) => return Err(refusal.into_error(&spec.limits)),
                Heard::Gone => {
                    let mut conversation = silent(&spec.limits);
                    let image = prepared.base().name.to_string();
                    vanished(&container, &image, line.complaint(), &mut conversation).await?;
                    return Err(Error::unavailable("the session's container has ended before its first call"));
                }
                Heard::Message(_) | Heard::Malformed => {
                    return Err(Error::unavailable("the runner of a session talks nonsense"));
                }
            }
            return Ok(Cells {
                runner,
                container,
                line,
                writer: Writer::new(input),
                prepared,
                project: spec.project,
                limits: spec.limits,
                count: 0,
                is_paused: false,
            });
        }
    }

    /// Makes one call after the other, until nobody can ask for one any more. The container goes with this.
    async fn serve(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut closing = self.runner.daemon().closing();
        let mut closing_meanwhile = closing.clone();
        let longest_idle = self.runner.daemon().options().session_idle;
        let mut idle_since = tokio::time::Instant::now();
        loop {
            let has_room = self.line.buffered() < BETWEEN_BYTES_MAX;
            tokio::select! {
                // One that is there already comes before the news that the container is gone.
                biased;
                () = closed(&mut closing) => return,
                request = requests.recv() => {
                    let Some(request) = request else { return };
                    let alive = tokio::select! {
                        alive = self.take(request, &mut requests) => alive,
                        () = closed(&mut closing_meanwhile) => false,
                    };
                    if !alive {
                        return;
                    }
                    idle_since = tokio::time::Instant::now();
                }
                is_there = self.line.fill(), if has_room => {
                    if !is_there {
                        return;
                    }
                }
                () = tokio::time::sleep_until(idle_since + longest_idle), if !self.is_paused => self.pause().await,
            }
        }
    }

    async fn pause(&mut self) {
        match self.container.pause().await {
            Ok(()) => self.is_paused = true,
            Err(fault) => {
                // It goes on idle, and is not asked again before its next call.
                self.is_paused = true;
                tracing::warn!(container = self.container.name(), %fault, "a session is not paused");
            }
        }
    }

    async fn resume(&mut self) -> bool {
        if std::mem::take(&mut self.is_paused)
            && let Err(fault) = self.container.resume().await
        {
            let state = self.container.state().await;
            let runs = state.is_ok_and(|state| state.running == Some(true) && state.paused != Some(true));
            if !runs {
                tracing::warn!(container = self.container.name(), %fault, "a session is not resumed");
            }
            return runs;
        }
        true
    }

    /// Does what was asked for; returns whether there can be more. What ends the session closes `requests` before it is told.
    async fn take(&mut self, request: Request, requests: &mut mpsc::Receiver<Request>) -> bool {
        match request {
            Request::Call(call, observer, mut reply) => {
                let (run, alive) = self.call(*call, observer, &mut reply).await;
                if !alive {
                    requests.close();
                }
                let _ = reply.send(run);
                alive
            }
            Request::Ask(question, mut reply) => {
                let (answer, alive) = self.ask(&question, &mut reply).await;
                if !alive {
                    requests.close();
                }
                let _ = reply.send(answer);
                alive
            }
            Request::Files(asked, content, mut reply) => {
                let about = self.about_files(&asked, &content, &mut reply).await;
                let alive = about.is_some();
                if !alive {
                    requests.close();
                }
                let _ = reply.send(about.ok_or_else(|| Error::unavailable(LOST)));
                alive
            }
        }
    }

    async fn call(
        &mut self,
        call: Call,
        observer: Box<dyn Observer>,
        reply: &mut oneshot::Sender<Result<Run>>,
    ) -> (Result<Run>, bool) {
        let Call { code, stdin, limits, tools, interrupt, .. } = call;
        let Code::Cell { name, source } = code else { return (Err(Error::invalid("no cell")), true) };
        if !self.resume().await {
            return (Err(Error::unavailable(LOST)), false);
        }
        // Memory and disk are the session's.
        let limits = Limits {
            memory_bytes: self.limits.memory_bytes,
            disk_bytes: self.limits.disk_bytes,
            disk_files: self.limits.disk_files,
            ..limits
        };
        self.count += 1;
        let declared = tools.as_ref().map(ToolPort::declared).unwrap_or_default();
        let header = serde_json::json!({"number": self.count, "name": name, "tools": declared}).to_string();
        self.writer.put(to::CALL, &[header.as_bytes(), b"\0", &source].concat());

        let began = Instant::now();
        let mut conversation = RunnerSession::new(&limits, None, None, observer);
        conversation.take_displays();
        conversation.start();
        let at = began + limits.wall_clock();
        let mut exchange = Exchange {
            conversation: &mut conversation,
            stdin: Some(stdin),
            deadline: if tools.is_some() { Deadline::movable(at) } else { Deadline::At(at) },
            tools,
            interrupt,
            grace: Grace::InTime,
        };
        let conclusion = self.exchange(&mut exchange, reply.closed()).await;
        let was_interrupted = exchange.grace != Grace::InTime;
        let out_of_time = || Ending::Stopped { reason: StopReason::TimeLimit };
        let image = || self.prepared.base().name.to_string();
        let (ending, alive) = match conclusion {
            Conclusion::Called(called) => {
                conversation.out_of_memory = called.oom > 0;
                conversation.note_use(called.used);
                let ending = Ending::Exited { exit_code: (called.code & 0xff) as u8 };
                (if was_interrupted { out_of_time() } else { ending }, true)
            }
            Conclusion::Ended(end) => (finished(&self.container, &end, &mut conversation).await, false),
            Conclusion::OutOfTime => (self.give_up(&mut conversation).await, false),
            Conclusion::NoCalls(why) => {
                self.container.kill().await;
                (Ending::Stopped { reason: StopReason::Crashed(why.to_owned()) }, false)
            }
            Conclusion::Gone => {
                match vanished(&self.container, &image(), self.line.complaint(), &mut conversation).await {
                    Ok(ending) => (ending, false),
                    Err(error) => return (Err(error), false),
                }
            }
            Conclusion::Answered(_) | Conclusion::Files(_) | Conclusion::Malformed => {
                self.container.kill().await;
                (nonsense(), false)
            }
            Conclusion::CutOff => return (Err(Error::unavailable(LOST)), false),
        };
        if let Ending::Stopped { reason } = &ending
            && !alive
        {
            conversation.say_where(reason, &limits, &self.project);
        }
        let outcome = conversation.outcome(ending, began.elapsed(), &limits, self.placement());
        (Ok(Run::Ended(Box::new(outcome))), alive)
    }

    async fn ask(
        &mut self,
        question: &Question,
        reply: &mut oneshot::Sender<Result<JsonText>>,
    ) -> (Result<JsonText>, bool) {
        if !self.resume().await {
            return (Err(Error::unavailable(LOST)), false);
        }
        let asked = serde_json::json!({"name": question.name(), "arguments": question.arguments()}).to_string();
        self.writer.put(to::QUESTION, asked.as_bytes());
        let mut conversation = silent(&self.limits);
        let mut exchange = Exchange {
            conversation: &mut conversation,
            stdin: None,
            tools: None,
            interrupt: Interrupt::default(),
            deadline: Deadline::At(Instant::now() + QUESTION_TIME),
            grace: Grace::InTime,
        };
        match self.exchange(&mut exchange, reply.closed()).await {
            Conclusion::Answered(answer) => {
                let text = String::from_utf8(answer.into()).ok().filter(|text| text != "null").and_then(JsonText::new);
                let none = || Error::unavailable(format!("the session does not answer ({})", question.name()));
                (text.ok_or_else(none), true)
            }
            Conclusion::Called(_)
            | Conclusion::Files(_)
            | Conclusion::Ended(_)
            | Conclusion::OutOfTime
            | Conclusion::NoCalls(_)
            | Conclusion::Gone
            | Conclusion::Malformed
            | Conclusion::CutOff => (Err(Error::unavailable(LOST)), false),
        }
    }

    /// Does something with files; `None` when the session is lost.
    async fn about_files(
        &mut self,
        asked: &serde_json::Value,
        content: &[u8],
        reply: &mut oneshot::Sender<Result<AboutFiles>>,
    ) -> Option<AboutFiles> {
        if !self.resume().await {
            return None;
        }
        self.writer.put(FILES, &[asked.to_string().as_bytes(), b"\0", content].concat());
        let mut conversation = silent(&self.limits);
        let mut exchange = Exchange {
            conversation: &mut conversation,
            stdin: None,
            tools: None,
            interrupt: Interrupt::default(),
            deadline: Deadline::At(Instant::now() + FILES_TIME),
            grace: Grace::InTime,
        };
        match self.exchange(&mut exchange, reply.closed()).await {
            Conclusion::Files(about) => Some(about),
            _ => None,
        }
    }

    /// Passes on what goes in and comes out, until something ends it.
    async fn exchange(&mut self, exchange: &mut Exchange<'_>, gone: impl Future<Output = ()>) -> Conclusion {
        let Exchange { conversation, stdin, tools, interrupt, deadline, grace } = exchange;
        let signals = Signals::new();
        let mut gone = std::pin::pin!(gone.fuse());
        loop {
            let waits_for_tools = tools.as_ref().is_some_and(ToolPort::has_outstanding);
            // Who does not read what it asked for is not heard before it does.
            let listens = self.writer.backlog() < BACKLOG_BYTES_MAX;
            let happens = async {
                tokio::select! {
                    () = self.writer.write() => Happening::Nothing,
                    ended = conversation.listen(&mut self.line, &signals), if listens => Happening::Heard(ended),
                    piece = piece(stdin, &signals), if stdin.is_some() => Happening::Input(piece),
                    results = results(tools), if waits_for_tools => Happening::Results(results),
                    () = interrupt.asked() => Happening::Interrupt,
                    () = &mut gone => Happening::CutOff,
                }
            };
            match until(deadline, happens).await {
                Some(Happening::Nothing) => {}
                Some(Happening::Heard(ended)) => match ended {
                    // What was told of a call before is late, or forged.
                    Ended::Called(called) if called.call < self.count => {}
                    Ended::Called(called) if called.call == self.count => return Conclusion::Called(called),
                    Ended::Answered(answer) => return Conclusion::Answered(answer),
                    Ended::Files(about) => return Conclusion::Files(about),
                    Ended::Reported(end) => return Conclusion::Ended(end),
                    Ended::Gone => return Conclusion::Gone,
                    Ended::Tools(calls) => {
                        // A thread may ask that an earlier call has left.
                        let Some(port) = tools else { continue };
                        if let Err(why) = port.ask(&calls) {
                            return Conclusion::NoCalls(why);
                        }
                        if port.has_outstanding() {
                            deadline.pause();
                        }
                    }
                    Ended::GoesOn => {
                        goes_on(tools).await;
                        deadline.resume();
                    }
                    Ended::Located | Ended::Missed(_) => {}
                    Ended::Called(_) | Ended::Refused(_) | Ended::Malformed => return Conclusion::Malformed,
                },
                Some(Happening::Input(None)) => {
                    *stdin = None;
                    self.writer.put(to::INPUT_END, b"");
                }
                Some(Happening::Input(Some(piece))) => self.writer.put(to::INPUT, &piece),
                Some(Happening::Results(results)) => {
                    deadline.resume();
                    self.writer.put(to::RESULTS, &results);
                }
                Some(Happening::Interrupt) => {
                    interrupt.take();
                    goes_on(tools).await;
                    deadline.resume();
                    self.writer.put(to::INTERRUPT, b"");
                }
                Some(Happening::CutOff) => return Conclusion::CutOff,
                None => {
                    *grace = match grace {
                        Grace::InTime => Grace::Interrupted,
                        Grace::Interrupted => Grace::InterruptedAgain,
                        Grace::InterruptedAgain => return Conclusion::OutOfTime,
                    };
                    *deadline = Deadline::At(Instant::now() + GRACE);
                    self.writer.put(to::INTERRUPT, b"");
                }
            }
        }
    }

    /// Asks a call where it is, and kills it.
    async fn give_up(&mut self, conversation: &mut RunnerSession) -> Ending {
        let signals = Signals::new();
        self.writer.put(to::WHERE, b"");
        let located = async {
            loop {
                let heard = tokio::select! {
                    () = self.writer.write() => continue,
                    ended = conversation.listen(&mut self.line, &signals) => ended,
                };
                // Output that is under way comes first.
                let late = matches!(heard, Ended::Tools(_) | Ended::GoesOn | Ended::Answered(_) | Ended::Called(_));
                if !late {
                    return matches!(heard, Ended::Located);
                }
            }
        };
        let answered = tokio::time::timeout(POST_MORTEM, located).await.unwrap_or(false);
        if !answered && self.container.has_all_processes().await {
            conversation.note_all_processes();
        }
        self.container.kill().await;
        Ending::Stopped { reason: StopReason::TimeLimit }
    }

    fn placement(&self) -> &Placement {
        self.prepared.placement()
    }
}

/// Says what happens in an exchange.
enum Happening {
    Nothing,
    Heard(Ended),
    Input(Option<Bytes>),
    Results(Vec<u8>),
    Interrupt,
    CutOff,
}

async fn piece(stdin: &mut Option<Stdin>, signals: &Signals) -> Option<Bytes> {
    next_piece(stdin.as_mut()?, signals).await
}

async fn results(tools: &mut Option<ToolPort>) -> Vec<u8> {
    match tools {
        Some(port) => port.answers().await,
        None => Vec::new(),
    }
}

async fn goes_on(tools: &mut Option<ToolPort>) {
    if let Some(port) = tools {
        port.go_on().await;
    }
}

/// Waits until the executor shuts down.
async fn closed(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Waits until the runner has taken the session.
async fn started(line: &mut Line) -> Heard {
    loop {
        match line.next().await {
            Heard::Message(Message::Ready) => {}
            heard => return heard,
        }
    }
}

/// A conversation that nobody hears of.
fn silent(limits: &Limits) -> RunnerSession {
    RunnerSession::new(limits, None, None, Box::new(|_: Event<'_>| ()))
}

/// Encodes a session as the runner reads it.
fn header(spec: &SessionSpec, network: bool) -> Vec<u8> {
    serde_json::json!({
        "script": "",
        "args": [],
        "env": spec.env,
        "memory_bytes": spec.limits.memory_bytes,
        "network": network,
        "collect": false,
        "collect_bytes": COLLECTED_BYTES_MAX,
        "last_expression": false,
        "function": null,
        "arguments": null,
        "session": true,
    })
    .to_string()
    .into_bytes()
}

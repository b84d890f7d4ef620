//! The contract that both tiers implement.

mod deadline;
pub(crate) mod displays;
#[cfg(feature = "docker")]
pub mod docker;
#[cfg(not(feature = "docker"))]
#[path = "executor/docker_absent.rs"]
pub(crate) mod docker;
mod interrupt;
mod tools;
mod traceback;
pub mod wasm;

pub use interrupt::Interrupt;
pub use tools::{
    OUTSTANDING_MAX, TOOL_BYTES_MAX, TOOLS_MAX, Tool, ToolCall, ToolDesk, ToolError, ToolPort, ToolResult, tools,
};
pub(crate) use tools::{Suspend, ToolLog};

use crate::{
    Limits, Outcome, Project, ResolvedJob, Result, Stdin, Want,
    outcome::{CapabilityMiss, Display, JsonText, Tier},
};
use bytes::Bytes;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Names the kind of a miss that answers whether a module is there; it is not listed.
pub(crate) const QUESTION: &str = "find_spec";

/// Most that collected files may have together, since they come back in memory.
pub(crate) const COLLECTED_BYTES_MAX: u64 = 256 << 20;

/// Opens sessions, each in a world of its own.
///
/// # Contract
///
/// One test suite (`tests/contract`) runs against every implementation. An executor promises that:
///
/// - a script that fails, is stopped, or crashes the interpreter is an [`Outcome`]; `Err` means that the job was not
///   acceptable or the service is at fault;
/// - every limit of the job holds, and names itself in [`Outcome::limits_hit`] when it is hit;
/// - dropping a session, or the future of its call, cancels it, and everything it held is given back;
/// - no session sees anything of another, before or after;
/// - a session has no effect outside itself except through what it was explicitly given.
#[async_trait::async_trait]
pub trait Executor: Send + Sync {
    /// Returns which tier this is.
    fn tier(&self) -> Tier;

    /// Opens a session in what was provisioned for it. Nothing of a job runs before its first call.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when there can be no such session,
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the service is at fault.
    async fn open(&self, provisioned: Provisioned, spec: SessionSpec) -> Result<Box<dyn Session>>;

    /// Goes on with a session that was frozen, with the same provisions; its folder must be as it was.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when it was frozen by another version, or its bytes are damaged;
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the service is at fault.
    async fn thaw(&self, frozen: &Frozen, provisioned: Provisioned, spec: SessionSpec) -> Result<Box<dyn Session>>;
}

/// Runs code in a world of its own, which is gone when this is dropped.
#[async_trait::async_trait]
pub trait Session: Send {
    /// Runs code to its end, and passes what happens meanwhile to `observer`, which is owned, since the store of an instance
    /// cannot borrow.
    ///
    /// A script ends its interpreter, and the session with it. Cells run one after the other in the same names; one that is out
    /// of time is interrupted first, and only one that goes on all the same takes the session with it.
    ///
    /// # Errors
    ///
    /// As for [`Executor::open`], and when the session has ended.
    async fn call(&mut self, call: Call, observer: Box<dyn Observer>) -> Result<Run>;

    /// Answers a question about what a session of cells has: JSON for JSON.
    ///
    /// # Errors
    ///
    /// As for [`Session::call`].
    async fn ask(&mut self, question: Question) -> Result<JsonText>;

    /// Writes a session of cells down, between calls; it goes on as if nothing had happened.
    ///
    /// # Errors
    ///
    /// When it has ended, or has what cannot be kept.
    async fn freeze(&mut self) -> Result<Frozen>;

    /// Lists the files in its project folder, by path.
    ///
    /// # Errors
    ///
    /// As for [`Session::call`].
    async fn list_files(&mut self) -> Result<Vec<SessionFile>>;

    /// Reads a file of its project folder.
    ///
    /// # Errors
    ///
    /// As for [`Session::call`], and when there is no such file, or it is larger than what may be returned.
    async fn read_file(&mut self, path: &str) -> Result<Bytes>;

    /// Writes a file of its project folder, and makes the folders that it is in.
    ///
    /// # Errors
    ///
    /// As for [`Session::call`], and when its disk is full.
    async fn write_file(&mut self, path: &str, content: Bytes) -> Result<()>;

    /// Removes a file of its project folder.
    ///
    /// # Errors
    ///
    /// As for [`Session::call`], and when there is no such file.
    async fn remove_file(&mut self, path: &str) -> Result<()>;

    /// Returns whether there can be another call.
    fn is_alive(&self) -> bool;
}

/// A file in the project folder of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionFile {
    /// Relative to that folder.
    pub path: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was last written to.
    pub modified: SystemTime,
}

impl SessionFile {
    /// Describes a file.
    pub(crate) fn new(path: String, bytes: u64, modified: SystemTime) -> SessionFile {
        SessionFile { path, bytes, modified }
    }
}

/// A session of cells between two calls, as bytes.
#[derive(Debug, Clone)]
pub struct Frozen(Bytes);

impl Frozen {
    /// Takes bytes that [`Frozen::bytes`] returned; they are looked at when the session is thawed.
    pub fn new(bytes: impl Into<Bytes>) -> Frozen {
        Frozen(bytes.into())
    }

    /// Returns the bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }
}

/// Asks about a session: the name of what is asked, and its arguments as JSON.
#[derive(Debug, Clone)]
pub struct Question {
    name: &'static str,
    arguments: String,
}

impl Question {
    /// Asks for the variables: an array of objects with `name`, `type`, `size` and `repr`.
    pub fn variables() -> Question {
        Question { name: "variables", arguments: String::new() }
    }

    /// Asks what may stand at a place in a text, counted in characters: an object with `start` and `matches`.
    pub fn complete(code: &str, at: usize) -> Question {
        Question { name: "complete", arguments: serde_json::json!({"code": code, "at": at}).to_string() }
    }

    /// Asks whether a text is a whole cell: an object with `status`, as Jupyter has it, and `indent`.
    pub fn is_complete(code: &str) -> Question {
        Question { name: "is_complete", arguments: serde_json::json!({"code": code}).to_string() }
    }

    /// Asks what is known of the object at a place in a text, counted in characters: an object with `found` and `text`.
    pub fn inspect(code: &str, at: usize) -> Question {
        Question { name: "inspect", arguments: serde_json::json!({"code": code, "at": at}).to_string() }
    }

    /// Has random generators that the system has seeded do so again.
    pub(crate) fn reseed() -> Question {
        Question { name: "reseed", arguments: String::new() }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn arguments(&self) -> &str {
        &self.arguments
    }
}

/// Says what a session has as long as it lives.
#[derive(Debug)]
pub struct SessionSpec {
    pub(crate) project: Project,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) limits: Limits,
    pub(crate) collect_files: bool,
    /// Whether it is one of cells, which lives on after a call.
    pub(crate) lives_on: bool,
    /// Where its files are to stay, when they outlive it.
    pub(crate) home: Option<Arc<Path>>,
    /// Bytes and files that are in it already.
    pub(crate) used: Option<(u64, u64)>,
}

impl SessionSpec {
    /// Describes a session of cells.
    pub fn new(project: Project, env: Vec<(String, String)>, limits: Limits) -> SessionSpec {
        SessionSpec { project, env, limits, collect_files: false, lives_on: true, home: None, used: None }
    }

    /// Sets the folder for its files in WebAssembly, which stay there: only such a session can be frozen once it has files. A
    /// container has its own; whoever keeps the session takes files there and back.
    #[must_use]
    pub fn home(mut self, folder: impl Into<Arc<Path>>) -> SessionSpec {
        self.home = Some(folder.into());
        self
    }

    /// Says how many bytes and files are in that folder already.
    #[must_use]
    pub(crate) fn used(mut self, used: (u64, u64)) -> SessionSpec {
        self.used = Some(used);
        self
    }
}

/// Says what is run in a session.
pub struct Call {
    pub(crate) code: Code,
    pub(crate) args: Vec<String>,
    pub(crate) stdin: Stdin,
    /// Of these only time, fuel and output are the call's own.
    pub(crate) limits: Limits,
    pub(crate) want: Want,
    pub(crate) tools: Option<ToolPort>,
    pub(crate) stop_at: Option<StopAt>,
    pub(crate) interrupt: Interrupt,
}

/// The code of a call.
#[derive(Debug, Clone)]
pub(crate) enum Code {
    /// A path in the project, with which the session ends.
    Script(String),
    /// A cell, after which it lives on; `name` is what tracebacks call it.
    Cell { name: String, source: Bytes },
}

impl Call {
    /// Runs the cell of this number, for the value of its last expression.
    pub fn cell(number: u64, source: impl Into<Bytes>, limits: Limits) -> Call {
        Call {
            code: Code::Cell { name: format!("<cell {number}>"), source: source.into() },
            args: Vec::new(),
            stdin: Stdin::Empty,
            limits,
            want: Want::LastExpression,
            tools: None,
            stop_at: None,
            interrupt: Interrupt::default(),
        }
    }

    /// Sets the standard input.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Call {
        self.stdin = stdin;
        self
    }

    /// Lets it call functions of the host.
    #[must_use]
    pub fn tools(mut self, tools: ToolPort) -> Call {
        self.tools = Some(tools);
        self
    }

    /// Has it interrupted by this.
    #[must_use]
    pub fn interrupted_by(mut self, interrupt: Interrupt) -> Call {
        self.interrupt = interrupt;
        self
    }

    /// Returns what interrupts it.
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }
}

/// All that an executor makes before a session: packages, an image.
#[derive(Debug, Clone)]
pub struct Provisioned(pub(crate) Provisions);

#[derive(Debug, Clone)]
pub(crate) enum Provisions {
    Wasm(Option<wasm::Packages>),
    Docker(docker::Prepared),
}

impl Provisioned {
    /// Returns what plain code takes in WebAssembly: nothing.
    pub fn wasm() -> Provisioned {
        Provisioned(Provisions::Wasm(None))
    }

    /// Returns what was prepared for containers.
    pub fn docker(prepared: docker::Prepared) -> Provisioned {
        Provisioned(Provisions::Docker(prepared))
    }
}

/// Runs a job: opens a session, makes one call, and drops it.
///
/// # Errors
///
/// As for [`Executor::open`].
pub async fn run(
    executor: &dyn Executor,
    provisioned: Provisioned,
    job: ResolvedJob,
    stop_at: Option<StopAt>,
    observer: Box<dyn Observer>,
) -> Result<Run> {
    let (spec, call) = parts(job, stop_at);
    executor.open(provisioned, spec).await?.call(call, observer).await
}

/// Splits a job into what a session has, and its only call.
pub(crate) fn parts(job: ResolvedJob, stop_at: Option<StopAt>) -> (SessionSpec, Call) {
    let ResolvedJob { project, script, args, env, stdin, limits, want, collect_files, containers } = job;
    // What it changes is kept, also when its caller does not ask.
    let collect_files = collect_files || containers.workspace.is_some();
    let spec = SessionSpec { project, env, limits, collect_files, lives_on: false, home: None, used: None };
    let interrupt = Interrupt::default();
    (spec, Call { code: Code::Script(script), args, stdin, limits, want, tools: None, stop_at, interrupt })
}

/// Decides whether a job is stopped at a miss, because another attempt would have what it lacks.
pub type StopAt = Arc<dyn Fn(&CapabilityMiss) -> bool + Send + Sync>;

/// Says how an attempt at a job ended.
#[derive(Debug)]
pub enum Run {
    /// By itself, or at a limit.
    Ended(Box<Outcome>),
    /// It was stopped at this miss, after this time.
    Missed(CapabilityMiss, Duration),
}

impl Run {
    /// Returns the outcome of a job that nothing stops at a miss.
    ///
    /// # Errors
    ///
    /// When it was stopped at one all the same.
    pub fn outcome(self) -> Result<Outcome> {
        match self {
            Run::Ended(outcome) => Ok(*outcome),
            Run::Missed(miss, _) => Err(crate::Error::unavailable(format!(
                "the job was stopped at a miss ({}: {})",
                miss.kind, miss.detail
            ))),
        }
    }
}

/// Says what happens in a running job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Something that takes a while goes on before the script starts: a download, an installation.
    Progress(&'a str),
    /// A line of what a tool says meanwhile.
    Detail(&'a str),
    /// The script starts.
    Started,
    /// What came so far is void: the job runs again from its start, on another tier or with more packages, for this reason.
    Restarted(&'a str),
    /// Bytes written to standard output.
    Stdout(&'a [u8]),
    /// Bytes written to standard error.
    Stderr(&'a [u8]),
    /// Something that a call of a session shows: a figure, the value of its last expression.
    Display(&'a Display),
}

/// Receives what happens in a running job, on the thread that runs it: it must not block.
///
/// Closures are observers.
pub trait Observer: Send + 'static {
    /// Takes each event, in order. Output comes in the pieces in which the script wrote it, all of it: the output limit
    /// bounds only what the [`Outcome`] keeps.
    fn event(&mut self, event: Event<'_>);
}

impl Observer for Box<dyn Observer> {
    fn event(&mut self, event: Event<'_>) {
        (**self).event(event);
    }
}

impl<F: FnMut(Event<'_>) + Send + 'static> Observer for F {
    fn event(&mut self, event: Event<'_>) {
        self(event);
    }
}

/// Runs a job in WebAssembly, with these packages.
#[cfg(test)]
pub(crate) async fn run_in_wasm(
    executor: &wasm::WasmExecutor,
    job: crate::Job,
    packages: Option<&wasm::Packages>,
) -> Outcome {
    let provisioned = Provisioned(Provisions::Wasm(packages.cloned()));
    let run = run(executor, provisioned, job.resolve().expect("a job"), None, Box::new(|_: Event<'_>| ())).await;
    run.and_then(Run::outcome).expect("an outcome")
}

//! The contract that both tiers implement.

#[cfg(feature = "docker")]
pub mod docker;
#[cfg(not(feature = "docker"))]
#[path = "executor/docker_absent.rs"]
pub(crate) mod docker;
mod traceback;
pub mod wasm;

use crate::{
    Limits, Outcome, Project, ResolvedJob, Result, Stdin, Want,
    outcome::{CapabilityMiss, Tier},
};
use std::{sync::Arc, time::Duration};

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
    /// [`Error::InvalidJob`](crate::Error::InvalidJob) when there can be no such session,
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the service is at fault.
    async fn open(&self, provisioned: Provisioned, spec: SessionSpec) -> Result<Box<dyn Session>>;
}

/// Runs code in a world of its own, which is gone when this is dropped.
#[async_trait::async_trait]
pub trait Session: Send {
    /// Runs code to its end, and passes what happens meanwhile to `observer`.
    ///
    /// A session has one call so far: its interpreter ends with it. The observer is owned, since the store of an instance, which
    /// passes events on, cannot borrow.
    ///
    /// # Errors
    ///
    /// As for [`Executor::open`].
    async fn call(&mut self, call: Call, observer: Box<dyn Observer>) -> Result<Run>;
}

/// Says what a session has as long as it lives.
#[derive(Debug)]
pub struct SessionSpec {
    pub(crate) project: Project,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) limits: Limits,
    pub(crate) collect_files: bool,
}

/// Says what is run in a session.
pub struct Call {
    /// A path in the project.
    pub(crate) script: String,
    pub(crate) args: Vec<String>,
    pub(crate) stdin: Stdin,
    pub(crate) want: Want,
    pub(crate) stop_at: Option<StopAt>,
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
    let ResolvedJob { project, script, args, env, stdin, limits, want, collect_files, containers: _ } = job;
    (SessionSpec { project, env, limits, collect_files }, Call { script, args, stdin, want, stop_at })
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

#[cfg(test)]
impl SessionSpec {
    /// Describes the session of a job.
    pub(crate) fn of(job: crate::Job) -> SessionSpec {
        parts(job.resolve().expect("a job"), None).0
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

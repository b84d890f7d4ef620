//! The contract that both tiers implement.

pub mod docker;
mod traceback;
pub mod wasm;

use crate::{
    Outcome, ResolvedJob, Result,
    outcome::{CapabilityMiss, Tier},
};
use std::{sync::Arc, time::Duration};

/// Names the kind of a miss that is the answer to a question: whether a module is there. It is not listed.
pub(crate) const QUESTION: &str = "find_spec";

/// Most that collected files may have together, since they come back in memory.
pub(crate) const COLLECTED_BYTES_MAX: u64 = 256 << 20;

/// Runs jobs, each in a world of its own.
///
/// # Contract
///
/// One test suite (`tests/contract`) runs against every implementation. An executor promises that:
///
/// - a script that fails, is stopped, or crashes the interpreter is an [`Outcome`]; `Err` means that the job was not
///   acceptable or the service is at fault;
/// - every limit of the job holds, and names itself in [`Outcome::limits_hit`] when it is hit;
/// - dropping the future cancels the job, and everything it held is given back;
/// - no job sees anything of another, before or after;
/// - a job has no effect outside itself except through what it was explicitly given.
///
/// Nothing here says that a job is one uninterrupted call: an executor may suspend it to ask its host for something, and
/// may keep its interpreter for another call, once the interface offers that.
#[async_trait::async_trait]
pub trait Executor: Send + Sync {
    /// Returns which tier this is.
    fn tier(&self) -> Tier;

    /// Runs `job` to its end. `observer` is told what happens while it does.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJob`](crate::Error::InvalidJob) when the job cannot be run as it is,
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the service is at fault.
    async fn run(&self, job: ResolvedJob, observer: Box<dyn Observer>) -> Result<Outcome>;
}

/// Decides whether a job is stopped at something that it misses, because another attempt would have it.
pub(crate) type StopAt = Arc<dyn Fn(&CapabilityMiss) -> bool + Send + Sync>;

/// Says how an attempt at a job ended.
#[derive(Debug)]
pub(crate) enum Run {
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
    pub(crate) fn outcome(self) -> Result<Outcome> {
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

/// Is told what happens in a running job, as it happens, on the thread that runs it: it must not block.
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

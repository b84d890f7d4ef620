//! A job on its way: planned as far as is known, then ready to run.

use super::{
    analysis::Analysis,
    choose::{Chosen, Decision, Target},
    knowledge::{Fact, Knowledge},
};
use crate::{ResolvedJob, needs::Needs, outcome::Tier};
use std::{sync::Arc, time::Duration};

/// Holds a job, and where it will run as far as is known.
#[derive(Debug)]
pub struct Plan {
    pub(super) job: ResolvedJob,
    pub(super) analysis: Analysis,
    pub(super) knowledge: Knowledge,
    /// `None` before the first choice, and where choosing failed for another attempt: provisioning says why.
    pub(super) decision: Option<Decision>,
    /// Attempts before this one.
    pub(super) attempts: u32,
    /// Whether it may be stopped where it misses something, for another attempt.
    pub(super) may_stop: bool,
}

/// A job with all that it takes to run, chosen and made.
#[derive(Debug)]
pub struct Ready {
    pub(super) job: ResolvedJob,
    pub(super) analysis: Analysis,
    pub(super) knowledge: Knowledge,
    pub(super) chosen: Chosen,
    pub(super) attempts: u32,
    pub(super) may_stop: bool,
}

impl Plan {
    /// Returns which tier runs it, as far as is known before it is provisioned.
    pub fn tier(&self) -> Tier {
        self.decision.as_ref().map_or(Tier::Wasm, Decision::tier)
    }

    /// Returns the job if it can run at once; otherwise the plan, which must be provisioned first.
    ///
    /// # Errors
    ///
    /// Returns the plan, unchanged.
    pub fn into_ready(self) -> Result<Ready, Box<Plan>> {
        match self.decision {
            Some(Decision::Ready(chosen)) => {
                let Plan { job, analysis, knowledge, attempts, may_stop, .. } = self;
                Ok(Ready { job, analysis, knowledge, chosen, attempts, may_stop })
            }
            _ => Err(Box::new(self)),
        }
    }

    /// Returns whether the job can run at once, with nothing to be provisioned.
    pub fn is_ready(&self) -> bool {
        matches!(self.decision, Some(Decision::Ready(_)))
    }

    /// Returns whether packages are installed, images fetched or commands run first, which may take minutes.
    pub fn takes_time(&self) -> bool {
        match &self.decision {
            Some(Decision::Ready(_)) => false,
            // The usual image of a plain job is there, but for the very first one.
            Some(Decision::Need(Fact::Image(placement))) => !placement.is_plain(),
            Some(Decision::Need(..)) | None => true,
        }
    }

    /// Returns why the job runs once more, in words, if it does.
    pub fn replay_reason(&self) -> Option<String> {
        self.analysis.replay.as_ref().map(ToString::to_string)
    }

    /// Says for whom it is: where jobs wait for each other, owners take turns.
    pub fn set_owner(&mut self, owner: u64) {
        self.job.containers.owner = owner;
    }

    /// Returns the most wall clock time that running it may take.
    pub fn wall_clock(&self) -> Duration {
        self.job.limits.wall_clock()
    }
}

impl Ready {
    /// Returns the tier that runs it.
    pub fn tier(&self) -> Tier {
        match self.chosen.target {
            Target::Wasm(_) => Tier::Wasm,
            Target::Docker(_) => Tier::Docker,
        }
    }

    /// Returns the most wall clock time that running it may take.
    pub fn wall_clock(&self) -> Duration {
        self.job.limits.wall_clock()
    }

    /// Returns for whom it is.
    pub(crate) fn owner(&self) -> u64 {
        self.job.containers.owner
    }

    /// Shortens the wall clock, for time that went by elsewhere.
    pub fn set_wall_clock(&mut self, left: Duration) {
        self.job.limits.shorten(left);
    }

    pub(crate) fn needs(&self) -> &Arc<Needs> {
        &self.analysis.needs
    }

    pub(crate) fn job(&self) -> &ResolvedJob {
        &self.job
    }

    /// Returns the job, where it runs, and why there.
    pub(crate) fn into_parts(self) -> (ResolvedJob, Target, String) {
        (self.job, self.chosen.target, self.chosen.reason.to_string())
    }
}

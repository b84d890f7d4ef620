//! Decides where a job runs, and makes what it takes there: from a [`Job`] to one that is [`Ready`].
//!
//! In this order: [`resolve`](crate::resolve) parses a job once; `analysis` says what it needs; `choose` is a pure function
//! of that and of what is known (`knowledge`), which names the next fact to be found out until everything is there; `tier`
//! is its rule for WebAssembly or Docker, and `reason` puts it into words. After an attempt, `retry` says whether there is
//! another one, with what was met as one more thing that is known; `replay` has the input for it.

mod analysis;
mod choose;
mod knowledge;
mod reason;
mod replay;
mod retry;
mod tier;

pub(crate) use choose::{Policy, Target, WasmPackages, folder, name_of, to_build};
pub(crate) use knowledge::{Sources, platform, refused, steps, unknown_environment};
pub(crate) use reason::listed;

use crate::{
    Job, Outcome, ResolvedJob, Result, TierChoice,
    needs::Needs,
    outcome::{CapabilityMiss, Tier},
    progress::Progress,
};
use analysis::Analysis;
use choose::{Chosen, Decision, choose};
use knowledge::Knowledge;
use reason::ReplayReason;
use retry::{Means, Next, Retry};
use std::{sync::Arc, time::Duration};

/// A job, and where it will run as far as is known.
#[derive(Debug)]
pub struct Plan {
    job: ResolvedJob,
    analysis: Analysis,
    knowledge: Knowledge,
    /// `None` only before the first choice.
    decision: Option<Decision>,
    /// Attempts before this one.
    attempts: u32,
    /// Whether it may be stopped where it misses something, for another attempt.
    may_stop: bool,
}

/// A job with all that it takes to run, chosen and made.
#[derive(Debug)]
pub struct Ready {
    job: ResolvedJob,
    analysis: Analysis,
    knowledge: Knowledge,
    chosen: Chosen,
    attempts: u32,
    may_stop: bool,
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

    /// Returns whether it can run as soon as its tier has a slot. Otherwise packages are installed, images fetched or
    /// commands run first, which may take minutes.
    pub fn is_ready(&self) -> bool {
        matches!(self.decision, Some(Decision::Ready(_)))
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

/// Plans jobs, and makes what they take.
#[derive(Clone)]
pub(crate) struct Planner {
    pub(crate) sources: Sources,
    pub(crate) policy: Policy,
}

impl Planner {
    /// Plans a job, as far as that takes no waiting.
    ///
    /// # Errors
    ///
    /// When the job is not acceptable, or needs what there is not; the message says what to do.
    pub(crate) async fn plan(&self, job: Job) -> Result<Plan> {
        let mut job = job.resolve()?;
        if let Some(id) = &job.containers.environment {
            let definition = self.sources.definition(id.clone()).await?;
            job = job.with_environment(definition)?;
        }
        let (job, analysis) = Analysis::of(job, &self.sources.environments, self.policy.detect_packages).await?;
        let knowledge = Knowledge::default();
        let mut plan = Plan { job, analysis, knowledge, decision: None, attempts: 0, may_stop: true };
        self.choose(&mut plan).await?;
        Ok(plan)
    }

    /// Makes all that a job takes. Nothing of the job runs but its commands, so that it needs no slot.
    ///
    /// # Errors
    ///
    /// When its packages or its image cannot be had, or a command fails.
    pub(crate) async fn provision(&self, mut plan: Plan, progress: &Progress) -> Result<Ready> {
        loop {
            plan = match plan.into_ready() {
                Ok(ready) => return Ok(ready),
                Err(plan) => *plan,
            };
            if let Some(Decision::Need(fact, _)) = plan.decision.take() {
                let Plan { job, analysis, knowledge, .. } = &mut plan;
                self.sources.learn(knowledge, job, analysis, fact, progress).await?;
            }
            self.choose(&mut plan).await?;
        }
    }

    /// Chooses by what is known, or can be found out without waiting.
    async fn choose(&self, plan: &mut Plan) -> Result<()> {
        loop {
            let Plan { job, analysis, knowledge, .. } = &mut *plan;
            let decision = choose(job, analysis, knowledge, &self.policy)?;
            let is_learnt = match &decision {
                Decision::Need(fact, _) => self.sources.learn_at_once(knowledge, job, analysis, fact).await?,
                Decision::Ready(_) => false,
            };
            if !is_learnt {
                plan.decision = Some(decision);
                return Ok(());
            }
        }
    }

    /// Returns what a job may get in another attempt.
    fn means(&self, job: &ResolvedJob, target: &Target) -> Means {
        let asked = &job.containers;
        let (in_wasm, has_network) = match target {
            Target::Wasm(_) => (true, false),
            Target::Docker(prepared) => (false, prepared.placement().network),
        };
        Means {
            container: in_wasm && asked.tier == TierChoice::Auto && self.sources.docker.state().is_ok(),
            network: asked.network && self.policy.allow_network,
            packages: asked.detect_packages && self.policy.detect_packages && !has_network,
        }
    }

    /// Returns whether running a job is likely to end in another attempt, since its code has what may be missing.
    pub(crate) fn may_run_again(&self, ready: &Ready) -> bool {
        let means = self.means(&ready.job, &ready.chosen.target);
        (means.container || means.packages) && ready.may_stop && !ready.analysis.is_plain()
    }

    /// Takes what another attempt at a job would need, if there may be one.
    pub(crate) fn retry(&self, ready: &mut Ready) -> Option<Retry> {
        let means = self.means(&ready.job, &ready.chosen.target);
        Retry::of(ready, means)
    }

    /// Returns the next attempt at a job that has ended, if another one would have what it lacked.
    pub(crate) async fn after_end(&self, retry: Retry, outcome: &Outcome) -> Option<Plan> {
        let next = retry.after_end(outcome)?;
        Some(self.next(next).await)
    }

    /// Returns the next attempt at a job that was stopped at a miss after `used`.
    pub(crate) async fn after_miss(&self, retry: Retry, miss: &CapabilityMiss, used: Duration) -> Option<Plan> {
        let next = retry.after_miss(miss, used)?;
        Some(self.next(next).await)
    }

    /// Chooses the place of another attempt. Where there is none after all, the job runs as far as it gets.
    async fn next(&self, Next { mut plan, before }: Next) -> Plan {
        let Err(error) = self.choose(&mut plan).await else { return plan };
        tracing::info!(%error, "no other place for a job that missed something");
        let wanted = plan.analysis.replay.take();
        let replay =
            wanted.map(|wanted| ReplayReason::NoOtherPlace { wanted: Box::new(wanted), why: error.to_string() });
        plan.analysis = before;
        plan.analysis.replay = replay;
        plan.may_stop = false;
        if let Err(error) = self.choose(&mut plan).await {
            // It was chosen before; provisioning says what is the matter now.
            tracing::warn!(%error, "a job that ran has no place any more");
        }
        plan
    }
}

//! Decides where a job runs, and makes what it takes there: from a [`Job`] to one that is [`Ready`].
//!
//! In this order: [`resolve`](crate::resolve) parses a job once; `analysis` says what it needs; `choose` is a pure function
//! of that and of what is known (`knowledge`), which names the next fact to be found out until everything is there; `tier`
//! is its rule for WebAssembly or Docker, and `reason` puts it into words. After an attempt, `retry` says whether there is
//! another one, with what was met as one more thing that is known; `replay` has the input for it.

mod analysis;
mod choose;
mod knowledge;
mod plan;
mod reason;
mod replay;
mod retry;
mod tier;

pub(crate) use choose::{Policy, Target, WasmPackages, folder, name_of, to_build};
pub(crate) use knowledge::{Sources, platform, refused, steps, unknown_environment};
pub use plan::{Plan, Ready};
pub(crate) use reason::listed;
pub(crate) use retry::Retry;

use crate::{Job, Outcome, ResolvedJob, Result, TierChoice, outcome::CapabilityMiss, progress::Progress};
use analysis::Analysis;
use choose::{Decision, choose};
use knowledge::Knowledge;
use reason::ReplayReason;
use retry::{Means, Next};
use std::time::Duration;

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
            if let Some(Decision::Need(fact)) = plan.decision.take() {
                let Plan { job, analysis, knowledge, .. } = &mut plan;
                match self.sources.learn(knowledge, job, analysis, fact, progress).await {
                    Err(error) if !error.is_invalid_job() && analysis.may_do_without_older_python() => {
                        tracing::info!(%error, "no older Python for a job that may do without");
                        analysis.leave_out_older_python();
                        knowledge.forget_containers();
                    }
                    learnt => learnt?,
                }
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
                Decision::Need(fact) => self.sources.learn_at_once(knowledge, job, analysis, fact).await?,
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

//! One line for the person who reads a failed job's standard error: what it lacked, and how to allow it.

use crate::{
    Error, Hint, Outcome, Ready, TierChoice, Wording,
    needs::{Capability, Needs},
    planner::Planner,
};
use std::sync::Arc;

/// Holds what there is to say of a job, should it fail.
pub(super) struct Advice {
    needs: Arc<Needs>,
    tier: TierChoice,
    may_use_network: bool,
    /// Whether the job asks for the network, which the service may not allow.
    asks_for_network: bool,
    /// Why there are no containers, where there are none.
    docker: Result<(), Error>,
}

impl Advice {
    pub(super) fn new(planner: &Planner, ready: &Ready) -> Advice {
        let asked = &ready.job().containers;
        Advice {
            needs: Arc::clone(ready.needs()),
            tier: asked.tier,
            may_use_network: asked.network && planner.policy.allow_network,
            asks_for_network: asked.network,
            docker: planner.policy.docker.clone(),
        }
    }

    /// Returns the line for an outcome, without the end of the line.
    pub(super) fn on(self, outcome: &Outcome, wording: Wording) -> Option<String> {
        if let Some(what) = self.network(outcome).filter(|_| !self.may_use_network) {
            if self.asks_for_network {
                let hint = wording(&Hint::AllowNetwork);
                return Some(format!("pyexec: this service allows no job the network ({what})\nhint: {hint}"));
            }
            let hint = wording(&Hint::AskForNetwork);
            return Some(format!("pyexec: this job has no permission to use the network ({what})\nhint: {hint}"));
        }
        let exception = outcome.exception.as_ref().map(|exception| (&*exception.kind, &*exception.message));
        let hints = self.needs.hints(exception);
        if !hints.is_empty() {
            return Some(format!("pyexec: {}", hints.join("\npyexec: ")));
        }
        let miss = outcome.capability_misses.last().filter(|_| outcome.ended_in_miss)?;
        if miss.kind == "module" && !Needs::is_standard(miss.detail.trim_start_matches('_')) {
            return None; // no container has it by itself
        }
        let off = match self.tier {
            TierChoice::Wasm => Error::invalid("the job asks for wasm").with_hint(Hint::LeaveOutTier),
            TierChoice::Auto | TierChoice::Docker => self.docker.err()?,
        };
        let hint = off.hint().map_or_else(String::new, |hint| format!("\nhint: {}", wording(hint)));
        Some(format!("pyexec: this job used what takes a container ({}: {}): {off}{hint}", miss.kind, miss.detail))
    }

    /// Returns the use of the network that explains why a job failed, if one does.
    fn network(&self, outcome: &Outcome) -> Option<String> {
        let met = outcome.capability_misses.iter().find(|miss| miss.kind == "network").map(|miss| miss.detail.clone());
        let seen = self.needs.use_of(Capability::Network).filter(|_| !outcome.success());
        met.or_else(|| seen.map(|found| format!("{}, {}", found.what, found.place)))
    }
}

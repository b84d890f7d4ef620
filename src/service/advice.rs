//! One line for the person who reads a failed job's standard error: what it lacked, and how to allow it.

use super::{plan::Detected, retry::Means};
use crate::{
    Job, Outcome, TierChoice,
    needs::{Capability, Needs},
};
use std::sync::Arc;

/// What there is to say of a job, should it fail.
pub(super) struct Advice {
    /// The call that uses the network, where the job has no permission to.
    network: Option<String>,
    may_use_network: bool,
    /// Why there are no containers, where there are none.
    no_containers: Option<String>,
    needs: Arc<Needs>,
}

impl Advice {
    pub(super) fn new(job: &Job, detected: &Detected, means: Means, docker: Result<(), &str>) -> Advice {
        let network = detected.needs.use_of(Capability::Network).filter(|_| !means.network);
        let no_containers = match job.containers.tier {
            TierChoice::Wasm => Some("the job asks for wasm".to_owned()),
            TierChoice::Auto | TierChoice::Docker => docker.err().map(str::to_owned),
        };
        Advice {
            network: network.map(|found| format!("{}, {}", found.what, found.place)),
            may_use_network: means.network,
            no_containers,
            needs: Arc::clone(&detected.needs),
        }
    }

    /// Returns the line for an outcome, without the end of the line.
    pub(super) fn on(self, outcome: &Outcome) -> Option<String> {
        let looked_up = outcome.capability_misses.iter().find(|miss| miss.kind == "network");
        let looked_up = looked_up.filter(|_| !self.may_use_network).map(|miss| miss.detail.clone());
        // Seen in the code only, it explains why the job failed, if it did.
        if let Some(what) = looked_up.or(self.network.filter(|_| !outcome.success())) {
            return Some(format!(
                "pyexec: this job has no permission to use the network ({what}): set \"network\": true, or give --network"
            ));
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
        let why = self.no_containers?;
        Some(format!("pyexec: this job used what takes a container ({}: {}): {why}", miss.kind, miss.detail))
    }
}

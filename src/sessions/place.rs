//! What the code of a call takes to run: packages, or a container.

use super::record::Record;
use crate::{
    Pyexec, Result,
    executor::{Executor, Provisioned, Provisions},
    outcome::Tier,
    planner::{Plan, Retry, Target},
    progress::Progress,
};
use bytes::Bytes;
use std::sync::Arc;

/// Where a call runs, with all that it takes there.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) provisioned: Provisioned,
    /// Tells what is provisioned from what is not.
    pub(super) key: String,
    pub(super) tier: Tier,
    pub(super) reason: String,
}

impl Place {
    /// Says what plain code takes: nothing.
    pub(super) fn plain() -> Place {
        Place { provisioned: Provisioned::wasm(), key: String::new(), tier: Tier::Wasm, reason: String::new() }
    }

    /// Returns whether there is nothing to it.
    pub(super) fn is_plain(&self) -> bool {
        self.key.is_empty()
    }

    /// Returns the executor of its tier.
    ///
    /// # Errors
    ///
    /// When Docker cannot be used.
    pub(super) async fn executor(&self, pyexec: &Pyexec) -> Result<Arc<dyn Executor>> {
        Ok(match self.tier {
            Tier::Wasm => pyexec.wasm(),
            Tier::Docker => pyexec.planner().sources.docker.connect().await?,
        })
    }
}

/// Decides where a cell runs, and makes what it takes. What it may miss there is for the other.
///
/// # Errors
///
/// When it needs what there is not, or its packages cannot be had.
pub(super) async fn of(
    pyexec: &Pyexec,
    record: &Record,
    cell: &Bytes,
    progress: &Progress,
) -> Result<(Place, Option<Retry>)> {
    let plan = pyexec.plan(record.job_for(cell)?).await?;
    provisioned(pyexec, plan, progress).await
}

/// Makes what a plan takes.
///
/// # Errors
///
/// As for [`of`].
pub(super) async fn provisioned(pyexec: &Pyexec, plan: Plan, progress: &Progress) -> Result<(Place, Option<Retry>)> {
    let mut ready = match plan.into_ready() {
        Ok(ready) => ready,
        Err(plan) => pyexec.provision(*plan, progress).await?,
    };
    let retry = pyexec.planner().retry(&mut ready);
    let (_, target, reason) = ready.into_parts();
    let place = match target {
        Target::Wasm(None) => Place { reason, ..Place::plain() },
        Target::Wasm(Some(packages)) => {
            let packages = pyexec.packages_of(packages)?;
            let key = format!("wasm {}", packages.id());
            Place { provisioned: Provisioned(Provisions::Wasm(Some(packages))), key, tier: Tier::Wasm, reason }
        }
        Target::Docker(prepared) => {
            let key = format!("docker {}", prepared.placement().world());
            Place { provisioned: Provisioned::docker(prepared), key, tier: Tier::Docker, reason }
        }
    };
    Ok((place, retry))
}

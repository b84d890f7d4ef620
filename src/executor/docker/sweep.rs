//! What an earlier process left behind.

use super::{
    containers::{Containers, REMOVAL_CONFLICT},
    daemon::Fault,
    hardening::HOLDER_LABEL,
    instance::Instance,
    network::Network,
    state,
};
use crate::{Error, Result};
use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use std::time::{Duration, SystemTime};

/// After this a container that has ended is nobody's: its process would have removed it.
const ENDED: Duration = Duration::from_secs(60);
/// After this one that was never started is.
const NEVER_STARTED: Duration = Duration::from_secs(600);

/// Removes this instance's containers that nobody has, and its network when nobody uses it; returns how many containers.
pub(crate) async fn sweep(network: &Network) -> Result<usize> {
    state::tidy();
    let containers = network.containers();
    let mut removed = 0;
    let mut kept = 0;
    for container in containers.list().await.map_err(failed)? {
        let Some(id) = container.id.clone() else { continue };
        if !is_left(containers, &container).await.map_err(failed)? {
            kept += 1;
            continue;
        }
        match containers.remove(&id).await {
            Ok(()) => removed += 1,
            // The one who is at it finishes it.
            Err(Fault::Refused { status: REMOVAL_CONFLICT, .. }) => removed += 1,
            Err(fault) => return Err(failed(fault)),
        }
    }
    if removed > 0 {
        tracing::info!(removed, "removed containers left behind");
    }
    if kept == 0 && !network.is_used() {
        network.sweep().await.map_err(failed)?;
    }
    Ok(removed)
}

async fn is_left(containers: &Containers, container: &ContainerSummary) -> Result<bool, Fault> {
    let names = container.names.as_deref().unwrap_or_default();
    if names.iter().any(|name| containers.has(name.trim_start_matches('/'))) {
        return Ok(false);
    }
    let holder = container.labels.as_ref().and_then(|labels| labels.get(HOLDER_LABEL));
    if let Some(gone) = holder.and_then(|holder| state::is_gone(holder)) {
        return Ok(gone);
    }
    match containers.daemon().options().instance {
        Instance::Exclusive(_) => Ok(true),
        Instance::Shared(_) => has_ended(containers, container).await,
    }
}

/// Returns whether the process has ended to which a container belongs.
async fn has_ended(containers: &Containers, container: &ContainerSummary) -> Result<bool, Fault> {
    let age = |since: SystemTime| since.elapsed().unwrap_or_default();
    let made = u64::try_from(container.created.unwrap_or_default()).unwrap_or_default();
    let made = age(SystemTime::UNIX_EPOCH + Duration::from_secs(made));
    match container.state {
        Some(ContainerSummaryStateEnum::CREATED) => Ok(made > NEVER_STARTED),
        Some(ContainerSummaryStateEnum::EXITED | ContainerSummaryStateEnum::DEAD) => {
            let Some(id) = &container.id else { return Ok(false) };
            match containers.state(id).await {
                Ok(state) => {
                    let ended = state.finished_at.and_then(|time| humantime::parse_rfc3339(&time).ok());
                    Ok(ended.map_or(made, age) > ENDED)
                }
                Err(Fault::Refused { status: 404, .. }) => Ok(false),
                Err(fault) => Err(fault),
            }
        }
        _ => Ok(false),
    }
}

fn failed(fault: Fault) -> Error {
    Error::caused("cannot look for containers left behind", fault.to_string())
}

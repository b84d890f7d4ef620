//! The network of jobs that may have one: a bridge of the instance's own, on which nobody reaches the Docker host, a
//! neighbour, a cloud's metadata, or a private network that is not allowed.
//!
//! The bridge lets no traffic pass between containers. The rest is a packet filter inside each container's own network
//! namespace, put there by a helper (`fallback/firewall.py`) before anything of a stranger runs in it: it needs nothing of
//! the host's own firewall, goes away with the container, and a job has no capability to change it. Routes would not do,
//! since a socket that is bound to a device ignores them.

use super::{
    container::Container,
    engine::{Engine, Fault},
    hardening::{self, INSTANCE_LABEL},
    helper,
    instance::Instance,
    versions,
};
use crate::{Error, Result};
use bollard::{
    models::{Network, NetworkCreateRequest},
    query_parameters::ListNetworksOptionsBuilder,
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Mutex;

/// How long it may take to wall off a container.
const GUARD: Duration = Duration::from_secs(20);
const BETWEEN_CONTAINERS: &str = "com.docker.network.bridge.enable_icc";

/// The network of jobs that may have one, and of containers in which layers are made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NetworkMode {
    /// A bridge of the instance's own: the public internet and [`DockerOptions::private_networks`], but neither the Docker
    /// host nor other containers.
    ///
    /// [`DockerOptions::private_networks`]: super::DockerOptions::private_networks
    #[default]
    Isolated,
    /// An existing network, or `host`, as it is.
    ///
    /// # Security
    ///
    /// Nothing is walled off: jobs reach what that network reaches, with `host` all services of the machine.
    Named(String),
}

/// Says what a container is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attachment {
    None,
    /// Our own bridge, by its id. Nothing of a stranger runs before [`guard`] has succeeded.
    Guarded(String),
    Named(String),
}

impl Attachment {
    /// Returns the network's mode, as the daemon wants it.
    pub(crate) fn mode(&self) -> &str {
        match self {
            Attachment::None => "none",
            Attachment::Guarded(network) | Attachment::Named(network) => network,
        }
    }
}

/// Holds what is known of the instance's own bridge.
#[derive(Default)]
pub(crate) struct Bridge {
    /// One at a time: a daemon takes two networks with one name.
    making: Mutex<()>,
    used: AtomicBool,
}

impl Bridge {
    /// Returns whether this process may be about to attach a container to it.
    pub(crate) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }
}

/// Returns the network for a container that may have one.
pub(crate) async fn attachment(engine: &Engine) -> Result<Attachment> {
    if let NetworkMode::Named(network) = &engine.options().network_mode {
        return Ok(Attachment::Named(network.clone()));
    }
    let failed = |fault: Fault| Error::caused("Docker makes no network for jobs", fault.to_string());
    let bridge = engine.bridge();
    let _making = bridge.making.lock().await;
    bridge.used.store(true, Ordering::Relaxed);
    if let Some(id) = first(own(engine).await.map_err(failed)?) {
        return Ok(Attachment::Guarded(id));
    }
    let instance = engine.options().instance.name();
    let request = NetworkCreateRequest {
        name: format!("pyexec-{instance}"),
        driver: Some("bridge".to_owned()),
        enable_ipv6: Some(false),
        options: Some(HashMap::from([(BETWEEN_CONTAINERS.to_owned(), "false".to_owned())])),
        labels: Some(HashMap::from([(INSTANCE_LABEL.to_owned(), instance.to_owned())])),
        ..NetworkCreateRequest::default()
    };
    let made = engine.work(engine.docker().create_network(request)).await;
    // Another process of the same instance may have made one at the same moment: the same one wins for both.
    let winner = first(own(engine).await.map_err(failed)?);
    match (made, winner) {
        (Ok(made), Some(winner)) if made.id != winner => {
            let _ = engine.work(engine.docker().remove_network(&made.id)).await;
            Ok(Attachment::Guarded(winner))
        }
        (_, Some(winner)) => Ok(Attachment::Guarded(winner)),
        (Err(fault), None) => Err(failed(fault)),
        (Ok(_), None) => Err(Error::unavailable("Docker has lost the network for jobs at once")),
    }
}

fn first(networks: Vec<Network>) -> Option<String> {
    networks.into_iter().filter_map(|network| network.id).min()
}

/// Returns the networks of this instance that hold its walls.
async fn own(engine: &Engine) -> Result<Vec<Network>, Fault> {
    let label = format!("{INSTANCE_LABEL}={}", engine.options().instance.name());
    let filters = HashMap::from([("label", vec![label])]);
    let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
    let mut found = engine.ask(engine.docker().list_networks(Some(options))).await?;
    found.retain(|network| {
        let walled = network.options.as_ref().and_then(|options| options.get(BETWEEN_CONTAINERS));
        network.driver.as_deref() == Some("bridge")
            && network.enable_ipv6 != Some(true)
            && walled.is_some_and(|between| between == "false")
    });
    Ok(found)
}

/// Walls off the network of `container`, which runs nothing of a stranger yet.
///
/// # Errors
///
/// Nothing may run in it then.
pub(crate) async fn guard(engine: &Arc<Engine>, container: &str) -> Result<()> {
    // The operator's own image: this helper may do more than any other.
    let base = versions::any(engine).await?;
    let options = engine.options();
    let body = hardening::firewall_body(&base.id, container, &options.private_networks, options.instance.name());
    let said = helper::run(engine, Container::make(engine, body, None).await?, GUARD).await?;
    if said.status == 0 && said.stdout.trim() == "guarded" {
        return Ok(());
    }
    Err(Error::unavailable(format!(
        "the network of a container cannot be walled off ({}): the Docker host needs nf_tables; or set PYEXEC_NETWORK_MODE to a \
         network that needs no walls",
        said.last_complaint()
    )))
}

/// Removes the instance's own networks that nothing is attached to.
pub(crate) async fn sweep(engine: &Engine) -> Result<(), Fault> {
    for network in own(engine).await? {
        let Some(id) = network.id else { continue };
        match engine.work(engine.docker().remove_network(&id)).await {
            // It is gone, or in use.
            Ok(()) | Err(Fault::Refused { status: 403 | 404 | 409, .. }) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

/// Removes the network when this process has used it and nobody else does.
pub(crate) async fn leave(engine: &Engine) {
    if !engine.bridge().used.swap(false, Ordering::Relaxed) {
        return;
    }
    // A container of another process that is not started yet would not start any more.
    let others = match engine.options().instance {
        Instance::Exclusive(_) => Ok(false),
        Instance::Shared(_) => engine.containers().await.map(|found| !found.is_empty()),
    };
    let left = match others {
        Ok(true) => Ok(()),
        Ok(false) => sweep(engine).await,
        Err(fault) => Err(fault),
    };
    if let Err(fault) = left {
        tracing::warn!(%fault, "the network of jobs is left to the next sweep");
    }
}

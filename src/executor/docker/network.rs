//! The network of jobs that may have one: a bridge of the instance's own, on which nobody reaches the Docker host, a
//! neighbour, a cloud's metadata, or a private network that is not allowed.
//!
//! The bridge lets no traffic pass between containers. The rest is a packet filter inside each container's own network
//! namespace, put there by a helper (`fallback/firewall.py`) before anything of a stranger runs in it: it needs nothing of
//! the host's own firewall, goes away with the container, and a job has no capability to change it. Routes would not do,
//! since a socket that is bound to a device ignores them.

use super::{
    container::{Container, Output, Waiting, not_started},
    containers::Containers,
    daemon::{Daemon, Fault},
    hardening::{self, Attachment, INSTANCE_LABEL, Spec},
    helper,
    images::Images,
    instance::Instance,
    options::NetworkMode,
    stdin_writer::Input,
};
use crate::{Error, Hint, Result};
use bollard::{
    models::{self, NetworkCreateRequest},
    query_parameters::ListNetworksOptionsBuilder,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Mutex;

/// How long it may take to isolate a container.
const GUARD: Duration = Duration::from_secs(20);
const BETWEEN_CONTAINERS: &str = "com.docker.network.bridge.enable_icc";

/// Holds the instance's own bridge, and starts the containers that are attached to it.
pub(crate) struct Network {
    images: Arc<Images>,
    /// One at a time: a daemon takes two networks with one name.
    making: Mutex<()>,
    used: AtomicBool,
    /// Says whether containers can have IPv6; nothing before one has started.
    has_ipv6: OnceLock<bool>,
}

impl Network {
    pub(crate) fn new(images: Arc<Images>) -> Arc<Network> {
        Arc::new(Network { images, making: Mutex::default(), used: AtomicBool::default(), has_ipv6: OnceLock::new() })
    }

    pub(crate) fn containers(&self) -> &Arc<Containers> {
        self.images.containers()
    }

    fn daemon(&self) -> &Daemon {
        self.containers().daemon()
    }

    /// Returns whether this process may be about to attach a container to it.
    pub(crate) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Starts a container in which the runner waits for a job, or soon will. Its network is isolated.
    pub(crate) async fn start(&self, spec: &Spec) -> Result<Waiting> {
        let containers = self.containers();
        let body = || hardening::body(spec, containers.user(), self.daemon().instance());
        let has_ipv6 = self.has_ipv6.get().copied();
        let first = if has_ipv6 == Some(false) { hardening::without_ipv6(body()) } else { body() };
        let mut container = Container::make(containers, first).await?;
        let streams = match container.attach_and_start().await {
            // The daemon does not say whether its kernel has IPv6: a container starts with it, or without.
            Err(Fault::Refused { .. }) if has_ipv6.is_none() => {
                container = Container::make(containers, hardening::without_ipv6(body())).await?;
                let streams = container.attach_and_start().await.map_err(not_started)?;
                if self.has_ipv6.set(false).is_ok() {
                    tracing::warn!("the kernel of Docker has no IPv6: in containers `localhost` is 127.0.0.1 only");
                }
                streams
            }
            started => {
                let streams = started.map_err(not_started)?;
                let _ = self.has_ipv6.set(true);
                streams
            }
        };
        self.isolated(container, streams, &spec.network).await
    }

    /// Starts a container that was made with `network`, and isolates that.
    pub(crate) async fn start_made(&self, container: Container, network: &Attachment) -> Result<Waiting> {
        let streams = container.attach_and_start().await.map_err(not_started)?;
        self.isolated(container, streams, network).await
    }

    async fn isolated(
        &self,
        container: Container,
        (input, output): (Input, Output),
        network: &Attachment,
    ) -> Result<Waiting> {
        if let Attachment::Guarded(_) = network {
            Box::pin(self.isolate(container.name())).await?;
        }
        Ok(Waiting { container, input, output })
    }

    /// Returns the network for a container that may have one, made where need be.
    pub(crate) async fn attachment(&self) -> Result<Attachment> {
        let daemon = self.daemon();
        if let NetworkMode::Named(network) = &daemon.options().network_mode {
            return Ok(Attachment::Named(network.clone()));
        }
        let failed = |fault: Fault| Error::caused("Docker makes no network for jobs", fault.to_string());
        let _making = self.making.lock().await;
        self.used.store(true, Ordering::Relaxed);
        if let Some(id) = first(self.own().await.map_err(failed)?) {
            return Ok(Attachment::Guarded(id));
        }
        let instance = daemon.instance();
        let request = NetworkCreateRequest {
            name: format!("pyexec-{instance}"),
            driver: Some("bridge".to_owned()),
            enable_ipv6: Some(false),
            options: Some(HashMap::from([(BETWEEN_CONTAINERS.to_owned(), "false".to_owned())])),
            labels: Some(HashMap::from([(INSTANCE_LABEL.to_owned(), instance.to_owned())])),
            ..NetworkCreateRequest::default()
        };
        let made = daemon.work(daemon.client().create_network(request)).await;
        // Another process of the same instance may have made one at the same moment: the same one wins for both.
        let winner = first(self.own().await.map_err(failed)?);
        match (made, winner) {
            (Ok(made), Some(winner)) if made.id != winner => {
                let _ = daemon.work(daemon.client().remove_network(&made.id)).await;
                Ok(Attachment::Guarded(winner))
            }
            (_, Some(winner)) => Ok(Attachment::Guarded(winner)),
            (Err(fault), None) => Err(failed(fault)),
            (Ok(_), None) => Err(Error::unavailable("Docker has lost the network for jobs at once")),
        }
    }

    /// Lists the networks of this instance on which containers do not reach each other.
    async fn own(&self) -> Result<Vec<models::Network>, Fault> {
        let daemon = self.daemon();
        let label = format!("{INSTANCE_LABEL}={}", daemon.instance());
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
        let mut found = daemon.ask(daemon.client().list_networks(Some(options))).await?;
        found.retain(|network| {
            let walled = network.options.as_ref().and_then(|options| options.get(BETWEEN_CONTAINERS));
            network.driver.as_deref() == Some("bridge")
                && network.enable_ipv6 != Some(true)
                && walled.is_some_and(|between| between == "false")
        });
        Ok(found)
    }

    /// Isolates the network of `container`, which runs nothing of a job's yet.
    ///
    /// # Errors
    ///
    /// Nothing may run in it then.
    async fn isolate(&self, container: &str) -> Result<()> {
        let daemon = self.daemon();
        // The operator's own image: this helper may do more than any other.
        let base = self.images.for_helpers().await?;
        let body = hardening::firewall_body(&base.id, container, &daemon.options().private_networks, daemon.instance());
        let output = helper::run(Container::make(self.containers(), body).await?, GUARD).await?;
        if output.status == 0 && output.stdout.trim() == "guarded" {
            return Ok(());
        }
        Err(Error::unavailable(format!(
            "the network of a container cannot be walled off ({}): the Docker host needs nf_tables",
            output.last_complaint()
        ))
        .with_hint(Hint::ChangeNetworkMode))
    }

    /// Removes the instance's own networks that nothing is attached to.
    pub(crate) async fn sweep(&self) -> Result<(), Fault> {
        let daemon = self.daemon();
        for network in self.own().await? {
            let Some(id) = network.id else { continue };
            match daemon.work(daemon.client().remove_network(&id)).await {
                // It is gone, or in use.
                Ok(()) | Err(Fault::Refused { status: 403 | 404 | 409, .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Removes the network when this process has used it and nobody else does.
    pub(crate) async fn leave(&self) {
        let daemon = self.daemon();
        if !self.used.swap(false, Ordering::Relaxed) {
            return;
        }
        // A container of another process that is not started yet would not start any more.
        let others = match daemon.options().instance {
            Instance::Exclusive(_) => Ok(false),
            Instance::Shared(_) => self.containers().list().await.map(|found| !found.is_empty()),
        };
        let left = match others {
            Ok(true) => Ok(()),
            Ok(false) => self.sweep().await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = left {
            tracing::warn!(%fault, "the network of jobs is left to the next sweep");
        }
    }
}

fn first(networks: Vec<models::Network>) -> Option<String> {
    networks.into_iter().filter_map(|network| network.id).min()
}

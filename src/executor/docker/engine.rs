//! The daemon: every call has a time by which it must have answered.

use super::{
    DockerOptions, Prepared,
    hardening::{INSTANCE_LABEL, Spec, USERS},
    images::Images,
    layers::Layers,
    network::{self, Attachment, Bridge},
    state::Holder,
    sweep,
    versions::Failures,
};
use crate::{Error, Limits, Result};
use bollard::{
    API_DEFAULT_VERSION, Docker,
    models::{ContainerState, ContainerSummary, SystemInfo},
    query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder},
};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

/// For calls that only ask.
const ASK: Duration = Duration::from_secs(10);
/// For calls that make or unmake something.
const WORK: Duration = Duration::from_secs(30);
/// How long the removal of a container is tried again. After that it is left to the next sweep.
const REMOVAL: Duration = Duration::from_secs(120);
const REMOVAL_PAUSE: Duration = Duration::from_millis(50);
const REMOVAL_PAUSE_MAX: Duration = Duration::from_secs(5);
/// After this a container that the daemon may have been told to make has appeared, or is left to the next sweep when this
/// process ends.
const APPEARANCE: Duration = Duration::from_secs(3);
/// Someone else is at a removal already.
pub(crate) const REMOVAL_CONFLICT: u16 = 409;

/// One daemon, and the containers that this process has there.
pub(crate) struct Engine {
    docker: Docker,
    options: DockerOptions,
    runtime: Handle,
    slots: Arc<Semaphore>,
    closing: watch::Sender<bool>,
    images: Images,
    layers: Layers,
    failures: Failures,
    bridge: Bridge,
    /// The user of the next container of a job.
    next_user: AtomicU32,
    /// Whether containers can have IPv6; nothing before one has started.
    has_ipv6: OnceLock<bool>,
    /// This process, as others find it.
    holder: Option<Holder>,
    /// Names of containers that exist, or may.
    live: Mutex<HashSet<String>>,
    /// Told when `live` becomes empty.
    gone: Condvar,
}

/// Says why a call failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The daemon answered no.
    Refused { status: u16, message: String },
    /// There was nobody to ask.
    Unreachable(String),
    /// It was asked, and what came of it is not known.
    Lost(String),
}

impl Engine {
    pub(crate) async fn connect(options: DockerOptions, runtime: Handle) -> Result<Arc<Engine>> {
        options.instance.check()?;
        let socket = options.socket.as_str();
        let hint = |fault: Fault| {
            Error::caused(
                format!("cannot use Docker at {socket} (does it run, and may this user use its socket?)"),
                fault.to_string(),
            )
        };
        if let Some(context) = socket.strip_prefix("context://") {
            return Err(Error::unavailable(format!(
                "there is no Docker context {context}, which DOCKER_CONTEXT or the settings of Docker's command name: \
                 `docker context ls` shows those that are there"
            )));
        }
        if let Some((scheme, _)) = socket.split_once("://")
            && !matches!(scheme, "unix" | "tcp" | "http")
        {
            return Err(Error::unavailable(format!(
                "Docker is at {socket}, as DOCKER_HOST or the context in use says, and only unix://PATH and \
                 tcp://HOST:PORT can be used: set PYEXEC_DOCKER_SOCKET to one of these, or forward its socket"
            )));
        }
        let seconds = WORK.as_secs();
        let docker = if socket.starts_with("tcp://") || socket.starts_with("http://") {
            Docker::connect_with_http(socket, seconds, API_DEFAULT_VERSION)
        } else {
            Docker::connect_with_unix(socket, seconds, API_DEFAULT_VERSION)
        };
        let docker = docker.map_err(|error| hint(error.into()))?;
        let docker = within(ASK, docker.negotiate_version()).await.map_err(hint)?;
        let info = within(ASK, docker.info()).await.map_err(hint)?;
        check_limits(&info, options.allow_unenforced_limits)?;
        Ok(Arc::new(Engine {
            docker,
            slots: Arc::new(Semaphore::new(options.slots as usize)),
            images: Images::new(),
            layers: Layers::new(options.builds),
            failures: Failures::default(),
            holder: Holder::take(),
            has_ipv6: OnceLock::new(),
            // Other processes begin elsewhere.
            next_user: AtomicU32::new(uuid::Uuid::new_v4().as_fields().0),
            bridge: Bridge::default(),
            options,
            runtime,
            closing: watch::Sender::new(false),
            live: Mutex::default(),
            gone: Condvar::new(),
        }))
    }

    pub(crate) fn docker(&self) -> &Docker {
        &self.docker
    }

    pub(crate) fn options(&self) -> &DockerOptions {
        &self.options
    }

    pub(crate) fn images(&self) -> &Images {
        &self.images
    }

    pub(crate) fn layers(&self) -> &Layers {
        &self.layers
    }

    pub(crate) fn failures(&self) -> &Failures {
        &self.failures
    }

    /// Returns a user that no other container of this process has had for long.
    pub(crate) fn user(&self) -> u32 {
        let next = self.next_user.fetch_add(1, Ordering::Relaxed);
        USERS.start + next % (USERS.end - USERS.start)
    }

    /// Returns the name of this process on its containers.
    pub(crate) fn holder(&self) -> Option<&str> {
        self.holder.as_ref().map(Holder::name)
    }

    pub(crate) fn has_ipv6(&self) -> &OnceLock<bool> {
        &self.has_ipv6
    }

    pub(crate) fn bridge(&self) -> &Bridge {
        &self.bridge
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Waits for a slot.
    pub(crate) async fn slot(&self) -> Result<OwnedSemaphorePermit> {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        slot.map_err(|_| Error::unavailable("the executor is shutting down"))
    }

    /// Describes the container for a job of these limits, in this place.
    pub(crate) fn spec(&self, limits: Limits, prepared: &Prepared, network: Attachment) -> Spec {
        let options = &self.options;
        Spec {
            image: prepared.image(),
            limits: limits.into(),
            network,
            cpu_shares: prepared.placement().cpu_shares.unwrap_or(options.cpu_shares),
            pids_max: options.pids_max,
            dns: options.dns.clone(),
            preload: Vec::new(),
        }
    }

    pub(crate) async fn ask<T>(&self, call: impl Future<Output = Reply<T>>) -> Result<T, Fault> {
        within(ASK, call).await
    }

    pub(crate) async fn work<T>(&self, call: impl Future<Output = Reply<T>>) -> Result<T, Fault> {
        within(WORK, call).await
    }

    pub(crate) async fn state(&self, name: &str) -> Result<ContainerState, Fault> {
        Ok(self.ask(self.docker.inspect_container(name, None)).await?.state.unwrap_or_default())
    }

    /// Notes that `name` may exist from now on.
    pub(crate) fn expect(&self, name: &str) {
        self.live().insert(name.to_owned());
    }

    /// Notes that `name` does not exist, or is left to the next sweep.
    pub(crate) fn forget(&self, name: &str) {
        let mut live = self.live();
        live.remove(name);
        if live.is_empty() {
            self.gone.notify_all();
        }
    }

    /// Returns whether `name` is a container of this process.
    pub(crate) fn owns(&self, name: &str) -> bool {
        self.live().contains(name)
    }

    fn live(&self) -> MutexGuard<'_, HashSet<String>> {
        lock(&self.live)
    }

    /// Ends and removes a container in the background. When it is not `certain` that the daemon has made it, it may yet
    /// appear.
    pub(crate) fn remove_later(self: &Arc<Engine>, name: String, certain: bool, slot: Option<OwnedSemaphorePermit>) {
        let engine = Arc::clone(self);
        let mut slot = slot;
        let mut closing = self.closing();
        self.runtime.spawn(async move {
            let began = Instant::now();
            let until = began + REMOVAL;
            let mut pause = REMOVAL_PAUSE;
            loop {
                match engine.remove(&name).await {
                    Ok(()) if certain => break,
                    Ok(()) if *closing.borrow() && began.elapsed() >= APPEARANCE => break,
                    Ok(()) => drop(slot.take()),
                    Err(Fault::Refused { status: REMOVAL_CONFLICT, .. }) => {}
                    Err(fault) => {
                        tracing::warn!(container = name, %fault, "a container is not removed yet");
                        // Who takes the slot next hears of the daemon's troubles without waiting for their end.
                        drop(slot.take());
                    }
                }
                if Instant::now() >= until {
                    if certain {
                        tracing::error!(container = name, "a container is left behind");
                    }
                    break;
                }
                if *closing.borrow() {
                    tokio::time::sleep(REMOVAL_PAUSE).await;
                } else {
                    // A shutdown does not wait for the end of a pause.
                    let _ = tokio::time::timeout(pause, closing.wait_for(|closing| *closing)).await;
                    pause = (pause * 2).min(REMOVAL_PAUSE_MAX);
                }
            }
            drop(slot);
            engine.forget(&name);
        });
    }

    /// Ends and removes a container with its volumes; well when it is not there.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Fault> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.work(self.docker.remove_container(name, Some(options))).await {
            Err(Fault::Refused { status: 404, .. }) => Ok(()),
            other => other,
        }
    }

    /// Lists all containers of this instance, of any process.
    pub(crate) async fn containers(&self) -> Result<Vec<ContainerSummary>, Fault> {
        let label = format!("{INSTANCE_LABEL}={}", self.options.instance.name());
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        self.ask(self.docker.list_containers(Some(options))).await
    }

    pub(crate) fn close(&self) {
        self.slots.close();
        self.closing.send_replace(true);
    }

    pub(crate) async fn shutdown(&self) -> Result<()> {
        self.close();
        let until = Instant::now() + WORK;
        while !self.live().is_empty() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.live().clear();
        network::leave(self).await;
        sweep::sweep(self).await.map(drop)
    }

    /// Blocks until all containers are gone, or it has taken too long.
    pub(crate) fn wait_until_gone(&self, longest: Duration) {
        let waited = self.gone.wait_timeout_while(self.live(), longest, |live| !live.is_empty());
        let (live, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !live.is_empty() {
            tracing::warn!(containers = live.len(), "containers are left to the next sweep");
        }
    }
}

/// Locks what is whole at every moment, whoever panicked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Reply<T> = std::result::Result<T, bollard::errors::Error>;

async fn within<T>(longest: Duration, call: impl Future<Output = Reply<T>>) -> Result<T, Fault> {
    match tokio::time::timeout(longest, call).await {
        Ok(reply) => reply.map_err(Fault::from),
        Err(_) => Err(Fault::Lost(format!("no answer from Docker in {} s", longest.as_secs()))),
    }
}

fn check_limits(info: &SystemInfo, allow: bool) -> Result<()> {
    let missing: Vec<_> = [("memory", info.memory_limit), ("processes", info.pids_limit), ("CPU", info.cpu_shares)]
        .into_iter()
        .filter_map(|(what, held)| (held != Some(true)).then_some(what))
        .collect();
    if info.swap_limit != Some(true) {
        tracing::warn!("this Docker cannot limit swap: jobs may use it beyond their memory");
    }
    let has_seccomp = info.security_options.iter().flatten().any(|option| option.contains("seccomp"));
    if !has_seccomp {
        tracing::warn!("this Docker has no seccomp: jobs can make every system call");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let what = missing.join(", ");
    if allow {
        tracing::warn!("this Docker does not limit {what}: jobs can exhaust the machine");
        return Ok(());
    }
    Err(Error::unavailable(format!(
        "this Docker does not limit {what} (a rootless one needs cgroup v2 with these delegated): jobs could exhaust the \
         machine; allow unenforced limits to use it all the same"
    )))
}

impl From<bollard::errors::Error> for Fault {
    fn from(error: bollard::errors::Error) -> Fault {
        use bollard::errors::Error as E;
        match error {
            E::DockerResponseServerError { status_code, message } => Fault::Refused { status: status_code, message },
            E::SocketNotFoundError(path) => Fault::Unreachable(format!("there is no socket {path}")),
            E::HyperLegacyError { err } if err.is_connect() => Fault::Unreachable(sources(&err)),
            error => Fault::Lost(sources(&error)),
        }
    }
}

/// Words an error with its causes, which alone say what is wrong.
fn sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Refused { status, message } => write!(f, "{message} (status {status})"),
            Fault::Unreachable(message) | Fault::Lost(message) => f.write_str(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_does_not_hold_limits_is_refused_unless_allowed() {
        let held = SystemInfo {
            memory_limit: Some(true),
            pids_limit: Some(true),
            cpu_shares: Some(true),
            swap_limit: Some(true),
            ..SystemInfo::default()
        };
        assert!(check_limits(&held, false).is_ok());
        let rootless = SystemInfo { memory_limit: Some(false), pids_limit: None, ..held };
        let refusal = check_limits(&rootless, false).expect_err("refused").to_string();
        assert!(refusal.contains("does not limit memory, processes"), "{refusal}");
        assert!(check_limits(&rootless, true).is_ok());
    }
}

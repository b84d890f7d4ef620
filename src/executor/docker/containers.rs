//! The containers that this process has, or may have: their names, their users, and their removal.

use super::{
    daemon::{Daemon, Fault},
    hardening::{INSTANCE_LABEL, USERS},
    state::Holder,
};
use bollard::{
    models::{ContainerState, ContainerSummary},
    query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How long the removal of a container is tried again. After that it is left to the next sweep.
const REMOVAL: Duration = Duration::from_secs(120);
const REMOVAL_PAUSE: Duration = Duration::from_millis(50);
const REMOVAL_PAUSE_MAX: Duration = Duration::from_secs(5);
/// After this a container that the daemon may have been told to make has appeared, or is left to the next sweep when this
/// process ends.
const APPEARANCE: Duration = Duration::from_secs(3);
/// Least number of containers that may be on their way out at a time.
const LEAVING_MAX_MIN: usize = 8;
/// Someone else is at a removal already.
pub(crate) const REMOVAL_CONFLICT: u16 = 409;

/// Lists this process's containers on one daemon.
pub(crate) struct Containers {
    daemon: Arc<Daemon>,
    /// This process, as others find it.
    holder: Option<Holder>,
    /// The user of the next container of a job.
    next_user: AtomicU32,
    /// Names of containers that exist, or may.
    live: watch::Sender<HashSet<String>>,
    /// How many are being removed.
    leaving: watch::Sender<usize>,
}

/// A container that is being removed.
struct Leaving(Arc<Containers>);

impl Leaving {
    fn new(containers: Arc<Containers>) -> Leaving {
        containers.leaving.send_modify(|leaving| *leaving += 1);
        Leaving(containers)
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.leaving.send_modify(|leaving| *leaving -= 1);
    }
}

impl Containers {
    pub(crate) fn new(daemon: Arc<Daemon>) -> Arc<Containers> {
        Arc::new(Containers {
            daemon,
            holder: Holder::take(),
            // Other processes begin elsewhere.
            next_user: AtomicU32::new(uuid::Uuid::new_v4().as_fields().0),
            live: watch::Sender::default(),
            leaving: watch::Sender::default(),
        })
    }

    pub(crate) fn daemon(&self) -> &Arc<Daemon> {
        &self.daemon
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

    /// Asks for the state of a container.
    pub(crate) async fn state(&self, name: &str) -> Result<ContainerState, Fault> {
        let found = self.daemon.ask(self.daemon.client().inspect_container(name, None)).await?;
        Ok(found.state.unwrap_or_default())
    }

    /// Waits until there is room for one more: of those that no job has any more only so many may be left. No job runs
    /// in them, but they may have what it has not given back.
    pub(crate) async fn room(&self) {
        let leaving_max = (self.daemon.options().slots as usize).max(LEAVING_MAX_MIN);
        let mut leaving = self.leaving.subscribe();
        // The sender is as old as this is.
        let _ = leaving.wait_for(|leaving| *leaving < leaving_max).await;
    }

    /// Notes that `name` may exist from now on.
    pub(crate) fn expect(&self, name: &str) {
        self.live.send_modify(|live| {
            live.insert(name.to_owned());
        });
    }

    /// Notes that `name` does not exist, or is left to the next sweep.
    pub(crate) fn forget(&self, name: &str) {
        self.live.send_modify(|live| {
            live.remove(name);
        });
    }

    /// Returns whether `name` is a container of this process.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.live.borrow().contains(name)
    }

    /// Removes a container in the background, whatever runs in it.
    ///
    /// When it is not `certain` that the daemon has made it, it may yet appear.
    pub(crate) fn remove_later(self: &Arc<Containers>, name: String, certain: bool) {
        let containers = Arc::clone(self);
        let mut leaving = Some(Leaving::new(Arc::clone(self)));
        let mut closing = self.daemon.closing();
        self.daemon.runtime().spawn(async move {
            let began = Instant::now();
            let until = began + REMOVAL;
            let mut pause = REMOVAL_PAUSE;
            loop {
                match containers.remove(&name).await {
                    Ok(()) if certain => break,
                    Ok(()) if *closing.borrow() && began.elapsed() >= APPEARANCE => break,
                    Ok(()) => drop(leaving.take()),
                    Err(Fault::Refused { status: REMOVAL_CONFLICT, .. }) => {}
                    Err(fault) => {
                        tracing::warn!(container = name, %fault, "a container is not removed yet");
                        // The next job hears of the daemon's faults itself: it does not wait for the end of these.
                        drop(leaving.take());
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
            drop(leaving);
            containers.forget(&name);
        });
    }

    /// Removes a container with its volumes, whatever runs in it; succeeds when it is not there.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Fault> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.daemon.work(self.daemon.client().remove_container(name, Some(options))).await {
            Err(Fault::Refused { status: 404, .. }) => Ok(()),
            other => other,
        }
    }

    /// Lists all containers of this instance, those of other processes as well.
    pub(crate) async fn list(&self) -> Result<Vec<ContainerSummary>, Fault> {
        let label = format!("{INSTANCE_LABEL}={}", self.daemon.instance());
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        self.daemon.ask(self.daemon.client().list_containers(Some(options))).await
    }

    /// Waits until this process has no container any more, but not longer than `longest`.
    pub(crate) async fn wait_until_gone(&self, longest: Duration) {
        let mut live = self.live.subscribe();
        if tokio::time::timeout(longest, live.wait_for(HashSet::is_empty)).await.is_err() {
            let left = self.live.send_replace(HashSet::new());
            tracing::warn!(containers = left.len(), "containers are left to the next sweep");
        }
    }
}

//! One container, from its creation to its removal.

use super::{
    containers::Containers,
    daemon::{Daemon, Fault},
    hardening::HOLDER_LABEL,
    stdin_writer::Input,
};
use crate::{Error, Result};
use bollard::{
    container::LogOutput,
    models::{ContainerCreateBody, ContainerState},
    query_parameters::{
        AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, KillContainerOptionsBuilder, StatsOptionsBuilder,
    },
};
use futures_util::{FutureExt, Stream, StreamExt};
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// How long an end may wait for the container's.
const KILL: Duration = Duration::from_secs(1);
/// How long an end may wait for the number of the container's processes.
const COUNT: Duration = Duration::from_millis(300);

/// Streams what comes out of a container.
pub(crate) type Output = Pin<Box<dyn Stream<Item = std::result::Result<LogOutput, bollard::errors::Error>> + Send>>;

/// A container, and the ways into and out of it.
pub(crate) struct Waiting {
    pub(crate) container: Container,
    pub(crate) input: Input,
    pub(crate) output: Output,
}

impl Waiting {
    /// Returns whether its runner waits as far as is known. It says nothing while it waits.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.output.next().now_or_never().is_none()
    }
}

/// A container. Dropping it ends and removes it in the background.
pub(crate) struct Container {
    containers: Arc<Containers>,
    name: String,
    made: Made,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    No,
    Perhaps,
    Yes,
}

impl Container {
    /// Makes a container, and does not start it.
    ///
    /// It is made in a task of its own: who waits for it may be dropped at any moment, but the daemon finishes what it was
    /// told.
    pub(crate) async fn make(containers: &Arc<Containers>, body: ContainerCreateBody) -> Result<Container> {
        containers.room().await;
        let mut body = body;
        if let Some(holder) = containers.holder() {
            body.labels.get_or_insert_default().insert(HOLDER_LABEL.to_owned(), holder.to_owned());
        }
        let mut container = Container {
            containers: Arc::clone(containers),
            name: format!("pyexec-{}", uuid::Uuid::new_v4().simple()),
            made: Made::No,
        };
        let (sender, receiver) = oneshot::channel();
        containers.daemon().runtime().spawn(async move {
            let options = CreateContainerOptionsBuilder::default().name(&container.name).build();
            let containers = Arc::clone(&container.containers);
            containers.expect(&container.name);
            container.made = Made::Perhaps;
            let created =
                containers.daemon().work(containers.daemon().client().create_container(Some(options), body)).await;
            container.made = match &created {
                Ok(_) => Made::Yes,
                Err(Fault::Lost(_)) => Made::Perhaps,
                Err(Fault::Refused { .. } | Fault::Unreachable(_)) => Made::No,
            };
            // When nobody waits any more, it comes back and is dropped here.
            let _ = sender.send(created.map_err(not_started).map(|_| container));
        });
        receiver.await.unwrap_or_else(|_| Err(Error::unavailable("making the container was cut off")))
    }

    pub(crate) async fn attach_and_start(&self) -> Result<(Input, Output), Fault> {
        let daemon = self.daemon();
        let options =
            AttachContainerOptionsBuilder::default().stdin(true).stdout(true).stderr(true).stream(true).build();
        let attached = daemon.ask(daemon.client().attach_container(&self.name, Some(options))).await?;
        daemon.work(daemon.client().start_container(&self.name, None)).await?;
        Ok((attached.input, attached.output))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn daemon(&self) -> &Daemon {
        self.containers.daemon()
    }

    /// Asks the daemon for its state.
    pub(crate) async fn state(&self) -> Result<ContainerState, Fault> {
        self.containers.state(&self.name).await
    }

    /// Returns whether it has as many processes as it may; no when the daemon does not answer at once.
    pub(crate) async fn has_all_processes(&self) -> bool {
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let mut stats = Box::pin(self.daemon().client().stats(&self.name, Some(options)));
        let Ok(Some(Ok(stats))) = tokio::time::timeout(COUNT, stats.next()).await else { return false };
        let pids = stats.pids_stats.unwrap_or_default();
        pids.limit.is_some_and(|limit| limit > 0 && pids.current >= Some(limit))
    }

    /// Stops all that runs in it, until it is resumed.
    pub(crate) async fn pause(&self) -> Result<(), Fault> {
        self.daemon().ask(self.daemon().client().pause_container(&self.name)).await
    }

    pub(crate) async fn resume(&self) -> Result<(), Fault> {
        self.daemon().ask(self.daemon().client().unpause_container(&self.name)).await
    }

    /// Kills everything in it, and does not wait long for an answer: removing it kills, too.
    pub(crate) async fn kill(&self) {
        let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        let killed = self.daemon().client().kill_container(&self.name, Some(options));
        let _ = tokio::time::timeout(KILL, killed).await;
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        match self.made {
            Made::No => self.containers.forget(&self.name),
            made => self.containers.remove_later(std::mem::take(&mut self.name), made == Made::Yes),
        }
    }
}

pub(crate) fn not_started(fault: Fault) -> Error {
    Error::caused("Docker does not start a container", fault.to_string())
}

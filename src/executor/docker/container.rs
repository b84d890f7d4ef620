//! One container, from its creation to its removal.

use super::{
    engine::{Engine, Fault},
    feed::Input,
    hardening::{self, Spec},
};
use crate::{Error, Result};
use bollard::{
    container::LogOutput,
    query_parameters::{AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, KillContainerOptionsBuilder},
};
use futures_util::{FutureExt, Stream, StreamExt};
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// How long an end may wait for the container's.
const KILL: Duration = Duration::from_secs(1);

/// What comes out of a container.
pub(crate) type Output = Pin<Box<dyn Stream<Item = std::result::Result<LogOutput, bollard::errors::Error>> + Send>>;

/// A container, and the ways into and out of it.
pub(crate) struct Waiting {
    pub(crate) container: Container,
    pub(crate) input: Input,
    pub(crate) output: Output,
}

impl Waiting {
    /// Whether its runner waits as far as is known. It says nothing while it waits.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.output.next().now_or_never().is_none()
    }
}

/// A container, and its slot when a job has it. Dropping it ends and removes the one in the background, and then gives back the other.
pub(crate) struct Container {
    engine: Arc<Engine>,
    name: String,
    slot: Option<OwnedSemaphorePermit>,
    made: Made,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    No,
    Perhaps,
    Yes,
}

impl Container {
    /// A container with the runner in it, waiting for a job, or soon.
    pub(crate) async fn start(engine: &Arc<Engine>, spec: Spec, slot: Option<OwnedSemaphorePermit>) -> Result<Waiting> {
        let image = spec.image.clone();
        let container = Container {
            engine: Arc::clone(engine),
            name: format!("pyexec-{}", uuid::Uuid::new_v4().simple()),
            slot,
            made: Made::No,
        };
        let volumes = engine.volumes_of(&image).await.map_err(|fault| not_started(fault, &image))?;
        if !volumes.is_empty() {
            let volumes = volumes.join(", ");
            return Err(Error::unavailable(format!(
                "the image {image:?} declares volumes ({volumes}), which no limit holds: make one without VOLUME"
            )));
        }
        let container = container.create(spec).await?;
        let started = container.attach_and_start().await;
        let (input, output) = started.map_err(|fault| not_started(fault, &image))?;
        Ok(Waiting { container, input, output })
    }

    /// In a task of its own: who waits for it may be dropped at any moment, but the daemon finishes what it was told.
    async fn create(mut self, spec: Spec) -> Result<Container> {
        let (sender, receiver) = oneshot::channel();
        let runtime = self.engine.runtime().clone();
        runtime.spawn(async move {
            let options = CreateContainerOptionsBuilder::default().name(&self.name).build();
            let body = hardening::body(&spec, &self.engine.options().instance);
            self.engine.expect(&self.name);
            self.made = Made::Perhaps;
            let created = self.engine.work(self.engine.docker().create_container(Some(options), body)).await;
            self.made = match &created {
                Ok(_) => Made::Yes,
                Err(Fault::Lost(_)) => Made::Perhaps,
                Err(Fault::Refused { .. } | Fault::Unreachable(_)) => Made::No,
            };
            let created = created.map_err(|fault| not_started(fault, &spec.image));
            // When nobody waits any more, it comes back and is dropped here.
            let _ = sender.send(created.map(|_| self));
        });
        receiver.await.unwrap_or_else(|_| Err(Error::unavailable("making the container was cut off")))
    }

    async fn attach_and_start(&self) -> std::result::Result<(Input, Output), Fault> {
        let docker = self.engine.docker();
        let options =
            AttachContainerOptionsBuilder::default().stdin(true).stdout(true).stderr(true).stream(true).build();
        let attached = self.engine.ask(docker.attach_container(&self.name, Some(options))).await?;
        self.engine.work(docker.start_container(&self.name, None)).await?;
        Ok((attached.input, attached.output))
    }

    /// From now on it is a job's.
    pub(crate) fn hold(&mut self, slot: Option<OwnedSemaphorePermit>) {
        self.slot = slot;
    }

    /// It is no job's any more.
    pub(crate) fn release(mut self) -> Option<OwnedSemaphorePermit> {
        self.slot.take()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Kills everything in it, and does not wait long for an answer: removing it kills, too.
    pub(crate) async fn kill(&self) {
        let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        let killed = self.engine.docker().kill_container(&self.name, Some(options));
        let _ = tokio::time::timeout(KILL, killed).await;
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        match self.made {
            Made::No => self.engine.forget(&self.name),
            made => self.engine.remove_later(std::mem::take(&mut self.name), made == Made::Yes, self.slot.take()),
        }
    }
}

fn not_started(fault: Fault, image: &str) -> Error {
    match &fault {
        Fault::Refused { status: 404, message } if message.contains("No such image") => Error::unavailable(format!(
            "Docker has no image {image:?}, and none is fetched for a job: `docker pull {image}` on its machine"
        )),
        _ => Error::caused("Docker does not start a container", fault.to_string()),
    }
}

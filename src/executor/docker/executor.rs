//! The tier as others see it, and how it is put together.

use super::{
    build::Builder,
    cells,
    containers::Containers,
    daemon::Daemon,
    images::{self, Images},
    interpreter::Interpreter,
    layers::Layers,
    network::Network,
    options::DockerOptions,
    placement::Placement,
    pool::PoolStats,
    prepare::{Preparation, Prepared},
    progress::Progress,
    run::{self, Runner},
    sweep,
    versions::Versions,
};
use crate::{
    Error, ResolvedJob, Result,
    executor::{
        Call, Executor, Frozen, Observer, Provisioned, Provisions, Question, Run, Session, SessionFile, SessionSpec,
    },
    outcome::{JsonText, Tier},
};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use std::{sync::Arc, time::Duration};
use tokio::{
    runtime::{Handle, Runtime},
    task::{AbortHandle, JoinHandle},
};

const NO_FILES: &str = "the files of a script are reached by the script only: they can be collected at its end";

/// How long containers may take to go away when an executor is dropped.
const GONE_AT_DROP: Duration = Duration::from_secs(5);
/// How long they may take at an orderly shutdown.
const GONE_AT_SHUTDOWN: Duration = Duration::from_secs(30);

/// Runs jobs in containers.
///
/// It has threads of its own, so that containers are removed even when the runtime of a caller ends. Dropping it waits
/// some seconds for that; [`DockerExecutor::shutdown`] is the orderly way.
pub struct DockerExecutor {
    runner: Arc<Runner>,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl DockerExecutor {
    /// Connects to the daemon, checks that it holds limits, and removes what an earlier process of the same instance left
    /// behind. Blocks the thread while it does, for half a minute at most.
    ///
    /// # Errors
    ///
    /// When the daemon cannot be reached, does not answer, or does not hold limits.
    pub fn connect(options: DockerOptions) -> Result<DockerExecutor> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("pyexec-docker")
            .enable_all()
            .build()
            .map_err(|e| Error::caused("cannot start threads for Docker", e))?;
        let handle = runtime.handle().clone();
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        runtime.spawn(async move {
            // Nobody is there to hear it only when the thread that waits has gone with its process.
            let _ = sender.send(start(options, handle).await);
        });
        let connected = receiver.recv().unwrap_or_else(|_| Err(Error::unavailable("connecting to Docker was cut off")));
        match connected {
            Ok(runner) => Ok(DockerExecutor { runner, runtime: Some(runtime) }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Refuses what it would refuse when the job runs, as far as that is known beforehand.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when the image is not allowed, or the job asks for what containers do not have.
    pub(crate) fn check(&self, job: &ResolvedJob, python: Option<&str>) -> Result<()> {
        run::check(&job.limits, &job.project, &job.script, &job.containers.pre_commands)?;
        images::choose(self.runner.daemon().options(), python, job.containers.image.as_deref()).map(drop)
    }

    /// Returns what the image of a job has.
    ///
    /// # Errors
    ///
    /// When the image is not allowed, not there and cannot be fetched, or has no usable Python.
    pub(crate) async fn interpreter(&self, placement: &Placement, progress: Progress) -> Result<Interpreter> {
        let (runner, placement) = (Arc::clone(&self.runner), placement.clone());
        open(&self.runner, async move { runner.preparation().interpreter(&placement, &progress).await }.boxed()).await
    }

    /// Returns what [`DockerExecutor::prepare`] would, if nothing is added to the image and the daemon need not be asked.
    pub(crate) async fn known(&self, placement: &Placement) -> Option<Prepared> {
        self.runner.preparation().known(placement).await
    }

    /// Fetches the image and makes the layer that `placement` takes, unless they are there. `progress` is told what
    /// happens. Jobs that want the same at the same time wait for the same.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when the image is not allowed, or a command or an installation fails;
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the image cannot be fetched or the daemon is at fault.
    pub async fn prepare(&self, placement: &Placement, progress: Progress) -> Result<Prepared> {
        let (runner, placement) = (Arc::clone(&self.runner), placement.clone());
        open(&self.runner, async move { runner.preparation().prepare(&placement, &progress).await }.boxed()).await
    }

    /// Returns what its pool has and did.
    pub fn pool_stats(&self) -> PoolStats {
        self.runner.pool().stats()
    }

    /// Removes containers of this instance that nobody has, as [`Instance`](super::Instance) says, and returns how many.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer.
    pub async fn sweep(&self) -> Result<usize> {
        let runner = Arc::clone(&self.runner);
        detached(&self.runner, async move { sweep::sweep(runner.network()).await }.boxed()).await
    }

    /// Ends all jobs and builds, waits until their containers are gone, and sweeps. Layers stay.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer.
    pub async fn shutdown(&self) -> Result<()> {
        let runner = Arc::clone(&self.runner);
        detached(
            &self.runner,
            async move {
                runner.close();
                runner.leave(GONE_AT_SHUTDOWN).await;
                sweep::sweep(runner.network()).await.map(drop)
            }
            .boxed(),
        )
        .await
    }
}

/// Does [detached] work, until a shutdown.
async fn open<T: Send + 'static>(runner: &Runner, work: BoxFuture<'static, Result<T>>) -> Result<T> {
    let mut closing = runner.daemon().closing();
    let open = async move {
        tokio::select! {
            done = work => done,
            _ = closing.wait_for(|closing| *closing) => Err(Error::unavailable("the executor is shutting down")),
        }
    };
    detached(runner, open.boxed()).await
}

/// Runs `work` on threads of the executor, until the returned future is dropped. In a box it is not copied, and takes no
/// room on the stack of a caller.
async fn detached<T: Send + 'static>(runner: &Runner, work: BoxFuture<'static, Result<T>>) -> Result<T> {
    let task: JoinHandle<_> = runner.daemon().runtime().spawn(work);
    let _abort = AbortOnDrop(task.abort_handle());
    task.await.unwrap_or_else(|fault| Err(Error::caused("running the job in Docker failed", fault)))
}

/// Connects to the daemon, puts the tier together from the bottom up, and removes what is left behind.
async fn start(options: DockerOptions, runtime: Handle) -> Result<Arc<Runner>> {
    let daemon = Daemon::connect(options, runtime).await?;
    let images = Images::new(Containers::new(Arc::clone(&daemon)));
    let network = Network::new(Arc::clone(&images));
    sweep::sweep(&network).await?;
    let builder = Builder::new(Arc::clone(&network));
    let layers = Layers::new(daemon, Arc::clone(&builder));
    layers.evict().await;
    let versions = Versions::new(Arc::clone(&images), builder);
    Ok(Runner::new(network, Preparation::new(images, layers, versions)))
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for DockerExecutor {
    fn drop(&mut self) {
        self.runner.close();
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let runner = Arc::clone(&self.runner);
        self.runner.daemon().runtime().spawn(async move {
            runner.leave(GONE_AT_DROP).await;
            let _ = sender.send(());
        });
        let _ = receiver.recv_timeout(2 * GONE_AT_DROP);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[async_trait::async_trait]
impl Executor for DockerExecutor {
    fn tier(&self) -> Tier {
        Tier::Docker
    }

    async fn open(&self, provisioned: Provisioned, spec: SessionSpec) -> Result<Box<dyn Session>> {
        let Provisions::Docker(prepared) = provisioned.0 else {
            return Err(Error::invalid("packages for WebAssembly are nothing for a container"));
        };
        let runner = Arc::clone(&self.runner);
        if !spec.lives_on {
            return Ok(Box::new(ScriptSession { runner, prepared, spec: Some(spec) }));
        }
        let opening = open(&self.runner, async move { cells::open(runner, spec, prepared).await }.boxed());
        Ok(Box::new(opening.await?))
    }

    async fn thaw(&self, _: &Frozen, _: Provisioned, _: SessionSpec) -> Result<Box<dyn Session>> {
        Err(Error::invalid("a session in a container cannot be frozen"))
    }
}

/// A session whose container starts with its call, and ends with it.
struct ScriptSession {
    runner: Arc<Runner>,
    prepared: Prepared,
    /// `None` once it has had its call.
    spec: Option<SessionSpec>,
}

#[async_trait::async_trait]
impl Session for ScriptSession {
    async fn call(&mut self, call: Call, observer: Box<dyn Observer>) -> Result<Run> {
        // A container ends with its script.
        let Some(spec) = self.spec.take() else {
            return Err(Error::invalid("this session has had its call: open another one"));
        };
        let (runner, prepared) = (Arc::clone(&self.runner), self.prepared.clone());
        open(&self.runner, async move { runner.run(spec, call, prepared, observer).await }.boxed()).await
    }

    async fn ask(&mut self, question: Question) -> Result<JsonText> {
        Err(Error::invalid(format!("a script answers no questions ({})", question.name())))
    }

    async fn freeze(&mut self) -> Result<Frozen> {
        Err(Error::invalid("a session in a container cannot be frozen"))
    }

    async fn list_files(&mut self) -> Result<Vec<SessionFile>> {
        Err(Error::invalid(NO_FILES))
    }

    async fn read_file(&mut self, _: &str) -> Result<Bytes> {
        Err(Error::invalid(NO_FILES))
    }

    async fn write_file(&mut self, _: &str, _: Bytes) -> Result<()> {
        Err(Error::invalid(NO_FILES))
    }

    async fn remove_file(&mut self, _: &str) -> Result<()> {
        Err(Error::invalid(NO_FILES))
    }

    fn is_alive(&self) -> bool {
        self.spec.is_some()
    }
}

//! The Docker tier: each job in a container of its own, hardened, gone afterwards.
//!
//! **Architecture invariant:** bollard is known only here. Reading order: `prepare` is what must be there before a job,
//! `images` its image and `layers` what is added to that, made by `build` from commands and from a `folder`, once for all
//! who wait (`flights`); `versions` has an image made where none can be fetched; `run` is the life of a job; `container` makes what it runs in, with `hardening` as the whole of
//! what a container may do, and removes it; `pool` has some of them ready; `network` walls off those that have one; `feed`
//! and `frames` are the conversation with `fallback/runner/`, which runs in there, and `told` what comes of it; `engine`
//! is the daemon and its faults, `instance`, `state` and `sweep` are whose is what, and what becomes of what is left.
//!
//! What holds the job is the kernel, told by the daemon: the runner has the job's own user, so nothing is believed of it
//! but what harms only the job itself. Time, memory and the end of the container are decided on this side.
//!
//! Where it says less than the wasm tier does: fuel is not counted, so that a job with a CPU budget is refused; a
//! `MemoryError` that a program caught leaves no trace; a full disk is told when it is full at the end or when its error
//! ended the script; the project directory and `/tmp` each have the disk limit, and together the container's memory; of
//! output on both streams at the same moment the order is not known.

mod build;
mod container;
mod engine;
mod feed;
mod flights;
mod folder;
mod frames;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod hardening;
mod helper;
mod images;
mod installers;
mod instance;
mod layers;
mod network;
mod pool;
mod prepare;
mod run;
mod said;
mod state;
mod subnet;
mod sweep;
mod told;
mod versions;

pub use flights::{Progress, Step};
pub use images::ImagePull;
pub use instance::Instance;
pub use layers::{PackageFolder, Packages};
pub use network::NetworkMode;
pub use prepare::Prepared;
pub use subnet::Subnet;

use crate::{
    Error, Job, Limits, Outcome, Project, Python, Result,
    executor::{Executor, Observer, Run, StopAt},
    outcome::Tier,
};
use engine::Engine;
pub(crate) use images::{Interpreter, Libc};
use pool::Pool;
pub use pool::PoolStats;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    runtime::Runtime,
    task::{AbortHandle, JoinHandle},
};

/// How long containers may take to go away when an executor is dropped.
const GONE_AT_DROP: Duration = Duration::from_secs(5);

/// Settings of a [`DockerExecutor`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DockerOptions {
    /// The daemon: the path of a socket, or `tcp://host:port`.
    ///
    /// # Security
    ///
    /// Who may talk to the daemon is root on its machine.
    pub socket: String,
    /// On whose behalf: names the containers, networks and layers of one service or user.
    pub instance: Instance,
    /// The image of jobs that ask for no version of Python.
    pub default_image: String,
    /// The image for a Python version, which takes the place of `{version}`.
    pub image: String,
    /// Images for single versions, instead of [`DockerOptions::image`].
    pub images: BTreeMap<String, String>,
    /// Images that jobs may ask for beside these: names, with `*` for anything.
    pub allowed_images: Vec<String>,
    /// What becomes of a job whose image is not there.
    pub image_pull: ImagePull,
    /// Jobs that run at the same time; more wait. A slot is free again when its container is gone.
    pub slots: u32,
    /// Processes and threads of a job, with two of ours.
    pub pids_max: u32,
    /// Weight of a job that asks for none, when there is less CPU than is wanted; 1024 is a usual program's.
    pub cpu_shares: u32,
    /// The network of jobs that may have one.
    pub network_mode: NetworkMode,
    /// Private networks that jobs on [`NetworkMode::Isolated`] may reach, beside the public internet: RFC 1918's, the shared
    /// addresses 100.64.0.0/10, 192.0.0.0/24 and Azure's 168.63.129.16 are refused otherwise. Names are looked up all the
    /// same.
    ///
    /// # Security
    ///
    /// All jobs with a network reach what is there, and so do commands and packages without wheels while a layer is made.
    pub private_networks: Vec<Subnet>,
    /// Name servers of jobs with a network; none leaves it to the daemon.
    pub dns: Vec<String>,
    /// Containers of each class that are kept started, with the runner waiting in them: a job that finds one needs
    /// milliseconds. A class is an image with [`DockerOptions::pool_limits`] and everything else as it is usually; the
    /// default image's is kept always, others from their first use. 0 is no pool.
    pub pool: u32,
    /// Such containers of all classes together. The classes used last have them.
    pub pool_max: u32,
    /// Memory, in bytes, that all of them may take while they wait.
    pub pool_memory_bytes: u64,
    /// How long a class is kept without being used.
    pub pool_idle: Duration,
    /// The limits of these containers: a job whose limits on memory, disk and files are different starts its own.
    pub pool_limits: Limits,
    /// Modules that these containers have imported beforehand, if they are installed. A job sees no difference but the
    /// time, and its peak of memory; one that would (by a variable that modules read at their import, or a module of
    /// that name of its own) gets a process without.
    pub preload: Vec<String>,
    /// Layers that are made at the same time; more wait.
    pub builds: u32,
    /// How long it may take to make one.
    pub build_timeout: Duration,
    /// What one may take on the disk, in bytes. It is measured each second.
    pub build_disk_bytes: u64,
    /// Environment variables of commands and of pip while a layer is made, such as `PIP_INDEX_URL`.
    ///
    /// # Security
    ///
    /// Whoever may send `pre_commands` or packages without wheels can read them.
    pub build_env: Vec<(String, String)>,
    /// What all layers together may take on the disk beyond their base images, in bytes. Those not used for longest go.
    pub layers_max_bytes: u64,
    /// Whether a daemon will do that does not hold limits, as without root on the first version of control groups.
    ///
    /// # Security
    ///
    /// On such a daemon a job can use all memory and all processes of the machine.
    pub allow_unenforced_limits: bool,
}

impl Default for DockerOptions {
    fn default() -> DockerOptions {
        DockerOptions {
            socket: "/var/run/docker.sock".to_owned(),
            instance: Instance::default(),
            default_image: "python:3.14-slim".to_owned(),
            image: "python:{version}-slim".to_owned(),
            images: BTreeMap::new(),
            allowed_images: vec!["python:*".to_owned()],
            image_pull: ImagePull::default(),
            // A container is a few processes and some ten MB: two on each core keep it busy while others come and go.
            slots: std::thread::available_parallelism().map_or(4, |cores| (2 * cores.get() as u32).max(4)),
            pids_max: 128,
            cpu_shares: 1024,
            network_mode: NetworkMode::default(),
            private_networks: Vec::new(),
            dns: Vec::new(),
            pool: 0,
            pool_max: 8,
            pool_memory_bytes: 2 << 30,
            pool_idle: Duration::from_secs(600),
            pool_limits: Limits::default(),
            preload: ["numpy", "pandas"].map(str::to_owned).to_vec(),
            builds: 2,
            build_timeout: Duration::from_secs(600),
            build_disk_bytes: 10 << 30,
            build_env: Vec::new(),
            layers_max_bytes: 20 << 30,
            allow_unenforced_limits: false,
        }
    }
}

/// Says where and how a job runs, beyond what the job says itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Placement {
    /// The Python version; `None` is that of [`DockerOptions::default_image`].
    pub python: Option<String>,
    /// The oldest version that the code runs on, where that is known and none is asked for.
    pub python_at_least: Option<Python>,
    /// The image, instead of that of the Python version.
    pub image: Option<String>,
    /// Whether it has a network, which is [`DockerOptions::network_mode`].
    pub network: bool,
    /// Commands for `sh` that change the image first, in one shell, as root and with a network.
    pub pre_commands: Vec<String>,
    /// The variables that the commands see, which are the job's.
    pub env: Vec<(String, String)>,
    /// The project of which the commands see a copy, which is the job's.
    pub project: Option<Project>,
    /// What it can import beside the standard library.
    pub packages: Packages,
    /// Its weight when there is less CPU than is wanted; `None` is [`DockerOptions::cpu_shares`].
    pub cpu_shares: Option<u32>,
    /// For whom: owners take turns with what is built.
    pub owner: u64,
    /// Why it runs on Docker, for the [`Outcome`].
    pub reason: String,
}

impl Default for Placement {
    fn default() -> Placement {
        Placement {
            python: None,
            python_at_least: None,
            image: None,
            network: false,
            pre_commands: Vec::new(),
            env: Vec::new(),
            project: None,
            packages: Packages::None,
            cpu_shares: None,
            owner: 0,
            reason: "Docker was asked for".to_owned(),
        }
    }
}

impl Placement {
    /// Returns the placement, with what its commands see of `job`.
    #[must_use]
    pub(crate) fn with_sight_of(mut self, job: &Job) -> Placement {
        if !self.pre_commands.is_empty() {
            self.env.clone_from(&job.env);
            self.project = Some(job.project.clone());
        }
        self
    }
}

/// Runs jobs in containers.
///
/// It has threads of its own, so that containers are removed even when the runtime of a caller ends. Dropping it waits
/// some seconds for that; [`DockerExecutor::shutdown`] is the orderly way.
pub struct DockerExecutor {
    engine: Arc<Engine>,
    pool: Arc<Pool>,
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
            let connected = Engine::connect(options, handle).await;
            let swept = match &connected {
                Ok(engine) => sweep::sweep(engine).await.map(drop),
                Err(_) => Ok(()),
            };
            if let (Ok(engine), Ok(())) = (&connected, &swept)
                && let Err(fault) = layers::evict(engine).await
            {
                tracing::warn!(%fault, "layers beyond their limit are left for later");
            }
            // Nobody is there to hear it only when the thread that waits has gone with its process.
            let _ = sender.send(swept.and(connected));
        });
        let connected = receiver.recv().unwrap_or_else(|_| Err(Error::unavailable("connecting to Docker was cut off")));
        match connected {
            Ok(engine) => Ok(DockerExecutor { pool: Pool::start(&engine), engine, runtime: Some(runtime) }),
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
    /// [`Error::InvalidJob`] when the image is not allowed, or the job asks for what containers do not have.
    pub(crate) fn check(&self, job: &Job, python: Option<&str>) -> Result<()> {
        run::check(job)?;
        images::choose(self.engine.options(), python, job.containers.image.as_deref()).map(drop)
    }

    /// Returns what the image of a job has.
    ///
    /// # Errors
    ///
    /// When the image is not allowed, not there and cannot be fetched, or has no usable Python.
    pub(crate) async fn interpreter(&self, placement: &Placement, progress: Progress) -> Result<Interpreter> {
        let (engine, placement) = (Arc::clone(&self.engine), placement.clone());
        self.open(async move {
            let chosen = versions::choose(&engine, &placement, &progress).await?;
            images::interpreter(&engine, &chosen.base).await
        })
        .await
    }

    /// Fetches the image and makes the layer that `placement` takes, unless they are there. `progress` is told what
    /// happens. Jobs that want the same at the same time wait for the same.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJob`] when the image is not allowed, or a command or an installation fails;
    /// [`Error::Unavailable`] when the image cannot be fetched or the daemon is at fault.
    pub async fn prepare(&self, placement: &Placement, progress: Progress) -> Result<Prepared> {
        let (engine, placement) = (Arc::clone(&self.engine), placement.clone());
        self.open(async move { prepare::prepare(&engine, &placement, &progress).await }).await
    }

    /// Runs `job` as [`Executor::run`] does, in what was prepared.
    ///
    /// # Errors
    ///
    /// As for [`Executor::run`].
    pub async fn run_prepared(&self, job: Job, prepared: Prepared, observer: Box<dyn Observer>) -> Result<Outcome> {
        self.run_until(job, prepared, None, observer).await?.outcome()
    }

    /// Runs a prepared job until it meets something that `stop_at` says to stop at.
    ///
    /// # Errors
    ///
    /// As for [`Executor::run`].
    pub(crate) async fn run_until(
        &self,
        job: Job,
        prepared: Prepared,
        stop_at: Option<StopAt>,
        observer: Box<dyn Observer>,
    ) -> Result<Run> {
        let (engine, pool) = (Arc::clone(&self.engine), Arc::clone(&self.pool));
        self.open(async move { run::run(&engine, &pool, job, run::Place::Ready(prepared), stop_at, observer).await })
            .await
    }

    /// Runs `job` as [`Executor::run`] does, where `placement` says. The job's time includes preparing that.
    ///
    /// # Errors
    ///
    /// As for [`Executor::run`] and [`DockerExecutor::prepare`].
    pub async fn run_placed(&self, job: Job, placement: Placement, observer: Box<dyn Observer>) -> Result<Outcome> {
        let (engine, pool) = (Arc::clone(&self.engine), Arc::clone(&self.pool));
        let place = run::Place::Wanted(placement.with_sight_of(&job));
        self.open(async move { run::run(&engine, &pool, job, place, None, observer).await }).await?.outcome()
    }

    /// Returns what its pool has and did.
    pub fn pool_stats(&self) -> PoolStats {
        self.pool.stats()
    }

    /// Removes containers of this instance that nobody has, as [`Instance`] says, and returns how many.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer.
    pub async fn sweep(&self) -> Result<usize> {
        let engine = Arc::clone(&self.engine);
        self.detached(async move { sweep::sweep(&engine).await }).await
    }

    /// Ends all jobs and builds, waits until their containers are gone, and sweeps. Layers stay.
    ///
    /// # Errors
    ///
    /// When the daemon does not answer.
    pub async fn shutdown(&self) -> Result<()> {
        let engine = Arc::clone(&self.engine);
        self.detached(async move { engine.shutdown().await }).await
    }

    /// Does [detached](DockerExecutor::detached) work, until a shutdown.
    async fn open<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let mut closing = self.engine.closing();
        self.detached(async move {
            tokio::select! {
                done = work => done,
                _ = closing.wait_for(|closing| *closing) => Err(Error::unavailable("the executor is shutting down")),
            }
        })
        .await
    }

    /// Runs `work` on threads of this executor, until the returned future is dropped.
    async fn detached<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let task: JoinHandle<_> = self.engine.runtime().spawn(work);
        let _abort = AbortOnDrop(task.abort_handle());
        task.await.unwrap_or_else(|fault| Err(Error::caused("running the job in Docker failed", fault)))
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for DockerExecutor {
    fn drop(&mut self) {
        self.engine.close();
        self.engine.wait_until_gone(GONE_AT_DROP);
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let engine = Arc::clone(&self.engine);
        self.engine.runtime().spawn(async move {
            network::leave(&engine).await;
            let _ = sender.send(());
        });
        let _ = receiver.recv_timeout(GONE_AT_DROP);
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

    async fn run(&self, job: Job, observer: Box<dyn Observer>) -> Result<Outcome> {
        self.run_placed(job, Placement::default(), observer).await
    }
}

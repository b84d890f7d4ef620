//! Ties the flow together: what the library, the command line and the server all call.

mod advice;
#[cfg(feature = "docker")]
mod docker;
#[cfg(feature = "packages")]
mod environments;
mod preload;
#[cfg(feature = "server")]
mod settings;
mod stream;
#[cfg(feature = "packages")]
mod workbench;
#[cfg(feature = "server")]
mod workspaces;

#[cfg(feature = "packages")]
pub use environments::{EnvironmentState, NamedEnvironment, ReadyEnvironment};
pub use preload::{BakeOrder, Baking};
pub use stream::{Events, RunEvent};

use crate::{
    Error, Hint, Job, Outcome, Plan, Ready, Result, Wording,
    cache::Verification,
    environment::EnvironmentOptions,
    executor::{
        self, Event, Observer, Provisioned, Provisions, Run,
        docker::Connection,
        wasm::{self, WasmExecutor, WasmOptions},
    },
    planner::{Planner, Policy, Sources, Target, WasmPackages},
    progress::{Progress, Update},
    scheduler::{QueueLimits, Scheduler, Slot},
    sync::lock,
    workspaces::{WorkspaceOptions, Workspaces},
};
use advice::Advice;
use preload::Used;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// Runs Python jobs. Make one and share it: cloning is cheap, and all clones share the same slots.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> pyexec::Result<()> {
/// let pyexec = pyexec::Pyexec::new()?;
/// let outcome = pyexec.run(pyexec::Job::code("print(6 * 7)")).await?;
/// assert_eq!(outcome.stdout.text, "42\n");
/// # Ok(())
/// # }
/// ```
///
/// What WebAssembly cannot do goes to Docker by itself, when there is one: see [`Plan`].
#[derive(Clone)]
pub struct Pyexec {
    wasm: Arc<WasmExecutor>,
    planner: Planner,
    scheduler: Arc<Scheduler>,
    wording: Wording,
    #[cfg(feature = "packages")]
    registry: Arc<environments::Registry>,
    baking: Baking,
    orders: Arc<Mutex<Vec<BakeOrder>>>,
    workspaces: Workspaces,
}

/// Says what came of running a job once.
#[derive(Debug)]
pub enum Attempt {
    /// It is over.
    Done(Box<Outcome>),
    /// The job lacked something, and nothing of it is left: this plan runs it again from the start, in the time that is
    /// left: in a container, or with a package that it turned out to import.
    Again(Box<Plan>),
}

impl Pyexec {
    /// Makes a service with default settings. The first time on a machine this takes some ten seconds, in which the
    /// interpreter is compiled; prefer calling it outside of asynchronous code.
    ///
    /// # Errors
    ///
    /// When the compiled interpreter can be neither loaded nor made.
    pub fn new() -> Result<Pyexec> {
        Pyexec::builder().build()
    }

    /// Returns a builder with default settings.
    pub fn builder() -> Builder {
        Builder {
            wasm: WasmOptions::default(),
            docker: Connection::default(),
            environments: EnvironmentOptions::default(),
            detect_packages: true,
            allow_network: true,
            baking: Baking::default(),
            queue: QueueLimits::NONE,
            wording: Hint::to_string,
            workspaces: WorkspaceOptions::default(),
            progress: Box::new(|line| tracing::info!("{line}")),
        }
    }

    /// Runs a job to its end. Must be called within a tokio runtime, on whose thread the job runs, in slices of less than
    /// a millisecond; dropping the future cancels it.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when the job is not acceptable,
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the service is at fault. A script that fails is neither: it
    /// is an [`Outcome`].
    pub async fn run(&self, job: Job) -> Result<Outcome> {
        self.run_observed(job, |_: Event<'_>| ()).await
    }

    /// Runs a job like [`Pyexec::run`], and tells `observer` what happens, as it happens. [`Pyexec::run_stream`] has the
    /// same as a stream.
    ///
    /// ```no_run
    /// # async fn example(pyexec: pyexec::Pyexec) -> pyexec::Result<()> {
    /// use pyexec::{Event, Job};
    ///
    /// let observer = |event: Event<'_>| {
    ///     if let Event::Stdout(bytes) = event {
    ///         print!("{}", String::from_utf8_lossy(bytes));
    ///     }
    /// };
    /// let outcome = pyexec.run_observed(Job::code("print('so far')"), observer).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Pyexec::run`].
    pub async fn run_observed(&self, job: Job, observer: impl Observer) -> Result<Outcome> {
        let mut plan = self.plan(job).await?;
        // Told by all attempts, and by what comes before them.
        let observer = Arc::new(Mutex::new(observer));
        let shared = Arc::clone(&observer);
        let tell = move |event: Event<'_>| lock(&shared).event(event);
        loop {
            let ready = match plan.into_ready() {
                Ok(ready) => ready,
                Err(plan) => self.provision(*plan, &observed(tell.clone())).await?,
            };
            let slot = self.slot(&ready).await;
            match self.attempt(ready, slot, tell.clone()).await? {
                Attempt::Done(outcome) => return Ok(*outcome),
                Attempt::Again(again) => {
                    let reason = again.replay_reason().unwrap_or_default();
                    lock(&observer).event(Event::Restarted(&reason));
                    plan = *again;
                }
            }
        }
    }

    /// Decides where a job runs, as far as that takes no waiting: [`Pyexec::provision`] does the rest.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when it is not acceptable, or needs what there is not; the message
    /// says what to do.
    pub async fn plan(&self, job: Job) -> Result<Plan> {
        if job.workspace.is_some() {
            let job = Box::pin(self.workspaces.mount(job)).await?;
            return self.planner.plan(job).await;
        }
        self.planner.plan(job).await
    }

    /// Makes what a job takes to run: installs its packages, fetches its image, runs its commands. Nothing else of it runs,
    /// so that it needs no slot. `progress` is told what goes on when it takes time. There is a time limit on it, of
    /// [`EnvironmentOptions::install_timeout`](crate::environment::EnvironmentOptions) and of
    /// [`DockerOptions::build_timeout`](crate::executor::docker::DockerOptions).
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when its packages or its image cannot be had, or a command fails;
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the service is at fault.
    pub async fn provision(&self, plan: Plan, progress: &Progress) -> Result<Ready> {
        // Large, and nothing against what it waits for.
        Box::pin(self.planner.provision(plan, progress)).await
    }

    /// Waits for a slot of the tier that runs the job. Owners take turns: see [`Job::owner`].
    pub async fn slot(&self, ready: &Ready) -> Slot {
        self.scheduler.slot(ready.tier(), ready.owner()).await
    }

    /// Runs a job once, in this slot; [`Pyexec::run`] does it all.
    ///
    /// ```no_run
    /// # async fn example(pyexec: pyexec::Pyexec, job: pyexec::Job) -> pyexec::Result<()> {
    /// use pyexec::{Attempt, Event, Progress};
    ///
    /// let mut plan = pyexec.plan(job).await?;
    /// let outcome = loop {
    ///     let ready = pyexec.provision(plan, &Progress::new(|_| ())).await?;
    ///     let slot = pyexec.slot(&ready).await;
    ///     match pyexec.attempt(ready, slot, |_: Event<'_>| ()).await? {
    ///         Attempt::Done(outcome) => break outcome,
    ///         Attempt::Again(again) => plan = *again,
    ///     }
    /// };
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Pyexec::run`]; [`InvalidJob`](crate::ErrorKind::InvalidJob) when the slot is not one of its tier.
    pub async fn attempt(&self, mut ready: Ready, slot: Slot, observer: impl Observer) -> Result<Attempt> {
        if !self.scheduler.has(ready.tier(), &slot) {
            return Err(crate::Error::invalid(
                "the slot is of another tier, or of another service: take one for this job",
            ));
        }
        let advice = Advice::new(&self.planner, &ready);
        let retry = self.planner.retry(&mut ready);
        let stop_at = retry.as_ref().map(|retry| retry.stop_at());
        let (job, target, reason) = ready.into_parts();
        let (workspace, collect_files) = (job.containers.workspace.clone(), job.collect_files);
        let observer: Arc<Mutex<dyn Observer>> = Arc::new(Mutex::new(observer));
        let shared = Arc::clone(&observer);
        let tell: Box<dyn Observer> = Box::new(move |event: Event<'_>| lock(&shared).event(event));
        let run = match target {
            Target::Wasm(packages) => {
                let used = packages.map(|packages| Used::new(packages, &job.containers.preload)).transpose()?;
                let packages = used.as_ref().map(|used| &used.packages);
                let provisioned = Provisioned(Provisions::Wasm(packages.cloned()));
                let mut run = executor::run(&*self.wasm, provisioned, job, stop_at, tell).await?;
                drop(slot);
                if let Run::Ended(outcome) = &mut run {
                    outcome.route_reason = reason;
                }
                if let Some(used) = &used {
                    self.used(used).await;
                }
                run
            }
            Target::Docker(prepared) => {
                let docker = self.planner.sources.docker.connect().await?;
                // Large, and nothing against what a container takes.
                let run = Box::pin(executor::run(&*docker, Provisioned::docker(prepared), job, stop_at, tell)).await?;
                drop(slot);
                run
            }
        };
        match run {
            Run::Ended(mut outcome) => {
                let again = match retry {
                    Some(retry) => self.planner.after_end(retry, &outcome).await,
                    None => None,
                };
                if let Some(plan) = again {
                    return Ok(Attempt::Again(Box::new(plan)));
                }
                if let Some(workspace) = workspace {
                    Box::pin(workspace.keep(&mut outcome)).await;
                    if !collect_files {
                        outcome.files.clear();
                    }
                }
                if let Some(line) = advice.on(&outcome, self.wording) {
                    outcome.stderr.add_line(&line);
                    lock(&observer).event(Event::Stderr(format!("{line}\n").as_bytes()));
                }
                Ok(Attempt::Done(outcome))
            }
            Run::Missed(miss, used) => {
                let again = match retry {
                    Some(retry) => self.planner.after_miss(retry, &miss, used).await,
                    None => None,
                };
                let plan = again.ok_or_else(|| crate::Error::unavailable("the job cannot be run again"))?;
                Ok(Attempt::Again(Box::new(plan)))
            }
        }
    }

    pub(crate) fn planner(&self) -> &Planner {
        &self.planner
    }

    pub(crate) fn wasm(&self) -> Arc<WasmExecutor> {
        Arc::clone(&self.wasm)
    }

    /// Opens packages that were installed for WebAssembly.
    pub(crate) fn packages_of(&self, packages: WasmPackages) -> Result<wasm::Packages> {
        Ok(Used::new(packages, &[])?.packages)
    }

    /// Returns whether running a job is likely to end in another attempt, since its code has what may be missing.
    pub fn may_run_again(&self, ready: &Ready) -> bool {
        self.planner.may_run_again(ready)
    }

    /// Returns what gives out the slots.
    pub(crate) fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Returns whether containers can be used, as far as is known; if not, why.
    ///
    /// # Errors
    ///
    /// Why not: they are turned off, or Docker could not be reached when it was last tried.
    pub fn docker_state(&self) -> Result<()> {
        self.planner.sources.docker.state()
    }

    /// Ends all jobs in containers and waits until nothing of them is left. Dropping the last clone does the same, less
    /// patiently.
    ///
    /// # Errors
    ///
    /// When Docker does not answer.
    pub async fn shutdown(&self) -> Result<()> {
        match self.planner.sources.docker.connected() {
            Some(docker) => docker.shutdown().await,
            None => Ok(()),
        }
    }

    /// Runs a job on this thread. Must not be called from asynchronous code.
    ///
    /// # Errors
    ///
    /// As for [`Pyexec::run`].
    pub fn run_blocking(&self, job: Job) -> Result<Outcome> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| crate::Error::caused("cannot start a runtime", e))?;
        runtime.block_on(self.run(job))
    }
}

/// Settings for a [`Pyexec`].
pub struct Builder {
    wasm: WasmOptions,
    docker: Connection,
    environments: EnvironmentOptions,
    detect_packages: bool,
    allow_network: bool,
    baking: Baking,
    queue: QueueLimits,
    wording: Wording,
    workspaces: WorkspaceOptions,
    progress: Box<dyn Fn(&str) + Send>,
}

impl Builder {
    /// Sets how many jobs run at the same time; more wait. The default is 64.
    #[must_use]
    pub fn slots(mut self, slots: u32) -> Builder {
        self.wasm.slots = slots;
        self
    }

    /// Sets how many may wait for a slot of each tier. The default is any number.
    #[must_use]
    pub(crate) fn queue(mut self, limits: QueueLimits) -> Builder {
        self.queue = limits;
        self
    }

    /// Sets where compiled code is kept; the default is `pyexec/images` in the user's cache folder.
    ///
    /// # Security
    ///
    /// Code from this folder is run in this process. It must belong to this user and be closed to others.
    #[must_use]
    pub fn cache_folder(mut self, folder: impl Into<PathBuf>) -> Builder {
        self.wasm.cache_folder = Some(folder.into());
        self
    }

    /// Sets how compiled code is checked before it is used.
    #[must_use]
    pub fn verification(mut self, verification: Verification) -> Builder {
        self.wasm.verification = verification;
        self
    }

    /// Sets whether slots keep their memory pages from job to job, reset, where that is safe. The default is yes.
    #[must_use]
    pub fn page_reuse(mut self, reuse: bool) -> Builder {
        self.wasm.page_reuse = reuse;
        self
    }

    /// Runs nothing in containers. A job that needs one is refused with what it needs, and with `why`: a sentence without a
    /// full stop.
    #[must_use]
    pub fn without_docker(mut self, why: impl Into<String>) -> Builder {
        self.docker = Connection::off(Error::invalid(why));
        self
    }

    /// Sets whether packages that code imports are installed without being asked for. The default is yes.
    #[must_use]
    pub fn detect_packages(mut self, detect: bool) -> Builder {
        self.detect_packages = detect;
        self
    }

    /// Sets whether jobs may have the network when they ask for it. The default is yes.
    #[must_use]
    pub fn allow_network(mut self, allow: bool) -> Builder {
        self.allow_network = allow;
        self
    }

    /// Sets how hints are worded that a job's standard error ends with. The default is neutral text.
    #[must_use]
    pub fn wording(mut self, wording: Wording) -> Builder {
        self.wording = wording;
        self
    }

    /// Sets when images with packages imported are made. The default is in the background, when a job has used the
    /// packages.
    #[must_use]
    pub fn baking(mut self, baking: Baking) -> Builder {
        self.baking = baking;
        self
    }

    /// Sets where such images are kept; the default is the folder of compiled code.
    ///
    /// # Security
    ///
    /// As for [`Builder::cache_folder`].
    #[must_use]
    pub fn baked_folder(mut self, folder: impl Into<PathBuf>) -> Builder {
        self.wasm.baked_folder = Some(folder.into());
        self
    }

    /// Sets what such images may take there, in bytes. The default is 8 GiB.
    #[must_use]
    pub fn baked_bytes_max(mut self, bytes: u64) -> Builder {
        self.wasm.baked_bytes_max = bytes;
        self
    }

    /// Sets what receives the steps that take long when the interpreter is made. The default logs them.
    #[must_use]
    pub fn on_progress(mut self, progress: impl Fn(&str) + Send + 'static) -> Builder {
        self.progress = Box::new(progress);
        self
    }

    /// Loads the interpreter, or makes it.
    ///
    /// # Errors
    ///
    /// When the compiled interpreter can be neither loaded nor made.
    pub fn build(self) -> Result<Pyexec> {
        let wasm = Arc::new(WasmExecutor::new(&self.wasm, &*self.progress)?);
        #[cfg(feature = "packages")]
        let environments = workbench::environments(self.environments, &wasm)?;
        #[cfg(not(feature = "packages"))]
        let environments = crate::environment::Environments::new(self.environments)?;
        let scheduler = Scheduler::new(self.wasm.slots as usize, self.docker.slots() as usize, self.queue);
        let policy = Policy {
            detect_packages: self.detect_packages,
            allow_network: self.allow_network,
            docker: self.docker.configured(),
        };
        let sources = Sources { environments, docker: Arc::new(self.docker), counts: Arc::default() };
        Ok(Pyexec {
            wasm,
            planner: Planner { sources, policy },
            scheduler: Arc::new(scheduler),
            wording: self.wording,
            #[cfg(feature = "packages")]
            registry: Arc::default(),
            baking: self.baking,
            orders: Arc::default(),
            workspaces: Workspaces::new(self.workspaces),
        })
    }
}

/// Passes progress on to an observer.
fn observed(tell: impl Fn(Event<'_>) + Send + Sync + 'static) -> Progress {
    Progress::new(move |update| match update {
        Update::Phase(phase) => tell(Event::Progress(phase)),
        Update::Detail(line) => tell(Event::Detail(line)),
    })
}

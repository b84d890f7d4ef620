//! Ties the flow together: what the library, the command line and the server all call.

mod advice;
mod environments;
mod fallback;
mod packages;
mod plan;
mod retry;
mod stdin;
mod workbench;

pub use environments::{EnvironmentState, NamedEnvironment, ReadyEnvironment};
pub use plan::{Attempt, Plan};

use crate::{
    Job, Outcome, Result,
    cache::Verification,
    config::{ContainerSettings, FallbackMode, Settings},
    environment::{EnvironmentOptions, Environments},
    executor::{
        Event, Observer, Run,
        docker::{self, DockerExecutor, DockerOptions, Placement},
        wasm::{WasmExecutor, WasmOptions},
    },
};
use advice::Advice;
use environments::Registry;
use fallback::Fallback;
use packages::InWasm;
pub use packages::{BakeOrder, Baking};
use plan::Place;
use retry::Retry;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc;
use workbench::Sandbox;

/// News of what is made, that wait to be passed on.
const STEPS_MAX: usize = 16;

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
    environments: Environments,
    registry: Arc<Registry>,
    fallback: Arc<Fallback>,
    detect_packages: bool,
    allow_network: bool,
    baking: Baking,
    orders: Arc<Mutex<Vec<BakeOrder>>>,
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
            docker: Ok(DockerOptions::default()),
            environments: EnvironmentOptions::default(),
            detect_packages: true,
            allow_network: true,
            baking: Baking::default(),
            progress: Box::new(|line| tracing::info!("{line}")),
        }
    }

    /// Runs a job to its end. Must be called within a tokio runtime, on whose thread the job runs, in slices of less than
    /// a millisecond; dropping the future cancels it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJob`](crate::Error::InvalidJob) when the job is not acceptable,
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the service is at fault. A script that fails is neither: it
    /// is an [`Outcome`].
    pub async fn run(&self, job: Job) -> Result<Outcome> {
        self.run_observed(job, |_: Event<'_>| ()).await
    }

    /// Runs a job like [`Pyexec::run`], and tells `observer` what happens, as it happens.
    ///
    /// # Errors
    ///
    /// As for [`Pyexec::run`].
    pub async fn run_observed(&self, job: Job, observer: impl Observer) -> Result<Outcome> {
        let mut plan = self.plan(job).await?;
        // Told by both attempts.
        let observer = Arc::new(Mutex::new(observer));
        loop {
            let shared = Arc::clone(&observer);
            let tell = move |event: Event<'_>| locked(&shared).event(event);
            match self.attempt(plan, tell).await? {
                Attempt::Done(outcome) => return Ok(*outcome),
                Attempt::Again(again) => {
                    let event = Event::Restarted(&again.reason);
                    locked(&observer).event(event);
                    plan = *again;
                }
            }
        }
    }

    /// Does [`Pyexec::prepare`], and makes what a job takes that is to run in a container: for those who count what runs on
    /// each tier, as [`Pyexec::attempt`] does the same. Nothing of the job runs but its commands, so that it needs no slot.
    ///
    /// # Errors
    ///
    /// As for [`Pyexec::prepare`], and [`Error::InvalidJob`](crate::Error::InvalidJob) when a command fails.
    pub async fn provision(&self, plan: &mut Plan, progress: &(dyn Fn(&str) + Send + Sync)) -> Result<()> {
        self.prepare(plan, progress).await?;
        if plan.is_provisioned() {
            return Ok(());
        }
        let (sender, mut steps) = mpsc::channel(STEPS_MAX);
        let tell: docker::Progress = Arc::new(move |step| {
            if !matches!(step, docker::Step::Line(_)) {
                // Who does not listen misses some.
                let _ = sender.try_send(step.to_string());
            }
        });
        let made = {
            let Plan { job, reason, place, detected, .. } = &*plan;
            let Place::Docker { python, network, .. } = place else { return Ok(()) };
            let placement = placement(job, python.clone(), *network, reason);
            // Large, and nothing against what a container takes.
            let mut making = Box::pin(self.fallback.provision(job, detected, placement, &tell));
            loop {
                tokio::select! {
                    biased;
                    Some(step) = steps.recv() => progress(&step),
                    made = &mut making => break made,
                }
            }
        };
        match (made, &mut plan.place) {
            (Err(error @ crate::Error::Unavailable { .. }), _) if plan.detected.may_do_without_older_python() => {
                tracing::info!(%error, "no older Python for a job that may do without");
                plan.detected.leave_out_older_python();
                self.choose(plan).await?;
                Box::pin(self.provision(plan, progress)).await
            }
            (made, Place::Docker { ready, .. }) => {
                *ready = Some(made?);
                Ok(())
            }
            (made, Place::Wasm(_)) => made.map(drop),
        }
    }

    /// Runs a job where its plan says, once, prepared if it is not yet. For those who count what runs on each tier;
    /// [`Pyexec::run`] does it all.
    ///
    /// # Errors
    ///
    /// As for [`Pyexec::run`].
    pub async fn attempt(&self, mut plan: Plan, observer: impl Observer) -> Result<Attempt> {
        let mut observer: Box<dyn Observer> = Box::new(observer);
        let may_move = plan.detected.may_do_without_older_python() && !plan.is_provisioned();
        if may_move || !plan.is_prepared() {
            let told = Mutex::new(observer);
            let progress = |phase: &str| locked(&told).event(Event::Progress(phase));
            match may_move {
                true => self.provision(&mut plan, &progress).await?,
                false => self.prepare(&mut plan, &progress).await?,
            }
            observer = told.into_inner().unwrap_or_else(PoisonError::into_inner);
        }
        let means = self.means(&plan);
        let advice = Advice::new(&plan, means, self.fallback.configured());
        let retry = Retry::of(&mut plan, means);
        let stop_at = retry.as_ref().map(Retry::stop_at);
        let Plan { job, reason, place, detected, .. } = plan;
        let observer = Arc::new(Mutex::new(observer));
        let shared = Arc::clone(&observer);
        let tell: Box<dyn Observer> = Box::new(move |event: Event<'_>| locked(&shared).event(event));
        let run = match place {
            Place::Wasm(packages) => {
                let importable = match &packages {
                    InWasm::Unprepared | InWasm::Nothing => None,
                    InWasm::Installed(importable) => Some(importable),
                };
                let packages = importable.map(|importable| &importable.packages);
                let mut run = self.wasm.run_with(job, packages, stop_at, tell).await?;
                if let Run::Ended(outcome) = &mut run {
                    outcome.route_reason = reason;
                }
                if let Some(importable) = importable {
                    self.used(importable).await;
                }
                run
            }
            Place::Docker { python, network, ready } => {
                let placement = placement(&job, python, network, &reason);
                // Large, and nothing against what a container takes.
                Box::pin(self.fallback.run(job, detected, (placement, ready), stop_at, tell)).await?
            }
        };
        match run {
            Run::Ended(mut outcome) => match retry.and_then(|retry| retry.after_end(&outcome)) {
                Some(plan) => Ok(Attempt::Again(Box::new(self.again(plan).await))),
                None => {
                    if let Some(line) = advice.on(&outcome) {
                        outcome.stderr.add_line(&line);
                        locked(&observer).event(Event::Stderr(format!("{line}\n").as_bytes()));
                    }
                    Ok(Attempt::Done(outcome))
                }
            },
            Run::Missed(miss, used) => {
                let plan = retry.and_then(|retry| retry.after_miss(&miss, used));
                let plan = plan.ok_or_else(|| crate::Error::unavailable("the job cannot be run again"))?;
                Ok(Attempt::Again(Box::new(self.again(plan).await)))
            }
        }
    }

    /// Chooses the place of another attempt. Where there is no container after all, the job runs as far as it gets.
    async fn again(&self, mut plan: Plan) -> Plan {
        if matches!(plan.place, Place::Docker { .. }) {
            return plan;
        }
        if let Err(error) = self.choose(&mut plan).await {
            tracing::info!(%error, "no other place for a job that missed something");
            plan.place = Place::Wasm(InWasm::Unprepared);
            plan.reason = format!("{}, but {error}", plan.reason);
            plan.may_stop = false;
            plan.detected.forget_met();
        }
        plan
    }

    /// Returns the environments, where packages are kept.
    pub fn packages(&self) -> &Environments {
        &self.environments
    }

    /// Returns the Docker executor, if a job has needed it yet, or [`Pyexec::connect_docker`] was called.
    pub fn docker(&self) -> Option<&Arc<DockerExecutor>> {
        self.fallback.connected()
    }

    /// Returns whether containers can be used, as far as is known; if not, why.
    ///
    /// # Errors
    ///
    /// Why not: they are turned off, or Docker could not be reached when it was last tried.
    pub fn docker_state(&self) -> Result<(), Arc<str>> {
        self.fallback.state()
    }

    /// Connects to Docker now, instead of when the first job needs it: sweeps, and fills the pool.
    ///
    /// # Errors
    ///
    /// When Docker is turned off or cannot be used; the message says why.
    pub async fn connect_docker(&self) -> Result<Arc<DockerExecutor>> {
        self.fallback.executor().await.map_err(|why| crate::Error::unavailable(&*why))
    }

    /// Ends all jobs in containers and waits until nothing of them is left. Dropping the last clone does the same, less
    /// patiently.
    ///
    /// # Errors
    ///
    /// When Docker does not answer.
    pub async fn shutdown(&self) -> Result<()> {
        match self.fallback.connected() {
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
    /// Why it is off, otherwise.
    docker: Result<DockerOptions, String>,
    environments: EnvironmentOptions,
    detect_packages: bool,
    allow_network: bool,
    baking: Baking,
    progress: Box<dyn Fn(&str) + Send>,
}

impl Builder {
    /// Sets how many jobs run at the same time; more wait. The default is 64.
    #[must_use]
    pub fn slots(mut self, slots: u32) -> Builder {
        self.wasm.slots = slots;
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

    /// Sets the options of the Docker executor. It is connected to when the first job needs it.
    #[must_use]
    pub fn docker(mut self, options: DockerOptions) -> Builder {
        self.docker = Ok(options);
        self
    }

    /// Runs nothing in containers. A job that needs one is refused with what it needs, and with `why`: a sentence without a
    /// full stop that says how to turn them on.
    #[must_use]
    pub fn without_docker(mut self, why: impl Into<String>) -> Builder {
        self.docker = Err(why.into());
        self
    }

    /// Sets how packages are found, installed and kept.
    #[must_use]
    pub fn environments(mut self, options: EnvironmentOptions) -> Builder {
        self.environments = options;
        self
    }

    /// Takes over what settings say of containers, packages and the network.
    #[must_use]
    pub fn settings(self, settings: &Settings) -> Builder {
        let ContainerSettings { fallback, detect_packages, bake, baked_folder, baked_bytes_max, docker, environments } =
            &settings.containers;
        let mut builder = self
            .detect_packages(*detect_packages)
            .baking(if *bake { Baking::InBackground } else { Baking::OnOrder })
            .baked_bytes_max(*baked_bytes_max)
            .allow_network(settings.allow_network)
            .environments(environments.clone());
        if let Some(folder) = baked_folder {
            builder = builder.baked_folder(folder);
        }
        match fallback {
            FallbackMode::Off => {
                builder.without_docker("containers are off: set PYEXEC_FALLBACK=auto or on where Docker can be used")
            }
            FallbackMode::Auto | FallbackMode::On => builder.docker(docker.clone()),
        }
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

    /// Sets what is told of the steps that take long when the interpreter is made. The default logs it.
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
        let workbench = Arc::new(Sandbox::new(Arc::clone(&wasm)));
        let environments = Environments::with_workbench(self.environments, Some(workbench))?;
        let registry = Arc::new(Registry::default());
        let fallback = match self.docker {
            Ok(options) => Fallback::on(options, environments.clone(), Arc::clone(&registry)),
            Err(why) => Fallback::Off(why),
        };
        Ok(Pyexec {
            wasm,
            environments,
            registry,
            fallback: Arc::new(fallback),
            detect_packages: self.detect_packages,
            allow_network: self.allow_network,
            baking: self.baking,
            orders: Arc::default(),
        })
    }
}

/// Observers leave nothing half done when they panic that another event could find.
fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn placement(job: &Job, python: Option<String>, network: bool, reason: &str) -> Placement {
    Placement {
        python,
        image: job.containers.image.clone(),
        network,
        pre_commands: job.containers.pre_commands.clone(),
        cpu_shares: job.containers.cpu_shares,
        owner: job.containers.owner,
        reason: reason.to_owned(),
        ..Placement::default()
    }
}

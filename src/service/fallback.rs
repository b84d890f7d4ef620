//! Containers, for jobs that need one: connected to when the first does, and given what the job requires.

use super::{
    environments::Registry,
    packages::{label, refused},
    plan::Detected,
};
use crate::{
    Error, Event, Job, Requirements, Result,
    environment::{Environments, Installed, Libc, Machine, Platform, Reason, Refusal, Target},
    executor::{
        Observer, Run, StopAt,
        docker::{
            self, DockerExecutor, DockerOptions, Interpreter, PackageFolder, Packages, Placement, Prepared, Progress,
            Step,
        },
    },
    outcome::Tier,
};
use std::{
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

/// How long a daemon that could not be reached is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The Docker tier, when there is one.
pub(super) enum Fallback {
    /// There is none; why, and how to turn it on.
    Off(String),
    On(Box<Containers>),
}

pub(super) struct Containers {
    options: DockerOptions,
    environments: Environments,
    registry: Arc<Registry>,
    executor: OnceLock<Arc<DockerExecutor>>,
    /// Held by who connects.
    connecting: tokio::sync::Mutex<()>,
    failed: Mutex<Option<Failed>>,
}

/// Holds why connecting failed the last time.
#[derive(Clone)]
struct Failed {
    at: Instant,
    why: Arc<str>,
}

impl Fallback {
    pub(super) fn on(options: DockerOptions, environments: Environments, registry: Arc<Registry>) -> Fallback {
        Fallback::On(Box::new(Containers {
            options,
            environments,
            registry,
            executor: OnceLock::new(),
            connecting: tokio::sync::Mutex::default(),
            failed: Mutex::default(),
        }))
    }

    /// Returns whether it is meant to be used.
    pub(super) fn configured(&self) -> Result<(), &str> {
        match self {
            Fallback::Off(why) => Err(why),
            Fallback::On(_) => Ok(()),
        }
    }

    /// Connects to the executor, if it is not yet.
    pub(super) async fn executor(&self) -> Result<Arc<DockerExecutor>, Arc<str>> {
        match self {
            Fallback::Off(why) => Err(why.as_str().into()),
            Fallback::On(containers) => containers.executor().await,
        }
    }

    /// Returns the executor, if it is connected.
    pub(super) fn connected(&self) -> Option<&Arc<DockerExecutor>> {
        match self {
            Fallback::Off(_) => None,
            Fallback::On(containers) => containers.executor.get(),
        }
    }

    /// Returns whether it can be used, as far as is known.
    pub(super) fn state(&self) -> Result<(), Arc<str>> {
        match self {
            Fallback::Off(why) => Err(why.as_str().into()),
            Fallback::On(containers) if containers.executor.get().is_some() => Ok(()),
            Fallback::On(containers) => containers.failed().map_or(Ok(()), |failed| Err(failed.why)),
        }
    }

    /// Installs packages for a container, of that version of Python or the usual one. What a build container installs is
    /// not known.
    pub(super) async fn install(
        &self,
        python: Option<String>,
        wanted: &Requirements,
        say: Arc<dyn Fn(&str) + Send + Sync>,
    ) -> Result<Option<Arc<Installed>>> {
        let containers = match self {
            Fallback::Off(why) => return Err(Error::unavailable(why.as_str())),
            Fallback::On(containers) => containers,
        };
        let executor = containers.executor().await.map_err(|why| Error::unavailable(&*why))?;
        let progress: Progress = Arc::new(move |step| match step {
            Step::Line(_) => {}
            step => say(&step.to_string()),
        });
        let placement = Placement { python, ..Placement::default() };
        let found = containers.installed(&executor, &placement, wanted, &progress).await?;
        let placement = Placement { packages: packages(&found, wanted), ..placement };
        executor.prepare(&placement, progress).await?;
        Ok(found)
    }

    /// Runs a job in a container that has what it requires, which is made unless it is there.
    pub(super) async fn run(
        &self,
        job: Job,
        detected: Detected,
        (placement, ready): (Placement, Option<Prepared>),
        stop_at: Option<StopAt>,
        observer: impl Observer,
    ) -> Result<Run> {
        let observer: Arc<Mutex<dyn Observer>> = Arc::new(Mutex::new(observer));
        let tell = |observer: &Mutex<dyn Observer>, event: Event<'_>| {
            observer.lock().unwrap_or_else(PoisonError::into_inner).event(event);
        };
        let told = Arc::clone(&observer);
        let progress: Progress = Arc::new(move |step| match step {
            Step::Line(line) => tell(&told, Event::Detail(&line)),
            step => tell(&told, Event::Progress(&step.to_string())),
        });
        let prepared = match ready {
            Some(prepared) => prepared,
            None => self.provision(&job, &detected, placement, &progress).await?,
        };
        let observer = Box::new(move |event: Event<'_>| tell(&observer, event));
        self.connected_now().await?.run_until(job, prepared, stop_at, observer).await
    }

    /// Makes what a container takes that has what a job requires, and of what was guessed from its imports what there is.
    pub(super) async fn provision(
        &self,
        job: &Job,
        detected: &Detected,
        placement: Placement,
        progress: &Progress,
    ) -> Result<Prepared> {
        let containers = match self {
            Fallback::Off(why) => return Err(Error::unavailable(why.as_str())),
            Fallback::On(containers) => containers,
        };
        let executor = self.connected_now().await?;
        let placement = Placement {
            or_older_to: detected.oldest_with_same_modules(job),
            python_at_least: detected.needs.oldest_python(),
            ..placement.with_sight_of(job)
        };
        let mut guessed: Vec<_> = detected.guesses.iter().map(|guess| guess.name.clone()).collect();
        if detected.is_extra {
            let has = containers.in_environment(&executor, &placement, &job.containers.requirements, progress).await?;
            guessed.retain(|guess| !has.contains(guess));
        }
        loop {
            let wanted = job.containers.requirements.clone().merge(guessed.iter().map(String::as_str))?;
            let placement = placement.clone();
            let made = async {
                let (placement, installed) = containers.with_packages(&executor, placement, &wanted, progress).await?;
                let provides = |package: &str, module: &str| {
                    installed.as_ref().is_none_or(|it| containers.environments.provides(it, package, module))
                };
                let strangers = detected.strangers(provides);
                if let Some(name) = strangers.into_iter().find(|name| guessed.contains(name)) {
                    return Err(NotMade::Stranger { name });
                }
                executor.prepare(&placement, Arc::clone(progress)).await.map_err(NotMade::Fault)
            };
            match made.await {
                Ok(prepared) => return Ok(prepared),
                // What the operator does not allow is missing where the program can do without it.
                Err(NotMade::Refused { refusal, .. })
                    if matches!(refusal.reason, Reason::Denied { .. })
                        && guessed.iter().any(|name| detected.may_do_without(name)) =>
                {
                    guessed.retain(|name| !detected.may_do_without(name));
                }
                Err(not_made) => match not_made.useless(&guessed) {
                    // The script is to fail where it imports it, as anywhere else.
                    Some(name) => guessed.retain(|guess| *guess != name),
                    None => return Err(not_made.into()),
                },
            }
        }
    }

    async fn connected_now(&self) -> Result<Arc<DockerExecutor>> {
        self.executor().await.map_err(|why| Error::unavailable(&*why))
    }
}

impl Containers {
    async fn executor(&self) -> Result<Arc<DockerExecutor>, Arc<str>> {
        if let Some(executor) = self.executor.get() {
            return Ok(Arc::clone(executor));
        }
        let _connecting = self.connecting.lock().await;
        if let Some(executor) = self.executor.get() {
            return Ok(Arc::clone(executor));
        }
        if let Some(failed) = self.failed().filter(|failed| failed.at.elapsed() < RETRY_AFTER) {
            return Err(failed.why);
        }
        let options = self.options.clone();
        let connected = tokio::task::spawn_blocking(|| DockerExecutor::connect(options)).await;
        let connected = connected.unwrap_or_else(|fault| Err(Error::caused("connecting to Docker failed", fault)));
        let failed = match connected {
            Ok(executor) => return Ok(Arc::clone(self.executor.get_or_init(|| Arc::new(executor)))),
            Err(error) => Failed { at: Instant::now(), why: error.to_string().into() },
        };
        let why = Arc::clone(&failed.why);
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failed);
        Err(why)
    }

    fn failed(&self) -> Option<Failed> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the placement with these packages, and what was installed of them.
    async fn with_packages(
        &self,
        executor: &DockerExecutor,
        placement: Placement,
        wanted: &Requirements,
        progress: &Progress,
    ) -> Result<(Placement, Option<Arc<Installed>>), NotMade> {
        if wanted.is_empty() {
            return Ok((placement, None));
        }
        let interpreter = executor.interpreter(&placement, Arc::clone(progress)).await?;
        // What the image has is what its user wants; of the rest the dependencies come along, whatever it has.
        let has = |name: &str| interpreter.packages.get(name).map(String::as_str);
        let missing = wanted.without(&platform(&interpreter)?, has);
        if missing.is_empty() {
            return Ok((placement, None));
        }
        let installed = self.installed(executor, &placement, &missing, progress).await?;
        Ok((Placement { packages: packages(&installed, &missing), ..placement }, installed))
    }

    /// Returns names of the packages in the environment of a job.
    async fn in_environment(
        &self,
        executor: &DockerExecutor,
        placement: &Placement,
        requirements: &Requirements,
        progress: &Progress,
    ) -> Result<Vec<String>> {
        let installed = self.installed(executor, placement, requirements, progress).await?;
        Ok(installed.iter().flat_map(|installed| installed.pins()).map(|pin| pin.name.clone()).collect())
    }

    /// Installs wheels for the image; `None` when a build container must install the packages.
    async fn installed(
        &self,
        executor: &DockerExecutor,
        placement: &Placement,
        wanted: &Requirements,
        progress: &Progress,
    ) -> Result<Option<Arc<Installed>>, NotMade> {
        let interpreter = executor.interpreter(placement, Arc::clone(progress)).await?;
        let platform = platform(&interpreter)?;
        let told = Arc::clone(progress);
        let step = move |phase: &str| told(Step::Phase(phase.to_owned()));
        if let Some(Ok(installed)) = self.environments.known(wanted, platform) {
            return Ok(Some(installed));
        }
        let made = self.environments.prepare(wanted, platform, &step).await;
        self.registry.count(Tier::Docker, made.as_ref().map_or_else(|refusal| label(&refusal.reason), |_| "ready"));
        match made {
            Ok(installed) => Ok(Some(installed)),
            Err(refusal) if matches!(refusal.reason, Reason::NoWheel { .. } | Reason::NoUv) => {
                tracing::info!(%refusal, "packages are installed in a build container");
                Ok(None)
            }
            Err(refusal) => Err(NotMade::Refused { refusal, wanted: wanted.clone() }),
        }
    }
}

fn packages(installed: &Option<Arc<Installed>>, wanted: &Requirements) -> Packages {
    match installed {
        Some(installed) => {
            Packages::Folder(PackageFolder::new(installed.id().to_owned(), Folder(Arc::clone(installed))))
        }
        // What the operator allows has options that pip takes from a file only.
        None if wanted.direct().next().is_some() || wanted.to_string().contains("--hash=") => {
            Packages::File(wanted.to_string())
        }
        None => Packages::Build(wanted.to_string().lines().map(str::to_owned).collect()),
    }
}

/// Says why there is no container with the packages.
enum NotMade {
    /// A package that was guessed from an import does not have the module.
    Stranger {
        name: String,
    },
    Refused {
        refusal: Refusal,
        wanted: Requirements,
    },
    Fault(Error),
}

impl NotMade {
    /// Returns the guessed package that is none, or not the module's, when that is why.
    fn useless(&self, guessed: &[String]) -> Option<String> {
        let missing = |name: &&String| match self {
            NotMade::Refused { refusal, .. } => {
                matches!(&refusal.reason, Reason::NotFound { package } if *package == **name)
            }
            // As pip says it.
            NotMade::Fault(Error::InvalidJob { message, .. }) => {
                message.lines().any(|line| line.ends_with(&format!("No matching distribution found for {name}")))
            }
            NotMade::Stranger { name: stranger } => *stranger == **name,
            NotMade::Fault(_) => false,
        };
        guessed.iter().find(missing).cloned()
    }
}

impl From<Error> for NotMade {
    fn from(error: Error) -> NotMade {
        NotMade::Fault(error)
    }
}

impl From<NotMade> for Error {
    fn from(not_made: NotMade) -> Error {
        match not_made {
            NotMade::Fault(error) => error,
            NotMade::Stranger { name } => {
                Error::unavailable(format!("{name} does not have the module that was imported"))
            }
            NotMade::Refused { refusal, wanted } => refused(refusal, &wanted),
        }
    }
}

/// Keeps an environment while its folder is read.
struct Folder(Arc<Installed>);

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        self.0.packages_folder()
    }
}

/// Returns the platform whose wheels an image takes.
fn platform(interpreter: &Interpreter) -> Result<Platform> {
    let machine = Machine::named(&interpreter.machine).ok_or_else(|| {
        Error::invalid(format!(
            "there are no wheels for machines of type {:?}: leave the packages out",
            interpreter.machine
        ))
    })?;
    let libc = match interpreter.libc {
        docker::Libc::Glibc { major, minor } => Libc::Glibc { major: major.into(), minor: minor.into() },
        docker::Libc::Musl => Libc::Musl,
    };
    Ok(Platform { python: interpreter.python.numbers(), target: Target::Linux { machine, libc } })
}

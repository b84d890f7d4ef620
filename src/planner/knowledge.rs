//! Facts about packages, images and tiers that a choice rests on, and how each is found out.

use super::analysis::Analysis;
use crate::{
    Error, Hint, Python, Requirements, ResolvedJob, Result,
    environment::{Definition, Environments, Installed, Libc, Machine, Platform, Reason, Refusal, Target},
    executor::docker::{self, Connection, Interpreter, Placement, Prepared},
    outcome::Tier,
    progress::Progress,
    sync::lock,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// Something that a choice cannot be made without.
#[derive(Debug, Clone)]
pub(super) enum Fact {
    /// Whether containers can be used, for this job on this version of Python.
    Docker { python: Option<Python> },
    /// What comes of installing these packages.
    Packages { wanted: Requirements, platform: Platform },
    /// What the image of a container has.
    Interpreter(Placement),
    /// The image, with all that is added to it.
    Image(Placement),
}

impl Fact {
    /// Returns the tier on which the job runs as far as is known, since it takes this fact.
    pub(super) fn tier(&self) -> Tier {
        match self {
            Fact::Packages { platform, .. } => tier_of(*platform),
            Fact::Docker { .. } | Fact::Interpreter(_) | Fact::Image(_) => Tier::Docker,
        }
    }
}

fn tier_of(platform: Platform) -> Tier {
    match platform.target {
        Target::Wasm => Tier::Wasm,
        Target::Linux { .. } => Tier::Docker,
    }
}

/// Holds the facts that are known for one job.
#[derive(Debug, Clone, Default)]
pub(super) struct Knowledge {
    pub(super) docker: Docker,
    installs: Vec<Install>,
    interpreter: Option<Interpreter>,
    images: Vec<Image>,
}

/// Says whether containers can be used for a job.
#[derive(Debug, Clone, Default)]
pub(super) enum Docker {
    #[default]
    Unknown,
    Usable,
    Unusable(Error),
}

/// What came of installing packages.
#[derive(Debug, Clone)]
pub(super) struct Install {
    wanted: Requirements,
    platform: Platform,
    pub(super) result: Result<Arc<Installed>, Refusal>,
    /// Of packages inferred from imports, those that do not have the modules.
    pub(super) misnamed: Vec<String>,
}

#[derive(Debug, Clone)]
struct Image {
    packages: docker::Packages,
    made: Made,
}

/// What came of making an image.
#[derive(Debug, Clone)]
pub(super) enum Made {
    Ready(Prepared),
    /// Nobody publishes a package of that name.
    NoSuchPackage(String),
}

impl Knowledge {
    /// Returns what came of installing packages, if that is known.
    pub(super) fn install(&self, wanted: &Requirements, platform: Platform) -> Option<&Install> {
        self.installs.iter().find(|install| install.wanted == *wanted && install.platform == platform)
    }

    /// Returns what the image of the job's container has.
    pub(super) fn interpreter(&self) -> Option<&Interpreter> {
        self.interpreter.as_ref()
    }

    /// Returns the image with these packages.
    pub(super) fn image(&self, packages: &docker::Packages) -> Option<&Made> {
        self.images.iter().find(|image| image.packages == *packages).map(|image| &image.made)
    }

    /// Forgets what depends on how an attempt before was placed.
    pub(super) fn forget_containers(&mut self) {
        (self.docker, self.interpreter) = (Docker::Unknown, None);
        self.images.clear();
    }

    fn installed(
        &mut self,
        (wanted, platform): (Requirements, Platform),
        result: Result<Arc<Installed>, Refusal>,
        sources: &Sources,
        analysis: &Analysis,
    ) {
        let misnamed = result.as_ref().map_or_else(
            |_| Vec::new(),
            |installed| analysis.misnamed(|package, module| sources.environments.provides(installed, package, module)),
        );
        self.know_install(wanted, platform, result, misnamed);
    }

    pub(super) fn know_install(
        &mut self,
        wanted: Requirements,
        platform: Platform,
        result: Result<Arc<Installed>, Refusal>,
        misnamed: Vec<String>,
    ) {
        self.installs.push(Install { wanted, platform, result, misnamed });
    }

    pub(super) fn know_image(&mut self, packages: docker::Packages, made: Made) {
        self.images.push(Image { packages, made });
    }

    pub(super) fn know_interpreter(&mut self, interpreter: Interpreter) {
        self.interpreter = Some(interpreter);
    }
}

/// Counts the attempts to have packages that took more than a look, by tier and what came of them.
#[derive(Debug, Default)]
pub(crate) struct PackageCounts(Mutex<HashMap<(Tier, &'static str), u64>>);

impl PackageCounts {
    fn count(&self, tier: Tier, result: &'static str) {
        *lock(&self.0).entry((tier, result)).or_default() += 1;
    }

    pub(crate) fn all(&self) -> Vec<(Tier, &'static str, u64)> {
        let counts = lock(&self.0);
        counts.iter().map(|(&(tier, result), &count)| (tier, result, count)).collect()
    }
}

/// Where facts come from.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) environments: Environments,
    pub(crate) docker: Arc<Connection>,
    pub(crate) counts: Arc<PackageCounts>,
}

impl Sources {
    /// Learns a fact if that takes no waiting; returns whether it did.
    ///
    /// # Errors
    ///
    /// As for [`Sources::learn`].
    pub(super) async fn learn_at_once(
        &self,
        knowledge: &mut Knowledge,
        job: &ResolvedJob,
        analysis: &Analysis,
        fact: &Fact,
    ) -> Result<bool> {
        match fact {
            // Its tier must be known before a job joins a queue.
            Fact::Docker { python } => knowledge.docker = self.ask_docker(job, *python).await?,
            Fact::Packages { wanted, platform } => {
                let Some(result) = self.environments.known(wanted, *platform) else { return Ok(false) };
                knowledge.installed((wanted.clone(), *platform), result, self, analysis);
            }
            Fact::Image(placement) => {
                let Some(docker) = self.docker.connected() else { return Ok(false) };
                let Some(prepared) = docker.known(placement).await else { return Ok(false) };
                knowledge.know_image(placement.packages.clone(), Made::Ready(prepared));
            }
            Fact::Interpreter(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Finds out a fact, which may take minutes: packages are installed, images fetched and made.
    ///
    /// # Errors
    ///
    /// When it cannot be found out, or is such that the job cannot run.
    pub(super) async fn learn(
        &self,
        knowledge: &mut Knowledge,
        job: &ResolvedJob,
        analysis: &Analysis,
        fact: Fact,
        progress: &Progress,
    ) -> Result<()> {
        match fact {
            Fact::Docker { python } => knowledge.docker = self.ask_docker(job, python).await?,
            Fact::Packages { wanted, platform } => {
                let result = self.install(&wanted, platform, progress).await;
                knowledge.installed((wanted, platform), result, self, analysis);
            }
            Fact::Interpreter(placement) => {
                let found = self.docker.connect().await?.interpreter(&placement, steps(progress)).await?;
                knowledge.know_interpreter(found);
            }
            Fact::Image(placement) => {
                let packages = placement.packages.clone();
                // It may have got its owner since that was chosen.
                let placement = Placement { owner: job.containers.owner, ..placement.with_sight_of(job) };
                let made = match self.docker.connect().await?.prepare(&placement, steps(progress)).await {
                    Ok(prepared) => Made::Ready(prepared),
                    Err(error) => match no_such_package(&error, analysis) {
                        Some(name) => Made::NoSuchPackage(name),
                        None => return Err(error),
                    },
                };
                knowledge.know_image(packages, made);
            }
        }
        Ok(())
    }

    /// Reads what an environment is made of.
    ///
    /// # Errors
    ///
    /// When there is none of that id.
    pub(crate) async fn definition(&self, id: String) -> Result<Definition> {
        let environments = self.environments.clone();
        let read = tokio::task::spawn_blocking(move || match environments.defined(&id)? {
            Some(defined) => Ok(defined.definition),
            None => Err(unknown_environment(&id)),
        });
        read.await.unwrap_or_else(|fault| Err(Error::caused("looking at environments failed", fault)))
    }

    /// Installs packages, and counts what came of it.
    pub(crate) async fn install(
        &self,
        wanted: &Requirements,
        platform: Platform,
        progress: &Progress,
    ) -> Result<Arc<Installed>, Refusal> {
        if let Some(known) = self.environments.known(wanted, platform) {
            return known;
        }
        let made = self.environments.prepare(wanted, platform, &|phase| progress.phase(phase)).await;
        if made.as_ref().is_err_and(|refusal| matches!(refusal.reason, Reason::NoUv))
            && self.docker.configured().is_ok()
        {
            progress.phase("uv is missing (`pip install uv` gets it), so a build container installs the packages");
        }
        self.counts.count(tier_of(platform), made.as_ref().map_or_else(|refusal| refusal.reason.label(), |_| "ready"));
        made
    }

    async fn ask_docker(&self, job: &ResolvedJob, python: Option<Python>) -> Result<Docker> {
        match self.docker.executor().await {
            Ok(docker) => {
                docker.check(job, python.map(|python| python.to_string()).as_deref())?;
                Ok(Docker::Usable)
            }
            Err(why) => Ok(Docker::Unusable(why)),
        }
    }
}

/// Makes the error of an environment that is not there.
pub(crate) fn unknown_environment(id: &str) -> Error {
    let shown: String = id.chars().take(80).collect();
    Error::invalid(format!("environment: there is none with the id {shown:?}; create it, or leave it out"))
}

/// Tells progress the steps of the Docker tier.
pub(crate) fn steps(progress: &Progress) -> docker::Progress {
    let progress = progress.clone();
    Arc::new(move |step| match step {
        docker::Step::Line(line) => progress.detail(&line),
        step => progress.phase(&step.to_string()),
    })
}

/// Returns the platform whose wheels an image takes.
///
/// # Errors
///
/// When there are no wheels for machines of its type.
pub(crate) fn platform(interpreter: &Interpreter) -> Result<Platform> {
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

/// Returns the inferred package that pip did not find, when that is why an image cannot be made.
fn no_such_package(error: &Error, analysis: &Analysis) -> Option<String> {
    let missing = error.missing_package()?;
    let names = analysis.inferred.iter().map(|inferred| inferred.name.clone());
    names.chain(analysis.conditional().into_iter().map(|inferred| inferred.name)).find(|name| name == missing)
}

/// Makes the error of packages that cannot be had; the service's part goes to the log.
pub(crate) fn refused(refusal: &Refusal, wanted: &Requirements) -> Error {
    let required = wanted.to_string().trim_end().replace('\n', ", ");
    tracing::warn!(log = refusal.log(), "packages cannot be installed");
    match refusal.reason {
        Reason::NoUv => Error::unavailable(refusal.to_string()).with_hint(Hint::InstallUv),
        Reason::IndexDown | Reason::Timeout { .. } | Reason::Fault => {
            Error::unavailable(format!("{refusal} (required: {required})"))
        }
        Reason::Offline | Reason::TooLarge { .. } => Error::invalid(format!("{refusal} (required: {required})")),
        _ => Error::invalid(refusal.to_string()),
    }
}

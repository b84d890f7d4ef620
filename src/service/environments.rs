//! Environments under a name: made on request, before a job needs them, and taken by the jobs that name them.

use super::{
    BakeOrder, Builder, Pyexec,
    preload::{importable, modules},
};
use crate::{
    Error, ErrorKind, Progress, Python, Requirements, Result,
    environment::{
        Defined, Definition, EnvironmentOptions, Environments, Installed, Listed, Pin, Platform, Reason, Target,
    },
    executor::{docker::Placement, wasm::Packages},
    outcome::Tier,
    pack::Pack,
    planner::{folder, listed, name_of, platform, refused, steps, to_build, unknown_environment},
    sync::lock,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::{sync::watch, task::JoinHandle};

/// Environments that are prepared at the same time, those that wait for others included.
const PREPARING_MAX: usize = 32;
/// Of those that were prepared this many are remembered; of others what is on disk says how they are.
const REMEMBERED_MAX: usize = 1000;
/// Who asks for what is there is told so.
const AT_ONCE: Duration = Duration::from_millis(100);

/// A set of packages under a name, and how it is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NamedEnvironment {
    /// 64 hexadecimal digits: the same definition has the same.
    pub id: String,
    /// What it is made from.
    pub definition: Definition,
    /// Whether it can be used.
    pub state: EnvironmentState,
    /// When it was first defined.
    pub created: SystemTime,
    /// When it was used last, to a minute.
    pub last_used: SystemTime,
}

/// Says how far an environment is.
#[derive(Debug, Clone)]
pub enum EnvironmentState {
    /// It is not there: it was removed to make room, or its installation ended early. A job that names it makes it.
    Defined,
    /// It is being installed.
    Preparing {
        /// What goes on, in a few words.
        progress: String,
    },
    /// It is there.
    Ready(ReadyEnvironment),
    /// It cannot be had.
    Failed {
        /// Why, and what to do about it.
        error: String,
    },
}

/// An environment that is there.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReadyEnvironment {
    /// Where jobs run with it that need nothing else.
    pub tier: Tier,
    /// Why there, in words.
    pub reason: String,
    /// Its packages, by name. Those that a build container installed are not known.
    pub packages: Vec<Pin>,
    /// What its files take, in bytes.
    pub bytes: u64,
    /// Whether jobs start with it already imported.
    pub baked: bool,
    /// What goes on to make it faster still, in a few words.
    pub progress: Option<String>,
}

/// Holds what this process knows of named environments.
#[derive(Default)]
pub(super) struct Registry {
    works: Mutex<HashMap<String, Arc<Work>>>,
}

/// The making of an environment, which goes on or has ended.
struct Work {
    state: watch::Receiver<State>,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone, Default)]
struct State {
    phase: String,
    made: Option<Result<Made, Error>>,
    /// It is baked as well, or will not be.
    ended: bool,
}

#[derive(Debug, Clone)]
struct Made {
    tier: Tier,
    reason: String,
    /// What tells its content from other content, where that is known.
    content: Option<String>,
    packages: Vec<Pin>,
    bytes: u64,
}

impl Builder {
    /// Sets how packages are found, installed and kept.
    #[must_use]
    pub fn environments(mut self, options: EnvironmentOptions) -> Builder {
        self.environments = options;
        self
    }
}

impl Pyexec {
    /// Returns the environments, where packages are kept.
    pub fn packages(&self) -> &Environments {
        &self.planner.sources.environments
    }

    /// Defines an environment and begins to make it, in the background: for WebAssembly where that takes its packages, and
    /// then baked; otherwise for containers. The same definition leads to the same environment. Must be called within a
    /// tokio runtime, on which it is made.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when the definition is not acceptable, [`Unavailable`](crate::ErrorKind::Unavailable) when too many are being made.
    pub async fn create_environment(&self, definition: Definition) -> Result<NamedEnvironment> {
        let environments = self.packages().clone();
        let defined = blocking(move || environments.define(&definition)).await?;
        let work = self.work(&defined)?;
        let mut state = work.state.clone();
        let made = state.wait_for(|state| state.made.is_some());
        // Whatever comes of it, it is told.
        let _ = tokio::time::timeout(AT_ONCE, made).await;
        self.named(defined, &[]).await
    }

    /// Returns an environment by its id, or by eight or more digits that only one begins with.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when several begin with these digits, [`Unavailable`](crate::ErrorKind::Unavailable) when it cannot be read.
    pub async fn environment(&self, id: &str) -> Result<Option<NamedEnvironment>> {
        match self.defined(id).await? {
            Some(defined) => {
                let on_disk = if self.remembers(&defined.id) { Vec::new() } else { self.on_disk().await? };
                self.named(defined, &on_disk).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Lists all environments that have a name, the last used first.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub async fn environments(&self) -> Result<Vec<NamedEnvironment>> {
        let environments = self.packages().clone();
        let all = blocking(move || environments.definitions()).await?;
        let on_disk = self.on_disk().await?;
        let mut named = Vec::with_capacity(all.len());
        for defined in all {
            named.push(self.named(defined, &on_disk).await?);
        }
        Ok(named)
    }

    /// Removes an environment, by its id as [`Pyexec::environment`] takes it, with what was made for it alone; `false` when
    /// there is none.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when jobs use it: it stays then.
    pub async fn remove_environment(&self, id: &str) -> Result<bool> {
        let Some(defined) = self.defined(id).await? else { return Ok(false) };
        let work = lock(&self.registry.works).remove(&defined.id);
        if let Some(work) = work {
            work.task.abort();
            // What it holds is given back when it is gone.
            while !work.task.is_finished() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let made = found(&defined.definition, &self.on_disk().await?);
        let (environments, id) = (self.packages().clone(), defined.id.clone());
        let removed = blocking(move || environments.forget(&id)).await?;
        // What others are made of as well stays, and so does its image.
        if let Some(Made { content: Some(content), packages, tier: Tier::Wasm, .. }) = made
            && !self.on_disk().await?.iter().any(|made| made.content == content)
        {
            let Definition { requirements, preload, .. } = &defined.definition;
            self.wasm.forget(&image_of(&content, &packages, requirements, preload));
        }
        Ok(removed)
    }

    /// Makes an environment that is defined, and waits until it is ready. `progress` is told what goes on, in a few words.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when there is none of that id, or its packages cannot be had, [`Unavailable`](crate::ErrorKind::Unavailable) when the
    /// service is at fault.
    pub async fn make_environment(&self, id: &str, progress: &Progress) -> Result<NamedEnvironment> {
        self.awaited(id, progress, |_| true).await
    }

    /// Makes an environment, and bakes it if it is for WebAssembly: jobs then start with its packages imported.
    ///
    /// # Errors
    ///
    /// As for [`Pyexec::make_environment`].
    pub async fn warm(&self, id: &str, progress: &Progress) -> Result<NamedEnvironment> {
        self.awaited(id, progress, |now| now.ended).await
    }

    async fn awaited(
        &self,
        id: &str,
        progress: &Progress,
        enough: impl Fn(&State) -> bool,
    ) -> Result<NamedEnvironment> {
        let defined = self.defined(id).await?.ok_or_else(|| unknown_environment(id))?;
        let work = self.work(&defined)?;
        let mut state = work.state.clone();
        let mut told = String::new();
        loop {
            let now = state.borrow_and_update().clone();
            if now.phase != told && !now.phase.is_empty() {
                progress.phase(&now.phase);
                told.clone_from(&now.phase);
            }
            match &now.made {
                Some(Err(failure)) => return Err(failure.clone()),
                Some(Ok(_)) if enough(&now) => return self.named(defined, &[]).await,
                _ if state.changed().await.is_err() => return Err(Error::unavailable("it was removed meanwhile")),
                _ => {}
            }
        }
    }

    /// Returns whether jobs for which an environment was made start with its packages imported.
    pub async fn is_baked(&self, made: &Listed) -> bool {
        let Ok(requirements) = Requirements::from_list(made.requirements.iter().map(String::as_str)) else {
            return false;
        };
        made.platform.target == Target::Wasm && self.has_image(&made.content, &made.pins, &requirements, &[]).await
    }

    /// Counts the attempts to have packages, by tier and result: `ready`, or why not in a word.
    pub fn package_counts(&self) -> Vec<(Tier, &'static str, u64)> {
        self.planner.sources.counts.all()
    }

    async fn defined(&self, id: &str) -> Result<Option<Defined>> {
        let (environments, id) = (self.packages().clone(), id.to_owned());
        blocking(move || environments.defined(&id)).await
    }

    async fn on_disk(&self) -> Result<Vec<Listed>> {
        let environments = self.packages().clone();
        blocking(move || environments.list()).await
    }

    fn remembers(&self, id: &str) -> bool {
        lock(&self.registry.works).contains_key(id)
    }

    /// Returns how an environment is, as far as this process knows; otherwise as it is on disk.
    async fn named(&self, defined: Defined, on_disk: &[Listed]) -> Result<NamedEnvironment> {
        let work = lock(&self.registry.works).get(&defined.id).cloned();
        let now = work.map(|work| work.state.borrow().clone());
        let (made, progress) = match now {
            Some(State { made: None, phase, .. }) => (None, Some(phase)),
            Some(State { made, phase, ended }) => (made, (!ended && !phase.is_empty()).then_some(phase)),
            None => (found(&defined.definition, on_disk).map(Ok), None),
        };
        let state = match (made, progress) {
            (None, None) => EnvironmentState::Defined,
            (None, Some(progress)) => EnvironmentState::Preparing { progress },
            (Some(Err(failure)), _) => EnvironmentState::Failed {
                error: failure.hint().map_or_else(|| failure.to_string(), |hint| format!("{failure}: {hint}")),
            },
            (Some(Ok(made)), progress) => {
                let Made { tier, reason, content, packages, bytes } = made;
                let Definition { requirements, preload, .. } = &defined.definition;
                let baked = match content.filter(|_| tier == Tier::Wasm) {
                    Some(content) => self.has_image(&content, &packages, requirements, preload).await,
                    None => false,
                };
                EnvironmentState::Ready(ReadyEnvironment { tier, reason, packages, bytes, baked, progress })
            }
        };
        let Defined { id, definition, created, last_used } = defined;
        Ok(NamedEnvironment { id, definition, state, created, last_used })
    }

    /// Returns whether there is an image with these packages imported.
    async fn has_image(&self, content: &str, pins: &[Pin], wanted: &Requirements, preload: &[String]) -> bool {
        self.wasm.is_baked(&image_of(content, pins, wanted, preload)).await
    }

    /// Joins the making of an environment that goes on, or begins one.
    fn work(&self, defined: &Defined) -> Result<Arc<Work>> {
        let mut works = lock(&self.registry.works);
        if let Some(work) = works.get(&defined.id).filter(|work| !work.task.is_finished()) {
            return Ok(Arc::clone(work));
        }
        let going_on = works.values().filter(|work| !work.task.is_finished()).count();
        if going_on >= PREPARING_MAX {
            let message = format!("{going_on} environments are being prepared: try again when some of them are ready");
            return Err(Error::new(ErrorKind::Busy, message));
        }
        if works.len() >= REMEMBERED_MAX {
            works.retain(|_, work| !work.task.is_finished());
        }
        let (sender, state) = watch::channel(State::default());
        let (pyexec, definition) = (self.clone(), defined.definition.clone());
        let task = tokio::spawn(async move {
            let sender = Arc::new(sender);
            let told = Arc::clone(&sender);
            let progress = Progress::phases(move |phase| told.send_modify(|state| phase.clone_into(&mut state.phase)));
            let (made, packages) = match pyexec.make(&definition, &progress).await {
                Ok((made, packages)) => (Ok(made), packages),
                Err(error) => (Err(error), None),
            };
            let ended = packages.is_none();
            sender.send_modify(|state| *state = State { phase: String::new(), made: Some(made), ended });
            if let Some((packages, _installed)) = packages {
                if let Err(error) = pyexec.wasm.bake(&packages, move |phase| progress.phase(phase)).await {
                    tracing::warn!(%error, "an environment cannot be baked: jobs import its packages");
                }
                sender.send_modify(|state| state.ended = true);
            }
        });
        let work = Arc::new(Work { state, task });
        works.insert(defined.id.clone(), Arc::clone(&work));
        Ok(work)
    }

    /// Installs the packages of an environment where they run; those for WebAssembly are returned to be baked.
    async fn make(
        &self,
        definition: &Definition,
        progress: &Progress,
    ) -> Result<(Made, Option<(Packages, Arc<Installed>)>)> {
        let Definition { requirements, python, preload } = definition;
        let sources = &self.planner.sources;
        let reason = match python {
            Some(python) if *python != Python::WASM => format!("asks for Python {python}"),
            _ => match sources.install(requirements, Platform::WASM, progress).await {
                Ok(installed) => {
                    let order = BakeOrder::new(requirements.clone(), preload.clone());
                    let made = Made {
                        tier: Tier::Wasm,
                        reason: "WebAssembly takes all of its packages".to_owned(),
                        content: Some(installed.content().to_owned()),
                        packages: installed.pins().to_vec(),
                        bytes: installed.bytes(),
                    };
                    return Ok((made, Some((importable(&installed, &order)?, installed))));
                }
                Err(refusal) => match &refusal.reason {
                    Reason::NoWheel { packages, .. } => no_wheel(packages.iter().map(String::as_str)),
                    Reason::NoUv if sources.docker.configured().is_ok() => {
                        "packages are installed in a container".to_owned()
                    }
                    _ => return Err(refused(&refusal, requirements)),
                },
            },
        };
        let installed = match self.make_for_containers(*python, requirements, progress).await {
            Ok(installed) => installed,
            Err(error) if sources.docker.configured().is_err() => {
                return Err(error.reworded(|off| format!("the environment {reason}, which takes docker: {off}")));
            }
            Err(error) => return Err(error),
        };
        let made = Made {
            tier: Tier::Docker,
            reason,
            packages: installed.as_ref().map(|installed| installed.pins().to_vec()).unwrap_or_default(),
            bytes: installed.as_ref().map_or(0, |installed| installed.bytes()),
            content: installed.map(|installed| installed.content().to_owned()),
        };
        Ok((made, None))
    }

    /// Installs packages for containers, of that version of Python or the usual one. What a build container installs is
    /// not known.
    async fn make_for_containers(
        &self,
        python: Option<Python>,
        wanted: &Requirements,
        progress: &Progress,
    ) -> Result<Option<Arc<Installed>>> {
        let executor = self.planner.sources.docker.connect().await?;
        let placement = Placement { python: python.map(|python| python.to_string()), ..Placement::default() };
        let interpreter = executor.interpreter(&placement, steps(progress)).await?;
        let installed = match self.planner.sources.install(wanted, platform(&interpreter)?, progress).await {
            Ok(installed) => Some(installed),
            Err(refusal) if matches!(refusal.reason, Reason::NoWheel { .. } | Reason::NoUv) => None,
            Err(refusal) => return Err(refused(&refusal, wanted)),
        };
        let packages = installed.as_ref().map_or_else(|| to_build(wanted), folder);
        executor.prepare(&Placement { packages, ..placement }, steps(progress)).await?;
        Ok(installed)
    }
}

/// Describes an image, to find it by; what is in the files does not matter for that.
fn image_of(content: &str, pins: &[Pin], wanted: &Requirements, preload: &[String]) -> Packages {
    let order = BakeOrder::new(wanted.clone(), preload.to_vec());
    Packages::new(content, Pack::default(), modules(pins, &order))
}

/// Finds what is on disk of a definition; that for WebAssembly before others.
fn found(definition: &Definition, on_disk: &[Listed]) -> Option<Made> {
    let is_wasm = |made: &&Listed| made.platform.target == Target::Wasm;
    let all = || on_disk.iter().filter(|made| definition.makes(made));
    let made = all().find(is_wasm).or_else(|| all().next())?;
    let (tier, reason) = match made.platform.target {
        Target::Wasm => (Tier::Wasm, "WebAssembly takes all of its packages".to_owned()),
        Target::Linux { .. } => {
            let native = made.pins.iter().filter(|pin| !pin.pure).map(|pin| &*pin.name);
            let reason = match definition.python {
                Some(python) if python != Python::WASM => format!("asks for Python {python}"),
                _ => no_wheel(native),
            };
            (Tier::Docker, reason)
        }
    };
    let (content, packages, bytes) = (Some(made.content.clone()), made.pins.clone(), made.bytes);
    Some(Made { tier, reason, content, packages, bytes })
}

fn no_wheel<'a>(packages: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = packages.map(|package| name_of(package).to_owned()).collect();
    let has = if names.len() == 1 { "has" } else { "have" };
    format!("needs {}, which {has} no pure-Python wheel", listed(&names))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|fault| Err(Error::caused("looking at environments failed", fault)))
}

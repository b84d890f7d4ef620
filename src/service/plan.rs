//! Where a job will run: decided before it waits for a slot, from its code and from what it asks for.

use super::{Pyexec, packages::InWasm, retry::Means};
use crate::{
    Error, Job, Outcome, Requirements, Result, TierChoice,
    environment::Platform,
    executor::docker::Prepared,
    job::Containers,
    needs::{Module, Needs, Python, Urgency},
    outcome::{CapabilityMiss, Tier},
    route::{Asked, Packages, Route, Tiers, route},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// Up to so much in so many files is parsed on the thread that asks; it takes less than changing threads a few times.
const SMALL_BYTES: u64 = 32 << 10;
const SMALL_FILES: u64 = 16;

/// A job, and where it will run.
#[derive(Debug)]
pub struct Plan {
    pub(super) job: Job,
    pub(super) reason: String,
    pub(super) place: Place,
    pub(super) detected: Detected,
    /// Attempts before this one.
    pub(super) attempts: u32,
    /// Whether it may be stopped where it misses something, for another attempt.
    pub(super) may_stop: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Place {
    Wasm(InWasm),
    /// `ready` is what it takes there, once that has been made.
    Docker {
        python: Option<String>,
        network: bool,
        ready: Option<Prepared>,
    },
}

/// Holds what the code is known to need.
#[derive(Debug, Clone, Default)]
pub(super) struct Detected {
    pub(super) needs: Arc<Needs>,
    /// Distributions of the modules that it imports.
    pub(super) guesses: Vec<Guess>,
    /// The job names an environment, which may have all that is guessed: that is looked at first.
    pub(super) is_extra: bool,
    /// Modules that it may make itself, with the distributions that they come from otherwise.
    perhaps: Vec<(String, String)>,
    /// Distributions that are not guessed again: nobody has them, or its requirements or its environment do.
    left_out: BTreeSet<String>,
}

/// A distribution that is only known from an import.
#[derive(Debug, Clone)]
pub(super) struct Guess {
    /// Normalised.
    pub(super) name: String,
    /// The program may do without it.
    pub(super) droppable: bool,
}

/// Says what came of running a [`Plan`].
#[derive(Debug)]
pub enum Attempt {
    /// It is over.
    Done(Box<Outcome>),
    /// The job came upon something that it did not have there, and nothing of it is left: this plan runs it again, from the
    /// start, in the time that is left: in a container, or with a package that it turned out to import.
    Again(Box<Plan>),
}

impl Plan {
    /// Returns which tier runs it, as far as is known before [`Pyexec::prepare`].
    pub fn tier(&self) -> Tier {
        match self.place {
            Place::Wasm(_) => Tier::Wasm,
            Place::Docker { .. } => Tier::Docker,
        }
    }

    /// Returns whether provisioning is complete. Otherwise [`Pyexec::prepare`] may take a while, and choose another
    /// tier.
    pub fn is_prepared(&self) -> bool {
        !matches!(self.place, Place::Wasm(InWasm::Unprepared))
    }

    /// Returns whether it can run as soon as its tier has a place: otherwise [`Pyexec::provision`] may install packages, fetch an
    /// image or run commands first, which may take minutes.
    pub fn is_provisioned(&self) -> bool {
        match &self.place {
            Place::Wasm(_) => self.is_prepared(),
            Place::Docker { python, ready, .. } => {
                let Containers { image, pre_commands, requirements, .. } = &self.job.containers;
                let is_plain = python.is_none() && image.is_none() && pre_commands.is_empty();
                ready.is_some() || is_plain && requirements.is_empty() && self.detected.guesses.is_empty()
            }
        }
    }

    /// Returns the reason for the tier, in words.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Says for whom it is: where jobs wait for each other, owners take turns.
    pub fn set_owner(&mut self, owner: u64) {
        self.job.containers.owner = owner;
    }

    /// Returns the most wall clock time that running it may take.
    pub fn wall_clock(&self) -> Duration {
        self.job.limits.wall_clock()
    }

    /// Shortens the wall clock, for time that went by elsewhere.
    pub fn set_wall_clock(&mut self, left: Duration) {
        let milliseconds = u64::try_from(left.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        self.job.limits.wall_clock_ms = milliseconds.max(1).min(self.job.limits.wall_clock_ms);
    }

    /// Returns the packages to be there next: all that it is known to need, or its environment's.
    ///
    /// # Errors
    ///
    /// When there are too many.
    pub(super) fn wanted(&self) -> Result<Requirements> {
        let guesses = self.detected.guesses.iter().filter(|_| !self.detected.is_extra).map(|guess| &*guess.name);
        self.job.containers.requirements.clone().merge(guesses)
    }

    /// Follows a route. Of a second attempt the reason says why it is one.
    pub(super) fn go(&mut self, route: Route) -> Result<()> {
        let (reason, place) = match route {
            Route::Impossible { message } => return Err(Error::invalid(message)),
            Route::Wasm { reason } => (reason, Place::Wasm(InWasm::Unprepared)),
            Route::Docker { reason, python, network } => {
                (reason, Place::Docker { python: python.map(|python| python.to_string()), network, ready: None })
            }
        };
        self.place = place;
        if self.attempts == 0 {
            self.reason = reason;
        }
        Ok(())
    }
}

impl Detected {
    pub(super) fn of(needs: Needs, packages: bool) -> Detected {
        let (mut guesses, mut perhaps) = (Vec::new(), Vec::new());
        for module in needs.modules.iter().filter(|module| packages && module.urgency != Urgency::Optional) {
            match &module.distribution {
                Some(distribution) if module.perhaps_own => perhaps.push((module.name.clone(), distribution.clone())),
                Some(distribution) if module.urgency <= Urgency::Guarded => {
                    let droppable = module.urgency == Urgency::Guarded;
                    guesses.push(Guess { name: distribution.clone(), droppable });
                }
                Some(_) | None => {}
            }
        }
        Detected { needs: Arc::new(needs), guesses, perhaps, is_extra: false, left_out: BTreeSet::new() }
    }

    /// Returns the distribution of a module that the program may import, by the name of what is missing.
    pub(super) fn possible(&self, missing: &str) -> Option<String> {
        let is_part = |whole: &str, part: &str| {
            part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let modules = self.needs.modules.iter().filter(|module| !module.perhaps_own);
        let mut found = modules.filter(|module| is_part(&module.name, missing) || is_part(missing, &module.name));
        found.find_map(|module| module.distribution.clone())
    }

    /// Returns whether a distribution is among those that are tried, or was.
    pub(super) fn has(&self, distribution: &str) -> bool {
        self.left_out.contains(distribution) || self.guesses.iter().any(|guess| guess.name == distribution)
    }

    /// Returns whether a distribution was guessed that the program can do without.
    pub(super) fn may_do_without(&self, distribution: &str) -> bool {
        self.guesses.iter().any(|guess| guess.droppable && guess.name == distribution)
    }

    /// Adds a package that the program turned out to import.
    pub(super) fn provide(&mut self, module: &str, distribution: String) {
        let needs = Arc::make_mut(&mut self.needs);
        let mut is_known = false;
        for known in needs.modules.iter_mut().filter(|known| known.name.split('.').next() == Some(module)) {
            known.urgency = known.urgency.min(Urgency::Guarded);
            is_known = true;
        }
        if !is_known {
            // Its name is in no import of the code, but was made while it ran.
            needs.modules.push(Module::met(module, &distribution));
        }
        self.guesses.push(Guess { name: distribution, droppable: true });
    }

    /// Adds a package by its own name: which modules it has is not known.
    pub(super) fn provide_distribution(&mut self, distribution: String) {
        let module = Module { imported: false, ..Module::met(&distribution, &distribution) };
        Arc::make_mut(&mut self.needs).modules.push(module);
        self.guesses.push(Guess { name: distribution, droppable: true });
    }

    /// Adds packages that the program has a substitute for, of those that it missed; returns their names.
    pub(super) fn provide_optional(&mut self, misses: &[CapabilityMiss]) -> Vec<String> {
        let optional = |miss: &&CapabilityMiss| {
            miss.kind == "module" && self.needs.optional.contains(miss.detail.split('.').next().unwrap_or_default())
        };
        let missed: Vec<_> = misses.iter().filter(optional).map(|miss| miss.detail.clone()).collect();
        let mut names = Vec::new();
        for module in missed {
            let Some(distribution) = self.possible(&module).or_else(|| Needs::distribution_of(&module)) else {
                continue;
            };
            if !self.has(&distribution) && !Needs::is_standard(&module) {
                let top = module.split('.').next().unwrap_or_default().to_owned();
                Arc::make_mut(&mut self.needs).optional.remove(&top);
                self.provide(&top, distribution.clone());
                names.push(distribution);
            }
        }
        names
    }

    /// Adds all packages that the program may import, for an attempt that must be the last.
    fn provide_all(&mut self) {
        let possible =
            self.needs.modules.iter().filter(|module| module.urgency == Urgency::Later && !module.perhaps_own);
        let names: Vec<_> = possible.filter_map(|module| module.distribution.clone()).collect();
        for name in names {
            if !self.has(&name) {
                self.guesses.push(Guess { name, droppable: true });
            }
        }
    }

    /// Does without packages that were guessed.
    pub(super) fn leave_out(&mut self, which: impl Fn(&Guess) -> bool) {
        self.left_out.extend(self.guesses.iter().filter(|guess| which(guess)).map(|guess| guess.name.clone()));
        self.guesses.retain(|guess| !which(guess));
    }

    /// Notes what the program has come upon, and only Linux has.
    pub(super) fn meet(&mut self, miss: &CapabilityMiss) {
        let needs = Arc::make_mut(&mut self.needs);
        needs.met = Some(format!("uses what WebAssembly lacks ({}: {})", miss.kind, miss.detail));
        if miss.kind == "module" {
            needs.miss_removed(&miss.detail);
        }
    }

    /// Returns the oldest version that has all modules for which one before the newest is taken, if that is why it is.
    pub(super) fn oldest_with_same_modules(&self, job: &Job) -> Option<Python> {
        let prescribed = self.needs.script.as_ref().is_some_and(|script| script.requires_python.is_some());
        let for_modules = !prescribed && job.containers.python.is_none() && self.needs.python_at_most.is_some();
        for_modules.then(|| self.needs.oldest_python().unwrap_or(Python::V3_10))
    }

    /// Returns whether the program goes on without modules for which a version before the newest is taken.
    pub(super) fn may_do_without_older_python(&self) -> bool {
        self.needs
            .python_at_most
            .as_ref()
            .is_some_and(|bound| matches!(bound.urgency, Urgency::Guarded | Urgency::Later))
    }

    /// Does without that version: the program finds its modules missing, as it does on the newest.
    pub(super) fn leave_out_older_python(&mut self) {
        let needs = Arc::make_mut(&mut self.needs);
        needs.optional.extend(needs.python_at_most.take().map(|bound| bound.module));
        needs.met = None;
    }

    /// Forgets what was noted, where there is no Linux.
    pub(super) fn forget_met(&mut self) {
        Arc::make_mut(&mut self.needs).met = None;
    }

    /// Returns the packages guessed from imports that provide none of these modules.
    pub(super) fn strangers(&self, provides: impl Fn(&str, &str) -> bool) -> Vec<String> {
        let is_stranger = |guess: &&Guess| {
            let of_guess = |module: &&Module| module.imported && module.distribution.as_ref() == Some(&guess.name);
            let mut modules = self.needs.modules.iter().filter(of_guess).peekable();
            modules.peek().is_some() && modules.all(|module| !provides(&guess.name, &module.name))
        };
        self.guesses.iter().filter(is_stranger).map(|guess| guess.name.clone()).collect()
    }

    /// Returns the module for which the program ended, when that may be a package.
    pub(super) fn missed(&self, outcome: &Outcome) -> Option<String> {
        let exception = outcome.exception.as_ref().filter(|exception| exception.kind == "ModuleNotFoundError")?;
        let name = exception.message.split('\'').nth(1)?;
        let (module, _) = self.perhaps.iter().find(|(module, _)| {
            let rest = name.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })?;
        Some(module.clone())
    }

    /// Takes what may be the program's own for packages that it can do without.
    pub(super) fn take_as_packages(&mut self) {
        let perhaps = std::mem::take(&mut self.perhaps);
        self.guesses.extend(perhaps.into_iter().map(|(_, name)| Guess { name, droppable: true }));
        for module in Arc::make_mut(&mut self.needs).modules.iter_mut().filter(|module| module.perhaps_own) {
            module.perhaps_own = false;
            module.urgency = Urgency::Guarded;
        }
    }
}

impl Pyexec {
    /// Decides where a job runs. Whether WebAssembly takes its packages may remain to be found out, by
    /// [`Pyexec::prepare`].
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJob`] when it is not acceptable, or needs what there is not; the message says what to do.
    pub async fn plan(&self, job: Job) -> Result<Plan> {
        job.check()?;
        let job = self.with_environment(job).await?;
        let (mut job, needs) = needs(job).await?;
        if let Some(script) = &needs.script {
            job.containers.fill_in(&script.container);
            job.containers.requirements = job.containers.requirements.and(&script.dependencies)?;
        }
        let mut detected = Detected::of(needs, job.containers.detect_packages && self.detect_packages);
        let strangers = detected.strangers(|package, module| !self.environments.is_stranger(package, module));
        detected.leave_out(|guess| strangers.contains(&guess.name));
        let required = job.containers.requirements.names(&Platform::WASM);
        detected.left_out.extend(required.into_iter().map(str::to_owned));
        let installed = Needs::installed_by(&job.containers.pre_commands, &job.project);
        detected.left_out.extend(installed.iter().cloned());
        detected.leave_out(|guess| installed.contains(&guess.name));
        detected.is_extra = job.containers.environment.is_some() && !job.containers.requirements.is_empty();
        let place = Place::Wasm(InWasm::Unprepared);
        let mut plan = Plan { job, reason: String::new(), place, detected, attempts: 0, may_stop: true };
        self.choose(&mut plan).await?;
        Ok(plan)
    }

    /// Chooses the place of a job by what is known of it.
    ///
    /// # Errors
    ///
    /// When it can run nowhere.
    pub(super) async fn choose(&self, plan: &mut Plan) -> Result<()> {
        let route = self.settle(&plan.job, &plan.detected.needs, Packages::Fit).await?;
        plan.go(route)?;
        if matches!(plan.place, Place::Docker { network: true, .. }) {
            plan.detected.provide_all();
        }
        self.prepare_at_once(plan).await
    }

    /// Decides where a job runs, and connects to Docker when it is needed.
    ///
    /// # Errors
    ///
    /// When it can run nowhere.
    pub(super) async fn settle(&self, job: &Job, needs: &Needs, packages: Packages<'_>) -> Result<Route> {
        let mut chosen = self.route(job, needs, packages, self.fallback.configured());
        if let Route::Docker { python, .. } = &chosen {
            match self.fallback.executor().await {
                Ok(docker) => docker.check(job, python.map(|python| python.to_string()).as_deref())?,
                Err(why) => chosen = self.route(job, needs, packages, Err(&why)),
            }
            if let Route::Impossible { message } = chosen {
                // The job is as it should be; it is Docker that is not there.
                return Err(Error::unavailable(message));
            }
        }
        match chosen {
            Route::Impossible { message } => Err(Error::invalid(message)),
            route => Ok(route),
        }
    }

    fn route(&self, job: &Job, needs: &Needs, packages: Packages<'_>, docker: Result<(), &str>) -> Route {
        let Containers { tier, python, image, requirements, detect_packages, pre_commands, network, .. } =
            &job.containers;
        let names: Vec<_> = requirements.names(&Platform::WASM).into_iter().map(str::to_owned).collect();
        let asked = Asked {
            tier: *tier,
            python: *python,
            docker_image: image.as_deref(),
            pre_commands: !pre_commands.is_empty(),
            requirements: &names,
            detect_packages: *detect_packages && self.detect_packages,
            memory_bytes: job.limits.memory_bytes,
            network: *network,
        };
        let tiers = Tiers { docker, allow_network: self.allow_network, packages };
        route(needs, &asked, &tiers)
    }

    /// Returns whether running a plan is likely to end in another one, since its code has what may be missing.
    pub fn may_run_again(&self, plan: &Plan) -> bool {
        let (means, needs) = (self.means(plan), &plan.detected.needs);
        let is_plain = needs.modules.is_empty() && needs.uses.is_empty() && needs.overlooked.is_none();
        (means.container || means.packages) && plan.may_stop && !is_plain
    }

    /// Returns what a plan's job may get in another attempt.
    pub(super) fn means(&self, plan: &Plan) -> Means {
        let in_wasm = matches!(plan.place, Place::Wasm(_));
        let asked = &plan.job.containers;
        Means {
            container: in_wasm && asked.tier == TierChoice::Auto && self.fallback.state().is_ok(),
            network: asked.network && self.allow_network,
            packages: asked.detect_packages
                && self.detect_packages
                && !matches!(plan.place, Place::Docker { network: true, .. }),
        }
    }
}

async fn needs(job: Job) -> Result<(Job, Needs)> {
    let (bytes, files) = job.project.size();
    if bytes <= SMALL_BYTES && files <= SMALL_FILES {
        let needs = find(&job)?;
        return Ok((job, needs));
    }
    let found = tokio::task::spawn_blocking(move || {
        let needs = find(&job)?;
        Ok((job, needs))
    });
    found.await.unwrap_or_else(|fault| Err(Error::caused("looking through the code failed", fault)))
}

fn find(job: &Job) -> Result<Needs> {
    let script = job.script()?;
    if job.project.locate(&script).is_none() {
        // Commands are to make it.
        return Ok(Needs::default());
    }
    let python_path = job.env.iter().any(|(name, _)| name == "PYTHONPATH");
    Needs::of(&job.project, &script, python_path)
}

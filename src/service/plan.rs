//! Where a job will run: decided before it waits for a slot, from its code and from what it asks for.

use super::{Pyexec, stdin};
use crate::{
    Error, Job, Outcome, Result, TierChoice,
    environment::Platform,
    job::Containers,
    needs::{Needs, Urgency},
    outcome::Tier,
    route::{Asked, Package, Route, Tiers, route},
};
use std::time::Duration;

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
    pub(super) may_replay: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Place {
    Wasm,
    Docker { python: Option<String>, network: bool },
}

/// What the code is known to need of a container.
#[derive(Debug, Clone, Default)]
pub(super) struct Detected {
    /// Distributions of the modules that it imports, normalised.
    pub(super) packages: Vec<String>,
    /// Modules that it may make itself, with the distributions that they come from otherwise.
    perhaps: Vec<(String, String)>,
    /// Requirements in the script's own metadata, as written.
    pub(super) dependencies: Vec<String>,
}

/// What came of running a [`Plan`].
#[derive(Debug)]
pub enum Attempt {
    /// It is over.
    Done(Box<Outcome>),
    /// In WebAssembly the job came upon something that only a container has, and nothing of it is left: this plan runs it
    /// again there, from the start, in the time that is left.
    Again(Box<Plan>),
}

impl Plan {
    /// Which tier runs it.
    pub fn tier(&self) -> Tier {
        match self.place {
            Place::Wasm => Tier::Wasm,
            Place::Docker { .. } => Tier::Docker,
        }
    }

    /// Why that tier, in words.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The most wall clock that running it may take.
    pub fn wall_clock(&self) -> Duration {
        self.job.limits.wall_clock()
    }

    /// Shortens the wall clock, for time that went by elsewhere.
    pub fn set_wall_clock(&mut self, left: Duration) {
        let milliseconds = u64::try_from(left.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        self.job.limits.wall_clock_ms = milliseconds.max(1).min(self.job.limits.wall_clock_ms);
    }
}

/// The job with a standard input that can be read again, and what a second attempt takes.
pub(super) fn twice(mut job: Job, place: Place, detected: Detected) -> (Job, Again) {
    let (first, second) = stdin::twice(std::mem::take(&mut job.stdin));
    let again = Again { job: job.without_stdin(), stdin: second, place, detected };
    (job.stdin(first), again)
}

/// A job that may have to run again.
pub(super) struct Again {
    job: Job,
    stdin: stdin::Second,
    place: Place,
    detected: Detected,
}

impl Again {
    /// The plan for a second attempt, when `outcome` is such that there should be one; none when its time is over, or its
    /// input cannot be had again.
    pub(super) fn plan(mut self, outcome: &Outcome, network: bool) -> Option<Plan> {
        let reason = match self.detected.missed(outcome) {
            Some(module) => {
                let perhaps = std::mem::take(&mut self.detected.perhaps);
                self.detected.packages.extend(perhaps.into_iter().map(|(_, distribution)| distribution));
                format!("run again: {module} is not the program's own, so it is taken for a third-party package")
            }
            None if outcome.ended_in_miss => replayed(outcome),
            None => return None,
        };
        let used = Duration::from_micros(outcome.usage.wall_us);
        let left = self.job.limits.wall_clock().checked_sub(used).filter(|left| !left.is_zero())?;
        let place = match self.place {
            // What it did there cannot be undone.
            Place::Docker { network: true, .. } => return None,
            Place::Docker { python, network: false } => Place::Docker { python, network: false },
            Place::Wasm => Place::Docker { python: None, network },
        };
        let mut plan = Plan {
            job: self.job.stdin(self.stdin.rewound()?),
            reason,
            place,
            detected: self.detected,
            may_replay: true,
        };
        plan.set_wall_clock(left);
        Some(plan)
    }
}

impl Detected {
    fn of(needs: &Needs, packages: bool) -> Detected {
        let mut detected = Detected {
            dependencies: needs.script.iter().flat_map(|script| script.dependencies.clone()).collect(),
            ..Detected::default()
        };
        let modules = needs.modules.iter().filter(|module| packages && module.urgency != Urgency::Optional);
        for module in modules {
            match &module.distribution {
                Some(distribution) if module.perhaps_own => {
                    detected.perhaps.push((module.name.clone(), distribution.clone()));
                }
                Some(distribution) => detected.packages.push(distribution.clone()),
                None => {}
            }
        }
        detected
    }

    /// The module for which the program ended, when that may be a package.
    fn missed(&self, outcome: &Outcome) -> Option<String> {
        let exception = outcome.exception.as_ref().filter(|exception| exception.kind == "ModuleNotFoundError")?;
        let name = exception.message.split('\'').nth(1)?;
        let (module, _) = self.perhaps.iter().find(|(module, _)| {
            let rest = name.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })?;
        Some(module.clone())
    }

    /// Whether something of it may show only when the job has run.
    pub(super) fn is_uncertain(&self) -> bool {
        !self.perhaps.is_empty()
    }
}

fn replayed(outcome: &Outcome) -> String {
    match outcome.capability_misses.last() {
        Some(miss) => format!("run again: WebAssembly lacks what it used ({}: {})", miss.kind, miss.detail),
        None => "run again: WebAssembly lacks what it used".to_owned(),
    }
}

impl Pyexec {
    /// Decides where a job runs.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJob`] when it is not acceptable, or needs what there is not; the message says what to do.
    pub async fn plan(&self, job: Job) -> Result<Plan> {
        job.check()?;
        let (mut job, needs) = needs(job).await?;
        if let Some(script) = &needs.script {
            job.containers.fill_in(&script.container);
        }
        let mut chosen = self.route(&job, &needs, self.fallback.configured());
        if let Route::Docker { python, .. } = &chosen {
            match self.fallback.executor().await {
                Ok(docker) => docker.check(&job, python.map(|python| python.to_string()).as_deref())?,
                Err(why) => chosen = self.route(&job, &needs, Err(&why)),
            }
            if let Route::Impossible { message } = chosen {
                // The job is as it should be; it is Docker that is not there.
                return Err(Error::unavailable(message));
            }
        }
        let detected = Detected::of(&needs, job.containers.detect_packages && self.detect_packages);
        let (reason, place) = match chosen {
            Route::Impossible { message } => return Err(Error::invalid(message)),
            Route::Wasm { reason } => (reason, Place::Wasm),
            Route::Docker { reason, python, network } => {
                (reason, Place::Docker { python: python.map(|python| python.to_string()), network })
            }
        };
        let may_replay = match &place {
            Place::Wasm => job.containers.tier == TierChoice::Auto && self.fallback.configured().is_ok(),
            Place::Docker { network, .. } => !network && detected.is_uncertain(),
        };
        Ok(Plan { job, reason, place, detected, may_replay })
    }

    fn route(&self, job: &Job, needs: &Needs, docker: Result<(), &str>) -> Route {
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
        let tiers = Tiers { docker, allow_network: self.allow_network, package: &|_| Package::Unknown };
        route(needs, &asked, &tiers)
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
    let script = job.project.entrypoint(job.entrypoint.as_deref())?;
    let python_path = job.env.iter().any(|(name, _)| name == "PYTHONPATH");
    Needs::of(&job.project, &script, python_path)
}

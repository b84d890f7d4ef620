//! Chooses where a job runs and with what: a pure function of what it needs and of what is known.
//!
//! What happens when a package has no wheel, does not exist, is not allowed or is not what its name says is decided here,
//! for both tiers.

use super::{
    analysis::{Analysis, Inferred},
    knowledge::{Docker, Fact, Install, Knowledge, Made, platform, refused},
    reason::RouteReason,
    tier::{Asked, Packages, Route, Tiers, route},
};
use crate::{
    Error, Python, Requirements, ResolvedJob, Result,
    environment::{Installed, Platform, Reason},
    executor::docker::{self, PackageFolder, Placement, Prepared},
    job::Containers,
    outcome::Tier,
};
use std::{path::Path, sync::Arc};

/// Holds what the service allows.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// Whether packages that code imports are installed without being asked for.
    pub(crate) detect_packages: bool,
    pub(crate) allow_network: bool,
    /// Why there are no containers, where they are turned off.
    pub(crate) docker: Result<()>,
}

/// Says what is to be done for a job.
#[derive(Debug)]
pub(super) enum Decision {
    /// A fact must be found out first.
    Need(Fact),
    Ready(Chosen),
}

/// Where a job runs, with all that this takes.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) target: Target,
    pub(super) reason: RouteReason,
    /// Of the packages inferred from imports, those that it has.
    pub(super) inferred: Vec<Inferred>,
}

#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// WebAssembly, with packages that were asked for.
    Wasm(Option<WasmPackages>),
    Docker(Prepared),
}

/// Packages for WebAssembly, and what they were installed for.
#[derive(Debug, Clone)]
pub(crate) struct WasmPackages {
    pub(crate) installed: Arc<Installed>,
    pub(crate) wanted: Requirements,
}

impl Decision {
    /// Returns the tier, as far as is known.
    pub(super) fn tier(&self) -> Tier {
        match self {
            Decision::Need(fact) => fact.tier(),
            Decision::Ready(chosen) => match chosen.target {
                Target::Wasm(_) => Tier::Wasm,
                Target::Docker(_) => Tier::Docker,
            },
        }
    }
}

/// Chooses by what is known.
///
/// # Errors
///
/// When the job can run nowhere, or its packages cannot be had.
pub(super) fn choose(
    job: &ResolvedJob,
    analysis: &Analysis,
    knowledge: &Knowledge,
    policy: &Policy,
) -> Result<Decision> {
    Choice { job, analysis, knowledge, policy }.make()
}

struct Choice<'a> {
    job: &'a ResolvedJob,
    analysis: &'a Analysis,
    knowledge: &'a Knowledge,
    policy: &'a Policy,
}

/// Says what installing packages means for the job that wants them.
enum Verdict<'a> {
    Installed(&'a Arc<Installed>),
    /// Some packages that were only inferred are left out; the rest are another question.
    Fewer,
    /// These packages have no wheel for the platform.
    NoWheel(&'a [String]),
    NoInstaller,
    NoIndex,
    Refused,
}

/// Judges an installation, and leaves out inferred packages that the program is better without.
fn judge<'a>(install: &'a Install, inferred: &mut Vec<Inferred>) -> Verdict<'a> {
    let refusal = match &install.result {
        Ok(installed) => {
            // The script is to fail where it imports them, as anywhere else.
            let misnamed = leave_out(inferred, |package| install.misnamed.contains(&package.name));
            return if misnamed { Verdict::Fewer } else { Verdict::Installed(installed) };
        }
        Err(refusal) => refusal,
    };
    match &refusal.reason {
        Reason::NotFound { package } if leave_out(inferred, |inferred| inferred.name == *package) => Verdict::Fewer,
        // What cannot be had is missing where the program can do without it.
        Reason::Denied { .. } | Reason::Conflict { .. } | Reason::Broken { .. } | Reason::TooLarge { .. }
            if leave_out(inferred, |inferred| inferred.droppable) =>
        {
            Verdict::Fewer
        }
        Reason::NoWheel { packages, .. } => Verdict::NoWheel(packages),
        Reason::NoUv | Reason::NotBuiltIn => Verdict::NoInstaller,
        Reason::Offline | Reason::IndexDown => Verdict::NoIndex,
        _ => Verdict::Refused,
    }
}

/// Leaves packages out; returns whether there were any.
fn leave_out(inferred: &mut Vec<Inferred>, which: impl Fn(&Inferred) -> bool) -> bool {
    let before = inferred.len();
    inferred.retain(|package| !which(package));
    inferred.len() < before
}

impl Choice<'_> {
    fn make(&self) -> Result<Decision> {
        let mut inferred = self.analysis.inferred.clone();
        let mut environment_first = self.analysis.environment_first;
        let mut reason = match self.route(Packages::Fit)? {
            Step::Connect(fact) => return Ok(Decision::Need(fact)),
            Step::Take(Route::Docker { reason, python, network }) => {
                return self.in_docker(inferred, reason, python, network);
            }
            Step::Take(Route::Wasm { reason }) => reason,
        };
        loop {
            let wanted = self.wanted(&inferred, environment_first)?;
            if wanted.names(&Platform::WASM).is_empty() && wanted.direct().next().is_none() {
                return Ok(self.ready(Target::Wasm(None), reason, inferred));
            }
            let Some(install) = self.knowledge.install(&wanted, Platform::WASM) else {
                return Ok(Decision::Need(Fact::Packages { wanted, platform: Platform::WASM }));
            };
            let native = match judge(install, &mut inferred) {
                Verdict::Installed(installed) if environment_first => {
                    environment_first = false;
                    // What its environment has need not be found a second time, in another one.
                    leave_out(&mut inferred, |package| installed.pins().iter().any(|pin| pin.name == package.name));
                    continue;
                }
                Verdict::Installed(installed) => {
                    let packages = wanted.names(&Platform::WASM).into_iter().map(str::to_owned).collect();
                    let target = Target::Wasm(Some(WasmPackages { installed: Arc::clone(installed), wanted }));
                    return Ok(self.ready(target, RouteReason { packages, ..reason }, inferred));
                }
                Verdict::Fewer => continue,
                Verdict::NoWheel(packages) => {
                    Some(packages.iter().map(|package| name_of(package).to_owned()).collect::<Vec<_>>())
                }
                // Containers may have them nevertheless: prepared, or from an image with what it takes to install them.
                Verdict::NoInstaller | Verdict::NoIndex => None,
                Verdict::Refused => return Err(refusal_of(install, &wanted)),
            };
            let packages = native.as_deref().map_or(Packages::Unknown, Packages::Native);
            reason = match self.route(packages) {
                Ok(Step::Connect(fact)) => return Ok(Decision::Need(fact)),
                Ok(Step::Take(Route::Docker { reason, python, network })) => {
                    return self.in_docker(inferred, reason, python, network);
                }
                Ok(Step::Take(Route::Wasm { reason })) => reason,
                // It is not the packages, and containers are no way out.
                Err(_) if native.is_none() => return Err(refusal_of(install, &wanted)),
                Err(error) => return Err(error),
            };
            // It handles that they are missing, and runs without.
            let itself = |package: &Inferred| native.iter().flatten().any(|name| *name == package.name);
            let some = inferred.iter().any(|package| package.droppable && itself(package));
            if !leave_out(&mut inferred, |package| package.droppable && (!some || itself(package))) {
                return Err(refusal_of(install, &wanted));
            }
        }
    }

    /// Chooses what a job has in a container.
    fn in_docker(
        &self,
        mut inferred: Vec<Inferred>,
        reason: RouteReason,
        python: Option<Python>,
        network: bool,
    ) -> Result<Decision> {
        if network {
            // What it does there cannot be undone, so that there is no second attempt with more.
            inferred.extend(self.analysis.conditional());
        }
        let reason = self.shown(reason);
        let placement = self.placement(&reason, python, network);
        let mut environment_first = self.analysis.environment_first;
        let need = |fact| Ok(Decision::Need(fact));
        loop {
            let wanted = self.wanted(&inferred, environment_first)?;
            let packages = if wanted.is_empty() {
                docker::Packages::None
            } else {
                let Some(interpreter) = self.knowledge.interpreter() else {
                    return need(Fact::Interpreter(placement));
                };
                let platform = platform(interpreter)?;
                // What the image has is what its user wants; of the rest the dependencies come along, whatever it has.
                let has = |name: &str| interpreter.packages.get(name).map(String::as_str);
                let missing = if environment_first { wanted } else { wanted.without(&platform, has) };
                if missing.is_empty() {
                    docker::Packages::None
                } else {
                    let Some(install) = self.knowledge.install(&missing, platform) else {
                        return need(Fact::Packages { wanted: missing, platform });
                    };
                    match judge(install, &mut inferred) {
                        Verdict::Installed(installed) if environment_first => {
                            environment_first = false;
                            leave_out(&mut inferred, |package| {
                                installed.pins().iter().any(|pin| pin.name == package.name)
                            });
                            continue;
                        }
                        Verdict::Installed(installed) => folder(installed),
                        Verdict::Fewer => continue,
                        Verdict::NoWheel(_) | Verdict::NoInstaller if environment_first => {
                            // What a build container installs is not known.
                            environment_first = false;
                            continue;
                        }
                        Verdict::NoWheel(_) | Verdict::NoInstaller => to_build(&missing),
                        Verdict::NoIndex | Verdict::Refused => return Err(refusal_of(install, &missing)),
                    }
                }
            };
            match self.knowledge.image(&packages) {
                None => return need(Fact::Image(Placement { packages, ..placement })),
                Some(Made::Ready(prepared)) => {
                    return Ok(Decision::Ready(Chosen { target: Target::Docker(prepared.clone()), reason, inferred }));
                }
                Some(Made::NoSuchPackage(name)) => {
                    // The script is to fail where it imports it, as anywhere else.
                    if !leave_out(&mut inferred, |package| package.name == *name) {
                        return Err(Error::invalid(format!("the index has no package {name}")));
                    }
                }
            }
        }
    }

    /// Returns the packages to ask for: those of the environment, or all.
    ///
    /// # Errors
    ///
    /// When there are too many.
    fn wanted(&self, inferred: &[Inferred], environment_first: bool) -> Result<Requirements> {
        let inferred = inferred.iter().filter(|_| !environment_first).map(|package| &*package.name);
        self.job.containers.requirements.clone().merge(inferred)
    }

    /// Chooses the tier, or says that Docker must be asked first.
    fn route(&self, packages: Packages<'_>) -> Result<Step> {
        let Containers { tier, python, image, requirements, detect_packages, pre_commands, network, .. } =
            &self.job.containers;
        let names: Vec<_> = requirements.names(&Platform::WASM).into_iter().map(str::to_owned).collect();
        let asked = Asked {
            tier: *tier,
            python: *python,
            docker_image: image.as_deref(),
            pre_commands: !pre_commands.is_empty(),
            requirements: &names,
            detect_packages: *detect_packages && self.policy.detect_packages,
            memory_bytes: self.job.limits.memory_bytes,
            network: *network,
        };
        let docker = match (&self.policy.docker, &self.knowledge.docker) {
            (Err(off), _) => Err(off),
            (Ok(()), Docker::Unusable(why)) => Err(why),
            (Ok(()), Docker::Unknown | Docker::Usable) => Ok(()),
        };
        let tiers = Tiers { docker, allow_network: self.policy.allow_network, packages };
        match route(&self.analysis.needs, &asked, &tiers) {
            Ok(Route::Docker { python, .. }) if matches!(self.knowledge.docker, Docker::Unknown) => {
                Ok(Step::Connect(Fact::Docker { python }))
            }
            Ok(route) => Ok(Step::Take(route)),
            Err(error) => Err(error),
        }
    }

    fn placement(&self, reason: &RouteReason, python: Option<Python>, network: bool) -> Placement {
        let Containers { image, pre_commands, cpu_shares, owner, .. } = &self.job.containers;
        Placement {
            python: python.map(|python| python.to_string()),
            or_older_to: self.analysis.oldest_with_same_modules(self.job),
            python_at_least: self.analysis.needs.oldest_python(),
            image: image.clone(),
            network,
            pre_commands: pre_commands.clone(),
            cpu_shares: *cpu_shares,
            owner: *owner,
            reason: reason.to_string(),
            ..Placement::default()
        }
    }

    fn ready(&self, target: Target, reason: RouteReason, inferred: Vec<Inferred>) -> Decision {
        Decision::Ready(Chosen { target, reason: self.shown(reason), inferred })
    }

    /// Returns the reason to be told: of another attempt, why it is one.
    fn shown(&self, reason: RouteReason) -> RouteReason {
        match &self.analysis.replay {
            Some(replay) => RouteReason::of_replay(replay.clone()),
            None => reason,
        }
    }
}

enum Step {
    Connect(Fact),
    Take(Route),
}

fn refusal_of(install: &Install, wanted: &Requirements) -> Error {
    match &install.result {
        Err(refusal) => refused(refusal, wanted),
        Ok(_) => Error::unavailable("packages were installed and are not there"),
    }
}

/// Strips a version from a package.
pub(crate) fn name_of(package: &str) -> &str {
    let end = package.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(package.len());
    &package[..end]
}

pub(crate) fn folder(installed: &Arc<Installed>) -> docker::Packages {
    docker::Packages::Folder(PackageFolder::new(installed.id().to_owned(), Folder(Arc::clone(installed))))
}

/// Returns packages for a build container.
pub(crate) fn to_build(wanted: &Requirements) -> docker::Packages {
    // What the operator allows has options that pip takes from a file only.
    if wanted.direct().next().is_some() || wanted.to_string().contains("--hash=") {
        return docker::Packages::File(wanted.to_string());
    }
    docker::Packages::Build(wanted.to_string().lines().map(str::to_owned).collect())
}

/// Keeps an environment while its folder is read.
struct Folder(Arc<Installed>);

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        self.0.packages_folder()
    }
}

#[cfg(test)]
mod tests;

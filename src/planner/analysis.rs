//! What a job needs, as far as its code and its attempts so far say.

use super::reason::ReplayReason;
use crate::{
    Outcome, ResolvedJob, Result,
    environment::{Environments, Platform},
    error::Error,
    needs::{Module, Needs, Urgency},
    outcome::CapabilityMiss,
    python::Python,
};
use std::{collections::BTreeSet, sync::Arc};

/// Up to so much in so many files is parsed on the thread that asks; it takes less than changing threads a few times.
const SMALL_BYTES: u64 = 32 << 10;
const SMALL_FILES: u64 = 16;

/// Holds what a job is known to need.
#[derive(Debug, Clone, Default)]
pub(crate) struct Analysis {
    pub(super) needs: Arc<Needs>,
    /// Distributions of the modules that it imports.
    pub(super) inferred: Vec<Inferred>,
    /// The job names an environment, which may have all that is inferred: that is looked at first.
    pub(super) environment_first: bool,
    /// Modules that it may make itself, with the distributions that they come from otherwise.
    ambiguous: Vec<(String, String)>,
    /// Distributions that are not inferred again: its requirements, its environment or its commands have them, or they are
    /// known not to have the module.
    excluded: BTreeSet<String>,
    /// Why this attempt is not the first.
    pub(super) replay: Option<ReplayReason>,
}

/// A distribution that is only known from an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inferred {
    /// Normalised.
    pub(super) name: String,
    /// The program may do without it.
    pub(super) droppable: bool,
}

impl Analysis {
    /// Analyses the code of a job, and gives the job what the metadata in its script says.
    ///
    /// # Errors
    ///
    /// When that metadata is not acceptable.
    pub(super) async fn of(
        job: ResolvedJob,
        environments: &Environments,
        detect_packages: bool,
    ) -> Result<(ResolvedJob, Analysis)> {
        let (mut job, needs) = needs(job).await?;
        if let Some(script) = &needs.script {
            job = job.with_metadata(script)?;
        }
        let containers = &job.containers;
        let mut analysis = Analysis::new(needs, containers.detect_packages && detect_packages);
        analysis.exclude(analysis.misnamed(|package, module| !environments.is_stranger(package, module)));
        let required = containers.requirements.names(&Platform::WASM);
        analysis.excluded.extend(required.into_iter().map(str::to_owned));
        analysis.exclude(Needs::installed_by(&containers.pre_commands, &job.project));
        analysis.environment_first = containers.environment.is_some() && !containers.requirements.is_empty();
        Ok((job, analysis))
    }

    pub(super) fn new(needs: Needs, packages: bool) -> Analysis {
        let (mut inferred, mut ambiguous) = (Vec::new(), Vec::new());
        for module in needs.modules.iter().filter(|module| packages && module.urgency != Urgency::Optional) {
            match &module.distribution {
                Some(distribution) if module.perhaps_own => ambiguous.push((module.name.clone(), distribution.clone())),
                Some(distribution) if module.urgency <= Urgency::Guarded => {
                    let droppable = module.urgency == Urgency::Guarded;
                    inferred.push(Inferred { name: distribution.clone(), droppable });
                }
                Some(_) | None => {}
            }
        }
        Analysis { needs: Arc::new(needs), inferred, ambiguous, ..Analysis::default() }
    }

    /// Returns whether the code is all that there is to know: nothing in it may be missing on any tier.
    pub(super) fn is_plain(&self) -> bool {
        self.needs.modules.is_empty() && self.needs.uses.is_empty() && self.needs.overlooked.is_none()
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
        self.excluded.contains(distribution) || self.inferred.iter().any(|inferred| inferred.name == distribution)
    }

    /// Returns the packages that the program may import only on a path that is not certain: for an attempt that must be the
    /// last.
    pub(super) fn conditional(&self) -> Vec<Inferred> {
        let conditional =
            self.needs.modules.iter().filter(|module| module.urgency == Urgency::Later && !module.perhaps_own);
        let names: BTreeSet<_> = conditional.filter_map(|module| module.distribution.clone()).collect();
        let new = names.into_iter().filter(|name| !self.has(name));
        new.map(|name| Inferred { name, droppable: true }).collect()
    }

    /// Returns the packages inferred from imports that provide none of these modules.
    pub(super) fn misnamed(&self, provides: impl Fn(&str, &str) -> bool) -> Vec<String> {
        let is_misnamed = |name: &String| {
            let of_it = |module: &&Module| module.imported && module.distribution.as_ref() == Some(name);
            let mut modules = self.needs.modules.iter().filter(of_it).peekable();
            modules.peek().is_some() && modules.all(|module| !provides(name, &module.name))
        };
        let inferred = self.inferred.iter().cloned().chain(self.conditional());
        inferred.map(|inferred| inferred.name).filter(is_misnamed).collect()
    }

    /// Returns the module for which the program ended, when that may be a package.
    pub(super) fn missed(&self, outcome: &Outcome) -> Option<String> {
        let exception = outcome.exception.as_ref().filter(|exception| exception.kind == "ModuleNotFoundError")?;
        let name = exception.message.split('\'').nth(1)?;
        let (module, _) = self.ambiguous.iter().find(|(module, _)| {
            let rest = name.strip_prefix(module.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })?;
        Some(module.clone())
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
        self.inferred.push(Inferred { name: distribution, droppable: true });
    }

    /// Adds a package by its own name: which modules it has is not known.
    pub(super) fn provide_distribution(&mut self, distribution: String) {
        let module = Module { imported: false, ..Module::met(&distribution, &distribution) };
        Arc::make_mut(&mut self.needs).modules.push(module);
        self.inferred.push(Inferred { name: distribution, droppable: true });
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

    /// Notes what the program has come upon, and only Linux has.
    pub(super) fn meet(&mut self, miss: &CapabilityMiss) {
        let needs = Arc::make_mut(&mut self.needs);
        needs.met = Some(miss.clone());
        if miss.kind == "module" {
            needs.miss_removed(&miss.detail);
        }
    }

    /// Returns the oldest version that has all modules for which one before the newest is taken, if that is why it is.
    pub(super) fn oldest_with_same_modules(&self, job: &ResolvedJob) -> Option<Python> {
        let prescribed = self.needs.script.as_ref().is_some_and(|script| script.requires_python.is_some());
        let for_modules = !prescribed && job.containers.python.is_none() && self.needs.python_at_most.is_some();
        for_modules.then(|| self.needs.oldest_python().unwrap_or(Python::V3_10))
    }

    /// Returns whether the program goes on without modules for which a version before the newest is taken.
    pub(super) fn may_do_without_older_python(&self) -> bool {
        let bound = self.needs.python_at_most.as_ref();
        bound.is_some_and(|bound| matches!(bound.urgency, Urgency::Guarded | Urgency::Later))
    }

    /// Does without that version: the program finds its modules missing, as it does on the newest.
    pub(super) fn leave_out_older_python(&mut self) {
        let needs = Arc::make_mut(&mut self.needs);
        needs.optional.extend(needs.python_at_most.take().map(|bound| bound.module));
        needs.met = None;
    }

    /// Takes what may be the program's own for packages that it can do without.
    pub(super) fn take_as_packages(&mut self) {
        let ambiguous = std::mem::take(&mut self.ambiguous);
        self.inferred.extend(ambiguous.into_iter().map(|(_, name)| Inferred { name, droppable: true }));
        for module in Arc::make_mut(&mut self.needs).modules.iter_mut().filter(|module| module.perhaps_own) {
            module.perhaps_own = false;
            module.urgency = Urgency::Guarded;
        }
    }

    /// Excludes the inferred packages that are not among these.
    pub(super) fn keep(&mut self, inferred: &[Inferred]) {
        let left_out = self.inferred.iter().filter(|package| !inferred.contains(package));
        let left_out: Vec<_> = left_out.map(|package| package.name.clone()).collect();
        self.exclude(left_out);
    }

    fn exclude(&mut self, names: impl IntoIterator<Item = String>) {
        self.excluded.extend(names);
        self.inferred.retain(|inferred| !self.excluded.contains(&inferred.name));
    }
}

/// Finds what code needs: here, or on another thread when there is much of it.
async fn needs(job: ResolvedJob) -> Result<(ResolvedJob, Needs)> {
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

fn find(job: &ResolvedJob) -> Result<Needs> {
    match job.has_script() {
        true => Needs::of(&job.project, &job.script, job.has_python_path()),
        false => Ok(Needs::default()),
    }
}

//! Packages of jobs in WebAssembly: found out about before a job runs, and if they do not run there, it goes elsewhere.

use super::{
    Pyexec,
    plan::{Place, Plan},
};
use crate::{
    Error, Requirements, Result, TierChoice,
    environment::{Installed, Platform, Reason, Refusal},
    executor::wasm,
    route::{Packages, Route, listed},
};
use std::sync::Arc;

/// What a job in WebAssembly imports from, besides the standard library.
#[derive(Debug, Clone)]
pub(super) enum InWasm {
    /// It is to be found out what its packages are, and to be installed.
    Unprepared,
    Nothing,
    Installed(Importable),
}

/// Packages that are there, for WebAssembly.
#[derive(Debug, Clone)]
pub(super) struct Importable {
    pub(super) packages: wasm::Packages,
    /// Keeps them from being removed.
    pub(super) installed: Arc<Installed>,
}

impl Importable {
    /// `preload` are the modules that are imported when they are baked; without any it is those of the packages that were
    /// asked for.
    ///
    /// # Errors
    ///
    /// When they are not for WebAssembly.
    pub(super) fn new(installed: Arc<Installed>, wanted: &Requirements, preload: &[String]) -> Result<Importable> {
        let pack = installed.pack().ok_or_else(|| Error::unavailable("packages of WebAssembly have no pack"))?;
        let names = wanted.names(&Platform::WASM);
        let modules = match preload {
            [] => {
                let asked_for = installed.pins().iter().filter(|pin| names.contains(&&*pin.name));
                asked_for.flat_map(|pin| pin.modules.iter().cloned()).collect()
            }
            preload => preload.to_vec(),
        };
        let packages = wasm::Packages::new(installed.id(), pack, modules);
        Ok(Importable { packages, installed })
    }
}

impl Pyexec {
    /// Finds out whether WebAssembly takes the packages of a job that is to run there, installs them, and changes the plan
    /// when it does not. For those who count what runs on each tier, as [`Pyexec::attempt`] does the same: nothing of the
    /// job runs, so that it needs no slot. `progress` is told what goes on, in a few words, when it takes time. There is a
    /// time limit on it, of [`EnvironmentOptions::install_timeout`](crate::environment::EnvironmentOptions).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJob`] when the packages cannot be had, [`Error::Unavailable`] when the service is at fault.
    pub async fn prepare(&self, plan: &mut Plan, progress: &(dyn Fn(&str) + Send + Sync)) -> Result<()> {
        while let Some(wanted) = Self::still_wanted(plan)? {
            let made = self.environments.prepare(&wanted, Platform::WASM, progress).await;
            self.follow(plan, &wanted, made).await?;
        }
        Ok(())
    }

    /// The same, as far as it is known without waiting.
    pub(super) async fn prepare_at_once(&self, plan: &mut Plan) -> Result<()> {
        while let Some(wanted) = Self::still_wanted(plan)? {
            let Some(known) = self.environments.known(&wanted, Platform::WASM) else { return Ok(()) };
            self.follow(plan, &wanted, known).await?;
        }
        Ok(())
    }

    /// What a plan is not prepared with.
    fn still_wanted(plan: &mut Plan) -> Result<Option<Requirements>> {
        if plan.is_prepared() {
            return Ok(None);
        }
        let wanted = plan.wanted()?;
        if wanted.names(&Platform::WASM).is_empty() {
            plan.place = Place::Wasm(InWasm::Nothing);
            return Ok(None);
        }
        Ok(Some(wanted))
    }

    /// Changes the plan according to what came of installing what it wants.
    async fn follow(
        &self,
        plan: &mut Plan,
        wanted: &Requirements,
        made: Result<Arc<Installed>, Refusal>,
    ) -> Result<()> {
        match made {
            Ok(installed) => {
                if !plan.again {
                    let names: Vec<_> = wanted.names(&Platform::WASM).into_iter().map(str::to_owned).collect();
                    let comma = if plan.reason.contains("; ") { ";" } else { "," };
                    plan.reason = format!("{}{comma} with {}", plan.reason, listed(&names));
                }
                let importable = Importable::new(installed, wanted, &plan.job.containers.preload)?;
                plan.place = Place::Wasm(InWasm::Installed(importable));
                Ok(())
            }
            Err(refusal) => self.without(plan, wanted, refusal).await,
        }
    }

    /// Takes a job elsewhere, or does without packages that were only guessed.
    async fn without(&self, plan: &mut Plan, wanted: &Requirements, refusal: Refusal) -> Result<()> {
        let guesses = &mut plan.detected.guesses;
        let native = match &refusal.reason {
            // The script is to fail where it imports it, as anywhere else.
            Reason::NotFound { package } if guesses.iter().any(|guess| guess.name == *package) => {
                guesses.retain(|guess| guess.name != *package);
                return Ok(());
            }
            Reason::NoWheel { packages, .. } => {
                Some(packages.iter().map(|package| name_of(package)).collect::<Vec<_>>())
            }
            Reason::NoUv => None,
            _ => return Err(refused(refusal, wanted)),
        };
        let packages = native.as_deref().map_or(Packages::Unknown, Packages::Native);
        let route = match self.settle(&plan.job, &plan.detected.needs, packages).await {
            Ok(route) => route,
            // It is not the packages, and containers are no way out.
            Err(_)
                if native.is_none()
                    && (self.fallback.configured().is_err() || plan.job.containers.tier == TierChoice::Wasm) =>
            {
                return Err(refused(refusal, wanted));
            }
            Err(error) => return Err(error),
        };
        if matches!(route, Route::Wasm { .. }) {
            // It may never need them: it runs without.
            let guesses = &mut plan.detected.guesses;
            let before = guesses.len();
            let itself = |name: &String| native.iter().flatten().any(|native| native == name);
            let some = guesses.iter().any(|guess| guess.later && itself(&guess.name));
            guesses.retain(|guess| !guess.later || (some && !itself(&guess.name)));
            if guesses.len() == before {
                return Err(refused(refusal, wanted));
            }
        }
        plan.go(route)
    }
}

/// Of a package that may have its version behind it.
fn name_of(package: &str) -> String {
    let end = package.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(package.len());
    package[..end].to_owned()
}

/// Why there are no packages, for the client; what it was about that is the service's, for the log.
pub(super) fn refused(refusal: Refusal, wanted: &Requirements) -> Error {
    let required = wanted.to_string().trim_end().replace('\n', ", ");
    tracing::warn!(log = refusal.log(), "packages cannot be installed");
    match refusal.reason {
        Reason::IndexDown | Reason::Timeout { .. } | Reason::Fault => {
            Error::unavailable(format!("{refusal} (required: {required})"))
        }
        Reason::Offline | Reason::TooLarge { .. } => Error::invalid(format!("{refusal} (required: {required})")),
        _ => Error::invalid(refusal.to_string()),
    }
}

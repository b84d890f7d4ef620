//! Packages of jobs in WebAssembly: found out about before a job runs, and if they do not run there, it goes elsewhere.

use super::{
    Pyexec, locked,
    plan::{Guess, Place, Plan},
};
use crate::{
    Error, Requirements, Result,
    environment::{Installed, Pin, Platform, Reason, Refusal},
    executor::wasm,
    outcome::Tier,
    route::{Packages, Route, listed},
};
use std::sync::Arc;

/// Orders that are remembered.
const ORDERS_MAX: usize = 100;

/// Says what a job in WebAssembly imports from, besides the standard library.
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
    order: BakeOrder,
}

/// Holds what an image is made of that has packages imported.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BakeOrder {
    /// The packages.
    pub requirements: Requirements,
    /// Modules to be imported; without any it is those of the packages that are named.
    pub preload: Vec<String>,
}

impl BakeOrder {
    /// Orders an image with these packages.
    pub fn new(requirements: Requirements, preload: Vec<String>) -> BakeOrder {
        BakeOrder { requirements, preload }
    }
}

/// Says when an image with packages imported is made, so that jobs with the same ones start with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Baking {
    /// When a job has used them, in the background, with what the machine has left.
    #[default]
    InBackground,
    /// When [`Pyexec::bake`] is called.
    OnOrder,
}

impl Importable {
    /// Takes the modules to import when they are baked, by default those of the packages asked for.
    ///
    /// # Errors
    ///
    /// When they are not for WebAssembly.
    pub(super) fn new(installed: Arc<Installed>, wanted: &Requirements, preload: &[String]) -> Result<Importable> {
        let pack = installed.pack().ok_or_else(|| Error::unavailable("packages of WebAssembly have no pack"))?;
        let modules = Importable::modules(installed.pins(), wanted, preload);
        let packages = wasm::Packages::new(installed.content(), pack, modules);
        let order = BakeOrder::new(wanted.clone(), preload.to_vec());
        Ok(Importable { packages, installed, order })
    }

    /// Returns what is imported when they are baked.
    pub(super) fn modules(pins: &[Pin], wanted: &Requirements, preload: &[String]) -> Vec<String> {
        if !preload.is_empty() {
            return preload.to_vec();
        }
        let names = wanted.names(&Platform::WASM);
        let asked_for = pins.iter().filter(|pin| names.contains(&&*pin.name));
        let modules = asked_for.flat_map(|pin| pin.modules.iter());
        // Private modules come with those that use them.
        let public = |module: &&String| !module.starts_with('_') && !matches!(&***module, "test" | "tests");
        modules.filter(public).cloned().collect()
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
            let made = self.counted(&wanted, Platform::WASM, Tier::Wasm, progress).await;
            self.follow(plan, &wanted, made).await?;
        }
        Ok(())
    }

    /// Prepares a plan as far as can be without waiting.
    pub(super) async fn prepare_at_once(&self, plan: &mut Plan) -> Result<()> {
        while let Some(wanted) = Self::still_wanted(plan)? {
            let Some(known) = self.environments.known(&wanted, Platform::WASM) else { return Ok(()) };
            self.follow(plan, &wanted, known).await?;
        }
        Ok(())
    }

    /// Returns the packages that a plan is not prepared with yet.
    fn still_wanted(plan: &mut Plan) -> Result<Option<Requirements>> {
        if plan.is_prepared() {
            return Ok(None);
        }
        let wanted = plan.wanted()?;
        if wanted.names(&Platform::WASM).is_empty() && wanted.direct().next().is_none() {
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
                if std::mem::take(&mut plan.detected.is_extra) {
                    // What its environment has need not be found a second time, in another one.
                    plan.detected.leave_out(|guess| installed.pins().iter().any(|pin| pin.name == guess.name));
                    return Ok(());
                }
                let provides = |package: &str, module: &str| self.environments.provides(&installed, package, module);
                let strangers = plan.detected.strangers(provides);
                if !strangers.is_empty() {
                    // The script is to fail where it imports it, as anywhere else.
                    plan.detected.leave_out(|guess| strangers.contains(&guess.name));
                    return Ok(());
                }
                if plan.attempts == 0 {
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
        let native = match &refusal.reason {
            // The script is to fail where it imports it, as anywhere else.
            Reason::NotFound { package } if plan.detected.guesses.iter().any(|guess| guess.name == *package) => {
                plan.detected.leave_out(|guess| guess.name == *package);
                return Ok(());
            }
            // What cannot be had is missing where the program can do without it.
            Reason::Denied { .. } | Reason::Conflict { .. } | Reason::Broken { .. } | Reason::TooLarge { .. }
                if plan.detected.guesses.iter().any(|guess| guess.droppable) =>
            {
                plan.detected.leave_out(|guess| guess.droppable);
                return Ok(());
            }
            Reason::NoWheel { packages, .. } => {
                Some(packages.iter().map(|package| name_of(package)).collect::<Vec<_>>())
            }
            // Containers may have them nevertheless: prepared, or from an image with what it takes to install them.
            Reason::NoUv | Reason::Offline | Reason::IndexDown => None,
            _ => return Err(refused(refusal, wanted)),
        };
        let packages = native.as_deref().map_or(Packages::Unknown, Packages::Native);
        let route = match self.settle(&plan.job, &plan.detected.needs, packages).await {
            Ok(route) => route,
            // It is not the packages, and containers are no way out.
            Err(_) if native.is_none() => return Err(refused(refusal, wanted)),
            Err(error) => return Err(error),
        };
        if matches!(route, Route::Wasm { .. }) {
            // It handles that they are missing, and runs without.
            let itself = |guess: &Guess| native.iter().flatten().any(|native| *native == guess.name);
            let before = plan.detected.guesses.len();
            let some = plan.detected.guesses.iter().any(|guess| guess.droppable && itself(guess));
            plan.detected.leave_out(|guess| guess.droppable && (!some || itself(guess)));
            if plan.detected.guesses.len() == before {
                return Err(refused(refusal, wanted));
            }
        }
        plan.go(route)
    }
}

/// Returns the metric label of a reason.
pub(super) fn label(reason: &Reason) -> &'static str {
    match reason {
        Reason::NoWheel { .. } => "no_wheel",
        Reason::NotFound { .. } => "not_found",
        Reason::Conflict { .. } => "conflict",
        Reason::NotAccepted { .. } => "not_accepted",
        Reason::Broken { .. } => "broken",
        Reason::HashMismatch { .. } => "hash_mismatch",
        Reason::Denied { .. } => "denied",
        Reason::IndexDown => "index_down",
        Reason::Offline => "offline",
        Reason::Timeout { .. } => "timeout",
        Reason::TooLarge { .. } => "too_large",
        Reason::NoUv => "no_uv",
        Reason::Fault => "fault",
    }
}

impl Pyexec {
    /// Makes the image in which these packages are imported, unless there is one: from then on jobs with the same packages
    /// start with them. Returns modules that are not in it, and why. `progress` is told what goes on, in a few words.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJob`] when the packages cannot be had, or do not run in WebAssembly, [`Error::Unavailable`] when the
    /// service is at fault.
    pub async fn bake(
        &self,
        order: &BakeOrder,
        progress: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Vec<(String, String)>> {
        let BakeOrder { requirements, preload } = order;
        let installed = self.environments.prepare(requirements, Platform::WASM, &progress).await;
        let installed = installed.map_err(|refusal| refused(refusal, requirements))?;
        self.wasm.bake(&Importable::new(installed, requirements, preload)?.packages, progress).await
    }

    /// Returns what jobs have used and no image has, with [`Baking::OnOrder`].
    pub fn bake_orders(&self) -> Vec<BakeOrder> {
        locked(&self.orders).clone()
    }

    /// Notes that a job has used these packages.
    pub(super) async fn used(&self, importable: &Importable) {
        match self.baking {
            Baking::InBackground => self.wasm.begin_to_bake(&importable.packages),
            Baking::OnOrder if !self.wasm.is_to_be_baked(&importable.packages).await => {}
            Baking::OnOrder => {
                let mut orders = locked(&self.orders);
                if orders.len() < ORDERS_MAX && !orders.contains(&importable.order) {
                    orders.push(importable.order.clone());
                }
            }
        }
    }
}

/// Strips a version from a package.
pub(super) fn name_of(package: &str) -> String {
    let end = package.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(package.len());
    package[..end].to_owned()
}

/// Words for the client why there are no packages; the service's part goes to the log.
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

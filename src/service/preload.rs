//! Images with packages imported, so that jobs with the same ones start with them.

use super::Pyexec;
use crate::{
    Error, Requirements, Result,
    environment::{Installed, Pin, Platform},
    executor::wasm,
    planner::{WasmPackages, refused},
    progress::Progress,
    sync::lock,
};

/// Orders that are remembered.
const ORDERS_MAX: usize = 100;

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

/// Takes packages for WebAssembly, with the modules to import when they are baked.
///
/// # Errors
///
/// When they are not for WebAssembly.
pub(super) fn importable(installed: &Installed, order: &BakeOrder) -> Result<wasm::Packages> {
    let pack = installed.pack().ok_or_else(|| Error::unavailable("packages of WebAssembly have no pack"))?;
    Ok(wasm::Packages::new(installed.content(), pack, modules(installed.pins(), order)))
}

/// Returns what is imported when packages are baked, by default the modules of those asked for.
pub(super) fn modules(pins: &[Pin], order: &BakeOrder) -> Vec<String> {
    if !order.preload.is_empty() {
        return order.preload.clone();
    }
    let names = order.requirements.names(&Platform::WASM);
    let asked_for = pins.iter().filter(|pin| names.contains(&&*pin.name));
    let modules = asked_for.flat_map(|pin| pin.modules.iter());
    // Private modules come with those that use them.
    let public = |module: &&String| !module.starts_with('_') && !matches!(&***module, "test" | "tests");
    modules.filter(public).cloned().collect()
}

/// Packages of one job in WebAssembly, from before it runs until it has.
pub(super) struct Used {
    pub(super) packages: wasm::Packages,
    order: BakeOrder,
    /// Keeps them from being removed.
    _installed: std::sync::Arc<Installed>,
}

impl Used {
    pub(super) fn new(packages: WasmPackages, preload: &[String]) -> Result<Used> {
        let WasmPackages { installed, wanted } = packages;
        let order = BakeOrder::new(wanted, preload.to_vec());
        Ok(Used { packages: importable(&installed, &order)?, order, _installed: installed })
    }
}

impl Pyexec {
    /// Makes the image in which these packages are imported, unless there is one: from then on jobs with the same packages
    /// start with them. Returns modules that are not in it, and why. `progress` is told what goes on, in a few words.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when the packages cannot be had, or do not run in WebAssembly, [`Unavailable`](crate::ErrorKind::Unavailable) when the
    /// service is at fault.
    pub async fn bake(&self, order: &BakeOrder, progress: &Progress) -> Result<Vec<(String, String)>> {
        let BakeOrder { requirements, .. } = order;
        let phase = |phase: &str| progress.phase(phase);
        let installed = self.planner.sources.environments.prepare(requirements, Platform::WASM, &phase).await;
        let installed = installed.map_err(|refusal| refused(&refusal, requirements))?;
        let progress = progress.clone();
        self.wasm.bake(&importable(&installed, order)?, move |phase| progress.phase(phase)).await
    }

    /// Returns what jobs have used and no image has, with [`Baking::OnOrder`].
    pub fn bake_orders(&self) -> Vec<BakeOrder> {
        lock(&self.orders).clone()
    }

    /// Notes that a job has used these packages.
    pub(super) async fn used(&self, used: &Used) {
        match self.baking {
            Baking::InBackground => self.wasm.begin_to_bake(&used.packages),
            Baking::OnOrder if !self.wasm.is_to_be_baked(&used.packages).await => {}
            Baking::OnOrder => {
                let mut orders = lock(&self.orders);
                if orders.len() < ORDERS_MAX && !orders.contains(&used.order) {
                    orders.push(used.order.clone());
                }
            }
        }
    }
}

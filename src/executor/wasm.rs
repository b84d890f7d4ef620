//! The wasm tier: each job in a fresh instance of a snapshotted CPython, in this process.
//!
//! **Architecture invariant:** wasmtime is known only here. Reading order: `run` is the life of a job, with `traceback`
//! for one that was stopped; `image` makes what it instantiates, with settings from `engine`; `host` is what the instance
//! can reach, with `wasi` for system calls on `files`, `stdio` and `clock`; `files` is the descriptors and directories,
//! over `quota` and `library`; `metering` is what makes a job stop.

mod clock;
mod engine;
mod files;
mod host;
mod image;
mod library;
mod metering;
mod quota;
mod run;
mod stdio;
mod wasi;

use crate::{
    Error, Job, Outcome, Result,
    cache::{Cache, Verification},
    executor::{Executor, Observer},
    outcome::Tier,
    pack::Pack,
};
use image::Image;
use std::{path::PathBuf, sync::Arc};
use tokio::sync::Semaphore;

/// Settings of a [`WasmExecutor`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WasmOptions {
    /// Jobs that run at the same time; more wait. Each reserves address space, and uses memory only as it needs it.
    pub slots: u32,
    /// Whether a slot keeps its memory pages for the next job, reset to the snapshot's content, where the kernel can tell
    /// which ones were written. Jobs start in fewer page faults.
    pub page_reuse: bool,
    /// Where compiled code is kept; `None` is the user's cache folder.
    pub cache_folder: Option<PathBuf>,
    /// How compiled code is checked before it is used.
    pub verification: Verification,
}

impl Default for WasmOptions {
    fn default() -> WasmOptions {
        WasmOptions { slots: 64, page_reuse: true, cache_folder: None, verification: Verification::Stamp }
    }
}

/// Runs jobs in CPython on WebAssembly.
pub struct WasmExecutor {
    image: Image,
    slots: Arc<Semaphore>,
}

impl WasmExecutor {
    /// Loads the interpreter from the cache. The first time on a machine it is made there, which takes some ten seconds;
    /// `progress` is told about it.
    ///
    /// # Errors
    ///
    /// When the cache cannot be used, or the interpreter cannot be made.
    pub fn new(options: &WasmOptions, progress: &dyn Fn(&str)) -> Result<WasmExecutor> {
        let engine = engine::engine(engine::EngineOptions { slots: options.slots, page_reuse: options.page_reuse })?;
        let cache = Cache::open(options.cache_folder.as_deref())?;
        let image = Image::load(&engine, &cache, options.verification, progress)?;
        Ok(WasmExecutor { image, slots: Arc::new(Semaphore::new(options.slots as usize)) })
    }

    /// Runs a job that can import these packages.
    ///
    /// # Errors
    ///
    /// As [`Executor::run`].
    pub(crate) async fn run_with(
        &self,
        job: Job,
        packages: Option<&Packages>,
        observer: Box<dyn Observer>,
    ) -> Result<Outcome> {
        let _slot = self.slots.acquire().await.map_err(|_| Error::unavailable("the executor is shutting down"))?;
        let library = match packages {
            None => self.image.library.clone(),
            Some(packages) => self.image.library.with_packages(packages.pack.clone()),
        };
        run::run(&self.image, library, job, observer, "needs nothing beyond WebAssembly").await
    }
}

/// Packages that jobs can import.
#[derive(Debug, Clone)]
pub struct Packages {
    id: Arc<str>,
    pack: Pack,
}

impl Packages {
    /// `id` tells different packages apart.
    pub(crate) fn new(id: &str, pack: Pack) -> Packages {
        Packages { id: id.into(), pack }
    }
}

#[async_trait::async_trait]
impl Executor for WasmExecutor {
    fn tier(&self) -> Tier {
        Tier::Wasm
    }

    async fn run(&self, job: Job, observer: Box<dyn Observer>) -> Result<Outcome> {
        self.run_with(job, None, observer).await
    }
}

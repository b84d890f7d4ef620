//! The wasm tier: each job in a fresh instance of a snapshotted CPython, in this process.
//!
//! **Architecture invariant:** wasmtime is known only here. Reading order: `session` is the life of a job in an `instance`, with
//! `traceback` for one that was stopped; `image` makes what it instantiates, of a `snapshot` and with settings from `engine`, and
//! `bakery` more of these, with packages imported, from compiled `functions`; `host` is what the instance can reach,
//! with `wasi` for system calls on `files`, `stdio` and `clock`, and `libm` for mathematics; `files` is the descriptors
//! and directories, over `quota` and `library`; `metering` is what makes a job stop.

mod bakery;
mod clock;
mod data;
mod engine;
mod files;
mod frozen;
mod functions;
#[cfg(any(feature = "fuzzing", all(test, feature = "server")))]
pub(crate) mod fuzzing;
mod host;
mod image;
mod instance;
mod libm;
mod library;
mod memory;
mod metering;
mod quota;
mod session;
mod snapshot;
mod stdio;
mod wasi;

pub(crate) use image::ASIDE_MAX;

use super::deadline;
use crate::{
    Error, Result,
    cache::{Cache, Verification},
    executor::{Executor, Frozen, Provisioned, Provisions, Session, SessionSpec},
    outcome::Tier,
    pack::Pack,
};
use bakery::Bakery;
use image::{Image, Studio};
use library::Library;
use session::{Images, WasmSession};
use std::{path::PathBuf, sync::Arc};

/// Settings of a [`WasmExecutor`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WasmOptions {
    /// Instances that can live at the same time; one more fails. Each reserves address space, and uses memory only as it needs it.
    pub slots: u32,
    /// Whether a slot keeps its memory pages for the next job, reset to the snapshot's content, where the kernel can tell
    /// which ones were written. Jobs start in fewer page faults.
    pub page_reuse: bool,
    /// Where compiled code is kept; `None` is the user's cache folder.
    pub cache_folder: Option<PathBuf>,
    /// How compiled code is checked before it is used.
    pub verification: Verification,
    /// Where images with packages imported are kept; `None` is the folder of compiled code. Those that are in that one are
    /// found as well.
    pub baked_folder: Option<PathBuf>,
    /// What they may take there, in bytes.
    pub baked_bytes_max: u64,
}

impl Default for WasmOptions {
    fn default() -> WasmOptions {
        WasmOptions {
            slots: 64,
            page_reuse: true,
            cache_folder: None,
            verification: Verification::Stamp,
            baked_folder: None,
            baked_bytes_max: 8 << 30,
        }
    }
}

/// Runs jobs in CPython on WebAssembly.
pub struct WasmExecutor {
    studio: Arc<Studio>,
    image: Image,
    bakery: Arc<Bakery>,
}

impl WasmExecutor {
    /// Loads the interpreter from the cache. The first time on a machine it is made there, which takes some ten seconds;
    /// `progress` is told about it.
    ///
    /// # Errors
    ///
    /// When the cache cannot be used, or the interpreter cannot be made.
    pub fn new(options: &WasmOptions, progress: &dyn Fn(&str)) -> Result<WasmExecutor> {
        let allocator = engine::allocator(options.slots, options.page_reuse);
        let cache = Cache::open(options.cache_folder.as_deref())?;
        let baked = match &options.baked_folder {
            Some(folder) => Cache::open(Some(folder))?,
            None => cache.clone(),
        };
        let studio = Arc::new(Studio::open(allocator, cache, baked, options.verification)?);
        let image = studio.interpreter(progress)?;
        let bakery = Arc::new(Bakery::new(Arc::clone(&studio), options.baked_bytes_max));
        Ok(WasmExecutor { studio, image, bakery })
    }

    /// Opens a session of the service's own, beside those of others: it takes none of their instances. Only [`ASIDE_MAX`] may be
    /// open at the same time.
    pub(crate) fn open_internal(&self, packages: &Packages, spec: SessionSpec) -> Box<dyn Session> {
        let library = self.studio.library.with_packages(packages.pack.clone());
        let images = Images::WithPackages { preloaded: None, studio: Arc::clone(&self.studio) };
        Box::new(WasmSession::new(images, library, spec))
    }

    fn library(&self, packages: Option<&Packages>) -> Library {
        match packages {
            Some(packages) => self.studio.library.with_packages(packages.pack.clone()),
            None => self.studio.library.clone(),
        }
    }

    /// Makes an image with the packages imported, unless it is there: from then on jobs start with them. Takes some seconds
    /// of what other threads leave.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) async fn bake(
        &self,
        packages: &Packages,
        progress: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Vec<(String, String)>> {
        Ok(self.bakery.bake(packages, progress).await?.record.unfit.clone())
    }

    /// Bakes packages in the background, like [`WasmExecutor::bake`].
    pub(crate) fn begin_to_bake(&self, packages: &Packages) {
        self.bakery.begin(packages);
    }

    /// Removes the image of these packages, if there is one.
    pub(crate) fn forget(&self, packages: &Packages) {
        self.bakery.forget(packages);
    }

    /// Returns whether there is no image of these packages, and nobody makes one.
    pub(crate) async fn is_to_be_baked(&self, packages: &Packages) -> bool {
        !self.is_baked(packages).await && !self.bakery.is_being_made(packages)
    }

    /// Returns whether jobs with these packages start with them imported.
    pub(crate) async fn is_baked(&self, packages: &Packages) -> bool {
        self.bakery.find(packages).await.is_some()
    }
}

/// Packages that jobs can import.
#[derive(Debug, Clone)]
pub(crate) struct Packages {
    id: Arc<str>,
    pack: Pack,
    modules: Arc<[String]>,
}

impl Packages {
    /// Returns what tells their content from that of others.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Names packages by `id`, which tells content apart, with the `modules` to bake.
    pub(crate) fn new(id: &str, pack: Pack, modules: Vec<String>) -> Packages {
        Packages { id: id.into(), pack, modules: modules.into() }
    }
}

#[async_trait::async_trait]
impl Executor for WasmExecutor {
    fn tier(&self) -> Tier {
        Tier::Wasm
    }

    async fn open(&self, provisioned: Provisioned, spec: SessionSpec) -> Result<Box<dyn Session>> {
        let Provisions::Wasm(packages) = provisioned.0 else {
            return Err(Error::invalid("an image of a container is nothing for WebAssembly"));
        };
        if spec.lives_on {
            let images = Images::Plain(self.image.clone());
            let library = self.library(packages.as_ref());
            return Ok(Box::new(WasmSession::new(images, library, spec)));
        }
        let Some(packages) = packages else {
            let images = Images::Plain(self.image.clone());
            return Ok(Box::new(WasmSession::new(images, self.studio.library.clone(), spec)));
        };
        let library = self.library(Some(&packages));
        let preloaded = self.bakery.find(&packages).await;
        let images = Images::WithPackages { preloaded, studio: Arc::clone(&self.studio) };
        Ok(Box::new(WasmSession::new(images, library, spec)))
    }

    async fn thaw(&self, frozen: &Frozen, provisioned: Provisioned, spec: SessionSpec) -> Result<Box<dyn Session>> {
        let Provisions::Wasm(packages) = provisioned.0 else {
            return Err(Error::invalid("an image of a container is nothing for WebAssembly"));
        };
        let image = self.image.clone();
        let library = self.library(packages.as_ref());
        Ok(Box::new(WasmSession::thaw(frozen.bytes(), image, library, spec).await?))
    }
}

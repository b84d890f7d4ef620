//! What jobs are instances of: a snapshot, metered and compiled, kept in the cache.

use super::{
    engine::{self, EngineOptions},
    functions::Functions,
    host::{self, Host},
    library::Library,
    metering, snapshot,
};
use crate::{
    Error, Result,
    cache::{Cache, Verification, hex},
};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use wasmtime::{Engine, InstancePre, Linker, Module};

/// Part of the name of cached images; another number makes all older ones useless.
const FORMAT: u32 = 5;

/// A snapshot, ready to be instantiated.
#[derive(Clone)]
pub(crate) struct Image {
    /// Tells its content from that of others.
    pub(crate) id: Arc<str>,
    pub(crate) pre: InstancePre<Host>,
}

/// Makes images, and keeps them in the cache: that of the interpreter, and others from that one.
pub(crate) struct Studio {
    engine: Engine,
    options: EngineOptions,
    cache: Cache,
    /// For images that are derived; others may be in the one above, which came with the service.
    baked: Cache,
    verification: Verification,
    /// What the names of all its files begin with: what they were made from.
    name: String,
    pub(crate) library: Library,
    large: OnceLock<Image>,
    sessions: OnceLock<Image>,
}

/// Jobs of the service's own that run at the same time, and one that bakes.
pub(crate) const ASIDE_MAX: u32 = 16;

impl Studio {
    pub(crate) fn open(
        options: EngineOptions,
        cache: Cache,
        baked: Cache,
        verification: Verification,
    ) -> Result<Studio> {
        let engine = engine::engine(options, None)?;
        let library = Library::new(wasm_python::STDLIB)
            .ok_or_else(|| Error::unavailable("the standard library image is damaged"))?;
        Ok(Studio {
            name: name(&engine),
            engine,
            options,
            cache,
            baked,
            verification,
            library,
            large: OnceLock::new(),
            sessions: OnceLock::new(),
        })
    }

    /// Returns the image of the interpreter, from the cache or made, of which `progress` is told.
    pub(crate) fn interpreter(&self, progress: &dyn Fn(&str)) -> Result<Image> {
        let file = self.file("cwasm");
        if let Some(image) = self.open_image(&file, self.verification)? {
            return Ok(image);
        }
        let _lock = self.cache.lock()?;
        // Another process may have made it while we waited.
        if let Some(image) = self.open_image(&file, Verification::Full)? {
            return Ok(image);
        }
        progress("starting Python once and taking a snapshot (about 10 s, once)");
        // A thread of its own: the caller may be inside an asynchronous runtime, which cannot be entered again.
        let snapshot = std::thread::scope(|scope| {
            let taken = scope.spawn(|| snapshot::start(&self.library)).join();
            taken.unwrap_or_else(|_| Err(Error::unavailable("taking the snapshot panicked")))
        })?;
        progress("compiling it for this machine (about 20 s, once)");
        let functions = Arc::new(Functions::default());
        let compiled = self.compile(&snapshot, &functions)?;
        self.cache.store(&self.file("wasm"), &snapshot)?;
        if let Some(functions) = Arc::into_inner(functions) {
            self.cache.store(&self.file("functions"), &functions.into_bytes())?;
        }
        self.cache.store(&file, &compiled)?;
        self.open_image(&file, Verification::Stamp)?
            .ok_or_else(|| Error::unavailable("the compiled interpreter just written cannot be read back"))
    }

    /// Returns the image of the interpreter for jobs that are known to be large. A slot that keeps its pages is slower
    /// for small jobs once it has run a large one, so that these have slots of their own, which keep none.
    pub(crate) fn large(&self) -> Result<&Image> {
        if let Some(image) = self.large.get() {
            return Ok(image);
        }
        let slots = self.options.slots.saturating_add(ASIDE_MAX + 1);
        let engine = engine::engine(EngineOptions { slots, page_reuse: false, ..self.options }, None)?;
        let image = self.open_image_for(&engine, &self.file("cwasm"), Verification::Stamp)?;
        let image = image.ok_or_else(|| Error::unavailable("the interpreter is no longer in the cache"))?;
        Ok(self.large.get_or_init(|| image))
    }

    /// Returns the image of the interpreter for sessions of cells, which stay in a slot between calls, and so have their own.
    pub(crate) fn sessions(&self) -> Result<&Image> {
        if let Some(image) = self.sessions.get() {
            return Ok(image);
        }
        // One is made beside each that is frozen.
        let slots = self.options.sessions.saturating_mul(2);
        let engine = engine::engine(EngineOptions { slots, ..self.options }, None)?;
        let image = self.open_image_for(&engine, &self.file("cwasm"), Verification::Stamp)?;
        let image = image.ok_or_else(|| Error::unavailable("the interpreter is no longer in the cache"))?;
        Ok(self.sessions.get_or_init(|| image))
    }

    /// Returns the snapshot of the interpreter, for taking others from it.
    pub(crate) fn snapshot(&self) -> Result<Bytes> {
        self.read("wasm")
    }

    /// Compiles a snapshot that was taken from that of the interpreter, into a file of this name. It takes no more of the
    /// machine than the thread that calls may take.
    pub(crate) fn derive(&self, snapshot: &[u8], file: &str) -> Result<()> {
        let functions = Arc::new(Functions::open(self.read("functions")?));
        // Threads have the priority of the one that starts them; the usual pool has that of whoever needed it first.
        let pool = rayon::ThreadPoolBuilder::new().build().map_err(|e| Error::caused("cannot start threads", e))?;
        let compiled = pool.install(|| self.compile(snapshot, &functions))?;
        self.baked.store(file, &compiled)?;
        Ok(())
    }

    /// Returns the prefix of all its names.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the cache of what is derived.
    pub(crate) fn baked(&self) -> &Cache {
        &self.baked
    }

    /// Returns the path of a file that belongs to something derived.
    pub(crate) fn path(&self, file: &str, verification: Verification) -> Option<PathBuf> {
        self.baked.find(file, verification).or_else(|| self.cache.find(file, verification))
    }

    /// Returns an image that was derived, when it is there.
    pub(crate) fn find(&self, file: &str) -> Option<Image> {
        let path = self.path(file, self.verification)?;
        linked(&self.engine, &path).unwrap_or_else(|error| {
            tracing::warn!(file, %error, "cached image refused");
            None
        })
    }

    /// Returns the image in a file of the cache, when it is there and what was once written.
    fn open_image(&self, file: &str, verification: Verification) -> Result<Option<Image>> {
        self.open_image_for(&self.engine, file, verification)
    }

    fn open_image_for(&self, engine: &Engine, file: &str, verification: Verification) -> Result<Option<Image>> {
        match self.cache.find(file, verification) {
            Some(path) => linked(engine, &path),
            None => Ok(None),
        }
    }

    fn compile(&self, snapshot: &[u8], functions: &Arc<Functions>) -> Result<Vec<u8>> {
        let metered = snapshot::exposed(snapshot).and_then(|exposed| metering::instrument(&exposed));
        let metered = metered.map_err(|e| Error::caused("cannot meter the interpreter", e))?;
        let engine = engine::engine(self.options, Some(Arc::<Functions>::clone(functions)))?;
        engine.precompile_module(&metered).map_err(|e| Error::caused("cannot compile the interpreter", e))
    }

    fn read(&self, kind: &str) -> Result<Bytes> {
        let file = self.file(kind);
        let path = self.cache.find(&file, self.verification).ok_or_else(|| {
            Error::unavailable(format!("the cache has no {file}: remove its files, so that they are made again"))
        })?;
        let content = std::fs::read(&path).map_err(|e| Error::io("cannot read", &path, e))?;
        Ok(content.into())
    }

    fn file(&self, kind: &str) -> String {
        format!("{}.{kind}", self.name)
    }
}

/// Digests what images depend on: the interpreter, and the engine as far as compiled code depends on it.
fn name(engine: &Engine) -> String {
    let mut compatibility = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    let mut hash = Sha256::new();
    hash.update(wasm_python::DIGEST);
    hash.update(FORMAT.to_le_bytes());
    hash.update(compatibility.finish().to_le_bytes());
    format!("python-{}-{}", wasm_python::VERSION, hex(&hash.finalize()[..12]))
}

/// Maps an image in a file of the cache; `None` when it is of another engine.
fn linked(engine: &Engine, path: &Path) -> Result<Option<Image>> {
    let module = match deserialize(engine, path) {
        Ok(module) => module,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "cached image refused");
            return Ok(None);
        }
    };
    let mut linker = Linker::new(engine);
    host::link(&mut linker).map_err(|e| Error::caused("cannot link the interpreter", e))?;
    let pre = linker.instantiate_pre(&module).map_err(|e| Error::caused("cannot link the interpreter", e))?;
    let id = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(Some(Image { id: id.into(), pre }))
}

/// Maps compiled code into this process.
#[expect(unsafe_code, reason = "the only way to load compiled code; see the argument inside")]
fn deserialize(engine: &Engine, path: &Path) -> wasmtime::Result<Module> {
    // SAFETY: `Module::deserialize_file` runs whatever machine code the file holds, and the file must not change while it
    // is mapped. The file is one that `Cache::find` has just accepted: it lies in a folder that belongs to this user and
    // that nobody else can enter, it belongs to this user and is writable by nobody else, and its content is what this
    // program wrote there, by its SHA-256 or by a stamp that a write would have changed. It is only ever replaced by
    // renaming another file over it, which leaves this mapping alone. Whoever could break this already runs code as this
    // user. wasmtime itself refuses files of another version or configuration.
    unsafe { Module::deserialize_file(engine, path) }
}

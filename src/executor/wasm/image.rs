//! What jobs are instances of: a snapshot, metered and compiled, kept in the cache.

use super::{
    data, engine,
    functions::Functions,
    host::{self, Host},
    library::Library,
    memory::{self, Allocator, Content},
    metering, snapshot,
};
use crate::{
    Error, Result,
    cache::{Cache, Verification, hex},
};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use wasmtime::{Engine, InstancePre, Linker, Module};

/// Part of the name of cached images; another number makes all older ones useless.
const FORMAT: u32 = 6;

/// A snapshot, ready to be instantiated.
#[derive(Clone)]
pub(crate) struct Image {
    /// Tells its content from that of others.
    pub(crate) id: Arc<str>,
    pub(crate) pre: InstancePre<Host>,
    /// What the memory of its instances starts with.
    content: Arc<Content>,
}

impl Image {
    /// Returns which bytes of an instance's memory are not those that it started with, in ranges of whole pages.
    pub(crate) fn changed(&self, memory: &[u8]) -> Vec<Range<usize>> {
        memory::changed(&self.content, memory)
    }

    /// Returns what the memory of an instance starts with; zeros follow.
    #[cfg(test)]
    pub(crate) fn content(&self) -> &[u8] {
        self.content.bytes()
    }
}

/// Makes images, and keeps them in the cache: that of the interpreter, and others from that one.
pub(crate) struct Studio {
    allocator: Allocator,
    cache: Cache,
    /// For images that are derived; others may be in the one above, which came with the service.
    baked: Cache,
    verification: Verification,
    /// What the names of all its files begin with: what they were made from.
    name: String,
    pub(crate) library: Library,
    large: OnceLock<Image>,
}

/// Jobs of the service's own that run at the same time.
pub(crate) const ASIDE_MAX: u32 = 16;

impl Studio {
    pub(crate) fn open(allocator: Allocator, cache: Cache, baked: Cache, verification: Verification) -> Result<Studio> {
        let name = name(&engine::compiler(None)?);
        let library = Library::new(wasm_python::STDLIB)
            .ok_or_else(|| Error::unavailable("the standard library image is damaged"))?;
        Ok(Studio { name, allocator, cache, baked, verification, library, large: OnceLock::new() })
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
        let allocator = self.allocator.without_kept_pages();
        let image = self.open_image_for(&allocator, &self.file("cwasm"), Verification::Stamp)?;
        let image = image.ok_or_else(|| Error::unavailable("the interpreter is no longer in the cache"))?;
        Ok(self.large.get_or_init(|| image))
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
        linked(&self.allocator, &path).unwrap_or_else(|error| {
            tracing::warn!(file, %error, "cached image refused");
            None
        })
    }

    /// Returns the image in a file of the cache, when it is there and what was once written.
    fn open_image(&self, file: &str, verification: Verification) -> Result<Option<Image>> {
        self.open_image_for(&self.allocator, file, verification)
    }

    fn open_image_for(&self, allocator: &Allocator, file: &str, verification: Verification) -> Result<Option<Image>> {
        match self.cache.find(file, verification) {
            Some(path) => linked(allocator, &path),
            None => Ok(None),
        }
    }

    fn compile(&self, snapshot: &[u8], functions: &Arc<Functions>) -> Result<Vec<u8>> {
        let metered = snapshot::exposed(snapshot).and_then(|exposed| metering::instrument(&exposed));
        let metered = metered.map_err(|e| Error::caused("cannot meter the interpreter", e))?;
        let (code, content) =
            data::separate(&metered).map_err(|e| Error::caused("the snapshot's memory cannot be read", e))?;
        let engine = engine::compiler(Some(Arc::<Functions>::clone(functions)))?;
        let compiled =
            engine.precompile_module(&code).map_err(|e| Error::caused("cannot compile the interpreter", e))?;
        Ok(data::join(compiled, &content))
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
fn linked(allocator: &Allocator, path: &Path) -> Result<Option<Image>> {
    let cannot_map = |error| Error::io("cannot map", path, error);
    let file = File::open(path).map_err(cannot_map)?;
    let Some(place) = data::content_of(&file).map_err(cannot_map)? else {
        tracing::warn!(path = %path.display(), "cached image without its memory refused");
        return Ok(None);
    };
    let content = file.try_clone().and_then(|file| Ok(memory::content(file, place.start, place.length)?));
    let content = Arc::new(content.map_err(cannot_map)?);
    let engine = engine::engine(allocator, Arc::clone(&content))?;
    let module = match deserialize(&engine, file) {
        Ok(module) => module,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "cached image refused");
            return Ok(None);
        }
    };
    let mut linker = Linker::new(&engine);
    host::link(&mut linker).map_err(|e| Error::caused("cannot link the interpreter", e))?;
    let pre = linker.instantiate_pre(&module).map_err(|e| Error::caused("cannot link the interpreter", e))?;
    let id = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(Some(Image { id: id.into(), pre, content }))
}

/// Maps compiled code into this process.
#[expect(unsafe_code, reason = "the only way to load compiled code; see the argument inside")]
fn deserialize(engine: &Engine, file: File) -> wasmtime::Result<Module> {
    // SAFETY: `Module::deserialize_open_file` runs whatever machine code the file holds, and the file must not change while
    // it is mapped. The file is one that `Cache::find` has just accepted: it lies in a folder that belongs to this user and
    // that nobody else can enter, it belongs to this user and is writable by nobody else, and its content is what this
    // program wrote there, by its SHA-256 or by a stamp that a write would have changed. It is only ever replaced by
    // renaming another file over it, which leaves this mapping alone. Whoever could break this already runs code as this
    // user. wasmtime itself refuses files of another version or configuration.
    unsafe { Module::deserialize_open_file(engine, file) }
}

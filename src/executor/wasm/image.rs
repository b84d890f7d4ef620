//! Makes the snapshot of a started interpreter, compiles it, and keeps the result in the cache.

use super::{
    clock::Clock,
    engine,
    host::{self, Host},
    library::Library,
    metering,
};
use crate::{
    Error, Limits, Project, Result,
    cache::{Cache, Verification, hex},
    executor::Event,
    job::Stdin,
};
use sha2::{Digest, Sha256};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};
use wasmtime::{Engine, Instance, InstancePre, Linker, Module, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, Wizer};

/// Part of the name of cached images; another number makes all older ones useless.
const FORMAT: u32 = 5;

/// Memory that starting the interpreter and importing the library may take.
const SNAPSHOT_MEMORY_BYTES: u64 = 512 << 20;

/// A snapshot, ready to be instantiated.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) pre: InstancePre<Host>,
    pub(crate) library: Library,
}

impl Image {
    /// Takes the image from the cache, or makes it, which takes some ten seconds that `progress` is told about.
    pub(crate) fn load(
        engine: &Engine,
        cache: &Cache,
        verification: Verification,
        progress: &dyn Fn(&str),
    ) -> Result<Image> {
        let library = Library::new(wasm_python::STDLIB)
            .ok_or_else(|| Error::unavailable("the standard library image is damaged"))?;
        let name = name(engine);
        let module = match open(engine, cache, &name, verification) {
            Some(module) => module,
            None => {
                let _lock = cache.lock()?;
                // Another process may have made it while we waited.
                match open(engine, cache, &name, Verification::Full) {
                    Some(module) => module,
                    None => {
                        cache.store(&name, &make(engine, &library, progress)?)?;
                        open(engine, cache, &name, Verification::Stamp).ok_or_else(|| {
                            Error::unavailable("the compiled interpreter just written cannot be read back")
                        })?
                    }
                }
            }
        };
        let mut linker = Linker::new(engine);
        host::link(&mut linker).map_err(|e| Error::caused("cannot link the interpreter", e))?;
        let pre = linker.instantiate_pre(&module).map_err(|e| Error::caused("cannot link the interpreter", e))?;
        Ok(Image { pre, library })
    }
}

/// What the image depends on: the interpreter, and everything of the engine that compiled code depends on.
fn name(engine: &Engine) -> String {
    let mut compatibility = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    let mut hash = Sha256::new();
    hash.update(wasm_python::DIGEST);
    hash.update(FORMAT.to_le_bytes());
    hash.update(compatibility.finish().to_le_bytes());
    format!("python-{}-{}.cwasm", wasm_python::VERSION, hex(&hash.finalize()[..12]))
}

fn open(engine: &Engine, cache: &Cache, name: &str, verification: Verification) -> Option<Module> {
    let path = cache.find(name, verification)?;
    match deserialize(engine, &path) {
        Ok(module) => Some(module),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "cached interpreter refused");
            None
        }
    }
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

/// Snapshot and compiled code, as the bytes to be cached.
fn make(engine: &Engine, library: &Library, progress: &dyn Fn(&str)) -> Result<Vec<u8>> {
    progress("starting Python once and taking a snapshot (about 10 s, once)");
    // A thread of its own: the caller may be inside an asynchronous runtime, which cannot be entered again.
    let snapshot = std::thread::scope(|scope| {
        scope
            .spawn(|| snapshot(library))
            .join()
            .unwrap_or_else(|_| Err(Error::unavailable("taking the snapshot panicked")))
    })?;
    progress("compiling it for this machine (about 20 s, once)");
    let metered = metering::instrument(&snapshot).map_err(|e| Error::caused("cannot meter the interpreter", e))?;
    engine.precompile_module(&metered).map_err(|e| Error::caused("cannot compile the interpreter", e))
}

fn snapshot(library: &Library) -> Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|e| Error::caused("cannot start a runtime for the snapshot", e))?;
    runtime.block_on(async {
        let engine = engine::snapshot_engine()?;
        let limits = Limits { memory_bytes: SNAPSHOT_MEMORY_BYTES, ..Limits::default() };
        let nobody = Box::new(|_: Event<'_>| ());
        let host = Host::new(Project::script(""), Stdin::Empty, &limits, nobody, library.clone(), Clock::frozen());
        let mut store = Store::new(&engine, host);
        store.limiter(|host| &mut host.memory);
        let taken = take_snapshot(&engine, &mut store).await;
        taken.map_err(|e| {
            let said = store.into_data().outputs.stderr.finish().text;
            Error::caused(format!("cannot take a snapshot of Python\n{said}"), format!("{e:?}"))
        })
    })
}

async fn take_snapshot(engine: &Engine, store: &mut Store<Host>) -> wasmtime::Result<Vec<u8>> {
    let mut wizer = Wizer::new();
    wizer.init_func("pyexec_prepare");
    let (context, instrumented) = wizer.instrument(wasm_python::MODULE)?;
    let module = Module::new(engine, instrumented)?;
    let mut linker = Linker::new(engine);
    host::link(&mut linker)?;
    let instance = linker.instantiate_async(&mut *store, &module).await?;
    for name in ["_initialize", "pyexec_prepare"] {
        instance.get_typed_func::<(), ()>(&mut *store, name)?.call_async(&mut *store, ()).await?;
    }
    wizer.snapshot(&context, &mut Frozen { store, instance }).await
}

/// Lets wizer read an instance.
struct Frozen<'a> {
    store: &'a mut Store<Host>,
    instance: Instance,
}

impl InstanceState for Frozen<'_> {
    async fn global_get(&mut self, name: &str, _: wasmparser::ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut *self.store, name).map(|global| global.get(&mut *self.store));
        match global {
            Some(Val::I32(value)) => SnapshotVal::I32(value),
            Some(Val::I64(value)) => SnapshotVal::I64(value),
            Some(Val::F32(value)) => SnapshotVal::F32(value),
            Some(Val::F64(value)) => SnapshotVal::F64(value),
            Some(Val::V128(value)) => SnapshotVal::V128(value.as_u128()),
            // The trait's contract: wizer asks only for globals it has itself exported, and has checked their types.
            other => panic!("global {name} of the snapshot is {other:?}"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let memory = self.instance.get_memory(&mut *self.store, name);
        contents(memory.map_or(&[], |memory| memory.data(&*self.store)));
    }
}

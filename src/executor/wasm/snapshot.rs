//! Snapshots: a WebAssembly module that starts where an instance was.

use super::{
    clock::Clock,
    engine,
    host::{self, Baking, Host},
    library::Library,
};
use crate::{Error, Limits, Project, Result};
use wasmtime::{Engine, Instance, Linker, Module, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, Wizer};

/// Memory that a snapshot may have: what starting the interpreter and importing modules may take.
pub(crate) const MEMORY_BYTES: u64 = 512 << 20;

/// Functions that prepare an instance for its snapshot.
const PREPARE: &str = "pyexec_prepare";
pub(super) const BAKE: &str = "pyexec_bake";

/// Takes a snapshot of the started interpreter, with the modules that jobs use most.
pub(crate) fn start(library: &Library) -> Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|e| Error::caused("cannot start a runtime for the snapshot", e))?;
    runtime.block_on(async {
        let engine = engine::snapshot_engine()?;
        let mut store = store(&engine, library.clone());
        let taken = start_and_take(&engine, &mut store).await;
        taken.map_err(|e| {
            let said = store.into_data().call.outputs.stderr.finish().text;
            Error::caused(format!("cannot take a snapshot of Python\n{said}"), format!("{e:?}"))
        })
    })
}

async fn start_and_take(engine: &Engine, store: &mut Store<Host>) -> wasmtime::Result<Vec<u8>> {
    let mut wizer = Wizer::new();
    wizer.init_func(PREPARE);
    let (context, exposed) = wizer.instrument(wasm_python::MODULE)?;
    let module = Module::new(engine, exposed)?;
    let mut linker = Linker::new(engine);
    host::link(&mut linker)?;
    let instance = linker.instantiate_async(&mut *store, &module).await?;
    for name in ["_initialize", PREPARE] {
        instance.get_typed_func::<(), ()>(&mut *store, name)?.call_async(&mut *store, ()).await?;
    }
    wizer.snapshot(&context, &mut Frozen { store, instance }).await
}

/// Exports all state of a snapshot, so that of its instances another can be taken.
pub(crate) fn exposed(snapshot: &[u8]) -> wasmtime::Result<Vec<u8>> {
    Ok(again().instrument(snapshot)?.1)
}

/// Takes a snapshot of an instance of what [`exposed`] made of `snapshot`.
pub(crate) async fn take(snapshot: &[u8], store: &mut Store<Host>, instance: Instance) -> wasmtime::Result<Vec<u8>> {
    let wizer = again();
    let (context, _) = wizer.instrument(snapshot)?;
    wizer.snapshot(&context, &mut Frozen { store, instance }).await
}

fn again() -> Wizer {
    let mut wizer = Wizer::new();
    // With other exports it would be other code.
    wizer.init_func(BAKE).keep_init_func(true);
    wizer
}

/// Reads the state of an instance that is to be snapshotted. It has no project, no input, and time stands still.
pub(crate) fn store(engine: &Engine, library: Library) -> Store<Host> {
    let limits = Limits { memory_bytes: MEMORY_BYTES, ..Limits::default() };
    let mut host = Host::new(Project::script(""), &limits, library, Clock::frozen());
    host.call.report.baking = Some(Baking::default());
    let mut store = Store::new(engine, host);
    store.limiter(|host| &mut host.memory);
    store
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

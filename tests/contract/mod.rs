//! What every executor promises, as one suite: each function here is run against each executor.

mod suite;

use crate::support::{self, docker::Containers};
use pyexec::executor::{
    Executor,
    wasm::{WasmExecutor, WasmOptions},
};
use std::sync::{Arc, OnceLock};

/// Makes a module of tests for one executor out of the suite.
macro_rules! executor {
    ($name:ident, $executor:expr) => {
        mod $name {
            use super::suite::promises;
            promises!($executor);
        }
    };
}

executor!(wasm, Some(super::wasm()));
executor!(docker, super::docker());

/// With two slots, so that a slot that is not given back is noticed.
fn wasm() -> Arc<dyn Executor> {
    static SHARED: OnceLock<Arc<WasmExecutor>> = OnceLock::new();
    let executor = SHARED.get_or_init(|| {
        // Makes the cached image first, once for all tests.
        support::pyexec();
        let mut options = WasmOptions::default();
        options.slots = 2;
        Arc::new(WasmExecutor::new(&options, &|line| eprintln!("{line}")).expect("the interpreter"))
    });
    Arc::clone(executor) as Arc<dyn Executor>
}

/// One for each test, with two slots; at its end it waits for its containers to be gone.
fn docker() -> Option<Arc<dyn Executor>> {
    Containers::new(|options| options.slots = 2).map(|containers| Arc::new(containers) as Arc<dyn Executor>)
}

//! The settings of wasmtime, with the reason for each.

use super::memory::{Allocator, Content};
use crate::{Error, Result};
use std::sync::Arc;
use wasmtime::{CacheStore, Config, Engine, OptLevel};

/// WebAssembly stack. CPython's checks stop recursion on the shadow stack first (see
/// `wasm-python/patches/recursion.patch`); this is what the frames that go with it need.
const STACK_BYTES: usize = 128 << 20;

/// Host functions run on the same stack.
const HOST_STACK_BYTES: usize = 2 << 20;

/// Makes the engine that compiles images, with functions compiled already if there are any.
pub(crate) fn compiler(compiled: Option<Arc<dyn CacheStore>>) -> Result<Engine> {
    let mut config = running();
    if let Some(compiled) = compiled {
        let enabled = config.enable_incremental_compilation(compiled);
        enabled.map_err(|e| Error::caused("the compiler does not start", e))?;
    }
    start(&config)
}

/// Makes the engine that runs jobs in instances of one image, whose memories start with `content`.
pub(crate) fn engine(allocator: &Allocator, content: Arc<Content>) -> Result<Engine> {
    let mut config = running();
    allocator.apply(&mut config, content);
    start(&config)
}

/// Returns an allocator of memories for this many jobs at the same time. Pages are kept from one to the next, restored, if
/// wanted and where that is safe.
pub(crate) fn allocator(slots: u32, page_reuse: bool) -> Allocator {
    Allocator::new(usize::try_from(slots).unwrap_or(usize::MAX), page_reuse && !has_swap())
}

fn running() -> Config {
    let mut config = shared();
    config.cranelift_opt_level(OptLevel::Speed);
    config.max_wasm_stack(STACK_BYTES);
    config.async_stack_size(STACK_BYTES + HOST_STACK_BYTES);
    config
}

fn start(config: &Config) -> Result<Engine> {
    Engine::new(config).map_err(|e| Error::caused("the WebAssembly engine does not start", e))
}

/// Makes the engine for snapshots: no metering, and code that is quick to compile.
pub(crate) fn snapshot_engine() -> Result<Engine> {
    let mut config = shared();
    config.cranelift_opt_level(OptLevel::None);
    config.max_wasm_stack(8 << 20);
    config.async_stack_size((8 << 20) + HOST_STACK_BYTES);
    start(&config)
}

fn shared() -> Config {
    let mut config = Config::new();
    // With the whole 4 GiB address space reserved, no access needs a bounds check.
    config.memory_reservation(4 << 30);
    // Data is mapped by us, or copied once.
    config.memory_init_cow(false);
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16));
    config
}

/// Returns whether pages may leave memory. A page that was written and then swapped out is not told by every way of asking,
/// and would be seen by the next job.
fn has_swap() -> bool {
    // A heading, then a line for each swap area; no such file, no knowledge.
    std::fs::read_to_string("/proc/swaps").map_or(true, |swaps| swaps.lines().count() > 1)
}

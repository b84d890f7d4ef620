//! The settings of wasmtime, with the reason for each.

use crate::{Error, Limits, Result};
use std::sync::Arc;
use wasmtime::{CacheStore, Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// WebAssembly stack. CPython's checks stop recursion on the shadow stack first (see
/// `wasm-python/patches/recursion.patch`); this is what the frames that go with it need.
const STACK_BYTES: usize = 128 << 20;

/// Host functions run on the same stack.
const HOST_STACK_BYTES: usize = 2 << 20;

/// Largest snapshot that is still mapped copy-on-write. Past it wasmtime would copy it for every job, silently.
const IMAGE_BYTES_MAX: u64 = 512 << 20;

/// Memory that all slots together keep between jobs, when resetting it costs only what was written. It is bounded because
/// pages that stay resident are memory the next job may not need.
const RESIDENT_BYTES: usize = 64 << 20;

/// Bounds what a slot keeps of its stack, zeroed: more than an ordinary job uses.
const STACK_RESIDENT_BYTES: usize = 64 << 10;

/// What a slot keeps at least: a small job writes a third of this.
const SLOT_RESIDENT_BYTES_MIN: usize = 1 << 20;

/// Says how an engine is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EngineOptions {
    /// Jobs that can run at the same time.
    pub(crate) slots: u32,
    /// Sessions of cells that can be there at the same time, frozen ones not counted.
    pub(crate) sessions: u32,
    /// Whether pages are kept from one job to the next (reset, never as they were), where that is safe.
    pub(crate) page_reuse: bool,
}

/// Makes the engine that runs jobs, or, with functions compiled already, one that compiles for it.
pub(crate) fn engine(options: EngineOptions, compiled: Option<Arc<dyn CacheStore>>) -> Result<Engine> {
    let mut config = shared();
    if let Some(compiled) = compiled {
        let enabled = config.enable_incremental_compilation(compiled);
        enabled.map_err(|e| Error::caused("the compiler does not start", e))?;
    }
    config.cranelift_opt_level(OptLevel::Speed);
    config.max_wasm_stack(STACK_BYTES);
    config.async_stack_size(STACK_BYTES + HOST_STACK_BYTES);
    // Otherwise the pool never gives back what a deep recursion has used of a stack, which may be all of it.
    config.async_stack_zeroing(true);

    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(options.slots);
    pool.total_memories(options.slots);
    pool.total_tables(options.slots);
    pool.total_stacks(options.slots);
    pool.max_memory_size(usize::try_from(Limits::MAXIMA.memory_bytes).unwrap_or(usize::MAX));
    pool.max_core_instance_size(4 << 20);
    // A fault of one job must not be felt by others: no slot is shared, and freed ones are reset one by one.
    pool.decommit_batch_size(1);
    if options.page_reuse && page_reuse_is_safe() {
        pool.pagemap_scan(Enabled::Yes);
        let slots = usize::try_from(options.slots.max(1)).unwrap_or(usize::MAX);
        pool.linear_memory_keep_resident((RESIDENT_BYTES / slots).max(SLOT_RESIDENT_BYTES_MIN));
        pool.table_keep_resident(1 << 20);
        pool.async_stack_keep_resident(STACK_RESIDENT_BYTES);
    }
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).map_err(|e| Error::caused("the WebAssembly engine does not start", e))
}

/// Makes the engine for snapshots: no metering, and code that is quick to compile.
pub(crate) fn snapshot_engine() -> Result<Engine> {
    let mut config = shared();
    config.cranelift_opt_level(OptLevel::None);
    config.max_wasm_stack(8 << 20);
    config.async_stack_size((8 << 20) + HOST_STACK_BYTES);
    Engine::new(&config).map_err(|e| Error::caused("the WebAssembly engine does not start", e))
}

fn shared() -> Config {
    let mut config = Config::new();
    // With the whole 4 GiB address space reserved, no access needs a bounds check.
    config.memory_reservation(4 << 30);
    config.memory_guaranteed_dense_image_size(IMAGE_BYTES_MAX);
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16));
    config
}

/// Returns whether the kernel tells which pages were written, which reusing them takes. A page that was written and
/// then swapped out is not told, and would be seen by the next job; hence only without swap, for the machine and for
/// our control group.
fn page_reuse_is_safe() -> bool {
    PoolingAllocationConfig::is_pagemap_scan_available() && !has_swap()
}

fn has_swap() -> bool {
    // A heading, then a line for each swap area; no such file, no knowledge.
    std::fs::read_to_string("/proc/swaps").map_or(true, |swaps| swaps.lines().count() > 1)
}

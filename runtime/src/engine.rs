//! The process's one WebAssembly engine, and the threads that guests run on.
//!
//! Guests are strangers that may loop for ever. Four things keep them from starving the rest: they run on a tokio
//! [runtime of their own](runtime), apart from the API, the proxy and the agent; compiled code looks at an epoch that a
//! [ticker] moves on every 10 ms, and yields when it has; those that are cut off so [line up](fair) for their next turn;
//! and memory comes from a pool that was reserved when the engine was built, after a [plan] that fits this machine's
//! address space.
//!
//! Images become code in [`Engine::load`]: compiled once in the life of a machine, kept on disk in a [cache], mapped from there,
//! and [collected](collect) when nothing runs it and the disk is short.
//! Core modules of [wasip1] are made components first; guests of WASI 0.3 have a second, [concurrent] engine of their own.

mod cache;
mod collect;
pub mod compiler;
mod concurrent;
pub(crate) mod fair;
mod load;
mod outline;
pub mod plan;
mod runtime;
pub(crate) mod slice;
mod ticker;
mod wasip1;

use std::path::PathBuf;
use std::sync::Arc;

use netproxy::fabric::descriptors::Share;
use wasmtime::component::Linker;
use wasmtime::{Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::container::files;
use crate::host::{self, Host};
use compiler::Compiler;
use concurrent::Concurrent;
use plan::Plan;

pub use cache::CacheError;
pub use load::LoadError;

/// What an engine is built from.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where compiled code is kept from one start to the next. Made, for this user only, when it does not exist.
    pub cache_dir: PathBuf,
    /// The memory of a guest that names no limit of its own; `None` is as much as the address-space plan has room for.
    pub max_memory_per_guest: Option<u64>,
    /// At most this many guests at once (a request to an HTTP guest counts while it lasts); `None` is what the
    /// address space has room for.
    pub instances: Option<u32>,
    /// An executable of this very version that compiles when it is called with [`compiler::COMMAND`]; `None` is to compile
    /// in this process, which keeps much of the memory that it takes.
    pub compiler: Option<PathBuf>,
}

impl Config {
    /// The settings of a node that keeps its compiled code in `cache_dir`.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Config {
        Config { cache_dir: cache_dir.into(), max_memory_per_guest: None, instances: None, compiler: None }
    }
}

/// Why no engine could be built.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Not even the smallest plan fits.
    #[error("no memory plan for guests fits this machine's address space (`ulimit -v`?): {0}")]
    AddressSpace(String),
    /// wasmtime refuses what we ask of it.
    #[error("the WebAssembly engine does not start: {0}")]
    Wasmtime(String),
    /// The directory of compiled code can't be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// No threads.
    #[error("the guests' threads do not start: {0}")]
    Threads(std::io::Error),
}

/// The engine. A clone is a handle to the same one.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) wasm: wasmtime::Engine,
    pub(crate) linker: Linker<Host>,
    pub(crate) guests: runtime::Guests,
    pub(crate) plan: Plan,
    /// What guests may have open.
    pub(crate) files: Arc<Share>,
    default_memory: u64,
    library: load::Library,
    concurrent: Concurrent,
}

impl Engine {
    /// Reserves the guests' memory and starts their threads.
    ///
    /// # Errors
    /// Everything that can be wrong with the machine or the settings is found here, nothing later.
    pub fn new(config: Config) -> Result<Engine, EngineError> {
        let (wasm, plan) = reserve(config.instances)?;
        let linker = host::linker(&wasm).map_err(|e| EngineError::Wasmtime(format!("{e:#}")))?;
        let library = load::Library::open(&config.cache_dir, &wasm, Compiler { program: config.compiler })?;
        let concurrent = Concurrent::beside(plan, config.cache_dir);
        let guests = runtime::Guests::start(&wasm).map_err(EngineError::Threads)?;
        let default_memory = config.max_memory_per_guest.unwrap_or(plan.reservation).min(plan.reservation);
        tracing::debug!(slots = plan.slots, bytes = plan.reservation, "guest memory is reserved");
        Ok(Engine(Arc::new(Inner {
            wasm,
            linker,
            guests,
            plan,
            files: files::of_the_node(),
            default_memory,
            library,
            concurrent,
        })))
    }

    /// How guest memory is laid out in this process.
    pub fn plan(&self) -> Plan {
        self.0.plan
    }

    /// What `kubectl get nodes -o wide` says in CONTAINER-RUNTIME.
    pub fn version() -> &'static str {
        "wasmtime://48.0.8"
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// The bytes of linear memory that a container may have: its own limit, or the engine's, whichever is lower.
    pub(crate) fn memory_limit(&self, asked: Option<u64>) -> u64 {
        asked.unwrap_or(self.0.default_memory).min(self.0.plan.reservation)
    }
}

/// Tries the plans from the roomiest down. Building an engine is the probe: it reserves the whole pool at once, and
/// fails at once where the address space (a 39-bit kernel, `ulimit -v`) is too small for it.
fn reserve(instances: Option<u32>) -> Result<(wasmtime::Engine, Plan), EngineError> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::As).current;
    let mut last = String::from("the limit on address space leaves no plan");
    for plan in plan::candidates(limit, instances) {
        match build(plan, Enabled::Auto, Tasks::One) {
            Ok(wasm) => return Ok((wasm, plan)),
            Err(error) => last = format!("{error:#}"),
        }
    }
    Err(EngineError::AddressSpace(last))
}

/// Bytes of a memory that stay resident in a free slot. Where the kernel can say which pages were touched
/// (`PAGEMAP_SCAN`, 6.7) a reset writes only those, and the next guest faults on none of them; where it can't, the
/// whole stretch is written, and more than this costs more than it saves.
const KEEP_RESIDENT_SCANNED: usize = 1 << 20;
const KEEP_RESIDENT_BLIND: usize = 96 << 10;

/// How many tasks a guest may have: WASI 0.3 has the host know of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tasks {
    One,
    Many,
}

fn build(plan: Plan, scan: Enabled, tasks: Tasks) -> wasmtime::Result<wasmtime::Engine> {
    let keep = if kernel_scans_pagemap() { KEEP_RESIDENT_SCANNED } else { KEEP_RESIDENT_BLIND };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(plan.slots)
        .total_core_instances(plan.slots.saturating_mul(6))
        .total_memories(plan.slots)
        .total_tables(plan.slots.saturating_mul(3))
        // Each task that waits in the host keeps its stack.
        .total_stacks(plan.slots.saturating_mul(if tasks == Tasks::Many { 4 } else { 1 }))
        .total_gc_heaps(plan.slots.min(1_000))
        .max_memory_size(plan.reservation as usize)
        .table_elements(TABLE_ELEMENTS)
        .max_tables_per_module(4)
        .linear_memory_keep_resident(keep)
        .table_keep_resident(keep.min(16 << 10))
        .pagemap_scan(scan);
    let mut config = settings(plan, tasks);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    wasmtime::Engine::new(&config)
}

/// All that code depends on: an engine of these settings compiles for every other.
fn settings(plan: Plan, tasks: Tasks) -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        .memory_reservation(plan.reservation)
        .memory_guard_size(plan.guard)
        .async_stack_size(plan::STACK as usize)
        .memory_init_cow(true)
        .epoch_interruption(true)
        // Tasks cost every call of a handler of WASI 0.2 a third more: those guests do without.
        .concurrency_support(tasks == Tasks::Many)
        .wasm_component_model_async(tasks == Tasks::Many)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(32))
        .cranelift_opt_level(OptLevel::Speed);
    config
}

/// wasmtime's default; a guest's function table has an element for each function that it takes the address of.
const TABLE_ELEMENTS: usize = 20_000;

/// `PAGEMAP_SCAN` came with Linux 6.7. wasmtime probes for the call itself; this only chooses the number that suits.
fn kernel_scans_pagemap() -> bool {
    let name = rustix::system::uname();
    let mut parts = name.release().to_str().unwrap_or_default().split(['.', '-']).map_while(|n| n.parse::<u32>().ok());
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (6, 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_built_in() {
        let locked = include_str!("../../Cargo.lock").split("name = \"wasmtime\"\nversion = \"").nth(1);
        let locked = locked.and_then(|rest| rest.split('"').next()).unwrap();
        assert_eq!(Engine::version(), format!("wasmtime://{locked}"));
    }
}

//! The second engine, for guests of WASI 0.3.
//!
//! Their tasks, streams and futures need bookkeeping in every call, which would cost a handler of 0.2 a third more. So
//! 0.2 has an engine without, and this one is built when the first guest of 0.3 comes: a node without any pays nothing,
//! not even address space.

use std::path::PathBuf;
use std::sync::OnceLock;

use wasmtime::Enabled;
use wasmtime::component::Linker;

use super::cache::Cache;
use super::plan::Plan;
use super::runtime::Guests;
use super::{Tasks, build};
use crate::host::{self, Host};

/// At most this many guests of 0.3 at once, and an eighth of what the first engine has room for.
const SLOTS: u32 = 1_000;

/// Builds the engine once, or remembers why not.
pub(super) struct Concurrent {
    dir: PathBuf,
    plan: Plan,
    built: OnceLock<Result<Built, String>>,
}

pub(super) struct Built {
    pub(super) plan: Plan,
    pub(super) wasm: wasmtime::Engine,
    pub(super) linker: Linker<Host>,
    pub(super) cache: Cache,
}

impl Concurrent {
    pub(super) fn beside(first: Plan, cache_dir: PathBuf) -> Concurrent {
        let plan = Plan { slots: (first.slots / 8).clamp(1, SLOTS), ..first };
        Concurrent { dir: cache_dir, plan, built: OnceLock::new() }
    }

    /// The engine; a first call takes milliseconds and may block.
    pub(super) fn engine(&self, guests: &Guests) -> Result<&Built, String> {
        self.built.get_or_init(|| self.build(guests)).as_ref().map_err(Clone::clone)
    }

    fn build(&self, guests: &Guests) -> Result<Built, String> {
        let (wasm, plan) = self.reserve()?;
        let linker = host::concurrent_linker(&wasm).map_err(|error| format!("{error:#}"))?;
        let cache = Cache::open(&self.dir, &wasm).map_err(|error| error.to_string())?;
        guests.tick(&wasm);
        Ok(Built { plan, wasm, linker, cache })
    }

    /// Fewer and fewer slots, until what the first engine left has room for them.
    fn reserve(&self) -> Result<(wasmtime::Engine, Plan), String> {
        let mut plan = self.plan;
        loop {
            match build(plan, Enabled::Auto, Tasks::Many) {
                Ok(wasm) => return Ok((wasm, plan)),
                Err(error) if plan.slots == 1 => return Err(format!("{error:#}")),
                Err(_) => plan.slots /= 2,
            }
        }
    }
}

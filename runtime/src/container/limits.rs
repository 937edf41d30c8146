//! What a container may take.
//!
//! The limit counts linear memory, over all instances of the container: the memory a guest allocates in. Growth over it
//! is refused, which the guest sees as an allocation that failed, and remembered: a guest that then dies was killed by
//! its limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use wasmtime::ResourceLimiter;

use super::processes::Meter;

/// Elements of a guest's tables, and parts of a component: far above what toolchains make, far below what hurts.
const TABLE_ELEMENTS: usize = 1_000_000;
const PARTS: usize = 1_000;

/// The memory of one container, shared by its instances.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: AtomicU64,
    used: AtomicU64,
}

impl Memory {
    pub(crate) fn new(limit: u64) -> Arc<Memory> {
        Arc::new(Memory { limit: AtomicU64::new(limit), used: AtomicU64::new(0) })
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit.load(Relaxed)
    }

    /// What a guest has beyond a lower limit stays; it gets no more.
    pub(crate) fn set_limit(&self, limit: u64) {
        self.limit.store(limit, Relaxed);
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    fn take(&self, bytes: u64) -> bool {
        let limit = self.limit();
        self.used.fetch_update(Relaxed, Relaxed, |used| used.checked_add(bytes).filter(|total| *total <= limit)).is_ok()
    }
}

/// The part of it that one instance has taken; given back when the Store goes.
pub(crate) struct Limits {
    memory: Arc<Memory>,
    meter: Arc<Meter>,
    taken: u64,
    denied: Arc<AtomicBool>,
}

impl Limits {
    pub(crate) fn new(memory: Arc<Memory>, meter: Arc<Meter>) -> Limits {
        Limits { memory, meter, taken: 0, denied: Arc::default() }
    }

    /// Whether this instance was refused memory; can be asked after the Store is gone.
    pub(crate) fn denied(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.denied)
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        let granted = self.memory.take(more);
        if granted {
            self.taken += more;
            self.meter.memory.fetch_add(more, Relaxed);
        } else {
            self.denied.store(true, Relaxed);
        }
        Ok(granted)
    }

    /// The slot itself is full: the plan's limit, which is a limit like any other.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        tracing::debug!(%error, "a memory does not grow");
        self.denied.store(true, Relaxed);
        Ok(())
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }
}

impl Drop for Limits {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.taken, Relaxed);
        self.meter.memory.fetch_sub(self.taken, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_share_the_limit_and_give_back() {
        let memory = Memory::new(100);
        let mut one = Limits::new(Arc::clone(&memory), Arc::default());
        let mut two = Limits::new(Arc::clone(&memory), Arc::default());
        assert!(one.memory_growing(0, 60, None).unwrap());
        assert!(!two.memory_growing(0, 60, None).unwrap());
        assert!(two.denied().load(Relaxed) && !one.denied().load(Relaxed));
        drop(one);
        assert!(two.memory_growing(0, 60, None).unwrap());
        assert_eq!(memory.used(), 60);
    }
}

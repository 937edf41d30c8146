//! What a container has used and what it holds, for those who look from outside: `top`, metrics, a resize.

use std::sync::Arc;
use std::time::Duration;

use super::Setting;
use super::cpu::{Account, Cpu};
use super::files::Quota;
use super::limits::Memory;
use crate::engine::Engine;

/// A container's counters, at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time of its guests since it started: all instances, and the programs that were started in it.
    pub cpu: Duration,
    /// How often its CPU limit held a guest back.
    pub throttled: u64,
    /// Linear memory of all its instances, in bytes.
    pub memory: u64,
    /// How much of it there may be.
    pub memory_limit: u64,
    /// Files that its guests have open, give or take those that were closed lately.
    pub files: u32,
}

/// A container's counters and limits. Cheap to clone; does not keep the guest alive.
#[derive(Clone)]
pub struct Meter {
    engine: Engine,
    cpu: Arc<Account>,
    memory: Arc<Memory>,
    files: Quota,
}

impl Meter {
    pub(super) fn of(setting: &Setting) -> Meter {
        Meter {
            engine: setting.engine.clone(),
            cpu: setting.cpu.clone(),
            memory: setting.memory.clone(),
            files: setting.files.clone(),
        }
    }

    /// The counters now: a few loads, whatever the guest is doing.
    pub fn usage(&self) -> Usage {
        Usage {
            cpu: self.cpu.used(),
            throttled: self.cpu.throttled(),
            memory: self.memory.used(),
            memory_limit: self.memory.limit(),
            files: self.files.used(),
        }
    }

    /// Changes the limits of what runs. Less memory than it has takes nothing away from it: it gets no more, and its next
    /// allocation fails.
    pub fn set_limits(&self, cpu: Cpu, memory: Option<u64>) {
        self.cpu.set(cpu);
        self.memory.set_limit(self.engine.memory_limit(memory));
    }
}

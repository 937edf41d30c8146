//! The process's file descriptors, and who may have how many.
//!
//! Inside the fabric a connection is memory; to the world outside it is a socket of the host, and a file that a guest
//! opens is a file of the host. When the process has no more descriptors everybody fails, the API first: so guests have
//! shares of their own, and never get at the rest.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as are worth having: the kernel's usual hard limit.
const ENOUGH: u64 = 1 << 20;

/// What the process may open, once it has asked for all that it can get.
pub fn limit() -> u32 {
    static LIMIT: OnceLock<u32> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.unwrap_or(ENOUGH).min(ENOUGH);
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        let now = if raised.is_ok() { wanted } else { current.unwrap_or(wanted) };
        u32::try_from(now.min(ENOUGH)).unwrap_or(u32::MAX)
    })
}

/// A number of things that may be held at once.
#[derive(Debug)]
pub struct Share {
    used: AtomicU32,
    limit: u32,
}

impl Share {
    /// Nothing of it is taken.
    pub const fn new(limit: u32) -> Share {
        Share { used: AtomicU32::new(0), limit }
    }

    /// Takes one, if there is one.
    pub fn take(&self) -> bool {
        self.used.fetch_update(Relaxed, Relaxed, |used| (used < self.limit).then_some(used + 1)).is_ok()
    }

    /// Gives so many back.
    pub fn give_back(&self, count: u32) {
        self.used.fetch_sub(count, Relaxed);
    }

    /// How many are taken.
    pub fn used(&self) -> u32 {
        self.used.load(Relaxed)
    }

    /// How many there are.
    pub fn limit(&self) -> u32 {
        self.limit
    }
}

/// A quarter of the descriptors is for the sockets of pods to the world outside.
pub(super) fn outside() -> u32 {
    limit() / 4
}

/// And a quarter of that is the most for one pod.
pub(super) fn outside_of_a_pod() -> u32 {
    (outside() / 4).max(1)
}

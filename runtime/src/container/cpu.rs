//! Processor time: what a container has used, what it may use, and what it gets when others want it too.
//!
//! Every future that polls a guest of the container is wrapped with [`Account::paced`]: its command, the instances that
//! handle requests, the programs that `exec` started. They all draw on one account. The wrapper measures each poll
//! (see [`slice`](crate::engine::slice)), holds the guest back while the container is over its [limit](bucket), and lines
//! up with the other [busy guests](crate::engine::fair).

mod bucket;
mod paced;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::processes::Meter;
use crate::engine::fair::{self, Fair};
use bucket::Bucket;
pub(crate) use paced::Paced;

/// What a container may have of the processors, in thousandths of a core.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cpu {
    /// `limits.cpu`: never more.
    pub limit: Option<u32>,
    /// `requests.cpu`: its share when there is not enough for all.
    pub request: Option<u32>,
}

impl Cpu {
    /// A container that asks for nothing counts as one that asks for little: it goes on at a crawl, as under the kernel's
    /// least `cpu.weight`.
    fn weight(self) -> u32 {
        self.request.or(self.limit).unwrap_or(0).max(25)
    }
}

/// One container's account.
pub(crate) struct Account {
    fair: Arc<Fair>,
    opened: Instant,
    used: AtomicU64,
    throttled: AtomicU64,
    time: Arc<AtomicU64>,
    weight: AtomicU32,
    limited: AtomicBool,
    bucket: Mutex<Option<Bucket>>,
}

impl Account {
    pub(crate) fn open(fair: &Arc<Fair>, cpu: Cpu) -> Arc<Account> {
        let account = Account {
            fair: Arc::clone(fair),
            opened: Instant::now(),
            used: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            time: Arc::new(AtomicU64::new(fair.clock())),
            weight: AtomicU32::new(0),
            limited: AtomicBool::new(false),
            bucket: Mutex::new(None),
        };
        account.set(cpu);
        Arc::new(account)
    }

    /// Changes limit and weight of what runs.
    pub(crate) fn set(&self, cpu: Cpu) {
        let now = self.opened.elapsed();
        let mut bucket = self.bucket.lock();
        match (&mut *bucket, cpu.limit) {
            (Some(bucket), Some(limit)) => bucket.limit(limit, now),
            (bucket, limit) => *bucket = limit.map(|limit| Bucket::new(limit, now)),
        }
        self.limited.store(bucket.is_some(), Relaxed);
        self.weight.store(cpu.weight(), Relaxed);
    }

    /// Processor time used so far.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.used.load(Relaxed))
    }

    /// How often a guest was held back by the limit.
    pub(crate) fn throttled(&self) -> u64 {
        self.throttled.load(Relaxed)
    }

    /// Runs a program on this account.
    pub(crate) fn paced<F: Future>(self: &Arc<Account>, meter: &Arc<Meter>, guest: F) -> Paced<F> {
        Paced::new(Arc::clone(self), Arc::clone(meter), guest)
    }

    fn charge(&self, meter: &Meter, nanos: u64) {
        meter.cpu.fetch_add(nanos, Relaxed);
        self.used.fetch_add(nanos, Relaxed);
        self.time.fetch_add(fair::virtual_time(nanos, self.weight.load(Relaxed)), Relaxed);
        if self.limited.load(Relaxed)
            && let Some(bucket) = &mut *self.bucket.lock()
        {
            bucket.spend(self.opened.elapsed(), nanos);
        }
    }

    /// Until when the limit holds it back.
    fn held_until(&self, now: Instant) -> Option<Instant> {
        if !self.limited.load(Relaxed) {
            return None;
        }
        let now = now.saturating_duration_since(self.opened);
        let until = self.bucket.lock().as_mut()?.empty_until(now)?;
        Some(self.opened + until)
    }

    /// Its virtual time, which never lags behind the line's.
    fn time(&self) -> u64 {
        let floor = self.fair.clock();
        let time = self.time.load(Relaxed);
        if time >= floor { time } else { self.time.fetch_max(floor, Relaxed).max(floor) }
    }

    fn is_ahead(&self) -> bool {
        self.fair.is_ahead(self.time(), self.weight.load(Relaxed))
    }
}

//! Who waits for which changes.
//!
//! A watcher is a queue in an index, nothing more: no task, no timer, nothing to do for the changes of others.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::mpsc;

use super::watch::Interest;
use super::{Event, Revision};

/// All watchers, by what they wait for.
pub(super) struct Hub {
    watchers: Mutex<Watchers>,
    /// Every event up to this revision is in the queues of its watchers.
    dispatched: AtomicU64,
    queue: usize,
}

#[derive(Default)]
pub(super) struct Watchers {
    by_interest: HashMap<Interest, Vec<Watcher>>,
    last: u64,
    closed: bool,
}

struct Watcher {
    id: u64,
    queue: mpsc::Sender<Arc<Event>>,
}

/// A watcher's place in the index.
pub(super) struct Seat {
    pub(super) interest: Interest,
    id: u64,
}

impl Hub {
    pub(super) fn new(dispatched: Revision, queue: usize) -> Self {
        Self { watchers: Mutex::default(), dispatched: AtomicU64::new(dispatched.0), queue }
    }

    /// Keeps watchers from coming and events from being dispatched.
    pub(super) fn lock(&self) -> MutexGuard<'_, Watchers> {
        self.watchers.lock()
    }

    pub(super) fn dispatched(&self) -> Revision {
        Revision(self.dispatched.load(Ordering::Acquire))
    }

    /// Puts the events into the queues of those who wait for them. Whoever has no room left is dropped.
    pub(super) fn dispatch(&self, watchers: &mut Watchers, events: &[Arc<Event>]) {
        for event in events {
            for interest in Interest::of(&event.entry.key) {
                watchers.send(&interest, event);
            }
        }
        if let Some(last) = events.last() {
            self.dispatched.store(last.revision.0, Ordering::Release);
        }
    }

    /// Adds a watcher. After the store was closed its queue is at its end at once.
    pub(super) fn register(&self, watchers: &mut Watchers, interest: Interest) -> (Seat, mpsc::Receiver<Arc<Event>>) {
        let (queue, events) = mpsc::channel(self.queue);
        watchers.last += 1;
        let id = watchers.last;
        if !watchers.closed {
            watchers.by_interest.entry(interest.clone()).or_default().push(Watcher { id, queue });
        }
        (Seat { interest, id }, events)
    }

    pub(super) fn leave(&self, seat: &Seat) {
        let mut watchers = self.watchers.lock();
        if let Some(peers) = watchers.by_interest.get_mut(&seat.interest) {
            peers.retain(|w| w.id != seat.id);
            if peers.is_empty() {
                watchers.by_interest.remove(&seat.interest);
            }
        }
    }

    /// Ends every watch, those to come too.
    pub(super) fn close(&self) {
        let mut watchers = self.watchers.lock();
        watchers.closed = true;
        watchers.by_interest.clear();
    }
}

impl Watchers {
    fn send(&mut self, interest: &Interest, event: &Arc<Event>) {
        let Some(peers) = self.by_interest.get_mut(interest) else { return };
        peers.retain(|w| w.queue.try_send(event.clone()).is_ok());
        if peers.is_empty() {
            self.by_interest.remove(interest);
        }
    }
}

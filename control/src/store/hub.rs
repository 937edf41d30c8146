//! Who waits for which changes.
//!
//! A watcher is a queue in an index, nothing more: no task, no timer, nothing to do for the changes of others. The queue is
//! bounded by the number of its events and by their bytes: a watcher that never reads holds no more than that.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::mpsc;

use super::watch::Interest;
use super::{Event, Revision};

/// All watchers, by what they wait for.
pub(super) struct Hub {
    watchers: Mutex<Watchers>,
    /// Every event up to this revision is in the queues of its watchers.
    dispatched: AtomicU64,
    room: Room,
}

/// How much may wait for one watcher.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) events: usize,
    pub(super) bytes: usize,
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
    waiting: Arc<AtomicUsize>,
}

/// The events that wait for one watcher.
pub(super) struct Queue {
    events: mpsc::Receiver<Arc<Event>>,
    /// Their bytes.
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    /// # Cancel safety
    /// No event is lost when the future is dropped.
    pub(super) async fn recv(&mut self) -> Option<Arc<Event>> {
        let event = self.events.recv().await?;
        self.waiting.fetch_sub(event.size(), Ordering::Relaxed);
        Some(event)
    }

    /// The next event, if one waits.
    pub(super) fn try_recv(&mut self) -> Option<Arc<Event>> {
        let event = self.events.try_recv().ok()?;
        self.waiting.fetch_sub(event.size(), Ordering::Relaxed);
        Some(event)
    }

    /// True where nothing waits, and nothing more comes.
    pub(super) fn is_over(&self) -> bool {
        self.events.is_empty() && self.events.is_closed()
    }

    /// True where the watcher has everything, and is still among those who get more.
    pub(super) fn is_drained(&self) -> bool {
        self.events.is_empty() && !self.events.is_closed()
    }
}

/// A watcher's place in the index.
pub(super) struct Seat {
    pub(super) interest: Interest,
    id: u64,
}

impl Hub {
    pub(super) fn new(dispatched: Revision, room: Room) -> Self {
        Self { watchers: Mutex::default(), dispatched: AtomicU64::new(dispatched.0), room }
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
                watchers.send(&interest, event, self.room.bytes);
            }
        }
        if let Some(last) = events.last() {
            self.dispatched.store(last.revision.0, Ordering::Release);
        }
    }

    /// Adds a watcher. After the store was closed its queue is at its end at once.
    pub(super) fn register(&self, watchers: &mut Watchers, interest: Interest) -> (Seat, Queue) {
        let (queue, events) = mpsc::channel(self.room.events);
        let waiting = Arc::new(AtomicUsize::new(0));
        watchers.last += 1;
        let id = watchers.last;
        if !watchers.closed {
            watchers.by_interest.entry(interest.clone()).or_default().push(Watcher {
                id,
                queue,
                waiting: waiting.clone(),
            });
        }
        (Seat { interest, id }, Queue { events, waiting })
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
    fn send(&mut self, interest: &Interest, event: &Arc<Event>, most: usize) {
        let Some(peers) = self.by_interest.get_mut(interest) else { return };
        peers.retain(|w| w.send(event, most));
        if peers.is_empty() {
            self.by_interest.remove(interest);
        }
    }
}

impl Watcher {
    /// False where there is no room left. One event has room in any case.
    fn send(&self, event: &Arc<Event>, most: usize) -> bool {
        let size = event.size();
        let before = self.waiting.fetch_add(size, Ordering::Relaxed);
        (before == 0 || before + size <= most) && self.queue.try_send(event.clone()).is_ok()
    }
}

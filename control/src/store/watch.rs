//! One watcher's view of the changes.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use super::hub::{Queue, Seat};
use super::{Event, Expired, Key, Revision, Shared};

/// Which changes to watch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Interest {
    /// `pods`, `deployments.apps`; empty for every resource there is.
    pub resource: Arc<str>,
    /// One namespace only.
    pub namespace: Option<Arc<str>>,
    /// One name only.
    pub name: Option<Arc<str>>,
}

impl Interest {
    /// All objects of a resource.
    pub fn all(resource: &str) -> Self {
        Self { resource: resource.into(), namespace: None, name: None }
    }

    /// All objects of all resources, those of resources that are yet to come too.
    pub fn everything() -> Self {
        // Asked for with every event: the name is made once.
        static EVERY: LazyLock<Arc<str>> = LazyLock::new(|| "".into());
        Self { resource: EVERY.clone(), namespace: None, name: None }
    }

    /// The interests that cover an object.
    pub(super) fn of(key: &Key) -> [Self; 5] {
        let covering = |namespace: Option<&Arc<str>>, name: Option<&Arc<str>>| Self {
            resource: key.resource.clone(),
            namespace: namespace.cloned(),
            name: name.cloned(),
        };
        [
            covering(None, None),
            covering(Some(&key.namespace), None),
            covering(Some(&key.namespace), Some(&key.name)),
            covering(None, Some(&key.name)),
            Self::everything(),
        ]
    }

    fn covers(&self, key: &Key) -> bool {
        self.namespace.as_ref().is_none_or(|n| *n == key.namespace) && self.name.as_ref().is_none_or(|n| *n == key.name)
    }
}

/// A sequence of changes, from the past into the future. Dropping it ends the watch.
pub struct Watch {
    shared: Arc<Shared>,
    seat: Seat,
    backlog: VecDeque<Arc<Event>>,
    queue: Queue,
    seen: Revision,
}

/// Takes what the history has after `since` and a seat in the hub in one step.
pub(super) fn start(shared: Arc<Shared>, interest: Interest, since: Revision) -> Result<Watch, Expired> {
    let mut watchers = shared.hub.lock();
    let mut backlog = match &*interest.resource {
        "" => shared.tables.read().all_after(since)?,
        resource => shared.tables.read().after(resource, since)?,
    };
    backlog.retain(|e| interest.covers(&e.entry.key));
    let (seat, queue) = shared.hub.register(&mut watchers, interest);
    drop(watchers);
    Ok(Watch { shared, seat, backlog: backlog.into(), queue, seen: since })
}

impl Watch {
    /// The next change. `None` when this watcher was too slow and was dropped, or when the store was closed.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        loop {
            let event = match self.backlog.pop_front() {
                Some(event) => event,
                None => self.queue.recv().await?,
            };
            // A watch may be asked to start in the future; what happens until then is not for it.
            if event.revision > self.seen {
                self.seen = event.revision;
                return Some(event);
            }
        }
    }

    /// The next change, if there is one by now.
    pub fn try_next(&mut self) -> Option<Arc<Event>> {
        loop {
            let event = self.backlog.pop_front().or_else(|| self.queue.try_recv())?;
            if event.revision > self.seen {
                self.seen = event.revision;
                return Some(event);
            }
        }
    }

    /// True while every change that was published has been returned. What is published is here before its writer hears of
    /// it, so whoever asks after a write is told of it.
    pub fn is_current(&self) -> bool {
        self.backlog.is_empty() && self.queue.is_drained()
    }

    /// True when nothing more comes: this watcher was too slow, or the store was closed.
    pub fn is_over(&self) -> bool {
        self.backlog.is_empty() && self.queue.is_over()
    }

    /// What is watched.
    pub fn interest(&self) -> &Interest {
        &self.seat.interest
    }

    /// The revision up to which this watch has returned everything: what a bookmark may say.
    pub fn progress(&self) -> Revision {
        // In this order: what was dispatched before the load is in the queue, or the queue was closed.
        let dispatched = self.shared.hub.dispatched();
        let drained = self.backlog.is_empty() && self.queue.is_drained();
        if drained { self.seen.max(dispatched) } else { self.seen }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.hub.leave(&self.seat);
    }
}

//! What the store says of a few resources, in the form that decisions are made on.
//!
//! There is no task: whoever reads the view first takes in what was published since the last time. So a client that was
//! told that its write is done finds it in force with its next request, and an idle server does nothing.

use parking_lot::{RwLock, RwLockWriteGuard};
use serde_json::Value;

use crate::store::{Change, Interest, Key, Store, Watch};

/// Something that is made of objects, one by one.
pub(super) trait View: Default {
    /// The resources that it is made of, as the store names them.
    const RESOURCES: &'static [&'static str];

    /// Takes an object in, in place of the one of the same key; without an object, takes that out.
    fn set(&mut self, key: &Key, object: Option<&Value>);
}

/// A view that is as new as the store whenever it is read.
pub(super) struct Follower<V> {
    store: Store,
    state: RwLock<State<V>>,
}

#[derive(Default)]
struct State<V> {
    view: V,
    /// None before the first read.
    watches: Vec<Watch>,
}

impl<V: View> Follower<V> {
    /// A view of `store`. Nothing is read before somebody asks.
    pub(super) fn new(store: Store) -> Self {
        Self { store, state: RwLock::default() }
    }

    /// Reads the view as it is after all that has been published.
    pub(super) fn read<R>(&self, read: impl FnOnce(&V) -> R) -> R {
        let state = self.state.read();
        if state.is_current() {
            return read(&state.view);
        }
        drop(state);
        let mut state = self.state.write();
        state.catch_up(&self.store);
        read(&RwLockWriteGuard::downgrade(state).view)
    }

    /// Takes in what has been published, if anybody has ever asked: otherwise it would pile up.
    pub(super) fn keep_up(&self) {
        if !self.state.read().watches.is_empty() {
            self.read(|_| ());
        }
    }
}

impl<V: View> State<V> {
    fn is_current(&self) -> bool {
        !self.watches.is_empty() && self.watches.iter().all(Watch::is_current)
    }

    fn catch_up(&mut self, store: &Store) {
        self.take_in();
        if self.watches.is_empty() || self.watches.iter().any(Watch::is_over) {
            self.start_over(store);
            self.take_in();
        }
    }

    fn take_in(&mut self) {
        for watch in &mut self.watches {
            while let Some(event) = watch.try_next() {
                let present = (event.change != Change::Deleted).then(|| event.value());
                self.view.set(&event.entry.key, present.as_deref());
            }
        }
    }

    fn start_over(&mut self, store: &Store) {
        *self = Self { view: V::default(), watches: Vec::with_capacity(V::RESOURCES.len()) };
        for resource in V::RESOURCES {
            let listing = store.list(resource, None);
            for entry in &listing.entries {
                self.view.set(&entry.key, Some(&entry.value()));
            }
            match store.watch(Interest::all(resource), listing.revision) {
                Ok(watch) => self.watches.push(watch),
                // The history does not reach back to a moment ago: the next reader starts over again.
                Err(_) => return self.watches.clear(),
            }
        }
    }
}

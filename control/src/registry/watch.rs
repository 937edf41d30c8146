//! Watch: the store's events as one reader of one collection sees them.
//!
//! An object that enters or leaves the selection is added or deleted for this reader, whatever happened to it.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::object::set_meta;
use super::resources::{Resource, Target};
use super::{Registry, Selection};
use crate::status::Status;
use crate::store::{Change, Event, Interest, Revision, Watch};

/// One reader's view of a collection from a revision on.
pub struct Watching {
    watch: Watch,
    resource: Arc<Resource>,
    selection: Selection,
}

/// One event for one reader.
#[derive(Clone)]
pub struct Frame {
    /// What happened, for this reader.
    pub change: Change,
    /// The event; its revision is the object's.
    pub event: Arc<Event>,
    /// True where the reader sees the object as it was before (it left the selection).
    pub previous: bool,
}

impl Frame {
    /// The object that the reader sees; one that left the selection as it was, with the revision of the change.
    pub fn object(&self) -> Arc<Value> {
        match (self.previous, self.event.previous_value()) {
            (true, Some(previous)) => {
                let mut left = (*previous).clone();
                set_meta(&mut left, "resourceVersion", Some(self.event.revision.0.to_string().into()));
                Arc::new(left)
            }
            _ => self.event.value(),
        }
    }

    /// The encoded line, where the store's own encoding says just this.
    pub fn line(&self) -> Option<Bytes> {
        (self.change == self.event.change && !self.previous).then(|| self.event.frame())
    }
}

impl Registry {
    /// Everything that happens to the collection after `since`.
    ///
    /// # Errors
    /// 410 where `since` is older than what is remembered.
    pub fn watch(&self, target: &Target, selection: Selection, since: Revision) -> Result<Watching, Status> {
        let some = |text: &Arc<str>| Some(text.clone()).filter(|t| !t.is_empty());
        let named = selection.name().map(Arc::from).or_else(|| some(&target.name));
        let interest =
            Interest { resource: target.resource.stored.clone(), namespace: some(&target.namespace), name: named };
        let watch = self.0.store.watch(interest, since).map_err(|expired| {
            Status::expired(format!("too old resource version: {} ({})", since.0, expired.oldest.0))
        })?;
        Ok(Watching { watch, resource: target.resource.clone(), selection })
    }
}

impl Watching {
    /// The next event for this reader; none once it was too slow, or the store closed.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let event = self.watch.next().await?;
            if let Some(frame) = self.frame(event) {
                return Some(frame);
            }
        }
    }

    /// The revision up to which this reader has seen everything.
    pub fn progress(&self) -> Revision {
        self.watch.progress()
    }

    fn frame(&self, event: Arc<Event>) -> Option<Frame> {
        if self.selection.takes_all() {
            return Some(Frame { change: event.change, event, previous: false });
        }
        let is = event.change != Change::Deleted && self.selection.matches(&self.resource, &event.value());
        let was = event.previous_value().is_some_and(|p| self.selection.matches(&self.resource, &p));
        let (change, previous) = match (was, is, event.change) {
            (false, false, _) => return None,
            (false, true, _) => (Change::Added, false),
            (true, true, _) => (Change::Modified, false),
            (true, false, Change::Deleted) => (Change::Deleted, false),
            (true, false, _) => (Change::Deleted, true),
        };
        Some(Frame { change, event, previous })
    }
}

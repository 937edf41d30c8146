//! Watch: the store's events as one reader of one collection sees them.
//!
//! An object that enters or leaves the selection is added or deleted for this reader, whatever happened to it.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::object::set_meta;
use super::resources::{Resource, Target};
use super::{Registry, Selection};
use crate::custom::ConvertError;
use crate::status::Status;
use crate::store::{Change, Event, Interest, Revision, Watch};

/// One reader's view of a collection from a revision on.
pub struct Watching {
    watch: Watch,
    resource: Arc<Resource>,
    selection: Selection,
    registry: Registry,
    /// Counts the changes of what is served, for a kind that may go or become another.
    served: Option<tokio::sync::watch::Receiver<u64>>,
    /// Once the kind has gone: nothing later than this is sent.
    last: Option<Revision>,
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
    /// The object, where a webhook had to be asked for the reader's version of it.
    converted: Option<Arc<Value>>,
}

impl Frame {
    /// The object that the reader sees; one that left the selection as it was, with the revision of the change.
    pub fn object(&self) -> Arc<Value> {
        if let Some(converted) = &self.converted {
            return converted.clone();
        }
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
        let resource = target.resource.clone();
        let served = resource.is_custom().then(|| self.resources_changed());
        Ok(Watching { watch, resource, selection, registry: self.clone(), served, last: None })
    }
}

impl Watching {
    /// The next event for this reader; none once it was too slow, the store closed, or the definition of a custom kind
    /// changed: the reader's next watch sees it so. What happened before such an end is told first.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped, but for an event that waits for its conversion.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let event = self.event().await?;
            if let Some(frame) = self.frame(event) {
                return self.convert(frame).await;
            }
        }
    }

    async fn event(&mut self) -> Option<Arc<Event>> {
        let Some(served) = &mut self.served else { return self.watch.next().await };
        if self.last.is_none() {
            tokio::select! {
                biased;
                event = self.watch.next() => return event,
                () = ended(&self.registry, &self.resource, served) => {
                    self.last = Some(self.registry.store().revision());
                }
            }
        }
        // What was written before the kind went was in the queue by then, though this task may not have been let to see it.
        self.watch.try_next().filter(|event| Some(event.revision) <= self.last)
    }

    /// The revision up to which this reader has seen everything.
    pub fn progress(&self) -> Revision {
        self.watch.progress()
    }

    /// Asks for the reader's version of the object, where that takes a webhook. Without an answer the watch ends.
    async fn convert(&self, mut frame: Frame) -> Option<Frame> {
        let Some(kind) = self.resource.custom_kind().filter(|kind| kind.asks_webhook()) else { return Some(frame) };
        let shown = kind.shown(self.registry.webhooks(), vec![Value::clone(&frame.object())]).await;
        let failed = |error: &ConvertError| tracing::warn!(%error, "a watch ends: an object cannot be converted");
        frame.converted = shown.inspect_err(failed).ok()?.pop().map(Arc::new);
        Some(frame)
    }

    fn frame(&self, event: Arc<Event>) -> Option<Frame> {
        if self.selection.takes_all() {
            return Some(Frame { change: event.change, event, previous: false, converted: None });
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
        Some(Frame { change, event, previous, converted: None })
    }
}

/// Waits until a custom kind is served no more, or is another one. One that is on its way out is still the same.
async fn ended(registry: &Registry, resource: &Resource, served: &mut tokio::sync::watch::Receiver<u64>) {
    loop {
        let row = &resource.row;
        let resources = registry.resources();
        let now = resources.find(&row.group, &row.version, &row.resource).and_then(|r| r.custom_kind());
        if !now.zip(resource.custom_kind()).is_some_and(|(now, then)| now.family.edition == then.family.edition) {
            return;
        }
        if served.changed().await.is_err() {
            return;
        }
    }
}

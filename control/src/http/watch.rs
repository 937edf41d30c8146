//! GET with `watch`: a stream of events, one line each.
//!
//! A watcher costs its queue and one timer; there is no task. It ends when its time is up, when the client goes, or
//! when it was too slow: then the client lists again, as it does with Kubernetes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use rand::Rng as _;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::asked::Asked;
use super::negotiate::Shape;
use super::table::{self, Include};
use super::{Body, list_options, respond};
use crate::registry::{self, Registry, Resource, Selection, Start, Target, Watching};
use crate::status::Status;
use crate::store::{Change, Entry, Revision};

/// How often a quiet watcher that asked for it is told how far it has seen.
const BOOKMARK: Duration = Duration::from_secs(60);

/// GET of a collection's future.
///
/// # Errors
/// 400 and 422 for a query that makes no sense. A revision that is too old is an event, not an error.
pub fn watch(asked: Asked<'_>) -> Result<Response<Body>, Status> {
    let Asked { registry, target, form, query, .. } = asked;
    let resource = target.resource.clone();
    let selection = Selection::parse(&resource, query.text("labelSelector"), query.text("fieldSelector"))?;
    let since = list_options::since(query)?;
    let include = Include::parse(query)?;
    let shape = Lines { resource, shape: form.shape, include, columns_sent: false };
    let deadline = Instant::now() + lifetime(query.number("timeoutSeconds")?);
    let started = match since {
        None => from_now(registry, target, selection)?,
        Some(since) => registry.watch(target, selection, since).map(|watching| (watching, VecDeque::new())),
    };
    let body = match started {
        Err(expired) => respond::full(respond::line(&json!({"type": "ERROR", "object": expired.object()}))),
        Ok((watching, initial)) => {
            let bookmarks = query.flag("allowWatchBookmarks").then(|| Instant::now() + BOOKMARK);
            stream_events(Stream { watching, initial, shape, deadline, bookmarks, ended: false })
        }
    };
    Ok(respond::answer(StatusCode::OK, "application/json", body))
}

type Started = Result<(Watching, VecDeque<Arc<Entry>>), Status>;

/// Everything that is there now, and then what happens to it.
fn from_now(registry: &Registry, target: &Target, selection: Selection) -> Result<Started, Status> {
    let mut page = registry.list(target, &selection, 0, Start::Now)?;
    if !target.name.is_empty() {
        page.entries.retain(|e| e.key.name == target.name);
    }
    Ok(registry.watch(target, selection, page.revision).map(|watching| (watching, page.entries.into())))
}

/// What the client asked for, or half an hour to an hour, so that watchers do not all come back at once.
fn lifetime(asked: Option<i64>) -> Duration {
    match asked.and_then(|s| u64::try_from(s).ok()).filter(|s| *s > 0) {
        Some(seconds) => Duration::from_secs(seconds),
        None => Duration::from_secs(rand::rng().random_range(1800..3600)),
    }
}

/// One watcher.
struct Stream {
    watching: Watching,
    initial: VecDeque<Arc<Entry>>,
    shape: Lines,
    deadline: Instant,
    bookmarks: Option<Instant>,
    ended: bool,
}

fn stream_events(stream: Stream) -> Body {
    let lines = stream::unfold(stream, |mut stream| async move {
        let line = stream.next().await?;
        Some((Ok(Frame::data(line)), stream))
    });
    StreamBody::new(lines).boxed_unsync()
}

impl Stream {
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        if let Some(entry) = self.initial.pop_front() {
            return Some(self.shape.present(&entry));
        }
        let wake = self.bookmarks.unwrap_or(self.deadline).min(self.deadline);
        tokio::select! {
            biased;
            frame = self.watching.next() => Some(self.shape.event(&frame?)),
            () = sleep_until(wake) => self.woken(wake),
        }
    }

    /// A bookmark when one is due, and a last one before the end.
    fn woken(&mut self, at: Instant) -> Option<Bytes> {
        self.ended = at >= self.deadline;
        let next = self.bookmarks.as_mut()?;
        *next = at + BOOKMARK;
        Some(self.shape.bookmark(self.watching.progress()))
    }
}

/// How events become lines, in the shape that was agreed on.
struct Lines {
    resource: Arc<Resource>,
    shape: Shape,
    include: Include,
    columns_sent: bool,
}

impl Lines {
    /// True where the stored bytes are what is sent.
    fn as_stored(&self) -> bool {
        self.shape == Shape::Object && self.resource.is_shown_as_stored()
    }

    fn present(&mut self, entry: &Entry) -> Bytes {
        if !self.as_stored() {
            return self.shaped("ADDED", &entry.value());
        }
        let mut line = Vec::with_capacity(entry.bytes.len() + 32);
        line.extend_from_slice(b"{\"type\":\"ADDED\",\"object\":");
        line.extend_from_slice(&entry.bytes);
        line.extend_from_slice(b"}\n");
        line.into()
    }

    fn event(&mut self, frame: &registry::Frame) -> Bytes {
        let kind = match frame.change {
            Change::Added => "ADDED",
            Change::Modified => "MODIFIED",
            Change::Deleted => "DELETED",
        };
        match frame.line() {
            Some(line) if self.as_stored() => line,
            _ => self.shaped(kind, &frame.object()),
        }
    }

    fn bookmark(&mut self, seen: Revision) -> Bytes {
        let object = json!({
            "kind": self.resource.row.kind,
            "apiVersion": self.resource.api_version,
            "metadata": {"resourceVersion": seen.0.to_string(), "creationTimestamp": null},
        });
        match self.shape {
            Shape::Table => {
                let metadata = json!({"resourceVersion": seen.0.to_string()});
                let table = table::table(Value::Null, Vec::new(), metadata);
                respond::line(&json!({"type": "BOOKMARK", "object": table})).into()
            }
            _ => self.shaped("BOOKMARK", &object),
        }
    }

    fn shaped(&mut self, kind: &str, object: &Value) -> Bytes {
        let shaped = match self.shape {
            Shape::Object => {
                let mut shown = object.clone();
                self.resource.show(&mut shown);
                shown
            }
            Shape::Metadata => table::metadata_only(object),
            Shape::Table => {
                let sent = std::mem::replace(&mut self.columns_sent, true);
                let columns = if sent { Value::Null } else { table::columns(&self.resource) };
                let row = table::row(&self.resource, object, self.include, objects::time::now().0);
                let version = object.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
                table::table(columns, vec![row], json!({"resourceVersion": version}))
            }
        };
        respond::line(&json!({"type": kind, "object": shaped})).into()
    }
}

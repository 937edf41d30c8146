//! How events become lines, in the shape that was agreed on.
//!
//! Most are the bytes that the store has made of them already. Any other shape is made once for all watchers of it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use super::super::negotiate::{Encoding, Negotiated, Shape};
use super::super::respond;
use super::super::table::{self, Include};
use crate::registry::{Frame, Resource};
use crate::store::{Entry, Revision};

/// The annotation of the bookmark after everything that was there.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// The lines of one watcher.
pub(super) struct Lines {
    resource: Arc<Resource>,
    shape: Shape,
    encoding: Encoding,
    include: Include,
    columns_sent: bool,
}

impl Lines {
    pub(super) fn new(resource: Arc<Resource>, form: Negotiated, include: Include) -> Self {
        Self { resource, shape: form.shape, encoding: form.encoding, include, columns_sent: false }
    }

    /// True where the stored bytes are what is sent.
    fn as_stored(&self) -> bool {
        self.shape == Shape::Object && self.encoding == Encoding::Json && self.resource.is_shown_as_stored()
    }

    /// An object that was there at the start.
    pub(super) fn present(&mut self, entry: &Entry, to: &mut BytesMut) {
        if self.as_stored() {
            wrap("ADDED", &entry.bytes, to);
        } else {
            to.extend_from_slice(&self.shaped("ADDED", &entry.value()));
        }
    }

    pub(super) fn event(&mut self, frame: &Frame) -> Bytes {
        let kind = frame.change.as_str();
        if self.as_stored() {
            if let Some(line) = frame.line() {
                return line;
            }
            if !frame.previous {
                let mut line = BytesMut::with_capacity(frame.event.entry.bytes.len() + 40);
                wrap(kind, &frame.event.entry.bytes, &mut line);
                return line.freeze();
            }
        }
        if self.shape == Shape::Table && !self.columns_sent {
            return self.shaped(kind, &frame.object());
        }
        frame.event.rendered(self.form(frame), || self.shaped(kind, &frame.object()))
    }

    /// What tells the form of an event from its others.
    fn form(&self, frame: &Frame) -> u64 {
        let mut hasher = DefaultHasher::new();
        let resource = Arc::as_ptr(&self.resource) as usize;
        (
            self.shape,
            self.encoding == Encoding::Protobuf,
            self.include,
            frame.change,
            frame.previous,
            resource,
            &self.resource.api_version,
        )
            .hash(&mut hasher);
        hasher.finish()
    }

    /// How far this watcher has seen.
    pub(super) fn bookmark(&mut self, seen: Revision) -> Bytes {
        self.mark(json!({"resourceVersion": seen.0.to_string()}))
    }

    /// Everything that was there at this moment has been sent.
    pub(super) fn end_of_initial(&mut self, seen: Revision) -> Bytes {
        let version = seen.0.to_string();
        self.mark(json!({"resourceVersion": version, "annotations": {(INITIAL_EVENTS_END): "true"}}))
    }

    fn mark(&mut self, metadata: Value) -> Bytes {
        let mut object = json!({
            "kind": self.resource.row.kind,
            "apiVersion": self.resource.api_version,
            "metadata": metadata,
        });
        // Go shows fields that were never set; custom objects have none but these.
        if !self.resource.is_custom() {
            let _ = self.resource.conform(&mut object);
        }
        let shown = match self.shape {
            Shape::Object => object,
            Shape::Metadata => table::metadata_only(&object),
            Shape::Table => {
                let version = object["metadata"]["resourceVersion"].clone();
                let told = object["metadata"].get("annotations").is_some();
                let row = || table::row(&self.resource, &object, self.include, objects::time::now().0);
                let rows = if told { vec![row()] } else { Vec::new() };
                table::table(self.columns(), rows, json!({ "resourceVersion": version }))
            }
        };
        self.said("BOOKMARK", &shown)
    }

    /// The columns; after the first time, none.
    fn columns(&mut self) -> Value {
        if std::mem::replace(&mut self.columns_sent, true) { Value::Null } else { table::columns(&self.resource) }
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
                let row = table::row(&self.resource, object, self.include, objects::time::now().0);
                let version = object.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
                table::table(self.columns(), vec![row], json!({"resourceVersion": version}))
            }
        };
        self.said(kind, &shaped)
    }

    /// An event about this very object, encoded as agreed.
    pub(super) fn said(&self, kind: &str, object: &Value) -> Bytes {
        if self.encoding == Encoding::Protobuf {
            match schema::encode::protobuf(schema::builtin(), object) {
                Ok(body) => return schema::encode::watch_event(kind, &body).into(),
                // Objects that were stored have their types; an empty frame would end the client's watch.
                Err(error) => tracing::error!(%error, "an event cannot be told as protobuf"),
            }
        }
        respond::line(&json!({"type": kind, "object": object})).into()
    }
}

/// A line around an encoded object.
fn wrap(kind: &str, object: &[u8], to: &mut BytesMut) {
    to.extend_from_slice(b"{\"type\":\"");
    to.extend_from_slice(kind.as_bytes());
    to.extend_from_slice(b"\",\"object\":");
    to.extend_from_slice(object);
    to.extend_from_slice(b"}\n");
}

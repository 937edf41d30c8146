//! A list on the wire, a piece at a time: the first byte does not wait for the last, and no more than a piece is in memory.
//!
//! Objects that are shown as they are stored are strung together from the stored bytes; nothing of them is parsed.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use futures::stream;
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use jiff::Timestamp;
use serde_json::Value;

use super::table::{self, Include};
use super::{Body, respond};
use crate::registry::Resource;
use crate::store::Entry;

/// A piece has about this many bytes.
const PIECE: usize = 64 << 10;

/// What the list is made of.
#[derive(Clone, Copy, Debug)]
pub enum ListShape {
    /// The objects.
    Object,
    /// Their metadata.
    Metadata,
    /// Rows, with ages as of a moment.
    Table(Include, Timestamp),
}

/// The pieces of one list in JSON.
pub struct Pieces {
    resource: Arc<Resource>,
    shape: ListShape,
    entries: Vec<Arc<Entry>>,
    at: usize,
    pending: BytesMut,
    end: String,
    done: bool,
}

impl Pieces {
    /// A list of these objects.
    pub fn new(resource: Arc<Resource>, shape: ListShape, metadata: &Value, entries: Vec<Arc<Entry>>) -> Self {
        let mut end = "]}\n".to_owned();
        let start = match shape {
            ListShape::Object if resource.is_custom() => {
                end = format!("],\"kind\":\"{}\",\"metadata\":{metadata}}}\n", resource.list_kind());
                format!(r#"{{"apiVersion":"{}","items":["#, resource.api_version)
            }
            ListShape::Object => format!(
                r#"{{"kind":"{}List","apiVersion":"{}","metadata":{metadata},"items":["#,
                resource.row.kind, resource.api_version
            ),
            ListShape::Metadata => format!(
                r#"{{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{metadata},"items":["#
            ),
            ListShape::Table(..) => format!(
                r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{metadata},"columnDefinitions":{},"rows":["#,
                table::columns(&resource)
            ),
        };
        Self { resource, shape, entries, at: 0, pending: start.as_bytes().into(), end, done: false }
    }

    /// The list as an answer. One of a single piece is sent with its length.
    pub fn stream(mut self) -> Response<Body> {
        let first = self.next().unwrap_or_default();
        let body = if self.done {
            respond::full(first)
        } else {
            let rest = std::iter::once(first).chain(self).map(|piece| Ok(Frame::data(piece)));
            StreamBody::new(stream::iter(rest)).boxed_unsync()
        };
        respond::answer(StatusCode::OK, "application/json", body)
    }

    fn put(&self, entry: &Entry, to: &mut BytesMut) {
        let resource = &self.resource;
        let value = match self.shape {
            ListShape::Object if resource.is_shown_as_stored() => return put_stored(resource, &entry.bytes, to),
            ListShape::Object => item(resource, entry),
            ListShape::Metadata => table::metadata_only(&entry.value()),
            ListShape::Table(include, now) => table::row(resource, &entry.value(), include, now),
        };
        // Writing to memory does not fail, and a value is always JSON.
        let _ = serde_json::to_writer(to.writer(), &value);
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.done {
            return None;
        }
        let mut piece = std::mem::take(&mut self.pending);
        while piece.len() < PIECE
            && let Some(entry) = self.entries.get(self.at)
        {
            if self.at > 0 {
                piece.put_u8(b',');
            }
            self.put(entry, &mut piece);
            self.at += 1;
        }
        if self.at == self.entries.len() {
            piece.put_slice(self.end.as_bytes());
            self.done = true;
        }
        Some(piece.freeze())
    }
}

/// An object as lists hold it: those of built-in kinds without kind and version.
fn put_stored(resource: &Resource, bytes: &[u8], to: &mut BytesMut) {
    match bytes.strip_prefix(resource.head.as_bytes()) {
        Some(rest) if !resource.is_custom() => {
            to.put_u8(b'{');
            to.put_slice(rest);
        }
        _ => to.put_slice(bytes),
    }
}

/// The same for an object that is shown in another version than the stored one.
fn item(resource: &Resource, entry: &Entry) -> Value {
    let mut value = entry.value();
    resource.show(&mut value);
    if let Some(object) = value.as_object_mut().filter(|_| !resource.is_custom()) {
        object.shift_remove("kind");
        object.shift_remove("apiVersion");
    }
    value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::Resources;
    use crate::store::{Class, Key, Revision};

    #[test]
    fn a_long_list_begins_with_little_of_it() {
        let resources = Resources::built_in();
        let pods = resources.find("", "v1", "pods").expect("pods are served").clone();
        let object = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "x", "annotations": {"a": "x".repeat(3000)}}});
        let bytes = Bytes::from(object.to_string());
        let entry = Entry { key: Key::new("pods", "a", "x"), revision: Revision(1), bytes, class: Class::Durable };
        let entry = Arc::new(entry);
        let entries: Vec<_> = std::iter::repeat_with(|| entry.clone()).take(5000).collect();
        for shape in
            [ListShape::Object, ListShape::Metadata, ListShape::Table(Include::Metadata, Timestamp::UNIX_EPOCH)]
        {
            let mut pieces = Pieces::new(pods.clone(), shape, &json!({"resourceVersion": "1"}), entries.clone());
            let first = pieces.next().expect("a piece");
            assert!(pieces.at < 100 && first.len() < 2 * PIECE, "{shape:?}");
            let whole: Vec<u8> = first.into_iter().chain(pieces.flatten()).collect();
            let list: Value = serde_json::from_slice(&whole).expect("JSON");
            let items = list["items"].as_array().or(list["rows"].as_array()).expect("items");
            assert_eq!(items.len(), 5000);
        }
    }
}

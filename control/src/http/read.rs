//! GET of one object and of a collection.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use futures::stream;
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};

use super::asked::Asked;
use super::negotiate::{Encoding, Negotiated, Shape};
use super::query::Query;
use super::table::{self, Include};
use super::{Body, list_options, respond};
use crate::registry::{Page, Resource, Selection};
use crate::status::Status;
use crate::store::Entry;

/// A list is sent in pieces of about this many bytes.
const PIECE: usize = 64 << 10;

/// GET of one object.
///
/// # Errors
/// 404, 400 for a query that makes no sense, 504 for a revision that is yet to come.
pub fn get(asked: Asked<'_>) -> Result<Response<Body>, Status> {
    let Asked { registry, target, form, query, .. } = asked;
    list_options::reached(registry, query)?;
    let entry = registry.get(target)?;
    object(&target.resource, StatusCode::OK, form, query, &entry.bytes)
}

/// One object in the agreed shape.
pub fn object(
    resource: &Resource,
    code: StatusCode,
    form: Negotiated,
    query: &Query,
    bytes: &Bytes,
) -> Result<Response<Body>, Status> {
    if form.shape == Shape::Object {
        return respond::stored(code, form, &resource.shown(bytes)?);
    }
    let object: Value = serde_json::from_slice(bytes).map_err(Status::internal)?;
    let shaped = match form.shape {
        Shape::Table => {
            let row = table::row(resource, &object, Include::parse(query)?, objects::time::now().0);
            let version = object.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
            table::table(table::columns(resource), vec![row], json!({"resourceVersion": version}))
        }
        _ => table::metadata_only(&object),
    };
    Ok(respond::value(code, form, &shaped))
}

/// GET of a collection.
///
/// # Errors
/// 400 for selectors, limits and tokens that cannot be read, 410 for a token that is too old, 504 for a revision that
/// is yet to come.
pub fn list(asked: Asked<'_>) -> Result<Response<Body>, Status> {
    let Asked { registry, target, form, query, .. } = asked;
    let resource = &target.resource;
    let selection = Selection::parse(resource, query.text("labelSelector"), query.text("fieldSelector"))?;
    let limit = query.number("limit")?.and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
    let page = registry.list(target, &selection, limit, list_options::start(registry, query)?)?;
    page_in_shape(resource, form, query, page)
}

/// A page of a list in the agreed shape.
pub fn page_in_shape(
    resource: &Resource,
    form: Negotiated,
    query: &Query,
    page: Page,
) -> Result<Response<Body>, Status> {
    let metadata = list_metadata(&page);
    match (form.shape, form.encoding) {
        (Shape::Object, Encoding::Json) if resource.is_shown_as_stored() => {
            Ok(stream_list(resource, metadata, page.entries))
        }
        (Shape::Object, _) => {
            let items: Vec<Value> = page.entries.iter().map(|e| item(resource, e)).collect();
            let list = json!({
                "kind": format!("{}List", resource.row.kind),
                "apiVersion": resource.api_version,
                "metadata": metadata,
                "items": items,
            });
            Ok(respond::value(StatusCode::OK, form, &list))
        }
        (Shape::Table, _) => {
            let (include, now) = (Include::parse(query)?, objects::time::now().0);
            let rows = page.entries.iter().map(|e| table::row(resource, &e.value(), include, now)).collect();
            Ok(respond::value(StatusCode::OK, form, &table::table(table::columns(resource), rows, metadata)))
        }
        (Shape::Metadata, _) => {
            let items: Vec<Value> = page.entries.iter().map(|e| table::metadata_only(&e.value())).collect();
            let list = json!({
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": metadata,
                "items": items,
            });
            Ok(respond::value(StatusCode::OK, form, &list))
        }
    }
}

fn list_metadata(page: &Page) -> Value {
    let mut metadata = json!({"resourceVersion": page.revision.0.to_string()});
    if let Some(token) = &page.next {
        metadata["continue"] = token.as_str().into();
    }
    if let Some(count) = page.remaining {
        metadata["remainingItemCount"] = count.into();
    }
    metadata
}

/// An object as lists of built-in kinds hold it: without kind and version.
fn item(resource: &Resource, entry: &Entry) -> Value {
    let mut value = entry.value();
    resource.show(&mut value);
    if let Some(object) = value.as_object_mut() {
        object.shift_remove("kind");
        object.shift_remove("apiVersion");
    }
    value
}

/// Strings the stored bytes together, a piece at a time: nothing is parsed, and the first byte does not wait for the last.
fn stream_list(resource: &Resource, metadata: Value, entries: Vec<Arc<Entry>>) -> Response<Body> {
    let head = resource.head.clone();
    let start = format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{metadata},\"items\":[",
        resource.row.kind, resource.api_version
    );
    let mut pieces = Pieces { head, entries, at: 0, pending: start.into_bytes(), done: false };
    let first = pieces.next().unwrap_or_default();
    let body = if pieces.done {
        respond::full(first)
    } else {
        let rest = std::iter::once(first).chain(pieces).map(|piece| Ok(Frame::data(piece)));
        StreamBody::new(stream::iter(rest)).boxed_unsync()
    };
    respond::answer(StatusCode::OK, "application/json", body)
}

struct Pieces {
    head: String,
    entries: Vec<Arc<Entry>>,
    at: usize,
    pending: Vec<u8>,
    done: bool,
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.done {
            return None;
        }
        let mut piece = BytesMut::from(std::mem::take(&mut self.pending).as_slice());
        while piece.len() < PIECE
            && let Some(entry) = self.entries.get(self.at)
        {
            if self.at > 0 {
                piece.put_u8(b',');
            }
            piece.put_u8(b'{');
            piece.put_slice(entry.bytes.strip_prefix(self.head.as_bytes()).unwrap_or(&entry.bytes[1..]));
            self.at += 1;
        }
        if self.at == self.entries.len() {
            piece.put_slice(b"]}\n");
            self.done = true;
        }
        Some(piece.freeze())
    }
}

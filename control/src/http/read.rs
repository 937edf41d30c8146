//! GET of one object and of a collection.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::asked::Asked;
use super::negotiate::{Encoding, Negotiated, Shape};
use super::pieces::{ListShape, Pieces};
use super::query::Query;
use super::table::{self, Include};
use super::{Body, list_options, respond};
use crate::registry::{Page, Resource, Selection};
use crate::status::Status;

/// GET of one object.
///
/// # Errors
/// 404, 400 for a query that makes no sense, 504 for a revision that is yet to come.
pub async fn get(asked: Asked<'_>) -> Result<Response<Body>, Status> {
    let Asked { registry, target, form, query, .. } = asked;
    list_options::reached(registry, query)?;
    let found = registry.in_version(&target.resource, vec![registry.get(target)?]).await?;
    let bytes = found.first().map(|entry| entry.bytes.clone()).unwrap_or_default();
    object(&target.resource, StatusCode::OK, form, query, &bytes)
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
pub async fn list(asked: Asked<'_>) -> Result<Response<Body>, Status> {
    let Asked { registry, target, form, query, .. } = asked;
    let resource = &target.resource;
    let (start, limit) = list_options::list(registry, query)?;
    let selection = Selection::parse(resource, query.text("labelSelector"), query.text("fieldSelector"))?;
    let mut page = registry.list(target, &selection, limit, start)?;
    page.entries = registry.in_version(resource, page.entries).await?;
    page_in_shape(resource, form, query, page)
}

/// A page of a list in the agreed shape.
pub fn page_in_shape(
    resource: &Arc<Resource>,
    form: Negotiated,
    query: &Query,
    page: Page,
) -> Result<Response<Body>, Status> {
    let shape = match form.shape {
        Shape::Object => ListShape::Object,
        Shape::Metadata => ListShape::Metadata,
        Shape::Table => ListShape::Table(Include::parse(query)?, objects::time::now().0),
    };
    let metadata = list_metadata(resource, form.shape, &page);
    if form.encoding == Encoding::Protobuf {
        return numbered(resource, form, &metadata, &page);
    }
    let pieces = Pieces::new(resource.clone(), shape, &metadata, page.entries);
    if form.encoding == Encoding::Json && !form.pretty {
        return Ok(pieces.stream());
    }
    let whole: Vec<u8> = pieces.flatten().collect();
    Ok(respond::value(StatusCode::OK, form, &serde_json::from_slice(&whole).map_err(Status::internal)?))
}

/// A page as protobuf, which says how long it is before it says what it is.
fn numbered(resource: &Resource, form: Negotiated, metadata: &Value, page: &Page) -> Result<Response<Body>, Status> {
    let (version, kind) = match form.shape {
        Shape::Metadata => ("meta.k8s.io/v1", "PartialObjectMetadata"),
        _ => (resource.api_version.as_str(), resource.row.kind.as_str()),
    };
    let items = page.entries.iter().map(|entry| {
        let mut object = entry.value();
        match form.shape {
            Shape::Metadata => table::metadata_only(&object),
            _ => {
                resource.show(&mut object);
                object
            }
        }
    });
    let body = schema::encode::protobuf_list(schema::builtin(), version, kind, metadata, items);
    Ok(respond::answer(StatusCode::OK, form.content_type(), respond::full(body.map_err(Status::internal)?)))
}

fn list_metadata(resource: &Resource, shape: Shape, page: &Page) -> Value {
    let mut metadata = json!({"resourceVersion": page.revision.0.to_string()});
    if resource.is_custom() && shape == Shape::Object {
        // A list without a type of its own shows an empty token, too.
        metadata = json!({"continue": "", "resourceVersion": page.revision.0.to_string()});
    }
    if let Some(token) = &page.next {
        metadata["continue"] = token.as_str().into();
    }
    if let Some(count) = page.remaining {
        metadata["remainingItemCount"] = count.into();
    }
    metadata
}

//! Values as Kubernetes' protobuf: the reverse of [`crate::decode::protobuf`], by the same table.
//!
//! Fields are written in the order of their numbers and maps in the order of their keys, as Go does. What a value does not
//! have is not written; readers take it for zero, which it is.

mod special;
pub(crate) mod wire;

use serde_json::{Map, Value};

use crate::table::{Shape, Table, TypeRef};
use wire::Writer;

/// Why a value cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No type for what the value says it is.
    #[error("no kind {kind:?} is registered for version {version:?}")]
    Kind {
        /// `apps/v1`
        version: String,
        /// `Deployment`
        kind: String,
    },
    /// A value that is not of its type; it has not been through [`crate::admit::conform`].
    #[error("{field} of {ty} does not have its type")]
    Type {
        /// `PodSpec`
        ty: String,
        /// `containers`
        field: String,
    },
}

/// Writes an object as a protobuf body.
///
/// # Errors
/// A value that says no known kind, or is not of its type.
pub fn protobuf(table: &Table, value: &Value) -> Result<Vec<u8>, Error> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    let found = find(table, version, kind).zip(value.as_object());
    let Some((ty, map)) = found else { return Err(unknown(version, kind)) };
    Ok(envelope(version, kind, &message(ty, map)?))
}

/// Writes a list of objects of one kind as a protobuf body. The objects need not say what they are.
///
/// # Errors
/// As [`protobuf`], for any of them.
pub fn protobuf_list(
    table: &Table,
    version: &str,
    kind: &str,
    metadata: &Value,
    items: impl Iterator<Item = Value>,
) -> Result<Vec<u8>, Error> {
    let meta = table.named("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta").zip(metadata.as_object());
    let (Some(ty), Some((meta, metadata))) = (find(table, version, kind), meta) else {
        return Err(unknown(version, kind));
    };
    let mut list = Writer::default();
    list.bytes(1, &message(meta, metadata)?);
    for item in items {
        let wrong = || Error::Type { ty: ty.short().to_owned(), field: "items".to_owned() };
        list.bytes(2, &message(ty, item.as_object().ok_or_else(wrong)?)?);
    }
    Ok(envelope(version, &format!("{kind}List"), &list.finish()))
}

/// Writes one event of a watch, with its length before it: `object` is a whole body.
pub fn watch_event(kind: &str, object: &[u8]) -> Vec<u8> {
    let mut raw = Writer::default();
    raw.bytes(1, object);
    let mut event = Writer::default();
    event.bytes(1, kind.as_bytes());
    event.bytes(2, &raw.finish());
    let event = event.finish();
    let mut frame = (event.len() as u32).to_be_bytes().to_vec();
    frame.extend(event);
    frame
}

fn find<'t>(table: &'t Table, version: &str, kind: &str) -> Option<TypeRef<'t>> {
    let (group, plain) = version.split_once('/').unwrap_or(("", version));
    let of_all = matches!(kind, "Status" | "PartialObjectMetadata");
    let shared = || table.named(&format!("io.k8s.apimachinery.pkg.apis.meta.v1.{kind}")).filter(|_| of_all);
    table.kind(group, plain, kind).or_else(shared)
}

fn unknown(version: &str, kind: &str) -> Error {
    Error::Kind { version: version.to_owned(), kind: kind.to_owned() }
}

/// `runtime.Unknown`: what it is, and its own message.
fn envelope(version: &str, kind: &str, message: &[u8]) -> Vec<u8> {
    let mut meta = Writer::default();
    meta.bytes(1, version.as_bytes());
    meta.bytes(2, kind.as_bytes());
    let mut unknown = Writer::default();
    unknown.bytes(1, &meta.finish());
    unknown.bytes(2, message);
    unknown.bytes(3, b"");
    unknown.bytes(4, b"");
    let mut body = crate::decode::MAGIC.to_vec();
    body.extend(unknown.finish());
    body
}

fn message(ty: TypeRef, map: &Map<String, Value>) -> Result<Vec<u8>, Error> {
    level(ty, &[], map)
}

/// One level of a message: `prefix` leads to the embedded struct that is written.
fn level(ty: TypeRef, prefix: &[u8], map: &Map<String, Value>) -> Result<Vec<u8>, Error> {
    let depth = prefix.len();
    let fields =
        ty.get().fields().iter().filter(|field| field.numbers.starts_with(prefix) && field.numbers[depth] != 0);
    let mut present: Vec<_> = fields.filter_map(|field| Some((field, map.get(&*field.name)?))).collect();
    present.retain(|(_, value)| !value.is_null());
    present.sort_by_key(|(field, _)| field.numbers[depth]);
    let (mut writer, mut embedded) = (Writer::default(), 0);
    for (field, value) in present {
        let number = field.numbers[depth];
        if field.numbers.get(depth + 1).is_none_or(|next| *next == 0) {
            let wrong = || Error::Type { ty: ty.short().to_owned(), field: field.name.to_string() };
            write(&mut writer, ty, number, &field.shape, value)?.ok_or_else(wrong)?;
        } else if embedded != number {
            embedded = number;
            writer.bytes(number, &level(ty, &field.numbers[..=depth], map)?);
        }
    }
    Ok(writer.finish())
}

/// Writes a field; nothing when the value is not of the shape.
fn write(writer: &mut Writer, ty: TypeRef, number: u8, shape: &Shape, value: &Value) -> Result<Option<()>, Error> {
    match (shape, value) {
        (Shape::List(item), Value::Array(list)) => {
            for value in list {
                if write(writer, ty, number, item, value)?.is_none() {
                    return Ok(None);
                }
            }
        }
        (Shape::Map(item), Value::Object(map)) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            for (key, value) in entries {
                let mut entry = Writer::default();
                entry.bytes(1, key.as_bytes());
                if write(&mut entry, ty, 2, item, value)?.is_none() {
                    return Ok(None);
                }
                writer.bytes(number, &entry.finish());
            }
        }
        (Shape::Wrapped(item), Value::Array(list)) => {
            let mut inner = Writer::default();
            for value in list {
                if write(&mut inner, ty, 1, item, value)?.is_none() {
                    return Ok(None);
                }
            }
            writer.bytes(number, &inner.finish());
        }
        (Shape::Struct(id), Value::Object(map)) => writer.bytes(number, &message(ty.at(*id), map)?),
        (Shape::SchemaOrArray(id) | Shape::SchemaOrBool(id) | Shape::SchemaOrStrings(id), value) => {
            let Some(bytes) = schema_or(ty.at(*id), shape, value)? else { return Ok(None) };
            writer.bytes(number, &bytes);
        }
        (shape, value) => return Ok(special::write(writer, number, shape, value)),
    }
    Ok(Some(()))
}

/// `JSONSchemaPropsOr…`: a schema, or one simpler thing.
fn schema_or(schema: TypeRef, shape: &Shape, value: &Value) -> Result<Option<Vec<u8>>, Error> {
    let mut writer = Writer::default();
    match (shape, value) {
        (Shape::SchemaOrBool(_), Value::Bool(allows)) => writer.varint(1, u64::from(*allows)),
        (Shape::SchemaOrBool(_), Value::Object(map)) => {
            writer.varint(1, 1);
            writer.bytes(2, &message(schema, map)?);
        }
        (_, Value::Object(map)) => writer.bytes(1, &message(schema, map)?),
        (Shape::SchemaOrArray(_), Value::Array(list)) => {
            for item in list {
                let Value::Object(map) = item else { return Ok(None) };
                writer.bytes(2, &message(schema, map)?);
            }
        }
        (Shape::SchemaOrStrings(_), Value::Array(list)) => {
            for item in list {
                let Some(text) = item.as_str() else { return Ok(None) };
                writer.bytes(2, text.as_bytes());
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(writer.finish()))
}

#[cfg(test)]
mod tests;

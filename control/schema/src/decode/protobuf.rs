//! Kubernetes' protobuf, read with the field numbers of the table.
//!
//! A body is `k8s\0` and a `runtime.Unknown`: apiVersion and kind, then the object's own message. Messages carry every
//! scalar that Go holds by value, zeros too; [`crate::admit::conform`] drops what JSON would not show.

mod special;
mod wire;

use std::cell::Cell;

use serde_json::{Map, Value};

use super::{DEPTH, Error, OBJECTS};
use crate::table::{Field, Shape, Table, TypeRef};
use wire::{Part, Wire};

/// What a body starts with.
pub(crate) const MAGIC: &[u8] = b"k8s\0";

/// Reads a protobuf body.
///
/// # Errors
/// Bytes that are no envelope, of a kind that is not in the table, or cut short.
pub fn protobuf(table: &Table, body: &[u8]) -> Result<Value, Error> {
    let unknown = body.strip_prefix(MAGIC).ok_or(Error::Envelope)?;
    let (mut version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for part in Wire::new(unknown) {
        match part? {
            Part { number: 1, value: wire::Value::Bytes(meta) } => {
                for part in Wire::new(meta) {
                    match part? {
                        Part { number: 1, value: wire::Value::Bytes(text) } => version = wire::text(text)?,
                        Part { number: 2, value: wire::Value::Bytes(text) } => kind = wire::text(text)?,
                        _ => {}
                    }
                }
            }
            Part { number: 2, value: wire::Value::Bytes(bytes) } => raw = bytes,
            _ => {}
        }
    }
    let (group, plain) = version.split_once('/').unwrap_or(("", &version));
    let Some(ty) = table.kind(group, plain, &kind).or_else(|| shared(table, &kind)) else {
        return Err(Error::Kind { version, kind });
    };
    let mut map = Map::new();
    map.insert("kind".to_owned(), Value::String(kind));
    map.insert("apiVersion".to_owned(), Value::String(version));
    map.extend(message(ty, raw, Place { depth: 0, objects: &Cell::new(0) })?);
    Ok(Value::Object(map))
}

/// Option kinds are known to every group and version.
fn shared<'t>(table: &'t Table, kind: &str) -> Option<TypeRef<'t>> {
    let options = matches!(
        kind,
        "DeleteOptions"
            | "CreateOptions"
            | "UpdateOptions"
            | "PatchOptions"
            | "GetOptions"
            | "ListOptions"
            | "Status"
            | "WatchEvent"
    );
    options.then(|| table.named(&format!("io.k8s.apimachinery.pkg.apis.meta.v1.{kind}"))).flatten()
}

/// How deep a message is, and how many there were.
#[derive(Clone, Copy)]
struct Place<'a> {
    depth: usize,
    objects: &'a Cell<usize>,
}

impl Place<'_> {
    fn deeper(self) -> Result<Self, Error> {
        if self.depth == DEPTH { Err(Error::Depth) } else { Ok(Self { depth: self.depth + 1, ..self }) }
    }

    fn object(self) -> Result<(), Error> {
        self.objects.set(self.objects.get() + 1);
        if self.objects.get() > OBJECTS { Err(Error::Objects) } else { Ok(()) }
    }
}

/// The fields of a message, in the order of the struct.
fn message(ty: TypeRef, bytes: &[u8], at: Place) -> Result<Map<String, Value>, Error> {
    at.object()?;
    let mut slots: Vec<Option<Value>> = vec![None; ty.fields().len()];
    level(ty, &[], bytes, at, &mut slots)?;
    let fields = ty.get().fields().iter().zip(slots);
    Ok(fields.filter_map(|(field, slot)| Some((field.name.to_string(), slot?))).collect())
}

/// One level of a message: `prefix` leads to the embedded struct whose bytes these are.
fn level(ty: TypeRef, prefix: &[u8], bytes: &[u8], at: Place, slots: &mut [Option<Value>]) -> Result<(), Error> {
    for part in Wire::new(bytes) {
        let Part { number, value } = part?;
        let mut path = [0; 3];
        path[..prefix.len()].copy_from_slice(prefix);
        let end = prefix.len();
        let (Ok(number), true) = (u8::try_from(number), end < path.len()) else { continue };
        path[end] = number;
        if let Some(slot) = ty.fields().iter().position(|field| field.numbers == path) {
            field(ty, &ty.get().fields()[slot], value, at, &mut slots[slot])?;
        } else if ty.fields().iter().any(|field| field.numbers.starts_with(&path[..=end])) {
            level(ty, &path[..=end], value.bytes()?, at.deeper()?, slots)?;
        }
    }
    Ok(())
}

fn field(ty: TypeRef, field: &Field, part: wire::Value, at: Place, slot: &mut Option<Value>) -> Result<(), Error> {
    match &field.shape {
        Shape::List(item) => {
            let Value::Array(list) = slot.get_or_insert_with(|| Value::Array(Vec::new())) else { return Ok(()) };
            match (&**item, part) {
                (Shape::Int32 | Shape::Int64, wire::Value::Bytes(packed)) => list.extend(wire::packed(packed)?),
                (item, part) => list.push(value(ty, item, part, at)?),
            }
        }
        Shape::Map(item) => {
            let Value::Object(map) = slot.get_or_insert_with(|| Value::Object(Map::new())) else { return Ok(()) };
            let (key, entry) = entry(ty, item, part.bytes()?, at)?;
            map.insert(key, entry);
        }
        shape => *slot = Some(value(ty, shape, part, at)?),
    }
    Ok(())
}

fn entry(ty: TypeRef, item: &Shape, bytes: &[u8], at: Place) -> Result<(String, Value), Error> {
    let (mut key, mut found) = (String::new(), None);
    for part in Wire::new(bytes) {
        match part? {
            Part { number: 1, value } => key = wire::text(value.bytes()?)?,
            Part { number: 2, value: part } => found = Some(value(ty, item, part, at.deeper()?)?),
            _ => {}
        }
    }
    let entry = match found {
        Some(entry) => entry,
        None => special::absent(item),
    };
    Ok((key, entry))
}

fn value(ty: TypeRef, shape: &Shape, part: wire::Value, at: Place) -> Result<Value, Error> {
    Ok(match shape {
        Shape::String => Value::String(wire::text(part.bytes()?)?),
        Shape::Bool => Value::Bool(part.varint()? != 0),
        Shape::Int32 => Value::from(part.varint()? as i32),
        Shape::Int64 => Value::from(part.varint()? as i64),
        Shape::Float => special::float(part.fixed64()?),
        Shape::Bytes => special::base64(part.bytes()?),
        Shape::Time => special::time(part.bytes()?, false)?,
        Shape::MicroTime => special::time(part.bytes()?, true)?,
        Shape::Quantity => special::quantity(part.bytes()?)?,
        Shape::IntOrString => special::int_or_string(part.bytes()?)?,
        Shape::Raw | Shape::Json | Shape::Fields => special::raw(part.bytes()?)?,
        Shape::Struct(id) => Value::Object(message(ty.at(*id), part.bytes()?, at.deeper()?)?),
        Shape::Wrapped(item) => {
            let parts = Wire::new(part.bytes()?).map(|part| value(ty, item, part?.value, at.deeper()?));
            Value::Array(parts.collect::<Result<_, _>>()?)
        }
        Shape::SchemaOrArray(id) | Shape::SchemaOrBool(id) | Shape::SchemaOrStrings(id) => {
            schema_or(ty.at(*id), shape, part.bytes()?, at)?
        }
        Shape::List(_) | Shape::Map(_) => return Err(Error::Protobuf("lists of lists are not encoded so")),
    })
}

/// `JSONSchemaPropsOr…`: a schema, or one simpler thing.
fn schema_or(schema: TypeRef, shape: &Shape, bytes: &[u8], at: Place) -> Result<Value, Error> {
    let (mut object, mut list, mut allows) = (None, Vec::new(), false);
    for part in Wire::new(bytes) {
        let Part { number, value } = part?;
        match (shape, number) {
            (Shape::SchemaOrBool(_), 1) => allows = value.varint()? != 0,
            (Shape::SchemaOrBool(_), 2) | (_, 1) => object = Some(message(schema, value.bytes()?, at.deeper()?)?),
            (Shape::SchemaOrArray(_), 2) => list.push(Value::Object(message(schema, value.bytes()?, at.deeper()?)?)),
            (Shape::SchemaOrStrings(_), 2) => list.push(Value::String(wire::text(value.bytes()?)?)),
            _ => {}
        }
    }
    Ok(match (object, shape) {
        (Some(object), _) => Value::Object(object),
        (None, Shape::SchemaOrBool(_)) => Value::Bool(allows),
        (None, _) => Value::Array(list),
    })
}

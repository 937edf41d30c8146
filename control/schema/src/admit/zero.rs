//! Go's zero values, and which of them its encoder shows.
//!
//! `omitempty` drops false, 0, "", nil and empty lists and maps, but never a struct: a value of a struct type is shown as
//! `{}`, and one that encodes itself (time, quantity, int-or-string) as its zero.

use serde_json::{Map, Value};

use crate::table::{Field, Shape, Type, TypeRef};

/// Whether a field that holds this is encoded.
pub(super) fn is_shown(field: &Field, value: &Value) -> bool {
    match value {
        Value::Null => shown_when_empty(field) && field_is_null(field),
        _ if field.always || field.pointer => true,
        Value::String(text) if matches!(field.shape, Shape::String | Shape::Bytes) => !text.is_empty(),
        Value::Bool(value) if field.shape == Shape::Bool => *value,
        Value::Number(number) if matches!(field.shape, Shape::Int32 | Shape::Int64 | Shape::Float) => {
            number.as_f64() != Some(0.0)
        }
        Value::Array(list) if matches!(field.shape, Shape::List(_) | Shape::Wrapped(_)) => !list.is_empty(),
        Value::Object(map) if matches!(field.shape, Shape::Map(_)) => !map.is_empty(),
        _ => true,
    }
}

/// Whether a field holds what it would hold if it had never been set.
pub(crate) fn is_zero(field: &Field, value: &Value) -> bool {
    match value {
        Value::Null => true,
        _ if field.pointer => false,
        Value::String(text) => text.is_empty(),
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty() && matches!(field.shape, Shape::Map(_)),
    }
}

/// Whether a field is encoded though it was never set.
pub(crate) fn shown_when_empty(field: &Field) -> bool {
    match field.shape {
        _ if field.pointer => field.always,
        Shape::Struct(_) | Shape::Time | Shape::MicroTime | Shape::Quantity | Shape::IntOrString => true,
        Shape::Raw | Shape::Json | Shape::Fields => true,
        _ => field.always,
    }
}

/// The zero of a field is null.
fn field_is_null(field: &Field) -> bool {
    field.pointer
        || matches!(
            field.shape,
            Shape::Time | Shape::MicroTime | Shape::Raw | Shape::Json | Shape::Fields | Shape::Bytes
        )
        || matches!(field.shape, Shape::List(_) | Shape::Wrapped(_) | Shape::Map(_))
}

/// What a field shows that was never set.
pub(super) fn field(owner: TypeRef, field: &Field) -> Value {
    if field_is_null(field) { Value::Null } else { element(owner, &field.shape) }
}

/// The zero of a shape that is no pointer.
pub(super) fn element(owner: TypeRef, shape: &Shape) -> Value {
    match shape {
        Shape::String => Value::String(String::new()),
        Shape::Bool => Value::Bool(false),
        Shape::Int32 | Shape::Int64 | Shape::Float | Shape::IntOrString => Value::from(0),
        Shape::Quantity => Value::from("0"),
        Shape::Struct(id) => zero(owner.at(*id)),
        Shape::SchemaOrBool(_) => Value::Bool(false),
        _ => Value::Null,
    }
}

/// A struct that was never set: what is shown of it.
pub(crate) fn zero(ty: TypeRef) -> Value {
    let ty_fields = ty.get().fields();
    let shown = ty.get().shown_when_empty().iter().map(|&at| &ty_fields[usize::from(at)]);
    Value::Object(shown.map(|of| (of.name.to_string(), field(ty, of))).collect::<Map<_, _>>())
}

/// The positions of fields that are encoded though they were never set.
pub(crate) fn positions(ty: &Type) -> Box<[u16]> {
    let fields = ty.fields().iter().enumerate();
    fields.filter(|(_, field)| shown_when_empty(field)).map(|(at, _)| at as u16).collect()
}

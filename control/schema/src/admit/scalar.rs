//! Values that are one value: their types, and their canonical forms.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use objects::quantity::Quantity;
use serde_json::Value;

use super::{Place, TypeError};
use crate::table::{Shape, TypeRef};

/// Checks a scalar and brings it into canonical form. Lists, maps and structs of the wrong sort end here too.
pub(super) fn conform(place: Place, shape: &Shape, value: &mut Value) -> Result<(), TypeError> {
    let fits = match (shape, &*value) {
        (Shape::String, Value::String(_)) | (Shape::Bool, Value::Bool(_)) | (Shape::Float, Value::Number(_)) => true,
        (Shape::Int32, Value::Number(number)) => match number.as_i64() {
            Some(number) if i32::try_from(number).is_ok() => true,
            _ => return Err(place.refuse(&format!("number {number}"), shape)),
        },
        (Shape::Int64, Value::Number(number)) => match number.as_i64() {
            Some(_) => true,
            None => return Err(place.refuse(&format!("number {number}"), shape)),
        },
        (Shape::Bytes, Value::String(text)) => return bytes(text.clone(), value),
        (Shape::Time | Shape::MicroTime, Value::String(text)) => {
            let form = time(text, *shape == Shape::MicroTime)?;
            return replace(value, form);
        }
        (Shape::Time | Shape::MicroTime, other) => return Err(place.refuse_as(word(other), "string")),
        (Shape::Quantity, Value::String(text)) => {
            let form = quantity(text)?;
            return replace(value, form);
        }
        (Shape::Quantity, Value::Number(number)) => {
            let text = number.to_string();
            let form = quantity(&text)?.unwrap_or(text);
            return replace(value, Some(form));
        }
        (Shape::Quantity, _) => return Err(bad_quantity()),
        (Shape::IntOrString, Value::String(_)) => true,
        (Shape::IntOrString, Value::Number(number)) => match number.as_i64() {
            Some(number) if i32::try_from(number).is_ok() => true,
            _ => return Err(place.refuse_as(&format!("number {number}"), "int32")),
        },
        (Shape::IntOrString, other) => return Err(place.refuse_as(word(other), "int32")),
        (Shape::Raw | Shape::Json | Shape::Fields, _) => true,
        _ => false,
    };
    if fits { Ok(()) } else { Err(place.refuse(word(value), shape)) }
}

fn replace(value: &mut Value, form: Option<String>) -> Result<(), TypeError> {
    if let Some(form) = form {
        *value = Value::String(form);
    }
    Ok(())
}

/// What Go's decoder calls a value.
pub fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The words of Go's converter from maps and lists for a value that it cannot make `shape` of, where they are not the
/// decoder's: it knows kinds of values only, and a number is fit to become a string until it is asked to.
pub(super) fn unconvertible(what: &str, shape: &Shape, ty: &str) -> Option<String> {
    let kind = match what {
        "array" => "slice",
        "object" => "map",
        "number" => "int64",
        other => other,
    };
    match shape {
        Shape::Struct(_) => Some(format!("cannot restore struct from: {kind}")),
        Shape::List(_) | Shape::Wrapped(_) => Some(format!("cannot restore slice from {kind}")),
        Shape::Map(_) => Some(format!("cannot restore map from {kind}")),
        Shape::String if kind == "int64" => Some(format!("cannot convert int64 to {ty}")),
        Shape::String => Some("unrecognized type: string".to_owned()),
        Shape::Bool => Some("unrecognized type: bool".to_owned()),
        Shape::Int32 | Shape::Int64 | Shape::Float if !what.starts_with("number") => {
            Some(format!("unrecognized type: {ty}"))
        }
        _ => None,
    }
}

/// What Go calls a type.
pub(super) fn go_type(owner: TypeRef, shape: &Shape, alias: Option<&str>) -> String {
    match shape {
        Shape::String => alias.unwrap_or("string").to_owned(),
        Shape::Bool => "bool".to_owned(),
        Shape::Int32 => "int32".to_owned(),
        Shape::Int64 => "int64".to_owned(),
        Shape::Float => "float64".to_owned(),
        Shape::Bytes => "[]uint8".to_owned(),
        Shape::Time => "v1.Time".to_owned(),
        Shape::MicroTime => "v1.MicroTime".to_owned(),
        Shape::Quantity => "resource.Quantity".to_owned(),
        Shape::IntOrString => "intstr.IntOrString".to_owned(),
        Shape::Raw => "runtime.RawExtension".to_owned(),
        Shape::Json => "v1.JSON".to_owned(),
        Shape::Fields => "v1.FieldsV1".to_owned(),
        Shape::SchemaOrArray(_) => "v1.JSONSchemaPropsOrArray".to_owned(),
        Shape::SchemaOrBool(_) => "v1.JSONSchemaPropsOrBool".to_owned(),
        Shape::SchemaOrStrings(_) => "v1.JSONSchemaPropsOrStringArray".to_owned(),
        Shape::Struct(id) => owner.at(*id).go().to_owned(),
        Shape::List(item) => format!("[]{}", go_type(owner, item, alias)),
        Shape::Wrapped(_) => "v1.ExtraValue".to_owned(),
        Shape::Map(item) if **item == Shape::Quantity => "v1.ResourceList".to_owned(),
        Shape::Map(item) => format!("map[string]{}", go_type(owner, item, alias)),
    }
}

/// Go ignores line breaks in base64 and writes none.
fn bytes(text: String, value: &mut Value) -> Result<(), TypeError> {
    let broken = text.contains(['\r', '\n']);
    let packed = if broken { text.replace(['\r', '\n'], "") } else { text };
    if let Some(at) = illegal_base64(&packed) {
        return Err(TypeError::new(format!("illegal base64 data at input byte {at}")));
    }
    replace(value, broken.then_some(packed))
}

fn illegal_base64(text: &str) -> Option<usize> {
    use base64::DecodeError;
    match STANDARD.decode(text).err()? {
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => Some(at),
        DecodeError::InvalidLength(length) => Some(length / 4 * 4),
        DecodeError::InvalidPadding => Some(text.len() / 4 * 4),
    }
}

/// The canonical form of a quantity, if the text is not it already.
fn quantity(text: &str) -> Result<Option<String>, TypeError> {
    // A few digits with no suffix, and those of the usual suffixes that cannot be made larger, need no arithmetic.
    if matches!(text.as_bytes(), [b'1'..=b'9'] | [b'1'..=b'9', b'1'..=b'9'] | [b'0']) {
        return Ok(None);
    }
    let parsed: Quantity = text.trim().parse().map_err(|_| bad_quantity())?;
    let form = parsed.to_string();
    Ok((form != text).then_some(form))
}

fn bad_quantity() -> TypeError {
    TypeError::new("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
}

/// A moment in UTC, to the second or to the microsecond, if the text is not of that form already.
fn time(text: &str, micro: bool) -> Result<Option<String>, TypeError> {
    let layout = if micro { "2006-01-02T15:04:05.000000Z07:00" } else { "2006-01-02T15:04:05Z07:00" };
    let shaped = text.len() >= 20 && text.as_bytes()[10] == b'T';
    let at: Timestamp = text.parse().ok().filter(|_| shaped).ok_or_else(|| {
        TypeError::new(format!("parsing time {text:?} as {layout:?}: cannot parse {text:?} as \"2006\""))
    })?;
    let form = if micro { format!("{at:.6}") } else { format!("{at:.0}") };
    Ok((form != text).then_some(form))
}

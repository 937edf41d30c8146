//! Conversions, and types as values.

use super::super::types::Library;
use super::super::value::Value;
use super::{Answer, Function, Run, failed, no_overload, time};

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "bool" => to_bool,
        "bytes" => to_bytes,
        "double" => to_double,
        "int" => to_int,
        "uint" => to_uint,
        "string" => to_text,
        "dyn" => |run, of| first(run, of),
        "type" => |_, of| Ok(Value::Type(of.first().map_or("null_type", Value::type_name).into())),
        _ => return None,
    })
}

/// The name of a type as a value, for what an expression writes.
pub fn type_named(name: &str) -> Option<&str> {
    const LIBRARIES: [Library; 11] = [
        Library::Quantity,
        Library::Ip,
        Library::Cidr,
        Library::Url,
        Library::Format,
        Library::Semver,
        Library::Authorizer,
        Library::PathCheck,
        Library::GroupCheck,
        Library::ResourceCheck,
        Library::Decision,
    ];
    let basic = matches!(
        name,
        "int"
            | "uint"
            | "double"
            | "bool"
            | "string"
            | "bytes"
            | "list"
            | "map"
            | "null_type"
            | "type"
            | "dyn"
            | "optional_type"
            | "google.protobuf.Timestamp"
            | "google.protobuf.Duration"
    );
    (basic || LIBRARIES.iter().any(|library| library.name() == name)).then_some(name)
}

fn first<'a>(run: &Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    of.into_iter().next().ok_or_else(|| no_overload(run.name, &[]))
}

fn impossible<'a>(value: &Value<'_>, to: &str) -> Answer<'a> {
    Err(failed(format!("type conversion error from '{}' to '{to}'", value.type_name())))
}

fn to_bool<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match first(run, of)? {
        value @ Value::Bool(_) => Ok(value),
        Value::String(text) if matches!(&*text, "1" | "t" | "T" | "TRUE" | "true" | "True") => Ok(Value::Bool(true)),
        Value::String(text) if matches!(&*text, "0" | "f" | "F" | "FALSE" | "false" | "False") => {
            Ok(Value::Bool(false))
        }
        value @ Value::String(_) => impossible(&value, "bool"),
        other => Err(no_overload("bool", &[other])),
    }
}

fn to_bytes<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match first(run, of)? {
        value @ Value::Bytes(_) => Ok(value),
        Value::String(text) => {
            run.meter.charge(text.len() / 10)?;
            Ok(Value::Bytes(text.as_bytes().into()))
        }
        other => Err(no_overload("bytes", &[other])),
    }
}

#[expect(clippy::cast_precision_loss, reason = "what is asked for")]
fn to_double<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match first(run, of)? {
        value @ Value::Double(_) => Ok(value),
        Value::Int(i) => Ok(Value::Double(i as f64)),
        Value::Uint(u) => Ok(Value::Double(u as f64)),
        Value::String(text) => match text.parse() {
            Ok(double) => Ok(Value::Double(double)),
            Err(_) => impossible(&Value::String(text), "double"),
        },
        other => Err(no_overload("double", &[other])),
    }
}

/// The bounds within which a double is cut to a whole number: those that both can hold.
const INT: (f64, f64) = (-9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0);
const UINT: f64 = 18_446_744_073_709_551_616.0;

#[expect(clippy::cast_possible_truncation, reason = "checked before")]
fn to_int<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match first(run, of)? {
        value @ Value::Int(_) => Ok(value),
        Value::Uint(u) => i64::try_from(u).map(Value::Int).map_err(|_| failed("integer overflow")),
        Value::Double(d) if d > INT.0 && d < INT.1 => Ok(Value::Int(d as i64)),
        Value::Double(_) => Err(failed("integer overflow")),
        Value::Duration(span) => i64::try_from(span.as_nanos()).map(Value::Int).map_err(|_| failed("integer overflow")),
        Value::Timestamp(at) => Ok(Value::Int(at.as_second())),
        Value::String(text) => match text.parse() {
            Ok(int) => Ok(Value::Int(int)),
            Err(_) => impossible(&Value::String(text), "int"),
        },
        other => Err(no_overload("int", &[other])),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
fn to_uint<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match first(run, of)? {
        value @ Value::Uint(_) => Ok(value),
        Value::Int(i) => u64::try_from(i).map(Value::Uint).map_err(|_| failed("unsigned integer overflow")),
        Value::Double(d) if (0.0..UINT).contains(&d) => Ok(Value::Uint(d as u64)),
        Value::Double(_) => Err(failed("unsigned integer overflow")),
        Value::String(text) => match text.parse() {
            Ok(uint) => Ok(Value::Uint(uint)),
            Err(_) => impossible(&Value::String(text), "uint"),
        },
        other => Err(no_overload("uint", &[other])),
    }
}

fn to_text<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let value = first(run, of)?;
    run.meter.charge(value.weight())?;
    match text_of(&value) {
        Some(text) => Ok(Value::text(text)),
        None if matches!(value, Value::Bytes(_)) => Err(failed("invalid UTF-8 in bytes, cannot convert to string")),
        None => Err(no_overload("string", &[value])),
    }
}

/// What has a text.
pub fn text_of(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::String(text) => text.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Uint(u) => u.to_string(),
        Value::Double(d) => d.to_string(),
        Value::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok()?,
        Value::Duration(span) => time::duration_text(*span),
        Value::Timestamp(at) => time::timestamp_text(*at),
        Value::Ip(ip) => ip.to_string(),
        Value::Cidr(cidr) => cidr.to_string(),
        _ => return None,
    })
}

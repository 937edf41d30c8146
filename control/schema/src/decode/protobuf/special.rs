//! The types that protobuf encodes otherwise than JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::wire::{self, Part, Wire};
use super::{Error, Shape};

/// What a map entry without a value holds.
pub(super) fn absent(shape: &Shape) -> Value {
    match shape {
        Shape::String | Shape::Bytes => Value::String(String::new()),
        Shape::Bool => Value::Bool(false),
        Shape::Int32 | Shape::Int64 | Shape::Float => Value::from(0),
        Shape::Wrapped(_) => Value::Array(Vec::new()),
        Shape::Quantity => Value::from("0"),
        _ => Value::Object(Map::new()),
    }
}

/// A float as Go's JSON shows it: whole ones without a fraction.
pub(super) fn float(bits: u64) -> Value {
    let value = f64::from_bits(bits);
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

pub(super) fn base64(bytes: &[u8]) -> Value {
    Value::String(STANDARD.encode(bytes))
}

/// Seconds (1) and nanoseconds (2); an empty message is the zero time, which JSON shows as null.
pub(super) fn time(bytes: &[u8], micro: bool) -> Result<Value, Error> {
    let (mut seconds, mut nanos, mut any) = (0, 0, false);
    for part in Wire::new(bytes) {
        let Part { number, value } = part?;
        match number {
            1 => seconds = value.varint()? as i64,
            2 => nanos = value.varint()? as i32,
            _ => continue,
        }
        any = true;
    }
    if !any {
        return Ok(Value::Null);
    }
    let at =
        Timestamp::new(seconds, if micro { nanos } else { 0 }).map_err(|_| Error::Protobuf("time out of range"))?;
    Ok(Value::String(if micro { format!("{at:.6}") } else { format!("{at:.0}") }))
}

/// The text (1).
pub(super) fn quantity(bytes: &[u8]) -> Result<Value, Error> {
    for part in Wire::new(bytes) {
        if let Part { number: 1, value } = part? {
            return Ok(Value::String(wire::text(value.bytes()?)?));
        }
    }
    Ok(Value::from("0"))
}

/// Which (1), the number (2), the text (3).
pub(super) fn int_or_string(bytes: &[u8]) -> Result<Value, Error> {
    let (mut textual, mut number, mut text) = (false, 0, String::new());
    for part in Wire::new(bytes) {
        let Part { number: tag, value } = part?;
        match tag {
            1 => textual = value.varint()? == 1,
            2 => number = value.varint()? as i32,
            3 => text = wire::text(value.bytes()?)?,
            _ => {}
        }
    }
    Ok(if textual { Value::String(text) } else { Value::from(number) })
}

/// JSON bytes (1) in a message.
pub(super) fn raw(bytes: &[u8]) -> Result<Value, Error> {
    for part in Wire::new(bytes) {
        if let Part { number: 1, value } = part? {
            return serde_json::from_slice(value.bytes()?).map_err(|_| Error::Protobuf("embedded JSON is malformed"));
        }
    }
    Ok(Value::Null)
}

//! Values that are one value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use super::wire::Writer;
use crate::table::Shape;

/// Writes a scalar; nothing when the value is not of the shape.
pub(super) fn write(writer: &mut Writer, number: u8, shape: &Shape, value: &Value) -> Option<()> {
    match shape {
        Shape::String => writer.bytes(number, value.as_str()?.as_bytes()),
        Shape::Bool => writer.varint(number, u64::from(value.as_bool()?)),
        Shape::Int32 | Shape::Int64 => writer.varint(number, value.as_i64()? as u64),
        Shape::Float => writer.fixed64(number, value.as_f64()?.to_bits()),
        // Null in a map: the zero of these is written as an empty message.
        Shape::Bytes | Shape::Time | Shape::MicroTime | Shape::Raw | Shape::Json if value.is_null() => {
            writer.bytes(number, b"");
        }
        Shape::Bytes => writer.bytes(number, &STANDARD.decode(value.as_str()?).ok()?),
        Shape::Time | Shape::MicroTime => writer.bytes(number, &time(value.as_str()?)?),
        Shape::Quantity => {
            let mut text = Writer::default();
            text.bytes(1, value.as_str()?.as_bytes());
            writer.bytes(number, &text.finish());
        }
        Shape::IntOrString => writer.bytes(number, &int_or_string(value)?),
        Shape::Raw | Shape::Json | Shape::Fields => {
            let mut raw = Writer::default();
            raw.bytes(1, value.to_string().as_bytes());
            writer.bytes(number, &raw.finish());
        }
        _ => return None,
    }
    Some(())
}

fn time(text: &str) -> Option<Vec<u8>> {
    let at: Timestamp = text.parse().ok()?;
    let mut writer = Writer::default();
    writer.varint(1, at.as_second() as u64);
    writer.varint(2, at.subsec_nanosecond() as u64);
    Some(writer.finish())
}

fn int_or_string(value: &Value) -> Option<Vec<u8>> {
    let mut writer = Writer::default();
    match value {
        Value::String(text) => {
            writer.varint(1, 1);
            writer.varint(2, 0);
            writer.bytes(3, text.as_bytes());
        }
        number => {
            writer.varint(1, 0);
            writer.varint(2, number.as_i64()? as u64);
            writer.bytes(3, b"");
        }
    }
    Some(writer.finish())
}

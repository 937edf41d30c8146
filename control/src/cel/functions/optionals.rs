//! Optional values.

use super::super::value::{Map, Value};
use super::{Answer, Function, Run, failed, no_overload};

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "optional.of" => |_, of| Ok(Value::optional(of.into_iter().next())),
        "optional.ofNonZeroValue" => |_, of| Ok(Value::optional(of.into_iter().next().filter(|value| !is_zero(value)))),
        "optional.none" => |_, _| Ok(Value::Optional(None)),
        ".hasValue" | ".value" | ".or" | ".orValue" => unwrap,
        _ => return None,
    })
}

fn unwrap<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match (run.name, of.as_slice()) {
        (".hasValue", [Value::Optional(inner)]) => Ok(Value::Bool(inner.is_some())),
        (".value", [Value::Optional(Some(inner))]) => Ok((**inner).clone()),
        (".value", [Value::Optional(None)]) => Err(failed("optional.none() dereference")),
        (".or", [first @ Value::Optional(Some(_)), _]) => Ok(first.clone()),
        (".or", [Value::Optional(None), second]) => Ok(second.clone()),
        (".orValue", [Value::Optional(Some(inner)), _]) => Ok((**inner).clone()),
        (".orValue", [Value::Optional(None), default]) => Ok(default.clone()),
        _ => Err(no_overload(run.name, &of)),
    }
}

fn is_zero(value: &Value<'_>) -> bool {
    match value {
        Value::Null | Value::Optional(None) => true,
        Value::Bool(b) => !b,
        Value::Int(i) => *i == 0,
        Value::Uint(u) => *u == 0,
        Value::Double(d) => *d == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => Map::is_empty(map),
        Value::Duration(span) => span.is_zero(),
        _ => false,
    }
}

//! Arithmetic, order, membership.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::compare::{are_numbers, equal, order};
use super::super::evaluate::EvalError;
use super::super::types::ListKind;
use super::super::value::{List, Text, Value};
use super::{Answer, Function, Run, failed, no_overload};

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "_==_" => equals,
        "_!=_" => differs,
        "_<_" => |run, of| compared(run, &of, |order| order == Ordering::Less),
        "_<=_" => |run, of| compared(run, &of, |order| order != Ordering::Greater),
        "_>_" => |run, of| compared(run, &of, |order| order == Ordering::Greater),
        "_>=_" => |run, of| compared(run, &of, |order| order != Ordering::Less),
        "_+_" => add,
        "_-_" => subtract,
        "_*_" => multiply,
        "_/_" => divide,
        "_%_" => remainder,
        "-_" => negate,
        "@in" => is_in,
        _ => return None,
    })
}

fn equals<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    pay(run, &of)?;
    match of.as_slice() {
        [a, b] => Ok(Value::Bool(equal(a, b))),
        _ => Err(no_overload("_==_", &of)),
    }
}

fn differs<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    pay(run, &of)?;
    match of.as_slice() {
        [a, b] => Ok(Value::Bool(!equal(a, b))),
        _ => Err(no_overload("_!=_", &of)),
    }
}

/// Comparing looks at no more than the smaller one has, but a set at each pair.
fn pay(run: &mut Run<'_>, of: &[Value<'_>]) -> Result<(), EvalError> {
    match of {
        [Value::List(a), Value::List(b)] if *a.kind() != ListKind::Atomic => run.meter.charge(a.len() * b.len()),
        [a, b] => run.meter.charge(depth_weight(a).min(depth_weight(b))),
        _ => Ok(()),
    }
}

/// How much there is to look at, all the way down.
fn depth_weight(value: &Value<'_>) -> usize {
    fn json(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Array(list) => list.iter().map(json).sum::<usize>() + 1,
            serde_json::Value::Object(map) => map.values().map(json).sum::<usize>() + 1,
            serde_json::Value::String(text) => text.len() / 10,
            _ => 1,
        }
    }
    match value {
        Value::List(List::Json(list, _)) => list.iter().map(json).sum(),
        Value::Map(super::super::value::Map::Json(map, _)) => map.values().map(json).sum(),
        Value::List(List::Shared(list)) => list.iter().map(depth_weight).sum(),
        Value::Map(super::super::value::Map::Shared(map)) => map.values().map(depth_weight).sum(),
        other => other.weight(),
    }
}

fn compared<'a>(run: &mut Run<'_>, of: &[Value<'a>], wanted: fn(Ordering) -> bool) -> Answer<'a> {
    let [a, b] = of else { return Err(no_overload(run.name, of)) };
    run.meter.charge(a.weight().min(b.weight()))?;
    match order(a, b) {
        Some(order) => Ok(Value::Bool(wanted(order))),
        None if are_numbers(a, b) => Err(failed("NaN values cannot be ordered")),
        None => Err(no_overload(run.name, of)),
    }
}

const INTEGER: &str = "integer overflow";
const UNSIGNED: &str = "unsigned integer overflow";
const DURATION: &str = "duration overflow";
const TIMESTAMP: &str = "timestamp overflow";

fn or<'a, T>(result: Option<T>, make: impl FnOnce(T) -> Value<'a>, error: &str) -> Answer<'a> {
    result.map(make).ok_or_else(|| failed(error))
}

fn add<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [a, b] = two(run, of)?;
    run.meter.charge(a.weight() + b.weight())?;
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => or(a.checked_add(b), Value::Int, INTEGER),
        (Value::Uint(a), Value::Uint(b)) => or(a.checked_add(b), Value::Uint, UNSIGNED),
        (Value::Double(a), Value::Double(b)) => Ok(Value::Double(a + b)),
        (Value::String(a), Value::String(b)) => Ok(joined(&a, &b)),
        (Value::Bytes(a), Value::Bytes(b)) => Ok(Value::Bytes([&*a, &*b].concat().into())),
        (Value::Duration(a), Value::Duration(b)) => or(a.checked_add(b), Value::Duration, DURATION),
        (Value::Duration(span), Value::Timestamp(at)) | (Value::Timestamp(at), Value::Duration(span)) => {
            or(at.checked_add(span).ok(), Value::Timestamp, TIMESTAMP)
        }
        (Value::List(a), Value::List(b)) => appended(run, a, &b),
        (a, b) => Err(no_overload("_+_", &[a, b])),
    }
}

fn joined<'a>(a: &Text<'_>, b: &Text<'_>) -> Value<'a> {
    Value::text([&**a, &**b].concat())
}

/// Sets are united, maps merged by key; other lists are put one after the other.
fn appended<'a>(run: &mut Run<'_>, a: List<'a>, b: &List<'a>) -> Answer<'a> {
    let kind = a.kind();
    if *kind != ListKind::Atomic {
        run.meter.charge(a.len() * b.len())?;
        return Ok(Value::list(united(&a, b, kind)));
    }
    let mut elements = match a {
        List::Shared(elements) => Arc::unwrap_or_clone(elements),
        List::Json(..) => a.iter().collect(),
    };
    elements.extend(b.iter());
    Ok(Value::list(elements))
}

fn united<'a>(a: &List<'a>, b: &List<'a>, kind: &ListKind) -> Vec<Value<'a>> {
    let same = |a: &Value<'a>, b: &Value<'a>| match (kind, a, b) {
        (ListKind::Map(keys), Value::Map(a), Value::Map(b)) => {
            keys.iter().all(|key| match (a.field(key), b.field(key)) {
                (Some(a), Some(b)) => equal(&a, &b),
                (a, b) => a.is_none() && b.is_none(),
            })
        }
        _ => equal(a, b),
    };
    let mut all: Vec<Value<'a>> = a.iter().collect();
    for new in b.iter() {
        match all.iter_mut().find(|known| same(known, &new)) {
            Some(known) => *known = new,
            None => all.push(new),
        }
    }
    all
}

fn subtract<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match two(run, of)? {
        [Value::Int(a), Value::Int(b)] => or(a.checked_sub(b), Value::Int, INTEGER),
        [Value::Uint(a), Value::Uint(b)] => or(a.checked_sub(b), Value::Uint, UNSIGNED),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a - b)),
        [Value::Duration(a), Value::Duration(b)] => or(a.checked_sub(b), Value::Duration, DURATION),
        [Value::Timestamp(at), Value::Duration(span)] => or(at.checked_sub(span).ok(), Value::Timestamp, TIMESTAMP),
        [Value::Timestamp(a), Value::Timestamp(b)] => Ok(Value::Duration(a.duration_since(b))),
        of => Err(no_overload("_-_", &of)),
    }
}

fn multiply<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match two(run, of)? {
        [Value::Int(a), Value::Int(b)] => or(a.checked_mul(b), Value::Int, INTEGER),
        [Value::Uint(a), Value::Uint(b)] => or(a.checked_mul(b), Value::Uint, UNSIGNED),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a * b)),
        of => Err(no_overload("_*_", &of)),
    }
}

fn divide<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match two(run, of)? {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => Err(failed("division by zero")),
        [Value::Int(a), Value::Int(b)] => or(a.checked_div(b), Value::Int, INTEGER),
        [Value::Uint(a), Value::Uint(b)] => or(a.checked_div(b), Value::Uint, UNSIGNED),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a / b)),
        of => Err(no_overload("_/_", &of)),
    }
}

fn remainder<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match two(run, of)? {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => Err(failed("modulus by zero")),
        [Value::Int(a), Value::Int(b)] => or(a.checked_rem(b), Value::Int, INTEGER),
        [Value::Uint(a), Value::Uint(b)] => or(a.checked_rem(b), Value::Uint, UNSIGNED),
        of => Err(no_overload("_%_", &of)),
    }
}

fn negate<'a>(_: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match of.as_slice() {
        [Value::Int(a)] => or(a.checked_neg(), Value::Int, INTEGER),
        [Value::Double(a)] => Ok(Value::Double(-a)),
        _ => Err(no_overload("-_", &of)),
    }
}

fn is_in<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    match two(run, of)? {
        [value, Value::List(list)] => {
            run.meter.charge(list.len())?;
            Ok(Value::Bool(list.iter().any(|element| equal(&element, &value))))
        }
        [key, Value::Map(map)] => Ok(Value::Bool(map.get(&key).is_some())),
        of => Err(no_overload("@in", &of)),
    }
}

fn two<'a>(run: &Run<'_>, of: Vec<Value<'a>>) -> Result<[Value<'a>; 2], EvalError> {
    of.try_into().map_err(|of: Vec<Value<'a>>| no_overload(run.name, &of))
}

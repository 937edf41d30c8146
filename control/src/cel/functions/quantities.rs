//! Quantities: `quantity('1Gi').isLessThan(quantity('2Gi'))`.

use std::cmp::Ordering;

use objects::quantity::Quantity;

use super::super::value::Value;
use super::{Answer, Function, Run, failed, no_overload};

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        "quantity" | "isQuantity" => read,
        ".isInteger" | ".asInteger" | ".asApproximateFloat" | ".sign" => ask,
        ".add" | ".sub" => calculate,
        _ => return None,
    })
}

fn read<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::String(text)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    run.meter.charge(text.len() / 10)?;
    match (run.name, text.parse::<Quantity>()) {
        ("isQuantity", result) => Ok(Value::Bool(result.is_ok())),
        (_, Ok(quantity)) => Ok(Value::Quantity(quantity)),
        (_, Err(error)) => Err(failed(error.to_string())),
    }
}

fn ask<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::Quantity(quantity)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    let whole = quantity.whole();
    let is_whole = Quantity::from_whole(whole) == *quantity;
    match run.name {
        ".isInteger" => Ok(Value::Bool(is_whole)),
        ".sign" => Ok(Value::Int(quantity.signum().into())),
        ".asInteger" if is_whole => Ok(Value::Int(whole)),
        ".asInteger" => Err(failed("cannot convert value to integer")),
        _ => Ok(Value::Double(approximate(quantity))),
    }
}

#[expect(clippy::cast_precision_loss, reason = "asked for as approximate")]
fn approximate(quantity: &Quantity) -> f64 {
    let whole = quantity.whole();
    if Quantity::from_whole(whole) == *quantity {
        return whole as f64;
    }
    quantity.milli() as f64 / 1000.0
}

/// The order of two quantities, each way it can be asked for.
pub fn compare<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::Quantity(a), Value::Quantity(b)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    Ok(compared(run.name, a.cmp(b)))
}

/// The answer to one of the three questions about an order.
pub fn compared<'a>(name: &str, order: Ordering) -> Value<'a> {
    match name {
        ".isLessThan" => Value::Bool(order == Ordering::Less),
        ".isGreaterThan" => Value::Bool(order == Ordering::Greater),
        _ => Value::Int(order as i64),
    }
}

fn calculate<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let (a, b) = match of.as_slice() {
        [Value::Quantity(a), Value::Quantity(b)] => (*a, *b),
        [Value::Quantity(a), Value::Int(b)] => (*a, Quantity::from_whole(*b)),
        _ => return Err(no_overload(run.name, &of)),
    };
    Ok(Value::Quantity(if run.name == ".add" { a + b } else { a - b }))
}

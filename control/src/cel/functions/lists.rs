//! Lists and sets: Kubernetes' list library, `sets.*`.

use std::cmp::Ordering;

use super::super::compare::{equal, order};
use super::super::evaluate::EvalError;
use super::super::value::{List, Value};
use super::{Answer, Function, Run, failed, no_overload};

/// The function of this name.
pub fn find(name: &str) -> Option<Function> {
    Some(match name {
        ".isSorted" => is_sorted,
        ".sum" => sum,
        ".min" | ".max" => extreme,
        "sets.contains" | "sets.equivalent" | "sets.intersects" => sets,
        _ => return None,
    })
}

fn is_sorted<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let list = only(run, &of)?;
    let elements: Vec<Value<'_>> = list.iter().collect();
    for pair in elements.windows(2) {
        match order(&pair[0], &pair[1]) {
            Some(Ordering::Greater) => return Ok(Value::Bool(false)),
            Some(_) => {}
            None => return Err(no_overload("isSorted", pair)),
        }
    }
    Ok(Value::Bool(true))
}

/// The sum of nothing is `0`, as upstream has it for elements of unknown type.
fn sum<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let list = only(run, &of)?;
    let mut elements = list.iter();
    let Some(mut total) = elements.next() else { return Ok(Value::Int(0)) };
    if !matches!(total, Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Duration(_)) {
        return Err(no_overload("sum", &of));
    }
    for element in elements {
        total = match (total, element) {
            (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_add(b).ok_or_else(|| failed("integer overflow"))?),
            (Value::Uint(a), Value::Uint(b)) => {
                Value::Uint(a.checked_add(b).ok_or_else(|| failed("unsigned integer overflow"))?)
            }
            (Value::Double(a), Value::Double(b)) => Value::Double(a + b),
            (Value::Duration(a), Value::Duration(b)) => {
                Value::Duration(a.checked_add(b).ok_or_else(|| failed("duration overflow"))?)
            }
            (a, b) => return Err(no_overload("_+_", &[a, b])),
        };
    }
    Ok(total)
}

fn extreme<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let list = only(run, &of)?;
    let (name, wanted) = if run.name == ".min" { ("min", Ordering::Less) } else { ("max", Ordering::Greater) };
    let mut elements = list.iter();
    let Some(mut best) = elements.next() else { return Err(failed(format!("{name} called on empty list"))) };
    for element in elements {
        match order(&element, &best) {
            Some(order) if order == wanted => best = element,
            Some(_) => {}
            None => return Err(no_overload(name, &[best, element])),
        }
    }
    Ok(best)
}

/// The first place of an element, -1 where it is not.
pub fn index_of<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::List(list), wanted] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    run.meter.charge(list.len())?;
    Ok(place((0..list.len()).find(|i| is_at(list, *i, wanted))))
}

/// The last place of an element, -1 where it is not.
pub fn last_index_of<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::List(list), wanted] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    run.meter.charge(list.len())?;
    Ok(place((0..list.len()).rev().find(|i| is_at(list, *i, wanted))))
}

fn is_at(list: &List<'_>, at: usize, wanted: &Value<'_>) -> bool {
    list.get(at).is_some_and(|element| equal(&element, wanted))
}

fn place<'a>(found: Option<usize>) -> Value<'a> {
    Value::Int(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
}

fn sets<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::List(a), Value::List(b)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    run.meter.charge(a.len().saturating_mul(b.len()))?;
    let holds = |list: &List<'_>, wanted: &Value<'_>| list.iter().any(|element| equal(&element, wanted));
    let contains = |outer: &List<'_>, inner: &List<'_>| inner.iter().all(|element| holds(outer, &element));
    Ok(Value::Bool(match run.name {
        "sets.contains" => contains(a, b),
        "sets.equivalent" => contains(a, b) && contains(b, a),
        _ => a.iter().any(|element| holds(b, &element)),
    }))
}

fn only<'v, 'a>(run: &mut Run<'_>, of: &'v [Value<'a>]) -> Result<&'v List<'a>, EvalError> {
    match of {
        [Value::List(list)] => run.meter.charge(list.len()).map(|()| list),
        _ => Err(no_overload(run.name, of)),
    }
}

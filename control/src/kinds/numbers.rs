//! Numbers, percentages and amounts that may not be negative.

use objects::quantity::Quantity;
use serde_json::Value;

use super::access::Look;
use crate::field::{Errors, Path};

const NEGATIVE: &str = "must be greater than or equal to 0";

/// Each of the fields, where it is there, is at least zero.
pub fn not_negative(object: &Value, fields: &[&str], at: &Path, errors: &mut Errors) {
    for field in fields {
        if let Some(n) = object.int(field).filter(|n| *n < 0) {
            errors.invalid(&at.child(field), n, NEGATIVE);
        }
    }
}

/// Not less than `low`, not more than `high`.
pub fn within(n: i64, low: i64, high: i64, at: &Path, errors: &mut Errors) {
    if !(low..=high).contains(&n) {
        errors.invalid(at, n, &format!("must be between {low} and {high}, inclusive"));
    }
}

/// An amount is at least zero. What is no quantity never gets here.
pub fn not_negative_amount(amount: &Value, at: &Path, errors: &mut Errors) {
    if quantity(amount).signum() < 0 {
        errors.invalid(at, amount.clone(), NEGATIVE);
    }
}

/// An amount is more than nothing.
pub fn positive_amount(amount: &Value, at: &Path, errors: &mut Errors) {
    if quantity(amount).signum() <= 0 {
        errors.invalid(at, amount.clone(), "must be greater than zero");
    }
}

/// The amount that a field carries.
pub fn quantity(amount: &Value) -> Quantity {
    amount.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// A number of at least zero, or a percentage.
pub fn int_or_percent(value: &Value, at: &Path, errors: &mut Errors) {
    match value {
        Value::String(text) if percent(value).is_none() => errors.invalid_as(
            at,
            &shown(&Value::String(text.clone())),
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used \
             for validation is '[0-9]+%')",
        ),
        Value::Number(n) if n.as_i64().is_some_and(|n| n < 0) => errors.invalid(at, value.clone(), NEGATIVE),
        _ => {}
    }
}

/// Not more than 100 percent, where it is a percentage.
pub fn not_more_than_all(value: &Value, at: &Path, errors: &mut Errors) {
    if percent(value).is_some_and(|p| p > 100) {
        errors.invalid_as(at, &shown(value), "must not be greater than 100%");
    }
}

/// True for `0` and `0%`.
pub fn is_none(value: &Value) -> bool {
    value.as_i64().or_else(|| percent(value)) == Some(0)
}

/// An `IntOrString` as Go's `%#v` shows it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("intstr.IntOrString{{Type:1, IntVal:0, StrVal:{}}}", Value::from(text.as_str())),
        other => format!("intstr.IntOrString{{Type:0, IntVal:{}, StrVal:\"\"}}", other.as_i64().unwrap_or_default()),
    }
}

fn percent(value: &Value) -> Option<i64> {
    let digits = value.as_str()?.strip_suffix('%')?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

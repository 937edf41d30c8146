//! The range of a number.

use serde_json::Number;

use super::limits::{Bound, Limits};
use super::outcome::Outcome;
use super::shown;
use super::values::At;

/// The largest whole number that a float has exactly.
const LARGEST_EXACT: f64 = 9_007_199_254_740_991.0;

/// How far from a whole number a quotient may be, relative to it.
const TOLERANCE: f64 = 1e-9;

/// Checks one number.
pub(super) fn check(limits: &Limits, number: &Number, at: &At, outcome: &mut Outcome) {
    outcome.matches += 2;
    let checks = [
        limits.multiple_of.filter(|factor| !is_multiple(number, *factor)).map(|factor| ("a multiple of", factor)),
        limits.minimum.filter(|bound| !is_within(number, *bound, false)).map(|bound| (low(bound), bound.limit)),
        limits.maximum.filter(|bound| !is_within(number, *bound, true)).map(|bound| (high(bound), bound.limit)),
    ];
    for (words, limit) in checks.into_iter().flatten() {
        let limit = if number.is_i64() { (limit as i64).to_string() } else { shown::float(limit) };
        let (at, words) = at.words(shown::number(number), format_args!("should be {words} {limit}"));
        outcome.fail(at, words);
    }
}

fn low(bound: Bound) -> &'static str {
    if bound.exclusive { "greater than" } else { "greater than or equal to" }
}

fn high(bound: Bound) -> &'static str {
    if bound.exclusive { "less than" } else { "less than or equal to" }
}

/// Whole numbers are compared as such, with the fraction of the limit cut off.
fn is_within(number: &Number, bound: Bound, is_upper: bool) -> bool {
    let order = match number.as_i64() {
        Some(int) => int.partial_cmp(&(bound.limit as i64)),
        None => number.as_f64().unwrap_or(f64::NAN).partial_cmp(&bound.limit),
    };
    let order = if is_upper { order } else { order.map(std::cmp::Ordering::reverse) };
    order.is_some_and(|order| order.is_lt() || (order.is_eq() && !bound.exclusive))
}

fn is_multiple(number: &Number, factor: f64) -> bool {
    match number.as_i64() {
        Some(int) if factor >= 1.0 => int % (factor as i64) == 0,
        _ => factor > 0.0 && is_whole(number.as_f64().unwrap_or(f64::NAN) / factor),
    }
}

/// True for a float that is a whole number as JSON has them.
pub(super) fn is_whole(f: f64) -> bool {
    if !f.is_finite() || f.abs() > LARGEST_EXACT {
        return false;
    }
    let off = (f - f.round()).abs();
    off == 0.0 || off < TOLERANCE * f.abs()
}

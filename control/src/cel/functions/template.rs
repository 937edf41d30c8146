//! `'%s has %d'.format(['a', 1])`

use std::fmt::Write as _;

use super::super::evaluate::EvalError;
use super::super::value::{List, Value};
use super::{Answer, Run, convert, failed, no_overload};

/// The most digits behind the point.
const PRECISION: usize = 100;

/// Puts values into a text.
pub fn format<'a>(run: &mut Run<'_>, of: Vec<Value<'a>>) -> Answer<'a> {
    let [Value::String(template), Value::List(values)] = of.as_slice() else { return Err(no_overload(run.name, &of)) };
    run.meter.charge(template.len() / 10)?;
    let mut text = String::new();
    let mut values = values.iter();
    let mut rest: &str = template;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let (precision, after) = precision(rest)?;
        let clause = after.chars().next().ok_or_else(|| failed("unexpected end of string"))?;
        let value = values.next().ok_or_else(|| failed("index out of range for format arguments"))?;
        run.meter.charge(value.weight())?;
        text.push_str(&shown(clause, precision, &value)?);
        rest = &after[clause.len_utf8()..];
        run.meter.charge(text.len() / 1000)?;
    }
    text.push_str(rest);
    Ok(Value::text(text))
}

fn precision(text: &str) -> Result<(Option<usize>, &str), EvalError> {
    let Some(after) = text.strip_prefix('.') else { return Ok((None, text)) };
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let digits = after[..end].parse().ok().filter(|digits| *digits <= PRECISION);
    digits.map(|digits| (Some(digits), &after[end..])).ok_or_else(|| failed("error while parsing precision"))
}

fn shown(clause: char, precision: Option<usize>, value: &Value<'_>) -> Result<String, EvalError> {
    let wrong = |allowed: &str| {
        failed(format!(
            "error during formatting: {allowed} can be formatted as %{clause}, was given {}",
            value.type_name()
        ))
    };
    let digits = precision.unwrap_or(6);
    match (clause, value) {
        ('s', value) => Ok(text(value)),
        ('d', Value::Int(i)) => Ok(i.to_string()),
        ('d', Value::Uint(u)) => Ok(u.to_string()),
        ('d', Value::Double(d)) if d.is_finite() => Ok(d.to_string()),
        ('f', value) => number(value).map(|d| format!("{d:.digits$}")).ok_or_else(|| wrong("only doubles")),
        ('e', value) => number(value).map(|d| exponent(d, digits)).ok_or_else(|| wrong("only doubles")),
        ('b', Value::Int(i)) => Ok(signed(*i, |u| format!("{u:b}"))),
        ('b', Value::Uint(u)) => Ok(format!("{u:b}")),
        ('b', Value::Bool(b)) => Ok(if *b { "1" } else { "0" }.to_owned()),
        ('o', Value::Int(i)) => Ok(signed(*i, |u| format!("{u:o}"))),
        ('o', Value::Uint(u)) => Ok(format!("{u:o}")),
        ('x', Value::Int(i)) => Ok(signed(*i, |u| format!("{u:x}"))),
        ('X', Value::Int(i)) => Ok(signed(*i, |u| format!("{u:X}"))),
        ('x', Value::Uint(u)) => Ok(format!("{u:x}")),
        ('X', Value::Uint(u)) => Ok(format!("{u:X}")),
        ('x', Value::String(text)) => Ok(hex(text.as_bytes())),
        ('X', Value::String(text)) => Ok(hex(text.as_bytes()).to_uppercase()),
        ('x', Value::Bytes(bytes)) => Ok(hex(bytes)),
        ('X', Value::Bytes(bytes)) => Ok(hex(bytes).to_uppercase()),
        ('d' | 'o', _) => Err(wrong("only integers")),
        ('b', _) => Err(wrong("only integers and bools")),
        ('x' | 'X', _) => Err(wrong("only integers, byte buffers, and strings")),
        _ => Err(failed(format!("could not parse formatting clause: unrecognized formatting clause \"{clause}\""))),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown as a float")]
fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(d) => Some(*d),
        Value::Int(i) => Some(*i as f64),
        Value::Uint(u) => Some(*u as f64),
        _ => None,
    }
}

/// With a sign and two digits at least in the exponent, as C has it.
fn exponent(d: f64, digits: usize) -> String {
    let shown = format!("{d:.digits$e}");
    match shown.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{mantissa}e{sign}{exponent:0>2}")
        }
        None => shown,
    }
}

fn signed(i: i64, show: fn(u64) -> String) -> String {
    let shown = show(i.unsigned_abs());
    if i < 0 { format!("-{shown}") } else { shown }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Any value as `%s` shows it.
fn text(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::List(list) => listed(list),
        Value::Map(map) => {
            let entries = map.keys().into_iter().map(|key| {
                let value = map.get(&key).unwrap_or(Value::Null);
                format!("{}: {}", text(&key), text(&value))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Type(name) => name.to_string(),
        value => convert::text_of(value).unwrap_or_else(|| value.type_name().to_owned()),
    }
}

fn listed(list: &List<'_>) -> String {
    let elements: Vec<String> = list.iter().map(|element| text(&element)).collect();
    format!("[{}]", elements.join(", "))
}

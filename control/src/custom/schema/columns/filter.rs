//! `[?(@.type=="Ready")]`: the items of a list of which something is so.

use std::cmp::Ordering;

use serde_json::Value;

use super::path::{self, PathError, Step};
use super::read;

/// A comparison, or the question whether something is there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter {
    left: Operand,
    operator: Operator,
    right: Operand,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Path(Vec<Step>),
    Literal(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
}

/// Longer ones first: `<=` is not `<`.
const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// The filter in a text without `?(` and `)`.
pub(super) fn parse(text: &str, depth: usize) -> Result<Filter, PathError> {
    for (sign, operator) in OPERATORS {
        if let [left, right] = split(text, sign)[..] {
            return Ok(Filter { left: operand(left, depth)?, operator, right: operand(right, depth)? });
        }
    }
    Ok(Filter { left: operand(text, depth)?, operator: Operator::Exists, right: Operand::Literal(Value::Null) })
}

fn operand(text: &str, depth: usize) -> Result<Operand, PathError> {
    let text = text.trim();
    for quote in ['\'', '"'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return Ok(Operand::Literal(inner.into()));
        }
    }
    match text {
        "" => Err(PathError::Filter),
        "true" | "false" => Ok(Operand::Literal((text == "true").into())),
        _ if text.starts_with(['@', '$', '.', '[']) => Ok(Operand::Path(path::steps(text, depth)?)),
        _ => match text.parse::<serde_json::Number>() {
            Ok(number) => Ok(Operand::Literal(Value::Number(number))),
            Err(_) => Err(PathError::Filter),
        },
    }
}

/// Splits a text at a sign that is neither in quotes nor in brackets.
pub(super) fn split<'t>(text: &'t str, sign: &str) -> Vec<&'t str> {
    let (mut parts, mut start, mut open, mut quote) = (Vec::new(), 0, 0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(') => open += 1,
            (None, ']' | ')') => open -= 1,
            (None, _) if open == 0 && at >= start && text[at..].starts_with(sign) => {
                parts.push(&text[start..at]);
                start = at + sign.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

impl Filter {
    /// True for an item that the filter lets through. What can't be compared is not let through.
    pub(super) fn takes(&self, item: &Value) -> bool {
        let (left, right) = (self.left.read(item), self.right.read(item));
        if self.operator == Operator::Exists {
            return !left.is_empty();
        }
        let ([left], [right]) = (&left[..], &right[..]) else { return false };
        let Some(order) = compare(left, right) else { return false };
        match self.operator {
            Operator::Exists => true,
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::LessOrEqual => order.is_le(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Less => order.is_lt(),
            Operator::Greater => order.is_gt(),
        }
    }
}

impl Operand {
    fn read<'v>(&'v self, item: &'v Value) -> Vec<&'v Value> {
        match self {
            Self::Path(steps) => read::all(steps, item),
            Self::Literal(value) => vec![value],
        }
    }
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        _ => None,
    }
}

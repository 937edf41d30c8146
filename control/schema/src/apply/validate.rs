//! Whether an applied configuration fits its type, in upstream's words. It is not decoded into structs as other bodies are:
//! an unknown field or a wrong type is refused, since nobody could own it.

use std::fmt;

use serde_json::Value;

use super::element::Element;
use super::view::{Atom, By, List, Map, Scalar, TypeView};

/// All that does not fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Problem {
    path: String,
    what: String,
}

impl std::error::Error for Problems {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.what),
            path => write!(f, "{path}: {}", self.what),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => only.fmt(f),
            all => {
                f.write_str("errors:")?;
                all.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

/// Checks a configuration against its type.
///
/// # Errors
/// Everything that does not fit, with its path.
pub fn validate(view: TypeView, object: &Value) -> Result<(), Problems> {
    let mut problems = Problems::default();
    at(view, object, "", &mut problems);
    if problems.0.is_empty() { Ok(()) } else { Err(problems) }
}

impl Problems {
    fn add(&mut self, path: &str, what: impl Into<String>) {
        self.0.push(Problem { path: path.to_owned(), what: what.into() });
    }
}

fn at(view: TypeView, value: &Value, path: &str, problems: &mut Problems) {
    match view.atom().deduce(value) {
        Atom { map: Some(map), .. } => of_map(&map, value, path, problems),
        Atom { scalar: Some(scalar), .. } => of_scalar(scalar, value, path, problems),
        Atom { list: Some(list), .. } => of_list(&list, value, path, problems),
        _ => {}
    }
}

fn of_scalar(scalar: Scalar, value: &Value, path: &str, problems: &mut Problems) {
    let shown = || format!("&value.valueUnstructured{{Value:{}}}", go_syntax(value));
    match (scalar, value) {
        (_, Value::Null)
        | (Scalar::String | Scalar::Any, Value::String(_))
        | (Scalar::Number | Scalar::Any, Value::Number(_))
        | (Scalar::Bool | Scalar::Any, Value::Bool(_)) => {}
        (Scalar::String, _) => problems.add(path, format!("expected string, got {}", shown())),
        (Scalar::Number, _) => {
            problems.add(path, format!("expected numeric (int or float), got {}", go_type(value)));
        }
        (Scalar::Bool, _) => problems.add(path, format!("expected boolean, got &{{{}}}", go(value))),
        (Scalar::Any, _) => problems.add(path, format!("expected any scalar, got &{{{}}}", go(value))),
    }
}

fn of_map(map: &Map, value: &Value, path: &str, problems: &mut Problems) {
    let entries = match value {
        Value::Null => return,
        Value::Object(entries) => entries,
        other => return problems.add(path, format!("expected map, got &{{{}}}", go(other))),
    };
    for (name, value) in entries {
        let path = format!("{path}.{name}");
        match map.entry(name) {
            Some(view) => at(view, value, &path, problems),
            None => problems.add(&path, "field not declared in schema"),
        }
    }
}

fn of_list(list: &List, value: &Value, path: &str, problems: &mut Problems) {
    let items = match value {
        Value::Null => return,
        Value::Array(items) => items,
        other => return problems.add(path, format!("expected list, got &{{{}}}", go(other))),
    };
    let mut seen = std::collections::HashSet::new();
    for (index, item) in items.iter().enumerate() {
        if matches!(list.by, By::Whole) {
            at(list.items, item, &format!("{path}[{index}]"), problems);
            continue;
        }
        let element = match list.element(item) {
            Ok(element) => element,
            Err(why) => {
                problems.add(path, format!("element {index}: {why}"));
                continue;
            }
        };
        let shown = Element::shown(&element);
        if !seen.insert(element.text().to_owned()) {
            problems.add(path, format!("duplicate entries for key {shown}"));
        }
        at(list.items, item, &format!("{path}{shown}"), problems);
    }
}

/// Go's `%v` of a decoded value.
fn go(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => crate::merge::go(value),
    }
}

/// Go's `%#v` of a decoded value, for those that one may take for text.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(name, value)| format!("{name:?}:{}", go_syntax(value))).collect();
            format!("map[string]interface {{}}{{{}}}", entries.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// Go's `%T` of a decoded value.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

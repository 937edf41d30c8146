//! The JSONPath of printer columns, selectable fields and scale: a path into an object, and what stands there as a cell.
//!
//! The dialect is kubectl's: `.spec.replicas`, `['a.b']`, `\.` in names, `[0]`, `[-1]`, `[1:3]`, `[*]`, `..name`,
//! `['a','b']` and `[?(@.type=="Ready")]`.

mod filter;
mod path;
mod read;

use jiff::Timestamp;
use objects::time;
use serde_json::Value;

pub use path::PathError;

use super::shown;
use crate::kinds::age;
use path::Step;

/// A path that has been parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath(Box<[Step]>);

impl JsonPath {
    /// Parses a path as it is written in a definition, without braces.
    ///
    /// # Errors
    /// Text that is no path.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Ok(Self(path::parse(text)?.into()))
    }

    /// Everything that the path leads to, in the order of the object.
    pub fn all<'v>(&self, object: &'v Value) -> Vec<&'v Value> {
        read::all(&self.0, object)
    }

    /// The first of them.
    pub fn first<'v>(&self, object: &'v Value) -> Option<&'v Value> {
        self.all(object).into_iter().next()
    }

    /// The text of a selectable field: empty when there is nothing.
    pub fn text(&self, object: &Value) -> String {
        self.first(object).filter(|value| !value.is_null()).map(shown::plain).unwrap_or_default()
    }

    /// A cell of a Table, of the column's type: null when there is nothing, or nothing of that type.
    pub fn cell(&self, ty: &str, object: &Value, now: Timestamp) -> Value {
        self.first(object).map_or(Value::Null, |value| cell(ty, value, now))
    }
}

fn cell(ty: &str, value: &Value, now: Timestamp) -> Value {
    match (ty, value) {
        (_, Value::Null) => Value::Null,
        ("string", value) => shown::plain(value).into(),
        ("integer", Value::Number(n)) => n.as_i64().or_else(|| n.as_f64().map(|f| f as i64)).into(),
        ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => value.clone(),
        ("date", Value::String(text)) if time::parse(text).is_some() => age::since(text, now).into(),
        ("date", Value::String(text)) if text.is_empty() => "<unknown>".into(),
        ("date", Value::String(_)) => "<invalid>".into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests;

//! Whether a value is what its schema says, in the words of the library that checks it upstream.
//!
//! The messages name the field once more (`spec.x in body must be of type integer`) because clients see them so.

use std::fmt;

use serde_json::{Map, Value};

use super::limits::Limits;
use super::outcome::{Outcome, Words};
use super::ratchet::{self, OldItems};
use super::{Additional, Structural, Type, canonical, formats, junctors, numbers, shown};

/// Where a value is: only turned into text when something is wrong there.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    up: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    /// The value as a whole.
    pub const ROOT: At<'static> = At { up: None, step: Step::Root };

    fn field(&'a self, name: &'a str) -> At<'a> {
        At { up: Some(self), step: Step::Field(name) }
    }

    fn index(&'a self, index: usize) -> At<'a> {
        At { up: Some(self), step: Step::Index(index) }
    }

    /// `… in body` and what should have been.
    pub fn words(&self, shown: impl Into<String>, should: impl fmt::Display) -> (String, Words) {
        (self.to_string(), Words::Invalid { shown: shown.into(), detail: format!("{self} in body {should}") })
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(up) = self.up else { return Ok(()) };
        up.fmt(f)?;
        match self.step {
            Step::Root => Ok(()),
            Step::Field(name) if matches!(up.step, Step::Root) => f.write_str(name),
            Step::Field(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

impl Structural {
    /// Checks a value, and tolerates what is wrong with it if it is wrong in an old one just so.
    pub(super) fn check_value(&self, value: &Value, at: &At, old: Option<&Value>) -> Outcome {
        let outcome = self.against(value, at, old);
        if !outcome.is_valid() && old.is_some_and(|old| ratchet::is_same(self, old, value)) {
            return Outcome::passed(outcome.matches);
        }
        outcome
    }

    /// Checks a value; only parts of it may be wrong as they were.
    pub(super) fn against(&self, value: &Value, at: &At, old: Option<&Value>) -> Outcome {
        let mut outcome = self.check_type(value, at);
        let limits = self.limits.as_deref();
        if !value.is_null() {
            outcome.matches += 2;
            if let Some(limits) = limits {
                outcome.merge(junctors::check(limits, value, at, old));
            }
            self.check_kind(limits, value, at, old, &mut outcome);
        }
        if let Some(limits) = limits {
            check_choices(limits, value, at, &mut outcome);
        }
        if let Value::Object(map) = value {
            self.check_object(limits, map, at, old, &mut outcome);
        }
        outcome
    }

    fn check_kind(&self, limits: Option<&Limits>, value: &Value, at: &At, old: Option<&Value>, outcome: &mut Outcome) {
        match (value, limits) {
            (Value::String(text), Some(limits)) => check_text(limits, text, at, outcome),
            (Value::Number(number), Some(limits)) => numbers::check(limits, number, at, outcome),
            (Value::Array(list), limits) => self.check_list(limits, list, at, old, outcome),
            _ => {}
        }
    }

    fn check_list(&self, limits: Option<&Limits>, list: &[Value], at: &At, old: Option<&Value>, outcome: &mut Outcome) {
        if let Some(items) = &self.items {
            let before = OldItems::of(self, old);
            for (index, item) in list.iter().enumerate() {
                outcome.merge(items.check_value(item, &at.index(index), before.get(item)));
            }
        }
        let Some(limits) = limits else { return };
        let count = list.len() as i64;
        if let Some(min) = limits.min_items.filter(|min| count < *min) {
            let (at, words) = at.words(count.to_string(), format_args!("should have at least {min} items"));
            outcome.fail(at, words);
        }
        if let Some(max) = limits.max_items.filter(|max| count > *max) {
            outcome.fail(at.to_string(), Words::TooMany { actual: list.len(), max });
        }
        if limits.unique_items && has_duplicates(list) {
            let (at, words) = at.words("\"\"", "shouldn't contain duplicates");
            outcome.fail(at, words);
        }
    }

    fn check_object(
        &self,
        limits: Option<&Limits>,
        map: &Map<String, Value>,
        at: &At,
        old: Option<&Value>,
        outcome: &mut Outcome,
    ) {
        if let Some((at, words)) = limits.and_then(|limits| check_count(limits, map.len(), at)) {
            outcome.fail(at, words);
            return;
        }
        for (key, value) in map {
            let place = at.field(key);
            match (self.child(key), &self.additional) {
                (Some(child), _) => {
                    outcome.merge(child.check_value(value, &place, old.and_then(|old| old.get(key))));
                }
                (None, Some(Additional::Allowed(false))) => {
                    let detail = format!("{place} in body is a forbidden property");
                    outcome.fail(at.to_string(), Words::Invalid { shown: shown::quoted(key), detail });
                }
                (None, _) => {}
            }
        }
        for name in limits.into_iter().flat_map(|limits| &limits.required) {
            if !map.contains_key(&**name) {
                outcome.fail(at.field(name).to_string(), Words::Required);
            }
        }
    }

    fn check_type(&self, value: &Value, at: &At) -> Outcome {
        let format = self.limits.as_deref().and_then(|limits| limits.format.as_deref());
        let wanted = self.wanted();
        if wanted.is_empty() && (format.is_none() || value.is_null()) {
            return Outcome::passed(usize::from(value.is_null()));
        }
        let (found, found_format) = found(value);
        let fits = wanted.iter().any(|ty| fits(*ty, value)) || (value.is_null() && self.nullable);
        let (named, found) = match format {
            _ if fits => return Outcome::passed(2),
            Some(_) if wanted.is_empty() && value.is_string() => return Outcome::passed(2),
            Some(format) if !matches!(value, Value::Null | Value::String(_) | Value::Array(_)) => {
                (format.to_owned(), found_format)
            }
            _ => (wanted.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(","), found),
        };
        let found = shown::quoted(found);
        let detail = format!("{at} in body must be of type {named}: {found}");
        Outcome::failed(at.to_string(), Words::Type { found, detail })
    }

    fn wanted(&self) -> &[Type] {
        match &self.ty {
            _ if self.int_or_string => &[Type::Integer, Type::String],
            ty => ty.as_slice(),
        }
    }
}

/// The names of a value's type and, for numbers, of its format.
fn found(value: &Value) -> (&'static str, &'static str) {
    match value {
        Value::Null => ("null", ""),
        Value::Bool(_) => ("boolean", ""),
        Value::String(_) => ("string", ""),
        Value::Array(_) => ("array", ""),
        Value::Object(_) => ("object", ""),
        Value::Number(n) if n.is_i64() => ("integer", "int64"),
        Value::Number(_) => ("number", "float64"),
    }
}

fn fits(ty: Type, value: &Value) -> bool {
    match (ty, value) {
        (Type::Object, Value::Object(_))
        | (Type::Array, Value::Array(_))
        | (Type::String, Value::String(_))
        | (Type::Boolean, Value::Bool(_))
        | (Type::Number, Value::Number(_)) => true,
        (Type::Integer, Value::Number(n)) => n.is_i64() || n.as_f64().is_some_and(numbers::is_whole),
        _ => false,
    }
}

fn check_text(limits: &Limits, text: &str, at: &At, outcome: &mut Outcome) {
    let length =
        if limits.max_length.is_some() || limits.min_length.is_some() { text.chars().count() as i64 } else { 0 };
    if let Some(max) = limits.max_length.filter(|max| length > *max) {
        outcome.fail(at.to_string(), Words::TooLong(max));
    } else if let Some(min) = limits.min_length.filter(|min| length < *min) {
        let (at, words) = at.words(shown::quoted(text), format_args!("should be at least {min} chars long"));
        outcome.fail(at, words);
    } else if let Some(pattern) = limits.pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
        let (at, words) = at.words(shown::quoted(text), format_args!("should match '{pattern}'"));
        outcome.fail(at, words);
    }
    if let Some(format) = limits.format.as_deref().filter(|format| !formats::is_valid(format, text)) {
        let found = shown::quoted(text);
        let detail = format!("{at} in body must be of type {format}: {found}");
        outcome.fail(at.to_string(), Words::Type { found, detail });
    }
}

fn check_choices(limits: &Limits, value: &Value, at: &At, outcome: &mut Outcome) {
    let equal = |choice: &Value| choice == value || (choice.is_number() && choice.as_f64() == value.as_f64());
    if limits.choices.is_empty() || (!value.is_null() && limits.choices.iter().any(equal)) {
        return;
    }
    let choices = limits.choices.iter().map(|choice| match choice {
        Value::String(text) => inner(text),
        other => inner(&other.to_string()),
    });
    outcome.fail(at.to_string(), Words::Choice { shown: shown::value(value), choices: choices.collect() });
}

/// Text as it stands between quotes.
fn inner(text: &str) -> String {
    let quoted = shown::quoted(text);
    quoted[1..quoted.len() - 1].to_owned()
}

fn check_count(limits: &Limits, count: usize, at: &At) -> Option<(String, Words)> {
    if let Some(min) = limits.min_properties.filter(|min| (count as i64) < *min) {
        return Some(at.words(count.to_string(), format_args!("should have at least {min} properties")));
    }
    let max = limits.max_properties.filter(|max| count as i64 > *max)?;
    Some((at.to_string(), Words::TooMany { actual: count, max }))
}

fn has_duplicates(list: &[Value]) -> bool {
    let mut seen = std::collections::HashSet::new();
    !list.iter().all(|item| seen.insert(canonical::text(item)))
}

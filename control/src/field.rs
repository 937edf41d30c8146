//! Field errors in Kubernetes' words: where in the object, what is wrong, and which values would do.
//!
//! The wording follows `k8s.io/apimachinery/pkg/util/validation/field`, because clients show it and tests compare it.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::StatusCause;
use serde_json::Value;

const REQUIRED: &str = "FieldValueRequired";
const TOO_LONG: &str = "FieldValueTooLong";
const TOO_MANY: &str = "FieldValueTooMany";
const TYPE_INVALID: &str = "FieldValueTypeInvalid";

/// Nobody reads more errors than this about one object; an object of three megabytes could have a million.
const MOST: usize = 1000;

/// A path into an object: `spec.containers[0].ports[1].name`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// A path that starts at a top-level field.
    pub fn new(field: &str) -> Self {
        Self(field.to_owned())
    }

    /// One field further down.
    #[must_use]
    pub fn child(&self, field: &str) -> Self {
        if self.0.is_empty() { Self::new(field) } else { Self(format!("{}.{field}", self.0)) }
    }

    /// An item of a list.
    #[must_use]
    pub fn index(&self, i: usize) -> Self {
        Self(format!("{}[{i}]", self.0))
    }

    /// An entry of a map.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "<nil>" } else { &self.0 })
    }
}

/// One thing that is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    reason: &'static str,
    field: Path,
    message: String,
}

/// All that is wrong with one object, in the order of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors(Vec<Error>);

impl Errors {
    /// A field that must be there.
    pub fn required(&mut self, at: &Path, detail: &str) {
        self.push(REQUIRED, at, with_detail("Required value".into(), detail));
    }

    /// A value that breaks a rule. `value` is shown as Go's `%v` shows it, strings quoted.
    pub fn invalid(&mut self, at: &Path, value: impl Into<Value>, detail: &str) {
        self.push("FieldValueInvalid", at, with_detail(format!("Invalid value: {}", shown(&value.into())), detail));
    }

    /// A value that breaks a rule, with the words that show it: for types whose form in Go is more than their JSON.
    pub fn invalid_as(&mut self, at: &Path, shown: &str, detail: &str) {
        self.push("FieldValueInvalid", at, with_detail(format!("Invalid value: {shown}"), detail));
    }

    /// A value of another type than its schema says, with the words that show it.
    pub fn type_invalid(&mut self, at: &Path, shown: &str, detail: &str) {
        self.push(TYPE_INVALID, at, with_detail(format!("Invalid value: {shown}"), detail));
    }

    /// A check that could not be done, through no fault of the object.
    pub fn internal(&mut self, at: &Path, detail: &str) {
        self.push("InternalError", at, with_detail("Internal error".into(), detail));
    }

    /// The same rule broken several times over by one value: one error for each message.
    pub fn all_invalid(&mut self, at: &Path, value: &str, details: Vec<String>) {
        for detail in details {
            self.invalid(at, value, &detail);
        }
    }

    /// A value outside a closed list.
    pub fn not_supported(&mut self, at: &Path, value: impl Into<Value>, supported: &[&str]) {
        self.not_supported_text(at, &shown(&value.into()), supported);
    }

    /// The same for a value that Go shows in a way of its own.
    pub fn not_supported_text(&mut self, at: &Path, shown: &str, supported: &[&str]) {
        let list: Vec<String> = supported.iter().map(|s| format!("\"{s}\"")).collect();
        let message = format!("Unsupported value: {shown}: supported values: {}", list.join(", "));
        self.push("FieldValueNotSupported", at, message);
    }

    /// A value that stands elsewhere already.
    pub fn duplicate(&mut self, at: &Path, value: impl Into<Value>) {
        self.push("FieldValueDuplicate", at, format!("Duplicate value: {}", shown(&value.into())));
    }

    /// A value that stands elsewhere already, with the words that show it.
    pub fn duplicate_as(&mut self, at: &Path, shown: &str) {
        self.push("FieldValueDuplicate", at, format!("Duplicate value: {shown}"));
    }

    /// A field that may not be there.
    pub fn forbidden(&mut self, at: &Path, detail: &str) {
        self.push("FieldValueForbidden", at, with_detail("Forbidden".into(), detail));
    }

    /// A reference to something that does not exist.
    pub fn not_found(&mut self, at: &Path, value: impl Into<Value>) {
        self.push("FieldValueNotFound", at, format!("Not found: {}", shown(&value.into())));
    }

    /// More than `max` bytes.
    pub fn too_long(&mut self, at: &Path, max: usize) {
        self.push(TOO_LONG, at, format!("Too long: may not be more than {max} bytes"));
    }

    /// More than `max` items.
    pub fn too_many(&mut self, at: &Path, actual: usize, max: usize) {
        self.push(TOO_MANY, at, format!("Too many: {actual}: must have at most {max} items"));
    }

    /// True when a value is missing, too large or of the wrong type: rules that compute with it would only fail oddly.
    pub fn is_blocking(&self) -> bool {
        self.0.iter().any(|e| matches!(e.reason, REQUIRED | TOO_LONG | TOO_MANY | TYPE_INVALID))
    }

    /// Puts the errors in the order of their words.
    pub fn sort(&mut self) {
        self.0.sort_by_cached_key(|e| format!("{}: {}", e.field, e.message));
    }

    /// Takes over what another check found.
    pub fn append(&mut self, mut other: Errors) {
        self.0.append(&mut other.0);
    }

    /// How much is wrong.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The causes as `Status.details` carries them.
    pub fn causes(&self) -> Vec<StatusCause> {
        self.0
            .iter()
            .map(|e| StatusCause {
                field: Some(e.field.to_string()),
                message: Some(e.message.clone()),
                reason: Some(e.reason.to_owned()),
            })
            .collect()
    }

    fn push(&mut self, reason: &'static str, at: &Path, message: String) {
        if self.0.len() < MOST {
            self.0.push(Error { reason, field: at.clone(), message });
        }
    }
}

impl fmt::Display for Errors {
    /// `a: Required value` for one, `[a: Required value, b: Invalid value: 1]` for several.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said: Vec<String> = Vec::with_capacity(self.0.len());
        for e in &self.0 {
            let line = format!("{}: {}", e.field, e.message);
            if !said.contains(&line) {
                said.push(line);
            }
        }
        match said.as_slice() {
            [one] => f.write_str(one),
            many => write!(f, "[{}]", many.join(", ")),
        }
    }
}

fn with_detail(text: String, detail: &str) -> String {
    if detail.is_empty() { text } else { format!("{text}: {detail}") }
}

/// A value as Go's `%#v` shows it: plain values as in JSON, maps and lists of strings with their type.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(map) if map.values().all(Value::is_string) => {
            let mut entries: Vec<String> =
                map.iter().map(|(k, v)| format!("{}:{v}", Value::from(k.as_str()))).collect();
            entries.sort();
            format!("map[string]string{{{}}}", entries.join(", "))
        }
        Value::Array(list) if list.iter().all(Value::is_string) => {
            let items: Vec<String> = list.iter().map(Value::to_string).collect();
            format!("[]string{{{}}}", items.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_go_shows_them() {
        assert_eq!(shown(&serde_json::json!({"b": "2", "a": "1"})), r#"map[string]string{"a":"1", "b":"2"}"#);
        assert_eq!(shown(&serde_json::json!(["Some"])), r#"[]string{"Some"}"#);
        assert_eq!(shown(&Value::Null), "null");
    }

    #[test]
    fn words_are_those_of_kubernetes() {
        let mut errors = Errors::default();
        let containers = Path::new("spec").child("containers").index(0);
        errors.required(&containers.child("image"), "");
        assert_eq!(errors.to_string(), "spec.containers[0].image: Required value");
        errors.not_supported(&Path::new("spec").child("restartPolicy"), "X", &["Always", "Never"]);
        assert_eq!(
            errors.to_string(),
            "[spec.containers[0].image: Required value, spec.restartPolicy: Unsupported value: \"X\": supported values: \"Always\", \"Never\"]"
        );
    }
}

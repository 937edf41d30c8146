//! What clients see of schemas, in the words they see.

mod checks;
mod forms;
mod properties;
mod rules;
mod values;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::field::{Errors, Path};

/// A schema of an object with this as its `spec`.
fn with_spec(spec: Value) -> Value {
    json!({"type": "object", "properties": {"spec": spec}})
}

fn parsed(schema: &Value) -> Arc<Structural> {
    Structural::parse(schema).expect("a schema that can be parsed")
}

/// What [`check`] says of a schema at the root of a definition.
fn said_of(schema: &Value) -> Vec<String> {
    let mut errors = Errors::default();
    check(schema, &Path::new("s"), &mut errors);
    lines(&errors)
}

/// Every error as `field: message`.
fn lines(errors: &Errors) -> Vec<String> {
    let text = |part: Option<String>| part.unwrap_or_default();
    errors.causes().into_iter().map(|cause| format!("{}: {}", text(cause.field), text(cause.message))).collect()
}

//! Whether every keyword of a schema makes sense where it stands.

mod lists;
mod rules;

use std::borrow::Cow;

use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// The types there are.
const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Keywords of JSON Schema that Kubernetes does not have.
const UNSUPPORTED: [&str; 6] = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"];

/// Where a schema stands, as far as it matters to what is within.
#[derive(Clone, Copy)]
struct Context<'a> {
    is_root: bool,
    /// Below `metadata`, `apiVersion` or `kind` of an object.
    is_meta: bool,
    /// Why there may be no defaults here.
    no_defaults: Option<&'a str>,
    /// The list whose items can't be told apart from one update to the next.
    uncorrelatable: Option<&'a Path>,
    /// True on the trunk of a schema that is structural.
    rules: bool,
}

/// What was found: the errors of rules come last.
#[derive(Default)]
struct Found {
    keywords: Errors,
    rules: Errors,
}

/// Checks a whole schema; rules are compiled only if `structural`.
pub(super) fn check(schema: &Value, at: &Path, structural: bool, errors: &mut Errors) {
    let context = Context { is_root: true, is_meta: false, no_defaults: None, uncorrelatable: None, rules: structural };
    let found = node(schema, at, context);
    errors.append(found.keywords);
    errors.append(found.rules);
}

fn node(schema: &Value, at: &Path, context: Context<'_>) -> Found {
    let mut found = Found::default();
    standard(schema, at, context, &mut found.keywords);
    if schema.flag("uniqueItems") {
        let words = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        found.keywords.forbidden(&at.child("uniqueItems"), words);
    }
    maps(schema, at, context, &mut found);
    junctors(schema, at, context, &mut found);
    items(schema, at, context, &mut found);
    if schema["x-kubernetes-preserve-unknown-fields"] == Value::Bool(false) {
        found.keywords.invalid(&at.child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined");
    }
    lists::check(schema, at, &mut found.keywords);
    rules::check(schema, at, context, &mut found);
    found
}

impl Found {
    fn merge(&mut self, other: Self) {
        self.keywords.append(other.keywords);
        self.rules.append(other.rules);
    }
}

fn standard(schema: &Value, at: &Path, context: Context<'_>, errors: &mut Errors) {
    let ty = schema.text("type");
    if !ty.is_empty() && !TYPES.contains(&ty) {
        errors.not_supported(&at.child("type"), ty, &TYPES);
    }
    if let Some(reason) = context.no_defaults.filter(|_| schema.has("default")) {
        errors.forbidden(&at.child("default"), &format!("must not be set {reason}"));
    }
    for field in UNSUPPORTED.into_iter().filter(|field| is_given(&schema[*field])) {
        errors.forbidden(&at.child(field), &format!("{field} is not supported"));
    }
    if ty == "null" {
        errors.forbidden(&at.child("type"), "type cannot be set to null, use nullable as an alternative");
    }
    if !schema.items("items").is_empty() {
        errors.forbidden(&at.child("items"), "items must be a schema object and not an array");
    }
    if context.is_meta && schema.flag("x-kubernetes-embedded-resource") {
        errors.forbidden(&at.child("x-kubernetes-embedded-resource"), "must not be used inside of resource meta");
    }
}

fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

fn maps(schema: &Value, at: &Path, context: Context<'_>, found: &mut Found) {
    let additional = schema.at("additionalProperties");
    let properties = || schema.entries("properties");
    if *additional == Value::Bool(false) || additional.is_object() {
        let place = at.child("additionalProperties");
        if properties().next().is_some() {
            found.keywords.forbidden(&place, "additionalProperties and properties are mutual exclusive");
        }
        if additional.is_object() {
            let reason = context.is_meta.then_some("inside additionalProperties applying to object metadata");
            let no_defaults = reason.or(context.no_defaults);
            found.merge(node(additional, &place, Context { is_root: false, no_defaults, ..context }));
        }
    }
    let is_object = context.is_root || schema.flag("x-kubernetes-embedded-resource");
    for (name, property) in properties() {
        let is_meta = is_object && matches!(name, "metadata" | "apiVersion" | "kind");
        let reason = match (is_meta && context.is_root, context.no_defaults) {
            (true, _) => Some(Cow::Owned(format!("in top-level {name}"))),
            (false, reason) => reason.map(Cow::Borrowed),
        };
        let within =
            Context { is_root: false, is_meta: context.is_meta || is_meta, no_defaults: reason.as_deref(), ..context };
        found.merge(node(property, &at.child("properties").key(name), within));
    }
}

fn junctors(schema: &Value, at: &Path, context: Context<'_>, found: &mut Found) {
    let within = Context { is_root: false, rules: false, ..context };
    if schema.at("not").is_object() {
        found.merge(node(schema.at("not"), &at.child("not"), within));
    }
    for junctor in ["allOf", "oneOf", "anyOf"] {
        for (index, nested) in schema.items(junctor).iter().enumerate() {
            found.merge(node(nested, &at.child(junctor).index(index), within));
        }
    }
}

fn items(schema: &Value, at: &Path, context: Context<'_>, found: &mut Found) {
    let items = schema.at("items");
    let place = at.child("items");
    let has_keys = schema.text("x-kubernetes-list-type") == "map";
    let uncorrelatable = context.uncorrelatable.or_else(|| (!has_keys).then_some(at));
    let within = Context { is_root: false, uncorrelatable, ..context };
    match items {
        Value::Object(_) => found.merge(node(items, &place, within)),
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                found.merge(node(item, &place.index(index), within));
            }
        }
        _ => {}
    }
}

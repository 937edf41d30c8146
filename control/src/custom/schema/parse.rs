//! From the JSON of a schema to the tree.
//!
//! Schemas repeat themselves a lot (a pod template in every version of a CRD, a thousand plain strings), so nodes are
//! interned: two parts with the same keywords and the same children are one node. Words for people are left out.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::limits::{Bound, Limits};
use super::pattern::Pattern;
use super::rules::Rule;
use super::{Additional, DEEPEST, List, Structural, Type, formats};
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// What a node is not made of: its children, and words.
const NOT_OWN: [&str; 11] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "description",
    "example",
    "externalDocs",
    "items",
    "not",
    "oneOf",
    "properties",
    "title",
];

impl Structural {
    /// Makes the tree of a schema: `openAPIV3Schema` of a CustomResourceDefinition.
    ///
    /// # Errors
    /// A schema that says something that no structural schema can. [`super::check`] tells all that is wrong with it.
    pub fn parse(schema: &Value) -> Result<Arc<Self>, Errors> {
        match unsupported(schema, 0) {
            None => Ok(Parser::default().root(schema)),
            Some(words) => {
                let mut errors = Errors::default();
                errors.invalid(&Path::new("openAPIV3Schema"), "", &words);
                Err(errors)
            }
        }
    }
}

impl Structural {
    /// The tree of a part of a schema without its rules, if it has one.
    pub(super) fn parse_part(schema: &Value) -> Option<Arc<Self>> {
        let mut parser = Parser { without_rules: true, ..Parser::default() };
        unsupported(schema, 0).is_none().then(|| parser.node(schema))
    }
}

/// The first thing in a schema that the tree has no place for.
pub(super) fn unsupported(schema: &Value, depth: usize) -> Option<String> {
    if depth > DEEPEST {
        return Some(format!("must not be nested more than {DEEPEST} levels deep"));
    }
    let named = [
        ("id", "id"),
        ("$schema", "schema"),
        ("$ref", "$ref"),
        ("patternProperties", "patternProperties"),
        ("dependencies", "dependencies"),
        ("additionalItems", "additionalItems"),
        ("definitions", "definitions"),
    ];
    if let Some((_, word)) = named.iter().find(|(field, _)| is_set(schema.at(field))) {
        return Some(format!("OpenAPIV3Schema '{word}' is not supported"));
    }
    if schema.at("items").is_array() {
        return Some("OpenAPIV3Schema 'items' must be a schema, but is an array".to_owned());
    }
    if schema["x-kubernetes-preserve-unknown-fields"] == Value::Bool(false) {
        return Some("internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined".to_owned());
    }
    children(schema).find_map(|child| unsupported(child, depth + 1))
}

/// True for a schema that nothing should walk through.
pub(super) fn is_too_deep(schema: &Value) -> bool {
    fn deeper(schema: &Value, left: usize) -> bool {
        left == 0 || children(schema).any(|child| deeper(child, left - 1))
    }
    deeper(schema, DEEPEST + 1)
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

/// Every schema directly within one.
pub(super) fn children(schema: &Value) -> impl Iterator<Item = &Value> {
    let single = ["not", "items", "additionalProperties"].into_iter().map(|f| schema.at(f)).filter(|v| v.is_object());
    let listed = ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|f| schema.items(f));
    single.chain(listed).chain(schema.entries("properties").map(|(_, v)| v))
}

#[derive(Default)]
struct Parser {
    known: HashMap<String, Arc<Structural>>,
    without_rules: bool,
}

impl Parser {
    /// The node of an object as a whole: its rules know more of it than others do.
    fn root(&mut self, schema: &Value) -> Arc<Structural> {
        let children = self.children(schema);
        Arc::new(node(schema, children, Rule::all(schema, true)))
    }

    fn node(&mut self, schema: &Value) -> Arc<Structural> {
        let children = self.children(schema);
        let key = key(schema, &children);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let rules = if self.without_rules { Box::default() } else { Rule::all(schema, false) };
        let made = Arc::new(node(schema, children, rules));
        self.known.insert(key, made.clone());
        made
    }

    fn children(&mut self, schema: &Value) -> Children {
        Children {
            properties: self.properties(schema),
            additional: self.additional(schema.at("additionalProperties")),
            items: self.single(schema.at("items")),
            not: self.single(schema.at("not")),
            all_of: self.list(schema.items("allOf")),
            any_of: self.list(schema.items("anyOf")),
            one_of: self.list(schema.items("oneOf")),
        }
    }

    fn properties(&mut self, schema: &Value) -> Box<[(Box<str>, Arc<Structural>)]> {
        let mut properties: Vec<(Box<str>, _)> =
            schema.entries("properties").map(|(name, schema)| (Box::from(name), self.node(schema))).collect();
        properties.sort_by(|(a, _), (b, _)| a.cmp(b));
        properties.into()
    }

    fn additional(&mut self, value: &Value) -> Option<Additional> {
        match value {
            Value::Bool(allowed) => Some(Additional::Allowed(*allowed)),
            Value::Object(_) => Some(Additional::Schema(self.node(value))),
            _ => None,
        }
    }

    fn single(&mut self, value: &Value) -> Option<Arc<Structural>> {
        value.is_object().then(|| self.node(value))
    }

    fn list(&mut self, values: &[Value]) -> Box<[Arc<Structural>]> {
        values.iter().map(|value| self.node(value)).collect()
    }
}

struct Children {
    properties: Box<[(Box<str>, Arc<Structural>)]>,
    additional: Option<Additional>,
    items: Option<Arc<Structural>>,
    not: Option<Arc<Structural>>,
    all_of: Box<[Arc<Structural>]>,
    any_of: Box<[Arc<Structural>]>,
    one_of: Box<[Arc<Structural>]>,
}

impl Children {
    /// Those that values have, junctors left out.
    fn trunk(&self) -> impl Iterator<Item = &Arc<Structural>> {
        let additional = match &self.additional {
            Some(Additional::Schema(schema)) => Some(schema),
            _ => None,
        };
        self.properties.iter().map(|(_, property)| property).chain(additional).chain(&self.items)
    }
}

/// What two nodes have in common exactly when they are the same: their own keywords, and the identity of their children.
fn key(schema: &Value, children: &Children) -> String {
    let own: Map<String, Value> = schema
        .entries("")
        .filter(|(field, _)| !NOT_OWN.contains(field))
        .map(|(field, value)| (field.to_owned(), value.clone()))
        .collect();
    let mut key = Value::Object(own).to_string();
    for (name, child) in &children.properties {
        let _ = write!(key, "{name}:{:p},", Arc::as_ptr(child));
    }
    match &children.additional {
        Some(Additional::Schema(child)) => drop(write!(key, "+{:p}", Arc::as_ptr(child))),
        Some(Additional::Allowed(allowed)) => drop(write!(key, "+{allowed}")),
        None => {}
    }
    for (mark, list) in [('&', &children.all_of), ('|', &children.any_of), ('^', &children.one_of)] {
        for child in list {
            let _ = write!(key, "{mark}{:p}", Arc::as_ptr(child));
        }
    }
    for (mark, child) in [('[', &children.items), ('!', &children.not)] {
        if let Some(child) = child {
            let _ = write!(key, "{mark}{:p}", Arc::as_ptr(child));
        }
    }
    key
}

fn node(schema: &Value, children: Children, rules: Box<[Rule]>) -> Structural {
    let governed = !rules.is_empty() || children.trunk().any(|child| child.governed);
    let ty = Type::named(schema.text("type"));
    let int_or_string = schema.flag("x-kubernetes-int-or-string");
    let limits = Limits {
        format: formats::known(schema.text("format"), if int_or_string { None } else { ty }).map(Box::from),
        pattern: Some(schema.text("pattern")).filter(|p| !p.is_empty()).map(Pattern::new),
        maximum: bound(schema, "maximum", "exclusiveMaximum"),
        minimum: bound(schema, "minimum", "exclusiveMinimum"),
        multiple_of: schema.at("multipleOf").as_f64(),
        max_length: schema.int("maxLength"),
        min_length: schema.int("minLength"),
        max_items: schema.int("maxItems"),
        min_items: schema.int("minItems"),
        max_properties: schema.int("maxProperties"),
        min_properties: schema.int("minProperties"),
        unique_items: schema.flag("uniqueItems"),
        choices: schema.items("enum").into(),
        required: texts(schema.items("required")),
        all_of: children.all_of,
        any_of: children.any_of,
        one_of: children.one_of,
        not: children.not,
    };
    Structural {
        ty,
        int_or_string,
        nullable: schema.flag("nullable"),
        preserve_unknown: schema.flag("x-kubernetes-preserve-unknown-fields"),
        embedded: schema.flag("x-kubernetes-embedded-resource"),
        properties: children.properties,
        additional: children.additional,
        items: children.items,
        default: schema.get("default").filter(|v| !v.is_null()).cloned().map(Box::new),
        list: list(schema),
        atomic_map: schema.text("x-kubernetes-map-type") == "atomic",
        limits: (!limits.is_empty()).then(|| Box::new(limits)),
        rules,
        governed,
    }
}

fn bound(schema: &Value, limit: &str, exclusive: &str) -> Option<Bound> {
    Some(Bound { limit: schema.at(limit).as_f64()?, exclusive: schema.flag(exclusive) })
}

fn list(schema: &Value) -> List {
    match schema.text("x-kubernetes-list-type") {
        "set" => List::Set,
        "map" => List::Map(texts(schema.items("x-kubernetes-list-map-keys"))),
        _ => List::Atomic,
    }
}

fn texts(values: &[Value]) -> Box<[Box<str>]> {
    values.iter().filter_map(Value::as_str).map(Box::from).collect()
}

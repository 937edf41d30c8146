//! Structural schemas: what a custom resource's fields are, and everything that follows from it.
//!
//! A CustomResourceDefinition brings its OpenAPI v3 schema as JSON. [`check`] says what is wrong with it, and
//! [`Structural::parse`] makes a compact tree of it, in which equal parts are one, once for as long as it is served. An
//! object then goes through it in this order:
//!
//! [`Structural::admit`] (unknown fields, nulls, metadata) → [`Structural::default`] → [`Structural::validate`] (values, list
//! types, rules), and [`columns`] reads the cells of its Tables.
//!
//! # Guarantees
//! Nothing here does I/O. Time is bounded by the sizes of schema and object: patterns match in linear time, rules have a
//! budget, lists are compared through hashes, and no more than [`MANY`] failures are told.

mod admit;
mod canonical;
mod check;
mod columns;
mod default;
mod formats;
mod junctors;
mod limits;
mod list_type;
mod metadata;
mod numbers;
mod outcome;
mod parse;
mod pattern;
mod prune;
mod publish;
mod ratchet;
mod rules;
mod shown;
#[cfg(test)]
mod tests;
mod tree;
mod validate;
mod values;

use std::sync::Arc;

use serde_json::Value;

pub use check::{check, check_beside_status};
pub use columns::{JsonPath, PathError};
pub use formats::unrecognized as unrecognized_formats;
pub use publish::publish;

use limits::Limits;
use rules::Rule;

/// How many failures of one object are told; the rest would only be noise.
pub const MANY: usize = 1000;

/// How deep a schema may be.
pub const DEEPEST: usize = 256;

/// A schema or a part of one.
#[derive(Debug, Default)]
pub struct Structural {
    /// Nothing where the schema leaves it open, as it does below `allOf` and the like.
    ty: Option<Type>,
    int_or_string: bool,
    nullable: bool,
    preserve_unknown: bool,
    embedded: bool,
    /// Sorted by name.
    properties: Box<[(Box<str>, Arc<Structural>)]>,
    additional: Option<Additional>,
    items: Option<Arc<Structural>>,
    default: Option<Box<Value>>,
    list: List,
    atomic_map: bool,
    limits: Option<Box<Limits>>,
    rules: Box<[Rule]>,
    /// True where there are rules, here or within.
    governed: bool,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `object`
    Object,
    /// `array`
    Array,
    /// `string`
    String,
    /// `integer`
    Integer,
    /// `number`
    Number,
    /// `boolean`
    Boolean,
}

impl Type {
    const ALL: [(&'static str, Self); 6] = [
        ("array", Self::Array),
        ("boolean", Self::Boolean),
        ("integer", Self::Integer),
        ("number", Self::Number),
        ("object", Self::Object),
        ("string", Self::String),
    ];

    /// The type of a name in a schema.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, ty)| *ty)
    }

    /// Its name in a schema.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, ty)| *ty == self).map_or("", |(name, _)| name)
    }
}

/// `additionalProperties`
#[derive(Debug)]
enum Additional {
    Allowed(bool),
    Schema(Arc<Structural>),
}

/// `x-kubernetes-list-type` and its keys.
#[derive(Debug, Default, PartialEq, Eq)]
enum List {
    #[default]
    Atomic,
    Set,
    Map(Box<[Box<str>]>),
}

impl Structural {
    /// The schema of a property that is named.
    fn property(&self, name: &str) -> Option<&Arc<Structural>> {
        let at = self.properties.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(&self.properties[at].1)
    }

    /// The schema of the values of a map.
    fn additional(&self) -> Option<&Arc<Structural>> {
        match &self.additional {
            Some(Additional::Schema(schema)) => Some(schema),
            _ => None,
        }
    }

    /// The name of its type, if it has one.
    fn type_name(&self) -> &'static str {
        self.ty.map_or("", Type::name)
    }

    /// The schema of a key, named or not.
    fn child(&self, key: &str) -> Option<&Arc<Structural>> {
        self.property(key).or_else(|| self.additional())
    }
}

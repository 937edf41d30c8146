//! The schema as server-side apply sees it: who owns what together.

use std::sync::Arc;

use schema::apply::{Owned, Scalar, Tree};
use serde_json::Value;

use super::metadata::object_meta;
use super::{Additional, List, Structural, Type};

impl Structural {
    /// The type of an object, for apply. It is made once and kept with the kind.
    pub fn tree(&self) -> Tree {
        self.object(true)
    }

    fn node(&self) -> Tree {
        match self.ty {
            _ if self.int_or_string => Tree::Scalar(Scalar::Any),
            Some(Type::Object) => self.object(self.embedded),
            Some(Type::Array) => Tree::List { items: Box::new(self.item()), owned: self.owned() },
            Some(Type::String) => Tree::Scalar(Scalar::String),
            Some(Type::Integer | Type::Number) => Tree::Scalar(Scalar::Number),
            Some(Type::Boolean) => Tree::Scalar(Scalar::Bool),
            None => Tree::Untyped { atomic: !self.preserve_unknown },
        }
    }

    fn object(&self, is_whole: bool) -> Tree {
        let atomic = self.atomic_map;
        match &self.additional {
            Some(Additional::Schema(values)) => Tree::Map { values: Box::new(values.node()), atomic },
            Some(Additional::Allowed(true)) if self.properties.is_empty() => {
                Tree::Map { values: Box::new(Tree::Untyped { atomic: true }), atomic }
            }
            _ => {
                let mut fields: Vec<(Arc<str>, Tree)> =
                    self.properties.iter().map(|(name, property)| (Arc::from(&**name), property.node())).collect();
                if is_whole {
                    with_object_fields(&mut fields);
                }
                Tree::structure(fields, self.preserve_unknown, atomic)
            }
        }
    }

    fn item(&self) -> Tree {
        self.items.as_ref().map_or(Tree::Untyped { atomic: true }, |items| items.node())
    }

    fn owned(&self) -> Owned {
        match &self.list {
            List::Atomic => Owned::Whole,
            List::Set => Owned::ByValue,
            List::Map(keys) => {
                Owned::ByKeys(keys.iter().map(|key| (Arc::from(&**key), self.default_of(key))).collect())
            }
        }
    }

    /// The default of a key in the items of a list.
    fn default_of(&self, key: &str) -> Option<Value> {
        self.items.as_ref()?.property(key)?.default.as_deref().cloned()
    }
}

/// `apiVersion`, `kind` and `metadata` are what they are in every object.
fn with_object_fields(fields: &mut Vec<(Arc<str>, Tree)>) {
    fields.retain(|(name, _)| !matches!(&**name, "apiVersion" | "kind" | "metadata"));
    fields.push(("apiVersion".into(), Tree::Scalar(Scalar::String)));
    fields.push(("kind".into(), Tree::Scalar(Scalar::String)));
    fields.push(("metadata".into(), Tree::BuiltIn(object_meta())));
}

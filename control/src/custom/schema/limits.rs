//! What a schema says about values beyond their type.

use std::sync::Arc;

use serde_json::Value;

use super::Structural;
use super::pattern::Pattern;

/// The keywords that restrict values. Most nodes have none and carry no limits at all.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// As the schema spells it; only if it is checked.
    pub format: Option<Box<str>>,
    pub pattern: Option<Pattern>,
    pub maximum: Option<Bound>,
    pub minimum: Option<Bound>,
    pub multiple_of: Option<f64>,
    pub max_length: Option<i64>,
    pub min_length: Option<i64>,
    pub max_items: Option<i64>,
    pub min_items: Option<i64>,
    pub max_properties: Option<i64>,
    pub min_properties: Option<i64>,
    pub unique_items: bool,
    pub choices: Box<[Value]>,
    pub required: Box<[Box<str>]>,
    pub all_of: Box<[Arc<Structural>]>,
    pub any_of: Box<[Arc<Structural>]>,
    pub one_of: Box<[Arc<Structural>]>,
    pub not: Option<Arc<Structural>>,
}

/// One end of a range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub limit: f64,
    pub exclusive: bool,
}

impl Limits {
    /// True when nothing is restricted.
    pub fn is_empty(&self) -> bool {
        let counts = [
            self.max_length,
            self.min_length,
            self.max_items,
            self.min_items,
            self.max_properties,
            self.min_properties,
        ];
        let lists = [&self.all_of, &self.any_of, &self.one_of];
        counts.iter().all(Option::is_none)
            && lists.iter().all(|list| list.is_empty())
            && self.format.is_none()
            && self.pattern.is_none()
            && self.maximum.is_none()
            && self.minimum.is_none()
            && self.multiple_of.is_none()
            && !self.unique_items
            && self.choices.is_empty()
            && self.required.is_empty()
            && self.not.is_none()
    }
}

//! Which objects of a collection a request is about: labels and fields.

use std::borrow::Cow;
use std::collections::HashMap;

use objects::selectors::{FieldError, FieldSelector, LabelSelector, SelectorError};
use serde::Deserialize;
use serde_json::Value;

use super::object::{meta_str, metadata};
use super::resources::Resource;
use crate::status::Status;
use crate::store::Entry;

/// A label selector and a field selector, checked against what the kind can select by.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Reads the query parameters `labelSelector` and `fieldSelector`.
    ///
    /// # Errors
    /// 400 for a selector that cannot be parsed or names a field that cannot be selected by.
    pub fn parse(resource: &Resource, labels: &str, fields: &str) -> Result<Self, Status> {
        let labels: LabelSelector = labels.parse().map_err(|e: SelectorError| Status::bad_request(e.to_string()))?;
        let fields: FieldSelector = fields.parse().map_err(|e: FieldError| Status::bad_request(e.to_string()))?;
        let known = |f: &str| is_metadata(f) || resource.is_selectable(f);
        if let Some(unknown) = fields.terms().iter().map(|t| t.field.as_str()).find(|f| !known(f)) {
            return Err(Status::bad_request(match resource.has_no_fields() {
                true => format!(
                    "\"{unknown}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                ),
                false => format!("field label not supported: {unknown}"),
            }));
        }
        Ok(Self { labels, fields })
    }

    /// True where everything is taken, and objects need not be looked at.
    pub fn takes_all(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    /// The one name that the selection asks for, if it does.
    pub fn name(&self) -> Option<&str> {
        self.fields.required("metadata.name")
    }

    /// True for objects that the request is about.
    pub fn matches(&self, resource: &Resource, object: &Value) -> bool {
        if !self.labels.is_everything() {
            let labels = metadata(object).and_then(|m| m.get("labels")).and_then(Value::as_object);
            let label = |key: &str| labels.and_then(|l| l.get(key)).and_then(Value::as_str);
            if !self.labels.matches_with(label) {
                return false;
            }
        }
        self.fields.is_everything()
            || self.fields.matches(|field| match field {
                "metadata.name" => meta_str(object, "name").to_owned(),
                "metadata.namespace" => meta_str(object, "namespace").to_owned(),
                other => resource.field(object, other),
            })
    }

    /// The same for an object that is still encoded. Only fields of the kind's own need all of it.
    pub fn takes(&self, resource: &Resource, entry: &Entry) -> bool {
        if self.takes_all() {
            return true;
        }
        if self.fields.terms().iter().any(|t| !is_metadata(&t.field)) {
            return self.matches(resource, &entry.value());
        }
        let by_key = self.fields.matches(|field| match field {
            "metadata.name" => entry.key.name.to_string(),
            _ => entry.key.namespace.to_string(),
        });
        by_key && (self.labels.is_everything() || labels_match(&self.labels, &entry.bytes))
    }
}

fn is_metadata(field: &str) -> bool {
    matches!(field, "metadata.name" | "metadata.namespace")
}

/// As much of an object as its labels need; the rest is skipped, not built.
#[derive(Deserialize)]
struct Labelled<'a> {
    #[serde(borrow)]
    metadata: Labels<'a>,
}

#[derive(Deserialize)]
struct Labels<'a> {
    #[serde(borrow, default)]
    labels: HashMap<Cow<'a, str>, Cow<'a, str>>,
}

fn labels_match(selector: &LabelSelector, bytes: &[u8]) -> bool {
    let labelled: Result<Labelled, _> = serde_json::from_slice(bytes);
    labelled.is_ok_and(|o| selector.matches_with(|key| o.metadata.labels.get(key).map(|value| &**value)))
}

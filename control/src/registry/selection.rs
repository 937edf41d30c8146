//! Which objects of a collection a request is about: labels and fields.

mod labels;

use objects::selectors::{FieldError, FieldSelector, LabelSelector, SelectorError};
use serde::Deserializer as _;
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

/// True where the labels of an encoded object match. Nothing behind the labels is read, which is most of an object.
fn labels_match(selector: &LabelSelector, bytes: &[u8]) -> bool {
    let mut labels = None;
    // The error is the reader's own: it stops as soon as it has what it came for.
    let _ = serde_json::Deserializer::from_slice(bytes)
        .deserialize_map(labels::Finder { inside: false, found: &mut labels });
    let labels = labels.unwrap_or_default();
    selector.matches_with(|key| labels.get(key).map(|value| &**value))
}

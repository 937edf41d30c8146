//! Which objects of a collection a request is about: labels and fields.

use objects::selectors::{FieldError, FieldSelector, LabelSelector, SelectorError};
use serde_json::Value;

use super::object::{meta_str, metadata};
use super::resources::Resource;
use crate::status::Status;

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
        let known = |f: &str| {
            f == "metadata.name"
                || (f == "metadata.namespace" && resource.row.namespaced)
                || resource.behavior.fields.contains(&f)
        };
        if let Some(unknown) = fields.terms().iter().map(|t| t.field.as_str()).find(|f| !known(f)) {
            return Err(Status::bad_request(format!("field label not supported: {unknown}")));
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
                other => (resource.behavior.field)(object, other),
            })
    }
}

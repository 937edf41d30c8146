//! The forms of an object: the version in which a request writes, those in which others wrote before, and the fields that
//! the endpoint ignores.

use std::borrow::Cow;
use std::sync::Arc;

use schema::apply::{FieldSet, TypeView, Versions, blank};
use serde_json::{Value, json};

use crate::registry::part::Part;
use crate::registry::resources::{Resource, Resources};

/// A kind in the version of a request, seen through one of its endpoints.
pub struct Form<'a> {
    resources: Arc<Resources>,
    requested: &'a Resource,
    ignored: FieldSet,
}

impl<'a> Form<'a> {
    /// The form in which a request for a part of `requested` writes.
    pub fn new(resources: Arc<Resources>, requested: &'a Resource, part: Part) -> Self {
        Self { resources, requested, ignored: FieldSet::of(reset(requested, part)) }
    }

    fn of_version(&self, version: &str) -> Option<&Resource> {
        if version == self.requested.api_version {
            return Some(self.requested);
        }
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        self.resources.find(group, version, &self.requested.row.resource).map(|found| &**found)
    }

    /// A stored object in the version of the request.
    pub fn requested_form<'o>(&self, stored: &'o Value) -> Option<Cow<'o, Value>> {
        self.converted(stored, self.requested)
    }

    /// An object that nobody wrote yet, in the version of the request.
    pub fn blank(&self) -> Value {
        match self.requested.built_in_type() {
            Some(ty) => blank(ty),
            None => json!({"apiVersion": self.requested.api_version, "kind": self.requested.row.kind}),
        }
    }

    fn converted<'o>(&self, object: &'o Value, to: &Resource) -> Option<Cow<'o, Value>> {
        let version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        if version == to.api_version {
            return Some(Cow::Borrowed(object));
        }
        let from = self.of_version(version)?;
        let mut object = from.to_stored_form(object.clone());
        to.show(&mut object);
        object["apiVersion"] = to.api_version.as_str().into();
        Some(Cow::Owned(object))
    }
}

impl Versions for Form<'_> {
    fn convert<'o>(&'o self, object: &'o Value, version: &str) -> Option<Cow<'o, Value>> {
        self.converted(object, self.of_version(version)?)
    }

    fn view(&self, version: &str) -> Option<TypeView<'_>> {
        self.of_version(version).map(Resource::type_view)
    }

    fn ignored(&self) -> &FieldSet {
        &self.ignored
    }

    fn requested(&self) -> &str {
        &self.requested.api_version
    }
}

/// The fields that an endpoint puts back to what they were, so that nobody comes to own them through it.
fn reset(resource: &Resource, part: Part) -> &'static [&'static [&'static str]] {
    const STATUS: &[&[&str]] = &[&["status"]];
    const SPEC: &[&[&str]] = &[&["spec"]];
    const SPEC_AND_METADATA: &[&[&str]] = &[&["metadata"], &["spec"]];
    const SPEC_AND_LABELS: &[&[&str]] = &[&["metadata", "labels"], &["spec"]];
    const SPEC_AND_CERTIFICATE: &[&[&str]] = &[&["spec"], &["status", "certificate"]];
    const SPEC_AND_CONDITIONS: &[&[&str]] = &[&["spec"], &["status", "conditions"]];
    const POD: &[&[&str]] = &[&["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"], &["spec"]];
    match (part, resource.row.group.as_str(), resource.row.resource.as_str()) {
        (Part::Status, ..) if resource.is_custom() => SPEC_AND_METADATA,
        (Part::Status, "apiextensions.k8s.io" | "apiregistration.k8s.io" | "flowcontrol.apiserver.k8s.io", _) => {
            SPEC_AND_METADATA
        }
        (Part::Status, "apps", "deployments") => SPEC_AND_LABELS,
        (Part::Status, "", "pods") => POD,
        (Part::Status, "certificates.k8s.io", _) => SPEC_AND_CONDITIONS,
        (Part::Status, ..) => SPEC,
        (Part::Approval, ..) => SPEC_AND_CERTIFICATE,
        _ if resource.row.subresource("status").is_some() => STATUS,
        _ => &[],
    }
}

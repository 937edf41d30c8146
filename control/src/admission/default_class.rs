//! DefaultStorageClass and DefaultIngressClass: claims and ingresses that name no class get the default one.

use std::cmp::Reverse;

use serde_json::Value;

use super::facts::{Fact, Facts};
use super::{Operation, Review};
use crate::kinds::{Change, Look};
use crate::registry::Registry;

const STORAGE_MARKS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
const INGRESS_MARK: &str = "ingressclass.kubernetes.io/is-default-class";
/// How claims named their class before there was a field for it.
const OLD_STORAGE_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const OLD_INGRESS_CLASS: &str = "kubernetes.io/ingress.class";

/// What is known of a StorageClass.
pub struct StorageClass {
    name: String,
    created: String,
    is_default: bool,
    /// Whether its volumes may grow.
    pub expands: bool,
}

impl Fact for StorageClass {
    const RESOURCE: &'static str = "storageclasses.storage.k8s.io";

    fn read(object: &Value) -> Self {
        Self {
            name: object.text("metadata.name").to_owned(),
            created: object.text("metadata.creationTimestamp").to_owned(),
            is_default: STORAGE_MARKS.iter().any(|mark| annotation(object, mark) == Some("true")),
            expands: object.flag("allowVolumeExpansion"),
        }
    }
}

/// What is known of an IngressClass.
pub struct IngressClass {
    name: String,
    created: String,
    is_default: bool,
}

impl Fact for IngressClass {
    const RESOURCE: &'static str = "ingressclasses.networking.k8s.io";

    fn read(object: &Value) -> Self {
        Self {
            name: object.text("metadata.name").to_owned(),
            created: object.text("metadata.creationTimestamp").to_owned(),
            is_default: annotation(object, INGRESS_MARK) == Some("true"),
        }
    }
}

/// Gives a new claim the default storage class.
pub fn of_claims(classes: &Facts<StorageClass>, registry: &Registry, review: &Review<'_>, claim: &mut Value) {
    let new = review.creates("", "persistentvolumeclaims");
    if !new || claim.has("spec.storageClassName") || annotation(claim, OLD_STORAGE_CLASS).is_some() {
        return;
    }
    let classes = classes.all(registry.store(), None);
    let marked = classes.iter().filter(|c| c.is_default).map(|c| (c.created.as_str(), c.name.as_str()));
    if let Some(name) = newest(marked) {
        claim.set("spec", "storageClassName", name);
    }
}

/// Gives a new ingress the default class.
pub fn of_ingresses(classes: &Facts<IngressClass>, registry: &Registry, review: &Review<'_>, ingress: &mut Value) {
    let new = review.creates("networking.k8s.io", "ingresses");
    if !new || ingress.has("spec.ingressClassName") || annotation(ingress, OLD_INGRESS_CLASS).is_some() {
        return;
    }
    let classes = classes.all(registry.store(), None);
    let marked = classes.iter().filter(|c| c.is_default).map(|c| (c.created.as_str(), c.name.as_str()));
    if let Some(name) = newest(marked) {
        ingress.set("spec", "ingressClassName", name);
    }
}

/// The class of a claim, by field or by the old annotation; empty where it has none.
pub fn class_of(claim: &Value) -> &str {
    annotation(claim, OLD_STORAGE_CLASS).unwrap_or(claim.text("spec.storageClassName"))
}

/// Of several defaults the newest counts, and of those the first by name.
fn newest<'a>(classes: impl Iterator<Item = (&'a str, &'a str)>) -> Option<&'a str> {
    classes.min_by_key(|(created, name)| (Reverse(*created), *name)).map(|(_, name)| name)
}

fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.at("metadata.annotations").get(key)?.as_str()
}

impl Review<'_> {
    /// True for a new object of this resource.
    pub fn creates(&self, group: &str, resource: &str) -> bool {
        self.operation == Operation::Create && self.subresource.is_empty() && self.is(group, resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_default_counts() {
        let classes = [("2026-01-01T00:00:00Z", "a"), ("2026-02-01T00:00:00Z", "c"), ("2026-02-01T00:00:00Z", "b")];
        assert_eq!(newest(classes.into_iter()), Some("b"));
        assert_eq!(newest(std::iter::empty()), None);
    }
}

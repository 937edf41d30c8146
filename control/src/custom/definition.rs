//! CustomResourceDefinition as a kind: what clients may set, what the server does, what a deletion is.

use serde_json::{Value, json};

use super::condition::{self, Condition};
use super::rules;
use crate::kinds::{Behavior, Change, Generation, Look};

/// Holds a definition until its last instance is gone.
pub const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// What CustomResourceDefinitions do.
pub const DEFINITIONS: Behavior = Behavior {
    default: |_| {},
    prepare_create: |definition| {
        definition["status"] = json!({"conditions": null, "acceptedNames": {"plural": "", "kind": ""}});
        remember_stored(definition);
    },
    prepare_update: |definition, old| {
        definition.restore("", "status", old);
        remember_stored(definition);
    },
    // Metadata may change here too: upstream's own finalizer is taken off through this endpoint.
    prepare_status_update: |definition, old| definition.restore("", "spec", old),
    validate: rules::validate,
    validate_update: rules::validate_update,
    validate_status_update: |definition, _, errors| rules::validate_status(definition, errors),
    warnings: rules::warnings,
    generation: Generation::Spec,
    allow_unconditional_update: false,
    any_finalizer: true,
    ..Behavior::GENERIC
};

/// Adds the version that is stored from now on to those in which objects may be.
fn remember_stored(definition: &mut Value) {
    let storage = definition.items("spec.versions").iter().find(|v| v.flag("storage"));
    let Some(storage) = storage.map(|v| v.text("name").to_owned()) else { return };
    let mut stored = definition.items("status.storedVersions").to_vec();
    if !stored.iter().any(|v| *v == storage) {
        stored.push(storage.into());
        definition.set("status", "storedVersions", stored);
    }
}

/// A definition on its way out: it goes on being served until its instances are gone.
pub fn mark_deleted(definition: &Value) -> Value {
    let mut marked = definition.clone();
    let now = condition::now();
    marked.set("metadata", "deletionTimestamp", now.as_str());
    let mut finalizers = marked.items("metadata.finalizers").to_vec();
    if !finalizers.iter().any(|f| f == FINALIZER) {
        finalizers.push(FINALIZER.into());
    }
    marked.set("metadata", "finalizers", finalizers);
    let words = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    condition::set(&mut marked, &Condition::new("Terminating", true, "InstanceDeletionPending", words), &now);
    marked
}

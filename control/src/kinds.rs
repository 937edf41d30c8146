//! What each kind needs beyond its schema: one file a kind, one line a kind in [`behavior`].
//!
//! Everything here is pure: a [`Behavior`] is a set of functions over objects, and the registry decides when they
//! run. The order of a create is
//!
//! ```text
//! decode → conform → schema defaults → default → prepare_create → check_create → conform (field order) → store
//! ```
//!
//! and an update takes the same way with `prepare_update` and `check_update`, or `prepare_status_update` and
//! `check_status_update` on the status endpoint. Functions here append the fields that they add, so the registry
//! conforms an object once more before it is stored, to bring its fields into order.

mod access;
mod age;
mod cells;
mod columns;
mod generic;
mod metadata;
mod numbers;
mod selectors;

mod pod_spec;
mod pod_template;

mod configmaps;
mod controllerrevisions;
mod cronjobs;
mod daemonsets;
mod deployments;
mod endpoints;
mod endpointslices;
pub mod events;
mod jobs;
mod leases;
mod namespaces;
mod nodes;
mod pods;
mod replicasets;
mod replicationcontrollers;
mod secrets;
mod serviceaccounts;
pub mod services;
mod statefulsets;

use jiff::Timestamp;
use serde_json::Value;

use crate::field::Errors;
use crate::store::Class;
pub use access::{Change, Look};
pub use age::{human, since};
pub use columns::{AGE, CREATED_AT, Column, NAME};

/// What moves `metadata.generation`, which is 1 from the start for the kinds that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// The kind has none.
    Absent,
    /// Any change outside metadata and status.
    Spec,
    /// The same, and annotations: controllers of Deployments act on theirs.
    SpecAndAnnotations,
}

/// What one kind does beyond what the table of kinds says.
///
/// `new` comes before `old` in every function that takes both.
#[derive(Clone, Copy)]
pub struct Behavior {
    /// Fills in what depends on other fields. Also fills in the static ones, and a second pass changes nothing.
    pub default: fn(&mut Value),
    /// Resets what clients may not set, and does what the admission plug-ins of a create do.
    pub prepare_create: fn(&mut Value),
    /// Restores what this endpoint may not change: the status, and fields that the server allots.
    pub prepare_update: fn(&mut Value, &Value),
    /// Restores all but the status.
    pub prepare_status_update: fn(&mut Value, &Value),
    /// The rules for the object alone, beyond its metadata.
    pub validate: fn(&Value, &mut Errors),
    /// The rules for the change, beyond its metadata; [`Behavior::check_update`] runs `validate` as well.
    pub validate_update: fn(&Value, &Value, &mut Errors),
    /// The rules for a change of status.
    pub validate_status_update: fn(&Value, &Value, &mut Errors),
    /// What to tell the client about an object that is accepted.
    pub warnings: fn(&Value) -> Vec<String>,
    /// What to tell the client about any request for this resource.
    pub deprecation: Option<&'static str>,
    /// What is wrong with a name; the flag is set for a `generateName` prefix.
    pub name: fn(&str, bool) -> Vec<String>,
    /// The columns of its Table.
    pub columns: &'static [Column],
    /// The cells of its Table, one for each column.
    pub row: fn(&Value, Timestamp) -> Vec<Value>,
    /// The fields that field selectors may name, beyond `metadata.name` and `metadata.namespace`.
    pub fields: &'static [&'static str],
    /// The text of a selectable field.
    pub field: fn(&Value, &str) -> String,
    /// How the store keeps it.
    pub class: Class,
    /// What moves its generation.
    pub generation: Generation,
    /// An update without a resourceVersion replaces whatever is there.
    pub allow_unconditional_update: bool,
    /// A PUT makes what is not there.
    pub allow_create_on_update: bool,
}

impl Behavior {
    /// All that is wrong with an object that is about to be created.
    pub fn check_create(&self, object: &Value, namespaced: bool) -> Errors {
        let mut errors = Errors::default();
        metadata::validate(object, namespaced, self.name, &mut errors);
        (self.validate)(object, &mut errors);
        errors
    }

    /// All that is wrong with an object that is about to take the place of `old`.
    pub fn check_update(&self, new: &Value, old: &Value) -> Errors {
        let mut errors = Errors::default();
        metadata::validate_update(new, old, &mut errors);
        (self.validate)(new, &mut errors);
        (self.validate_update)(new, old, &mut errors);
        errors
    }

    /// All that is wrong with an object whose status is about to change.
    pub fn check_status_update(&self, new: &Value, old: &Value) -> Errors {
        let mut errors = Errors::default();
        metadata::validate_update(new, old, &mut errors);
        (self.validate_status_update)(new, old, &mut errors);
        errors
    }

    /// True when the change moves the object's generation.
    pub fn moves_generation(&self, new: &Value, old: &Value) -> bool {
        match self.generation {
            Generation::Absent => false,
            Generation::Spec => differ(new, old),
            Generation::SpecAndAnnotations => {
                differ(new, old) || new.at("metadata.annotations") != old.at("metadata.annotations")
            }
        }
    }
}

/// True when the two differ outside metadata and status.
fn differ(new: &Value, old: &Value) -> bool {
    let in_one = |one: &Value, other: &Value| {
        one.entries("").any(|(field, value)| !matches!(field, "metadata" | "status") && other.at(field) != value)
    };
    in_one(new, old) || in_one(old, new)
}

/// The behaviour of a resource: `("apps", "deployments")`, `("", "pods")`. What has none of its own is generic.
pub fn behavior(group: &str, resource: &str) -> &'static Behavior {
    match (group, resource) {
        ("", "configmaps") => &configmaps::BEHAVIOR,
        ("", "endpoints") => &endpoints::BEHAVIOR,
        ("" | "events.k8s.io", "events") => &events::BEHAVIOR,
        ("", "namespaces") => &namespaces::BEHAVIOR,
        ("", "nodes") => &nodes::BEHAVIOR,
        ("", "pods") => &pods::BEHAVIOR,
        ("", "replicationcontrollers") => &replicationcontrollers::BEHAVIOR,
        ("", "secrets") => &secrets::BEHAVIOR,
        ("", "serviceaccounts") => &serviceaccounts::BEHAVIOR,
        ("", "services") => &services::BEHAVIOR,
        ("apps", "controllerrevisions") => &controllerrevisions::BEHAVIOR,
        ("apps", "daemonsets") => &daemonsets::BEHAVIOR,
        ("apps", "deployments") => &deployments::BEHAVIOR,
        ("apps", "replicasets") => &replicasets::BEHAVIOR,
        ("apps", "statefulsets") => &statefulsets::BEHAVIOR,
        ("batch", "cronjobs") => &cronjobs::BEHAVIOR,
        ("batch", "jobs") => &jobs::BEHAVIOR,
        ("coordination.k8s.io", "leases") => &leases::BEHAVIOR,
        ("discovery.k8s.io", "endpointslices") => &endpointslices::BEHAVIOR,
        _ => &Behavior::GENERIC,
    }
}

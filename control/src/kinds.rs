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

pub(crate) mod access;
mod addresses;
pub(crate) mod age;
mod cells;
mod columns;
mod difference;
mod generic;
pub(crate) mod metadata;
mod numbers;
pub mod selectors;
mod volume_sources;

mod pod_spec;
mod pod_template;

mod admission_configurations;
mod apiservices;
mod certificatesigningrequests;
mod classes;
mod componentstatuses;
mod configmaps;
mod controllerrevisions;
mod cronjobs;
mod daemonsets;
mod deployments;
mod endpoints;
mod endpointslices;
pub mod events;
mod flowcontrol;
pub mod horizontalpodautoscalers;
mod ingresses;
mod jobs;
mod leases;
mod limitranges;
mod namespaces;
mod networking;
mod networkpolicies;
mod nodes;
mod persistentvolumeclaims;
mod persistentvolumes;
mod poddisruptionbudgets;
mod pods;
mod podtemplates;
mod replicasets;
mod replicationcontrollers;
pub mod resource_names;
mod resourcequotas;
mod rolebindings;
mod roles;
mod secrets;
mod serviceaccounts;
pub mod services;
mod statefulsets;
mod storage;

use jiff::Timestamp;
use serde_json::Value;

use crate::auth::Caller;
use crate::custom;
use crate::field::Errors;
use crate::store::Class;
pub use access::{Change, Look};
pub use age::{human, since};
pub use columns::{AGE, CREATED_AT, Column, NAME};
pub use pods::quality_of;

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

/// What one more sub-resource of a kind changes.
#[derive(Clone, Copy)]
pub struct PartRules {
    /// `resize`
    pub name: &'static str,
    /// Restores all that it does not change.
    pub prepare: fn(&mut Value, &Value),
    /// The rules for the change.
    pub validate: fn(&Value, &Value, &mut Errors),
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
    /// Writes down who creates it, where the kind keeps that.
    pub sign: fn(&mut Value, &Caller),
    /// Restores what this endpoint may not change: the status, and fields that the server allots.
    pub prepare_update: fn(&mut Value, &Value),
    /// Restores all but the status.
    pub prepare_status_update: fn(&mut Value, &Value),
    /// The rules for the object alone, beyond its metadata.
    pub validate: fn(&Value, &mut Errors),
    /// The rules for a new object, beyond those for any.
    pub validate_create: fn(&Value, &mut Errors),
    /// The rules for the change, beyond its metadata; [`Behavior::check_update`] runs `validate` as well.
    pub validate_update: fn(&Value, &Value, &mut Errors),
    /// The rules for a change of status.
    pub validate_status_update: fn(&Value, &Value, &mut Errors),
    /// Sub-resources beyond `status` and `scale` through which it can be written.
    pub parts: &'static [PartRules],
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
    /// Finalizers need not say whose they are: definitions and custom resources.
    pub any_finalizer: bool,
}

impl Behavior {
    /// All that is wrong with an object that is about to be created.
    pub fn check_create(&self, object: &Value, namespaced: bool) -> Errors {
        let mut errors = Errors::default();
        metadata::validate(object, namespaced, self.name, &mut errors);
        self.check_finalizers(object, &mut errors);
        (self.validate)(object, &mut errors);
        (self.validate_create)(object, &mut errors);
        errors
    }

    /// All that is wrong with an object that is about to take the place of `old`.
    pub fn check_update(&self, new: &Value, old: &Value) -> Errors {
        let mut errors = Errors::default();
        metadata::validate_update(new, old, &mut errors);
        self.check_finalizers(new, &mut errors);
        (self.validate)(new, &mut errors);
        (self.validate_update)(new, old, &mut errors);
        errors
    }

    /// All that is wrong with an object whose status is about to change.
    pub fn check_status_update(&self, new: &Value, old: &Value) -> Errors {
        let mut errors = Errors::default();
        metadata::validate_update(new, old, &mut errors);
        self.check_finalizers(new, &mut errors);
        (self.validate_status_update)(new, old, &mut errors);
        errors
    }

    fn check_finalizers(&self, object: &Value, errors: &mut Errors) {
        if !self.any_finalizer {
            metadata::owned_finalizers(object, errors);
        }
    }

    /// All that is wrong with an object that is about to change through another sub-resource.
    pub fn check_part_update(&self, part: &PartRules, new: &Value, old: &Value) -> Errors {
        let mut errors = Errors::default();
        metadata::validate_update(new, old, &mut errors);
        self.check_finalizers(new, &mut errors);
        (part.validate)(new, old, &mut errors);
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
        ("", "componentstatuses") => &componentstatuses::BEHAVIOR,
        ("", "configmaps") => &configmaps::BEHAVIOR,
        ("", "endpoints") => &endpoints::BEHAVIOR,
        ("", "events") => &events::BEHAVIOR,
        ("events.k8s.io", "events") => &events::NEW,
        ("", "limitranges") => &limitranges::BEHAVIOR,
        ("", "namespaces") => &namespaces::BEHAVIOR,
        ("", "nodes") => &nodes::BEHAVIOR,
        ("", "persistentvolumeclaims") => &persistentvolumeclaims::BEHAVIOR,
        ("", "persistentvolumes") => &persistentvolumes::BEHAVIOR,
        ("", "pods") => &pods::BEHAVIOR,
        ("", "podtemplates") => &podtemplates::BEHAVIOR,
        ("", "replicationcontrollers") => &replicationcontrollers::BEHAVIOR,
        ("", "resourcequotas") => &resourcequotas::BEHAVIOR,
        ("", "secrets") => &secrets::BEHAVIOR,
        ("", "serviceaccounts") => &serviceaccounts::BEHAVIOR,
        ("", "services") => &services::BEHAVIOR,
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations") => &admission_configurations::MUTATING,
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations") => &admission_configurations::VALIDATING,
        ("admissionregistration.k8s.io", "validatingadmissionpolicies") => &admission_configurations::POLICIES,
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings") => &admission_configurations::BINDINGS,
        ("apiextensions.k8s.io", "customresourcedefinitions") => &custom::DEFINITIONS,
        ("apiregistration.k8s.io", "apiservices") => &apiservices::BEHAVIOR,
        ("apps", "controllerrevisions") => &controllerrevisions::BEHAVIOR,
        ("apps", "daemonsets") => &daemonsets::BEHAVIOR,
        ("apps", "deployments") => &deployments::BEHAVIOR,
        ("apps", "replicasets") => &replicasets::BEHAVIOR,
        ("apps", "statefulsets") => &statefulsets::BEHAVIOR,
        ("autoscaling", "horizontalpodautoscalers") => &horizontalpodautoscalers::BEHAVIOR,
        ("batch", "cronjobs") => &cronjobs::BEHAVIOR,
        ("batch", "jobs") => &jobs::BEHAVIOR,
        ("certificates.k8s.io", "certificatesigningrequests") => &certificatesigningrequests::BEHAVIOR,
        ("coordination.k8s.io", "leases") => &leases::BEHAVIOR,
        ("discovery.k8s.io", "endpointslices") => &endpointslices::BEHAVIOR,
        ("flowcontrol.apiserver.k8s.io", "flowschemas") => &flowcontrol::SCHEMAS,
        ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations") => &flowcontrol::LEVELS,
        ("networking.k8s.io", "ingressclasses") => &classes::INGRESS,
        ("networking.k8s.io", "ingresses") => &ingresses::BEHAVIOR,
        ("networking.k8s.io", "ipaddresses") => &networking::ADDRESSES,
        ("networking.k8s.io", "networkpolicies") => &networkpolicies::BEHAVIOR,
        ("networking.k8s.io", "servicecidrs") => &networking::RANGES,
        ("node.k8s.io", "runtimeclasses") => &classes::RUNTIME,
        ("policy", "poddisruptionbudgets") => &poddisruptionbudgets::BEHAVIOR,
        ("rbac.authorization.k8s.io", "clusterroles" | "roles") => &roles::BEHAVIOR,
        ("rbac.authorization.k8s.io", "clusterrolebindings" | "rolebindings") => &rolebindings::BEHAVIOR,
        ("scheduling.k8s.io", "priorityclasses") => &classes::PRIORITY,
        ("storage.k8s.io", "csidrivers") => &storage::DRIVERS,
        ("storage.k8s.io", "csinodes") => &storage::NODES,
        ("storage.k8s.io", "csistoragecapacities") => &storage::CAPACITIES,
        ("storage.k8s.io", "storageclasses") => &classes::STORAGE,
        ("storage.k8s.io", "volumeattachments") => &storage::ATTACHMENTS,
        _ => &Behavior::GENERIC,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_fills_its_columns() {
        let now: Timestamp = "2026-11-20T10:00:00Z".parse().expect("a time");
        for row in schema::builtin().resources() {
            let behavior = behavior(&row.group, &row.resource);
            let cells = (behavior.row)(&serde_json::json!({"metadata": {"name": "x"}}), now);
            assert_eq!(cells.len(), behavior.columns.len(), "{}", row.resource);
        }
    }

    #[test]
    fn defaults_of_nothing_change_nothing_twice() {
        for row in schema::builtin().resources() {
            let behavior = behavior(&row.group, &row.resource);
            let mut object = serde_json::json!({"metadata": {"name": "x"}, "spec": {}});
            (behavior.default)(&mut object);
            let once = object.clone();
            (behavior.default)(&mut object);
            assert_eq!(object, once, "{}", row.resource);
        }
    }

    /// Decodes, defaults and prepares, as a create does.
    fn created(group: &str, version: &str, kind: &str, resource: &str, body: &str) -> String {
        let ty = schema::builtin().kind(group, version, kind).expect("a kind of the table");
        let behavior = behavior(group, resource);
        let mut object = serde_json::from_str(body).expect("a body");
        schema::admit::conform(ty, &mut object).expect("types that fit");
        schema::default::apply(ty, &mut object);
        (behavior.default)(&mut object);
        (behavior.prepare_create)(&mut object);
        schema::admit::conform(ty, &mut object).expect("types that fit");
        let mut errors = Errors::default();
        (behavior.validate)(&object, &mut errors);
        assert!(errors.is_empty(), "{errors}");
        object.to_string()
    }

    #[test]
    fn a_create_gives_what_the_reference_gives_to_the_byte() {
        assert_eq!(
            created(
                "apps",
                "v1",
                "ReplicaSet",
                "replicasets",
                r#"{"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "r1"}, "spec": {"replicas": 0,
                    "selector": {"matchLabels": {"a": "b", "q": "1"}}, "template": {"metadata": {"labels": {"a": "b",
                    "q": "1"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1.2"}]}}}}"#
            ),
            concat!(
                r#"{"kind":"ReplicaSet","apiVersion":"apps/v1","metadata":{"name":"r1","creationTimestamp":null},"#,
                r#""spec":{"replicas":0,"selector":{"matchLabels":{"a":"b","q":"1"}},"template":{"metadata":"#,
                r#"{"creationTimestamp":null,"labels":{"a":"b","q":"1"}},"spec":{"containers":[{"name":"c","#,
                r#""image":"nginx:1.2","resources":{},"terminationMessagePath":"/dev/termination-log","#,
                r#""terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always","#,
                r#""terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","securityContext":{},"#,
                r#""schedulerName":"default-scheduler"}}},"status":{"replicas":0}}"#
            )
        );
        assert_eq!(
            created(
                "",
                "v1",
                "Node",
                "nodes",
                r#"{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gn1"}, "spec": {}}"#
            ),
            concat!(
                r#"{"kind":"Node","apiVersion":"v1","metadata":{"name":"gn1","creationTimestamp":null},"spec":{},"status":"#,
                r#"{"daemonEndpoints":{"kubeletEndpoint":{"Port":0}},"nodeInfo":{"machineID":"","systemUUID":"","#,
                r#""bootID":"","kernelVersion":"","osImage":"","containerRuntimeVersion":"","kubeletVersion":"","#,
                r#""kubeProxyVersion":"","operatingSystem":"","architecture":""}}}"#
            )
        );
    }
}

//! Classes that other objects name: of storage, priority, runtime, ingress.

use jiff::Timestamp;
use objects::names;
use serde_json::Value;

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::{Behavior, Generation, cells, metadata, pod_spec};
use crate::field::{Errors, Path};

/// StorageClasses.
pub const STORAGE: Behavior = Behavior {
    default: |class| {
        class.set_default("", "reclaimPolicy", "Delete");
        class.set_default("", "volumeBindingMode", "Immediate");
    },
    validate: storage,
    validate_update: |new, old, errors| {
        for field in ["parameters", "provisioner", "reclaimPolicy"] {
            if new.at(field) != old.at(field) {
                errors.forbidden(&Path::new(field), &format!("updates to {field} are forbidden."));
            }
        }
        immutable(new, old, "volumeBindingMode", errors);
    },
    columns: &[
        NAME,
        Column::text("Provisioner", "provisioner indicates the type of the provisioner."),
        Column::text(
            "ReclaimPolicy",
            "reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes of this storage \
             class. Defaults to Delete.",
        ),
        Column::text(
            "VolumeBindingMode",
            "volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.  When unset, \
             VolumeBindingImmediate is used. This field is only honored by servers that enable the VolumeScheduling \
             feature.",
        ),
        Column::text(
            "AllowVolumeExpansion",
            "allowVolumeExpansion shows whether the storage class allow volume expand.",
        ),
        AGE,
    ],
    row: |class: &Value, now: Timestamp| {
        let mark = class.at("metadata.annotations").get("storageclass.kubernetes.io/is-default-class");
        let name = class.text("metadata.name");
        let name = if mark.is_some_and(|m| m == "true") { format!("{name} (default)") } else { name.to_owned() };
        vec![
            name.into(),
            class.text("provisioner").into(),
            class.text("reclaimPolicy").into(),
            class.text("volumeBindingMode").into(),
            class.flag("allowVolumeExpansion").into(),
            cells::age(class, now),
        ]
    },
    ..Behavior::GENERIC
};

fn storage(class: &Value, errors: &mut Errors) {
    match class.text("provisioner") {
        "" => errors.required(&Path::new("provisioner"), ""),
        name => errors.all_invalid(&Path::new("provisioner"), name, names::qualified_name(&name.to_lowercase())),
    }
    for (key, _) in class.entries("parameters").filter(|(key, _)| key.is_empty()) {
        errors.invalid(&Path::new("parameters"), key, "field can not be empty.");
    }
    let policy = class.text("reclaimPolicy");
    if !matches!(policy, "" | "Delete" | "Retain") {
        errors.not_supported(&Path::new("reclaimPolicy"), policy, &["Delete", "Retain"]);
    }
    match class.text("volumeBindingMode") {
        "" => errors.required(&Path::new("volumeBindingMode"), ""),
        "Immediate" | "WaitForFirstConsumer" => {}
        other => {
            errors.not_supported(&Path::new("volumeBindingMode"), other, &["Immediate", "WaitForFirstConsumer"]);
        }
    }
    for (i, term) in class.items("allowedTopologies").iter().enumerate() {
        let at = Path::new("allowedTopologies").index(i).child("matchLabelExpressions");
        for (i, expression) in term.items("matchLabelExpressions").iter().enumerate() {
            let (key, at) = (expression.text("key"), at.index(i));
            if expression.items("values").is_empty() {
                errors.required(&at.child("values"), "");
            }
            errors.all_invalid(&at.child("key"), key, names::qualified_name(key));
        }
    }
}

/// A field that stays what it was.
fn immutable(new: &Value, old: &Value, field: &str, errors: &mut Errors) {
    if new.at(field) != old.at(field) {
        let at = field.split('.').fold(Path::default(), |at, part| at.child(part));
        errors.invalid(&at, new.at(field).clone(), metadata::IMMUTABLE);
    }
}

/// PriorityClasses.
pub const PRIORITY: Behavior = Behavior {
    default: |class| class.set_default("", "preemptionPolicy", "PreemptLowerPriority"),
    validate: priority,
    validate_update: |new, old, errors| {
        for (field, why) in [("value", "may not be changed in an update."), ("preemptionPolicy", metadata::IMMUTABLE)] {
            if new.at(field) != old.at(field) {
                match field {
                    "value" => errors.forbidden(&Path::new("value"), why),
                    _ => errors.invalid(&Path::new(field), new.at(field).clone(), why),
                }
            }
        }
    },
    columns: &[
        NAME,
        Column::integer(
            "Value",
            "value represents the integer value of this priority class. This is the actual priority that pods receive \
             when they have the name of this class in their pod spec.",
        ),
        Column::boolean(
            "Global-Default",
            "globalDefault specifies whether this PriorityClass should be considered as the default priority for pods \
             that do not have any priority class. Only one PriorityClass can be marked as `globalDefault`. However, \
             if more than one PriorityClasses exists with their `globalDefault` field set to true, the smallest value \
             of such global default PriorityClasses will be used as the default priority.",
        ),
        AGE,
        Column::text(
            "PreemptionPolicy",
            "preemptionPolicy is the Policy for preempting pods with lower priority. One of Never, PreemptLowerPriority. \
             Defaults to PreemptLowerPriority if unset.",
        ),
    ],
    row: |class: &Value, now: Timestamp| {
        vec![
            cells::name(class),
            cells::count(class, "value"),
            class.flag("globalDefault").into(),
            cells::age(class, now),
            class.text("preemptionPolicy").into(),
        ]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

/// The classes of the system itself, which nobody may have otherwise.
const SYSTEM: [(&str, i64); 2] = [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];
const HIGHEST: i64 = 1_000_000_000;

fn priority(class: &Value, errors: &mut Errors) {
    let name = class.text("metadata.name");
    if name.starts_with("system-") {
        if let Err(why) = system_priority(class) {
            let why =
                format!("priority class names with 'system-' prefix are reserved for system use only. error: {why}");
            errors.forbidden(&Path::new("metadata").child("name"), &why);
        }
    } else if class.int("value").is_some_and(|v| v > HIGHEST) {
        let why = format!("maximum allowed value of a user defined priority is {HIGHEST}");
        errors.forbidden(&Path::new("value"), &why);
    }
    let policies = ["Never", "PreemptLowerPriority"];
    let policy = class.text("preemptionPolicy");
    if !policies.contains(&policy) {
        errors.not_supported(&Path::new("preemptionPolicy"), policy, &policies);
    }
}

fn system_priority(class: &Value) -> Result<(), String> {
    let name = class.text("metadata.name");
    let known = SYSTEM.iter().find(|(system, _)| *system == name);
    let (_, value) = known.ok_or_else(|| format!("{name} is not a known system priority class"))?;
    match (class.int("value") == Some(*value), class.flag("globalDefault")) {
        (false, _) => Err(format!("value of {name} PriorityClass must be {value}")),
        (true, true) => Err(format!("globalDefault of {name} PriorityClass must be false")),
        (true, false) => Ok(()),
    }
}

/// RuntimeClasses.
pub const RUNTIME: Behavior = Behavior {
    validate: |class, errors| {
        let handler = class.text("handler");
        errors.all_invalid(&Path::new("handler"), handler, names::dns1123_label(handler));
        pod_spec::amounts(class.at("overhead.podFixed"), &Path::new("overhead").child("podFixed"), errors);
        let at = Path::new("scheduling");
        metadata::labels(class.at("scheduling.nodeSelector"), &at.child("nodeSelector"), errors);
        pod_spec::tolerations(class.items("scheduling.tolerations"), &at.child("tolerations"), errors);
    },
    validate_update: |new, old, errors| immutable(new, old, "handler", errors),
    columns: &[NAME, Column::text("Handler", ""), AGE],
    row: |class: &Value, now: Timestamp| vec![cells::name(class), class.text("handler").into(), cells::age(class, now)],
    ..Behavior::GENERIC
};

/// IngressClasses.
pub const INGRESS: Behavior = Behavior {
    default: |class| {
        if class.has("spec.parameters") {
            class.set_default("spec.parameters", "scope", "Cluster");
        }
    },
    validate: |class, errors| {
        let at = Path::new("spec");
        domain_path(class.text("spec.controller"), &at.child("controller"), errors);
        if class.has("spec.parameters") {
            parameters(class.at("spec.parameters"), &at.child("parameters"), errors);
        }
    },
    validate_update: |new, old, errors| immutable(new, old, "spec.controller", errors),
    columns: &[
        NAME,
        Column::text("Controller", "Controller that is responsible for handling this class"),
        Column::text("Parameters", "A reference to a resource with additional parameters"),
        AGE,
    ],
    row: |class: &Value, now: Timestamp| {
        let (kind, group) = (class.text("spec.parameters.kind"), class.text("spec.parameters.apiGroup"));
        let parameters = match (kind, group) {
            ("", _) => "<none>".to_owned(),
            (kind, "") => format!("{kind}/{}", class.text("spec.parameters.name")),
            (kind, group) => format!("{kind}.{group}/{}", class.text("spec.parameters.name")),
        };
        vec![cells::name(class), class.text("spec.controller").into(), parameters.into(), cells::age(class, now)]
    },
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

/// `example.com/controller`.
fn domain_path(text: &str, at: &Path, errors: &mut Errors) {
    if text.is_empty() {
        return errors.required(at, "");
    }
    match text.split_once('/') {
        Some((host, path)) if !host.is_empty() && !path.is_empty() => {
            errors.all_invalid(at, host, names::dns1123_subdomain(host));
        }
        _ => errors.invalid(at, text, "must be a domain-prefixed path (such as \"acme.io/foo\")"),
    }
}

fn parameters(parameters: &Value, at: &Path, errors: &mut Errors) {
    for field in ["kind", "name"] {
        match parameters.text(field) {
            "" => errors.required(&at.child(field), ""),
            text => errors.all_invalid(&at.child(field), text, names::path_segment(text)),
        }
    }
    let namespace = at.child("namespace");
    match (parameters.text("scope"), parameters.at("namespace").as_str()) {
        ("Namespace", None) => errors.required(&namespace, "`parameters.scope` is set to 'Namespace'"),
        ("Namespace", Some(name)) => errors.all_invalid(&namespace, name, names::dns1123_label(name)),
        ("Cluster", Some(_)) => errors.forbidden(&namespace, "`parameters.scope` is set to 'Cluster'"),
        ("Cluster", None) => {}
        (other, _) => errors.not_supported(&at.child("scope"), other, &["Cluster", "Namespace"]),
    }
}

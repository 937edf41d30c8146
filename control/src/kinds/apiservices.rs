//! APIServices: stored and shown; requests are not handed on to them.

use jiff::Timestamp;
use objects::names;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::keep_status;
use super::{Behavior, cells, metadata};
use crate::field::{Errors, Path};

/// What API services do.
pub const BEHAVIOR: Behavior = Behavior {
    name: metadata::path_segment,
    prepare_create,
    prepare_update: keep_status,
    validate,
    columns: &[
        NAME,
        Column::text("Service", "The reference to the service that hosts this API endpoint."),
        Column::text("Available", "Whether this service is available."),
        AGE,
    ],
    row: |service: &Value, now: Timestamp| {
        let (namespace, name) = (service.text("spec.service.namespace"), service.text("spec.service.name"));
        let host = if service.has("spec.service") { format!("{namespace}/{name}") } else { "Local".into() };
        let available = service.items("status.conditions").iter().find(|c| c.text("type") == "Available");
        let available = match available {
            None => "Unknown".to_owned(),
            Some(c) if c.text("status") == "True" || c.text("reason").is_empty() => c.text("status").to_owned(),
            Some(c) => format!("{} ({})", c.text("status"), c.text("reason")),
        };
        vec![cells::name(service), host.into(), available.into(), cells::age(service, now)]
    },
    ..Behavior::GENERIC
};

/// What is served here is there.
fn prepare_create(service: &mut Value) {
    let now = objects::time::text(&objects::time::now());
    let local = json!({"conditions": [{"type": "Available", "status": "True", "lastTransitionTime": now,
        "reason": "Local", "message": "Local APIServices are always available"}]});
    service.set("", "status", if service.has("spec.service") { json!({}) } else { local });
}

fn validate(service: &Value, errors: &mut Errors) {
    let (spec, at) = (service.at("spec"), Path::new("spec"));
    let (name, group, version) = (service.text("metadata.name"), spec.text("group"), spec.text("version"));
    let required = format!("{version}.{group}");
    if name != required {
        let why = format!("must be `spec.version+\".\"+spec.group`: \"{required}\"");
        errors.invalid(&Path::new("metadata").child("name"), name, &why);
    }
    if !group.is_empty() {
        errors.all_invalid(&at.child("group"), group, names::dns1123_subdomain(group));
    }
    errors.all_invalid(&at.child("version"), version, names::dns1035_label(version));
    for (field, most) in [("groupPriorityMinimum", 20000), ("versionPriority", 1000)] {
        let priority = spec.int(field).unwrap_or_default();
        if !(1..=most).contains(&priority) {
            errors.invalid(&at.child(field), priority, &format!("must be positive and less than {most}"));
        }
    }
    let authority = !spec.text("caBundle").is_empty();
    if spec.has("service") {
        service_of(spec.at("service"), &at.child("service"), errors);
        if spec.flag("insecureSkipTLSVerify") && authority {
            errors.invalid(&at.child("insecureSkipTLSVerify"), true, "may not be true if caBundle is present");
        }
        return;
    }
    if authority {
        errors.invalid(&at.child("caBundle"), spec.at("caBundle").clone(), "local APIServices may not have a caBundle");
    }
    if spec.flag("insecureSkipTLSVerify") {
        let why = "local APIServices may not have insecureSkipTLSVerify";
        errors.invalid(&at.child("insecureSkipTLSVerify"), true, why);
    }
}

fn service_of(service: &Value, at: &Path, errors: &mut Errors) {
    for field in ["namespace", "name"] {
        if service.text(field).is_empty() {
            errors.required(&at.child(field), "");
        }
    }
    for why in names::port_number(service.int("port").unwrap_or_default()) {
        errors.invalid(&at.child("port"), service.at("port").clone(), &format!("port is not valid: {why}"));
    }
}

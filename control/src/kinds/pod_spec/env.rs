//! The rules for environment variables and where their values come from.

use objects::names;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// The fields of a pod that an environment variable can show.
const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// The fields that the downward API knows, beyond those of either use.
const KNOWN: [&str; 6] = [
    "metadata.annotations",
    "metadata.labels",
    "spec.restartPolicy",
    "spec.schedulerName",
    "status.phase",
    "metadata.uid",
];
/// The fields of a pod that a file of a volume can show.
pub const VOLUME_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

const SEVERAL: &str = "may not have more than one field specified at a time";

/// The rules for `env`.
pub fn variables(env: &[Value], at: &Path, errors: &mut Errors) {
    for (i, variable) in env.iter().enumerate() {
        let at = at.index(i);
        match variable.text("name") {
            "" => errors.required(&at.child("name"), ""),
            name => errors.all_invalid(&at.child("name"), name, names::env_var_name(name)),
        }
        if variable.has("valueFrom") {
            value_from(variable, &at.child("valueFrom"), errors);
        }
    }
}

/// The rules for `envFrom`.
pub fn sources(sources: &[Value], at: &Path, errors: &mut Errors) {
    for (i, source) in sources.iter().enumerate() {
        let item = at.index(i);
        let prefix = source.text("prefix");
        if !prefix.is_empty() {
            errors.all_invalid(&item.child("prefix"), prefix, names::env_var_name(prefix));
        }
        let given: Vec<&str> = ["configMapRef", "secretRef"].into_iter().filter(|s| source.has(s)).collect();
        for reference in &given {
            let name_at = item.child(reference).child("name");
            match source.at(reference).text("name") {
                "" => errors.required(&name_at, ""),
                name => errors.all_invalid(&name_at, name, names::dns1123_subdomain(name)),
            }
        }
        match given.len() {
            0 => errors.invalid(at, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => errors.invalid(at, "", SEVERAL),
        }
    }
}

fn value_from(variable: &Value, at: &Path, errors: &mut Errors) {
    let from = variable.at("valueFrom");
    let mut given = 0;
    if from.has("fieldRef") {
        given += 1;
        field_ref(from.at("fieldRef"), &FIELDS, &at.child("fieldRef"), errors);
    }
    if from.has("resourceFieldRef") {
        given += 1;
        resource_ref(from.at("resourceFieldRef"), false, &at.child("resourceFieldRef"), errors);
    }
    for reference in ["configMapKeyRef", "secretKeyRef"] {
        if from.has(reference) {
            given += 1;
            key_ref(from.at(reference), &at.child(reference), errors);
        }
    }
    match (given, variable.text("value").is_empty()) {
        (0, _) => {
            let why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
            errors.invalid(at, "", why);
        }
        (_, false) => errors.invalid(at, "", "may not be specified when `value` is not empty"),
        (1, true) => {}
        (_, true) => errors.invalid(at, "", SEVERAL),
    }
}

fn key_ref(reference: &Value, at: &Path, errors: &mut Errors) {
    if reference.text("name").is_empty() {
        errors.required(&at.child("name"), "");
    }
    match reference.text("key") {
        "" => errors.required(&at.child("key"), ""),
        key => errors.all_invalid(&at.child("key"), key, names::config_map_key(key)),
    }
}

/// A field of the pod, which must be one of `allowed`.
pub fn field_ref(reference: &Value, allowed: &[&str], at: &Path, errors: &mut Errors) {
    let (version, path) = (reference.text("apiVersion"), reference.text("fieldPath"));
    if version.is_empty() {
        return errors.required(&at.child("apiVersion"), "");
    }
    let field = at.child("fieldPath");
    if path.is_empty() {
        return errors.required(&field, "");
    }
    if version != "v1" {
        return errors.invalid(
            &field,
            path,
            &format!("error converting fieldPath: unsupported pod version: {version}"),
        );
    }
    if let Some((of, key)) = path.strip_suffix("']").and_then(|p| p.split_once("['")) {
        return match of {
            "metadata.annotations" => errors.all_invalid(at, key, names::qualified_name(&key.to_lowercase())),
            "metadata.labels" => errors.all_invalid(at, key, names::qualified_name(key)),
            _ => errors.invalid(at, of, "does not support subscript"),
        };
    }
    if !FIELDS.contains(&path) && !KNOWN.contains(&path) {
        errors.invalid(&field, path, &format!("error converting fieldPath: field label not supported: {path}"));
    } else if !allowed.contains(&path) {
        errors.not_supported(&field, path, allowed);
    }
}

/// A resource of a container; a volume must name the container.
pub fn resource_ref(reference: &Value, in_volume: bool, at: &Path, errors: &mut Errors) {
    let resource = reference.text("resource");
    if in_volume && reference.text("containerName").is_empty() {
        errors.required(&at.child("containerName"), "");
    } else if resource.is_empty() {
        errors.required(&at.child("resource"), "");
    } else if !RESOURCES.contains(&resource)
        && !["limits.hugepages-", "requests.hugepages-"].iter().any(|p| resource.starts_with(p))
    {
        errors.not_supported(&at.child("resource"), resource, &RESOURCES);
    }
}

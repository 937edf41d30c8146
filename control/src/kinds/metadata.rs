//! The rules for names, labels, annotations, owners and finalizers, the same for every kind.

use objects::names;
use serde_json::Value;

use super::access::Look;
use crate::field::{Errors, Path};

const ANNOTATIONS_MAX: usize = 256 * 1024;

/// What is wrong with a name; the flag is set for a `generateName` prefix.
pub type NameRule = fn(&str, bool) -> Vec<String>;

/// Most kinds: a DNS subdomain.
pub fn subdomain(name: &str, prefix: bool) -> Vec<String> {
    names::dns1123_subdomain(&completed(name, prefix))
}

/// Namespaces: a DNS label.
pub fn label(name: &str, prefix: bool) -> Vec<String> {
    names::dns1123_label(&completed(name, prefix))
}

/// Services: a DNS label that starts with a letter.
pub fn service(name: &str, prefix: bool) -> Vec<String> {
    names::dns1035_label(&completed(name, prefix))
}

/// Roles and the like: anything that can stand in a path.
pub fn path_segment(name: &str, _prefix: bool) -> Vec<String> {
    names::path_segment(name)
}

/// A prefix may end in a dash, since more follows.
fn completed(name: &str, prefix: bool) -> String {
    match name.strip_suffix('-') {
        Some(rest) if prefix && !rest.is_empty() => format!("{}a", &rest[..rest.len() - last_len(rest)]),
        _ => name.to_owned(),
    }
}

fn last_len(text: &str) -> usize {
    text.chars().next_back().map_or(0, char::len_utf8)
}

/// The rules for metadata alone.
pub fn validate(object: &Value, namespaced: bool, rule: NameRule, errors: &mut Errors) {
    validate_at(object.at("metadata"), &Path::new("metadata"), namespaced, rule, errors);
}

/// The same for metadata that stands elsewhere, such as in an object within an object.
pub fn validate_at(metadata: &Value, at: &Path, namespaced: bool, rule: NameRule, errors: &mut Errors) {
    let generate = metadata.text("generateName");
    if !generate.is_empty() {
        errors.all_invalid(&at.child("generateName"), generate, rule(generate, true));
    }
    match metadata.text("name") {
        "" => errors.required(&at.child("name"), "name or generateName is required"),
        name => errors.all_invalid(&at.child("name"), name, rule(name, false)),
    }
    match (namespaced, metadata.text("namespace")) {
        (true, "") => errors.required(&at.child("namespace"), ""),
        (true, namespace) => errors.all_invalid(&at.child("namespace"), namespace, label(namespace, false)),
        (false, "") => {}
        (false, _) => errors.forbidden(&at.child("namespace"), "not allowed on this type"),
    }
    described(metadata, at, errors);
}

/// The rules for a change of metadata.
pub fn validate_update(new: &Value, old: &Value, errors: &mut Errors) {
    let at = Path::new("metadata");
    if old.has("metadata.deletionTimestamp") {
        let known = old.items("metadata.finalizers");
        let mut added: Vec<&Value> = new.items("metadata.finalizers").iter().filter(|f| !known.contains(f)).collect();
        added.sort_by_key(|f| f.as_str());
        if !added.is_empty() {
            let list: Vec<String> = added.iter().map(ToString::to_string).collect();
            errors.forbidden(
                &at.child("finalizers"),
                &format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    list.join(", ")
                ),
            );
        }
    }
    for field in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let (now, before) = (new.at("metadata").at(field), old.at("metadata").at(field));
        if now != before {
            errors.invalid(&at.child(field), now.clone(), IMMUTABLE);
        }
    }
    described(new.at("metadata"), &at, errors);
}

/// What Kubernetes says when a field changed that may not.
pub const IMMUTABLE: &str = "field is immutable";

fn described(metadata: &Value, at: &Path, errors: &mut Errors) {
    labels(metadata.at("labels"), &at.child("labels"), errors);
    annotations(metadata.at("annotations"), &at.child("annotations"), errors);
    owners(metadata.items("ownerReferences"), &at.child("ownerReferences"), errors);
    finalizers(metadata.items("finalizers"), &at.child("finalizers"), errors);
}

/// Keys and values of labels, also of node selectors.
pub fn labels(labels: &Value, at: &Path, errors: &mut Errors) {
    for (key, value) in labels.entries("") {
        errors.all_invalid(at, key, names::qualified_name(key));
        let value = value.as_str().unwrap_or_default();
        errors.all_invalid(at, value, names::label_value(value));
    }
}

/// Keys of annotations, in any case, and the size of all of them.
pub fn annotations(annotations: &Value, at: &Path, errors: &mut Errors) {
    let mut size = 0;
    for (key, value) in annotations.entries("") {
        errors.all_invalid(at, key, names::qualified_name(&key.to_lowercase()));
        size += key.len() + value.as_str().unwrap_or_default().len();
    }
    if size > ANNOTATIONS_MAX {
        errors.too_long(at, ANNOTATIONS_MAX);
    }
}

fn owners(owners: &[Value], at: &Path, errors: &mut Errors) {
    let mut controller: Option<&Value> = None;
    for owner in owners {
        for (field, missing) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "kind must not be empty"),
            ("name", "name must not be empty"),
            ("uid", "uid must not be empty"),
        ] {
            if owner.text(field).is_empty() {
                errors.invalid(&at.child(field), "", missing);
            }
        }
        if owner.text("apiVersion") == "v1" && owner.text("kind") == "Event" {
            errors.invalid(at, owner.clone(), "/v1, Kind=Event is disallowed from being an owner");
        }
        if owner.flag("controller") {
            if let Some(first) = controller {
                errors.invalid(
                    at,
                    Value::from(owners),
                    &format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {} and {}",
                        first.text("name"),
                        owner.text("name")
                    ),
                );
            }
            controller = Some(owner);
        }
    }
}

fn finalizers(finalizers: &[Value], at: &Path, errors: &mut Errors) {
    let all: Vec<&str> = finalizers.iter().filter_map(Value::as_str).collect();
    for name in &all {
        errors.all_invalid(at, name, names::qualified_name(name));
    }
    if all.contains(&"orphan") && all.contains(&"foregroundDeletion") {
        errors.invalid(at, Value::from(finalizers), "finalizer orphan and foregroundDeletion cannot be both set");
    }
}

/// The rule of upstream's own kinds for finalizers: a name that is not Kubernetes' says whose it is.
pub fn owned_finalizers(object: &Value, errors: &mut Errors) {
    let at = Path::new("metadata").child("finalizers");
    for (i, name) in object.items("metadata.finalizers").iter().filter_map(Value::as_str).enumerate() {
        if !name.contains('/') && !matches!(name, "kubernetes" | "orphan" | "foregroundDeletion") {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(&at.index(i), name, why);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(metadata: Value) -> String {
        let mut errors = Errors::default();
        let object = json!({"metadata": metadata});
        validate(&object, true, subdomain, &mut errors);
        owned_finalizers(&object, &mut errors);
        errors.to_string()
    }

    #[test]
    fn names_labels_and_annotations() {
        assert_eq!(said(json!({"namespace": "d"})), "metadata.name: Required value: name or generateName is required");
        assert!(said(json!({"name": "A", "namespace": "d"})).starts_with(
            "metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case"
        ));
        assert!(said(json!({"name": "a", "namespace": "d", "labels": {"k": "a b"}})).starts_with(
            "metadata.labels: Invalid value: \"a b\": a valid label must be an empty string or consist of"
        ));
        let long = "x".repeat(ANNOTATIONS_MAX);
        assert_eq!(
            said(json!({"name": "a", "namespace": "d", "annotations": {"k": long}})),
            "metadata.annotations: Too long: may not be more than 262144 bytes"
        );
        assert_eq!(
            said(json!({"name": "a", "namespace": "d", "finalizers": ["mine"]})),
            "metadata.finalizers[0]: Invalid value: \"mine\": name is neither a standard finalizer name nor is it fully qualified"
        );
        assert_eq!(
            said(
                json!({"name": "a", "namespace": "d", "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "n"}]})
            ),
            "metadata.ownerReferences.uid: Invalid value: \"\": uid must not be empty"
        );
    }

    #[test]
    fn a_prefix_may_end_in_a_dash() {
        assert!(subdomain("web-", true).is_empty());
        assert!(!subdomain("web-", false).is_empty());
        assert!(!subdomain("-", true).is_empty());
    }

    #[test]
    fn identity_does_not_change() {
        let old = json!({"metadata": {"name": "a", "uid": "1", "deletionTimestamp": "t"}});
        let new = json!({"metadata": {"name": "b", "uid": "1", "deletionTimestamp": "t", "finalizers": ["x.y/z"]}});
        let mut errors = Errors::default();
        validate_update(&new, &old, &mut errors);
        assert_eq!(
            errors.to_string(),
            "[metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new \
             finalizers []string{\"x.y/z\"}, metadata.name: Invalid value: \"b\": field is immutable]"
        );
    }
}

//! The rules for affinity, to nodes and to other pods.

use objects::names;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::{metadata, selectors};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// The rules for a pod's affinity.
pub fn validate(affinity: &Value, at: &Path, errors: &mut Errors) {
    node(affinity.at("nodeAffinity"), &at.child("nodeAffinity"), errors);
    pods(affinity.at("podAffinity"), &at.child("podAffinity"), errors);
    pods(affinity.at("podAntiAffinity"), &at.child("podAntiAffinity"), errors);
}

fn node(node: &Value, at: &Path, errors: &mut Errors) {
    if node.has(REQUIRED) {
        node_selector(node.at(REQUIRED), &at.child(REQUIRED), errors);
    }
    for (i, term) in node.items(PREFERRED).iter().enumerate() {
        let at = at.child(PREFERRED).index(i);
        weight(term, &at, errors);
        node_term(term.at("preference"), &at.child("preference"), errors);
    }
}

/// The rules for a selector of nodes.
pub fn node_selector(selector: &Value, at: &Path, errors: &mut Errors) {
    let (terms, at) = (selector.items("nodeSelectorTerms"), at.child("nodeSelectorTerms"));
    if terms.is_empty() {
        errors.required(&at, "must have at least one node selector term");
    }
    for (i, term) in terms.iter().enumerate() {
        node_term(term, &at.index(i), errors);
    }
}

fn node_term(term: &Value, at: &Path, errors: &mut Errors) {
    for (i, requirement) in term.items("matchExpressions").iter().enumerate() {
        by_label(requirement, &at.child("matchExpressions").index(i), errors);
    }
    for (i, requirement) in term.items("matchFields").iter().enumerate() {
        by_field(requirement, &at.child("matchFields").index(i), errors);
    }
}

fn by_label(requirement: &Value, at: &Path, errors: &mut Errors) {
    let (values, values_at) = (requirement.items("values"), at.child("values"));
    match (requirement.text("operator"), values.len()) {
        ("In" | "NotIn", 0) => errors.required(&values_at, "must be specified when `operator` is 'In' or 'NotIn'"),
        ("Exists" | "DoesNotExist", 1..) => {
            errors.forbidden(&values_at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        ("Gt" | "Lt", 0 | 2..) => {
            errors.required(&values_at, "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
        ("In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt", _) => {}
        (other, _) => errors.invalid(&at.child("operator"), other, "not a valid selector operator"),
    }
    let key = requirement.text("key");
    errors.all_invalid(&at.child("key"), key, names::qualified_name(key));
    for (i, value) in values.iter().filter_map(Value::as_str).enumerate() {
        errors.all_invalid(&values_at.index(i), value, names::label_value(value));
    }
}

/// Of a node's fields only its name can be matched.
fn by_field(requirement: &Value, at: &Path, errors: &mut Errors) {
    let values = requirement.items("values");
    match requirement.text("operator") {
        "In" | "NotIn" if values.len() != 1 => {
            let why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.required(&at.child("values"), why);
        }
        "In" | "NotIn" => {}
        other => errors.invalid(&at.child("operator"), other, "not a valid selector operator"),
    }
    match requirement.text("key") {
        "metadata.name" => {
            for (i, name) in values.iter().filter_map(Value::as_str).enumerate() {
                errors.all_invalid(&at.child("values").index(i), name, names::dns1123_subdomain(name));
            }
        }
        other => errors.invalid(&at.child("key"), other, "not a valid field selector key"),
    }
}

fn weight(term: &Value, at: &Path, errors: &mut Errors) {
    let weight = term.int("weight").unwrap_or_default();
    if !(1..=100).contains(&weight) {
        errors.invalid(&at.child("weight"), weight, "must be in the range 1-100");
    }
}

fn pods(affinity: &Value, at: &Path, errors: &mut Errors) {
    for (i, term) in affinity.items(REQUIRED).iter().enumerate() {
        pod_term(term, &at.child(REQUIRED).index(i), errors);
    }
    for (i, term) in affinity.items(PREFERRED).iter().enumerate() {
        let at = at.child(PREFERRED).index(i);
        weight(term, &at, errors);
        pod_term(term.at("podAffinityTerm"), &at.child("podAffinityTerm"), errors);
    }
}

fn pod_term(term: &Value, at: &Path, errors: &mut Errors) {
    selectors::validate(term.at("labelSelector"), &at.child("labelSelector"), errors);
    selectors::validate(term.at("namespaceSelector"), &at.child("namespaceSelector"), errors);
    for name in term.items("namespaces").iter().filter_map(Value::as_str) {
        errors.all_invalid(&at.child("namespace"), name, metadata::label(name, false));
    }
    for field in ["matchLabelKeys", "mismatchLabelKeys"] {
        let keys = term.items(field);
        if !keys.is_empty() && !term.has("labelSelector") {
            errors.forbidden(&at.child(field), "must not be specified when labelSelector is not set");
        }
        for (i, key) in keys.iter().filter_map(Value::as_str).enumerate() {
            errors.all_invalid(&at.child(field).index(i), key, names::qualified_name(key));
        }
    }
    topology_key(term.text("topologyKey"), at, errors);
}

/// The rules for the label that tells the places apart.
pub fn topology_key(key: &str, at: &Path, errors: &mut Errors) {
    let at = at.child("topologyKey");
    if key.is_empty() {
        errors.required(&at, "can not be empty");
    }
    errors.all_invalid(&at, key, names::qualified_name(key));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn terms_of_both_kinds() {
        let affinity = json!({
            "nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchFields": [
                {"key": "metadata.uid", "operator": "In", "values": ["a", "b"]}]}]}},
            "podAntiAffinity": {PREFERRED: [{"weight": 0, "podAffinityTerm": {"topologyKey": "zone",
                "labelSelector": {"matchLabels": {"a": "b"}}}}]},
        });
        let mut errors = Errors::default();
        validate(&affinity, &Path::new("a"), &mut errors);
        assert_eq!(
            errors.to_string(),
            "[a.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].values: \
             Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector, \
             a.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: \
             Invalid value: \"metadata.uid\": not a valid field selector key, \
             a.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in \
             the range 1-100]"
        );
    }
}

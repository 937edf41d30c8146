//! Roles and ClusterRoles.

use serde_json::Value;

use super::access::Look;
use super::{Behavior, metadata, selectors};
use crate::field::{Errors, Path};

/// What roles do.
pub const BEHAVIOR: Behavior =
    Behavior { validate, name: metadata::path_segment, allow_create_on_update: true, ..Behavior::GENERIC };

fn validate(role: &Value, errors: &mut Errors) {
    let namespaced = role.text("kind") == "Role";
    for (i, rule) in role.items("rules").iter().enumerate() {
        validate_rule(rule, namespaced, &Path::new("rules").index(i), errors);
    }
    if !role.has("aggregationRule") {
        return;
    }
    let at = Path::new("aggregationRule").child("clusterRoleSelectors");
    let gathered = role.items("aggregationRule.clusterRoleSelectors");
    if gathered.is_empty() {
        errors.required(&at, "at least one clusterRoleSelector required if aggregationRule is non-nil");
    }
    for (i, selector) in gathered.iter().enumerate() {
        selectors::validate(selector, &at.index(i), errors);
    }
}

fn validate_rule(rule: &Value, namespaced: bool, at: &Path, errors: &mut Errors) {
    if rule.items("verbs").is_empty() {
        errors.required(&at.child("verbs"), "verbs must contain at least one value");
    }
    let paths = rule.items("nonResourceURLs");
    if paths.is_empty() {
        if rule.items("apiGroups").is_empty() {
            errors.required(&at.child("apiGroups"), "resource rules must supply at least one api group");
        }
        if rule.items("resources").is_empty() {
            errors.required(&at.child("resources"), "resource rules must supply at least one resource");
        }
        return;
    }
    let shown = || rule.at("nonResourceURLs").clone();
    let at = at.child("nonResourceURLs");
    if namespaced {
        errors.invalid(&at, shown(), "namespaced rules cannot apply to non-resource URLs");
    }
    let others = ["apiGroups", "resources", "resourceNames"];
    if others.into_iter().any(|field| !rule.items(field).is_empty()) {
        errors.invalid(&at, shown(), "rules cannot apply to both regular resources and non-resource URLs");
    }
}

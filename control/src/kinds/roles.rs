//! Roles and ClusterRoles.

use serde_json::Value;

use super::access::Look;
use super::{Behavior, metadata};
use crate::field::{Errors, Path};

/// What roles do.
pub const BEHAVIOR: Behavior = Behavior { validate, name: metadata::path_segment, ..Behavior::GENERIC };

fn validate(role: &Value, errors: &mut Errors) {
    for (i, rule) in role.items("rules").iter().enumerate() {
        let at = Path::new("rules").index(i);
        if rule.items("verbs").is_empty() {
            errors.required(&at.child("verbs"), "verbs must contain at least one value");
        }
        let paths = !rule.items("nonResourceURLs").is_empty();
        if paths && role.text("kind") == "Role" {
            let shown = rule.at("nonResourceURLs").clone();
            errors.invalid(&at.child("nonResourceURLs"), shown, "namespaced rules cannot apply to non-resource URLs");
        } else if paths && !(rule.items("apiGroups").is_empty() && rule.items("resources").is_empty()) {
            let why = "rules cannot apply to both regular resources and non-resource URLs";
            errors.invalid(&at.child("nonResourceURLs"), rule.at("nonResourceURLs").clone(), why);
        } else if !paths && rule.items("apiGroups").is_empty() {
            errors.required(&at.child("apiGroups"), "resource rules must supply at least one api group");
        } else if !paths && rule.items("resources").is_empty() {
            errors.required(&at.child("resources"), "resource rules must supply at least one resource");
        }
    }
}

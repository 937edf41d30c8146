//! RoleBindings and ClusterRoleBindings.

use jiff::Timestamp;
use serde_json::Value;

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::{Behavior, cells, metadata};
use crate::field::{Errors, Path};

const GROUP: &str = "rbac.authorization.k8s.io";

/// What bindings do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    validate,
    validate_update: |new, old, errors| {
        if new.at("roleRef") != old.at("roleRef") {
            let role = new.at("roleRef");
            let shown = format!(
                "rbac.RoleRef{{APIGroup:{}, Kind:{}, Name:{}}}",
                role.at("apiGroup"),
                role.at("kind"),
                role.at("name")
            );
            errors.invalid_as(&Path::new("roleRef"), &shown, "cannot change roleRef");
        }
    },
    name: metadata::path_segment,
    columns: &[
        NAME,
        Column::text(
            "Role",
            "RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the \
             RoleRef cannot be resolved, the Authorizer must return an error. This field is immutable.",
        ),
        AGE,
        Column::text("Users", "Users in the roleBinding").wide(),
        Column::text("Groups", "Groups in the roleBinding").wide(),
        Column::text("ServiceAccounts", "ServiceAccounts in the roleBinding").wide(),
    ],
    row,
    allow_create_on_update: true,
    ..Behavior::GENERIC
};

fn default(binding: &mut Value) {
    if binding.text("roleRef.apiGroup").is_empty() {
        binding.set("roleRef", "apiGroup", GROUP);
    }
    for subject in binding.items_mut("subjects") {
        if matches!(subject.text("kind"), "User" | "Group") && subject.text("apiGroup").is_empty() {
            subject.set("", "apiGroup", GROUP);
        }
    }
}

fn validate(binding: &Value, errors: &mut Errors) {
    let at = Path::new("roleRef");
    let kinds: &[&str] =
        if binding.text("kind") == "ClusterRoleBinding" { &["ClusterRole"] } else { &["Role", "ClusterRole"] };
    let (group, kind) = (binding.text("roleRef.apiGroup"), binding.text("roleRef.kind"));
    if group != GROUP {
        errors.not_supported(&at.child("apiGroup"), group, &[GROUP]);
    }
    if !kinds.contains(&kind) {
        errors.not_supported(&at.child("kind"), kind, kinds);
    }
    match binding.text("roleRef.name") {
        "" => errors.required(&at.child("name"), ""),
        name => errors.all_invalid(&at.child("name"), name, metadata::path_segment(name, false)),
    }
    let namespaced = binding.text("kind") != "ClusterRoleBinding";
    for (i, subject) in binding.items("subjects").iter().enumerate() {
        validate_subject(subject, namespaced, &Path::new("subjects").index(i), errors);
    }
}

fn validate_subject(subject: &Value, namespaced: bool, at: &Path, errors: &mut Errors) {
    let (name, group) = (subject.text("name"), subject.text("apiGroup"));
    if name.is_empty() {
        errors.required(&at.child("name"), "");
    }
    match subject.text("kind") {
        "ServiceAccount" => {
            if !name.is_empty() {
                errors.all_invalid(&at.child("name"), name, metadata::subdomain(name, false));
            }
            if !group.is_empty() {
                errors.not_supported(&at.child("apiGroup"), group, &[""]);
            }
            if !namespaced && subject.text("namespace").is_empty() {
                errors.required(&at.child("namespace"), "");
            }
        }
        "User" | "Group" if group == GROUP => {}
        "User" | "Group" => errors.not_supported(&at.child("apiGroup"), group, &[GROUP]),
        other => errors.not_supported(&at.child("kind"), other, &["ServiceAccount", "User", "Group"]),
    }
}

fn row(binding: &Value, now: Timestamp) -> Vec<Value> {
    let of = |kind: &str| {
        let names: Vec<String> = binding
            .items("subjects")
            .iter()
            .filter(|s| s.text("kind") == kind)
            .map(|s| match kind {
                "ServiceAccount" => format!("{}/{}", s.text("namespace"), s.text("name")),
                _ => s.text("name").to_owned(),
            })
            .collect();
        Value::from(names.join(", "))
    };
    vec![
        cells::name(binding),
        format!("{}/{}", binding.text("roleRef.kind"), binding.text("roleRef.name")).into(),
        cells::age(binding, now),
        of("User"),
        of("Group"),
        of("ServiceAccount"),
    ]
}

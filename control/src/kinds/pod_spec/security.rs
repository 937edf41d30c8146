//! The rules for security contexts, of pods and of containers. Guests are sandboxed without them; objects that carry
//! them are still checked as Kubernetes checks them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::mounts;
use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::numbers::within;

const ID_MAX: i64 = i32::MAX as i64;
const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];
const SYSCTL_MAX: usize = 253;
const PROFILE_MAX: usize = 4095;

/// The rules for the security context of a pod.
pub fn pod(spec: &Value, at: &Path, errors: &mut Errors) {
    let context = spec.at("securityContext");
    if spec.flag("shareProcessNamespace") && spec.flag("hostPID") {
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid(&at.child("shareProcessNamespace"), true, why);
    }
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        id(context.at(field), &at.child(field), errors);
    }
    for (i, group) in context.items("supplementalGroups").iter().enumerate() {
        id(group, &at.child("supplementalGroups").index(i), errors);
    }
    sysctls(context.items("sysctls"), &at.child("sysctls"), errors);
    for (field, values) in
        [("fsGroupChangePolicy", ["Always", "OnRootMismatch"]), ("supplementalGroupsPolicy", ["Merge", "Strict"])]
    {
        let value = context.text(field);
        if !value.is_empty() && !values.contains(&value) {
            errors.not_supported(&at.child(field), value, &values);
        }
    }
    profiles(context, at, errors);
}

/// The rules for the security context of a container, in a pod that has its own users or not.
pub fn container(context: &Value, own_users: bool, at: &Path, errors: &mut Errors) {
    if context.is_null() {
        return;
    }
    for field in ["runAsUser", "runAsGroup"] {
        id(context.at(field), &at.child(field), errors);
    }
    match context.text("procMount") {
        "" | "Default" => {}
        "Unmasked" if !own_users => {
            errors.invalid(&at.child("procMount"), "Unmasked", "`hostUsers` must be false to use `Unmasked`");
        }
        "Unmasked" => {}
        other => errors.not_supported(&at.child("procMount"), other, &["Default", "Unmasked"]),
    }
    if context.at("allowPrivilegeEscalation").as_bool() == Some(false) {
        if context.flag("privileged") {
            let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.invalid(at, context.clone(), why);
        }
        if context.items("capabilities.add").iter().any(|c| c == "CAP_SYS_ADMIN") {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.invalid(at, context.clone(), why);
        }
    }
    profiles(context, at, errors);
}

fn id(id: &Value, at: &Path, errors: &mut Errors) {
    if let Some(id) = id.as_i64() {
        within(id, 0, ID_MAX, at, errors);
    }
}

fn sysctls(sysctls: &[Value], at: &Path, errors: &mut Errors) {
    let mut taken = BTreeSet::new();
    for (i, sysctl) in sysctls.iter().enumerate() {
        let (name, at) = (sysctl.text("name"), at.index(i).child("name"));
        match name {
            "" => errors.required(&at, ""),
            name if !is_sysctl(name) => {
                let why = format!(
                    "must have at most {SYSCTL_MAX} characters and match regex \
                     ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
                );
                errors.invalid(&at, name, &why);
            }
            name if !taken.insert(name) => errors.duplicate(&at, name),
            _ => {}
        }
    }
}

fn is_sysctl(name: &str) -> bool {
    let segment = |s: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        s.bytes().all(inner) && edge(s.as_bytes().first()) && edge(s.as_bytes().last())
    };
    name.len() <= SYSCTL_MAX && name.split(['.', '/']).all(segment)
}

fn profiles(context: &Value, at: &Path, errors: &mut Errors) {
    seccomp(context.at("seccompProfile"), &at.child("seccompProfile"), errors);
    app_armor(context.at("appArmorProfile"), &at.child("appArmorProfile"), errors);
}

fn seccomp(profile: &Value, at: &Path, errors: &mut Errors) {
    if profile.is_null() {
        return;
    }
    kind(profile, "type is required when seccompProfile is set", at, errors);
    let (local, path) = (profile.text("type") == "Localhost", at.child("localhostProfile"));
    match profile.at("localhostProfile").as_str() {
        None if local => errors.required(&path, "must be set when seccomp type is Localhost"),
        Some(file) if local => mounts::descending(file, &path, errors),
        Some(_) => errors.invalid(&path, profile.clone(), "can only be set when seccomp type is Localhost"),
        None => {}
    }
}

fn app_armor(profile: &Value, at: &Path, errors: &mut Errors) {
    if profile.is_null() {
        return;
    }
    kind(profile, "type is required when appArmorProfile is set", at, errors);
    let path = at.child("localhostProfile");
    match (profile.text("type"), profile.at("localhostProfile").as_str()) {
        ("Localhost", Some(file)) if file.trim() != file => {
            errors.invalid(&path, file, "must not be padded with whitespace");
        }
        ("Localhost", None | Some("")) => errors.required(&path, "must be set when AppArmor type is Localhost"),
        ("Localhost", Some(file)) if file.len() > PROFILE_MAX => errors.too_long(&path, PROFILE_MAX),
        ("RuntimeDefault" | "Unconfined", Some(file)) => {
            errors.invalid(&path, file, "can only be set when AppArmor type is Localhost");
        }
        _ => {}
    }
}

fn kind(profile: &Value, missing: &str, at: &Path, errors: &mut Errors) {
    match profile.text("type") {
        "" => errors.required(&at.child("type"), missing),
        known if PROFILES.contains(&known) => {}
        other => errors.not_supported(&at.child("type"), other, &PROFILES),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn contexts_of_pods_and_containers() {
        let mut errors = Errors::default();
        let spec = json!({"securityContext": {"runAsUser": -1, "sysctls": [{"name": "a.b"}, {"name": "A"}],
            "seccompProfile": {"type": "Localhost"}, "fsGroupChangePolicy": "Never"}});
        pod(&spec, &Path::new("spec").child("securityContext"), &mut errors);
        let said = errors.to_string();
        assert!(
            said.starts_with(
                "[spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive, \
                 spec.securityContext.sysctls[1].name: Invalid value: \"A\": must have at most 253 characters and match \
                 regex "
            ),
            "{said}"
        );
        assert!(
            said.ends_with(
                "spec.securityContext.fsGroupChangePolicy: Unsupported value: \"Never\": supported values: \"Always\", \
                 \"OnRootMismatch\", spec.securityContext.seccompProfile.localhostProfile: Required value: must be set \
                 when seccomp type is Localhost]"
            ),
            "{said}"
        );
        let mut errors = Errors::default();
        container(&json!({"procMount": "Unmasked"}), false, &Path::new("x"), &mut errors);
        assert_eq!(
            errors.to_string(),
            "x.procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use `Unmasked`"
        );
    }
}

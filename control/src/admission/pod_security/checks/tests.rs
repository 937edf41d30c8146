//! Each check by its message.

use serde_json::{Value, json};

use super::super::policy::Version;
use super::*;

fn said(level: Level, version: Version, metadata: Value, spec: Value) -> String {
    details(&violations(Standard { level, version }, &metadata, &spec))
}

fn baseline_says(spec: Value) -> String {
    said(Level::Baseline, Version::Latest, json!({}), spec)
}

fn restricted_says(spec: Value) -> String {
    said(Level::Restricted, Version::Latest, json!({}), spec)
}

/// What the restricted level wants, with more of `context` in the container.
fn good(context: Value) -> Value {
    let mut container = json!({"name": "c", "securityContext": {"allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]}}});
    if let (Value::Object(all), Value::Object(more)) = (&mut container["securityContext"], context) {
        all.extend(more);
    }
    json!({"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container]})
}

#[test]
fn a_bare_pod_is_baseline_and_not_restricted() {
    let bare = json!({"containers": [{"name": "c", "image": "x"}]});
    assert_eq!(baseline_says(bare.clone()), "");
    assert_eq!(
        restricted_says(bare.clone()),
        "allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), \
         unrestricted capabilities (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), \
         runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), \
         seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \
         \"Localhost\")"
    );
    assert_eq!(
        said(Level::Restricted, Version::Minor(0), json!({}), bare.clone()),
        "runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true)"
    );
    assert_eq!(said(Level::Privileged, Version::Latest, json!({}), bare), "");
    assert_eq!(restricted_says(good(json!({}))), "");
}

#[test]
fn windows_is_spared_what_it_does_not_know() {
    let mut spec = json!({"os": {"name": "windows"}, "securityContext": {"runAsNonRoot": true},
        "containers": [{"name": "c"}]});
    assert_eq!(restricted_says(spec.clone()), "");
    spec["containers"][0]["securityContext"] = json!({"windowsOptions": {"hostProcess": true}});
    assert_eq!(
        restricted_says(spec),
        "hostProcess (container \"c\" must not set securityContext.windowsOptions.hostProcess=true)"
    );
}

#[test]
fn baseline_checks_by_message() {
    let with = |context: Value| json!({"containers": [{"name": "c", "securityContext": context}]});
    for (spec, want) in [
        (json!({"hostNetwork": true, "hostIPC": true}), "host namespaces (hostNetwork=true, hostIPC=true)"),
        (json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}), "hostPath volumes (volume \"v\")"),
        (
            json!({"containers": [{"name": "a", "ports": [{"hostPort": 80}]}, {"name": "b", "ports": [{"hostPort": 9}]}]}),
            "hostPort (containers \"a\", \"b\" use hostPorts 80, 9)",
        ),
        (
            with(json!({"privileged": true})),
            "privileged (container \"c\" must not set securityContext.privileged=true)",
        ),
        (
            with(json!({"capabilities": {"add": ["NET_RAW", "CHOWN", "BPF"]}})),
            "non-default capabilities (container \"c\" must not include \"BPF\", \"NET_RAW\" in \
             securityContext.capabilities.add)",
        ),
        (
            with(json!({"procMount": "Unmasked"})),
            "procMount (container \"c\" must not set securityContext.procMount to \"Unmasked\")",
        ),
        (
            json!({"securityContext": {"seLinuxOptions": {"type": "x", "user": "u"}}}),
            "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"x\"; user may not be set)",
        ),
        (
            json!({"securityContext": {"seccompProfile": {"type": "Unconfined"}}, "initContainers":
                [{"name": "i", "securityContext": {"seccompProfile": {"type": "Unconfined"}}}]}),
            "seccompProfile (pod and container \"i\" must not set securityContext.seccompProfile.type to \"Unconfined\")",
        ),
        (
            json!({"securityContext": {"sysctls": [{"name": "kernel.msgmax"}, {"name": "net.ipv4.tcp_rmem"}]}}),
            "forbidden sysctls (kernel.msgmax)",
        ),
        (
            with(json!({"appArmorProfile": {"type": "Unconfined"}})),
            "forbidden AppArmor profile (container \"c\" must not set AppArmor profile type to \"Unconfined\")",
        ),
    ] {
        assert_eq!(baseline_says(spec), want);
    }
}

#[test]
fn annotations_count_where_their_release_knew_them() {
    let metadata = json!({"annotations": {"container.apparmor.security.beta.kubernetes.io/c": "unconfined",
        "seccomp.security.alpha.kubernetes.io/pod": "unconfined"}});
    let spec = json!({"containers": [{"name": "c"}]});
    let armor = "forbidden AppArmor profile (annotation must not set AppArmor profile type to \
        \"container.apparmor.security.beta.kubernetes.io/c=\"unconfined\"\")";
    assert_eq!(said(Level::Baseline, Version::Latest, metadata.clone(), spec.clone()), armor);
    assert_eq!(
        said(Level::Baseline, Version::Minor(18), metadata, spec),
        format!(
            "{armor}, seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod=\"unconfined\")"
        )
    );
}

#[test]
fn restricted_checks_by_message() {
    for (spec, want) in [
        (
            good(json!({"runAsNonRoot": false, "runAsUser": 0})),
            "runAsNonRoot != true (container \"c\" must not set securityContext.runAsNonRoot=false), runAsUser=0 \
             (container \"c\" must not set runAsUser=0)",
        ),
        (
            good(json!({"capabilities": {"drop": ["ALL"], "add": ["CHOWN", "NET_BIND_SERVICE"]}})),
            "unrestricted capabilities (container \"c\" must not include \"CHOWN\" in securityContext.capabilities.add)",
        ),
        (
            good(json!({"seccompProfile": {"type": "Unconfined"}})),
            "seccompProfile (container \"c\" must not set securityContext.seccompProfile.type to \"Unconfined\")",
        ),
    ] {
        assert_eq!(restricted_says(spec), want);
    }
    let mut spec = good(json!({}));
    spec["volumes"] = json!([{"name": "a", "hostPath": {}}, {"name": "b", "nfs": {}}, {"name": "s", "secret": {}}]);
    assert_eq!(
        restricted_says(spec),
        "restricted volume types (volumes \"a\", \"b\" use restricted volume types \"hostPath\", \"nfs\")"
    );
}

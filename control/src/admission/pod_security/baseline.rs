//! The checks of the baseline level.

use std::collections::BTreeSet;

use serde_json::Value;

use super::words::{Violation, blamed, containers, named, names, plural, quoted};
use crate::kinds::Look;

const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

const CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Safe kernel settings, with the release since which they count as safe.
const SYSCTLS: &[(u32, &str)] = &[
    (0, "kernel.shm_rmid_forced"),
    (0, "net.ipv4.ip_local_port_range"),
    (0, "net.ipv4.tcp_syncookies"),
    (0, "net.ipv4.ping_group_range"),
    (0, "net.ipv4.ip_unprivileged_port_start"),
    (27, "net.ipv4.ip_local_reserved_ports"),
    (29, "net.ipv4.tcp_keepalive_time"),
    (29, "net.ipv4.tcp_fin_timeout"),
    (29, "net.ipv4.tcp_keepalive_intvl"),
    (29, "net.ipv4.tcp_keepalive_probes"),
    (32, "net.ipv4.tcp_rmem"),
    (32, "net.ipv4.tcp_wmem"),
];

/// AppArmor stays on, by field or by annotation.
pub fn app_armor(metadata: &Value, spec: &Value) -> Option<Violation> {
    let bad = |owner: &Value| {
        let profile = owner.at("securityContext.appArmorProfile");
        (!profile.is_null() && !matches!(profile.text("type"), "RuntimeDefault" | "Localhost"))
            .then(|| profile.text("type").to_owned())
    };
    let mut values: BTreeSet<String> = containers(spec).filter_map(bad).collect();
    values.extend(bad(spec));
    let mut setters: Vec<String> =
        blamed(bad(spec).is_some(), &names(spec, |c| bad(c).is_some())).into_iter().collect();
    let fine = |v: &str| v.is_empty() || v == "runtime/default" || v.starts_with("localhost/");
    let annotations: BTreeSet<String> = metadata
        .entries("annotations")
        .filter(|(key, value)| key.starts_with(APP_ARMOR) && !fine(value.as_str().unwrap_or_default()))
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    if !annotations.is_empty() {
        setters.push(plural("annotation", "annotations", annotations.len()).to_owned());
    }
    let said: Vec<String> = values.into_iter().chain(annotations).collect();
    (!setters.is_empty()).then(|| Violation {
        reason: plural("forbidden AppArmor profile", "forbidden AppArmor profiles", said.len()),
        detail: format!("{} must not set AppArmor profile type to {}", setters.join(" and "), quoted(&said)),
    })
}

/// No capabilities beyond those that every container has.
pub fn capabilities(_: &Value, spec: &Value) -> Option<Violation> {
    let extra = |c: &Value| -> BTreeSet<String> {
        let added = c.items("securityContext.capabilities.add").iter().filter_map(Value::as_str);
        added.filter(|name| !CAPABILITIES.contains(name)).map(str::to_owned).collect()
    };
    let bad = names(spec, |c| !extra(c).is_empty());
    let all: BTreeSet<String> = containers(spec).flat_map(extra).collect();
    (!bad.is_empty()).then(|| Violation {
        reason: "non-default capabilities",
        detail: format!("{} must not include {} in securityContext.capabilities.add", named(&bad), quoted(&all)),
    })
}

/// Nothing of the host's network, processes or IPC.
pub fn host_namespaces(_: &Value, spec: &Value) -> Option<Violation> {
    let shared: Vec<String> =
        ["hostNetwork", "hostPID", "hostIPC"].iter().filter(|f| spec.flag(f)).map(|f| format!("{f}=true")).collect();
    (!shared.is_empty()).then(|| Violation { reason: "host namespaces", detail: shared.join(", ") })
}

/// Nothing of the host's files.
pub fn host_path(_: &Value, spec: &Value) -> Option<Violation> {
    let bad: Vec<&str> = spec.items("volumes").iter().filter(|v| v.has("hostPath")).map(|v| v.text("name")).collect();
    (!bad.is_empty()).then(|| Violation {
        reason: "hostPath volumes",
        detail: format!("{} {}", plural("volume", "volumes", bad.len()), quoted(&bad)),
    })
}

/// No port of the host.
pub fn host_ports(_: &Value, spec: &Value) -> Option<Violation> {
    let ports = |c: &Value| -> BTreeSet<String> {
        c.items("ports").iter().filter_map(|p| p.int("hostPort")).filter(|p| *p != 0).map(|p| p.to_string()).collect()
    };
    let bad = names(spec, |c| !ports(c).is_empty());
    let all: BTreeSet<String> = containers(spec).flat_map(ports).collect();
    (!bad.is_empty()).then(|| Violation {
        reason: "hostPort",
        detail: format!(
            "{} {} {} {}",
            named(&bad),
            plural("uses", "use", bad.len()),
            plural("hostPort", "hostPorts", all.len()),
            all.into_iter().collect::<Vec<_>>().join(", ")
        ),
    })
}

/// No container with all the rights of the host.
pub fn privileged(_: &Value, spec: &Value) -> Option<Violation> {
    let bad = names(spec, |c| c.flag("securityContext.privileged"));
    (!bad.is_empty()).then(|| Violation {
        reason: "privileged",
        detail: format!("{} must not set securityContext.privileged=true", named(&bad)),
    })
}

/// `/proc` stays masked.
pub fn proc_mount(_: &Value, spec: &Value) -> Option<Violation> {
    let kind = |c: &Value| c.at("securityContext.procMount").as_str().filter(|m| *m != "Default").map(str::to_owned);
    let bad = names(spec, |c| kind(c).is_some());
    let all: BTreeSet<String> = containers(spec).filter_map(kind).collect();
    (!bad.is_empty()).then(|| Violation {
        reason: "procMount",
        detail: format!("{} must not set securityContext.procMount to {}", named(&bad), quoted(&all)),
    })
}

/// SELinux keeps its user and role, and its type is one for containers.
pub fn se_linux(_: &Value, spec: &Value) -> Option<Violation> {
    se_linux_of(spec, &["", "container_t", "container_init_t", "container_kvm_t"])
}

/// One more type since 1.31.
pub fn se_linux_31(_: &Value, spec: &Value) -> Option<Violation> {
    se_linux_of(spec, &["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"])
}

fn se_linux_of(spec: &Value, types: &[&str]) -> Option<Violation> {
    const AT: &str = "securityContext.seLinuxOptions";
    let is_bad = |owner: &Value| {
        let options = owner.at(AT);
        !types.contains(&options.text("type")) || !options.text("user").is_empty() || !options.text("role").is_empty()
    };
    let setters = blamed(is_bad(spec), &names(spec, |c| is_bad(c)))?;
    let all: Vec<&Value> = containers(spec).chain([spec]).map(|owner| owner.at(AT)).collect();
    let wrong: BTreeSet<&str> = all.iter().map(|o| o.text("type")).filter(|t| !types.contains(t)).collect();
    let mut said = Vec::new();
    if !wrong.is_empty() {
        said.push(format!("{} {}", plural("type", "types", wrong.len()), quoted(&wrong)));
    }
    for field in ["user", "role"] {
        if all.iter().any(|o| !o.text(field).is_empty()) {
            said.push(format!("{field} may not be set"));
        }
    }
    let detail = format!("{setters} set forbidden securityContext.seLinuxOptions: {}", said.join("; "));
    Some(Violation { reason: "seLinuxOptions", detail })
}

/// seccomp stays on: by annotation, before 1.19.
pub fn seccomp_annotations(metadata: &Value, spec: &Value) -> Option<Violation> {
    let fine = |v: &str| matches!(v, "runtime/default" | "docker/default") || v.starts_with("localhost/");
    let keys =
        containers(spec).map(|c| format!("{SECCOMP_CONTAINER}{}", c.text("name"))).chain([SECCOMP_POD.to_owned()]);
    let wrong = |key: String| {
        let value = metadata.at("annotations").get(&key)?.as_str().filter(|v| !fine(v))?;
        Some(format!("{key}={}", Value::from(value)))
    };
    let bad: BTreeSet<String> = keys.filter_map(wrong).collect();
    (!bad.is_empty()).then(|| Violation {
        reason: "seccompProfile",
        detail: format!(
            "forbidden {} {}",
            plural("annotation", "annotations", bad.len()),
            bad.iter().cloned().collect::<Vec<_>>().join(", ")
        ),
    })
}

/// seccomp stays on.
pub fn seccomp(_: &Value, spec: &Value) -> Option<Violation> {
    let bad = |owner: &Value| {
        let profile = owner.at("securityContext.seccompProfile");
        (!profile.is_null() && !matches!(profile.text("type"), "RuntimeDefault" | "Localhost"))
            .then(|| profile.text("type").to_owned())
    };
    let setters = blamed(bad(spec).is_some(), &names(spec, |c| bad(c).is_some()))?;
    let values: BTreeSet<String> = containers(spec).chain([spec]).filter_map(bad).collect();
    let detail = format!("{setters} must not set securityContext.seccompProfile.type to {}", quoted(&values));
    Some(Violation { reason: "seccompProfile", detail })
}

/// Only kernel settings that stay inside the pod.
pub fn sysctls(_: &Value, spec: &Value) -> Option<Violation> {
    sysctls_of(spec, 0)
}

/// More of them since 1.27.
pub fn sysctls_27(_: &Value, spec: &Value) -> Option<Violation> {
    sysctls_of(spec, 27)
}

/// More of them since 1.29.
pub fn sysctls_29(_: &Value, spec: &Value) -> Option<Violation> {
    sysctls_of(spec, 29)
}

/// More of them since 1.32.
pub fn sysctls_32(_: &Value, spec: &Value) -> Option<Violation> {
    sysctls_of(spec, 32)
}

fn sysctls_of(spec: &Value, minor: u32) -> Option<Violation> {
    let set = spec.items("securityContext.sysctls").iter().map(|s| s.text("name"));
    let bad: Vec<&str> = set.filter(|n| !SYSCTLS.iter().any(|(since, name)| *since <= minor && name == n)).collect();
    (!bad.is_empty()).then(|| Violation { reason: "forbidden sysctls", detail: bad.join(", ") })
}

/// No process of a Windows host.
pub fn windows_host_process(_: &Value, spec: &Value) -> Option<Violation> {
    const AT: &str = "securityContext.windowsOptions.hostProcess";
    let setters = blamed(spec.flag(AT), &names(spec, |c| c.flag(AT)))?;
    Some(Violation {
        reason: "hostProcess",
        detail: format!("{setters} must not set securityContext.windowsOptions.hostProcess=true"),
    })
}

//! The rules for services.

use std::collections::BTreeSet;
use std::net::IpAddr;

use objects::names;
use serde_json::Value;

use super::traffic;
use super::update::has_cluster_ip;
use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::{endpoints, metadata, pod_spec};

const NOT_AN_IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const KUBELET: i64 = 10250;
const AFFINITY_MAX: i64 = 86400;

/// The rules for a service alone, in the order in which Kubernetes reports them.
pub fn validate(service: &Value, errors: &mut Errors) {
    let (spec, at) = (service.at("spec"), Path::new("spec"));
    let headless = is_headless(spec);
    let kind = spec.text("type");
    if spec.items("ports").is_empty() && !headless && kind != "ExternalName" {
        errors.required(&at.child("ports"), "");
    }
    by_type(spec, kind, headless, &at, errors);
    ports(spec.items("ports"), &at.child("ports"), errors);
    metadata::labels(spec.at("selector"), &at.child("selector"), errors);
    affinity(spec, &at, errors);
    if kind != "ExternalName" {
        cluster_ips(spec, &at, errors);
    }
    for (i, ip) in spec.items("externalIPs").iter().filter_map(Value::as_str).enumerate() {
        let at = at.child("externalIPs").index(i);
        match ip.parse::<IpAddr>() {
            Ok(ip) => endpoints::usable(ip, &at, errors),
            Err(_) => errors.invalid(&at, ip, NOT_AN_IP),
        }
    }
    match kind {
        "" => errors.required(&at.child("type"), ""),
        other if !TYPES.contains(&other) => errors.not_supported(&at.child("type"), other, &TYPES),
        _ => {}
    }
    port_numbers(spec, kind, &at.child("ports"), errors);
    traffic::validate(spec, kind, &at, errors);
}

fn is_headless(spec: &Value) -> bool {
    spec.items("clusterIPs").first().and_then(Value::as_str) == Some("None") || spec.text("clusterIP") == "None"
}

fn by_type(spec: &Value, kind: &str, headless: bool, at: &Path, errors: &mut Errors) {
    match kind {
        "LoadBalancer" | "NodePort" => {
            if kind == "LoadBalancer" {
                for (i, port) in spec.items("ports").iter().enumerate().filter(|(_, p)| p.int("port") == Some(KUBELET))
                {
                    let why = "may not expose port 10250 externally since it is used by kubelet";
                    errors.invalid(&at.child("ports").index(i), port.at("port").clone(), why);
                }
            }
            if headless {
                let why = format!("may not be set to 'None' for {kind} services");
                errors.invalid(&at.child("clusterIPs").index(0), "None", &why);
            }
        }
        "ExternalName" => {
            for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                if spec.has(field) {
                    errors.forbidden(&at.child(field), "may not be set for ExternalName services");
                }
            }
            let name = spec.text("externalName");
            match name.strip_suffix('.').unwrap_or(name) {
                "" => errors.required(&at.child("externalName"), ""),
                cname => errors.all_invalid(&at.child("externalName"), cname, names::dns1123_subdomain(cname)),
            }
        }
        _ => {}
    }
}

fn ports(ports: &[Value], at: &Path, errors: &mut Errors) {
    let mut taken = BTreeSet::new();
    for (i, port) in ports.iter().enumerate() {
        let at = at.index(i);
        match port.text("name") {
            "" if ports.len() > 1 => errors.required(&at.child("name"), ""),
            "" => {}
            name => {
                errors.all_invalid(&at.child("name"), name, names::dns1123_label(name));
                if !taken.insert(name) {
                    errors.duplicate(&at.child("name"), name);
                }
            }
        }
        let number = port.int("port").unwrap_or_default();
        for why in names::port_number(number) {
            errors.invalid(&at.child("port"), number, &why);
        }
        let protocols = ["SCTP", "TCP", "UDP"];
        match port.text("protocol") {
            "" => errors.required(&at.child("protocol"), ""),
            other if !protocols.contains(&other) => errors.not_supported(&at.child("protocol"), other, &protocols),
            _ => {}
        }
        pod_spec::target_port(port.at("targetPort"), &at.child("targetPort"), errors);
        let protocol = port.text("appProtocol");
        if !protocol.is_empty() {
            errors.all_invalid(&at.child("appProtocol"), protocol, names::qualified_name(protocol));
        }
    }
}

/// No two ports of a service are the same, inside or on the nodes.
fn port_numbers(spec: &Value, kind: &str, at: &Path, errors: &mut Errors) {
    let node_port = |port: &Value| port.int("nodePort").filter(|n| *n != 0);
    let ports = || spec.items("ports").iter().enumerate();
    if kind == "ClusterIP" {
        for (i, _) in ports().filter(|(_, p)| node_port(p).is_some()) {
            errors.forbidden(&at.index(i).child("nodePort"), "may not be used when `type` is 'ClusterIP'");
        }
    }
    let mut taken = BTreeSet::new();
    for (i, port) in ports() {
        if let Some(number) = node_port(port)
            && !taken.insert((port.text("protocol"), number))
        {
            errors.duplicate(&at.index(i).child("nodePort"), number);
        }
    }
    let mut taken = BTreeSet::new();
    for (i, port) in ports() {
        let (protocol, number) = (port.text("protocol"), port.int("port").unwrap_or_default());
        if !taken.insert((protocol, number)) {
            errors.duplicate_as(
                &at.index(i),
                &format!(
                    "core.ServicePort{{Name:\"\", Protocol:\"{protocol}\", AppProtocol:(*string)(nil), Port:{number}, \
                     TargetPort:intstr.IntOrString{{Type:0, IntVal:0, StrVal:\"\"}}, NodePort:0}}"
                ),
            );
        }
    }
}

fn affinity(spec: &Value, at: &Path, errors: &mut Errors) {
    let config = at.child("sessionAffinityConfig");
    match spec.text("sessionAffinity") {
        "" => errors.required(&at.child("sessionAffinity"), ""),
        "None" if spec.has("sessionAffinityConfig") => {
            errors.forbidden(&config, "must not be set when session affinity is None");
        }
        "None" => {}
        "ClientIP" => {
            let seconds = spec.int("sessionAffinityConfig.clientIP.timeoutSeconds").unwrap_or_default();
            if !(1..=AFFINITY_MAX).contains(&seconds) {
                let why = format!("must be greater than 0 and less than {AFFINITY_MAX}");
                errors.invalid(&config.child("clientIP").child("timeoutSeconds"), seconds, &why);
            }
        }
        other => errors.not_supported(&at.child("sessionAffinity"), other, &["ClientIP", "None"]),
    }
}

fn cluster_ips(spec: &Value, at: &Path, errors: &mut Errors) {
    let ips = spec.items("clusterIPs");
    let first = ips.first().and_then(Value::as_str);
    if first.is_some_and(|first| first != spec.text("clusterIP")) {
        errors.invalid(&at.child("clusterIPs"), Value::from(ips), "first value must match `clusterIP`");
    }
    for (i, ip) in ips.iter().filter_map(Value::as_str).enumerate() {
        let at = at.child("clusterIPs").index(i);
        if ip == "None" && i > 0 {
            errors.invalid(&at, ip, "'None' must be the first and only value");
        } else if ip != "None" && ip.parse::<IpAddr>().is_err() {
            errors.invalid(&at, ip, NOT_AN_IP);
        }
    }
    let families = spec.items("ipFamilies");
    if families.len() > 2 {
        errors.invalid(&at.child("ipFamilies"), Value::from(families), "may only hold up to 2 values");
    }
    for (i, family) in families.iter().filter_map(Value::as_str).enumerate() {
        let at = at.child("ipFamilies").index(i);
        if !matches!(family, "IPv4" | "IPv6") {
            errors.not_supported(&at, family, &["IPv4", "IPv6"]);
        }
        if families[..i].iter().any(|f| f == family) {
            errors.duplicate(&at, family);
        }
    }
    let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    let policy = spec.text("ipFamilyPolicy");
    if !policy.is_empty() && !policies.contains(&policy) {
        errors.not_supported(&at.child("ipFamilyPolicy"), policy, &policies);
    }
    if let [one] = families
        && one == "IPv6"
    {
        errors.invalid(&at.child("ipFamilies").index(0), "IPv6", "not configured on this cluster");
    }
    if spec.text("ipFamilyPolicy") == "RequireDualStack" && !is_headless(spec) {
        let why = "this cluster is not configured for dual-stack services";
        errors.invalid(&at.child("ipFamilyPolicy"), "RequireDualStack", why);
    }
}

/// The rules for a change of service: its address stays.
pub fn validate_update(new: &Value, old: &Value, errors: &mut Errors) {
    if !has_cluster_ip(new) || !has_cluster_ip(old) {
        return;
    }
    let at = Path::new("spec").child("clusterIPs").index(0);
    let (now, before) = (new.items("spec.clusterIPs"), old.items("spec.clusterIPs"));
    match (now.first(), before.first()) {
        (None, Some(_)) => errors.invalid(&at, Value::from(now), "primary clusterIP can not be unset"),
        (Some(now_first), Some(before_first)) if now_first != before_first => {
            errors.invalid(&at, Value::from(now), "may not change once set");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::BEHAVIOR;
    use super::*;

    fn said(spec: Value) -> String {
        let mut service = json!({"metadata": {"name": "s", "namespace": "n"}, "spec": spec});
        (BEHAVIOR.default)(&mut service);
        (BEHAVIOR.prepare_create)(&mut service);
        BEHAVIOR.check_create(&service, true).to_string()
    }

    #[test]
    fn each_rule_has_its_words() {
        let cases = [
            (json!({}), "spec.ports: Required value"),
            (
                json!({"ports": [{"port": 80}, {"port": 80, "protocol": "UDP", "name": "u"}]}),
                "spec.ports[0].name: Required value",
            ),
            (
                json!({"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]}),
                "spec.ports[1].name: Duplicate value: \"a\"",
            ),
            (
                json!({"ports": [{"port": 0, "targetPort": 80}]}),
                "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            ),
            (
                json!({"ports": [{"port": 80, "nodePort": 30000}]}),
                "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
            ),
            (
                json!({"type": "Zap", "ports": [{"port": 80}]}),
                "spec.type: Unsupported value: \"Zap\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \
                 \"NodePort\"",
            ),
            (
                json!({"type": "NodePort", "clusterIP": "None", "ports": [{"port": 80}]}),
                "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
            ),
            (json!({"type": "ExternalName"}), "spec.externalName: Required value"),
            (
                json!({"clusterIP": "x", "ports": [{"port": 80}]}),
                "spec.clusterIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            ),
            (
                json!({"sessionAffinity": "Cookie", "ports": [{"port": 80}]}),
                "spec.sessionAffinity: Unsupported value: \"Cookie\": supported values: \"ClientIP\", \"None\"",
            ),
            (
                json!({"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]}),
                "spec.ports[1]: Duplicate value: core.ServicePort{Name:\"\", Protocol:\"TCP\", AppProtocol:(*string)(nil), \
                 Port:80, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}, NodePort:0}",
            ),
        ];
        for (spec, words) in cases {
            assert_eq!(said(spec), words);
        }
        assert_eq!(said(json!({"ports": [{"port": 80}]})), "[]");
        assert_eq!(said(json!({"clusterIP": "None"})), "[]");
        assert_eq!(said(json!({"type": "ExternalName", "externalName": "my.database.com."})), "[]");
    }

    #[test]
    fn the_address_stays() {
        let old = json!({"spec": {"type": "ClusterIP", "clusterIP": "10.43.0.9", "clusterIPs": ["10.43.0.9"]}});
        let new = json!({"spec": {"type": "ClusterIP", "clusterIP": "10.43.0.8", "clusterIPs": ["10.43.0.8"]}});
        let mut errors = Errors::default();
        validate_update(&new, &old, &mut errors);
        assert_eq!(
            errors.to_string(),
            "spec.clusterIPs[0]: Invalid value: []string{\"10.43.0.8\"}: may not change once set"
        );
    }
}

//! What a service gets when it does not say otherwise.

use serde_json::{Value, json};

use crate::kinds::access::{Change, Look};

/// Fills in a service.
pub fn apply(service: &mut Value) {
    let Some(spec) = service.map_mut("").and_then(|service| service.get_mut("spec")) else { return };
    spec.set_default("", "type", "ClusterIP");
    spec.set_default("", "sessionAffinity", "None");
    match spec.text("sessionAffinity") {
        "ClientIP" => spec.set_default("sessionAffinityConfig.clientIP", "timeoutSeconds", 10800),
        _ => drop(spec.unset("", "sessionAffinityConfig")),
    }
    for port in spec.items_mut("ports") {
        port.set_default("", "protocol", "TCP");
        let target = port.at("targetPort");
        if target.is_null() || target == &json!(0) || target == &json!("") {
            let number = port.at("port").clone();
            port.set("", "targetPort", number);
        }
    }
    let kind = spec.text("type").to_owned();
    let outside = matches!(kind.as_str(), "NodePort" | "LoadBalancer");
    if outside || (kind == "ClusterIP" && !spec.items("externalIPs").is_empty()) {
        spec.set_default("", "externalTrafficPolicy", "Cluster");
    }
    if outside || kind == "ClusterIP" {
        spec.set_default("", "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        spec.set_default("", "allocateLoadBalancerNodePorts", true);
    }
}

/// `clusterIP` is the first of `clusterIPs`; a client may give either. The other is the server's: no manager has it.
pub fn same_address(service: &mut Value) {
    let Some(spec) = service.map_mut("").and_then(|service| service.get_mut("spec")) else { return };
    let (one, many) = (spec.text("clusterIP").to_owned(), spec.items("clusterIPs").to_vec());
    match (one.is_empty(), many.first().and_then(Value::as_str)) {
        (false, None) => spec.set("", "clusterIPs", json!([one])),
        (true, Some(first)) => spec.set("", "clusterIP", first),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_dump() {
        let cases = [
            (
                json!({"ports": [{"port": 80}]}),
                json!({"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}], "type": "ClusterIP",
                    "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"}),
            ),
            (
                json!({"type": "NodePort", "ports": [{"port": 81, "targetPort": "web", "protocol": "UDP"}]}),
                json!({"type": "NodePort", "ports": [{"port": 81, "targetPort": "web", "protocol": "UDP"}],
                    "sessionAffinity": "None", "externalTrafficPolicy": "Cluster", "internalTrafficPolicy": "Cluster"}),
            ),
            (
                json!({"clusterIP": "None"}),
                json!({"clusterIP": "None", "type": "ClusterIP", "sessionAffinity": "None",
                    "internalTrafficPolicy": "Cluster"}),
            ),
            (
                json!({"type": "ExternalName", "externalName": "example.com"}),
                json!({"type": "ExternalName", "externalName": "example.com", "sessionAffinity": "None"}),
            ),
        ];
        for (spec, defaulted) in cases {
            let mut service = json!({"spec": spec});
            apply(&mut service);
            assert_eq!(service.at("spec"), &defaulted);
            apply(&mut service);
            assert_eq!(service.at("spec"), &defaulted, "a second pass changes nothing");
        }
    }
}

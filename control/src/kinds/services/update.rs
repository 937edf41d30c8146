//! What a service keeps when it is replaced: its addresses, unless its type no longer has them.

use serde_json::Value;

use super::default;
use crate::kinds::access::{Change, Look};
use crate::kinds::generic::keep_status;

/// True for a type that has a cluster IP.
pub fn has_cluster_ip(service: &Value) -> bool {
    matches!(service.text("spec.type"), "ClusterIP" | "NodePort" | "LoadBalancer")
}

/// True for a type that has node ports.
pub fn has_node_ports(service: &Value) -> bool {
    match service.text("spec.type") {
        "NodePort" => true,
        "LoadBalancer" => service.at("spec.allocateLoadBalancerNodePorts").as_bool() != Some(false),
        _ => false,
    }
}

/// Prepares an update: what the client left out stays, what the new type does not have goes.
pub fn prepare(new: &mut Value, old: &Value) {
    keep_status(new, old);
    keep_addresses(new, old);
    drop_foreign(new, old);
    default::apply(new);
    default::same_address(new);
}

fn keep_addresses(new: &mut Value, old: &Value) {
    if has_cluster_ip(new) && has_cluster_ip(old) {
        // Who names another address in the one field, and knows nothing of the other, means both.
        let ip = new.text("spec.clusterIP").to_owned();
        if ip != old.text("spec.clusterIP") && new.at("spec.clusterIPs") == old.at("spec.clusterIPs") {
            new.unset("spec", "clusterIPs");
            if !ip.is_empty() {
                new.set("spec", "clusterIPs", vec![ip]);
            }
        }
        if new.text("spec.clusterIP").is_empty() && new.items("spec.clusterIPs").is_empty() {
            new.restore("spec", "clusterIP", old);
        }
        if new.items("spec.clusterIPs").is_empty() && new.text("spec.clusterIP") == old.text("spec.clusterIP") {
            new.restore("spec", "clusterIPs", old);
        }
        for field in ["ipFamilies", "ipFamilyPolicy"] {
            if !new.at("spec").has(field) {
                new.restore("spec", field, old);
            }
        }
    }
    if has_node_ports(new) && has_node_ports(old) {
        let taken: Vec<i64> = new.items("spec.ports").iter().filter_map(|p| p.int("nodePort")).collect();
        for port in new.items_mut("spec.ports") {
            let same = |p: &&Value| p.text("protocol") == port.text("protocol") && p.int("port") == port.int("port");
            let before = old.items("spec.ports").iter().find(same).and_then(|p| p.int("nodePort"));
            let unset = port.int("nodePort").unwrap_or_default() == 0;
            if let Some(number) = before.filter(|n| unset && *n != 0 && !taken.contains(n)) {
                port.set("", "nodePort", number);
            }
        }
    }
}

fn drop_foreign(new: &mut Value, old: &Value) {
    let unchanged = |new: &Value, field: &str| new.at("spec").at(field) == old.at("spec").at(field);
    if has_cluster_ip(old) && !has_cluster_ip(new) {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"] {
            if unchanged(new, field) {
                new.unset("spec", field);
            }
        }
    }
    if has_node_ports(old) && !has_node_ports(new) {
        let before: Vec<i64> = old.items("spec.ports").iter().filter_map(|p| p.int("nodePort")).collect();
        for port in new.items_mut("spec.ports") {
            if port.int("nodePort").is_some_and(|n| before.contains(&n)) {
                port.unset("", "nodePort");
            }
        }
    }
    let outside = |s: &Value| matches!(s.text("spec.type"), "NodePort" | "LoadBalancer");
    if outside(old) && !outside(new) && unchanged(new, "externalTrafficPolicy") {
        new.unset("spec", "externalTrafficPolicy");
    }
    if old.text("spec.type") == "LoadBalancer" && new.text("spec.type") != "LoadBalancer" {
        for field in ["allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort"] {
            if unchanged(new, field) {
                new.unset("spec", field);
            }
        }
        new.set("status", "loadBalancer", serde_json::json!({}));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_fields_of_an_address_follow_the_one_that_changed() {
        let old = json!({"spec": {"type": "ClusterIP", "clusterIP": "10.43.0.9", "clusterIPs": ["10.43.0.9"]}});
        for (asked, expected) in [("10.43.0.8", "10.43.0.8"), ("", "10.43.0.9")] {
            let mut new = old.clone();
            new.set("spec", "clusterIP", asked);
            prepare(&mut new, &old);
            assert_eq!((new.text("spec.clusterIP"), new.at("spec.clusterIPs")), (expected, &json!([expected])));
        }
    }

    #[test]
    fn addresses_stay_until_the_type_has_none() {
        let old = json!({"spec": {"type": "NodePort", "clusterIP": "10.43.0.9", "clusterIPs": ["10.43.0.9"],
            "externalTrafficPolicy": "Cluster",
            "ports": [{"port": 80, "protocol": "TCP", "nodePort": 30080, "targetPort": 80}]}, "status": {"loadBalancer": {}}});
        let mut new =
            json!({"spec": {"type": "NodePort", "ports": [{"port": 80, "protocol": "TCP", "targetPort": 81}]}});
        prepare(&mut new, &old);
        assert_eq!(new.text("spec.clusterIP"), "10.43.0.9");
        assert_eq!(new.items("spec.ports")[0].int("nodePort"), Some(30080));

        let mut new = old.clone();
        new.set("spec", "type", "ClusterIP");
        prepare(&mut new, &old);
        assert_eq!(new.items("spec.ports")[0].int("nodePort"), None);
        assert!(!new.has("spec.externalTrafficPolicy"));

        let mut new = old.clone();
        new.set("spec", "type", "ExternalName");
        prepare(&mut new, &old);
        assert!(!new.has("spec.clusterIP") && !new.has("spec.clusterIPs"));
    }
}

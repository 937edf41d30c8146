//! The rules for network policies.

use objects::names;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::addresses::{Range, range};
use crate::kinds::selectors;

/// The rules for a policy.
pub fn validate(policy: &Value, errors: &mut Errors) {
    let (spec, at) = (policy.at("spec"), Path::new("spec"));
    selectors::validate(spec.at("podSelector"), &at.child("podSelector"), errors);
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (i, rule) in spec.items(direction).iter().enumerate() {
            let at = at.child(direction).index(i);
            for (i, port) in rule.items("ports").iter().enumerate() {
                self::port(port, &at.child("ports").index(i), errors);
            }
            for (i, peer) in rule.items(peers).iter().enumerate() {
                self::peer(peer, &at.child(peers).index(i), errors);
            }
        }
    }
    let (types, at) = (spec.items("policyTypes"), at.child("policyTypes"));
    if types.len() > 2 {
        return errors.invalid(&at, Value::from(types), "may not specify more than two policyTypes");
    }
    for (i, kind) in types.iter().filter_map(Value::as_str).enumerate() {
        if !matches!(kind, "Ingress" | "Egress") {
            errors.not_supported(&at.index(i), kind, &["Egress", "Ingress"]);
        }
    }
}

fn port(port: &Value, at: &Path, errors: &mut Errors) {
    let protocol = port.text("protocol");
    let protocols = ["TCP", "UDP", "SCTP"];
    if !protocol.is_empty() && !protocols.contains(&protocol) {
        errors.not_supported(&at.child("protocol"), protocol, &protocols);
    }
    let (end, end_at) = (port.int("endPort"), at.child("endPort"));
    match (port.at("port"), end) {
        (Value::Null, Some(end)) => errors.invalid(&end_at, end, "may not be specified when `port` is not specified"),
        (Value::Null, None) => {}
        (Value::String(name), end) => {
            if let Some(end) = end {
                errors.invalid(&end_at, end, "may not be specified when `port` is non-numeric");
            }
            errors.all_invalid(&at.child("port"), name, names::port_name(name));
        }
        (number, end) => {
            let number = number.as_i64().unwrap_or_default();
            for why in names::port_number(number) {
                errors.invalid(&at.child("port"), number, &why);
            }
            let Some(end) = end else { return };
            if end < number {
                errors.invalid(&end_at, number, "must be greater than or equal to `port`");
            }
            for why in names::port_number(end) {
                errors.invalid(&end_at, end, &why);
            }
        }
    }
}

fn peer(peer: &Value, at: &Path, errors: &mut Errors) {
    let selectors = ["podSelector", "namespaceSelector"];
    for field in selectors {
        selectors::validate(peer.at(field), &at.child(field), errors);
    }
    let selects = selectors.iter().any(|field| peer.has(field));
    match (selects, peer.has("ipBlock")) {
        (false, false) => errors.required(at, "must specify a peer"),
        (true, true) => errors.forbidden(at, "may not specify both ipBlock and another peer"),
        _ => {}
    }
    if peer.has("ipBlock") {
        block(peer.at("ipBlock"), &at.child("ipBlock"), errors);
    }
}

fn block(block: &Value, at: &Path, errors: &mut Errors) {
    let cidr = block.text("cidr");
    if cidr.is_empty() {
        return errors.required(&at.child("cidr"), "");
    }
    let Some(whole) = range(cidr, &at.child("cidr"), errors) else { return };
    for (i, except) in block.items("except").iter().filter_map(Value::as_str).enumerate() {
        let at = at.child("except").index(i);
        let inner: Option<Range> = range(except, &at, errors);
        if inner.is_some_and(|inner| !whole.holds(inner)) {
            errors.invalid(&at, except, "must be a strict subset of `cidr`");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn peers_and_ports() {
        let policy = json!({"spec": {"policyTypes": ["Both"], "ingress": [{
            "ports": [{"port": 80, "endPort": 70}, {"endPort": 1}],
            "from": [{}, {"ipBlock": {"cidr": "10.0.0.0/16", "except": ["10.0.1.0/24", "10.1.0.0/24"]}}]}]}});
        let mut errors = Errors::default();
        validate(&policy, &mut errors);
        assert_eq!(
            errors.to_string(),
            "[spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`, \
             spec.ingress[0].ports[1].endPort: Invalid value: 1: may not be specified when `port` is not specified, \
             spec.ingress[0].from[0]: Required value: must specify a peer, spec.ingress[0].from[1].ipBlock.except[1]: \
             Invalid value: \"10.1.0.0/24\": must be a strict subset of `cidr`, spec.policyTypes[0]: Unsupported value: \
             \"Both\": supported values: \"Egress\", \"Ingress\"]"
        );
    }
}

//! The quality of service that a pod's requests and limits amount to.

use std::collections::BTreeMap;

use objects::quantity::Quantity;
use serde_json::Value;

use crate::kinds::access::Look;

/// `Guaranteed`, `Burstable` or `BestEffort`.
pub fn class(spec: &Value) -> &'static str {
    let mut requests = BTreeMap::new();
    let mut limits = BTreeMap::new();
    let mut guaranteed = true;
    for container in spec.items("containers").iter().chain(spec.items("initContainers")) {
        add(&mut requests, container.at("resources.requests"));
        guaranteed &= add(&mut limits, container.at("resources.limits")) == 2;
    }
    if requests.is_empty() && limits.is_empty() {
        "BestEffort"
    } else if guaranteed && requests == limits {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Adds up processor and memory, and says how many of the two were given.
fn add(sums: &mut BTreeMap<&'static str, Quantity>, amounts: &Value) -> usize {
    let mut found = 0;
    for name in ["cpu", "memory"] {
        let amount: Quantity = amounts.text(name).parse().unwrap_or_default();
        if amount.signum() > 0 {
            *sums.entry(name).or_default() += amount;
            found += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_and_limits_decide() {
        let one = |resources: Value| json!({"containers": [{"resources": resources}]});
        assert_eq!(class(&one(json!({}))), "BestEffort");
        assert_eq!(class(&one(json!({"requests": {"memory": "0"}}))), "BestEffort");
        assert_eq!(class(&one(json!({"requests": {"memory": "1Mi"}}))), "Burstable");
        let both = json!({"cpu": "1", "memory": "1Gi"});
        assert_eq!(
            class(&one(json!({"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": both}))),
            "Guaranteed"
        );
        let with_free_rider = json!({"containers": [{"resources": {"requests": both, "limits": both}}, {}]});
        assert_eq!(class(&with_free_rider), "Burstable");
    }
}

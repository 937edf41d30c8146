//! Amounts of resources, by name, as limits and quotas reckon with them.

use std::collections::BTreeMap;

use objects::quantity::Quantity;
use serde_json::{Map, Value};

use crate::kinds::Look;

/// Amounts by resource name: `cpu`, `limits.memory`, `count/secrets`.
pub type Amounts = BTreeMap<String, Quantity>;

/// The amounts in a map of quantities.
pub fn read(map: &Value) -> Amounts {
    map.entries("").map(|(name, amount)| (name.to_owned(), quantity(amount))).collect()
}

/// The amount of one field; nothing where it is none.
pub fn quantity(amount: &Value) -> Quantity {
    amount.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// A map of quantities.
pub fn write(amounts: &Amounts) -> Value {
    let map: Map<String, Value> =
        amounts.iter().map(|(name, amount)| (name.clone(), amount.to_string().into())).collect();
    Value::Object(map)
}

/// Adds to each amount, or starts it.
pub fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        match sum.get_mut(name) {
            Some(present) => *present += *amount,
            None => drop(sum.insert(name.clone(), *amount)),
        }
    }
}

/// `cpu=1,pods=2`.
pub fn shown(amounts: &Amounts) -> String {
    amounts.iter().map(|(name, amount)| format!("{name}={amount}")).collect::<Vec<_>>().join(",")
}

/// What a pod's containers amount to in `requests` or `limits`: the greater of what they have together and what any init
/// container has, sidecars counting towards all that comes after them.
pub fn of_pod(spec: &Value, field: &str) -> Amounts {
    let of = |container: &Value| read(container.at("resources").at(field));
    let mut running = Amounts::new();
    for container in spec.items("containers") {
        add(&mut running, &of(container));
    }
    let (mut sidecars, mut peak) = (Amounts::new(), Amounts::new());
    for container in spec.items("initContainers") {
        let own = of(container);
        if container.text("restartPolicy") == "Always" {
            add(&mut running, &own);
            add(&mut sidecars, &own);
            raise(&mut peak, &sidecars);
        } else {
            let mut alone = sidecars.clone();
            add(&mut alone, &own);
            raise(&mut peak, &alone);
        }
    }
    raise(&mut running, &peak);
    // What is said for the pod as a whole stands above its containers.
    running.extend(read(spec.at("resources").at(field)));
    running
}

fn raise(sum: &mut Amounts, floor: &Amounts) {
    for (name, amount) in floor {
        match sum.get_mut(name) {
            Some(present) => *present = (*present).max(*amount),
            None => drop(sum.insert(name.clone(), *amount)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn init_containers_count_by_their_peak() {
        let container = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        let mut sidecar = container("1");
        sidecar["restartPolicy"] = "Always".into();
        let spec = json!({"initContainers": [sidecar, container("5")], "containers": [container("2"), container("1")]});
        assert_eq!(shown(&of_pod(&spec, "requests")), "cpu=6");
        assert_eq!(shown(&of_pod(&spec, "limits")), "");
    }
}

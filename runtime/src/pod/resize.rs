//! New amounts of CPU and memory for a pod that runs: whether the node has them, and what it takes to bring them in.

use std::collections::BTreeMap;
use std::iter::Sum;

use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use objects::quantity::Quantity;

/// Amounts that a node can run out of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Thousandths of a core.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
}

/// What the node says to a resize.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has room.
    Fits,
    /// It would have if others went.
    Deferred(String),
    /// It never will.
    Infeasible(String),
}

/// What it takes to give a running container other resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing is different.
    None,
    /// Its limits are set.
    InPlace,
    /// It wants to be started again for it: `resizePolicy`.
    Restart,
}

impl Amounts {
    /// Of a list such as `requests`.
    pub fn of(list: Option<&BTreeMap<String, Text>>) -> Self {
        let amount = |name: &str| list.and_then(|list| list.get(name)).map(Quantity::lenient);
        Self { cpu: amount("cpu").map_or(0, Quantity::milli), memory: amount("memory").map_or(0, Quantity::whole) }
    }

    /// What a pod's containers ask for together. Init containers come and go; sidecars stay.
    pub fn asked_by(pod: &Pod) -> Self {
        let sidecar = |container: &&Container| container.restart_policy.as_deref() == Some("Always");
        let spec = pod.spec.iter();
        let stay = spec.flat_map(|spec| spec.init_containers.iter().flatten().filter(sidecar).chain(&spec.containers));
        stay.map(|container| Self::of(container.resources.as_ref().and_then(|all| all.requests.as_ref()))).sum()
    }
}

impl Sum for Amounts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            cpu: sum.cpu.saturating_add(one.cpu),
            memory: sum.memory.saturating_add(one.memory),
        })
    }
}

/// Decides whether a pod may have what it wants, beside what the others have.
pub fn admit(wanted: Amounts, others: Amounts, capacity: Amounts) -> Verdict {
    let rows =
        [("cpu", wanted.cpu, others.cpu, capacity.cpu), ("memory", wanted.memory, others.memory, capacity.memory)];
    for (name, wanted, _, capacity) in rows {
        if wanted > capacity {
            return Verdict::Infeasible(format!(
                "Node didn't have enough capacity: {name}, requested: {wanted}, capacity: {capacity}"
            ));
        }
    }
    for (name, wanted, used, capacity) in rows {
        if used.saturating_add(wanted) > capacity {
            return Verdict::Deferred(format!(
                "Node didn't have enough resource: {name}, requested: {wanted}, used: {used}, capacity: {capacity}"
            ));
        }
    }
    Verdict::Fits
}

/// What a container's own policy makes of a resize.
pub fn change(container: &Container, from: &ResourceRequirements, to: &ResourceRequirements) -> Change {
    let amount = |list: &Option<BTreeMap<String, Text>>, name: &str| {
        list.as_ref().and_then(|list| list.get(name)).map(|amount| Quantity::lenient(amount).milli())
    };
    let differs = |name: &str| {
        amount(&from.requests, name) != amount(&to.requests, name)
            || amount(&from.limits, name) != amount(&to.limits, name)
    };
    let restarts = |name: &str| {
        let mut policies = container.resize_policy.iter().flatten();
        policies.any(|policy| policy.resource_name == name && policy.restart_policy == "RestartContainer")
    };
    match ["cpu", "memory"].map(|name| (differs(name), restarts(name))) {
        [(false, _), (false, _)] => Change::None,
        [(true, true), _] | [_, (true, true)] => Change::Restart,
        _ => Change::InPlace,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_node_says_what_it_lacks() {
        let amounts = |cpu, memory| Amounts { cpu, memory };
        let node = amounts(4000, 1000);
        assert_eq!(admit(amounts(1000, 100), amounts(3000, 900), node), Verdict::Fits);
        assert_eq!(
            admit(amounts(1001, 100), amounts(3000, 900), node),
            Verdict::Deferred(
                "Node didn't have enough resource: cpu, requested: 1001, used: 3000, capacity: 4000".to_owned()
            )
        );
        assert_eq!(
            admit(amounts(100, 1001), amounts(3999, 0), node),
            Verdict::Infeasible("Node didn't have enough capacity: memory, requested: 1001, capacity: 1000".to_owned())
        );
    }

    #[test]
    fn sidecars_count_and_init_containers_do_not() {
        let ask = |cpu: &str| json!({"requests": {"cpu": cpu, "memory": "1Ki"}});
        let pod = json!({"spec": {
            "initContainers": [{"name": "a", "resources": ask("3")},
                {"name": "b", "restartPolicy": "Always", "resources": ask("250m")}],
            "containers": [{"name": "c", "resources": ask("1")}, {"name": "d"}],
        }});
        let pod = from_value(pod).expect("pod");
        assert_eq!(Amounts::asked_by(&pod), Amounts { cpu: 1250, memory: 2048 });
    }

    #[test]
    fn the_containers_policy_counts_for_what_changes() {
        let container = from_value(json!({"name": "c", "resizePolicy": [
            {"resourceName": "cpu", "restartPolicy": "NotRequired"},
            {"resourceName": "memory", "restartPolicy": "RestartContainer"}]}))
        .expect("container");
        let of =
            |cpu: &str, memory: &str| from_value(json!({"limits": {"cpu": cpu, "memory": memory}})).expect("resources");
        let cases = [
            (of("1", "1Gi"), of("1000m", "1024Mi"), Change::None),
            (of("1", "1Gi"), of("2", "1Gi"), Change::InPlace),
            (of("1", "1Gi"), of("2", "2Gi"), Change::Restart),
        ];
        for (from, to, expected) in cases {
            assert_eq!(change(&container, &from, &to), expected);
        }
    }
}

//! Who goes first, and in which words.
//!
//! The order is the kubelet's: pods that use more than they asked for before those that do not, then by priority, then
//! by how much they are over. Static pods and those that are critical to the node are never given up.

use std::cmp::Reverse;

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use objects::quantity::Quantity;

use super::signals::Level;
use super::threshold::Threshold;

/// Pods of this priority and above belong to the node (`system-cluster-critical`, `system-node-critical`).
const CRITICAL: i32 = 2_000_000_000;

/// A pod, and what it uses of what is low.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// What each of its containers uses, by name; in bytes.
    pub containers: Vec<(String, u64)>,
    /// What is the pod's but no container's: volumes.
    pub shared: u64,
}

impl Candidate<'_> {
    fn usage(&self) -> u64 {
        self.shared + self.containers.iter().map(|(_, bytes)| bytes).sum::<u64>()
    }

    fn request(&self, resource: &str) -> u64 {
        let requests = objects::pods::requests(self.pod);
        requests.get(resource).map_or(0, |quantity| u64::try_from(quantity.whole()).unwrap_or(0))
    }
}

/// The pod that goes, if any may.
pub fn first<'a, 'p>(candidates: &'a [Candidate<'p>], resource: &str) -> Option<&'a Candidate<'p>> {
    candidates.iter().filter(|c| !is_critical(c.pod)).max_by_key(|candidate| {
        let (usage, request) = (candidate.usage(), candidate.request(resource));
        (usage > request, Reverse(priority(candidate.pod)), i128::from(usage) - i128::from(request))
    })
}

/// Whether the node keeps the pod whatever happens.
pub fn is_critical(pod: &Pod) -> bool {
    let source = pod.metadata.annotations.as_ref().and_then(|a| a.get("kubernetes.io/config.source"));
    priority(pod) >= CRITICAL || source.is_some_and(|source| source != "api")
}

fn priority(pod: &Pod) -> i32 {
    pod.spec.as_ref().and_then(|spec| spec.priority).unwrap_or(0)
}

/// The pod's message.
pub fn message(candidate: &Candidate<'_>, threshold: Threshold, level: Level) -> String {
    let resource = threshold.signal.resource();
    let mut message = format!(
        "The node was low on resource: {resource}. Threshold quantity: {}, available: {}. ",
        bytes(threshold.of(level.capacity)),
        kibibytes(level.available)
    );
    let spec = candidate.pod.spec.as_ref();
    for (name, usage) in &candidate.containers {
        let container = spec.and_then(|spec| objects::pods::all_containers(spec).find(|c| c.name == *name));
        let request = container.and_then(|container| requested(container, resource)).unwrap_or_default();
        if i128::from(*usage) > i128::from(request.whole()) {
            message.push_str(&format!(
                "Container {name} was using {}, request is {request}, has larger consumption of {resource}. ",
                kibibytes(*usage)
            ));
        }
    }
    message
}

fn requested(container: &Container, resource: &str) -> Option<Quantity> {
    let amount: &Text = container.resources.as_ref()?.requests.as_ref()?.get(resource)?;
    Some(Quantity::lenient(amount))
}

fn bytes(bytes: u64) -> Quantity {
    Quantity::from_bytes(i64::try_from(bytes).unwrap_or(i64::MAX))
}

/// A measured amount, as kubelets round it.
fn kibibytes(amount: u64) -> String {
    format!("{}Ki", amount / 1024)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{from_value, json};

    use super::super::threshold::Thresholds;
    use super::*;

    const MIB: u64 = 1 << 20;

    fn pod(name: &str, priority: i32, request: &str) -> Pod {
        from_value(json!({
            "metadata": {"name": name},
            "spec": {"priority": priority, "containers": [
                {"name": "c", "resources": {"requests": {"memory": request}}},
            ]},
        }))
        .expect("pod")
    }

    fn using(pod: &Pod, bytes: u64) -> Candidate<'_> {
        Candidate { pod, containers: vec![("c".to_owned(), bytes)], shared: 0 }
    }

    #[test]
    fn the_order_is_excess_then_priority_then_amount() {
        let (modest, greedy) = (pod("modest", 0, "100Mi"), pod("greedy", 0, "10Mi"));
        let (dear, cheap) = (pod("dear", 10, "0"), pod("cheap", 1, "0"));
        let (small, large) = (pod("small", 0, "0"), pod("large", 0, "0"));
        let cases = [
            (vec![using(&modest, 90 * MIB), using(&greedy, 11 * MIB)], "greedy"),
            (vec![using(&dear, 90 * MIB), using(&cheap, MIB)], "cheap"),
            (vec![using(&small, MIB), using(&large, 2 * MIB)], "large"),
        ];
        for (candidates, expected) in cases {
            let chosen = first(&candidates, "memory").and_then(|c| c.pod.metadata.name.as_deref());
            assert_eq!(chosen, Some(expected));
        }
    }

    #[test]
    fn what_the_node_needs_stays() {
        let critical = pod("critical", CRITICAL, "0");
        let mut fixed = pod("static", 0, "0");
        let source = ("kubernetes.io/config.source".to_owned(), "file".to_owned());
        fixed.metadata.annotations = Some(BTreeMap::from([source]));
        assert!(first(&[using(&critical, 9 * MIB), using(&fixed, 9 * MIB)], "memory").is_none());
    }

    #[test]
    fn the_words_are_a_kubelets() {
        let hard = BTreeMap::from([("memory.available".to_owned(), "100Mi".to_owned())]);
        let threshold = Thresholds::parse(&hard).expect("thresholds").iter().next().expect("one");
        let pod = pod("web", 0, "1Mi");
        let level = Level { available: 50 * MIB, capacity: 1024 * MIB };
        assert_eq!(
            message(&using(&pod, 3 * MIB), threshold, level),
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 51200Ki. Container c was using \
             3072Ki, request is 1Mi, has larger consumption of memory. "
        );
    }
}

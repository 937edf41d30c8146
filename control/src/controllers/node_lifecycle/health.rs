//! A node's conditions when it is silent, and the taints that follow from its conditions.

use k8s_openapi::api::core::v1::{Node, NodeCondition, Taint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use objects::{conditions, nodes, taints};

/// The conditions that a node reports itself.
const REPORTED: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];
/// Conditions that keep new pods away while they are true.
const PRESSURES: [(&str, &str); 4] = [
    ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "node.kubernetes.io/pid-pressure"),
    ("NetworkUnavailable", "node.kubernetes.io/network-unavailable"),
];

/// When the node last reported its readiness.
pub(super) fn heartbeat(node: &Node) -> Option<&Time> {
    nodes::condition(node, "Ready")?.last_heartbeat_time.as_ref()
}

/// True when the node was given up, or has said nothing yet.
pub(super) fn is_unknown(node: &Node) -> bool {
    nodes::condition(node, "Ready").is_none_or(|c| c.status == "Unknown")
}

/// The silent node with all its conditions unknown; nothing where they are already.
pub(super) fn given_up(node: &Node, now: &Time) -> Option<Node> {
    let mut node = node.clone();
    let created = node.metadata.creation_timestamp.clone();
    let held = node.status.get_or_insert_default().conditions.get_or_insert_default();
    let mut news = false;
    for kind in REPORTED {
        let current = conditions::find(Some(held), kind);
        if current.is_some_and(|c| c.status == "Unknown") {
            continue;
        }
        let (reason, message) = match current {
            Some(_) => ("NodeStatusUnknown", "Kubelet stopped posting node status."),
            None => ("NodeStatusNeverUpdated", "Kubelet never posted node status."),
        };
        let unknown = NodeCondition {
            type_: kind.to_owned(),
            status: "Unknown".to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            last_heartbeat_time: current.map_or(created.clone(), |c| c.last_heartbeat_time.clone()),
            last_transition_time: Some(now.clone()),
        };
        news |= conditions::set(held, unknown);
    }
    news.then_some(node)
}

/// The node with the taints that its conditions call for; nothing where it has them.
pub(super) fn tainted(node: &Node, now: &Time) -> Option<Node> {
    let wanted = wanted(node);
    let ours = |t: &Taint| {
        let key = t.key.as_str();
        [nodes::NOT_READY, nodes::UNREACHABLE, nodes::UNSCHEDULABLE].contains(&key)
            || PRESSURES.iter().any(|(_, pressure)| *pressure == key)
    };
    let present = nodes::taints(node);
    let mut updated: Vec<Taint> = present
        .iter()
        .filter(|t| !ours(t) || wanted.iter().any(|(key, effect)| t.key == *key && t.effect == *effect))
        .cloned()
        .collect();
    for (key, effect) in wanted {
        if !updated.iter().any(|t| t.key == key && t.effect == effect) {
            let time_added = (effect == taints::NO_EXECUTE || key != nodes::UNSCHEDULABLE).then(|| now.clone());
            updated.push(Taint { key: key.to_owned(), effect: effect.to_owned(), time_added, value: None });
        }
    }
    if updated == present {
        return None;
    }
    let mut node = node.clone();
    node.spec.get_or_insert_default().taints = Some(updated).filter(|t| !t.is_empty());
    Some(node)
}

fn wanted(node: &Node) -> Vec<(&'static str, &'static str)> {
    let mut wanted = Vec::new();
    match nodes::condition(node, "Ready").map(|c| c.status.as_str()) {
        // A node that has said nothing yet is given its time.
        Some("True") | None => {}
        Some("False") => {
            wanted.extend([(nodes::NOT_READY, taints::NO_SCHEDULE), (nodes::NOT_READY, taints::NO_EXECUTE)]);
        }
        Some(_) => {
            wanted.extend([(nodes::UNREACHABLE, taints::NO_SCHEDULE), (nodes::UNREACHABLE, taints::NO_EXECUTE)]);
        }
    }
    let held = nodes::conditions(node);
    wanted.extend(
        PRESSURES
            .iter()
            .filter(|(kind, _)| conditions::is_true(held, kind))
            .map(|(_, key)| (*key, taints::NO_SCHEDULE)),
    );
    if nodes::is_unschedulable(node) {
        wanted.push((nodes::UNSCHEDULABLE, taints::NO_SCHEDULE));
    }
    wanted
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{NodeSpec, NodeStatus};
    use objects::time;

    use super::*;

    fn node(ready: &str) -> Node {
        let condition = NodeCondition { type_: "Ready".into(), status: ready.into(), ..NodeCondition::default() };
        Node {
            spec: Some(NodeSpec::default()),
            status: Some(NodeStatus { conditions: Some(vec![condition]), ..NodeStatus::default() }),
            ..Node::default()
        }
    }

    fn keys(node: Option<Node>) -> Vec<String> {
        node.map(|n| nodes::taints(&n).iter().map(|t| format!("{}:{}", t.key, t.effect)).collect()).unwrap_or_default()
    }

    #[test]
    fn a_silent_node_is_unknown_and_unreachable() {
        let now = time::now();
        let lost = given_up(&node("True"), &now);
        assert!(lost.as_ref().is_some_and(is_unknown));
        let lost = lost.unwrap_or_default();
        assert!(given_up(&lost, &now).is_none());
        let tainted = tainted(&lost, &now);
        assert_eq!(
            keys(tainted),
            ["node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute",]
        );
    }

    #[test]
    fn taints_follow_the_conditions_and_others_stay() {
        let now = time::now();
        let mut back = node("True");
        let own = Taint { key: "mine".into(), effect: taints::NO_SCHEDULE.into(), ..Taint::default() };
        let stale = Taint { key: nodes::UNREACHABLE.into(), effect: taints::NO_EXECUTE.into(), ..Taint::default() };
        back.spec = Some(NodeSpec { taints: Some(vec![stale, own]), unschedulable: Some(true), ..NodeSpec::default() });
        assert_eq!(keys(tainted(&back, &now)), ["mine:NoSchedule", "node.kubernetes.io/unschedulable:NoSchedule"]);
        assert!(tainted(&node("True"), &now).is_none());
    }
}

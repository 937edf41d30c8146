//! Which of too many pods go first, as upstream's `ActivePodsWithRanks` orders them.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use objects::{pods, time};

const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The `count` of `active` that are missed least. Pods of the `family` on the same node count as doubled up.
pub(super) fn surplus(active: &[Arc<Pod>], family: &[Arc<Pod>], count: usize, now: &Time) -> Vec<Arc<Pod>> {
    let mut on_node: HashMap<&str, usize> = HashMap::new();
    for pod in family {
        *on_node.entry(pods::node(pod)).or_default() += 1;
    }
    let mut ranked: Vec<&Arc<Pod>> = active.iter().collect();
    ranked.sort_by(|a, b| first_to_go(a, b, &on_node, now));
    ranked.into_iter().take(count).cloned().collect()
}

/// `Less` when `a` goes before `b`.
fn first_to_go(a: &Pod, b: &Pod, on_node: &HashMap<&str, usize>, now: &Time) -> Ordering {
    let doubled = |p: &Pod| Reverse(on_node.get(pods::node(p)).copied().unwrap_or(0));
    let worth = |p: &Pod| (!pods::node(p).is_empty(), phase_rank(p), pods::is_ready(p), cost(p), doubled(p));
    worth(a)
        .cmp(&worth(b))
        .then_with(|| match (pods::is_ready(a), pods::is_ready(b)) {
            (true, true) => younger_first(pods::ready_since(a), pods::ready_since(b), now),
            _ => Ordering::Equal,
        })
        .then_with(|| pods::restarts(b).1.cmp(&pods::restarts(a).1))
        .then_with(|| {
            let (born_a, born_b) = (&a.metadata.creation_timestamp, &b.metadata.creation_timestamp);
            younger_first(born_a.as_ref(), born_b.as_ref(), now)
        })
        .then_with(|| a.metadata.uid.cmp(&b.metadata.uid))
}

fn phase_rank(pod: &Pod) -> u8 {
    match pods::phase(pod) {
        "Running" => 2,
        "Unknown" => 1,
        _ => 0,
    }
}

fn cost(pod: &Pod) -> i32 {
    let text = pod.metadata.annotations.as_ref().and_then(|a| a.get(DELETION_COST));
    text.and_then(|t| t.parse().ok()).unwrap_or(0)
}

/// The younger goes first. Ages are compared by their logarithm, and like ages in the end by uid, so that it is not
/// always the very youngest pods, which a roll-out put on the same few nodes. (Upstream takes the uid at once where the
/// ages differ within one magnitude, which is no total order; Rust's sort insists on one.)
fn younger_first(a: Option<&Time>, b: Option<&Time>, now: &Time) -> Ordering {
    a.map(|at| magnitude(at, now)).cmp(&b.map(|at| magnitude(at, now)))
}

fn magnitude(at: &Time, now: &Time) -> i64 {
    let age = time::since(at, now).as_nanos();
    u128::try_from(age).ok().and_then(u128::checked_ilog2).map_or(-1, i64::from)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::api::core::v1::{ContainerStatus, PodCondition, PodSpec, PodStatus};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;

    struct Facts {
        name: &'static str,
        node: &'static str,
        phase: &'static str,
        ready_for: Option<i64>,
        cost: &'static str,
        restarts: i32,
    }

    const GOOD: Facts =
        Facts { name: "good", node: "n", phase: "Running", ready_for: Some(1000), cost: "", restarts: 0 };

    fn pod(facts: &Facts, now: &Time) -> Arc<Pod> {
        let ready = PodCondition {
            type_: "Ready".into(),
            status: if facts.ready_for.is_some() { "True" } else { "False" }.into(),
            last_transition_time: facts.ready_for.map(|s| time::plus_seconds(now, -s)),
            ..PodCondition::default()
        };
        let container = ContainerStatus { restart_count: facts.restarts, ..ContainerStatus::default() };
        let annotations = BTreeMap::from([(DELETION_COST.to_owned(), facts.cost.to_owned())]);
        Arc::new(Pod {
            metadata: ObjectMeta {
                name: Some(facts.name.into()),
                uid: Some(facts.name.into()),
                annotations: Some(annotations),
                ..ObjectMeta::default()
            },
            spec: Some(PodSpec { node_name: Some(facts.node.into()), ..PodSpec::default() }),
            status: Some(PodStatus {
                phase: Some(facts.phase.into()),
                conditions: Some(vec![ready]),
                container_statuses: Some(vec![container]),
                ..PodStatus::default()
            }),
        })
    }

    #[test]
    fn the_least_missed_goes_first() {
        let now = time::now();
        for worse in [
            Facts { name: "unassigned", node: "", ..GOOD },
            Facts { name: "pending", phase: "Pending", ..GOOD },
            Facts { name: "not ready", ready_for: None, ..GOOD },
            Facts { name: "cheap", cost: "-1", ..GOOD },
            Facts { name: "young", ready_for: Some(10), ..GOOD },
            Facts { name: "restarted", restarts: 3, ..GOOD },
            Facts { name: "doubled up", node: "m", ..GOOD },
        ] {
            let pods = [pod(&GOOD, &now), pod(&worse, &now)];
            let family = [pods[0].clone(), pods[1].clone(), pod(&Facts { node: "m", ..GOOD }, &now)];
            let gone = surplus(&pods, &family, 1, &now);
            assert_eq!(gone[0].metadata.name.as_deref(), Some(worse.name));
        }
    }

    #[test]
    fn what_matters_more_decides() {
        let now = time::now();
        let pods = [
            pod(&Facts { name: "cheap", cost: "-100", ..GOOD }, &now),
            pod(&Facts { name: "not ready", ready_for: None, ..GOOD }, &now),
            pod(&Facts { name: "dear", cost: "100", ready_for: Some(1), ..GOOD }, &now),
        ];
        let order: Vec<_> = surplus(&pods, &pods, 3, &now).iter().filter_map(|p| p.metadata.name.clone()).collect();
        assert_eq!(order, ["not ready", "cheap", "dear"]);
    }

    #[test]
    fn the_order_is_total() {
        let now = time::now();
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let pods: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let (age, restarts) = (if i % 3 == 0 { 1001 } else { 1000 }, i32::from(i % 2 == 0));
                pod(&Facts { name, ready_for: Some(age), restarts, ..GOOD }, &now)
            })
            .collect();
        let before = |a: &Pod, b: &Pod| first_to_go(a, b, &HashMap::new(), &now) == Ordering::Less;
        for a in &pods {
            for b in &pods {
                for c in &pods {
                    assert!(!(before(a, b) && before(b, c)) || before(a, c));
                }
            }
        }
    }
}

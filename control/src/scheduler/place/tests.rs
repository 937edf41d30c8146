//! Placements, by table and at random.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    Affinity, Container, ContainerPort, Node, NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm, NodeSpec,
    NodeStatus, PodSpec, PreferredSchedulingTerm, ResourceRequirements, Taint, Toleration,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

fn amounts(list: &[(&str, &str)]) -> BTreeMap<String, Text> {
    list.iter().map(|(k, v)| ((*k).to_owned(), Text((*v).to_owned()))).collect()
}

fn node(name: &str, memory: &str) -> Node {
    let labels = BTreeMap::from([("kubernetes.io/hostname".to_owned(), name.to_owned())]);
    Node {
        metadata: ObjectMeta { name: Some(name.into()), labels: Some(labels), ..ObjectMeta::default() },
        spec: Some(NodeSpec::default()),
        status: Some(NodeStatus {
            allocatable: Some(amounts(&[("cpu", "4"), ("memory", memory), ("pods", "10")])),
            ..NodeStatus::default()
        }),
    }
}

fn pod(name: &str, memory: &str) -> Pod {
    let resources = ResourceRequirements { requests: Some(amounts(&[("memory", memory)])), ..Default::default() };
    Pod {
        metadata: ObjectMeta { name: Some(name.into()), uid: Some(name.into()), ..ObjectMeta::default() },
        spec: Some(PodSpec {
            containers: vec![Container { resources: Some(resources), ..Container::default() }],
            ..PodSpec::default()
        }),
        status: None,
    }
}

fn snapshot(nodes: impl IntoIterator<Item = Node>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for node in nodes {
        snapshot.set_node(Arc::new(node));
    }
    snapshot
}

fn refusal(pod: &Pod, snapshot: &Snapshot) -> String {
    match place(pod, &storage::Demand::default(), snapshot) {
        Placement::On(node) => format!("on {node}"),
        Placement::Nowhere(verdict) => verdict.to_string(),
    }
}

#[test]
fn a_pod_that_is_too_large_is_refused_in_upstreams_words() {
    assert_eq!(refusal(&pod("a", "1Gi"), &snapshot([])), "no nodes available to schedule pods");
    assert_eq!(
        refusal(&pod("a", "2Gi"), &snapshot([node("n", "1Gi")])),
        "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    );
    let mut tainted = node("t", "8Gi");
    let taint = Taint { key: "gpu".into(), value: Some("yes".into()), effect: "NoSchedule".into(), ..Taint::default() };
    tainted.spec = Some(NodeSpec { taints: Some(vec![taint]), ..NodeSpec::default() });
    let mut cordoned = node("c", "8Gi");
    cordoned.spec = Some(NodeSpec { unschedulable: Some(true), ..NodeSpec::default() });
    assert_eq!(
        refusal(&pod("a", "2Gi"), &snapshot([node("n", "1Gi"), tainted, cordoned])),
        "0/3 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint {gpu: yes}, 1 node(s) were unschedulable. preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."
    );
}

#[test]
fn selectors_affinity_and_tolerations_are_kept() {
    let both = snapshot([node("a", "1Gi"), node("b", "8Gi")]);
    let mut picky = pod("p", "1Mi");
    let spec = picky.spec.get_or_insert_default();
    spec.node_selector = Some(BTreeMap::from([("kubernetes.io/hostname".to_owned(), "a".to_owned())]));
    assert_eq!(place(&picky, &storage::Demand::default(), &both), Placement::On("a".into()));

    let named = |operator: &str| NodeSelectorTerm {
        match_expressions: Some(vec![NodeSelectorRequirement {
            key: "kubernetes.io/hostname".into(),
            operator: operator.into(),
            values: Some(vec!["b".into()]),
        }]),
        ..NodeSelectorTerm::default()
    };
    let mut preferring = pod("p", "1Mi");
    let preferred = vec![PreferredSchedulingTerm { weight: 100, preference: named("NotIn") }];
    let affinity = NodeAffinity {
        preferred_during_scheduling_ignored_during_execution: Some(preferred),
        ..NodeAffinity::default()
    };
    preferring.spec.get_or_insert_default().affinity =
        Some(Affinity { node_affinity: Some(affinity), ..Affinity::default() });
    assert_eq!(place(&preferring, &storage::Demand::default(), &both), Placement::On("a".into()));

    let mut tainted = node("a", "1Gi");
    let taint = Taint { key: "k".into(), effect: "NoExecute".into(), ..Taint::default() };
    tainted.spec = Some(NodeSpec { taints: Some(vec![taint]), ..NodeSpec::default() });
    let only = snapshot([tainted]);
    assert!(matches!(place(&pod("p", "1Mi"), &storage::Demand::default(), &only), Placement::Nowhere(_)));
    let mut tolerant = pod("p", "1Mi");
    tolerant.spec.get_or_insert_default().tolerations =
        Some(vec![Toleration { operator: Some("Exists".into()), ..Toleration::default() }]);
    assert_eq!(place(&tolerant, &storage::Demand::default(), &only), Placement::On("a".into()));
}

#[test]
fn a_host_port_is_held_once() {
    let mut snapshot = snapshot([node("a", "8Gi")]);
    let mut serving = pod("p", "1Mi");
    let port = ContainerPort { container_port: 80, host_port: Some(80), ..ContainerPort::default() };
    serving.spec.get_or_insert_default().containers[0].ports = Some(vec![port]);
    snapshot.assign(&serving, "a");
    let mut second = serving.clone();
    second.metadata.uid = Some("q".into());
    assert!(refusal(&second, &snapshot).contains("didn't have free ports"));
    snapshot.release(&serving);
    assert_eq!(place(&second, &storage::Demand::default(), &snapshot), Placement::On("a".into()));
}

#[test]
fn siblings_spread() {
    let mut snapshot = snapshot((0..5).map(|n| node(&format!("n{n}"), "8Gi")));
    for i in 0..10 {
        let mut replica = pod(&format!("p{i}"), "1Mi");
        let owner = OwnerReference { uid: "set".into(), controller: Some(true), ..OwnerReference::default() };
        replica.metadata.owner_references = Some(vec![owner]);
        let Placement::On(node) = place(&replica, &storage::Demand::default(), &snapshot) else {
            panic!("there is room")
        };
        snapshot.assign(&replica, &node);
    }
    assert!(snapshot.nodes().all(|(_, info, _)| info.pods == 2));
}

#[test]
fn no_random_order_of_events_overfills_a_node_and_all_is_given_back() {
    let mut rng = StdRng::seed_from_u64(7);
    let mut snapshot = snapshot((0..4).map(|n| node(&format!("n{n}"), "4Gi")));
    let mut placed: Vec<Pod> = Vec::new();
    for turn in 0..3000 {
        if rng.random_bool(0.6) {
            let new = pod(&turn.to_string(), &format!("{}Mi", rng.random_range(1..1500)));
            if let Placement::On(node) = place(&new, &storage::Demand::default(), &snapshot) {
                snapshot.assign(&new, &node);
                snapshot.assign(&new, &node);
                placed.push(new);
            }
        } else if !placed.is_empty() {
            let gone = placed.swap_remove(rng.random_range(0..placed.len()));
            assert!(snapshot.release(&gone) && !snapshot.release(&gone));
        }
        for (name, info, _) in snapshot.nodes() {
            assert!(info.free("memory").signum() >= 0 && info.pods <= 10, "{name} is overfull");
        }
    }
    for pod in placed {
        snapshot.release(&pod);
    }
    assert!(snapshot.nodes().all(|(_, info, _)| info.pods == 0 && info.requested.values().all(|q| q.is_zero())));
}

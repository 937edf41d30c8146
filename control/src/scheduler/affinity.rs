//! Node selectors and node affinity.

use k8s_openapi::api::core::v1::{Node, PodSpec};
use objects::nodes::{is_selected, label};

/// Do the pod's node selector and its required node affinity take this node?
pub(super) fn matches(spec: &PodSpec, node: &Node) -> bool {
    let selected = spec.node_selector.iter().flatten().all(|(key, value)| label(node, key) == Some(value));
    let affinity = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref());
    let required = affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    selected && required.is_none_or(|r| r.node_selector_terms.iter().any(|term| is_selected(term, node)))
}

/// The weight of the preferred terms that take this node.
pub(super) fn preference(spec: &PodSpec, node: &Node) -> i64 {
    let affinity = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref());
    let preferred = affinity.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    let taken = preferred.into_iter().flatten().filter(|p| is_selected(&p.preference, node));
    taken.map(|p| i64::from(p.weight)).sum()
}

//! Questions about nodes.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, NodeCondition, NodeSelectorRequirement, NodeSelectorTerm, Taint};

use crate::conditions;
use crate::quantity::Quantity;

/// The taint of a node whose `Ready` is `False`.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// The taint of a node whose `Ready` is `Unknown`.
pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// The taint of a cordoned node.
pub const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// True when the node says that it is ready.
pub fn is_ready(node: &Node) -> bool {
    conditions::is_true(conditions(node), "Ready")
}

/// The node's conditions.
pub fn conditions(node: &Node) -> Option<&[NodeCondition]> {
    node.status.as_ref()?.conditions.as_deref()
}

/// The condition of this type.
pub fn condition<'a>(node: &'a Node, kind: &str) -> Option<&'a NodeCondition> {
    conditions::find(conditions(node), kind)
}

/// The node's taints.
pub fn taints(node: &Node) -> &[Taint] {
    node.spec.as_ref().and_then(|s| s.taints.as_deref()).unwrap_or_default()
}

/// True when the node is cordoned.
pub fn is_unschedulable(node: &Node) -> bool {
    node.spec.as_ref().and_then(|s| s.unschedulable).unwrap_or(false)
}

/// What pods may use of the node, by resource: its allocatable, or its capacity where it names none.
pub fn allocatable(node: &Node) -> BTreeMap<String, Quantity> {
    let Some(status) = &node.status else { return BTreeMap::new() };
    let listed = status.allocatable.as_ref().or(status.capacity.as_ref());
    listed.into_iter().flatten().map(|(name, text)| (name.clone(), Quantity::lenient(text))).collect()
}

/// The node's address of this type: `InternalIP`, `Hostname`.
pub fn address<'a>(node: &'a Node, kind: &str) -> Option<&'a str> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    addresses.iter().find(|a| a.type_ == kind).map(|a| a.address.as_str())
}

/// Whether a term of a selector takes the node. An empty one takes nothing.
pub fn is_selected(term: &NodeSelectorTerm, node: &Node) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    if expressions.is_empty() && fields.is_empty() {
        return false;
    }
    expressions.iter().all(|r| holds(r, label(node, &r.key)))
        && fields.iter().all(|r| r.key == "metadata.name" && holds(r, node.metadata.name.as_ref()))
}

fn holds(requirement: &NodeSelectorRequirement, value: Option<&String>) -> bool {
    let values = requirement.values.as_deref().unwrap_or_default();
    let numbers = || -> Option<(i64, i64)> { Some((value?.parse().ok()?, values.first()?.parse().ok()?)) };
    match requirement.operator.as_str() {
        "In" => value.is_some_and(|v| values.contains(v)),
        "NotIn" => !value.is_some_and(|v| values.contains(v)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => numbers().is_some_and(|(a, b)| a > b),
        "Lt" => numbers().is_some_and(|(a, b)| a < b),
        _ => false,
    }
}

/// A label of the node.
pub fn label<'a>(node: &'a Node, key: &str) -> Option<&'a String> {
    node.metadata.labels.as_ref()?.get(key)
}

//! Questions about nodes.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, NodeCondition, Taint};

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

//! TaintNodesByCondition: nothing is scheduled to a new node before it says that it is ready.

use serde_json::{Value, json};

use super::Review;
use crate::kinds::{Change, Look};

const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// Taints a new node.
pub fn mutate(review: &Review<'_>, node: &mut Value) {
    if !review.creates("", "nodes") {
        return;
    }
    let mut taints = node.items("spec.taints").to_vec();
    if !taints.iter().any(|t| t.text("key") == NOT_READY && t.text("effect") == "NoSchedule") {
        taints.push(json!({"key": NOT_READY, "effect": "NoSchedule"}));
        node.set("spec", "taints", taints);
    }
}

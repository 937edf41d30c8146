//! DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or not reachable, unless it says
//! otherwise.

use serde_json::{Value, json};

use super::{Operation, Review};
use crate::kinds::{Change, Look};

/// Adds what the pod does not say.
pub fn mutate(review: &Review<'_>, pod: &mut Value) {
    let writes = matches!(review.operation, Operation::Create | Operation::Update);
    if writes && review.is("", "pods") && review.subresource.is_empty() {
        tolerate_lost_nodes(pod);
    }
}

fn tolerate_lost_nodes(pod: &mut Value) {
    for taint in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = pod.items("spec.tolerations").iter().any(|t| {
            matches!(t.text("key"), key if key.is_empty() || key == taint)
                && matches!(t.text("effect"), "" | "NoExecute")
        });
        if !tolerated {
            let mut all = pod.items("spec.tolerations").to_vec();
            all.push(json!({"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
            pod.set("spec", "tolerations", all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_added() {
        for (tolerations, after) in [
            (json!(null), 2),
            (json!([{"operator": "Exists"}]), 1),
            (json!([{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}]), 2),
            (json!([{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoSchedule"}]), 3),
        ] {
            let mut pod = json!({"spec": {"tolerations": tolerations}});
            tolerate_lost_nodes(&mut pod);
            assert_eq!(pod.items("spec.tolerations").len(), after, "{pod}");
        }
    }
}

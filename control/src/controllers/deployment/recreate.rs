//! Recreate: all old pods go, and only then the new ones come.

use std::collections::HashMap;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};

use super::limits;
use super::plan::Scale;
use super::sets::{self, Sets};

/// Whose turn it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Old sets go down.
    Down(Vec<Scale>),
    /// Old pods are still ending.
    Wait,
    /// The new set comes up.
    Up,
}

/// Decides from the old sets and from their pods that have not ended.
pub(super) fn turn(sets: &Sets, live: &HashMap<String, usize>) -> Turn {
    let active: Vec<Scale> = sets
        .old
        .iter()
        .filter(|s| sets::replicas(s) > 0)
        .map(|s| Scale { name: s.metadata.name.clone().unwrap_or_default(), to: 0 })
        .collect();
    if !active.is_empty() {
        return Turn::Down(active);
    }
    let running = sets.old.iter().any(|s| {
        let counted = s.status.as_ref().is_some_and(|s| s.replicas > 0);
        counted || s.metadata.uid.as_ref().and_then(|uid| live.get(uid)).is_some_and(|n| *n > 0)
    });
    if running { Turn::Wait } else { Turn::Up }
}

/// The new set in full, unless it is that already.
pub(super) fn up(deployment: &Deployment, new: &ReplicaSet) -> Vec<Scale> {
    let wanted = limits::replicas(deployment);
    if sets::replicas(new) == wanted {
        return Vec::new();
    }
    vec![Scale { name: new.metadata.name.clone().unwrap_or_default(), to: wanted }]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use k8s_openapi::api::apps::v1::ReplicaSetSpec;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;

    fn old(replicas: i32) -> Sets {
        let set = ReplicaSet {
            metadata: ObjectMeta { name: Some("a".into()), uid: Some("u".into()), ..ObjectMeta::default() },
            spec: Some(ReplicaSetSpec { replicas: Some(replicas), ..ReplicaSetSpec::default() }),
            status: None,
        };
        Sets { new: None, old: vec![Arc::new(set)] }
    }

    #[test]
    fn the_old_end_before_the_new_begin() {
        let live = |n: usize| HashMap::from([("u".to_owned(), n)]);
        let down = Turn::Down(vec![Scale { name: "a".into(), to: 0 }]);
        assert_eq!(turn(&old(2), &live(2)), down);
        assert_eq!(turn(&old(0), &live(1)), Turn::Wait);
        assert_eq!(turn(&old(0), &live(0)), Turn::Up);
    }
}

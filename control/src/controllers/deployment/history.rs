//! Old ReplicaSets are kept for rollbacks, up to `revisionHistoryLimit`.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};

use super::annotations;
use super::sets::{self, Sets};

/// The next old set to delete: of the lowest revision, empty, and settled.
pub(super) fn surplus<'a>(deployment: &Deployment, sets: &'a Sets) -> Option<&'a Arc<ReplicaSet>> {
    let limit = deployment.spec.as_ref().and_then(|s| s.revision_history_limit).unwrap_or(10);
    if limit == i32::MAX {
        return None;
    }
    let mut alive: Vec<&Arc<ReplicaSet>> =
        sets.old.iter().filter(|s| s.metadata.deletion_timestamp.is_none()).collect();
    let too_many = alive.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    alive.sort_by_key(|s| annotations::revision(&s.metadata));
    alive.into_iter().take(too_many).find(|set| is_empty(set))
}

fn is_empty(set: &ReplicaSet) -> bool {
    let status = set.status.as_ref();
    let observed = status.and_then(|s| s.observed_generation).unwrap_or(0);
    sets::replicas(set) == 0
        && status.is_none_or(|s| s.replicas == 0)
        && set.metadata.generation.unwrap_or(0) <= observed
}

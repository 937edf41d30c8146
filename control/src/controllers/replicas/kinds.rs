//! What ReplicaSets and ReplicationControllers differ in.

use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetCondition};
use k8s_openapi::api::core::v1::{PodTemplateSpec, ReplicationController, ReplicationControllerCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use objects::conditions;
use objects::selectors::{LabelSelector, SelectorError};

use super::status::Counts;
use crate::registry::Informed;

const REPLICA_FAILURE: &str = "ReplicaFailure";

/// A kind whose objects keep a number of like pods.
pub(super) trait Replicated: Informed {
    /// Whom its events come from.
    const COMPONENT: &'static str;

    /// How many pods are wanted.
    fn replicas(&self) -> i32;
    /// Which pods are its own.
    fn selector(&self) -> Result<LabelSelector, SelectorError>;
    /// What new pods are made from.
    fn template(&self) -> Option<&PodTemplateSpec>;
    /// How long a pod must be ready before it counts as available.
    fn min_ready_seconds(&self) -> i32;
    /// The object with these counts and this failure (reason, message) in its status; nothing where they are there already.
    fn with_status(&self, counts: &Counts, failure: Option<(&'static str, &str)>, now: &Time) -> Option<Self>;
}

macro_rules! replicated {
    ($kind:ty, $condition:ident, $component:literal, $selector:expr) => {
        impl Replicated for $kind {
            const COMPONENT: &'static str = $component;

            fn replicas(&self) -> i32 {
                self.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1)
            }

            fn selector(&self) -> Result<LabelSelector, SelectorError> {
                let selector: fn(&Self) -> Result<LabelSelector, SelectorError> = $selector;
                selector(self)
            }

            fn template(&self) -> Option<&PodTemplateSpec> {
                self.spec.as_ref()?.template.as_ref()
            }

            fn min_ready_seconds(&self) -> i32 {
                self.spec.as_ref().and_then(|s| s.min_ready_seconds).unwrap_or(0)
            }

            fn with_status(&self, counts: &Counts, failure: Option<(&'static str, &str)>, now: &Time) -> Option<Self> {
                let old = self.status.clone().unwrap_or_default();
                let mut held = old.conditions.clone().unwrap_or_default();
                match failure {
                    // The first words stay: each attempt fails with another pod's name in them, and a status that
                    // changes wakes its own controller at once, however long that meant to wait.
                    Some(_) if conditions::find(Some(&held), REPLICA_FAILURE).is_some() => {}
                    Some((reason, message)) => {
                        let condition = $condition {
                            type_: REPLICA_FAILURE.into(),
                            status: "True".into(),
                            reason: Some(reason.into()),
                            message: Some(message.into()),
                            last_transition_time: Some(now.clone()),
                        };
                        conditions::set(&mut held, condition);
                    }
                    None => {
                        conditions::remove(&mut held, REPLICA_FAILURE);
                    }
                }
                let some = |n: i32| Some(n).filter(|n| *n != 0);
                let mut new = old.clone();
                new.replicas = counts.replicas;
                new.fully_labeled_replicas = some(counts.fully_labeled);
                new.ready_replicas = some(counts.ready);
                new.available_replicas = some(counts.available);
                new.observed_generation = self.metadata.generation;
                new.conditions = Some(held).filter(|c| !c.is_empty());
                let mut as_stored = old;
                as_stored.fully_labeled_replicas = as_stored.fully_labeled_replicas.and_then(some);
                as_stored.ready_replicas = as_stored.ready_replicas.and_then(some);
                as_stored.available_replicas = as_stored.available_replicas.and_then(some);
                as_stored.conditions = as_stored.conditions.filter(|c| !c.is_empty());
                (new != as_stored).then(|| Self { status: Some(new), ..self.clone() })
            }
        }
    };
}

replicated!(ReplicaSet, ReplicaSetCondition, "replicaset-controller", |set| {
    LabelSelector::of(set.spec.as_ref().map(|s| &s.selector))
});
replicated!(ReplicationController, ReplicationControllerCondition, "replication-controller", |rc| {
    let selector = rc.spec.as_ref().and_then(|s| s.selector.as_ref());
    Ok(selector.filter(|s| !s.is_empty()).map_or_else(LabelSelector::nothing, LabelSelector::of_map))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_after_another_changes_nothing() {
        let now = objects::time::now();
        let set = ReplicaSet::default();
        let failed = |set: &ReplicaSet, words| set.with_status(&Counts::default(), Some(("FailedCreate", words)), &now);
        let first = failed(&set, "pods \"a-1\" is forbidden").expect("a first failure");
        assert_eq!(failed(&first, "pods \"a-2\" is forbidden"), None);
        let well = first.with_status(&Counts::default(), None, &now).expect("no failure any more");
        assert_eq!(well.status.and_then(|status| status.conditions), None);
    }
}

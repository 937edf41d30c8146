//! How many pods to make, or which to delete.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use objects::{names, owners, time};

use super::kinds::Replicated;
use super::rank;

/// No more pods than this are made or deleted in one reconcile.
const BURST: usize = 500;

/// What one reconcile does about the number of pods.
#[derive(Debug)]
pub(super) enum Step {
    /// It is right.
    Nothing,
    /// Make so many.
    Create(usize),
    /// Delete these.
    Delete(Vec<Arc<Pod>>),
}

/// The step from `active` pods to the number that `owner` asks for. `family` gives the active pods of all siblings.
pub(super) fn step<K: Replicated>(owner: &K, active: &[Arc<Pod>], family: impl FnOnce() -> Vec<Arc<Pod>>) -> Step {
    if owner.metadata().deletion_timestamp.is_some() {
        return Step::Nothing;
    }
    let wanted = usize::try_from(owner.replicas()).unwrap_or(0);
    if active.len() < wanted {
        return Step::Create((wanted - active.len()).min(BURST));
    }
    let surplus = (active.len() - wanted).min(BURST);
    if surplus == 0 {
        return Step::Nothing;
    }
    if wanted == 0 && surplus == active.len() {
        return Step::Delete(active.to_vec());
    }
    Step::Delete(rank::surplus(active, &family(), surplus, &time::now()))
}

/// The pod that `owner` makes from its template.
pub(super) fn pod<K: Replicated>(owner: &K) -> Pod {
    let template = owner.template().cloned().unwrap_or_default();
    let meta = template.metadata.unwrap_or_default();
    let owner_meta = owner.metadata();
    let name = owner_meta.name.as_deref().unwrap_or_default();
    let prefix = format!("{name}-");
    let fits = names::dns1123_subdomain(name).is_empty();
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(if fits { prefix } else { name.to_owned() }),
            namespace: owner_meta.namespace.clone(),
            labels: meta.labels,
            annotations: meta.annotations,
            finalizers: meta.finalizers,
            owner_references: Some(vec![owners::controller_ref(owner)]),
            ..ObjectMeta::default()
        },
        spec: template.spec,
        status: None,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetSpec};

    use super::*;

    fn set(replicas: i32) -> ReplicaSet {
        ReplicaSet {
            metadata: ObjectMeta { name: Some("web".into()), uid: Some("u".into()), ..ObjectMeta::default() },
            spec: Some(ReplicaSetSpec { replicas: Some(replicas), ..ReplicaSetSpec::default() }),
            status: None,
        }
    }

    fn active(count: usize) -> Vec<Arc<Pod>> {
        (0..count).map(|_| Arc::new(Pod::default())).collect()
    }

    #[test]
    fn the_difference_is_made_in_one_go_up_to_a_bound() {
        assert!(matches!(step(&set(3), &active(3), Vec::new), Step::Nothing));
        assert!(matches!(step(&set(3), &active(1), Vec::new), Step::Create(2)));
        assert!(matches!(step(&set(2000), &active(0), Vec::new), Step::Create(BURST)));
        assert!(matches!(step(&set(1), &active(3), Vec::new), Step::Delete(pods) if pods.len() == 2));
        assert!(matches!(step(&set(0), &active(3), Vec::new), Step::Delete(pods) if pods.len() == 3));
    }

    #[test]
    fn a_dying_owner_makes_nothing() {
        let mut dying = set(3);
        dying.metadata.deletion_timestamp = Some(time::now());
        assert!(matches!(step(&dying, &active(0), Vec::new), Step::Nothing));
    }

    #[test]
    fn pods_are_named_after_their_owner_and_owned_by_it() {
        let pod = pod(&set(1));
        assert_eq!(pod.metadata.generate_name.as_deref(), Some("web-"));
        assert!(owners::is_controlled_by(&pod.metadata, "u"));
    }
}

//! The ReplicaSet for a template that has none yet.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use objects::{hash, owners};

use super::sets::{self, Sets, TEMPLATE_HASH};
use super::{annotations, limits, rolling};

/// The new set, named after the hash of its template and at the size that the strategy allows at once.
pub(super) fn build(deployment: &Deployment, old: &Sets) -> ReplicaSet {
    let spec = deployment.spec.clone().unwrap_or_default();
    let collisions = deployment.status.as_ref().and_then(|s| s.collision_count);
    let hash = hash::pod_template(&spec.template, collisions);
    let with_hash = |labels: Option<BTreeMap<String, String>>| {
        let mut labels = labels.unwrap_or_default();
        labels.insert(TEMPLATE_HASH.to_owned(), hash.clone());
        Some(labels)
    };
    let mut template = spec.template;
    let meta = template.metadata.get_or_insert_default();
    meta.labels = with_hash(meta.labels.take());
    let labels = meta.labels.clone();
    let mut selector = spec.selector;
    selector.match_labels = with_hash(selector.match_labels.take());
    let mut set = ReplicaSet {
        metadata: ObjectMeta {
            name: Some(name(deployment.metadata.name.as_deref().unwrap_or_default(), &hash)),
            namespace: deployment.metadata.namespace.clone(),
            owner_references: Some(vec![owners::controller_ref(deployment)]),
            labels,
            ..ObjectMeta::default()
        },
        spec: Some(ReplicaSetSpec {
            replicas: Some(size(deployment, old)),
            min_ready_seconds: spec.min_ready_seconds,
            selector,
            template: Some(template),
        }),
        status: None,
    };
    annotations::bring_up_to_date(deployment, &mut set, old.max_old_revision() + 1);
    annotations::set_sizes(deployment, &mut set);
    set
}

fn size(deployment: &Deployment, old: &Sets) -> i32 {
    if limits::is_recreate(deployment) {
        limits::replicas(deployment)
    } else {
        rolling::new_size(deployment, sets::total(old.old.iter()), 0)
    }
}

/// `deployment-hash`, with the front cut where it would not fit a name.
fn name(deployment: &str, hash: &str) -> String {
    let room = 253 - hash.len() - 1;
    let mut end = deployment.len().min(room);
    while !deployment.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}-{hash}", &deployment[..end])
}

//! The ReplicaSets of a Deployment: the one with its template, and the old ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;

use super::annotations;

/// The label that tells the pods of one template from those of another.
pub(super) const TEMPLATE_HASH: &str = "pod-template-hash";

/// The sets of one Deployment.
#[derive(Clone, Debug, Default)]
pub(super) struct Sets {
    /// The one with the Deployment's template.
    pub new: Option<Arc<ReplicaSet>>,
    /// The others, oldest first.
    pub old: Vec<Arc<ReplicaSet>>,
}

impl Sets {
    /// Finds the new set among those that the Deployment owns. Of several with its template the oldest is the one.
    pub fn find(deployment: &Deployment, mut owned: Vec<Arc<ReplicaSet>>) -> Self {
        owned.sort_by(|a, b| age(a).cmp(&age(b)));
        let template = deployment.spec.as_ref().map(|s| &s.template);
        let position = owned.iter().position(|set| {
            let of_set = set.spec.as_ref().and_then(|s| s.template.as_ref());
            matches!((template, of_set), (Some(a), Some(b)) if equal_but_hash(a, b))
        });
        let new = position.map(|at| owned.remove(at));
        Self { new, old: owned }
    }

    /// All of them, the new one last.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<ReplicaSet>> {
        self.old.iter().chain(&self.new)
    }

    /// Those that ask for pods.
    pub fn active(&self) -> impl DoubleEndedIterator<Item = &Arc<ReplicaSet>> {
        self.all().filter(|s| replicas(s) > 0)
    }

    /// The one of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<ReplicaSet>> {
        self.all().find(|s| s.metadata.name.as_deref() == Some(name))
    }

    /// Puts a newer state in the place of the older one.
    pub fn replace(&mut self, newer: Arc<ReplicaSet>) {
        let mut places = self.old.iter_mut().chain(&mut self.new);
        if let Some(place) = places.find(|s| s.metadata.uid == newer.metadata.uid) {
            *place = newer;
        }
    }

    /// The highest revision among the old ones.
    pub fn max_old_revision(&self) -> i64 {
        self.old.iter().map(|s| annotations::revision(&s.metadata)).max().unwrap_or(0)
    }
}

/// How many pods a set asks for.
pub(super) fn replicas(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|s| s.replicas).unwrap_or(0)
}

/// How many available pods a set reports.
pub(super) fn available(set: &ReplicaSet) -> i32 {
    set.status.as_ref().and_then(|s| s.available_replicas).unwrap_or(0)
}

/// How many pods some sets ask for together.
pub(super) fn total<'a>(sets: impl Iterator<Item = &'a Arc<ReplicaSet>>) -> i32 {
    sets.map(|s| replicas(s)).sum()
}

/// How many available pods some sets report together.
pub(super) fn total_available<'a>(sets: impl Iterator<Item = &'a Arc<ReplicaSet>>) -> i32 {
    sets.map(|s| available(s)).sum()
}

/// Do two sets have the same template?
pub(super) fn same_template(a: &ReplicaSet, b: &ReplicaSet) -> bool {
    let template = |set: &ReplicaSet| set.spec.as_ref().and_then(|s| s.template.clone()).unwrap_or_default();
    equal_but_hash(&template(a), &template(b))
}

/// Are two templates equal, but for the hash label that a set's template carries?
fn equal_but_hash(a: &PodTemplateSpec, b: &PodTemplateSpec) -> bool {
    if a.spec != b.spec {
        return false;
    }
    let (a, b) = (a.metadata.clone().unwrap_or_default(), b.metadata.clone().unwrap_or_default());
    let plain = |labels: Option<BTreeMap<String, String>>| {
        let mut labels = labels.unwrap_or_default();
        labels.remove(TEMPLATE_HASH);
        labels
    };
    let annotations = |a: Option<BTreeMap<String, String>>| a.unwrap_or_default();
    plain(a.labels) == plain(b.labels)
        && annotations(a.annotations) == annotations(b.annotations)
        && a.finalizers.unwrap_or_default() == b.finalizers.unwrap_or_default()
        && a.name.unwrap_or_default() == b.name.unwrap_or_default()
}

fn age(set: &ReplicaSet) -> (Option<&k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>, Option<&str>) {
    (set.metadata.creation_timestamp.as_ref(), set.metadata.name.as_deref())
}

//! How many replicas there are, and in what state.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use objects::pods::{self, Availability};

use super::kinds::Replicated;

/// The counts of a status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Active pods.
    pub replicas: i32,
    /// Those with all labels of the template.
    pub fully_labeled: i32,
    /// Those that are ready.
    pub ready: i32,
    /// Those that have been ready for long enough.
    pub available: i32,
    /// When the next ready pod becomes available by waiting.
    pub available_in: Option<Duration>,
}

/// Counts the active pods of `owner`.
pub(super) fn count<K: Replicated>(owner: &K, active: &[Arc<Pod>], now: &Time) -> Counts {
    let labels = owner.template().and_then(|t| t.metadata.as_ref()?.labels.as_ref());
    let mut counts = Counts::default();
    for pod in active {
        let has = |(key, value)| pod.metadata.labels.as_ref().and_then(|l| l.get(key)) == Some(value);
        counts.replicas += 1;
        counts.fully_labeled += i32::from(labels.into_iter().flatten().all(has));
        match pods::availability(pod, owner.min_ready_seconds(), now) {
            Availability::NotReady => {}
            Availability::Available => {
                counts.ready += 1;
                counts.available += 1;
            }
            Availability::In(left) => {
                counts.ready += 1;
                let left = Duration::try_from(left).unwrap_or_default();
                counts.available_in = Some(counts.available_in.map_or(left, |d| d.min(left)));
            }
        }
    }
    counts
}

//! RollingUpdate: new pods come and old pods go, within `maxSurge` and `maxUnavailable`.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};

use super::limits;
use super::plan::Scale;
use super::sets::{self, Sets};

/// The next sizes: first the new set as far up as the surge allows; then unhealthy old pods away, which costs nothing;
/// then as many other old pods as the availability allows. Nothing, where the roll-out waits or is done.
pub(super) fn scales(deployment: &Deployment, new: &Arc<ReplicaSet>, sets: &Sets) -> Vec<Scale> {
    let (wanted, present) = (limits::replicas(deployment), sets::replicas(new));
    let target = if present > wanted { wanted } else { new_size(deployment, sets::total(sets.all()), present) };
    if target != present {
        return vec![scale(new, target)];
    }
    down(deployment, new, sets)
}

/// The size of the new set, of `present` pods now, when `all` sets together ask for so many.
pub(super) fn new_size(deployment: &Deployment, all: i32, present: i32) -> i32 {
    let wanted = limits::replicas(deployment);
    let room = wanted.saturating_add(limits::max_surge(deployment)) - all;
    if room <= 0 { present } else { present + room.min(wanted - present) }
}

fn down(deployment: &Deployment, new: &Arc<ReplicaSet>, sets: &Sets) -> Vec<Scale> {
    let minimum = limits::replicas(deployment) - limits::max_unavailable(deployment);
    let new_unavailable = sets::replicas(new) - available(new);
    let budget = sets::total(sets.all()) - minimum - new_unavailable;
    if sets::total(sets.old.iter()) == 0 || budget <= 0 {
        return Vec::new();
    }
    let mut sizes: Vec<i32> = sets.old.iter().map(|s| sets::replicas(s)).collect();
    let mut cleaned = 0;
    for (size, set) in sizes.iter_mut().zip(&sets.old) {
        let unhealthy = (*size - available(set)).clamp(0, budget - cleaned);
        *size -= unhealthy;
        cleaned += unhealthy;
    }
    let mut spare = sets.all().map(|s| available(s)).sum::<i32>() - minimum;
    for size in &mut sizes {
        let gone = (*size).min(spare).max(0);
        *size -= gone;
        spare -= gone;
    }
    let changed = sets.old.iter().zip(sizes).filter(|(set, size)| sets::replicas(set) != *size);
    changed.map(|(set, size)| scale(set, size)).collect()
}

/// A set that was made smaller a moment ago still reports the pods it had: more than it asks for are not there.
fn available(set: &ReplicaSet) -> i32 {
    sets::available(set).min(sets::replicas(set))
}

fn scale(set: &ReplicaSet, to: i32) -> Scale {
    Scale { name: set.metadata.name.clone().unwrap_or_default(), to }
}

#[cfg(test)]
mod tests;

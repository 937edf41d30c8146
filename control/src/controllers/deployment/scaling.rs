//! A change of size in the middle of a roll-out: every set gets its share.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};

use super::plan::Scale;
use super::sets::{self, Sets};
use super::{annotations, limits};

/// True when the Deployment's size changed since it last sized an active set.
pub(super) fn is_needed(deployment: &Deployment, sets: &Sets) -> bool {
    let wanted = limits::replicas(deployment);
    sets.active().any(|set| annotations::desired(set).is_some_and(|d| d != wanted))
}

/// The sizes that a changed (or paused) Deployment gives its sets. A set may be listed with the size it has, where only
/// what is written on it lags behind.
pub(super) fn scales(deployment: &Deployment, sets: &Sets) -> Vec<Scale> {
    let wanted = limits::replicas(deployment);
    if let Some(only) = active_or_latest(sets) {
        let lags = scaled(deployment, only, wanted).is_some();
        return lags.then(|| Scale { name: name(only), to: wanted }).into_iter().collect();
    }
    if sets.new.as_ref().is_some_and(|new| is_saturated(deployment, new)) {
        return sets.old.iter().filter(|s| sets::replicas(s) > 0).map(|s| Scale { name: name(s), to: 0 }).collect();
    }
    if limits::is_recreate(deployment) { Vec::new() } else { proportional(deployment, sets) }
}

/// The set at its new size, with what is written on it; nothing where it is so already.
pub(super) fn scaled(deployment: &Deployment, set: &ReplicaSet, to: i32) -> Option<ReplicaSet> {
    let mut scaled = set.clone();
    let annotated = annotations::set_sizes(deployment, &mut scaled);
    scaled.spec.get_or_insert_default().replicas = Some(to);
    (annotated || sets::replicas(set) != to).then_some(scaled)
}

/// The one active set, or the newest where none is active; nothing where several are.
fn active_or_latest(sets: &Sets) -> Option<&Arc<ReplicaSet>> {
    let mut active = sets.active();
    match (active.next(), active.next()) {
        (None, _) => sets.new.as_ref().or(sets.old.last()),
        (Some(only), None) => Some(only),
        _ => None,
    }
}

fn is_saturated(deployment: &Deployment, new: &ReplicaSet) -> bool {
    let wanted = limits::replicas(deployment);
    sets::replicas(new) == wanted && annotations::desired(new) == Some(wanted) && sets::available(new) == wanted
}

fn proportional(deployment: &Deployment, sets: &Sets) -> Vec<Scale> {
    let wanted = limits::replicas(deployment);
    let allowed = if wanted > 0 { wanted.saturating_add(limits::max_surge(deployment)) } else { 0 };
    let mut active: Vec<&Arc<ReplicaSet>> = sets.active().collect();
    let missing = allowed - sets::total(active.iter().copied());
    // The largest first; of equals the newer one when growing, the older one when shrinking.
    active.sort_by(|a, b| {
        let newer = b.metadata.creation_timestamp.cmp(&a.metadata.creation_timestamp);
        sets::replicas(b).cmp(&sets::replicas(a)).then(if missing > 0 { newer } else { newer.reverse() })
    });
    let mut given = 0;
    let mut sizes = Vec::with_capacity(active.len());
    for set in &active {
        let share = if missing == 0 { 0 } else { share(deployment, set, missing, given) };
        given += share;
        sizes.push(sets::replicas(set) + share);
    }
    if let Some(largest) = sizes.first_mut().filter(|_| missing != 0) {
        *largest = (*largest + missing - given).max(0);
    }
    let scales = active.iter().zip(sizes).map(|(set, to)| (set, Scale { name: name(set), to }));
    scales.filter(|(set, scale)| scaled(deployment, set, scale.to).is_some()).map(|(_, scale)| scale).collect()
}

/// A set's part of what is missing (or too much), in proportion to its size.
fn share(deployment: &Deployment, set: &ReplicaSet, missing: i32, given: i32) -> i32 {
    let (size, left) = (sets::replicas(set), missing - given);
    if size == 0 || left == 0 {
        return 0;
    }
    let fraction = fraction(deployment, set, size);
    if missing > 0 { fraction.min(left) } else { fraction.max(left) }
}

fn fraction(deployment: &Deployment, set: &ReplicaSet, size: i32) -> i32 {
    let wanted = limits::replicas(deployment);
    if wanted == 0 {
        return -size;
    }
    let most_before = annotations::most(set).filter(|n| *n != 0);
    let reported = deployment.status.as_ref().and_then(|s| s.replicas).unwrap_or(0);
    let before = i64::from(most_before.unwrap_or(reported));
    if before == 0 {
        return 0;
    }
    let most = i64::from(wanted) + i64::from(limits::max_surge(deployment));
    // Rounded to the nearest, halves away from zero.
    let grown = (2 * i64::from(size) * most + before) / (2 * before);
    i32::try_from(grown).unwrap_or(i32::MAX) - size
}

fn name(set: &ReplicaSet) -> String {
    set.metadata.name.clone().unwrap_or_default()
}

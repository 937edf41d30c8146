//! What a Deployment reports: counts, and the conditions that `kubectl rollout status` waits for.

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, DeploymentStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use objects::{conditions, time};

use super::limits;
use super::sets::{self, Sets};
use crate::controllers::Next;

const PROGRESSING: &str = "Progressing";
const AVAILABLE: &str = "Available";
const REPLICA_FAILURE: &str = "ReplicaFailure";
const NEW_SET_AVAILABLE: &str = "NewReplicaSetAvailable";
const TIMED_OUT: &str = "ProgressDeadlineExceeded";
const PAUSED: &str = "DeploymentPaused";

/// The status after a reconcile. `before` is the one that was reported last.
pub(super) fn status(deployment: &Deployment, before: &DeploymentStatus, sets: &Sets, now: &Time) -> DeploymentStatus {
    let mut status = counts(deployment, before, sets);
    let mut held = before.conditions.clone().unwrap_or_default();
    put(&mut held, availability(deployment, sets), now);
    progress(deployment, before, &status, sets, &mut held, now);
    let failure = sets
        .new
        .iter()
        .chain(&sets.old)
        .find_map(|set| conditions::find(set.status.as_ref()?.conditions.as_deref(), REPLICA_FAILURE));
    match failure {
        None => drop(conditions::remove(&mut held, REPLICA_FAILURE)),
        Some(of_set) => {
            let (reason, message) =
                (of_set.reason.clone().unwrap_or_default(), of_set.message.clone().unwrap_or_default());
            put(&mut held, condition(REPLICA_FAILURE, &of_set.status, &reason, message), now);
        }
    }
    status.conditions = Some(held);
    status
}

fn counts(deployment: &Deployment, before: &DeploymentStatus, sets: &Sets) -> DeploymentStatus {
    let some = |n: i32| Some(n).filter(|n| *n != 0);
    let reported = |of: fn(&k8s_openapi::api::apps::v1::ReplicaSetStatus) -> i32| -> i32 {
        sets.all().filter_map(|s| s.status.as_ref()).map(of).sum()
    };
    let available = sets::total_available(sets.all());
    DeploymentStatus {
        observed_generation: deployment.metadata.generation,
        replicas: some(reported(|s| s.replicas)),
        updated_replicas: some(sets.new.iter().filter_map(|s| s.status.as_ref()).map(|s| s.replicas).sum()),
        ready_replicas: some(reported(|s| s.ready_replicas.unwrap_or(0))),
        available_replicas: some(available),
        unavailable_replicas: some((sets::total(sets.all()) - available).max(0)),
        collision_count: before.collision_count,
        ..DeploymentStatus::default()
    }
}

fn availability(deployment: &Deployment, sets: &Sets) -> DeploymentCondition {
    let minimum = limits::replicas(deployment) - limits::max_unavailable(deployment);
    if sets::total_available(sets.all()) >= minimum {
        let message = "Deployment has minimum availability.";
        condition(AVAILABLE, "True", "MinimumReplicasAvailable", message.to_owned())
    } else {
        let message = "Deployment does not have minimum availability.";
        condition(AVAILABLE, "False", "MinimumReplicasUnavailable", message.to_owned())
    }
}

/// The condition `Progressing`: complete, moving, or stuck for longer than the deadline. A paused Deployment makes no
/// progress to speak of: [`note_pause`] has said so, and nothing else is said until it goes on.
fn progress(
    deployment: &Deployment,
    before: &DeploymentStatus,
    status: &DeploymentStatus,
    sets: &Sets,
    held: &mut Vec<DeploymentCondition>,
    now: &Time,
) {
    if limits::progress_deadline(deployment).is_none() {
        conditions::remove(held, PROGRESSING);
        return;
    }
    if limits::is_paused(deployment) {
        return;
    }
    let current = conditions::find(before.conditions.as_deref(), PROGRESSING).cloned();
    let was_complete = current.as_ref().is_some_and(|c| c.reason.as_deref() == Some(NEW_SET_AVAILABLE));
    // A complete roll-out stays so when pods come and go later.
    if was_complete && status.replicas == status.updated_replicas {
        return;
    }
    let subject = match sets.new.as_ref().and_then(|s| s.metadata.name.as_deref()) {
        Some(set) => format!("ReplicaSet {set:?}"),
        None => format!("Deployment {:?}", deployment.metadata.name.as_deref().unwrap_or_default()),
    };
    if complete(deployment, status) {
        let message = format!("{subject} has successfully progressed.");
        put(held, condition(PROGRESSING, "True", NEW_SET_AVAILABLE, message), now);
    } else if moved(before, status) {
        let message = format!("{subject} is progressing.");
        let mut moving = condition(PROGRESSING, "True", "ReplicaSetUpdated", message);
        moving.last_update_time = Some(now.clone());
        let kept = current.filter(|c| c.status == "True").and_then(|c| c.last_transition_time);
        moving.last_transition_time = Some(kept.unwrap_or_else(|| now.clone()));
        conditions::remove(held, PROGRESSING);
        held.push(moving);
    } else if overdue(deployment, current.as_ref(), now) {
        let message = format!("{subject} has timed out progressing.");
        put(held, condition(PROGRESSING, "False", TIMED_OUT, message), now);
    }
}

/// True when the last report says that the roll-out is complete.
pub(super) fn is_complete(deployment: &Deployment) -> bool {
    deployment.status.as_ref().is_some_and(|status| complete(deployment, status))
}

fn complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let wanted = limits::replicas(deployment);
    let is = |n: Option<i32>| n.unwrap_or(0) == wanted;
    is(status.updated_replicas)
        && is(status.replicas)
        && is(status.available_replicas)
        && status.observed_generation >= deployment.metadata.generation
}

fn moved(before: &DeploymentStatus, after: &DeploymentStatus) -> bool {
    let n = |n: Option<i32>| n.unwrap_or(0);
    let old = |s: &DeploymentStatus| n(s.replicas) - n(s.updated_replicas);
    n(after.updated_replicas) > n(before.updated_replicas)
        || old(after) < old(before)
        || n(after.ready_replicas) > n(before.ready_replicas)
        || n(after.available_replicas) > n(before.available_replicas)
}

fn overdue(deployment: &Deployment, current: Option<&DeploymentCondition>, now: &Time) -> bool {
    let (Some(deadline), Some(current)) = (limits::progress_deadline(deployment), current) else { return false };
    match current.reason.as_deref() {
        Some(NEW_SET_AVAILABLE) => false,
        Some(TIMED_OUT) => true,
        _ => current.last_update_time.as_ref().is_some_and(|from| time::plus_seconds(from, deadline) < *now),
    }
}

/// When to look at an unfinished roll-out again: just after its deadline.
pub(super) fn look_again(deployment: &Deployment, status: &DeploymentStatus, now: &Time) -> Next {
    let Some(deadline) = limits::progress_deadline(deployment) else { return Next::Done };
    let Some(current) = conditions::find(status.conditions.as_deref(), PROGRESSING) else { return Next::Done };
    let settled = matches!(current.reason.as_deref(), Some(TIMED_OUT | NEW_SET_AVAILABLE));
    if settled || limits::is_paused(deployment) || complete(deployment, status) {
        return Next::Done;
    }
    let from = current.last_update_time.as_ref().unwrap_or(now);
    let left = time::since(now, &time::plus_seconds(from, deadline + 1));
    Next::After(Duration::try_from(left).unwrap_or_default().max(Duration::from_secs(1)))
}

/// Reports a pause or its end, so that time spent paused does not count against the deadline. True where that is news.
pub(super) fn note_pause(deployment: &mut Deployment, now: &Time) -> bool {
    if limits::progress_deadline(deployment).is_none() {
        return false;
    }
    let paused = limits::is_paused(deployment);
    let held = deployment.status.as_ref().and_then(|s| s.conditions.as_deref());
    let reason = conditions::find(held, PROGRESSING).and_then(|c| c.reason.as_deref());
    let noted = match (paused, reason) {
        (_, Some(TIMED_OUT)) => return false,
        (true, Some(PAUSED)) | (false, None) => return false,
        (true, _) => condition(PROGRESSING, "Unknown", PAUSED, "Deployment is paused".to_owned()),
        (false, Some(PAUSED)) => {
            condition(PROGRESSING, "Unknown", "DeploymentResumed", "Deployment is resumed".to_owned())
        }
        (false, Some(_)) => return false,
    };
    put(deployment.status.get_or_insert_default().conditions.get_or_insert_default(), noted, now)
}

/// Reports that the new set was made.
pub(super) fn note_created(deployment: &mut Deployment, set: &str, now: &Time) {
    if limits::progress_deadline(deployment).is_some() {
        let message = format!("Created new replica set {set:?}");
        let noted = condition(PROGRESSING, "True", "NewReplicaSetCreated", message);
        put(deployment.status.get_or_insert_default().conditions.get_or_insert_default(), noted, now);
    }
}

/// Reports a new set that was there before anything was reported about progress.
pub(super) fn note_found(deployment: &mut Deployment, sets: &Sets, now: &Time) {
    let Some(set) = sets.new.as_ref().and_then(|s| s.metadata.name.as_deref()) else { return };
    let held = deployment.status.as_ref().and_then(|s| s.conditions.as_deref());
    if limits::progress_deadline(deployment).is_none() || conditions::find(held, PROGRESSING).is_some() {
        return;
    }
    let noted = condition(PROGRESSING, "True", "FoundNewReplicaSet", format!("Found new replica set {set:?}"));
    put(deployment.status.get_or_insert_default().conditions.get_or_insert_default(), noted, now);
}

/// Reports that the new set could not be made. True where that is news.
pub(super) fn note_create_failed(deployment: &mut Deployment, message: &str, now: &Time) -> bool {
    if limits::progress_deadline(deployment).is_none() {
        return false;
    }
    let noted = condition(PROGRESSING, "False", "ReplicaSetCreateError", message.to_owned());
    put(deployment.status.get_or_insert_default().conditions.get_or_insert_default(), noted, now)
}

fn condition(kind: &str, status: &str, reason: &str, message: String) -> DeploymentCondition {
    DeploymentCondition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message),
        last_update_time: None,
        last_transition_time: None,
    }
}

/// Puts a condition in the list; status and reason as before make it no news.
fn put(held: &mut Vec<DeploymentCondition>, mut new: DeploymentCondition, now: &Time) -> bool {
    let current = held.iter().find(|c| c.type_ == new.type_);
    if current.is_some_and(|c| c.status == new.status && c.reason == new.reason) {
        return false;
    }
    new.last_update_time = Some(now.clone());
    let kept = current.filter(|c| c.status == new.status).and_then(|c| c.last_transition_time.clone());
    new.last_transition_time = Some(kept.unwrap_or_else(|| now.clone()));
    conditions::remove(held, &new.type_.clone());
    held.push(new);
    true
}

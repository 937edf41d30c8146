//! The next step of a Deployment.

use std::collections::HashMap;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};

use super::sets::Sets;
use super::{annotations, history, limits, new_set, progress, recreate, rolling, scaling};

/// A new size for one set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    /// The set.
    pub name: String,
    /// The number of pods it shall ask for.
    pub to: i32,
}

/// One step; the watch asks for the next.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing to do but report.
    Settle,
    /// Make the new set.
    Create(Box<ReplicaSet>),
    /// Bring the new set's annotations and `minReadySeconds` up to date.
    Annotate(Box<ReplicaSet>),
    /// Size these sets.
    Scale(Vec<Scale>),
    /// Delete this old set.
    Delete(Box<ReplicaSet>),
}

/// Decides on the step. `live` counts the pods of each set (by uid) that have not ended, for Recreate.
pub(super) fn step(deployment: &Deployment, sets: &Sets, live: HashMap<String, usize>) -> Step {
    if let Some(updated) = sets.new.as_ref().and_then(|new| outdated(deployment, new, sets)) {
        return Step::Annotate(Box::new(updated));
    }
    let paused = limits::is_paused(deployment);
    if paused || scaling::is_needed(deployment, sets) {
        let scales = scaling::scales(deployment, sets);
        match (scales.is_empty(), paused) {
            (false, _) => return Step::Scale(scales),
            (true, true) => return clean_up(deployment, sets),
            (true, false) => {}
        }
    }
    let scales = if limits::is_recreate(deployment) {
        match recreate::turn(sets, &live) {
            recreate::Turn::Wait => return Step::Settle,
            recreate::Turn::Down(scales) => scales,
            recreate::Turn::Up => match &sets.new {
                None => return Step::Create(Box::new(new_set::build(deployment, sets))),
                Some(new) => recreate::up(deployment, new),
            },
        }
    } else {
        match &sets.new {
            None => return Step::Create(Box::new(new_set::build(deployment, sets))),
            Some(new) => rolling::scales(deployment, new, sets),
        }
    };
    match scales.is_empty() {
        false => Step::Scale(scales),
        true if progress::is_complete(deployment) => clean_up(deployment, sets),
        true => Step::Settle,
    }
}

/// The new set as it should be, where annotations or `minReadySeconds` lag behind.
fn outdated(deployment: &Deployment, new: &ReplicaSet, sets: &Sets) -> Option<ReplicaSet> {
    let mut updated = new.clone();
    let annotated = annotations::bring_up_to_date(deployment, &mut updated, sets.max_old_revision() + 1);
    let wanted = deployment.spec.as_ref().and_then(|s| s.min_ready_seconds);
    let spec = updated.spec.get_or_insert_default();
    let resized = spec.min_ready_seconds.unwrap_or(0) != wanted.unwrap_or(0);
    spec.min_ready_seconds = wanted;
    (annotated || resized).then_some(updated)
}

fn clean_up(deployment: &Deployment, sets: &Sets) -> Step {
    history::surplus(deployment, sets).map_or(Step::Settle, |set| Step::Delete(Box::new((**set).clone())))
}

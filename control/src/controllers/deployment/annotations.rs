//! What a Deployment writes on its ReplicaSets, and what it carries itself: revisions, history, desired sizes.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::limits;
use super::sets::Sets;

const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";
/// The history annotation holds no more characters than this.
const HISTORY_LENGTH: usize = 2000;
/// A Deployment's annotations are copied to its new set (change-cause among them), but not these.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
];

/// The revision of a set or a Deployment; 0 where it has none.
pub(super) fn revision(meta: &ObjectMeta) -> i64 {
    text(meta, REVISION).and_then(|t| t.parse().ok()).unwrap_or(0)
}

/// The number of replicas that the Deployment asked for when it last scaled this set.
pub(super) fn desired(set: &ReplicaSet) -> Option<i32> {
    text(&set.metadata, DESIRED)?.parse().ok()
}

/// The most replicas there could be when the Deployment last scaled this set.
pub(super) fn most(set: &ReplicaSet) -> Option<i32> {
    text(&set.metadata, MAX)?.parse().ok()
}

/// Writes the Deployment's present size on a set; true where that changed anything.
pub(super) fn set_sizes(deployment: &Deployment, set: &mut ReplicaSet) -> bool {
    let desired = limits::replicas(deployment);
    let most = desired.saturating_add(limits::max_surge(deployment));
    let annotations = set.metadata.annotations.get_or_insert_default();
    let desired_moved = put(annotations, DESIRED, &desired.to_string());
    let most_moved = put(annotations, MAX, &most.to_string());
    desired_moved || most_moved
}

/// Brings the new set's annotations up to date with the Deployment's; true where that changed anything.
///
/// A set that was new before, became old and is new again (a rollback) gets the next revision, and remembers the one it had.
pub(super) fn bring_up_to_date(deployment: &Deployment, set: &mut ReplicaSet, next: i64) -> bool {
    let annotations = set.metadata.annotations.get_or_insert_default();
    let mut changed = false;
    for (key, value) in deployment.metadata.annotations.iter().flatten() {
        if !NOT_COPIED.contains(&key.as_str()) {
            changed |= put(annotations, key, value);
        }
    }
    let had = annotations.get(REVISION).cloned();
    let old: i64 = match had.as_deref().map_or(Ok(0), str::parse) {
        Ok(old) => old,
        // Somebody wrote nonsense there: leave it to them.
        Err(_) => return changed,
    };
    if old < next {
        annotations.insert(REVISION.to_owned(), next.to_string());
        changed = true;
        if let Some(had) = had {
            let history = remembered(annotations.get(REVISION_HISTORY).map_or("", String::as_str), &had);
            annotations.insert(REVISION_HISTORY.to_owned(), history);
        }
    }
    changed
}

/// The Deployment carries the revision of its new set.
pub(super) fn set_revision(deployment: &mut Deployment, sets: &Sets) {
    if let Some(revision) = sets.new.as_ref().and_then(|s| text(&s.metadata, REVISION)) {
        put(deployment.metadata.annotations.get_or_insert_default(), REVISION, revision);
    }
}

/// The history with one revision more; the oldest go where it would become too long.
fn remembered(history: &str, revision: &str) -> String {
    let mut revisions: Vec<&str> = history.split(',').filter(|r| !r.is_empty()).collect();
    revisions.push(revision);
    while revisions.len() > 1 && revisions.iter().map(|r| r.len() + 1).sum::<usize>() > HISTORY_LENGTH + 1 {
        revisions.remove(0);
    }
    revisions.join(",")
}

fn put(annotations: &mut BTreeMap<String, String>, key: &str, value: &str) -> bool {
    if annotations.get(key).map(String::as_str) == Some(value) {
        return false;
    }
    annotations.insert(key.to_owned(), value.to_owned());
    true
}

fn text<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(key).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotated(pairs: &[(&str, &str)]) -> ObjectMeta {
        let annotations = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        ObjectMeta { annotations: Some(annotations), ..ObjectMeta::default() }
    }

    #[test]
    fn a_rollback_bumps_the_revision_and_keeps_the_history() {
        let metadata = annotated(&[("kubernetes.io/change-cause", "image 1"), (REVISION, "3"), (NOT_COPIED[0], "{}")]);
        let deployment = Deployment { metadata, ..Deployment::default() };
        let mut set = ReplicaSet { metadata: annotated(&[(REVISION, "1")]), ..ReplicaSet::default() };
        assert!(bring_up_to_date(&deployment, &mut set, 4));
        let all = [(REVISION, "4"), (REVISION_HISTORY, "1"), ("kubernetes.io/change-cause", "image 1")];
        assert_eq!(set.metadata, annotated(&all));
        assert!(!bring_up_to_date(&deployment, &mut set, 4));
        assert!(bring_up_to_date(&deployment, &mut set, 6));
        assert_eq!(text(&set.metadata, REVISION_HISTORY), Some("1,4"));
        assert!(!bring_up_to_date(&deployment, &mut set, 2), "a revision never falls");
    }

    #[test]
    fn history_stays_short() {
        let mut history = String::new();
        for n in 0..2000 {
            history = remembered(&history, &n.to_string());
            assert!(history.len() <= HISTORY_LENGTH);
        }
        assert!(history.ends_with(",1998,1999"));
    }
}

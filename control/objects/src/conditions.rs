//! Conditions: typed facts with a status of `True`, `False` or `Unknown`, alike in every kind.

use k8s_openapi::api::apps::v1::{DeploymentCondition, ReplicaSetCondition};
use k8s_openapi::api::core::v1::{NamespaceCondition, NodeCondition, PodCondition, ReplicationControllerCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// What the condition types of all kinds have in common.
pub trait Condition {
    /// The condition's type: `Ready`.
    fn kind(&self) -> &str;
    /// `True`, `False` or `Unknown`.
    fn status(&self) -> &str;
    /// The machine-readable reason.
    fn reason(&self) -> &str;
    /// The message for people.
    fn message(&self) -> &str;
    /// When the status last changed.
    fn changed(&self) -> Option<&Time>;
    /// Sets when the status last changed.
    fn set_changed(&mut self, at: Option<Time>);
}

macro_rules! conditions {
    ($($kind:ty),*) => {$(
        impl Condition for $kind {
            fn kind(&self) -> &str { &self.type_ }
            fn status(&self) -> &str { &self.status }
            fn reason(&self) -> &str { self.reason.as_deref().unwrap_or_default() }
            fn message(&self) -> &str { self.message.as_deref().unwrap_or_default() }
            fn changed(&self) -> Option<&Time> { self.last_transition_time.as_ref() }
            fn set_changed(&mut self, at: Option<Time>) { self.last_transition_time = at; }
        }
    )*};
}

conditions!(
    PodCondition,
    NodeCondition,
    DeploymentCondition,
    ReplicaSetCondition,
    ReplicationControllerCondition,
    NamespaceCondition
);

/// The condition of this type.
pub fn find<'a, C: Condition>(conditions: Option<&'a [C]>, kind: &str) -> Option<&'a C> {
    conditions?.iter().find(|c| c.kind() == kind)
}

/// True when the condition of this type is `True`.
pub fn is_true<C: Condition>(conditions: Option<&[C]>, kind: &str) -> bool {
    find(conditions, kind).is_some_and(|c| c.status() == "True")
}

/// Puts a condition in its place: nothing changes when status, reason and message are as before, and the time of the
/// last transition is kept while the status is the same. Returns whether anything changed.
pub fn set<C: Condition>(conditions: &mut Vec<C>, mut new: C) -> bool {
    let Some(old) = conditions.iter_mut().find(|c| c.kind() == new.kind()) else {
        conditions.push(new);
        return true;
    };
    if (old.status(), old.reason(), old.message()) == (new.status(), new.reason(), new.message()) {
        return false;
    }
    if old.status() == new.status() {
        new.set_changed(old.changed().cloned());
    }
    *old = new;
    true
}

/// Takes the condition of this type away. Returns whether it was there.
pub fn remove<C: Condition>(conditions: &mut Vec<C>, kind: &str) -> bool {
    let before = conditions.len();
    conditions.retain(|c| c.kind() != kind);
    conditions.len() != before
}

//! Who owns what after a write: by difference for an update, by declaration for an apply.
//!
//! Managers speak of an object in the version in which they wrote it, so each manager's set is compared in its own version.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::compare::{Comparison, compare};
use super::fields::FieldSet;
use super::merge::merge;
use super::paths::paths;
use super::reconcile::reconcile;
use super::remove::remove;
use super::validate::{Problems, validate};
use super::view::TypeView;

/// What one manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The fields.
    pub set: FieldSet,
    /// The API version whose fields they are.
    pub version: String,
    /// It declared them; another took them by changing them.
    pub applied: bool,
}

/// All owners of an object, by who they are.
pub type Managers<Id> = BTreeMap<Id, Owner>;

/// The versions of a kind: what an object looks like to a manager of another version.
pub trait Versions {
    /// The object in a version; none where that version is no longer there.
    fn convert<'a>(&'a self, object: &'a Value, version: &str) -> Option<Cow<'a, Value>>;
    /// The type of the version.
    fn view(&self, version: &str) -> Option<TypeView<'_>>;
    /// The fields that this endpoint ignores: the status, for most.
    fn ignored(&self) -> &FieldSet;
    /// The version of the request, in which live and new objects are given.
    fn requested(&self) -> &str;
}

/// A field that the configuration sets to another value than its owner did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict<Id> {
    /// The owner.
    pub manager: Id,
    /// The fields.
    pub fields: FieldSet,
}

/// Why a configuration cannot be applied.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError<Id> {
    /// It does not fit its type.
    #[error("{0}")]
    Config(Problems),
    /// Others own what it changes.
    #[error("conflicts")]
    Conflicts(Vec<Conflict<Id>>),
    /// The type of the version is not known.
    #[error("no type")]
    NoType,
}

/// What an apply makes.
#[derive(Debug)]
pub struct Applied<Id> {
    /// The object; none where it stays as it is.
    pub object: Option<Value>,
    /// The owners.
    pub managers: Managers<Id>,
}

/// The owners after `manager` wrote `new` over `live`: what it set or changed is its own, and nobody else's.
///
/// `live` and `new` are without managed fields. An owner of nothing is dropped.
pub fn update<Id: Ord + Clone>(
    versions: &dyn Versions,
    live: &Value,
    new: &Value,
    managers: Managers<Id>,
    manager: &Id,
) -> Managers<Id> {
    let Some(view) = versions.view(versions.requested()) else { return managers };
    let comparison = compare(view, live, new);
    let managers = reconciled(versions, live, managers);
    let (mut managers, _) = settle(versions, live, new, &comparison, managers, manager);
    let before = managers.remove(manager).map(|owner| owner.set).unwrap_or_default();
    let (written, removed) = comparison.into_parts();
    let set = before.difference(&removed).union(written);
    let set = set.recursive_difference(versions.ignored());
    if !set.is_empty() {
        let owner = Owner { set, version: versions.requested().to_owned(), applied: false };
        managers.insert(manager.clone(), owner);
    }
    managers
}

/// Applies a configuration to the live object.
///
/// # Errors
/// A configuration that does not fit its type; conflicts, where `force` does not settle them.
pub fn apply<Id: Ord + Clone>(
    versions: &dyn Versions,
    live: &Value,
    config: &Value,
    managers: Managers<Id>,
    manager: &Id,
    force: bool,
) -> Result<Applied<Id>, ApplyError<Id>> {
    let version = versions.requested();
    let view = versions.view(version).ok_or(ApplyError::NoType)?;
    validate(view, config).map_err(ApplyError::Config)?;
    let mut managers = reconciled(versions, live, managers);
    let merged = merge(view, live, config);
    let set = paths(view, config).recursive_difference(versions.ignored());
    let last = managers.insert(manager.clone(), Owner { set, version: version.to_owned(), applied: true });
    let new = match last.filter(|last| !last.set.is_empty()) {
        Some(last) => prune(versions, merged, &managers, &last),
        None => merged,
    };
    let comparison = compare(view, live, &new);
    let (managers, conflicts) = settle(versions, live, &new, &comparison, managers, manager);
    if !force && !conflicts.is_empty() {
        return Err(ApplyError::Conflicts(conflicts));
    }
    Ok(Applied { object: (new != *live).then_some(new), managers })
}

fn reconciled<Id: Ord>(versions: &dyn Versions, live: &Value, mut managers: Managers<Id>) -> Managers<Id> {
    for owner in managers.values_mut() {
        let Some(view @ TypeView::Tree(_)) = versions.view(&owner.version) else { continue };
        let live = versions.convert(live, &owner.version);
        if let Some(now) = live.and_then(|live| reconcile(view, &owner.set, &live)) {
            owner.set = now;
        }
    }
    managers
}

/// Takes what was written or removed from all others, and tells what was taken. Managers of versions that are no longer
/// there are dropped.
fn settle<Id: Ord + Clone>(
    versions: &dyn Versions,
    live: &Value,
    new: &Value,
    comparison: &Comparison,
    managers: Managers<Id>,
    manager: &Id,
) -> (Managers<Id>, Vec<Conflict<Id>>) {
    // Most objects are new, or of one manager.
    let requested = OnceCell::new();
    let mut elsewhere: BTreeMap<String, Option<Comparison>> = BTreeMap::new();
    let (mut settled, mut conflicts) = (BTreeMap::new(), Vec::new());
    for (id, mut owner) in managers {
        if id != *manager {
            let seen = if owner.version == versions.requested() {
                Some(requested.get_or_init(|| comparison.without(versions.ignored())))
            } else {
                let make = || compare_in(versions, live, new, &owner.version);
                elsewhere.entry(owner.version.clone()).or_insert_with(make).as_ref()
            };
            let Some(seen) = seen else { continue };
            let taken = owner.set.intersection(&seen.written());
            owner.set = owner.set.difference(&taken).difference(&seen.removed);
            if !taken.is_empty() {
                conflicts.push(Conflict { manager: id.clone(), fields: taken });
            }
        }
        if !owner.set.is_empty() {
            settled.insert(id, owner);
        }
    }
    (settled, conflicts)
}

fn compare_in(versions: &dyn Versions, live: &Value, new: &Value, version: &str) -> Option<Comparison> {
    let view = versions.view(version)?;
    let (live, new) = (versions.convert(live, version)?, versions.convert(new, version)?);
    Some(compare(view, &live, &new).without(versions.ignored()))
}

/// Takes out of the merged object what the manager applied the last time and does not apply now, unless someone else owns
/// it.
fn prune<Id: Ord>(versions: &dyn Versions, merged: Value, managers: &Managers<Id>, last: &Owner) -> Value {
    let (Some(view), Some(whole)) = (versions.view(&last.version), versions.convert(&merged, &last.version)) else {
        return merged;
    };
    let last_set = last.set.with_named(view);
    let pruned = remove(view, whole.clone().into_owned(), &last_set);
    let pruned = add_back_owned(versions, &whole, pruned, &last.version, managers);
    // Only what the manager owned may go.
    let (was, is) = (paths(view, &whole).with_named(view), paths(view, &pruned).with_named(view));
    let gone = was.difference(&is).intersection(&last_set);
    let pruned = remove(view, whole.into_owned(), &gone);
    let back = converted(versions, &pruned, &last.version, versions.requested());
    back.unwrap_or(pruned)
}

/// Puts back what any manager owns, the last applied version's first: other versions may need its fields to be converted.
fn add_back_owned<Id: Ord>(
    versions: &dyn Versions,
    whole: &Value,
    pruned: Value,
    pruned_version: &str,
    managers: &Managers<Id>,
) -> Value {
    let mut by_version: BTreeMap<&str, FieldSet> = BTreeMap::new();
    for owner in managers.values() {
        let all = by_version.entry(&owner.version).or_default();
        *all = std::mem::take(all).union(owner.set.clone());
    }
    let first = by_version.remove_entry(pruned_version);
    let mut pruned = pruned;
    for (version, owned) in first.into_iter().chain(by_version) {
        let (Some(view), Some(whole), Some(less)) = (
            versions.view(version),
            converted(versions, whole, pruned_version, version),
            converted(versions, &pruned, pruned_version, version),
        ) else {
            continue;
        };
        let (was, is) = (paths(view, &whole).with_named(view), paths(view, &less).with_named(view));
        let kept = remove(view, whole, &was.difference(&is.union(owned.with_named(view))));
        pruned = converted(versions, &kept, version, pruned_version).unwrap_or(kept);
    }
    pruned
}

/// An object from one version to another.
fn converted(versions: &dyn Versions, object: &Value, from: &str, to: &str) -> Option<Value> {
    if from == to {
        return Some(object.clone());
    }
    versions.convert(object, to).map(Cow::into_owned)
}

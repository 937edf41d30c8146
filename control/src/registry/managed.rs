//! Who manages which field: kept on every write, so that an apply knows what it may change and what it must remove.
//!
//! ```text
//! create, update, patch: defaults ─► difference to what was ─► metadata.managedFields ─► admission ─► …
//! apply: configuration ─► conflicts, merge, removal ─► object with managedFields ─► as an update
//! ```
//!
//! The sets are of the object as the client sent it, with its defaults: what admission, a strategy or an allocator does to
//! it later is nobody's.

mod conflict;
mod form;
mod last_applied;
mod ledger;
pub(super) mod scaled;

use std::sync::LazyLock;

use schema::apply::{self, ApplyError, FieldSet};
use serde_json::{Value, json};

use super::Registry;
use super::object::{meta_str, metadata, metadata_mut, set_meta};
use super::options::WriteOptions;
use super::part::Part;
use super::resources::Resource;
use crate::status::Status;

pub(super) use conflict::plain;
pub(super) use form::Form;
pub(super) use ledger::{Ledger, Manager, same_but_times};

/// The manager that `kubectl apply --server-side` names, which takes over from client-side apply.
const KUBECTL: &str = "kubectl";

/// The fields that nobody owns: who an object is, and what the server says of it.
static NOBODYS: LazyLock<FieldSet> = LazyLock::new(|| {
    FieldSet::of(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
});

/// How the managed fields of a proposed object come about.
#[derive(Clone, Copy)]
pub(super) enum Tracking<'a> {
    /// By difference, in the version of this resource.
    Difference(&'a Resource),
    /// The proposal has them already.
    Settled,
    /// The server's own change: they stay as they are.
    Kept,
}

impl Registry {
    /// The form in which a request for `requested` writes.
    pub(super) fn form<'a>(&self, requested: &'a Resource, part: Part) -> Form<'a> {
        Form::new(self.resources(), requested, part)
    }

    /// Says who manages a new object, in the stored version and with its defaults.
    pub(super) fn manage_new(&self, requested: &Resource, object: &mut Value, options: &WriteOptions) {
        let form = self.form(requested, Part::Main);
        let sent = take(object);
        let ledger = match ledger::is_reset(sent.as_ref()) {
            true => Ledger::default(),
            false => Ledger::decode(sent.as_ref()).unwrap_or_default(),
        };
        let Some(new) = form.requested_form(object) else { return };
        let ledger = by_difference(&form, &form.blank(), &new, ledger, "", &options.manager);
        put(object, &ledger);
    }

    /// Says who manages what is asked, answered and forgotten: reviews have managers as upstream's have.
    pub fn account_for(&self, resource: &Resource, question: &mut Value, options: &WriteOptions) {
        self.manage_new(resource, question, options);
    }

    /// Says who manages an object in place of `old`; both are of the stored version, and `new` has its defaults.
    pub(super) fn manage_change(
        &self,
        tracking: Tracking<'_>,
        part: Part,
        new: &mut Value,
        old: &Value,
        options: &WriteOptions,
    ) {
        let requested = match tracking {
            Tracking::Settled => return,
            Tracking::Kept => return keep(new, old),
            Tracking::Difference(requested) => requested,
        };
        let sent = take(new);
        let before = entries(old);
        let ledger = if !part.subresource().is_empty() {
            Ledger::decode(before).unwrap_or_default()
        } else if ledger::is_reset(sent.as_ref()) {
            Ledger::default()
        } else {
            let own = sent.as_ref().filter(|sent| Some(*sent) != before).and_then(|sent| Ledger::decode(Some(sent)));
            let own = own.filter(|ledger| !ledger.owners.is_empty());
            own.unwrap_or_else(|| Ledger::decode(before).unwrap_or_default())
        };
        // Who stopped the tracking of an object does not want it to begin again with the next write.
        if ledger.owners.is_empty() {
            return;
        }
        let form = self.form(requested, part);
        let (Some(was), Some(is)) = (form.requested_form(old), form.requested_form(new)) else { return };
        let ledger = by_difference(&form, &was, &is, ledger, part.subresource(), &options.manager);
        put(new, &ledger);
    }
}

/// The ledger after a write that is no apply.
pub(super) fn by_difference(
    form: &Form<'_>,
    was: &Value,
    is: &Value,
    mut ledger: Ledger,
    subresource: &str,
    name: &str,
) -> Ledger {
    use schema::apply::Versions as _;
    let version = form.requested();
    // Compared under a name that nobody has, to tell what this write alone took.
    let this = Manager::updater("", version, "current-operation");
    ledger.owners = apply::update(form, was, is, std::mem::take(&mut ledger.owners), &this);
    if let Some(mut taken) = ledger.owners.remove(&this) {
        taken.set = taken.set.difference(&NOBODYS);
        if !taken.set.is_empty() {
            let manager = Manager::updater(name, version, subresource);
            if let Some(before) = ledger.owners.get(&manager) {
                taken.set = taken.set.union(before.set.clone());
            }
            ledger.owners.insert(manager.clone(), taken);
            ledger.touch(&manager);
        }
    }
    ledger.cap();
    ledger
}

/// An apply, decided.
pub(super) struct Applied {
    /// The object with its managed fields, in the version of the request.
    pub object: Value,
}

/// Applies a configuration to a live object, both in the version of the request.
pub(super) fn apply_config(
    form: &Form<'_>,
    live: &Value,
    config: &Value,
    subresource: &str,
    options: &WriteOptions,
) -> Result<Applied, Status> {
    let mut live = live.clone();
    let entries = take(&mut live);
    let ledger = Ledger::decode(entries.as_ref());
    let mut ledger = ledger.ok_or_else(|| conflict::plain("failed to decode managed fields"))?;
    let manager = Manager::applier(&options.manager, subresource);
    let owners = std::mem::take(&mut ledger.owners);
    let mut applied = apply::apply(form, &live, config, owners.clone(), &manager, options.force);
    if let (KUBECTL, Err(ApplyError::Conflicts(conflicts))) = (&*options.manager, &mut applied)
        && last_applied::settles(form, &live, conflicts)
    {
        applied = apply::apply(form, &live, config, owners, &manager, true);
    }
    let applied = applied.map_err(|error| conflict::status(error, config))?;
    ledger.owners = applied.managers;
    if let Some(mine) = ledger.owners.remove(&manager) {
        let set = mine.set.difference(&NOBODYS);
        if !set.is_empty() {
            ledger.owners.insert(manager.clone(), schema::apply::Owner { set, ..mine });
        }
    }
    if applied.object.is_some() {
        ledger.touch(&manager);
    }
    let mut object = applied.object.unwrap_or(live);
    if &*options.manager == KUBECTL {
        last_applied::follow(&mut object, config);
    }
    put(&mut object, &ledger);
    Ok(Applied { object })
}

/// The entries of an object.
pub(super) fn entries(object: &Value) -> Option<&Value> {
    metadata(object)?.get("managedFields").filter(|entries| !entries.is_null())
}

/// Saves an empty list, by which a client asks for a reset, from conforming, which drops what is empty.
pub(super) fn save_reset(object: &mut Value) {
    if entries(object).is_some_and(|entries| *entries == json!([])) {
        set_meta(object, "managedFields", Some(json!([{}])));
    }
}

/// Takes the entries out of an object.
pub(super) fn take(object: &mut Value) -> Option<Value> {
    metadata(object)?;
    metadata_mut(object).shift_remove("managedFields")
}

pub(super) fn put(object: &mut Value, ledger: &Ledger) {
    set_meta(object, "managedFields", ledger.encode());
}

fn keep(new: &mut Value, old: &Value) {
    set_meta(new, "managedFields", entries(old).cloned());
}

/// Whom a message is about: `namespace/name; group/version, Kind=Kind`.
pub(super) fn about(object: &Value) -> String {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let version = text("apiVersion");
    // Go shows the core group as nothing before the slash.
    let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
    format!("{}/{}; {version}, Kind={}", meta_str(object, "namespace"), meta_str(object, "name"), text("kind"))
}

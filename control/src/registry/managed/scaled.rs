//! The managers of a replica count, seen through the `scale` of its owner.
//!
//! A Scale shows one field of its parent, so its managers are the parent's managers of that field, and what they come to
//! own through it is that field of the parent. As upstream has it, who came to own it through the sub-resource has no time.

use std::borrow::Cow;
use std::sync::LazyLock;

use schema::TypeRef;
use schema::apply::{self, FieldSet, Managers, Owner, TypeView, Versions};
use serde_json::Value;

use super::ledger::{Ledger, Manager};
use super::{conflict, entries};
use crate::registry::options::WriteOptions;
use crate::status::Status;

/// The version of every Scale.
const SCALE: &str = "autoscaling/v1";

static NOTHING: LazyLock<FieldSet> = LazyLock::new(FieldSet::default);
static IN_SCALE: LazyLock<FieldSet> = LazyLock::new(|| FieldSet::of(&[&["spec", "replicas"]]));

/// Where a kind keeps its replica count, and the version in which its scale is written.
pub struct Parent<'a> {
    /// `["spec", "replicas"]`
    pub path: &'a [&'a str],
    /// `apps/v1`
    pub version: &'a str,
}

/// Says who manages the replica count after it was set: whoever set it to another value.
pub fn by_difference(parent: &Parent<'_>, old: &Value, was: i64, is: i64, options: &WriteOptions) -> Option<Ledger> {
    let mut ledger = Ledger::decode(entries(old))?;
    let tracked = ledger.owners.values().any(|owner| owner.set.has(parent.path));
    if was == is || !tracked {
        return None;
    }
    let path = FieldSet::of(&[parent.path]);
    for owner in ledger.owners.values_mut() {
        owner.set = std::mem::take(&mut owner.set).difference(&path);
    }
    ledger.owners.retain(|_, owner| !owner.set.is_empty());
    // A Scale leaves a count of nothing out, and nobody owns what is not there.
    if is != 0 {
        let manager = Manager::updater(&options.manager, parent.version, "scale");
        ledger.forget_time(&manager);
        let owner = Owner { set: path, version: parent.version.to_owned(), applied: false };
        ledger.owners.insert(manager, owner);
    }
    Some(ledger)
}

/// Applies a Scale to the scale of an object.
///
/// # Errors
/// As those of any apply.
pub fn by_apply(
    parent: &Parent<'_>,
    old: &Value,
    scale: &Value,
    config: &Value,
    options: &WriteOptions,
) -> Result<(Value, Ledger), Status> {
    let ledger = Ledger::decode(entries(old));
    let mut ledger = ledger.ok_or_else(|| conflict::plain("failed to decode managed fields"))?;
    let manager = Manager::applier(&options.manager, "scale");
    let form = ScaleForm::new()?;
    let applied = apply::apply(&form, scale, config, seen(&ledger, parent), &manager, options.force)
        .map_err(|error| conflict::status(error, config))?;
    back(&mut ledger, parent, applied.managers);
    Ok((applied.object.unwrap_or_else(|| scale.clone()), ledger))
}

/// The managers of the count, as managers of a Scale.
fn seen(ledger: &Ledger, parent: &Parent<'_>) -> Managers<Manager> {
    let holders = ledger.owners.iter().filter(|(_, owner)| owner.set.has(parent.path));
    holders
        .map(|(manager, owner)| {
            let owner = Owner { set: IN_SCALE.clone(), version: SCALE.to_owned(), applied: owner.applied };
            (manager.clone(), owner)
        })
        .collect()
}

/// Brings managers of a Scale back to the parent: who is no longer one loses the count, who is a new one gains it.
fn back(ledger: &mut Ledger, parent: &Parent<'_>, mut now: Managers<Manager>) {
    let path = FieldSet::of(&[parent.path]);
    for (manager, owner) in &mut ledger.owners {
        if owner.set.has(parent.path) && now.remove(manager).is_none() {
            owner.set = std::mem::take(&mut owner.set).difference(&path);
        }
    }
    ledger.owners.retain(|_, owner| !owner.set.is_empty());
    for (manager, owner) in now {
        if owner.set.has(&["spec", "replicas"]) {
            let version = parent.version.to_owned();
            ledger.owners.insert(manager, Owner { set: path.clone(), version, applied: owner.applied });
        }
    }
}

/// The one version of a Scale.
struct ScaleForm(TypeRef<'static>);

impl ScaleForm {
    fn new() -> Result<Self, Status> {
        let ty = schema::builtin().kind("autoscaling", "v1", "Scale");
        ty.map(Self).ok_or_else(|| Status::internal("the type Scale is missing"))
    }
}

impl Versions for ScaleForm {
    fn convert<'a>(&'a self, object: &'a Value, version: &str) -> Option<Cow<'a, Value>> {
        (version == SCALE).then_some(Cow::Borrowed(object))
    }

    fn view(&self, version: &str) -> Option<TypeView<'_>> {
        (version == SCALE).then_some(TypeView::Struct(self.0))
    }

    fn ignored(&self) -> &FieldSet {
        &NOTHING
    }

    fn requested(&self) -> &str {
        SCALE
    }
}

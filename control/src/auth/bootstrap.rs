//! The roles and bindings that every cluster has from its first moment, and mends when it starts.
//!
//! They stand in one text of a line a rule, which is read at start and not kept. What is in the store already costs a look;
//! what is not is written all at once, so that it shares its wait for the disk.

mod policy;
mod reconcile;

use futures::future::try_join_all;
use serde_json::Value;

use super::rbac::{self, Rule};
use crate::registry::{DeleteOptions, Part, Registry, Target, WriteOptions};
use crate::status::Status;
use crate::store::Key;
use policy::Item;
use reconcile::{Step, step};

/// The user who writes them, and the field manager.
const WRITER: &str = "system:apiserver";
const MANAGER: &str = "kube-apiserver";

/// Makes what is missing, and adds what is missing in what is there.
///
/// # Errors
/// When the store cannot be written.
pub async fn apply(registry: &Registry) -> Result<(), Status> {
    let items = policy::items();
    let writes = items.iter().filter_map(|item| match plan(registry, item) {
        Step::Nothing => None,
        Step::Create(_) => Some((item, Step::Create(policy::gathered(&items, &item.object)))),
        step => Some((item, step)),
    });
    try_join_all(writes.map(|(item, step)| carry_out(registry, item, step))).await.map(drop)
}

/// The rules of one of these ClusterRoles.
pub(super) fn rules_of(name: &str) -> Vec<Rule> {
    let role = policy::items().into_iter().find(|item| item.resource == "clusterroles" && item.name == name);
    role.map(|role| Rule::all_of(&role.object).into_vec()).unwrap_or_default()
}

fn plan(registry: &Registry, item: &Item) -> Step {
    let key = Key::new(&format!("{}.{}", item.resource, rbac::GROUP), item.namespace, &item.name);
    let present = registry.store().get(&key).map(|entry| entry.value());
    step(&item.object, present.as_ref())
}

async fn carry_out(registry: &Registry, item: &Item, step: Step) -> Result<(), Status> {
    let target = target(registry, item)?;
    let options = WriteOptions { manager: MANAGER.into(), ..WriteOptions::of(WRITER) };
    let create = |object: Value| async { registry.create(&target.named(""), object, &options).await.map(drop) };
    let done = match step {
        Step::Nothing => Ok(()),
        Step::Create(object) => create(object).await,
        Step::Update(object) => registry.update(&target, Part::Main, object, &options).await.map(drop),
        Step::Recreate => match registry.delete(&target, &DeleteOptions::default()).await {
            Ok(_) => create(item.object.clone()).await,
            Err(status) => Err(status),
        },
    };
    match done {
        // Somebody else was faster, or there is no such namespace: the next start looks again.
        Err(status) if status.is_conflict() || status.is_not_found() => {
            tracing::debug!(name = item.name, %status, "a role or binding of the cluster was left as it is");
            Ok(())
        }
        done => done,
    }
}

fn target(registry: &Registry, item: &Item) -> Result<Target, Status> {
    let resources = registry.resources();
    let resource = resources.find(rbac::GROUP, "v1", item.resource).ok_or_else(Status::no_such_resource)?;
    Ok(Target::new(resource, item.namespace, &item.name))
}

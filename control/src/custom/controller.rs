//! The loop behind CustomResourceDefinitions: it follows them, does what the [plan](super::plan) says, and serves.
//!
//! It runs with the API, not with the other controllers: a server without controllers has custom kinds all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::catalog::Catalog;
use super::condition;
use super::names::Taken;
use super::plan::{Instances, Step, plan};
use crate::kinds::Look;
use crate::registry::{DeleteOptions, Part, Registry, Resource, Selection, Start, Target, WriteOptions};
use crate::status::Status;
use crate::store::Change;

/// The store's name for definitions.
pub const RESOURCE: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// How soon a definition is looked at again whose instances are slow to go, or whose write was refused.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Names, establishes, serves and ends definitions, until the store closes.
pub async fn run(registry: Registry) {
    let found = registry.resources().find("apiextensions.k8s.io", "v1", "customresourcedefinitions").cloned();
    let Some(resource) = found else { return };
    let collection = Target::new(&resource, "", "");
    let mut definitions = Definitions { registry, collection, known: BTreeMap::new(), catalog: Catalog::default() };
    while definitions.follow().await {}
}

struct Definitions {
    registry: Registry,
    collection: Target,
    known: BTreeMap<String, Value>,
    catalog: Catalog,
}

impl Definitions {
    /// Lists, then follows changes; false once the store is closed.
    async fn follow(&mut self) -> bool {
        let Ok(page) = self.registry.list(&self.collection, &Selection::all(), 0, Start::Now) else { return false };
        let Ok(mut watching) = self.registry.watch(&self.collection, Selection::all(), page.revision) else {
            return true;
        };
        let listed = page.entries.iter().map(|entry| (entry.key.name.to_string(), entry.value()));
        let listed: BTreeMap<String, Value> = listed.collect();
        let gone: Vec<String> = self.known.keys().filter(|name| !listed.contains_key(*name)).cloned().collect();
        for name in &gone {
            self.catalog.remove(name);
        }
        self.known = listed;
        for definition in self.known.values() {
            self.catalog.put(definition);
        }
        self.serve();
        let mut due: BTreeSet<String> = self.known.keys().cloned().collect();
        loop {
            let late = self.settle(std::mem::take(&mut due)).await;
            let wait = async {
                match late.is_empty() {
                    true => std::future::pending().await,
                    false => tokio::time::sleep(LOOK_AGAIN).await,
                }
            };
            tokio::select! {
                biased;
                frame = watching.next() => {
                    let Some(frame) = frame else { break };
                    let gone = frame.change == Change::Deleted;
                    due = self.changed(&frame.event.entry.key.name, Some(frame.object()).filter(|_| !gone));
                    due.extend(late);
                }
                () = wait => due = late,
            }
        }
        self.registry.store().is_open()
    }

    /// Takes in a change; returns whose names it may have freed or taken, the definition itself included.
    fn changed(&mut self, name: &str, definition: Option<Arc<Value>>) -> BTreeSet<String> {
        let before = match &definition {
            Some(new) => self.known.insert(name.to_owned(), (**new).clone()),
            None => self.known.remove(name),
        };
        let served = match &definition {
            Some(new) => self.catalog.put(new),
            None => self.catalog.remove(name),
        };
        if served {
            self.serve();
        }
        let names = |d: Option<&Value>| d.map(|d| d.at("status.acceptedNames").clone());
        let freed = names(before.as_ref()) != names(definition.as_deref());
        let group = name.split_once('.').map_or("", |(_, group)| group);
        let of_group = |d: &&Value| d.text("spec.group") == group;
        match freed {
            true => self.known.values().filter(of_group).map(|d| d.text("metadata.name").to_owned()).collect(),
            false => definition.map(|_| name.to_owned()).into_iter().collect(),
        }
    }

    fn serve(&self) {
        self.registry.serve(&self.catalog.served());
    }

    /// Brings these to where they should be; returns those that need another look without a change of their own.
    async fn settle(&mut self, due: BTreeSet<String>) -> BTreeSet<String> {
        let mut late = BTreeSet::new();
        for name in due {
            match self.step(&name).await {
                Ok(true) => {}
                Ok(false) => drop(late.insert(name)),
                Err(lost) if lost.is_conflict() || lost.is_not_found() => {}
                Err(status) => {
                    tracing::warn!(name, %status, "could not see to a definition");
                    late.insert(name);
                }
            }
        }
        late
    }

    /// One step for one definition; false where it waits for something that no change of it will tell.
    async fn step(&mut self, name: &str) -> Result<bool, Status> {
        let Some(definition) = self.known.get(name) else { return Ok(true) };
        match plan(definition, &self.taken(definition), self.instances(name), &condition::now()) {
            Step::Nothing => Ok(true),
            Step::Status(next) => {
                // What a status establishes is served before anybody reads so.
                if self.catalog.put(&next) {
                    self.serve();
                }
                self.write(name, next).await?;
                Ok(true)
            }
            // Served as terminating until the definition is gone: nobody may create another instance by now.
            Step::Release(next) => {
                self.write(name, next).await?;
                Ok(true)
            }
            Step::Empty => {
                self.empty(name).await?;
                Ok(false)
            }
        }
    }

    /// The names of the others of a group.
    fn taken(&self, definition: &Value) -> Taken {
        let mut taken = Taken::default();
        let (group, name) = (definition.text("spec.group"), definition.text("metadata.name"));
        let others = self.known.values().filter(|d| d.text("spec.group") == group && d.text("metadata.name") != name);
        others.for_each(|other| taken.add(other));
        taken
    }

    fn instances(&self, name: &str) -> Instances {
        // A definition has the name under which the store keeps its instances.
        Instances { left: self.registry.store().list(name, None).entries.len() }
    }

    /// Writes a status.
    async fn write(&mut self, name: &str, next: Value) -> Result<(), Status> {
        let options = WriteOptions { manager: "kube-apiserver".into(), ..WriteOptions::default() };
        let target = self.collection.named(name);
        let written = self.registry.update(&target, Part::Status, next, &options).await?;
        let written: Value = serde_json::from_slice(&written.bytes).map_err(Status::internal)?;
        // Names that were given in this step are taken for the next one.
        if let Some(known) = self.known.get_mut(name) {
            *known = written;
        }
        Ok(())
    }

    /// Deletes the instances of a definition.
    async fn empty(&self, name: &str) -> Result<(), Status> {
        let Some(kind) = self.catalog.stored(name) else { return Ok(()) };
        let collection = Target::new(&Arc::new(Resource::custom(kind)), "", "");
        self.registry.delete_collection(&collection, &Selection::all(), &DeleteOptions::default()).await.map(drop)
    }
}

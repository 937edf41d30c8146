//! Discovery of what is served at this moment: made anew by the first request after a change.

use std::sync::Arc;

use arc_swap::ArcSwap;
use schema::ResourceRow;

use crate::custom;
use crate::discovery::{CustomSchema, Discovery};
use crate::registry::{Registry, Resource, Resources};

/// The documents, and the resources that they are about.
pub struct Described {
    address: String,
    made: ArcSwap<Made>,
}

struct Made {
    resources: Arc<Resources>,
    discovery: Arc<Discovery>,
}

impl Described {
    /// Of what `registry` serves under `address`.
    pub fn new(registry: &Registry, address: String) -> Self {
        let made = ArcSwap::from_pointee(Made::of(registry.resources(), &address));
        Self { address, made }
    }

    /// The documents about what is served now.
    pub fn now(&self, registry: &Registry) -> Arc<Discovery> {
        let (made, resources) = (self.made.load(), registry.resources());
        if Arc::ptr_eq(&made.resources, &resources) {
            return made.discovery.clone();
        }
        let new = Made::of(resources, &self.address);
        let discovery = new.discovery.clone();
        self.made.store(Arc::new(new));
        discovery
    }
}

impl Made {
    fn of(resources: Arc<Resources>, address: &str) -> Self {
        let kinds = resources.iter().filter_map(|r| r.custom_kind());
        let schema = |kind: &Arc<custom::Kind>| CustomSchema { row: kind.row.clone(), schema: kind.openapi.clone() };
        let rows: Vec<ResourceRow> = resources.iter().map(|resource| told(resource)).collect();
        let discovery = Discovery::new(&rows, address).with_custom(kinds.map(schema).collect());
        let discovery = Arc::new(discovery);
        Self { resources, discovery }
    }
}

/// A row as discovery tells it: nothing new comes to a definition that goes.
fn told(resource: &Resource) -> ResourceRow {
    let mut row = ResourceRow::clone(&resource.row);
    if resource.custom_kind().is_some_and(|kind| kind.family.terminating) {
        row.verbs.retain(|verb| !matches!(*verb, "create" | "patch" | "update"));
    }
    row
}

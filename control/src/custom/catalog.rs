//! The kinds that established definitions bring, made anew only where a definition changed.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

use schema::{ResourceRow, SubRow};
use serde_json::Value;

use super::column::Columns;
use super::condition;
use super::kind::{Conversion, Edition, Family, Kind};
use super::path::FieldPath;
use super::rules::REVIEWS;
use super::scale::ScalePaths;
use super::schema::{JsonPath, Structural, publish};
use crate::kinds::Look;
use crate::registry::Registry;
use crate::webhook::ClientConfig;

const VERBS: [&str; 8] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/// Serves what was established before the process started.
pub fn load(registry: &Registry) {
    let mut catalog = Catalog::default();
    let definitions = registry.store().list(super::controller::RESOURCE, None);
    for entry in &definitions.entries {
        catalog.put(&entry.value());
    }
    if !definitions.entries.is_empty() {
        registry.serve(&catalog.served());
    }
}

/// The kinds of a definition that the server itself has: their objects are computed, and can be read only.
pub fn read_only(definition: &Value) -> Vec<Arc<Kind>> {
    kinds_with(definition, &["get", "list"])
}

/// The kinds of all established definitions.
#[derive(Default)]
pub struct Catalog {
    known: HashMap<String, Known>,
}

struct Known {
    print: Print,
    kinds: Vec<Arc<Kind>>,
}

/// What kinds depend on.
#[derive(PartialEq)]
struct Print {
    edition: Edition,
    terminating: bool,
}

impl Print {
    fn of(definition: &Value) -> Self {
        Self { edition: Edition::of(definition), terminating: condition::holds(definition, "Terminating") }
    }
}

impl Catalog {
    /// Takes in a definition; true where something else is served from now on.
    pub fn put(&mut self, definition: &Value) -> bool {
        let name = definition.text("metadata.name");
        if !condition::holds(definition, "Established") {
            return self.remove(name);
        }
        let print = Print::of(definition);
        if self.known.get(name).is_some_and(|known| known.print == print) {
            return false;
        }
        self.known.insert(name.to_owned(), Known { print, kinds: kinds(definition) });
        true
    }

    /// Forgets a definition; true where it was served.
    pub fn remove(&mut self, name: &str) -> bool {
        self.known.remove(name).is_some()
    }

    /// The kind in which a definition's objects are stored, served or not.
    pub fn stored(&self, name: &str) -> Option<&Arc<Kind>> {
        self.known.get(name)?.kinds.iter().find(|kind| kind.is_stored())
    }

    /// All that is served, in discovery's order.
    pub fn served(&self) -> Vec<Arc<Kind>> {
        let mut served: Vec<_> = self.known.values().flat_map(|k| &k.kinds).filter(|k| k.served).cloned().collect();
        served.sort_by(|a, b| {
            let (a, b) = (&*a.row, &*b.row);
            a.group.cmp(&b.group).then_with(|| prefer(&a.version, &b.version)).then_with(|| a.resource.cmp(&b.resource))
        });
        served
    }
}

/// The kinds of one definition. One whose schema cannot be read is not served: it was accepted by somebody else.
fn kinds(definition: &Value) -> Vec<Arc<Kind>> {
    kinds_with(definition, &VERBS)
}

fn kinds_with(definition: &Value, verbs: &[&'static str]) -> Vec<Arc<Kind>> {
    let spec = definition.at("spec");
    let mut schemas = Vec::new();
    for version in spec.items("versions") {
        match Structural::parse(version.at("schema.openAPIV3Schema")) {
            Ok(schema) => schemas.push((version.text("name").to_owned(), schema)),
            Err(errors) => {
                let (name, version) = (definition.text("metadata.name"), version.text("name"));
                tracing::error!(name, version, %errors, "the schema of a definition cannot be read; it is not served");
                return Vec::new();
            }
        }
    }
    let storage = spec.items("versions").iter().find(|v| v.flag("storage"));
    let family = Arc::new(Family {
        name: definition.text("metadata.name").to_owned(),
        group: spec.text("group").to_owned(),
        kind: definition.text("status.acceptedNames.kind").to_owned(),
        list_kind: definition.text("status.acceptedNames.listKind").to_owned(),
        storage: storage.map(|v| v.text("name")).unwrap_or_default().to_owned(),
        conversion: conversion(spec),
        untouched: definition.int("metadata.generation") == Some(1),
        terminating: condition::holds(definition, "Terminating"),
        edition: Edition::of(definition),
        schemas,
    });
    let kind = |(version, (_, schema)): (&Value, &(String, Arc<Structural>))| {
        Arc::new(one(definition, version, schema, &family, verbs))
    };
    spec.items("versions").iter().zip(&family.schemas).map(kind).collect()
}

fn one(
    definition: &Value,
    version: &Value,
    schema: &Arc<Structural>,
    family: &Arc<Family>,
    verbs: &[&'static str],
) -> Kind {
    let fields = version.items("selectableFields").iter().map(|f| f.text("jsonPath"));
    let field = |path: &str| Some((FieldPath::parse(path).label().to_owned(), JsonPath::parse(path).ok()?));
    Kind {
        row: Arc::new(ResourceRow { verbs: verbs.to_vec(), ..row(definition, version, family) }),
        family: family.clone(),
        schema: schema.clone(),
        tree: schema.tree(),
        openapi: Arc::new(publish(version.at("schema.openAPIV3Schema"))),
        served: version.flag("served"),
        deprecation: version.flag("deprecated").then(|| deprecation(definition.at("spec"), version)),
        has_status: version.at("subresources").has("status"),
        scale: ScalePaths::of(version.at("subresources.scale")),
        columns: Columns::of(version),
        fields: fields.filter_map(field).collect(),
    }
}

fn row(definition: &Value, version: &Value, family: &Family) -> ResourceRow {
    let names = definition.at("status.acceptedNames");
    let words = |field: &str| names.items(field).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let part = |name: &str, group: Option<&str>, version: Option<&str>, kind: &str| SubRow {
        name: name.to_owned(),
        group: group.map(str::to_owned),
        version: version.map(str::to_owned),
        kind: kind.to_owned(),
        verbs: vec!["get", "patch", "update"],
    };
    let mut subresources = Vec::new();
    if version.at("subresources").has("status") {
        subresources.push(part("status", None, None, &family.kind));
    }
    if version.at("subresources").has("scale") {
        subresources.push(part("scale", Some("autoscaling"), Some("v1"), "Scale"));
    }
    ResourceRow {
        group: family.group.clone(),
        version: version.text("name").to_owned(),
        stored: Some(family.storage.clone()),
        resource: names.text("plural").to_owned(),
        kind: family.kind.clone(),
        singular: names.text("singular").to_owned(),
        namespaced: definition.text("spec.scope") == "Namespaced",
        verbs: VERBS.to_vec(),
        short_names: words("shortNames"),
        categories: words("categories"),
        subresources,
    }
}

fn conversion(spec: &Value) -> Conversion {
    let webhook = spec.at("conversion.webhook");
    let spoken = webhook.items("conversionReviewVersions").iter().filter_map(Value::as_str);
    let review = spoken.into_iter().find_map(|v| REVIEWS.iter().find(|known| **known == v));
    match (spec.text("conversion.strategy"), ClientConfig::parse(webhook.at("clientConfig")), review) {
        ("Webhook", Ok(client), Some(review)) => Conversion::Webhook { client: Box::new(client), review },
        _ => Conversion::None,
    }
}

fn deprecation(spec: &Value, version: &Value) -> String {
    if let Some(words) = version.at("deprecationWarning").as_str() {
        return words.to_owned();
    }
    let (group, kind, name) = (spec.text("group"), spec.text("names.kind"), version.text("name"));
    let others = spec.items("versions").iter().filter(|v| v.flag("served") && !v.flag("deprecated"));
    let better = others.map(|v| v.text("name")).filter(|other| prefer(other, name).is_lt()).min_by(|a, b| prefer(a, b));
    let instead = better.map(|better| format!("; use {group}/{better} {kind}")).unwrap_or_default();
    format!("{group}/{name} {kind} is deprecated{instead}")
}

/// Kubernetes' order of versions, the preferred one first: v10, v2, v1, v11beta2, v3beta1, v12alpha1, foo1, foo10.
pub fn prefer(a: &str, b: &str) -> Ordering {
    match (rank(a), rank(b)) {
        (None, None) => a.cmp(b),
        (a, b) => Reverse(a).cmp(&Reverse(b)),
    }
}

/// Stability, major and minor number.
fn rank(version: &str) -> Option<(u8, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (major, stage) = rest.split_at(digits);
    let major: u64 = major.parse().ok().filter(|_| !major.starts_with('0'))?;
    let minor = |text: &str| text.parse::<u64>().ok().filter(|_| !text.starts_with('0'));
    match (stage, stage.strip_prefix("beta"), stage.strip_prefix("alpha")) {
        ("", ..) => Some((3, major, 0)),
        (_, Some(beta), _) => Some((2, major, minor(beta)?)),
        (.., Some(alpha)) => Some((1, major, minor(alpha)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_have_an_order_of_preference() {
        let wanted = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"];
        let mut versions = wanted.to_vec();
        versions.reverse();
        versions.sort_by(|a, b| prefer(a, b));
        assert_eq!(versions, wanted);
    }

    #[test]
    fn a_deprecated_version_names_a_better_one() {
        let spec = json!({"group": "x.y", "names": {"kind": "Foo"}, "versions": [
            {"name": "v1beta1", "served": true, "deprecated": true}, {"name": "v1", "served": true},
            {"name": "v1alpha1", "served": true}]});
        assert_eq!(deprecation(&spec, &spec["versions"][0]), "x.y/v1beta1 Foo is deprecated; use x.y/v1 Foo");
        let own = json!({"name": "v1", "deprecated": true, "deprecationWarning": "go away"});
        assert_eq!(deprecation(&spec, &own), "go away");
    }

    #[test]
    fn only_what_is_established_is_served() {
        let mut definition = json!({
            "metadata": {"name": "foos.x.y", "uid": "u", "generation": 1},
            "spec": {"group": "x.y", "scope": "Namespaced", "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}},
                    "subresources": {"status": {}}},
                {"name": "v0", "served": false, "storage": false, "schema": {"openAPIV3Schema": {"type": "object"}}}]},
            "status": {"acceptedNames": {"plural": "foos", "singular": "foo", "kind": "Foo", "listKind": "FooList"}},
        });
        let mut catalog = Catalog::default();
        assert!(!catalog.put(&definition) && catalog.served().is_empty());
        definition["status"]["conditions"] = json!([{"type": "Established", "status": "True"}]);
        assert!(catalog.put(&definition) && !catalog.put(&definition));
        let served = catalog.served();
        assert_eq!(served.iter().map(|k| &*k.row.version).collect::<Vec<_>>(), ["v1"]);
        assert!(served[0].has_status && served[0].row.subresource("status").is_some());
        assert!(catalog.remove("foos.x.y") && catalog.served().is_empty());
    }
}

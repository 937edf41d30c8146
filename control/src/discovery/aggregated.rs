//! Aggregated discovery: all groups, versions and resources in one document.

use schema::{ResourceRow, SubRow};
use serde_json::{Map, Value, json};

use super::{Group, Version};

/// The versions of the format differ by name only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    V2beta1,
    V2,
}

pub(super) fn list<'a>(groups: impl Iterator<Item = &'a Group>, format: Format) -> Value {
    let version = match format {
        Format::V2beta1 => "apidiscovery.k8s.io/v2beta1",
        Format::V2 => "apidiscovery.k8s.io/v2",
    };
    let items: Vec<Value> = groups.map(group).collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": version, "metadata": {}, "items": items})
}

fn group(group: &Group) -> Value {
    let metadata = match group.name.as_str() {
        "" => json!({"creationTimestamp": null}),
        name => json!({"name": name, "creationTimestamp": null}),
    };
    json!({"metadata": metadata, "versions": group.versions.iter().map(version).collect::<Vec<_>>()})
}

fn version(version: &Version) -> Value {
    let resources: Vec<Value> = version.resources.iter().map(resource).collect();
    json!({"version": version.name, "resources": resources, "freshness": "Current"})
}

fn resource(row: &ResourceRow) -> Value {
    let mut resource = json!({
        "resource": row.resource,
        // Empty means: as the resource. Upstream leaves them empty, and so clients are used to it.
        "responseKind": {"group": "", "version": "", "kind": row.kind},
        "scope": if row.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": row.singular,
        "verbs": row.verbs,
    });
    let mut add = |name: &str, list: Vec<Value>| {
        if !list.is_empty() {
            resource[name] = list.into();
        }
    };
    add("shortNames", row.short_names.iter().map(|s| json!(s)).collect());
    add("categories", row.categories.iter().map(|c| json!(c)).collect());
    add("subresources", row.subresources.iter().map(subresource).collect());
    resource
}

fn subresource(sub: &SubRow) -> Value {
    let (group, version) = (sub.group.as_deref().unwrap_or_default(), sub.version.as_deref().unwrap_or_default());
    Value::Object(Map::from_iter([
        ("subresource".to_owned(), json!(sub.name)),
        ("responseKind".to_owned(), json!({"group": group, "version": version, "kind": sub.kind})),
        ("verbs".to_owned(), json!(sub.verbs)),
    ]))
}

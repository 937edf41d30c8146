//! The documents of the original discovery: one for the list of groups, one a group, one a version.

use serde_json::{Map, Value, json};

use super::{Group, Version};

/// `/api`: the versions of the core group.
pub(super) fn versions(groups: &[Group], address: &str) -> Value {
    let core = groups.iter().filter(|g| g.name.is_empty()).flat_map(|g| &g.versions);
    json!({
        "kind": "APIVersions",
        "versions": core.map(|v| v.name.as_str()).collect::<Vec<_>>(),
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    })
}

/// `/apis`: all other groups.
pub(super) fn groups(groups: &[Group]) -> Value {
    let named: Vec<Value> = groups.iter().filter(|g| !g.name.is_empty()).map(|g| body(g).into()).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": named})
}

/// `/apis/apps`
pub(super) fn group(group: &Group) -> Value {
    let mut document = Map::from_iter([("kind".to_owned(), "APIGroup".into()), ("apiVersion".to_owned(), "v1".into())]);
    document.extend(body(group));
    document.into()
}

fn body(group: &Group) -> Map<String, Value> {
    let version = |v: &Version| json!({"groupVersion": v.group_version(), "version": v.name});
    let versions: Vec<Value> = group.versions.iter().map(version).collect();
    let preferred = versions.first().cloned().unwrap_or_default();
    Map::from_iter([
        ("name".to_owned(), group.name.as_str().into()),
        ("versions".to_owned(), versions.into()),
        ("preferredVersion".to_owned(), preferred),
    ])
}

/// `/api/v1`, `/apis/apps/v1`: the resources, each before its sub-resources.
pub(super) fn resources(version: &Version) -> Value {
    let mut resources = Vec::new();
    for row in &version.resources {
        let mut resource = json!({
            "name": row.resource,
            "singularName": row.singular,
            "namespaced": row.namespaced,
            "kind": row.kind,
            "verbs": row.verbs,
        });
        if !row.short_names.is_empty() {
            resource["shortNames"] = json!(row.short_names);
        }
        if !row.categories.is_empty() {
            resource["categories"] = json!(row.categories);
        }
        if let Some(hash) = row.storage_version_hash() {
            resource["storageVersionHash"] = hash.into();
        }
        resources.push(resource);
        resources.extend(row.subresources.iter().map(|sub| {
            let mut part = Map::from_iter([
                ("name".to_owned(), format!("{}/{}", row.resource, sub.name).into()),
                ("singularName".to_owned(), "".into()),
                ("namespaced".to_owned(), row.namespaced.into()),
            ]);
            part.extend(sub.group.as_ref().map(|group| ("group".to_owned(), json!(group))));
            part.extend(sub.version.as_ref().map(|version| ("version".to_owned(), json!(version))));
            part.extend([("kind".to_owned(), json!(sub.kind)), ("verbs".to_owned(), json!(sub.verbs))]);
            part.into()
        }));
    }
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": version.group_version(),
        "resources": resources,
    })
}

//! What the API server says of itself as objects: an APIService for each version of a group that it serves, the levels and
//! schemas of flow control, and the range of cluster IPs. Clients read them; nothing here acts by them.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};

use super::Context;
use crate::kinds::Look;
use crate::registry::{DeleteOptions, Registry, Resource, Target, WriteOptions};

const GROUP: &str = "apiregistration.k8s.io";
/// Whether the cluster keeps an APIService, and for which sort of group.
const MANAGED: &str = "kube-aggregator.kubernetes.io/automanaged";
const FLOW_CONTROL: &str = "flowcontrol.apiserver.k8s.io";

/// Group, version, and the priorities of both; upstream's.
const PRIORITIES: [(&str, &str, i64, i64); 20] = [
    ("", "v1", 18000, 1),
    ("apps", "v1", 17800, 15),
    ("events.k8s.io", "v1", 17750, 15),
    ("authentication.k8s.io", "v1", 17700, 15),
    ("authorization.k8s.io", "v1", 17600, 15),
    ("autoscaling", "v1", 17500, 15),
    ("autoscaling", "v2", 17500, 30),
    ("batch", "v1", 17400, 15),
    ("certificates.k8s.io", "v1", 17300, 15),
    ("networking.k8s.io", "v1", 17200, 15),
    ("policy", "v1", 17100, 15),
    ("rbac.authorization.k8s.io", "v1", 17000, 15),
    ("storage.k8s.io", "v1", 16800, 15),
    ("apiextensions.k8s.io", "v1", 16700, 15),
    ("admissionregistration.k8s.io", "v1", 16700, 15),
    ("scheduling.k8s.io", "v1", 16600, 15),
    ("coordination.k8s.io", "v1", 16500, 15),
    ("node.k8s.io", "v1", 16300, 15),
    ("discovery.k8s.io", "v1", 16200, 15),
    ("flowcontrol.apiserver.k8s.io", "v1", 16100, 21),
];

/// Keeps the APIServices in line with what is served.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    let registry = context.registry.clone();
    async move {
        let mut changed = registry.resources_changed();
        make(&registry, bootstrap()).await;
        loop {
            mend(&registry).await;
            if changed.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

/// Makes the APIServices that are missing, and takes away those whose kinds are gone.
async fn mend(registry: &Registry) {
    let resources = registry.resources();
    let served: BTreeSet<(&str, &str, bool)> = resources
        .iter()
        .filter(|r| r.row.group != GROUP)
        .map(|r| (r.row.group.as_str(), r.row.version.as_str(), r.is_custom()))
        .collect();
    let wanted: Vec<Value> = served.iter().map(|(group, version, custom)| service(group, version, *custom)).collect();
    let names: BTreeSet<String> = wanted.iter().map(|w| w.text("metadata.name").to_owned()).collect();
    make(registry, wanted.into_iter().map(|w| (GROUP, "apiservices", w)).collect()).await;
    let Some(kind) = resources.find(GROUP, "v1", "apiservices") else { return };
    for entry in registry.store().list(&kind.stored, None).entries {
        let managed = entry.value().at("metadata.labels").get(MANAGED).is_some();
        if managed && !names.contains(&*entry.key.name) {
            let target = Target::new(kind, "", &entry.key.name);
            report("delete", kind, registry.delete(&target, &DeleteOptions::default()).await.map(drop));
        }
    }
}

fn service(group: &str, version: &str, custom: bool) -> Value {
    let known = PRIORITIES.iter().find(|(g, v, ..)| *g == group && *v == version);
    let (of_group, of_version) = known.map_or((1000, 100), |(_, _, of_group, of_version)| (*of_group, *of_version));
    let managed = if custom { "true" } else { "onstart" };
    json!({
        "metadata": {"name": format!("{version}.{group}"), "labels": {(MANAGED): managed}},
        "spec": {"group": group, "version": version, "groupPriorityMinimum": of_group, "versionPriority": of_version},
    })
}

/// The levels and schemas without which upstream does not run.
fn bootstrap() -> Vec<(&'static str, &'static str, Value)> {
    let meta = |name: &str| json!({"name": name, "annotations": {"apf.kubernetes.io/autoupdate-spec": "true"}});
    let subjects =
        |groups: &[&str]| -> Value { groups.iter().map(|g| json!({"kind": "Group", "group": {"name": g}})).collect() };
    let everything = |groups: &[&str]| {
        json!([{"subjects": subjects(groups),
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": true,
                "namespaces": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}])
    };
    let level = |name: &str, spec: Value| {
        (FLOW_CONTROL, "prioritylevelconfigurations", json!({"metadata": meta(name), "spec": spec}))
    };
    let schema = |name: &str, precedence: i64, method: Value, groups: &[&str]| {
        let mut spec = json!({"priorityLevelConfiguration": {"name": name}, "matchingPrecedence": precedence,
            "rules": everything(groups)});
        if !method.is_null() {
            spec["distinguisherMethod"] = method;
        }
        (FLOW_CONTROL, "flowschemas", json!({"metadata": meta(name), "spec": spec}))
    };
    vec![
        level("exempt", json!({"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}})),
        level(
            "catch-all",
            json!({"type": "Limited", "limited": {"nominalConcurrencyShares": 5, "lendablePercent": 0,
                "limitResponse": {"type": "Reject"}}}),
        ),
        schema("exempt", 1, Value::Null, &["system:masters"]),
        schema("catch-all", 10000, json!({"type": "ByUser"}), &["system:unauthenticated", "system:authenticated"]),
    ]
}

/// Makes objects that are not there yet, all at once.
async fn make(registry: &Registry, wanted: Vec<(&'static str, &'static str, Value)>) {
    let resources = registry.resources();
    let options = WriteOptions { manager: "kube-apiserver".into(), ..WriteOptions::of("system:apiserver") };
    join_all(wanted.into_iter().map(|(group, resource, object)| {
        let (kind, options) = (resources.find(group, "v1", resource).cloned(), &options);
        async move {
            let Some(kind) = kind else { return };
            let target = Target::new(&kind, "", object.text("metadata.name"));
            if registry.get(&target).is_err() {
                let made = registry.create(&Target::new(&kind, "", ""), object, options).await;
                report("create", &kind, made.map(drop));
            }
        }
    }))
    .await;
}

fn report(what: &str, kind: &Resource, done: Result<(), crate::status::Status>) {
    if let Err(status) = done.or_else(|s| if s.is_conflict() || s.is_not_found() { Ok(()) } else { Err(s) }) {
        tracing::warn!(kind = %kind.qualified, error = %status, "cannot {what} an object of the API server");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_priorities_are_upstreams() {
        let core = service("", "v1", false);
        assert_eq!((core.text("metadata.name"), core.int("spec.groupPriorityMinimum")), ("v1.", Some(18000)));
        let rules = crate::kinds::behavior(GROUP, "apiservices");
        assert_eq!(rules.check_create(&core, false).to_string(), "[]");
        for (group, resource, object) in bootstrap() {
            let rules = crate::kinds::behavior(group, resource);
            assert_eq!(rules.check_create(&object, false).to_string(), "[]", "{object}");
        }
        let custom = service("example.com", "v1", true);
        assert_eq!(custom.at("metadata.labels"), &json!({(MANAGED): "true"}));
        assert_eq!(
            (custom.int("spec.groupPriorityMinimum"), custom.int("spec.versionPriority")),
            (Some(1000), Some(100))
        );
    }
}

//! Who manages what a cluster makes by itself.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::Value;

use super::cluster::Cluster;
use super::{deployment, is_complete, rolling};
use crate::auth::bootstrap;

/// What upstream's API server makes without being asked, and nothing else.
const OF_THE_SERVER: &[&str] = &[
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "configmaps",
    "endpoints",
    "endpointslices.discovery.k8s.io",
    "namespaces",
    "priorityclasses.scheduling.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "services",
    // The class of local volumes, which elsewhere comes with its provisioner.
    "storageclasses.storage.k8s.io",
];

fn managers(object: &Value) -> Vec<&str> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(|entry| entry["manager"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_asked_for_has_the_managers_that_it_has_elsewhere() {
    let cluster = Cluster::start().await;
    bootstrap::apply(&cluster.registry).await.expect("roles are made");
    cluster.create::<Deployment>(deployment("web", 1, "one", rolling(1.into(), 0.into()))).await;
    cluster.until("a roll-out", |c| is_complete(c, "web", 1) && !c.events("Scheduled").is_empty()).await;
    let mut by_server = BTreeSet::new();
    for entry in cluster.registry.store().list_all(None).entries {
        let object = entry.value();
        for manager in managers(&object) {
            match manager {
                "kube-apiserver" => drop(by_server.insert(entry.key.resource.to_string())),
                "kube-scheduler" | "kube-controller-manager" | "clusterrole-aggregation-controller" => {}
                other => panic!("{} is managed by {other}", entry.key),
            }
        }
        if &*entry.key.resource == "events" {
            let scheduled = object["source"]["component"] == "default-scheduler";
            let wanted = if scheduled { "kube-scheduler" } else { "kube-controller-manager" };
            assert_eq!(managers(&object), [wanted], "{object}");
        }
    }
    assert_eq!(by_server.iter().map(String::as_str).collect::<Vec<_>>(), OF_THE_SERVER);
}

//! The loops together, over a registry in memory and a node that exists only here.

mod cluster;
mod ends;
mod managers;
mod quota;
mod volumes;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ConfigMap, Endpoints, Namespace, Pod, Service, ServiceAccount};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use objects::{owners, pods};
use serde_json::{Value, json};

use crate::registry::Propagation;
use cluster::Cluster;

fn deployment(name: &str, replicas: i32, image: &str, strategy: Value) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "strategy": strategy,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    })
}

fn image(name: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": name}]}}}})
}

fn rolling(surge: Value, unavailable: Value) -> Value {
    json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}})
}

/// All pods of the latest generation there, and reported.
fn is_complete(cluster: &Cluster, name: &str, replicas: i32) -> bool {
    let Some(deployment) = cluster.one::<Deployment>("default", name) else { return false };
    let Some(status) = &deployment.status else { return false };
    let is = |n: Option<i32>| n.unwrap_or(0) == replicas;
    status.observed_generation == deployment.metadata.generation
        && is(status.replicas)
        && is(status.updated_replicas)
        && is(status.available_replicas)
        && (replicas > 0) == (progressing(&deployment) == "NewReplicaSetAvailable")
}

fn progressing(deployment: &Deployment) -> String {
    let held = deployment.status.as_ref().and_then(|s| s.conditions.as_deref());
    objects::conditions::find(held, "Progressing").and_then(|c| c.reason.clone()).unwrap_or_default()
}

fn revision(deployment: &Deployment) -> &str {
    let annotations = deployment.metadata.annotations.as_ref();
    annotations.and_then(|a| a.get("deployment.kubernetes.io/revision")).map_or("", String::as_str)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_rolls_out_rolls_back_and_goes() {
    let cluster = Cluster::start().await;
    cluster.create::<Deployment>(deployment("web", 3, "one", rolling(json!(1), json!(0)))).await;
    cluster.until("the first roll-out", |c| is_complete(c, "web", 3)).await;
    let first = cluster.active_sets();
    let found = cluster.one::<Deployment>("default", "web").expect("it is there");
    assert_eq!((revision(&found), found.metadata.generation), ("1", Some(1)));
    let name = first.keys().next().cloned().unwrap_or_default();
    assert_eq!(cluster.events("ScalingReplicaSet"), [format!("Scaled up replica set {name} from 0 to 3")]);

    let fewest = {
        let mut pods = cluster.registry.informer::<Pod>().subscribe();
        let registry = cluster.registry.clone();
        tokio::spawn(async move {
            let mut fewest = usize::MAX;
            while let Ok(Some(_)) = tokio::time::timeout(std::time::Duration::from_millis(500), pods.recv()).await {
                let ready = registry.informer::<Pod>().list(None);
                fewest = fewest.min(ready.iter().filter(|p| pods::is_ready(p) && pods::is_active(p)).count());
            }
            fewest
        })
    };
    cluster.patch::<Deployment>("web", image("two")).await;
    cluster.until("the second roll-out", |c| is_complete(c, "web", 3)).await;
    assert_eq!(fewest.await.expect("a count"), 3, "no pod went before another was ready");
    assert_ne!(cluster.active_sets(), first);
    assert_eq!(cluster.all::<ReplicaSet>().len(), 2);

    cluster.patch::<Deployment>("web", image("broken")).await;
    cluster.until("the surge", |c| c.active_sets().len() == 2 && c.all::<Pod>().len() == 4).await;
    cluster.patch::<Deployment>("web", image("one")).await;
    cluster.until("the way back", |c| is_complete(c, "web", 3) && c.active_sets() == first).await;
    let found = cluster.one::<Deployment>("default", "web").expect("it is there");
    assert_eq!(revision(&found), "4");
    let history = cluster.one::<ReplicaSet>("default", &name).and_then(|s| s.metadata.annotations.clone());
    assert_eq!(history.and_then(|a| a.get("deployment.kubernetes.io/revision-history").cloned()).as_deref(), Some("1"));

    cluster.delete::<Deployment>("default", "web", None).await;
    cluster.until("nothing", |c| c.all::<ReplicaSet>().is_empty() && c.all::<Pod>().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_deployment_is_left_alone() {
    let cluster = Cluster::start().await;
    cluster.create::<Deployment>(deployment("web", 2, "one", rolling(json!(1), json!(0)))).await;
    cluster.until("the roll-out", |c| is_complete(c, "web", 2)).await;
    cluster.patch::<Deployment>("web", json!({"spec": {"paused": true}})).await;
    let paused = |c: &Cluster| {
        let seen = |d: &Deployment| d.status.as_ref().and_then(|s| s.observed_generation) == d.metadata.generation;
        let web = c.one::<Deployment>("default", "web");
        web.is_some_and(|d| seen(&d) && progressing(&d) == "DeploymentPaused")
    };
    cluster.until("the pause to be reported", paused).await;
    let version = |c: &Cluster| c.one::<Deployment>("default", "web").and_then(|d| d.metadata.resource_version.clone());
    let before = version(&cluster);
    // Time for a loop that would not let go: each of these is a round trip through the writer.
    for n in 0..200 {
        cluster.create::<ConfigMap>(json!({"metadata": {"name": format!("n{n}"), "namespace": "default"}})).await;
    }
    assert_eq!(version(&cluster), before, "nothing happened, and yet something was written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recreate_pause_scale_and_history() {
    let cluster = Cluster::start().await;
    let mut manifest = deployment("web", 2, "one", json!({"type": "Recreate"}));
    manifest["spec"]["revisionHistoryLimit"] = json!(1);
    cluster.create::<Deployment>(manifest).await;
    cluster.until("the first roll-out", |c| is_complete(c, "web", 2)).await;
    for next in ["two", "three", "four"] {
        cluster.patch::<Deployment>("web", image(next)).await;
        cluster.until(next, |c| is_complete(c, "web", 2)).await;
    }
    cluster.until("a short history", |c| c.all::<ReplicaSet>().len() == 2).await;

    let before = cluster.active_sets();
    cluster.patch::<Deployment>("web", json!({"spec": {"paused": true}})).await;
    cluster.patch::<Deployment>("web", image("five")).await;
    cluster.patch::<Deployment>("web", json!({"spec": {"replicas": 5}})).await;
    cluster.until("a larger old set", |c| c.active_sets().values().sum::<i32>() == 5).await;
    assert_eq!(cluster.active_sets().keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    let paused =
        |c: &Cluster| c.one::<Deployment>("default", "web").is_some_and(|d| progressing(&d) == "DeploymentPaused");
    cluster.until("the pause to be reported", paused).await;
    cluster.patch::<Deployment>("web", json!({"spec": {"paused": false}})).await;
    cluster.until("the resumed roll-out", |c| is_complete(c, "web", 5)).await;
    cluster.patch::<Deployment>("web", json!({"spec": {"replicas": 0}})).await;
    cluster.until("no pods", |c| c.all::<Pod>().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_roll_out_is_reported() {
    let cluster = Cluster::start().await;
    let mut manifest = deployment("web", 1, "broken", rolling(json!("25%"), json!("25%")));
    manifest["spec"]["progressDeadlineSeconds"] = json!(1);
    cluster.create::<Deployment>(manifest).await;
    let stuck = |c: &Cluster| {
        c.one::<Deployment>("default", "web").is_some_and(|d| progressing(&d) == "ProgressDeadlineExceeded")
    };
    cluster.until("the deadline", stuck).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replica_sets_adopt_release_and_replace() {
    let cluster = Cluster::start().await;
    let lone = |name: &str| {
        json!({
            "metadata": {"name": name, "namespace": "default", "labels": {"app": "rs"}},
            "spec": {"containers": [{"name": "web", "image": "one"}]},
        })
    };
    cluster.create::<Pod>(lone("lone")).await;
    // A set that comes with it makes three pods of its own, and has one to delete.
    cluster.until("the lone pod", |c| c.one::<Pod>("default", "lone").is_some_and(|p| pods::is_ready(&p))).await;
    let set = json!({
        "metadata": {"name": "rs", "namespace": "default"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "rs"}},
            "template": {
                "metadata": {"labels": {"app": "rs"}},
                "spec": {"containers": [{"name": "web", "image": "one"}]},
            },
        },
    });
    let set: ReplicaSet = cluster.create(set).await;
    let uid = set.metadata.uid.unwrap_or_default();
    let ready = |c: &Cluster, n: i32| {
        c.one::<ReplicaSet>("default", "rs").and_then(|s| s.status.clone()?.ready_replicas).unwrap_or(0) == n
    };
    cluster.until("three pods", |c| ready(c, 3) && c.all::<Pod>().len() == 3).await;
    let adopted = cluster.one::<Pod>("default", "lone").expect("the lone pod is one of them");
    assert!(owners::is_controlled_by(&adopted.metadata, &uid));

    cluster.patch::<Pod>("lone", json!({"metadata": {"labels": {"app": "other"}}})).await;
    cluster.until("a replacement", |c| ready(c, 3) && c.all::<Pod>().len() == 4).await;
    let released = cluster.one::<Pod>("default", "lone").expect("the lone pod stays");
    assert!(owners::controller_of(&released.metadata).is_none());

    cluster.create::<Pod>(lone("surplus")).await;
    cluster
        .until("the surplus pod's end", |c| {
            ready(c, 3) && c.all::<Pod>().len() == 4 && c.events("SuccessfulDelete").len() == 1
        })
        .await;
    cluster.delete::<ReplicaSet>("default", "rs", Some(Propagation::Orphan)).await;
    cluster.until("the set's end", |c| c.all::<ReplicaSet>().is_empty()).await;
    let free = |p: &&Pod| owners::references(&p.metadata).is_empty();
    cluster.until("four free pods", |c| c.all::<Pod>().iter().filter(free).count() == 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_have_endpoints() {
    let cluster = Cluster::start().await;
    let service = json!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": 80}]},
    });
    cluster.create::<Service>(service).await;
    cluster.create::<Deployment>(deployment("web", 3, "one", json!({}))).await;
    let ready = |c: &Cluster| {
        let slices = c.all::<EndpointSlice>();
        let of_web = slices.iter().filter(|s| owners::controller_of(&s.metadata).is_some_and(|o| o.name == "web"));
        let endpoints = of_web.flat_map(|s| s.endpoints.clone());
        endpoints.filter(|e| e.conditions.as_ref().is_some_and(|c| c.ready == Some(true))).count()
    };
    cluster.until("three endpoints", |c| ready(c) == 3).await;
    let subset = |c: &Cluster, name: &str| c.one::<Endpoints>("default", name).and_then(|e| e.subsets.clone()?.pop());
    cluster.until("three addresses", |c| subset(c, "web").and_then(|s| s.addresses).map_or(0, |a| a.len()) == 3).await;
    let ports = subset(&cluster, "web").and_then(|s| s.ports).unwrap_or_default();
    assert_eq!(ports[0].port, 80);
    cluster.patch::<Deployment>("web", json!({"spec": {"replicas": 0}})).await;
    cluster.until("no endpoints", |c| ready(c) == 0 && subset(c, "web").is_none()).await;
    cluster.delete::<Service>("default", "web", None).await;
    cluster
        .until("their end", |c| c.one::<Endpoints>("default", "web").is_none() && c.all::<EndpointSlice>().len() == 1)
        .await;

    let kubernetes = subset(&cluster, "kubernetes").and_then(|s| s.addresses).unwrap_or_default();
    assert_eq!(kubernetes[0].ip, "127.0.0.1");
    cluster.delete::<Endpoints>("default", "kubernetes", None).await;
    cluster.until("the API's endpoints", |c| subset(c, "kubernetes").is_some()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn namespaces_begin_furnished_and_end_empty() {
    let cluster = Cluster::start().await;
    cluster.create::<Namespace>(json!({"metadata": {"name": "dev"}})).await;
    let furnished = |c: &Cluster| {
        c.one::<ServiceAccount>("dev", "default").is_some() && c.one::<ConfigMap>("dev", "kube-root-ca.crt").is_some()
    };
    cluster.until("account and certificate", furnished).await;
    let mut manifest = deployment("web", 3, "one", json!({}));
    manifest["metadata"]["namespace"] = json!("dev");
    cluster.create::<Deployment>(manifest).await;
    cluster.until("pods", |c| c.all::<Pod>().len() == 3).await;
    cluster.delete::<Namespace>("", "dev", None).await;
    cluster.until("its end", |c| c.one::<Namespace>("", "dev").is_none()).await;
    assert!(cluster.all::<Pod>().is_empty() && cluster.all::<Deployment>().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_fits_nowhere_waits_for_room() {
    let cluster = Cluster::start().await;
    let asking = |name: &str, memory: &str| {
        json!({
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"containers": [{
                "name": "c", "image": "one", "resources": {"requests": {"memory": memory}},
            }]},
        })
    };
    let bound = |c: &Cluster, name: &str| c.one::<Pod>("default", name).is_some_and(|p| !pods::node(&p).is_empty());
    cluster.create::<Pod>(asking("first", "40Gi")).await;
    cluster.until("the first pod", |c| bound(c, "first")).await;
    cluster.create::<Pod>(asking("second", "40Gi")).await;
    let refused = |c: &Cluster| {
        let pod = c.one::<Pod>("default", "second");
        pod.is_some_and(|p| {
            pods::condition(&p, "PodScheduled").is_some_and(|s| {
                s.status == "False"
                    && s.message
                        .as_deref()
                        .is_some_and(|m| m.starts_with("0/1 nodes are available: 1 Insufficient memory."))
            })
        })
    };
    cluster.until("the refusal", refused).await;
    cluster.delete::<Pod>("default", "first", None).await;
    cluster.until("room", |c| bound(c, "second")).await;
    // Events are written by a loop of their own.
    let short = |c: &Cluster| {
        let events = c.events("FailedScheduling").into_iter();
        events.filter(|message| message.contains("Insufficient memory")).collect::<Vec<_>>()
    };
    cluster.until("the event", |c| !short(c).is_empty()).await;
    // (The first pod may have been looked at before the node was ready.)
    let events = short(&cluster);
    assert_eq!(events.len(), 1, "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_pods_are_made_exactly() {
    let cluster = Cluster::start().await;
    let began = std::time::Instant::now();
    cluster.create::<Deployment>(deployment("web", 1000, "one", json!({}))).await;
    cluster.until("a thousand pods", |c| is_complete(c, "web", 1000)).await;
    println!("1000 pods ready and reported after {:?}", began.elapsed());
    assert_eq!(cluster.all::<Pod>().len(), 1000);
}

#[tokio::test]
async fn an_admission_policy_is_told_what_its_types_have_not() {
    use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
    let c = Cluster::start().await;
    let rules =
        json!([{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}]);
    let spec =
        json!({"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "object.replicas > 1"}]});
    let changes = c.registry.informer::<ValidatingAdmissionPolicy>();
    let mut seen = changes.subscribe();
    c.create::<ValidatingAdmissionPolicy>(json!({"metadata": {"name": "p"}, "spec": spec})).await;
    let status = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        loop {
            let change = seen.recv().await.expect("the registry is alive");
            let status = change.new.as_ref().and_then(|policy| policy.status.clone());
            if let Some(status) = status.filter(|status| status.observed_generation.is_some()) {
                return status;
            }
        }
    });
    let status = status.await.expect("it is told in time");
    assert_eq!(status.observed_generation, Some(1));
    let warnings = status.type_checking.and_then(|checked| checked.expression_warnings).unwrap_or_default();
    assert_eq!(warnings[0].field_ref, "spec.validations[0].expression");
}

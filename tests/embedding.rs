//! Sampan as a library: `Cluster::builder()` gives a cluster in this process and a client of it.

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Client;
use kube::api::{Api, LogParams, PostParams};
use kube::runtime::wait::await_condition;
use serde_json::{from_value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn guest(name: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-wasm/target/wasm32-wasip2/release");
    built.join(name).with_extension("wasm")
}

async fn start(dir: &Path) -> sampan::Cluster {
    sampan::Cluster::builder().data_dir(dir).start().await.expect("a cluster")
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_a_pod_and_says_what_it_said() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let images = sampan::image::Store::open(sampan::image_dir(dir.path())).expect("the images");
    images.import(&guest("env"), "localhost/env:v1").expect("the import");
    let cluster = start(dir.path()).await;
    let said = tokio::time::timeout(PATIENCE, run_to_its_end(cluster.client())).await.expect("the pod's end in time");
    assert!(said.contains("GREETING=ahoy") && said.contains("HOSTNAME=hello"), "{said}");
}

async fn run_to_its_end(client: Client) -> String {
    let pods: Api<Pod> = Api::default_namespaced(client);
    let pod = from_value(json!({
        "metadata": { "name": "hello" },
        "spec": {
            "restartPolicy": "Never",
            "containers": [{ "name": "env", "image": "localhost/env:v1", "env": [{ "name": "GREETING", "value": "ahoy" }] }],
        },
    }));
    pods.create(&PostParams::default(), &pod.expect("a pod")).await.expect("the pod is accepted");
    let over = |pod: Option<&Pod>| {
        let phase = pod.and_then(|pod| pod.status.as_ref()?.phase.as_deref());
        matches!(phase, Some("Succeeded" | "Failed"))
    };
    await_condition(pods.clone(), "hello", over).await.expect("the pod's end");
    pods.logs("hello", &LogParams::default()).await.expect("the pod's log")
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_when_dropped_and_keeps_its_state() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let first = start(dir.path()).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(first.client());
    let map = from_value(json!({ "metadata": { "name": "kept" }, "data": { "word": "ahoy" } })).expect("a config map");
    maps.create(&PostParams::default(), &map).await.expect("the config map is accepted");
    drop(maps);
    drop(first);

    // The directory is free again as soon as the last task of the first cluster has seen that it is over.
    let second = tokio::time::timeout(PATIENCE, async {
        loop {
            match sampan::Cluster::builder().data_dir(dir.path()).start().await {
                Ok(cluster) => return cluster,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    });
    let second = second.await.expect("the first cluster stopped");
    let maps: Api<ConfigMap> = Api::default_namespaced(second.client());
    let map = maps.get("kept").await.expect("what was acknowledged");
    assert_eq!(map.data.and_then(|data| data.get("word").cloned()).as_deref(), Some("ahoy"));
}

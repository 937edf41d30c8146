//! Sampan inside a program of one's own: a cluster in this process, a pod in it, and what the pod said.
//!
//!     cargo run --release --example embed

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams, PostParams};
use kube::runtime::wait::await_condition;
use serde_json::json;
use std::path::Path;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-wasm/target/wasm32-wasip2/release/env.wasm");
    sampan::image::Store::open(sampan::image_dir(dir.path()))?.import(&guest, "localhost/env:v1")?;

    let cluster = sampan::Cluster::builder().data_dir(dir.path()).start().await?;
    let pods: Api<Pod> = Api::default_namespaced(cluster.client());
    let pod = serde_json::from_value(json!({
        "metadata": { "name": "hello" },
        "spec": {
            "restartPolicy": "Never",
            "containers": [{ "name": "env", "image": "localhost/env:v1", "env": [{ "name": "GREETING", "value": "ahoy" }] }],
        },
    }))?;
    pods.create(&PostParams::default(), &pod).await?;
    await_condition(pods.clone(), "hello", is_over).await?;
    print!("{}", pods.logs("hello", &LogParams::default()).await?);
    Ok(())
}

fn is_over(pod: Option<&Pod>) -> bool {
    let phase = pod.and_then(|pod| pod.status.as_ref()?.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

//! From the start of the process to the line that says it is ready: on nothing, on what an empty cluster leaves behind,
//! and with the objects of 1,000 pods in the store.

use std::time::Duration;

use crate::home::{API_ALONE, Home};
use crate::manifests::{PODS, idle_pod, namespace};
use crate::report::{Row, millis, percentile};

const STARTS: usize = 5;
const PODS_KEPT: usize = 1000;
const BUDGET: &str = "≤ 100 ms";
const PEER: &str = "kube-apiserver 2.0 s";

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let home = Home::new()?;
    let first = home.start(&[])?;
    let took = first.took();
    first.stop().await?;
    let empty = median(&home).await?;
    fill(&home).await?;
    let full = median(&home).await?;
    Ok(vec![
        Row::new("start to ready, the first (makes its keys)", millis(took)),
        Row::new("start to ready, empty", millis(empty)).budget(BUDGET).peer(PEER),
        Row::new("start to ready, 1,000 pods' objects", millis(full)).budget(BUDGET).peer(PEER),
    ])
}

async fn median(home: &Home) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let server = home.start(&[])?;
        times.push(server.took());
        server.stop().await?;
    }
    times.sort_unstable();
    Ok(percentile(&times, 50))
}

async fn fill(home: &Home) -> anyhow::Result<()> {
    let server = home.start(API_ALONE)?;
    let mut api = server.connect().await?;
    namespace(&mut api).await?;
    for number in 0..PODS_KEPT {
        api.post(PODS, &idle_pod(&format!("pod-{number}"))).await?;
    }
    server.stop().await
}

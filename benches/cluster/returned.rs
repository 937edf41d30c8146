//! 1,000 pods after the process was killed: from the start of the next one until all of them run again, and until all have
//! said that they are ready.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::time::sleep;

use crate::connection::Connection;
use crate::home::Home;
use crate::manifests::{DEPLOYMENTS, deployment, namespace};
use crate::pod_watch::PodWatch;
use crate::report::{Row, millis};

const PODS_KEPT: usize = 1000;

/// For the last status to reach the disk.
const SETTLE: Duration = Duration::from_secs(2);

/// Between two looks at the node.
const LOOK: Duration = Duration::from_millis(50);

/// What the node itself counts.
const METRICS: &str = "/api/v1/nodes/bench/proxy/metrics";

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (what, guest) in [("servers", "tcp-echo"), ("HTTP handlers", "echo-hostname")] {
        let home = Home::with_image(guest)?;
        let server = home.start(&[])?;
        let mut api = server.connect().await?;
        namespace(&mut api).await?;
        let mut watch = PodWatch::open(server.connect().await?).await?;
        api.post(DEPLOYMENTS, &deployment(guest, PODS_KEPT)).await?;
        watch.ready_count(PODS_KEPT).await?;
        sleep(SETTLE).await;
        drop(server);
        let began = Instant::now();
        let server = home.start(&[])?;
        all_run(server.connect().await?).await?;
        let ran = began.elapsed();
        let mut watch = PodWatch::open(server.connect().await?).await?;
        watch.restarted_count(PODS_KEPT).await?;
        let told = began.elapsed();
        drop(server);
        rows.push(Row::new(format!("1,000 {what} run again after kill -9"), millis(ran)).budget("≤ 500 ms"));
        rows.push(Row::new(format!("1,000 {what}: … and have said so"), millis(told)));
    }
    Ok(rows)
}

async fn all_run(mut api: Connection) -> anyhow::Result<()> {
    while running(&String::from_utf8_lossy(&api.get(METRICS).await?))? < PODS_KEPT {
        sleep(LOOK).await;
    }
    Ok(())
}

fn running(metrics: &str) -> anyhow::Result<usize> {
    let line = metrics.lines().find_map(|line| line.strip_prefix("kubelet_running_pods "));
    Ok(line.context("the node does not count its pods")?.trim().parse()?)
}

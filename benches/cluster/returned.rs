//! 1,000 pods after the process was killed: from the start of the next one until all of them run again and are ready.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::home::Home;
use crate::manifests::{DEPLOYMENTS, deployment, namespace};
use crate::pod_watch::PodWatch;
use crate::report::{Row, millis};

const PODS_KEPT: usize = 1000;

/// For the last status to reach the disk.
const SETTLE: Duration = Duration::from_secs(2);

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
        let mut watch = PodWatch::open(server.connect().await?).await?;
        watch.restarted_count(PODS_KEPT).await?;
        let took = began.elapsed();
        drop(server);
        rows.push(Row::new(format!("1,000 {what} ready again after kill -9"), millis(took)).budget("≤ 500 ms"));
    }
    Ok(rows)
}

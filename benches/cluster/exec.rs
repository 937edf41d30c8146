//! A program in a pod that runs: from the request to its exit code, over a new connection each time.

use std::time::Instant;

use crate::home::Home;
use crate::manifests::{PODS, namespace, pod};
use crate::pod_watch::PodWatch;
use crate::report::{Row, millis, percentile};
use crate::websocket::Channels;

const GUEST: &str = "tcp-echo";
const RUNS: usize = 200;

/// The channel on which a program's end is told.
const OUTCOME: u8 = 3;

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let home = Home::with_image(GUEST)?;
    let server = home.start(&[])?;
    let mut api = server.connect().await?;
    namespace(&mut api).await?;
    let mut watch = PodWatch::open(server.connect().await?).await?;
    api.post(PODS, &pod("pod", GUEST)).await?;
    watch.ready("pod").await?;
    let path = format!("{PODS}/pod/exec?command=true&stdout=true&stderr=true");
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..=RUNS {
        let began = Instant::now();
        let mut channels = Channels::open(server.access(), &path, "v5.channel.k8s.io").await?;
        let outcome = channels.of(OUTCOME).await?;
        times.push(began.elapsed());
        let outcome: serde_json::Value = serde_json::from_slice(&outcome)?;
        anyhow::ensure!(outcome["status"] == "Success", "{outcome}");
        channels.close().await?;
    }
    server.stop().await?;
    // The first compiles the toolbox.
    let first = times.remove(0);
    times.sort_unstable();
    Ok(vec![
        Row::new("exec `true`: TLS, request, exit code, p50", millis(percentile(&times, 50))).budget("≤ 20 ms"),
        Row::new("exec `true`, p99", millis(percentile(&times, 99))),
        Row::new("exec `true`, the toolbox not yet compiled", millis(first)),
    ])
}

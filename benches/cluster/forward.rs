//! Bytes out of a pod through a forwarded port: guest, fabric, WebSocket, TLS.

use std::time::Instant;

use crate::home::Home;
use crate::manifests::{PODS, namespace, pod};
use crate::pod_watch::PodWatch;
use crate::report::Row;
use crate::websocket::Channels;

const GUEST: &str = "pour";
const PORT: u16 = 9;
const BYTES: usize = 2 << 30;

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let home = Home::with_image(GUEST)?;
    let server = home.start(&[])?;
    let mut api = server.connect().await?;
    namespace(&mut api).await?;
    let mut watch = PodWatch::open(server.connect().await?).await?;
    api.post(PODS, &pod("pod", GUEST)).await?;
    watch.ready("pod").await?;
    let path = format!("{PODS}/pod/portforward?ports={PORT}");
    let mut channels = Channels::open(server.access(), &path, "v4.channel.k8s.io").await?;
    // The first message of the channel names the port.
    channels.of(0).await?;
    let (process, mut received) = (server.process(), 0);
    let (cpu, began) = (process.cpu()?, Instant::now());
    while received < BYTES {
        received += channels.of(0).await?.len();
    }
    let (took, cpu) = (began.elapsed(), process.cpu()? - cpu);
    drop(channels);
    server.stop().await?;
    let rate = received as f64 / took.as_secs_f64() / 1e6;
    let cost = cpu.as_secs_f64() / (received as f64 / 1e9);
    Ok(vec![
        Row::new("port-forward out of a guest, WebSocket and TLS", format!("{rate:.0} MB/s ({cost:.2} s CPU a GB)"))
            .budget("≥ 300 MB/s"),
    ])
}

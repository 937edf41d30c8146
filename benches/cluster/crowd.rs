//! 1,000 pods at once, and 10,000: how fast they are ready, and what each of them holds in memory.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use tokio::time::sleep;

use crate::home::{Home, Server};
use crate::manifests::{DEPLOYMENTS, PODS, deployment, namespace, pod};
use crate::pod_watch::PodWatch;
use crate::report::{Row, kib};

const PODS_MADE: usize = 1000;

/// As many as there are instances of guests.
const MULTITUDE: usize = 9_900;
const CLIENTS: usize = 16;

/// For the status of the last pods to be told and read.
const SETTLE: Duration = Duration::from_secs(5);

/// Blocks in `accept` for as long as it lives.
const SERVER: &str = "tcp-echo";

/// Lives while a request is answered.
const HANDLER: &str = "echo-hostname";

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let homes = [Home::with_image(SERVER)?, Home::with_image(SERVER)?, Home::with_image(HANDLER)?];
    let live = Crowd::of(&homes[0], SERVER, By::Deployment, PODS_MADE).await?;
    let posted = Crowd::of(&homes[1], SERVER, By::Clients, PODS_MADE).await?;
    let idle = Crowd::of(&homes[2], HANDLER, By::Deployment, PODS_MADE).await?;
    let rate = |crowd: &Crowd| format!("{:.0}/s ({:.2} ms CPU each)", crowd.rate, crowd.cpu.as_secs_f64() * 1e3);
    Ok(vec![
        Row::new("1,000 pods to Ready, a Deployment", rate(&live)).budget("≥ 500/s"),
        Row::new("1,000 pods to Ready, 16 clients", rate(&posted)).budget("≥ 500/s"),
        Row::new("1,000 HTTP-handler pods to Ready", rate(&idle)).budget("≥ 500/s"),
        Row::new("memory a live pod, at 1,000", live.held()).budget("≤ 64 KiB").peer("shim 5–11 MB"),
        Row::new("memory an idle HTTP-handler pod, at 1,000", idle.held()).budget("≤ 12 KiB"),
    ])
}

/// As many as a node takes.
pub async fn multitude() -> anyhow::Result<Vec<Row>> {
    let live = Crowd::of(&Home::with_image(SERVER)?, SERVER, By::Deployment, MULTITUDE).await?;
    let idle = Crowd::of(&Home::with_image(HANDLER)?, HANDLER, By::Deployment, MULTITUDE).await?;
    Ok(vec![
        Row::new("9,900 pods to Ready, a Deployment", format!("{:.0}/s", live.rate)),
        Row::new("memory a live pod, at 9,900", live.held()).budget("≤ 64 KiB").peer("shim 5–11 MB"),
        Row::new("memory an idle HTTP-handler pod, at 9,900", idle.held()).budget("≤ 12 KiB"),
    ])
}

/// What was measured of one crowd, a pod.
struct Crowd {
    rate: f64,
    cpu: Duration,
    memory: f64,
    /// Of it, what no file stands behind.
    anonymous: f64,
}

impl Crowd {
    fn held(&self) -> String {
        format!("{}, {} anonymous", kib(self.memory), kib(self.anonymous))
    }

    async fn of(home: &Home, guest: &str, by: By, count: usize) -> anyhow::Result<Self> {
        let server = home.start(&[])?;
        let mut api = server.connect().await?;
        namespace(&mut api).await?;
        // One before the others: its code is compiled, mapped, and in the memory that is compared with.
        let mut watch = PodWatch::open(server.connect().await?).await?;
        api.post(PODS, &pod("first", guest)).await?;
        watch.ready("first").await?;
        sleep(SETTLE).await;
        let process = server.process();
        let (memory, cpu, began) = (process.memory()?, process.cpu()?, Instant::now());
        let (made, ready) = tokio::join!(by.make(&server, guest, count), watch.ready_count(count));
        let took = began.elapsed();
        made.and(ready)?;
        let cpu = process.cpu()? - cpu;
        sleep(SETTLE).await;
        let now = process.memory()?;
        // Not gently: pods in a temporary directory are nobody's.
        drop(server);
        let count = count as f64;
        Ok(Self {
            rate: count / took.as_secs_f64(),
            cpu: cpu.div_f64(count),
            memory: now.resident.saturating_sub(memory.resident) as f64 / count,
            anonymous: now.anonymous.saturating_sub(memory.anonymous) as f64 / count,
        })
    }
}

/// Who makes the pods.
#[derive(Clone, Copy)]
enum By {
    Deployment,
    Clients,
}

impl By {
    async fn make(self, server: &Server, guest: &str, count: usize) -> anyhow::Result<()> {
        match self {
            Self::Deployment => {
                server.connect().await?.post(DEPLOYMENTS, &deployment(guest, count)).await?;
            }
            Self::Clients => {
                try_join_all((0..CLIENTS).map(|client| make_share(server, guest, client, count))).await?;
            }
        }
        Ok(())
    }
}

/// What one of the clients makes, one pod after the other.
async fn make_share(server: &Server, guest: &str, client: usize, count: usize) -> anyhow::Result<()> {
    let mut api = server.connect().await?;
    for number in (client..count).step_by(CLIENTS) {
        api.post(PODS, &pod(&format!("pod-{number}"), guest)).await?;
    }
    Ok(())
}

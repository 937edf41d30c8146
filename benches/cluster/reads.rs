//! GET of a pod and LIST of 5,000 of them, as JSON.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::future::try_join_all;
use http_body_util::BodyExt as _;

use crate::home::{API_ALONE, Home, Server};
use crate::manifests::{PODS, idle_pod, namespace};
use crate::report::{Row, micros, millis, percentile};

const PODS_KEPT: usize = 5000;
const CLIENTS: usize = 4;
const GETS: usize = 20_000;
const LISTS: usize = 40;

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let home = Home::new()?;
    let server = home.start(API_ALONE)?;
    let mut api = server.connect().await?;
    namespace(&mut api).await?;
    for number in 0..PODS_KEPT {
        api.post(PODS, &idle_pod(&format!("pod-{number}"))).await?;
    }
    let bytes = api.get(PODS).await?.len();
    let get = Reads::of(&server, GETS, &format!("{PODS}/pod-500")).await?;
    let list = Reads::of(&server, LISTS, PODS).await?;
    let object = list.cpu.div_f64(PODS_KEPT as f64);
    let first = first_byte(&server).await?;
    server.stop().await?;
    Ok(vec![
        Row::new("GET of a pod", get.text()).budget("≤ 30 µs").peer("kube-apiserver 450 µs"),
        Row::new("LIST of 5,000 pods, an object", micros(object)).budget("≤ 6 µs").peer("kube-apiserver 36–84 µs"),
        Row::new(format!("  the whole ({:.1} MB)", bytes as f64 / 1e6), list.text()),
        Row::new("  until its first byte, p50", millis(first)).budget("≤ 5 ms"),
    ])
}

/// From the request to the first piece of the body, on a connection that is there.
async fn first_byte(server: &Server) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..LISTS {
        let connection = server.connect().await?;
        let began = Instant::now();
        let mut list = connection.stream(PODS).await?;
        list.frame().await.context("the list is empty")??;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(percentile(&times, 50))
}

struct Reads {
    cpu: Duration,
    rate: f64,
}

impl Reads {
    fn text(&self) -> String {
        format!("{} CPU, {:.0}/s", micros(self.cpu), self.rate)
    }

    /// By clients that wait for the answer.
    async fn of(server: &Server, count: usize, path: &str) -> anyhow::Result<Self> {
        let mut connections = Vec::new();
        for _ in 0..CLIENTS {
            connections.push(server.connect().await?);
        }
        let process = server.process();
        let (cpu, began) = (process.cpu()?, Instant::now());
        let clients = connections.into_iter().map(|mut api| async move {
            for _ in 0..count / CLIENTS {
                api.get(path).await?;
            }
            anyhow::Ok(())
        });
        try_join_all(clients).await?;
        let (took, cpu) = (began.elapsed(), process.cpu()? - cpu);
        Ok(Self { cpu: cpu.div_f64(count as f64), rate: count as f64 / took.as_secs_f64() })
    }
}

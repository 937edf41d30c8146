//! GET of a pod and LIST of 1,000 of them, as JSON.

use std::time::{Duration, Instant};

use futures::future::try_join_all;

use crate::home::{API_ALONE, Home, Server};
use crate::manifests::{PODS, idle_pod, namespace};
use crate::report::{Row, micros};

const PODS_KEPT: usize = 1000;
const CLIENTS: usize = 4;
const GETS: usize = 20_000;
const LISTS: usize = 100;

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
    server.stop().await?;
    Ok(vec![
        Row::new("GET of a pod", get.text()).budget("≤ 30 µs").peer("kube-apiserver 450 µs"),
        Row::new("LIST of 1,000 pods, an object", micros(object)).budget("≤ 6 µs").peer("kube-apiserver 36–84 µs"),
        Row::new(format!("  the whole ({:.1} MB)", bytes as f64 / 1e6), list.text()),
    ])
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

//! Durable creates: pods of usual size, each on disk before its client is told, by clients that wait for the answer.

use std::time::{Duration, Instant};

use futures::future::try_join_all;

use crate::home::{API_ALONE, Home, Server};
use crate::manifests::{PODS, idle_pod, namespace};
use crate::report::{Row, micros, millis, percentile};

const TIME: Duration = Duration::from_secs(3);

/// However fast the disk is.
const MOST: usize = 30_000;

const PEER: &str = "kube-apiserver + etcd 490/s at 16 clients";

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for clients in [1, 16, 64] {
        let creates = Creates::of(API_ALONE, clients).await?;
        let row = Row::new(format!("durable creates, API alone, {clients} clients"), creates.text()).peer(PEER);
        rows.push(if clients == 64 { row.budget("≥ 3,000/s, ≤ 250 µs CPU") } else { row });
    }
    let creates = Creates::of(&[], 64).await?;
    rows.push(Row::new("durable creates, all in one, 64 clients", creates.text()));
    Ok(rows)
}

struct Creates {
    rate: f64,
    cpu: Duration,
    median: Duration,
}

impl Creates {
    fn text(&self) -> String {
        format!("{:.0}/s, {} CPU, p50 {}", self.rate, micros(self.cpu), millis(self.median))
    }

    async fn of(flags: &[&str], clients: usize) -> anyhow::Result<Self> {
        let home = Home::new()?;
        let server = home.start(flags)?;
        namespace(&mut server.connect().await?).await?;
        let process = server.process();
        let (cpu, began) = (process.cpu()?, Instant::now());
        let clients = (0..clients).map(|client| create(&server, client, began + TIME, MOST / clients));
        let mut times: Vec<Duration> = try_join_all(clients).await?.into_iter().flatten().collect();
        let (took, cpu) = (began.elapsed(), process.cpu()? - cpu);
        times.sort_unstable();
        drop(server);
        let count = times.len() as f64;
        Ok(Self { rate: count / took.as_secs_f64(), cpu: cpu.div_f64(count.max(1.0)), median: percentile(&times, 50) })
    }
}

/// One client, from its handshake to the end of the time.
async fn create(server: &Server, client: usize, until: Instant, most: usize) -> anyhow::Result<Vec<Duration>> {
    let mut api = server.connect().await?;
    let mut times = Vec::new();
    while Instant::now() < until && times.len() < most {
        let pod = idle_pod(&format!("pod-{client}-{}", times.len())).to_string();
        let began = Instant::now();
        api.send(hyper::Method::POST, PODS, pod.into()).await?;
        times.push(began.elapsed());
    }
    Ok(times)
}

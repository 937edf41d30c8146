//! Watch delivery: 300 clients that watch the ConfigMaps of a namespace while one of them changes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures::future::try_join_all;
use http_body_util::BodyExt as _;
use hyper::Method;
use hyper::body::Incoming;

use crate::connection::Connection;
use crate::home::{API_ALONE, Home, Server};
use crate::manifests::{CONFIG_MAPS, config_map, namespace};
use crate::report::{Row, micros, millis};

const WATCHERS: usize = 300;
const CHANGES: usize = 300;

/// For an event to arrive everywhere.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let home = Home::new()?;
    let server = home.start(API_ALONE)?;
    let mut api = server.connect().await?;
    namespace(&mut api).await?;
    api.post(CONFIG_MAPS, &config_map("watched", 0)).await?;
    let alone = round(&server, &mut api, Vec::new()).await?;
    let mut watches = Vec::new();
    for _ in 0..WATCHERS {
        let mut watch = server.connect().await?.stream(&format!("{CONFIG_MAPS}?watch=true")).await?;
        read(&mut watch, 1).await?;
        watches.push(watch);
    }
    let watched = round(&server, &mut api, watches).await?;
    server.stop().await?;
    let deliveries = (WATCHERS * CHANGES) as f64;
    let each = watched.cpu.saturating_sub(alone.cpu).div_f64(deliveries);
    let last = watched.took.div_f64(CHANGES as f64);
    Ok(vec![
        Row::new("watch delivery, 300 watchers, an event", format!("{} CPU", micros(each)))
            .budget("≤ 8 µs")
            .peer("kube-apiserver 22 µs"),
        Row::new("  a change, until the last watcher has it", millis(last)),
    ])
}

struct Round {
    cpu: Duration,
    took: Duration,
}

/// Makes the changes one after the other; each is to be with every watcher before the next.
async fn round(server: &Server, api: &mut Connection, mut watches: Vec<Incoming>) -> anyhow::Result<Round> {
    let process = server.process();
    let (cpu, began) = (process.cpu()?, Instant::now());
    for change in 1..=CHANGES {
        let path = format!("{CONFIG_MAPS}/watched");
        api.send(Method::PUT, &path, config_map("watched", change).to_string().into()).await?;
        try_join_all(watches.iter_mut().map(|watch| read(watch, 1))).await?;
    }
    Ok(Round { took: began.elapsed(), cpu: process.cpu()? - cpu })
}

/// Reads as many lines.
async fn read(watch: &mut Incoming, mut lines: usize) -> anyhow::Result<()> {
    while lines > 0 {
        let next = tokio::time::timeout(PATIENCE, watch.frame()).await.context("an event does not arrive")?;
        let Some(frame) = next else { bail!("a watch ended") };
        let frame = frame?;
        let data = frame.data_ref().context("trailers in a watch")?;
        lines = lines.saturating_sub(data.iter().filter(|byte| **byte == b'\n').count());
    }
    Ok(())
}

//! One pod at a time: from the POST to the event that says it is ready, the image compiled already.

use std::time::Instant;

use hyper::Method;

use crate::home::Home;
use crate::manifests::{PODS, namespace, pod};
use crate::pod_watch::PodWatch;
use crate::report::{Row, millis, percentile};

const GUEST: &str = "tcp-echo";
const PODS_MADE: usize = 200;

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let home = Home::with_image(GUEST)?;
    let server = home.start(&[])?;
    let mut api = server.connect().await?;
    namespace(&mut api).await?;
    let mut watch = PodWatch::open(server.connect().await?).await?;
    let mut times = Vec::with_capacity(PODS_MADE);
    for number in 0..=PODS_MADE {
        let name = format!("pod-{number}");
        let began = Instant::now();
        api.post(PODS, &pod(&name, GUEST)).await?;
        watch.ready(&name).await?;
        times.push(began.elapsed());
        api.send(Method::DELETE, &format!("{PODS}/{name}"), "{\"gracePeriodSeconds\":0}".into()).await?;
        watch.gone(&name).await?;
    }
    server.stop().await?;
    // The first compiles the guest.
    let first = times.remove(0);
    times.sort_unstable();
    Ok(vec![
        Row::new("pod: POST to Ready, p50", millis(percentile(&times, 50))).budget("≤ 10 ms").peer("ctr run 118 ms"),
        Row::new("pod: POST to Ready, p99", millis(percentile(&times, 99))),
        Row::new("pod: POST to Ready, image not yet compiled", millis(first)),
    ])
}

//! Memory of an API that holds 100,000 ConfigMaps, beside the size of their JSON.

use futures::future::try_join_all;

use crate::home::{API_ALONE, Home, Server};
use crate::manifests::{CONFIG_MAPS, config_map, namespace};
use crate::report::{Row, mb};

const HELD: usize = 100_000;
const CLIENTS: usize = 16;

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let home = Home::new()?;
    let server = home.start(API_ALONE)?;
    let mut api = server.connect().await?;
    namespace(&mut api).await?;
    try_join_all((0..CLIENTS).map(|client| fill(&server, client))).await?;
    let (page, pages) = (api.get(&format!("{CONFIG_MAPS}?limit=1000")).await?.len(), HELD / 1000);
    let memory = server.process().memory()?;
    let json = (page * pages) as u64;
    let times = memory.resident.saturating_sub(100_000_000) as f64 / json as f64;
    server.stop().await?;
    // What a start makes of the same data is what a restarted device has.
    let again = home.start(API_ALONE)?;
    let mut api = again.connect().await?;
    api.get(&format!("{CONFIG_MAPS}?limit=1")).await?;
    let restarted = again.process().memory()?;
    again.stop().await?;
    Ok(vec![
        Row::new(
            format!("100,000 configmaps held ({} of JSON)", mb(json)),
            format!("{}: {times:.2} times and 100 MB", mb(memory.resident)),
        )
        .budget("≤ 1.3 × JSON + 100 MB"),
        Row::new("  after a restart", mb(restarted.resident)),
    ])
}

async fn fill(server: &Server, client: usize) -> anyhow::Result<()> {
    let mut api = server.connect().await?;
    for number in 0..HELD / CLIENTS {
        api.post(CONFIG_MAPS, &config_map(&format!("map-{client}-{number}"), 0)).await?;
    }
    Ok(())
}

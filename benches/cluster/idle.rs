//! A cluster in which nothing happens: its memory, and what it does in a minute.

use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use crate::home::Home;
use crate::report::{Row, mb, millis};

/// For what follows a start to be over.
const SETTLE: Duration = Duration::from_secs(15);
const MINUTE: Duration = Duration::from_secs(60);

pub async fn measure() -> anyhow::Result<Vec<Row>> {
    let home = Home::new()?;
    let server = home.start(&[])?;
    sleep(SETTLE).await;
    let process = server.process();
    let (cpu, written, then) = (process.cpu()?, process.written()?, SystemTime::now());
    sleep(MINUTE).await;
    let memory = process.memory()?;
    let written = process.written()? - written;
    let changed = home.changed_since(then)?;
    for path in &changed {
        eprintln!("written while idle: {}", path.display());
    }
    let rows = vec![
        Row::new("idle, all in one: resident memory", mb(memory.resident))
            .budget("≤ 30 MB")
            .peer("kube-apiserver + etcd + controller-manager 426 MB"),
        Row::new("  of it anonymous (the rest is the executable)", mb(memory.anonymous)),
        Row::new("idle: bytes written in a minute", written.to_string()).budget("0"),
        Row::new("idle: files changed in a minute", changed.len().to_string()).budget("0"),
        Row::new("idle: processor time in a minute", millis(process.cpu()? - cpu)),
    ];
    server.stop().await?;
    Ok(rows)
}

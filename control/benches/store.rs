//! Durable creates a second at the level of the store: `cargo bench -p sampan-control --bench store [-- DIRECTORY]`.
//!
//! The directory chooses the disk; a temporary one may be in memory, where an fsync costs nothing.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use control::store::{Class, Config, Draft, Expect, Key, Store, Write};
use serde_json::{Value, json};

const TIME: Duration = Duration::from_secs(2);

fn main() {
    let root = std::env::args().skip(1).find(|a| !a.starts_with('-')).map_or_else(std::env::temp_dir, PathBuf::from);
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    println!("{:>8} {:>12} {:>12}", "clients", "creates/s", "median µs");
    for clients in [1, 16, 64] {
        let directory = tempfile::tempdir_in(&root).expect("a directory");
        let path = directory.path().join("state.redb");
        let store = Store::open(Config { path: Some(path), ..Config::default() }).expect("a store");
        let (creates, median) = runtime.block_on(measure(&store, clients));
        println!("{clients:>8} {creates:>12.0} {:>12}", median.as_micros());
        runtime.block_on(store.close());
    }
}

async fn measure(store: &Store, clients: usize) -> (f64, Duration) {
    let start = Instant::now();
    let tasks = (0..clients).map(|client| tokio::spawn(create(store.clone(), client, start + TIME)));
    let mut latencies: Vec<Duration> =
        futures::future::join_all(tasks).await.into_iter().flat_map(|t| t.expect("a client")).collect();
    let rate = latencies.len() as f64 / start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    (rate, latencies.get(latencies.len() / 2).copied().unwrap_or_default())
}

async fn create(store: Store, client: usize, until: Instant) -> Vec<Duration> {
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let name = format!("object-{client}-{}", latencies.len());
        let write = Write::Put {
            key: Key::new("configmaps", "default", &name),
            expect: Expect::Absent,
            draft: Draft::new(&object(&name)),
            class: Class::Durable,
        };
        let start = Instant::now();
        store.write(write).await.expect("a create");
        latencies.push(start.elapsed());
    }
    latencies
}

fn object(name: &str) -> Value {
    json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name, "namespace": "default"}, "data": {"text": "x".repeat(1000)}})
}

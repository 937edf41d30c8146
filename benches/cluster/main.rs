//! What Sampan costs: `cargo bench --bench cluster [-- NAME…]`, by hand, on a quiet machine.
//!
//! Every measure drives the real executable as a child process, over HTTPS on the loopback address, with objects and
//! guests as users have them. Nothing is asserted: what is measured is printed as one table, with the budget and the
//! peer beside it, and belongs into `docs/performance.md`. Each measure is bounded in count and in time.
//!
//! ```text
//! NAME… ─► measure ─► Home (a data directory) ─► Server (the child) ◄─ Connection (HTTPS, HTTP)
//!                └─► Row … ─► table             └► Process (its processor time, memory, writes)
//! ```

mod home;
mod process;
mod running;

mod access;
mod connection;
mod manifests;
mod pod_watch;
mod websocket;

mod report;

mod crowd;
mod exec;
mod forward;
mod handler;
mod held;
mod idle;
mod latency;
mod reads;
mod returned;
mod start;
mod watchers;
mod writes;
mod yardstick;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use report::Row;

type Measure = fn() -> BoxFuture<'static, anyhow::Result<Vec<Row>>>;

/// What can be measured, in the order in which it is.
const MEASURES: &[(&str, Measure)] = &[
    ("start", || start::measure().boxed()),
    ("idle", || idle::measure().boxed()),
    ("latency", || latency::measure().boxed()),
    ("crowd", || crowd::measure().boxed()),
    ("multitude", || crowd::multitude().boxed()),
    ("returned", || returned::measure().boxed()),
    ("exec", || exec::measure().boxed()),
    ("forward", || forward::measure().boxed()),
    ("handler", || handler::measure().boxed()),
    ("writes", || writes::measure().boxed()),
    ("reads", || reads::measure().boxed()),
    ("watchers", || watchers::measure().boxed()),
    ("held", || held::measure().boxed()),
];

#[tokio::main]
async fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let done = match names.as_slice() {
        [only] if only == yardstick::NAME => yardstick::serve().await,
        _ => measure(&names).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the measures of these names, or all; one that fails does not keep the others from being printed.
async fn measure(names: &[String]) -> anyhow::Result<()> {
    let known = |name: &String| MEASURES.iter().any(|(known, _)| known == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let known: Vec<_> = MEASURES.iter().map(|(name, _)| *name).collect();
        bail!("there is no measure {unknown:?}; there are {}", known.join(", "));
    }
    let (mut rows, mut failed) = (Vec::new(), Ok(()));
    for (name, measure) in MEASURES.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|n| n == name)) {
        eprintln!("measuring: {name}");
        match measure().await.with_context(|| format!("measuring {name}")) {
            Ok(measured) => rows.extend(measured),
            Err(error) => {
                eprintln!("{error:#}");
                failed = Err(error);
            }
        }
    }
    home::clear();
    print!("{}", report::table(&rows));
    failed
}

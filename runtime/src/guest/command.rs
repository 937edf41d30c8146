//! `wasi:cli/run`, in both versions.

use wasmtime::Store;
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::p3::bindings::CommandPre as ConcurrentCommandPre;

use crate::host::Host;

/// A program that runs from start to exit.
#[derive(Clone)]
pub(crate) enum Command {
    /// WASI 0.2, and what was made of wasip1.
    Sequential(CommandPre<Host>),
    /// WASI 0.3.
    Concurrent(ConcurrentCommandPre<Host>),
}

impl Command {
    pub(super) fn engine(&self) -> &wasmtime::Engine {
        match self {
            Command::Sequential(entry) => entry.engine(),
            Command::Concurrent(entry) => entry.engine(),
        }
    }

    /// Runs it in a Store of its own, made for its engine.
    pub(crate) async fn run(&self, mut store: Store<Host>) -> wasmtime::Result<Result<(), ()>> {
        match self {
            Command::Sequential(entry) => {
                let command = entry.instantiate_async(&mut store).await?;
                command.wasi_cli_run().call_run(&mut store).await
            }
            Command::Concurrent(entry) => {
                let command = entry.instantiate_async(&mut store).await?;
                store.run_concurrent(async |store| command.wasi_cli_run().call_run(store).await).await?
            }
        }
    }
}

//! A guest that is started once and runs until it returns.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::task::JoinHandle;
use wasmtime_wasi::p2::bindings::CommandPre;

use super::verdict::{self, Exit};
use super::{Setting, StartError};
use crate::host::Host;

pub(super) fn start(setting: Arc<Setting>, entry: CommandPre<Host>) -> Result<JoinHandle<Exit>, StartError> {
    let host = Host::new(&setting)?;
    let engine = setting.engine.clone();
    Ok(engine.inner().guests.spawn(async move {
        let gate = Arc::clone(&setting.gate);
        tokio::select! {
            exit = run(&setting, entry, host) => exit,
            // Its Store goes here, with the sockets that nobody is connected to.
            () = gate.over() => Exit::Code(verdict::STOPPED),
        }
    }))
}

async fn run(setting: &Setting, entry: CommandPre<Host>, host: Host) -> Exit {
    let denied = host.limits.denied();
    let mut store = host.into_store(&setting.engine);
    let result = async {
        let command = entry.instantiate_async(&mut store).await?;
        command.wasi_cli_run().call_run(&mut store).await
    }
    .await;
    verdict::judge(result, denied.load(Relaxed))
}

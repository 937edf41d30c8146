//! A guest that is started once and runs until it returns.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::task::JoinHandle;
use wasmtime::Store;
use wasmtime_wasi::p2::bindings::CommandPre;

use super::parking::noticed;
use super::verdict::{self, Exit};
use super::{Setting, StartError};
use crate::host::Host;

pub(super) fn start(setting: Arc<Setting>, entry: CommandPre<Host>) -> Result<JoinHandle<Exit>, StartError> {
    let host = Host::new(&setting)?;
    let denied = host.limits.denied();
    let store = host.into_store(&setting.engine);
    let gate = Arc::clone(&setting.gate);
    let engine = setting.engine.clone();
    let code = Arc::clone(&setting.guest);
    let account = Arc::clone(&setting.cpu);
    Ok(engine.inner().guests.spawn(async move {
        // As long as one container holds it, the next one of the image maps nothing.
        let _code = code;
        tokio::select! {
            result = account.paced(noticed(run(store, entry), gate.waits().clone())) => verdict::judge(result, denied.load(Relaxed)),
            // Its Store goes here, with the sockets that nobody is connected to.
            () = gate.over() => Exit::Code(verdict::STOPPED),
        }
    }))
}

async fn run(mut store: Store<Host>, entry: CommandPre<Host>) -> wasmtime::Result<Result<(), ()>> {
    let command = entry.instantiate_async(&mut store).await?;
    command.wasi_cli_run().call_run(&mut store).await
}

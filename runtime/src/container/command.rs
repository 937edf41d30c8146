//! A guest that is started once and runs until it returns.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::task::JoinHandle;
use wasmtime::Store;

use super::parking::noticed;
use super::processes::Listed;
use super::verdict::{self, Exit};
use super::{Setting, StartError};
use crate::guest::{CompiledGuest, Entry};
use crate::host::Host;

pub(super) fn start(setting: Arc<Setting>) -> Result<JoinHandle<Exit>, StartError> {
    let program = setting.main();
    let process = program.process.clone();
    let listed = Listed::new(&setting.sandbox.processes, &process);
    let host = Host::new(&setting, program)?;
    let denied = host.limits.denied();
    let store = host.into_store();
    let engine = setting.engine.clone();
    Ok(engine.inner().guests.spawn(async move {
        // As long as one container holds it, the next one of the image maps nothing.
        let (gate, code) = (&setting.gate, &setting.guest);
        let interrupts = setting.terminal.as_ref().map(|tty| tty.wait_for(process.clone()));
        let guest = setting.cpu.paced(&process.meter, noticed(run(store, code), gate.waits().clone()));
        let exit = tokio::select! {
            result = guest => verdict::judge(result, denied.load(Relaxed)),
            // Its Store goes here, with the sockets that nobody is connected to.
            () = gate.over() => Exit::Code(verdict::STOPPED),
            code = process.stopped() => Exit::Code(code),
        };
        drop(interrupts);
        setting.console.close();
        listed.finish(exit.clone());
        exit
    }))
}

/// Instantiates a guest and runs it to its end.
pub(super) async fn run(store: Store<Host>, guest: &CompiledGuest) -> wasmtime::Result<Result<(), ()>> {
    match &guest.entry {
        Entry::Command(entry) => entry.run(store).await,
        // Called with requests, never run.
        Entry::Http(_) => Ok(Err(())),
    }
}

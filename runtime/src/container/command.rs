//! A guest that is started once and runs until it returns.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::task::JoinHandle;

use super::parking::noticed;
use super::verdict::{self, Exit};
use super::{Setting, StartError};
use crate::guest::Command;
use crate::host::Host;

pub(super) fn start(setting: Arc<Setting>, entry: Command) -> Result<JoinHandle<Exit>, StartError> {
    let host = Host::new(&setting)?;
    let denied = host.limits.denied();
    let store = host.into_store(setting.guest.engine());
    let gate = Arc::clone(&setting.gate);
    let engine = setting.engine.clone();
    let code = Arc::clone(&setting.guest);
    Ok(engine.inner().guests.spawn(async move {
        // As long as one container holds it, the next one of the image maps nothing.
        let _code = code;
        tokio::select! {
            result = noticed(entry.run(store), gate.waits().clone()) => verdict::judge(result, denied.load(Relaxed)),
            // Its Store goes here, with the sockets that nobody is connected to.
            () = gate.over() => Exit::Code(verdict::STOPPED),
        }
    }))
}

//! How a command that stays is told to go.

use std::io;

use sampan::Cluster;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C and the signal to terminate. From when they are caught on, nothing is left behind by either.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen.
    pub fn catch() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one of them, or for a component that fails. After it, a second Ctrl-C ends the process at once.
    pub async fn or_failed(&mut self, cluster: &mut Cluster) -> anyhow::Result<()> {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            failed = cluster.failed() => return Err(failed.into()),
        }
        tokio::spawn(async {
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(130);
            }
        });
        Ok(())
    }
}

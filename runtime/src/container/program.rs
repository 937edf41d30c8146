//! Programs beside a container's guest: an exec, or what a shell starts.
//!
//! A program has the container's mounts, network, memory and end; its arguments, environment and streams are its own.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::gate::Gate;
use super::processes::{Listed, Parent, Process, TooMany};
use super::verdict::{self, Exit};
use super::{Setting, StartError, command};
use crate::guest::{CompiledGuest, Entry};
use crate::host::Host;
use crate::host::stdio::Streams;

/// What one instance is run with.
pub(crate) struct Program {
    pub(crate) guest: Arc<CompiledGuest>,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) dir: Option<String>,
    pub(crate) streams: Streams,
    /// The container's, when a stop lets it finish what it has been sent: for the guest, and what that has started.
    pub(crate) gate: Arc<Gate>,
    pub(crate) process: Arc<Process>,
}

/// What to start.
pub(crate) struct Order<'a> {
    pub(crate) guest: Arc<CompiledGuest>,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) dir: Option<String>,
    pub(crate) streams: Streams,
    pub(crate) by: Parent<'a>,
}

/// Why a program did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error(transparent)]
    Start(#[from] StartError),
    /// It handles requests and nothing else.
    #[error("the component exports no wasi:cli/run")]
    NoCommand,
    /// The container is over.
    #[error("the container has ended")]
    Over,
}

/// Starts a program in a container. It runs until it returns, is ended, or the container is over.
pub(crate) fn launch(setting: &Arc<Setting>, order: Order<'_>) -> Result<Arc<Process>, LaunchError> {
    if setting.gate.is_gone() {
        return Err(LaunchError::Over);
    }
    if !matches!(order.guest.entry, Entry::Command(_)) {
        return Err(LaunchError::NoCommand);
    }
    let processes = &setting.sandbox.processes;
    let process = processes.begin(&setting.name, order.args.clone(), order.by)?;
    let listed = Listed::new(processes, &process);
    let Order { guest, args, env, dir, streams, .. } = order;
    let gate = if process.is_the_guests() { setting.gate.clone() } else { Gate::new() };
    let program = Program { guest, args, env, dir, streams, gate, process: process.clone() };
    let host = Host::new(setting, Arc::new(program))?;
    let task = run(setting.clone(), host, listed);
    drop(setting.engine.inner().guests.spawn(task));
    Ok(process)
}

async fn run(setting: Arc<Setting>, host: Host, listed: Listed) {
    let denied = host.limits.denied();
    let program = host.program().clone();
    let store = host.into_store();
    let guest = setting.cpu.paced(&program.process.meter, command::run(store, &program.guest));
    let exit = tokio::select! {
        result = guest => verdict::judge(result, denied.load(Relaxed)),
        code = program.process.stopped() => Exit::Code(code),
        () = setting.gate.gone() => Exit::Code(verdict::KILLED),
    };
    if let Some(why) = complaint(&exit) {
        let _ = program.streams.stderr.push(why.as_bytes());
    }
    // Whoever waits for it finds its streams closed.
    drop(program);
    listed.finish(exit);
}

/// What a program that could not finish leaves on its standard error.
fn complaint(exit: &Exit) -> Option<String> {
    match exit {
        Exit::Code(_) => None,
        Exit::Trap { message, backtrace } => Some(format!("{message}\n{backtrace}\n")),
        Exit::OutOfMemory => Some("Out of memory: killed by the container's memory limit\n".to_owned()),
        Exit::HostFault(why) => Some(format!("{why}\n")),
    }
}

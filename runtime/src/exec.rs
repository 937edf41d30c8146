//! Programs in containers that run: `kubectl exec`, `kubectl attach`, exec probes and hooks.
//!
//! A guest is one component and nothing else: there is no file system with tools in it. So a command is one of three
//! things: the container's own image, when it goes by that name; a tool of the [toolbox], one small component that every
//! node has; or not there. Either way it is an instance of its own in the container's place: its network, environment,
//! mounts, working directory and memory. It ends with the container, and when whoever started it lets go of it.

pub mod choice;
mod toolbox;
mod wires;

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

pub use streaming::TerminalSize;

use crate::agent::directory::Directory;
use crate::container::add_term;
use crate::container::processes::{Parent, Process};
use crate::container::program::{LaunchError, Order, launch};
use crate::container::{Exit, Handle, Processes};
use crate::image;
use choice::Choice;
use toolbox::Toolbox;
use wires::Wires;

/// Something to read a program's input from.
pub type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// Something to write its output to.
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// The other ends of a program's standard streams, whoever holds them.
#[derive(Default)]
pub struct Streams {
    /// What it reads. Without one its input is empty.
    pub stdin: Option<Reader>,
    /// What it prints. Without one it is discarded.
    pub stdout: Option<Writer>,
    /// Its errors. With a terminal there is one stream for both.
    pub stderr: Option<Writer>,
    /// Whether the streams are a terminal.
    pub tty: bool,
    /// The terminal's size, each time it changes.
    pub resize: Option<mpsc::Receiver<TerminalSize>>,
}

/// Runs programs in the containers of one node. Cheap to clone.
#[derive(Clone)]
pub struct Exec {
    directory: Arc<Directory>,
    toolbox: Toolbox,
}

/// Why nothing was run, in a kubelet's words.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such pod here.
    #[error("pod does not exist")]
    NoPod,
    /// The pod has no such container, or it does not run.
    #[error("container not found ({0:?})")]
    NoContainer(String),
    /// An empty command.
    #[error("you must specify at least one command for the container")]
    NoCommand,
    /// Neither the image nor the toolbox has it.
    #[error("OCI runtime exec failed: exec failed: unable to start container process: exec: {command:?}: {}: unknown",
        absent(.command))]
    NotFound {
        /// It.
        command: String,
    },
    /// It could not be started.
    #[error("OCI runtime exec failed: exec failed: unable to start container process: {0}: unknown")]
    Start(String),
}

impl Error {
    /// The exit code that a shell would give it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::NotFound { .. } => 127,
            _ => 126,
        }
    }
}

/// A name is looked for; a path is there or not.
fn absent(command: &str) -> String {
    if command.contains('/') {
        format!("stat {command}: no such file or directory")
    } else {
        "executable file not found in $PATH".to_owned()
    }
}

impl Exec {
    /// Runs programs in the containers of these pods, with the toolbox from this store.
    pub fn new(directory: Arc<Directory>, images: image::Store) -> Exec {
        Exec { directory, toolbox: Toolbox::new(images) }
    }

    /// The container, if it runs: to be asked before a connection is upgraded.
    ///
    /// # Errors
    /// No such pod, no such container, or it does not run now.
    pub fn container(&self, namespace: &str, pod: &str, container: &str) -> Result<Arc<Handle>, Error> {
        let view = self.directory.find(namespace, pod).ok_or(Error::NoPod)?;
        view.handle(container).ok_or_else(|| Error::NoContainer(container.to_owned()))
    }
}

/// Runs a command in a container, to its end.
///
/// # Cancel safety
/// Dropping the future ends the program and everything it has started.
///
/// # Errors
/// Nothing was run.
pub async fn run(
    node: &Exec,
    namespace: &str,
    pod: &str,
    container: &str,
    command: Vec<String>,
    streams: Streams,
) -> Result<Exit, Error> {
    run_in(node, &*node.container(namespace, pod, container)?, command, streams).await
}

/// The same, in a container that is known to run.
///
/// # Cancel safety
/// As [`run`].
///
/// # Errors
/// As [`run`].
pub async fn run_in(node: &Exec, container: &Handle, command: Vec<String>, streams: Streams) -> Result<Exit, Error> {
    let name = command.first().cloned().ok_or(Error::NoCommand)?;
    let setting = container.setting();
    let (guest, args) = match choice::choose(&command, setting, &node.toolbox).await? {
        Choice::Own => (setting.guest.clone(), command),
        Choice::Toolbox(guest) => (guest, command),
        Choice::None => return Err(Error::NotFound { command: name }),
    };
    let (inside, wires) = Wires::connect(streams, &setting.sandbox.processes);
    let mut env = setting.spec.env.clone();
    if inside.terminal.is_some() {
        add_term(&mut env);
    }
    let dir = setting.spec.working_dir.clone();
    let order = Order { guest, args, env, dir, streams: inside, by: Parent::Exec };
    let process = launch(setting, order).map_err(|error| match error {
        LaunchError::Over => Error::NoContainer(container.name().to_owned()),
        error => Error::Start(error.to_string()),
    })?;
    let session = Session { processes: setting.sandbox.processes.clone(), process: Some(process.clone()) };
    let exit = wires.carry(process).await;
    session.finish();
    Ok(exit)
}

/// What an exec has started, until it is over. Broken off, all of it ends; what a program left running in the
/// background when it ended by itself stays.
struct Session {
    processes: Processes,
    process: Option<Arc<Process>>,
}

impl Session {
    fn finish(mut self) {
        self.process = None;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(process) = &self.process {
            self.processes.end_session(process);
        }
    }
}

/// Attaches to a container's own streams. Returns when the container is over, or the streams are gone.
///
/// # Cancel safety
/// Dropping the future leaves the container alone.
///
/// # Errors
/// There is nothing to attach to.
pub async fn attach(node: &Exec, namespace: &str, pod: &str, container: &str, streams: Streams) -> Result<(), Error> {
    attach_to(&*node.container(namespace, pod, container)?, streams).await;
    Ok(())
}

/// The same, to a container that is known to run.
pub async fn attach_to(container: &Handle, streams: Streams) {
    wires::attach(container.setting(), streams).await;
}

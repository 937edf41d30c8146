//! A container: one guest, running.
//!
//! A [command](command) is one Store and one task from start to exit. An [HTTP handler](http) is a Store and a task a
//! request, and nothing in between. Either way dropping the [`Container`] drops the Stores, and with a Store goes
//! everything its guest held: sockets and ports, memory, files. A restart is a new container.

mod command;
pub(crate) mod console;
pub(crate) mod cpu;
pub(crate) mod files;
pub(crate) mod gate;
mod handle;
mod http;
mod http3;
pub(crate) mod limits;
mod output;
mod parking;
pub(crate) mod processes;
pub(crate) mod program;
mod stdin;
mod usage;
pub(crate) mod verdict;

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinHandle;
use wasmtime_wasi_config::WasiConfigVariables;

use crate::blobstore::{self, Buckets};
use crate::engine::Engine;
use crate::guest::{CompiledGuest, Entry};
use crate::host::http::UNDER_WAY;
use crate::host::preopens;
use crate::host::stdio::{Out, Streams};
use crate::host::terminal::Tty;
use crate::keyvalue;
use crate::sandbox::Sandbox;
use crate::volume::beneath;
use console::Console;
use cpu::Account;
use files::Quota;
use gate::Gate;
use limits::Memory;
use program::Program;
use stdin::Keyboard;

pub use cpu::Cpu;
pub use handle::Handle;
pub(crate) use handle::add_term;
pub use output::{Output, Stdio};
pub use processes::Processes;
pub use stdin::Stdin;
pub use usage::{Meter, Usage};
pub use verdict::Exit;

/// Pipes that the programs of a container have at once, of 64 KiB each.
const PIPES: usize = 512;

/// What is refused to a guest whose container has no volumes.
const BLOBSTORE: &str = "wasi:blobstore/";

/// What to run a guest with.
#[derive(Clone)]
pub struct Spec {
    /// What the pod calls it.
    pub name: String,
    /// What its image is called: the program that it is, for who asks for it by name.
    pub program: String,
    /// The arguments, the program's name first.
    pub args: Vec<String>,
    /// The environment. `HOSTNAME` is added where it is missing.
    pub env: Vec<(String, String)>,
    /// What `wasi:config` tells it.
    pub config: Vec<(String, String)>,
    /// Where `wasi:keyvalue` keeps what it is given; `None` refuses to.
    pub keyvalue: Option<keyvalue::Namespace>,
    /// The volumes that `wasi:blobstore` keeps objects in.
    pub blobs: Vec<blobstore::Place>,
    /// The directories it sees.
    pub mounts: Vec<Mount>,
    /// More of them, which are made when the guest first looks at what directories it has.
    pub lazy_mounts: Vec<LazyMount>,
    /// What `initial-cwd` answers. WASI knows no current directory: toolchains resolve relative paths against this
    /// themselves, or not at all.
    pub working_dir: Option<String>,
    /// Bytes of linear memory; `None` is the engine's default.
    pub memory_limit: Option<u64>,
    /// Its part of the processors.
    pub cpu: Cpu,
    /// The log.
    pub output: Arc<dyn Output>,
    /// The ports on which an HTTP handler is called. A command opens its own.
    pub http_ports: Vec<u16>,
    /// Its standard input.
    pub stdin: Stdin,
    /// Whether its standard streams are a terminal.
    pub tty: bool,
}

impl Spec {
    /// A guest with no arguments, environment or directories, that talks to `output`.
    pub fn new(output: Arc<dyn Output>) -> Spec {
        Spec {
            name: String::new(),
            program: String::new(),
            args: Vec::new(),
            env: Vec::new(),
            config: Vec::new(),
            keyvalue: None,
            blobs: Vec::new(),
            mounts: Vec::new(),
            lazy_mounts: Vec::new(),
            working_dir: None,
            memory_limit: None,
            cpu: Cpu::default(),
            output,
            http_ports: Vec::new(),
            stdin: Stdin::Empty,
            tty: false,
        }
    }
}

/// A directory of the host, seen by a guest.
#[derive(Debug, Clone)]
pub struct Mount {
    /// Where it is.
    pub host: PathBuf,
    /// Where the guest sees it.
    pub guest: String,
    /// Whether writing is refused.
    pub read_only: bool,
    /// The directory itself, held open: what is mounted, whatever `host` has become since.
    pub pin: Option<Arc<OwnedFd>>,
}

impl Mount {
    /// The path to open.
    pub(crate) fn source(&self) -> PathBuf {
        self.pin.as_ref().and_then(beneath::pinned).unwrap_or_else(|| self.host.clone())
    }
}

/// A directory that costs nothing until a guest looks: most never do.
#[derive(Clone)]
pub struct LazyMount {
    /// Where it will be, and where the guest sees it.
    pub mount: Mount,
    /// Makes it. Called on a thread that runs guests: a few small files at most, and nothing when it was called before.
    pub make: Arc<dyn Fn() -> std::io::Result<()> + Send + Sync>,
}

/// Why a container did not start. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A mount's directory can't be opened.
    #[error("cannot open {path} for the mount {guest}: {reason}", path = .host.display())]
    Mount {
        /// The directory on the host.
        host: PathBuf,
        /// The path in the guest.
        guest: String,
        /// What the system said.
        reason: String,
    },
    /// It asks for objects, and there is nowhere to keep them.
    #[error("the component imports {import}, and the container mounts no volume that objects could be kept in")]
    Blobs {
        /// The interface.
        import: String,
    },
    /// Another container of the pod has the port.
    #[error("cannot listen on port {port}: {source}")]
    Port {
        /// The port.
        port: u16,
        /// What the network said.
        source: netproxy::fabric::SocketError,
    },
}

/// A running guest. Dropping it kills the guest: at once when it waits, within a tick when it is busy.
pub struct Container {
    task: JoinHandle<Exit>,
    exit: Option<Exit>,
    gate: Arc<Gate>,
    handle: Arc<Handle>,
    started_at: SystemTime,
}

/// Starts a guest in a pod.
///
/// # Errors
/// What the spec asks for and the host can't give. What goes wrong in the guest, even while it is instantiated, is an
/// [`Exit`].
pub fn start(
    engine: &Engine,
    guest: Arc<CompiledGuest>,
    sandbox: &Sandbox,
    spec: Spec,
) -> Result<Container, StartError> {
    preopens::check(&spec)?;
    if let Some(import) = guest.imports.iter().find(|name| name.starts_with(BLOBSTORE))
        && spec.blobs.is_empty()
    {
        return Err(StartError::Blobs { import: import.clone() });
    }
    let setting = Arc::new(Setting::new(engine, guest, sandbox, spec));
    let started_at = SystemTime::now();
    let task = match &setting.guest.entry {
        Entry::Command(_) => command::start(setting.clone())?,
        Entry::Http(entry) => http::start(setting.clone(), entry.clone())?,
    };
    let gate = setting.gate.clone();
    Ok(Container { task, exit: None, gate, handle: Arc::new(Handle(setting)), started_at })
}

/// Everything a Store of this container is made from.
pub(crate) struct Setting {
    pub(crate) engine: Engine,
    /// Held for as long as the container lives, so that other containers of the image share its code.
    pub(crate) guest: Arc<CompiledGuest>,
    pub(crate) sandbox: Sandbox,
    pub(crate) spec: Spec,
    pub(crate) memory: Arc<Memory>,
    pub(crate) cpu: Arc<Account>,
    pub(crate) files: Quota,
    pub(crate) gate: Arc<Gate>,
    pub(crate) name: Arc<str>,
    pub(crate) console: Arc<Console>,
    pub(crate) keyboard: Keyboard,
    /// Room for pipes between its programs.
    pub(crate) pipes: Arc<Semaphore>,
    /// Room for requests that its programs send.
    pub(crate) requests: Arc<Semaphore>,
    pub(crate) terminal: Option<Arc<Tty>>,
    pub(crate) config: WasiConfigVariables,
    /// Opened by the first of its instances that asks.
    pub(crate) keyvalue: OnceCell<Arc<keyvalue::Store>>,
    pub(crate) buckets: Arc<Buckets>,
}

impl Setting {
    fn new(engine: &Engine, guest: Arc<CompiledGuest>, sandbox: &Sandbox, mut spec: Spec) -> Setting {
        let memory = Memory::new(engine.memory_limit(spec.memory_limit));
        let console = Console::new(spec.output.clone(), spec.stdin != Stdin::Empty);
        let screen = || Out::Console(console.clone(), Stdio::Stdout);
        let terminal = spec.tty.then(|| Tty::new(screen(), sandbox.processes.clone()));
        if !spec.env.iter().any(|(name, _)| name == "HOSTNAME") {
            spec.env.push(("HOSTNAME".to_owned(), sandbox.hostname.clone()));
        }
        if spec.tty {
            add_term(&mut spec.env);
        }
        let files = Quota::new(&engine.inner().files);
        Setting {
            buckets: Arc::new(Buckets::new(std::mem::take(&mut spec.blobs), files.clone())),
            sandbox: sandbox.clone(),
            memory,
            cpu: Account::open(engine.inner().guests.fair(), spec.cpu),
            files,
            gate: Gate::new(),
            engine: engine.clone(),
            guest,
            name: spec.name.as_str().into(),
            pipes: Arc::new(Semaphore::new(PIPES)),
            requests: Arc::new(Semaphore::new(UNDER_WAY)),
            keyboard: Keyboard::new(spec.stdin, terminal.as_ref()),
            console,
            terminal,
            config: std::mem::take(&mut spec.config).into_iter().collect(),
            keyvalue: OnceCell::new(),
            spec,
        }
    }

    /// The guest itself, as a program.
    fn main(&self) -> Arc<Program> {
        let console = |stream| Out::Console(self.console.clone(), stream);
        let streams = match &self.terminal {
            Some(tty) => Streams::terminal(tty, Some(self.gate.clone())),
            None => Streams {
                stdin: self.keyboard.input(&self.gate),
                stdout: console(Stdio::Stdout),
                stderr: console(Stdio::Stderr),
                terminal: None,
            },
        };
        Arc::new(Program {
            guest: self.guest.clone(),
            args: self.spec.args.clone(),
            env: self.spec.env.clone(),
            dir: self.spec.working_dir.clone(),
            streams,
            gate: self.gate.clone(),
            process: self.sandbox.processes.begin_main(&self.name, self.spec.args.clone()),
        })
    }
}

impl Container {
    /// Waits until the guest is gone and says how it went. Asked again, says the same again.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn exited(&mut self) -> Exit {
        if let Some(exit) = &self.exit {
            return exit.clone();
        }
        let exit = match (&mut self.task).await {
            Ok(exit) => exit,
            Err(error) if error.is_cancelled() => Exit::Code(verdict::KILLED),
            Err(error) => Exit::HostFault(format!("the guest's task panicked: {error}")),
        };
        self.exit = Some(exit.clone());
        exit
    }

    /// Waits until the guest has begun: it waits for something outside, or it is over, or it has been busy for a while.
    pub async fn begun(&mut self) {
        let gate = Arc::clone(&self.gate);
        tokio::select! {
            biased;
            _ = self.exited() => {}
            () = gate.waits().cancelled() => {}
            () = tokio::time::sleep(parking::BUSY_AFTER) => {}
        }
    }

    /// How it went, if it is known to be over.
    pub fn exit(&self) -> Option<Exit> {
        self.exit.clone()
    }

    /// Asks the guest to end, in the only ways that it can notice: its standard input ends, and a server whose last
    /// connection closes, with no new one for a moment, is over ([`Exit::Code`] 143). A guest that could notice neither
    /// ends at once, as SIGTERM ends a process that has no handler for it. Whoever asks takes it out of the routing
    /// tables first, sets a deadline, and drops the container after it.
    pub fn stop(&self) {
        self.gate.close();
    }

    /// Ends the guest and the programs beside it, and waits until everything they held is free, so that a successor can
    /// bind their ports.
    pub async fn kill(mut self) -> Exit {
        self.gate.end();
        self.task.abort();
        let exit = self.exited().await;
        let setting = self.handle.setting();
        setting.sandbox.processes.over(&setting.name).await;
        exit
    }

    /// What it has used and what it holds.
    pub fn usage(&self) -> Usage {
        self.meter().usage()
    }

    /// Changes its limits while it runs (see [`Meter::set_limits`]).
    pub fn set_limits(&self, cpu: Cpu, memory: Option<u64>) {
        self.meter().set_limits(cpu, memory);
    }

    /// What reads its counters without holding it.
    pub fn meter(&self) -> Meter {
        self.handle.meter()
    }

    /// What others need of it, while it runs.
    pub fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }

    /// When it started.
    pub fn started_at(&self) -> SystemTime {
        self.started_at
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.gate.end();
        self.task.abort();
    }
}

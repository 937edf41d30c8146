//! A data directory, and the servers that run on it one after the other.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::access::Access;
use crate::connection::Connection;
use crate::running::Running;

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// A server that is the API and the store alone, as the kube-apiserver is.
pub const API_ALONE: &[&str] = &["--disable", "scheduler,agent,proxy,controllers"];

/// Those that no measure needs any more. Some file systems are slow to make files for minutes after thousands were deleted,
/// so none goes before all measures are done.
static LEFT: Mutex<Vec<TempDir>> = Mutex::new(Vec::new());

/// Removes the directories of all measures.
pub fn clear() {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// On the disk of the build directory: a temporary one may be in memory, where an fsync costs nothing.
pub struct Home(Option<TempDir>);

impl Drop for Home {
    fn drop(&mut self) {
        LEFT.lock().unwrap_or_else(PoisonError::into_inner).extend(self.0.take());
    }
}

impl Home {
    /// An empty one.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self(Some(TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?)))
    }

    /// One with a sample guest in it, under the reference `localhost/NAME:v1`.
    pub fn with_image(name: &str) -> anyhow::Result<Self> {
        let home = Self::new()?;
        let mut import = Command::new(SAMPAN);
        import.args(["image", "import"]).arg(component(name)).arg(image(name)).arg("--data-dir").arg(home.data());
        let output = import.output().context("starting sampan image import")?;
        ensure!(output.status.success(), "sampan image import: {}", String::from_utf8_lossy(&output.stderr));
        Ok(home)
    }

    /// Starts a server here and waits until it is ready.
    pub fn start(&self, flags: &[&str]) -> anyhow::Result<Server> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let kubeconfig = self.path().join("kubeconfig");
        let mut command = Command::new(SAMPAN);
        command.arg("server").arg("--data-dir").arg(self.data());
        command.args(["--listen", "127.0.0.1:0", "--node-name", "bench", "--write-kubeconfig"]).arg(&kubeconfig);
        let running = Running::start(command.args(flags), "ready at", log)
            .with_context(|| fs::read_to_string(self.log()).unwrap_or_default())?;
        Ok(Server { running, access: Access::read(&kubeconfig)? })
    }

    /// The files that changed after `then`.
    pub fn changed_since(&self, then: SystemTime) -> anyhow::Result<Vec<PathBuf>> {
        let mut changed = Vec::new();
        let mut folders = vec![self.data()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let (entry, path) = entry.map(|entry| (entry.metadata(), entry.path()))?;
                match entry? {
                    folder if folder.is_dir() => folders.push(path),
                    file if file.modified()? > then => changed.push(path),
                    _ => {}
                }
            }
        }
        Ok(changed)
    }

    /// Where a child of a bench may write what goes wrong.
    pub fn log(&self) -> PathBuf {
        self.path().join("log")
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    fn path(&self) -> &Path {
        // It leaves with the home.
        self.0.as_ref().map_or(Path::new(""), TempDir::path)
    }
}

/// Where the build script puts the component of this name.
pub fn component(name: &str) -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-wasm/target/wasm32-wasip2/release");
    built.join(name).with_extension("wasm")
}

/// The reference under which a sample guest is imported.
pub fn image(name: &str) -> String {
    format!("localhost/{name}:v1")
}

/// A server that is ready.
pub struct Server {
    running: Running,
    access: Access,
}

impl Server {
    /// A new connection to the API, as the administrator.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::tls(&self.access).await
    }

    /// The way to the API.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// How long it took from its start to the line that says it is ready.
    pub fn took(&self) -> Duration {
        self.running.took
    }

    /// Where a port of the node is reached.
    pub fn node_port(&self, port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    /// Ends it as a user does.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.running.stop().await
    }
}

impl Deref for Server {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

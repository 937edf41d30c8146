//! Commands of the node inside a running container: exec probes and lifecycle hooks.

use std::pin::pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, DuplexStream, copy, duplex, sink};

use super::view::View;
use crate::container::Exit;
use crate::exec::{self, Exec, Streams};

/// As much of a command's output as is kept, as a kubelet keeps it.
const MOST: u64 = 10 << 10;
/// Bytes between the command and who reads what it prints.
const PIPE: usize = 4096;

/// A running container, to run commands in.
#[derive(Clone)]
pub struct Inside {
    exec: Exec,
    view: Arc<View>,
    container: String,
}

/// A command that did not do well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It ended with another code than 0.
    Exit {
        /// The code.
        code: u8,
        /// What it printed: its output, and then its errors.
        output: String,
    },
    /// It could not be run.
    NotRun(String),
}

impl Inside {
    /// The container of this name.
    pub fn new(exec: Exec, view: Arc<View>, container: &str) -> Self {
        Self { exec, view, container: container.to_owned() }
    }

    /// Runs a command to its end. Dropping the future ends it.
    pub async fn run(&self, command: &[String]) -> Result<(), Failure> {
        let gone = || Failure::NotRun(exec::Error::NoContainer(self.container.clone()).to_string());
        let handle = self.view.handle(&self.container).ok_or_else(gone)?;
        let ((out, stdout), (err, stderr)) = (duplex(PIPE), duplex(PIPE));
        let streams = Streams { stdout: Some(Box::new(stdout)), stderr: Some(Box::new(stderr)), ..Streams::default() };
        let running = exec::run_in(&self.exec, &handle, command.to_vec(), streams);
        let (exit, out, err) = tokio::join!(running, read(out), read(err));
        match exit {
            Ok(Exit::Code(0)) => Ok(()),
            Ok(exit) => Err(Failure::Exit { code: code(&exit), output: format!("{out}{err}") }),
            Err(error) => Err(Failure::NotRun(error.to_string())),
        }
    }
}

/// The beginning of what comes; the rest is read and forgotten, so that the command is not held up.
async fn read(from: DuplexStream) -> String {
    let mut from = pin!(from);
    let mut kept = Vec::new();
    let mut beginning = from.as_mut().take(MOST);
    // A pipe inside this process does not fail.
    let _ = beginning.read_to_end(&mut kept).await;
    let _ = drain(from.as_mut().get_mut()).await;
    String::from_utf8_lossy(&kept).into_owned()
}

async fn drain(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<u64> {
    copy(from, &mut sink()).await
}

/// As a shell would call it.
fn code(exit: &Exit) -> u8 {
    match exit {
        Exit::Code(code) => *code,
        Exit::Trap { .. } => 134,
        Exit::OutOfMemory => 137,
        Exit::HostFault(_) => 126,
    }
}

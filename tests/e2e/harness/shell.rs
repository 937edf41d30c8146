//! A shell with `kubectl` in it, and with a home, a kubeconfig and a working directory of its own.

use super::PATIENCE;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::iter;
use std::mem;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub struct Shell {
    dir: TempDir,
    path: OsString,
}

/// What became of a command line.
pub struct Run {
    pub well: bool,
    pub stdout: String,
    pub stderr: String,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr)
    }
}

impl Shell {
    pub fn new(kubeconfig: &Path) -> Shell {
        require_kubectl();
        let path = env::var_os("PATH").unwrap_or_default();
        let shell = Shell { dir: TempDir::new().expect("a temporary directory"), path };
        fs::copy(kubeconfig, shell.kubeconfig()).expect("the server's kubeconfig");
        shell
    }

    /// Looks for programs in this folder first.
    pub fn prefer(&mut self, folder: &Path) {
        let before = mem::take(&mut self.path);
        let folders = iter::once(folder.to_owned()).chain(env::split_paths(&before));
        self.path = env::join_paths(folders).expect("a folder without a colon");
    }

    /// Talks to another server from now on, from its default namespace.
    pub fn adopt(&self, kubeconfig: &Path) {
        fs::copy(kubeconfig, self.kubeconfig()).expect("the server's kubeconfig");
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn kubeconfig(&self) -> PathBuf {
        self.dir.path().join("kubeconfig")
    }

    /// A command line, ready to be started.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(self.dir())
            .env("HOME", self.dir())
            .env("PATH", &self.path)
            .env("KUBECONFIG", self.kubeconfig())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }

    pub fn run(&self, line: &str, input: &str) -> Run {
        let mut child = self.command(line).stderr(Stdio::piped()).spawn().expect("sh starts");
        let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
        let input = give(&mut child, input.to_owned());
        let well = finish(&mut child, line);
        input.join().expect("the command's input");
        Run {
            well,
            stdout: stdout.join().expect("what it printed"),
            stderr: stderr.join().expect("what it complained of"),
        }
    }
}

/// Waits for the end of a command, within bounds.
fn finish(child: &mut Child, line: &str) -> bool {
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        match child.try_wait().expect("the command's state") {
            Some(status) => return status.success(),
            None if Instant::now() > deadline => {
                end_group(child);
                eprintln!("$ {line}\ntook longer than {:?} and was ended", 2 * PATIENCE);
            }
            None => brief_pause(),
        }
    }
}

/// The shell and all that it started.
pub fn end_group(child: &Child) {
    if let Some(group) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
        // It may have ended just now.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own thread, which nothing else waits for")]
fn brief_pause() {
    thread::sleep(Duration::from_millis(5));
}

fn give(child: &mut Child, input: String) -> JoinHandle<()> {
    let mut stdin = child.stdin.take().expect("the command's standard input");
    thread::spawn(move || match stdin.write_all(input.as_bytes()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => panic!("the command's input: {error}"),
    })
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    let mut pipe = pipe.expect("a pipe from the command");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("what the command prints");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A missing tool is a failure that says what to do, never a test skipped.
fn require_kubectl() {
    let found = Command::new("kubectl").args(["version", "--client"]).output();
    if let Err(error) = found {
        panic!("these tests need kubectl on the PATH ({error}): `apt-get install kubernetes-client`, or `make test`");
    }
}

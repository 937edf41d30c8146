//! A `sampan server` process on a data directory and a port of its own. It dies with its handle.

use super::{PATIENCE, images};
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread;
use tempfile::TempDir;

pub const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

/// When set, every server runs with this many KiB of address space.
pub const ADDRESS_SPACE: &str = "SAMPAN_TEST_ADDRESS_SPACE_KIB";

/// The machine that tests run on may be short of what a node wants to have left.
const EVICTION: Option<(&str, &str)> = Some(("SAMPAN_EVICTION_HARD", "memory.available<1Mi,nodefs.available<1Mi"));

/// How many of the log's last lines a failed test shows.
const LOG_TAIL: usize = 80;

pub struct Server {
    process: Process,
    dir: TempDir,
}

impl Server {
    /// The server that the tests of this process share while any of them needs it.
    pub fn shared() -> Arc<Server> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Server::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// A new server, on an empty data directory with every sample image in it.
    pub fn start() -> Server {
        Server::start_with(&[])
    }

    /// The same, with flags of its own.
    pub fn start_with(flags: &[&str]) -> Server {
        let dir = TempDir::new().expect("a temporary directory");
        images::import_all(&data(&dir));
        let process = Process::start(&dir, flags);
        Server { process, dir }
    }

    /// Ends the process with SIGTERM and starts another on what it left behind.
    pub fn stop_and_restart(&mut self) {
        self.process.terminate();
        self.process = Process::start(&self.dir, &[]);
    }

    /// The same, with this configuration (YAML).
    pub fn start_configured(config: &str) -> Server {
        let dir = TempDir::new().expect("a temporary directory");
        images::import_all(&data(&dir));
        let file = dir.path().join("config.yaml");
        fs::write(&file, config).expect("the configuration");
        let process = Process::start(&dir, &["--config", &file.to_string_lossy()]);
        Server { process, dir }
    }

    /// Ends the process with SIGKILL and starts another on what it left behind.
    pub fn crash_and_restart(&mut self) {
        self.process.kill();
        self.process = Process::start(&self.dir, &[]);
    }

    pub fn url(&self) -> &str {
        &self.process.url
    }

    pub fn kubeconfig(&self) -> PathBuf {
        kubeconfig(&self.dir)
    }

    pub fn data(&self) -> PathBuf {
        data(&self.dir)
    }

    /// The last lines that the server wrote.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(log(&self.dir)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n")
    }
}

/// One life of a server.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(dir: &TempDir, flags: &[&str]) -> Process {
        let output = File::options().create(true).append(true).open(log(dir)).expect("the server's log");
        let errors = output.try_clone().expect("the server's log, again");
        let mut child = limited(SAMPAN)
            .arg("server")
            .arg("--data-dir")
            .arg(data(dir))
            .args(["--listen", "127.0.0.1:0", "--write-kubeconfig"])
            .arg(kubeconfig(dir))
            .args(flags)
            .envs(EVICTION.into_iter().filter(|_| !flags.contains(&"--config")))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("the server starts");
        let stdout = child.stdout.take().expect("the server's standard output");
        let ready = first_line_with("ready at", stdout, output);
        match ready.recv_timeout(PATIENCE) {
            Ok(line) => Process { child, url: url_in(&line) },
            Err(_) => {
                end(&mut child);
                panic!("the server did not say that it is ready\n{}", fs::read_to_string(log(dir)).unwrap_or_default())
            }
        }
    }

    fn kill(&mut self) {
        end(&mut self.child);
    }

    /// Asks it to end, and waits until it has.
    fn terminate(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        let ended = self.child.wait().expect("it ends");
        assert!(ended.success(), "the server ended with {ended}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The command that runs `program`, with as much address space as the tests allow it.
pub fn limited(program: &str) -> Command {
    let Some(kib) = env::var_os(ADDRESS_SPACE) else { return Command::new(program) };
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -v \"$1\" && shift && exec \"$@\"", "sh"]).arg(kib).arg(program);
    shell
}

/// Copies what a process prints to `log` to its end, and hands over the first line that has `words` in it.
pub fn first_line_with(words: &'static str, stdout: ChildStdout, mut log: File) -> mpsc::Receiver<String> {
    let (found, line) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // The log and the receiver may both be gone when the test is over; the pipe is drained all the same.
            let _ = writeln!(log, "{line}");
            if line.contains(words) {
                let _ = found.send(line);
            }
        }
    });
    line
}

/// The first word of a line that is a URL, without what punctuation follows it.
pub fn url_in(line: &str) -> String {
    let url = line.split_whitespace().find(|word| word.contains("://"));
    let url = url.unwrap_or_else(|| panic!("no URL in {line:?}"));
    url.trim_end_matches(|last: char| !last.is_alphanumeric()).to_owned()
}

fn end(child: &mut Child) {
    // It may have ended by itself; either way it is reaped here.
    let _ = child.kill();
    let _ = child.wait();
}

fn data(dir: &TempDir) -> PathBuf {
    dir.path().join("data")
}

fn kubeconfig(dir: &TempDir) -> PathBuf {
    dir.path().join("kubeconfig")
}

fn log(dir: &TempDir) -> PathBuf {
    Path::new(dir.path()).join("server.log")
}

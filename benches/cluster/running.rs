//! A child process that says on its standard output when it is ready. It ends with its handle.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};

use crate::process::Process;

/// How long a child may take to be ready, and to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a child that was asked to end is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A child that is ready.
pub struct Running {
    child: Child,
    /// The line with which it said so.
    pub line: String,
    /// How long that took.
    pub took: Duration,
}

impl Running {
    /// Starts the command and waits for a line with `words` in it. Standard error goes to `log`.
    pub fn start(command: &mut Command, words: &'static str, log: File) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let began = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.with_context(|| format!("starting {name}"))?;
        let stdout = child.stdout.take().context("the child's standard output")?;
        let mut running = Self { child, line: String::new(), took: Duration::ZERO };
        let (found, line) = mpsc::channel();
        std::thread::spawn(move || {
            // The pipe is drained to its end, so that the child is never held up.
            for line in BufReader::new(stdout).lines().map_while(Result::ok).filter(|line| line.contains(words)) {
                let _ = found.send((line, Instant::now()));
            }
        });
        let (line, at) = line.recv_timeout(PATIENCE).with_context(|| format!("{name} did not say {words:?}"))?;
        running.line = line;
        running.took = at - began;
        Ok(running)
    }

    /// What the kernel says of it.
    pub fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// Asks it to end, as a user does, and waits until it has.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("the child's id")?;
        kill_process(pid, Signal::TERM)?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            anyhow::ensure!(asked.elapsed() < PATIENCE, "the child does not end");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is reaped here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

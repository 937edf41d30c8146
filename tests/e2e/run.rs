//! `sampan run`: the main job, as a newcomer meets it.

use crate::harness::server::{SAMPAN, first_line_with, limited, url_in};
use crate::harness::{PATIENCE, eventually, http};
use std::fs::File;
use std::path::Path;
use std::process::{Child, Stdio};
use tempfile::TempDir;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has usually ended by then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn hello_answers_from_each_pod_and_stops_when_told() {
    let dir = TempDir::new().expect("a temporary directory");
    let log = dir.path().join("run.log");
    let output = File::options().create(true).append(true).open(&log).expect("a log");
    let mut child = limited(SAMPAN)
        .args(["run", "-f"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-wasm/hello"))
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(output.try_clone().expect("the log, again"))
        .spawn()
        .expect("sampan run starts");
    let stdout = child.stdout.take().expect("its standard output");
    let mut running = Running(child);
    let printed = first_line_with("http://", stdout, output).recv_timeout(PATIENCE);
    let printed =
        printed.unwrap_or_else(|_| panic!("no address\n{}", std::fs::read_to_string(&log).unwrap_or_default()));
    let url = url_in(&printed);
    let address = url.trim_start_matches("http://").trim_end_matches('/');

    http::answers(address, "/", "<p>Hello, hello-");
    assert_eq!(http::greeters(address, 30).len(), 3, "each of the three pods answers in turn");

    let process = rustix::process::Pid::from_child(&running.0);
    rustix::process::kill_process(process, rustix::process::Signal::INT).expect("the interrupt");
    let status = eventually("sampan run to stop", || match running.0.try_wait() {
        Ok(Some(status)) => Ok(status),
        other => Err(format!("{other:?}")),
    });
    assert!(status.success(), "{status}\n{}", std::fs::read_to_string(&log).unwrap_or_default());
    http::refuses(address);
}

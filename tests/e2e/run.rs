//! `sampan run`: the main job, as a newcomer meets it.

use crate::harness::server::{SAMPAN, first_line_with, limited, url_in};
use crate::harness::{PATIENCE, eventually, http, images};
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

#[test]
fn says_what_is_wrong_with_a_manifest() {
    let dir = TempDir::new().expect("a temporary directory");
    let pod = |spec: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\nspec: {spec}\n");
    let crash = pod("{restartPolicy: Never, containers: [{name: c, image: ./crash.wasm}]}");
    std::fs::copy(images::component("crash"), dir.path().join("crash.wasm")).expect("a component");
    for (manifest, words) in [
        ("kind: Pod\n".to_owned(), "an object has no kind or no apiVersion"),
        ("apiVersion: v1\nkind: Podd\nmetadata: {name: x}\n".to_owned(), "there is no kind Podd in v1"),
        (
            pod("{contaners: []}"),
            "sampan: pod/x: Pod in version \"v1\" cannot be handled as a Pod: strict decoding error",
        ),
        (pod("{containers: []}"), "sampan: pod/x: Pod \"x\" is invalid: spec.containers: Required value\n"),
        (crash, "sampan: pod/x failed:\n  pod/x c: Error (exit code 1)\n"),
    ] {
        let file = dir.path().join("manifest.yaml");
        std::fs::write(&file, &manifest).expect("a manifest");
        let output = limited(SAMPAN).args(["run", "-f"]).arg(&file).output().expect("sampan run starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{manifest}\n{said}");
    }
}

//! PyPI's `kubernetes`, `kr8s` and `kopf`.

use super::{flaky_kubeconfig, installed, script};
use crate::harness::Session;

#[test]
fn the_official_client_works() {
    play("official");
}

#[test]
fn kr8s_works() {
    play("kr8s_session");
}

#[test]
fn an_operator_of_kopf_works() {
    play("kopf_session");
}

fn play(name: &str) {
    let python = installed("the Python clients", "python/bin/python");
    let script = script("python").join(name).with_extension("py");
    let session = Session::new(&format!("python-{}", name.replace('_', "-")));
    let flaky = flaky_kubeconfig(&session);
    let line = format!("FLAKY_KUBECONFIG={} {} -B {} 2>&1", flaky.display(), python.display(), script.display());
    let run = session.feed(&line, "");
    assert!(run.well, "$ {line}\n{run}");
}

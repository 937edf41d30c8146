//! npm's `@kubernetes/client-node`.

use super::{flaky_kubeconfig, installed, script};
use crate::harness::Session;
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn client_node_works() {
    let modules = installed("the JavaScript client", "node/node_modules");
    let session = Session::new("javascript");
    let flaky = flaky_kubeconfig(&session);
    // An import is looked for beside the file that has it.
    symlink(modules, session.dir().join("node_modules")).expect("a link to the modules");
    session.file("session.mjs", fs::read(script("node/session.mjs")).expect("the session's script"));
    let line = format!("FLAKY_KUBECONFIG={} node session.mjs 2>&1", flaky.display());
    let run = session.feed(&line, "");
    assert!(run.well, "$ {line}\n{run}");
}

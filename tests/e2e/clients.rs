//! The clients that people have, unmodified, each in a short session as its own documentation has it.
//!
//! `make clients` puts them below `target/clients`; the scripts are in `tests/clients`. A client that is not there fails
//! its test with the command that gets it.

mod javascript;
mod kubectl;
mod operator;
mod python;

use crate::harness::{Session, relay};
use std::fs;
use std::path::{Path, PathBuf};

/// A file of an installed client.
pub fn installed(name: &str, path: &str) -> PathBuf {
    let file = root().join("target/clients").join(path);
    assert!(file.exists(), "{name} is not installed ({path} is missing): run `make clients`");
    file
}

/// A file of the session's own.
fn script(path: &str) -> PathBuf {
    root().join("tests/clients").join(path)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A kubeconfig like the session's, whose connections break off a moment after they began.
fn flaky_kubeconfig(session: &Session) -> PathBuf {
    let url = session.server().url();
    let server = url.rsplit("//").next().and_then(|address| address.parse().ok()).expect("an address in the URL");
    let relay = relay::flaky(server).expect("a relay");
    let kubeconfig = fs::read_to_string(session.dir().join("kubeconfig")).expect("the session's kubeconfig");
    session.file("flaky-kubeconfig", kubeconfig.replace(&server.to_string(), &relay.to_string()))
}

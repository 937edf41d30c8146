//! Two `kubectl`s, years apart, through the transcripts in `tests/clients/kubectl`.

use super::{installed, script};
use crate::harness::{Session, transcript};
use std::fs;

/// What every version does alike.
const ANY: &[&str] = &["objects", "apply", "workloads", "custom", "access", "limits", "node"];

/// What an old one has not learnt, or says in other words.
const NEW: &[&str] = &["newest"];

#[test]
fn debians_works() {
    for name in ANY {
        play("debian", name);
    }
}

#[test]
fn the_newest_works() {
    for name in ANY.iter().chain(NEW) {
        play("newest", name);
    }
}

fn play(version: &str, name: &str) {
    let kubectl = installed("kubectl", &format!("kubectl/{version}/kubectl"));
    let text = fs::read_to_string(script("kubectl").join(name).with_extension("txt")).expect("the transcript");
    let session = Session::new(&format!("kubectl-{version}-{name}")).with_kubectl(&kubectl);
    transcript::play(&session, &format!("{version}, {name}.txt"), &text);
}

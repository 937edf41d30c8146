//! Two `kubectl`s, years apart, through the transcripts in `tests/clients/kubectl`.

use super::{installed, script};
use crate::harness::{Session, transcript};
use std::fs;

const BOTH: &[&str] = &["debian", "newest"];

#[test]
fn an_object_has_every_verb() {
    play("objects", BOTH);
}

#[test]
fn apply_is_clean_the_second_time() {
    play("apply", BOTH);
}

#[test]
fn workloads_live_their_lives() {
    play("workloads", BOTH);
}

#[test]
fn custom_resources_are_like_any_other() {
    play("custom", BOTH);
}

#[test]
fn roles_and_certificates_give_access() {
    play("access", BOTH);
}

#[test]
fn quotas_and_ranges_limit() {
    play("limits", BOTH);
}

#[test]
fn the_node_is_administered() {
    play("node", BOTH);
}

#[test]
fn debians_has_its_own_ways() {
    play("debian", &["debian"]);
}

#[test]
fn the_newest_has_learnt_more() {
    play("newest", &["newest"]);
}

/// Types a transcript into one version after the other, each in a namespace of its own.
fn play(name: &str, versions: &[&str]) {
    let text = fs::read_to_string(script("kubectl").join(name).with_extension("txt")).expect("the transcript");
    for version in versions {
        let kubectl = installed("kubectl", &format!("kubectl/{version}/kubectl"));
        let session = Session::new(&format!("kubectl-{version}-{name}")).with_kubectl(&kubectl);
        transcript::play(&session, &format!("{name}.txt with {version}"), &text);
    }
}

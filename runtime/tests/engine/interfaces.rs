//! What WASI has beyond files and sockets.

use std::sync::Arc;

use runtime::container::{Container, Exit, Spec};
use runtime::keyvalue::Stores;
use runtime::sandbox::Sandbox;

use crate::harness::{Ears, Net, exit, sample, start_file};

async fn run(pod: &Sandbox, args: &[&str], change: impl FnOnce(&mut Spec)) -> (Exit, String) {
    let (mut container, ears) = begin(pod, args, change).await;
    (exit(&mut container).await, ears.text())
}

async fn begin(pod: &Sandbox, args: &[&str], change: impl FnOnce(&mut Spec)) -> (Container, Arc<Ears>) {
    let args: Vec<&str> = ["interfaces"].iter().chain(args).copied().collect();
    start_file(pod, &sample("interfaces"), &args, change).await
}

#[tokio::test]
async fn configuration_is_what_the_spec_says() {
    let net = Net::new();
    let pod = net.pod("configured");
    let configure =
        |spec: &mut Spec| spec.config = vec![("log.level".into(), "debug".into()), ("a b".into(), "".into())];
    assert_eq!(run(&pod, &["config"], configure).await, (Exit::Code(0), "a b=\nlog.level=debug\n".to_owned()));
    let (_, text) = run(&pod, &["config", "log.level"], configure).await;
    assert_eq!(text, "log.level: Some(\"debug\")\n");
    assert_eq!(run(&pod, &["config", "nothing"], configure).await.1, "nothing: None\n");
}

#[tokio::test]
async fn log_lines_are_in_the_log() {
    let net = Net::new();
    let (code, text) = run(&net.pod("talker"), &["log", "error", "door", "stuck"], |_| {}).await;
    assert_eq!((code, text.as_str()), (Exit::Code(0), "ERROR door: stuck\n"));
}

#[tokio::test]
async fn pairs_outlive_containers_and_are_a_namespaces_own() {
    let net = Net::new();
    let directory = tempfile::tempdir().unwrap();
    let stores = Stores::new(directory.path());
    let (one, two) = (stores.namespace("one"), stores.namespace("two"));
    let pod = net.pod("keeper");
    let of = |namespace: &runtime::keyvalue::Namespace| {
        let namespace = namespace.clone();
        move |spec: &mut Spec| spec.keyvalue = Some(namespace)
    };
    for args in [&["set", "b", "k", "v"][..], &["set", "b", "l", "w"], &["delete", "b", "l"], &["add", "b", "n", "41"]]
    {
        assert_eq!(run(&pod, args, of(&one)).await.0, Exit::Code(0), "{args:?}");
    }
    assert_eq!(run(&pod, &["get", "b", "k"], of(&one)).await.1, "k=v\n");
    assert_eq!(run(&pod, &["add", "b", "n", "1"], of(&one)).await.1, "42\n");
    assert_eq!(run(&pod, &["keys", "b"], of(&one)).await.1, "k\nn\n");
    assert_eq!(run(&pod, &["get", "c", "k"], of(&one)).await.1, "k is not there\n", "another bucket");
    assert_eq!(run(&pod, &["get", "b", "k"], of(&two)).await.1, "k is not there\n", "another namespace");
    let (code, text) = run(&pod, &["get", "b", "k"], |_| {}).await;
    assert_eq!((code, text.as_str()), (Exit::Code(1), "failed: Error::AccessDenied\n"));
}

#[tokio::test]
async fn a_killed_writer_loses_nothing_that_it_was_told_is_kept() {
    let net = Net::new();
    let directory = tempfile::tempdir().unwrap();
    let stores = Stores::new(directory.path());
    let pod = net.pod("counter");
    let keep = |spec: &mut Spec| spec.keyvalue = Some(stores.namespace("one"));
    let (counter, ears) = begin(&pod, &["count", "b", "n", "100000"], keep).await;
    ears.hear("\n5\n").await;
    counter.kill().await;
    let told: u64 = ears.text().lines().last().unwrap().parse().unwrap();
    let (_, text) = run(&pod, &["add", "b", "n", "0"], keep).await;
    let kept: u64 = text.trim().parse().unwrap();
    assert!(kept >= told && kept <= told + 1, "told {told}, kept {kept}");
}

//! Pulls from a registry on a real socket, that is well and that is not.

mod hostile;
mod layouts;
mod registry;

use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use super::*;
use crate::image::registries::Registry as Known;
use registry::{Answer, Registry};

const PROGRAM: &[u8] = b"\0asm\x0d\0\x01\0a program";

/// A node with an empty store.
struct Node {
    puller: Puller,
    store: Store,
    _directory: tempfile::TempDir,
}

fn node() -> Node {
    configured(Config::default())
}

fn configured(config: Config) -> Node {
    let directory = tempfile::tempdir().expect("directory");
    let store = Store::open(directory.path()).expect("open");
    Node { puller: patient(&store, config), store, _directory: directory }
}

fn patient(store: &Store, config: Config) -> Puller {
    let patience = Patience {
        connect: Duration::from_secs(5),
        silence: Duration::from_millis(300),
        retry: Duration::from_millis(1),
    };
    Puller::patient(store.clone(), config, patience).expect("a puller")
}

impl Node {
    async fn pull(&self, name: &str) -> Result<Image, PullError> {
        self.pull_as(name, Keyring::default()).await
    }

    async fn pull_as(&self, name: &str, keyring: Keyring) -> Result<Image, PullError> {
        let pull = self.puller.pull(Reference::parse(name).expect("a name"), keyring, Purpose::Run);
        self.puller.image(&pull).await
    }

    async fn refusal(&self, name: &str) -> String {
        self.pull(name).await.expect_err("a refusal").to_string()
    }
}

fn keyring(host: &str, name: &str, password: &str) -> Keyring {
    let content = json!({"auths": {host: {"username": name, "password": password}}}).to_string();
    let secret = Secret {
        type_: Some("kubernetes.io/dockerconfigjson".to_owned()),
        data: Some([(".dockerconfigjson".to_owned(), ByteString(content.into_bytes()))].into()),
        ..Secret::default()
    };
    let mut keyring = Keyring::default();
    keyring.add(&secret).expect("a keyring");
    keyring
}

#[test]
fn each_policy_has_its_own_failure() {
    let node = node();
    let reason = |name: &str, policy| node.puller.look(name, policy).expect_err("absent").reason();
    assert_eq!(reason("localhost/x", Policy::Never), "ErrImageNeverPull");
    assert_eq!(reason("localhost/x", Policy::IfNotPresent), "ErrImagePull");
    assert_eq!(reason("localhost/x", Policy::Always), "ErrImagePull");
    assert_eq!(reason("localhost/X", Policy::Always), "InvalidImageName");
    assert_eq!(reason("docker.io/x", Policy::Never), "ErrImageNeverPull");
    let asked = node.puller.look("docker.io/x", Policy::IfNotPresent).expect("to be asked for");
    assert!(matches!(asked, Found::Ask(reference) if reference.to_string() == "docker.io/library/x:latest"));
}

#[tokio::test]
async fn what_is_here_is_not_asked_for_again() {
    let (registry, node) = (Registry::start().await, node());
    registry.program("v1", PROGRAM);
    let name = format!("{}/app:v1", registry.host);
    let image = node.pull(&name).await.expect("pulled");
    assert_eq!(std::fs::read(&image.module.path).expect("the program"), PROGRAM);
    assert_eq!(registry.asked().len(), 4, "HEAD and GET of the manifest, configuration, program");

    for policy in [Policy::IfNotPresent, Policy::Never] {
        assert!(matches!(node.puller.look(&name, policy), Ok(Found::Here(found)) if found == image));
    }
    let pinned = format!("{}/app@{}", registry.host, image.digest);
    assert!(matches!(node.puller.look(&pinned, Policy::IfNotPresent), Ok(Found::Here(_))));
    assert!(registry.asked().is_empty(), "the network was left alone");

    assert!(matches!(node.puller.look(&name, Policy::Always), Ok(Found::Ask(_))));
    node.pull(&name).await.expect("pulled again");
    assert_eq!(registry.asked(), ["HEAD /v2/app/manifests/v1"], "one question, no content");

    registry.program("v1", b"\0asm\x0d\0\x01\0another");
    let moved = node.pull(&name).await.expect("the tag moved");
    assert_ne!(moved.digest, image.digest);
    assert_eq!(registry.asked().len(), 3, "the configuration was here");
}

#[tokio::test]
async fn a_registry_that_is_gone_fails_the_pull_whatever_is_here() {
    let node = node();
    let registry = Registry::start().await;
    registry.program("v1", PROGRAM);
    let name = format!("{}/app:v1", registry.host);
    node.pull(&name).await.expect("pulled");
    drop(registry);
    let error = node.pull(&name).await.expect_err("nobody is there");
    assert_eq!(error.reason(), "ErrImagePull");
    assert!(error.to_string().contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn those_who_want_the_same_share_a_pull() {
    let (registry, node) = (Registry::start().await, node());
    let blob = registry.program("v1", PROGRAM);
    let name = format!("{}/app:v1", registry.host);
    let pulls = futures::future::join_all((0..20).map(|_| node.pull(&name))).await;
    assert!(pulls.into_iter().all(|pull| pull.is_ok()));
    let asked = registry.asked();
    assert_eq!(asked.iter().filter(|asked| asked.contains(&blob)).count(), 1, "{asked:?}");

    // Another image with the same layer.
    registry.program("v2", PROGRAM);
    node.pull(&format!("{}/app:v2", registry.host)).await.expect("pulled");
    assert!(!registry.asked().iter().any(|asked| asked.contains(&blob)));
}

#[tokio::test]
async fn a_pull_ends_when_nobody_waits_for_it() {
    let (registry, node) = (Registry::start().await, node());
    let blob = registry.program("v1", PROGRAM);
    registry.set(&blob, Answer::Stall(PROGRAM.to_vec(), 4));
    let reference = Reference::parse(&format!("{}/app:v1", registry.host)).expect("a name");
    let pull = || node.puller.pull(reference.clone(), Keyring::default(), Purpose::Run);
    let (one, two) = (pull(), pull());
    let waiting = |pull: Pull| {
        let puller = node.puller.clone();
        tokio::spawn(async move { puller.image(&pull).await })
    };
    let (one, two) = (waiting(one), waiting(two));
    while registry.open() == 0 {
        tokio::task::yield_now().await;
    }
    one.abort();
    assert!(one.await.expect_err("aborted").is_cancelled());
    assert_eq!(registry.open(), 1, "the other still waits");
    two.abort();
    assert!(two.await.expect_err("aborted").is_cancelled());
    while registry.open() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn broken_downloads_go_on_where_they_stopped() {
    let (registry, node) = (Registry::start().await, node());
    let blob = registry.program("v1", PROGRAM);
    registry.set(&blob, Answer::BreakOnce(PROGRAM.to_vec(), 6));
    node.pull(&format!("{}/app:v1", registry.host)).await.expect("pulled");
    let asked = registry.asked();
    assert!(asked.contains(&format!("GET {blob} bytes=6-")), "{asked:?}");
}

#[tokio::test]
async fn a_restart_loses_no_part_of_a_download() {
    let (registry, node) = (Registry::start().await, node());
    let blob = registry.program("v1", PROGRAM);
    registry.set(&blob, Answer::Stall(PROGRAM.to_vec(), 6));
    let name = format!("{}/app:v1", registry.host);
    let error = node.pull(&name).await.expect_err("it stalls").to_string();
    assert!(error.contains("it sends nothing any more"), "{error}");

    registry.set(&blob, Answer::Content(PROGRAM.to_vec()));
    registry.asked();
    let restarted = Node { puller: patient(&node.store, Config::default()), ..node };
    restarted.pull(&name).await.expect("pulled");
    let asked = registry.asked();
    assert!(asked.contains(&format!("GET {blob} bytes=6-")), "{asked:?}");
}

#[tokio::test]
async fn a_part_that_has_suffered_is_fetched_again() {
    let (registry, node) = (Registry::start().await, node());
    let blob = registry.program("v1", PROGRAM);
    let mut upload = node.store.download(&crate::image::Digest::of(PROGRAM)).expect("a download");
    upload.append(b"zeros!").expect("append");
    drop(upload);
    let name = format!("{}/app:v1", registry.host);
    node.pull(&name).await.expect("pulled");
    let asked = registry.asked();
    assert!(asked.contains(&format!("GET {blob} bytes=6-")) && asked.contains(&format!("GET {blob}")), "{asked:?}");

    // And one that has no parts to give.
    let other = b"\0asm\x0d\0\x01\0other".as_slice();
    let blob = registry.program("v2", other);
    registry.set(&blob, Answer::Whole(other.to_vec()));
    let mut upload = node.store.download(&crate::image::Digest::of(other)).expect("a download");
    upload.append(&other[..5]).expect("append");
    drop(upload);
    node.pull(&format!("{}/app:v2", registry.host)).await.expect("pulled");
}

#[tokio::test]
async fn credentials_are_told_to_whom_they_are_for() {
    for by_token in [false, true] {
        let (registry, node) = (Registry::start().await, node());
        registry.program("v1", PROGRAM);
        registry.lock("me:secret", by_token);
        let name = format!("{}/app:v1", registry.host);
        let error = node.pull(&name).await.expect_err("nobody");
        assert!(error.to_string().contains("may require authorization"), "{error}");
        let wrong = keyring(&registry.host, "me", "guess");
        assert_eq!(node.pull_as(&name, wrong).await.expect_err("wrong").reason(), "ErrImagePull");
        let right = keyring(&registry.host, "me", "secret");
        node.pull_as(&name, right).await.unwrap_or_else(|error| panic!("by token {by_token}: {error}"));
    }
}

#[tokio::test]
async fn mirrors_are_asked_first_and_the_registry_when_they_fail() {
    let (mirror, registry) = (Registry::start().await, Registry::start().await);
    let mirrored = Known { mirrors: vec![format!("http://{}", mirror.host)], ..Known::default() };
    let node = configured(Config { registries: [(registry.host.clone(), mirrored)].into(), ..Config::default() });
    registry.program("v1", PROGRAM);
    mirror.program("v2", PROGRAM);
    mirror.lock("mirror:secret", false);
    // The mirror wants credentials that the registry's are not.
    let keys = keyring(&registry.host, "me", "secret");
    node.pull_as(&format!("{}/app:v1", registry.host), keys).await.expect("from the registry");
    assert!(!mirror.asked().is_empty());
    registry.asked();
    let keys = keyring(&mirror.host, "mirror", "secret");
    node.pull_as(&format!("{}/app:v2", registry.host), keys).await.expect("from the mirror");
    assert!(registry.asked().is_empty());
}

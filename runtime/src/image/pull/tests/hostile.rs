//! Registries that lie, stall, and send what nobody asked for.

use serde_json::json;

use super::registry::{Answer, Registry};
use super::*;
use crate::image::digest::Digest;
use crate::image::manifest::media;

async fn with(answer: impl FnOnce(&Registry, &str) -> Answer) -> String {
    let (registry, node) = (Registry::start().await, node());
    let blob = registry.program("v1", PROGRAM);
    registry.set(&blob, answer(&registry, &blob));
    let refusal = node.refusal(&format!("{}/app:v1", registry.host)).await;
    assert!(node.store.list().expect("list").is_empty(), "nothing came of it");
    refusal
}

#[tokio::test]
async fn blobs_that_are_not_what_they_should_be() {
    let evil = b"\0asm\x0d\0\x01\0a progrAm".to_vec();
    let refusal = with(|_, _| Answer::Content(evil)).await;
    assert!(refusal.contains("sends content with the digest") && refusal.contains("instead of"), "{refusal}");
    let refusal = with(|_, _| Answer::Content([PROGRAM, b"more"].concat())).await;
    assert!(refusal.contains("bytes of sha256:"), "{refusal}");
    let refusal = with(|_, _| Answer::Endless).await;
    assert!(refusal.contains("bytes of sha256:"), "{refusal}");
    let refusal = with(|_, _| Answer::Lie(PROGRAM.to_vec(), 1 << 40)).await;
    assert!(refusal.contains("sends 1099511627776 bytes"), "{refusal}");
    let refusal = with(|_, _| Answer::Lie(PROGRAM[..4].to_vec(), 4)).await;
    assert!(refusal.contains("sends 4 bytes"), "{refusal}");
}

#[tokio::test]
async fn silence_has_an_end() {
    let refusal = with(|_, _| Answer::Stall(PROGRAM.to_vec(), 0)).await;
    assert!(refusal.contains("broke off: it sends nothing any more"), "{refusal}");
}

#[tokio::test]
async fn redirections_have_an_end_and_carry_no_credentials() {
    let refusal = with(|registry, blob| Answer::Redirect(format!("http://{}{blob}", registry.host))).await;
    assert!(refusal.contains("redirects without end"), "{refusal}");

    let (registry, elsewhere, node) = (Registry::start().await, Registry::start().await, node());
    let blob = registry.program("v1", PROGRAM);
    registry.lock("me:secret", false);
    registry.set(&blob, Answer::Redirect(format!("http://{}/cdn", elsewhere.host)));
    // It would let in who brings the credentials, and only those.
    elsewhere.lock("me:secret", false);
    elsewhere.set("/cdn", Answer::Content(PROGRAM.to_vec()));
    let keys = keyring(&registry.host, "me", "secret");
    let refused = node.pull_as(&format!("{}/app:v1", registry.host), keys).await.expect_err("refused").to_string();
    assert!(refused.contains("401"), "{refused}");
    assert_eq!(elsewhere.asked().first().map(String::as_str), Some("GET /cdn"));
}

#[tokio::test]
async fn manifests_that_are_none() {
    let (registry, node) = (Registry::start().await, node());
    let name = |tag: &str| format!("{}/app:{tag}", registry.host);
    let set = |tag: &str, answer| registry.set(&format!("/v2/app/manifests/{tag}"), answer);
    set("garbage", Answer::Whole(b"\xff\xfe<html>".to_vec()));
    assert!(node.refusal(&name("garbage")).await.contains("the manifest is not valid"));
    set("endless", Answer::Endless);
    assert!(node.refusal(&name("endless")).await.contains("a manifest of more than 4194304 bytes"));
    set("huge", Answer::Lie(b"{}".to_vec(), 1 << 40));
    assert!(node.refusal(&name("huge")).await.contains("a manifest of more than 4194304 bytes"));
    set("old", Answer::Whole(br#"{"schemaVersion":1,"fsLayers":[]}"#.to_vec()));
    assert!(node.refusal(&name("old")).await.contains("schema version 1"));
    let missing = node.pull(&name("missing")).await.expect_err("missing");
    assert!(missing.to_string().ends_with("app:missing: not found"), "{missing}");
    set("ill", Answer::Status(503, ""));
    assert_eq!(node.pull(&name("ill")).await.expect_err("ill").reason(), "RegistryUnavailable");
    set("often", Answer::Status(429, r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"later"}]}"#));
    assert!(node.refusal(&name("often")).await.contains("429 Too Many Requests (TOOMANYREQUESTS: later)"));
    set("rude", Answer::Status(418, "<script>"));
    assert!(!node.refusal(&name("rude")).await.contains("script"), "other bodies are not repeated");

    let pinned = Digest::of(b"something else");
    registry.set(&format!("/v2/app/manifests/{pinned}"), Answer::Content(b"{}".to_vec()));
    let refusal = node.refusal(&format!("{}/app@{pinned}", registry.host)).await;
    assert!(refusal.contains("sends content with the digest"), "{refusal}");
}

#[tokio::test]
async fn indexes_that_never_end() {
    let (registry, node) = (Registry::start().await, node());
    // A cycle cannot have true digests: whoever claims one is found out by the first that is false.
    let own = Digest::of(b"cycle");
    let index = |digest: &Digest| {
        let entry = json!({"mediaType": media::INDEX, "digest": digest, "size": 300});
        json!({"schemaVersion": 2, "mediaType": media::INDEX, "manifests": [entry]})
    };
    registry.set("/v2/app/manifests/cycle", Answer::Whole(index(&own).to_string().into_bytes()));
    registry.set(&format!("/v2/app/manifests/{own}"), Answer::Content(index(&own).to_string().into_bytes()));
    let refusal = node.refusal(&format!("{}/app:cycle", registry.host)).await;
    assert!(refusal.contains("sends content with the digest"), "{refusal}");

    let mut inner = registry.document("0", &index(&own));
    for depth in 1..8 {
        let digest = inner["digest"].as_str().expect("a digest").parse().expect("a digest");
        inner = registry.document(&depth.to_string(), &index(&digest));
    }
    let refusal = node.refusal(&format!("{}/app:7", registry.host)).await;
    assert!(refusal.contains("an index of indexes, more than 4 deep"), "{refusal}");
}

#[tokio::test]
async fn token_servers_are_not_believed_either() {
    let (registry, node) = (Registry::start().await, node());
    registry.program("v1", PROGRAM);
    let refusal = |realm: String| {
        registry.set("/v2/app/manifests/v1", Answer::Challenge(format!("Bearer realm=\"{realm}\"")));
        let name = format!("{}/app:v1", registry.host);
        let node = &node;
        async move { node.refusal(&name).await }
    };
    let at = |path: &str| format!("http://{}{path}", registry.host);
    registry.set("/endless", Answer::Endless);
    assert!(refusal(at("/endless")).await.contains("answers without end"));
    registry.set("/evil", Answer::Content(b"{\"token\":\"x\\r\\nHost: y\"}".to_vec()));
    assert!(refusal(at("/evil")).await.contains("the token is not one"));
    registry.set("/none", Answer::Content(b"{}".to_vec()));
    assert!(refusal(at("/none")).await.contains("gives no token"));
    assert!(refusal("file:///etc/passwd".to_owned()).await.contains("token server"));
}

#[tokio::test]
async fn images_that_are_too_large_are_refused_before_they_are_fetched() {
    let (registry, node) = (Registry::start().await, node());
    let config = registry.blob(b"{}");
    let layer = json!({"mediaType": media::WASM, "digest": Digest::of(b"x"), "size": 2u64 << 30});
    registry.document("v1", &json!({"schemaVersion": 2, "config": config, "layers": [layer]}));
    let refusal = node.refusal(&format!("{}/app:v1", registry.host)).await;
    assert!(refusal.contains("more than 1073741824"), "{refusal}");
    assert!(!registry.asked().iter().any(|asked| asked.contains(&*Digest::of(b"x"))));
}

use control::store;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::harness::*;

async fn label(server: &Server, name: &str, value: Value) {
    let patch = json!({"metadata": {"labels": {"l": value}}});
    server.patch(&format!("{CONFIGMAPS}/{name}"), MERGE, patch).await.with(200);
}

#[tokio::test]
async fn what_is_there_is_added_and_then_what_happens() {
    let server = Server::start().await;
    server.config_map("a").await;
    for query in ["?watch=1", "?watch=true&resourceVersion=0"] {
        let mut events = server.watch(&format!("{CONFIGMAPS}{query}")).await;
        let first = events.next().await.expect("an event");
        assert_eq!(first["type"], "ADDED");
        assert_eq!(first["object"], server.read(&format!("{CONFIGMAPS}/a")).await);
        server.config_map("b").await;
        label(&server, "b", "x".into()).await;
        server.delete(&format!("{CONFIGMAPS}/b")).await.with(200);
        events.expect(&[("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "b")]).await;
    }
}

#[tokio::test]
async fn a_watch_goes_on_where_a_list_ended() {
    let server = Server::start().await;
    server.config_map("a").await;
    let list = server.read(CONFIGMAPS).await;
    server.config_map("b").await;
    label(&server, "a", "x".into()).await;
    let mut events = server.watch(&format!("{CONFIGMAPS}?watch=1&resourceVersion={}", version(&list))).await;
    events.expect(&[("ADDED", "b"), ("MODIFIED", "a")]).await;
}

#[tokio::test]
async fn a_deletion_shows_the_last_state_with_its_own_version() {
    let server = Server::start().await;
    let made = server.config_map("a").await;
    let mut events = server.watch(&format!("{CONFIGMAPS}?watch=1&resourceVersion={}", version(&made))).await;
    server.delete(&format!("{CONFIGMAPS}/a")).await.with(200);
    let event = events.next().await.expect("an event");
    assert_eq!((&event["type"], &event["object"]["data"]), (&json!("DELETED"), &made["data"]));
    let (before, after): (u64, u64) = (version(&made).parse().unwrap(), version(&event["object"]).parse().unwrap());
    assert!(after > before, "{before} {after}");
}

#[tokio::test]
async fn a_forgotten_past_is_one_error_event() {
    let server = Server::with(store::Config { history: 2, ..store::Config::default() }).await;
    for name in ["a", "b", "c", "d"] {
        server.config_map(name).await;
    }
    let mut events = server.watch(&format!("{CONFIGMAPS}?watch=1&resourceVersion=1")).await;
    let event = events.next().await.expect("an event");
    assert_eq!((&event["type"], &event["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!((&event["object"]["kind"], &event["object"]["reason"]), (&json!("Status"), &json!("Expired")));
    assert!(event["object"]["message"].as_str().is_some_and(|m| m.starts_with("too old resource version: 1 (")));
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn who_enters_the_selection_is_added_and_who_leaves_is_deleted() {
    let server = Server::start().await;
    server.config_map("a").await;
    let mut events = server.watch(&format!("{CONFIGMAPS}?watch=1&labelSelector=l%3Dx")).await;
    label(&server, "a", "y".into()).await;
    label(&server, "a", "x".into()).await;
    server.patch(&format!("{CONFIGMAPS}/a"), MERGE, json!({"data": {"k": "v"}})).await.with(200);
    events.expect(&[("ADDED", "a"), ("MODIFIED", "a")]).await;
    label(&server, "a", "y".into()).await;
    let left = events.next().await.expect("an event");
    assert_eq!((&left["type"], &left["object"]["metadata"]["labels"]["l"]), (&json!("DELETED"), &json!("x")));
    let now = server.read(&format!("{CONFIGMAPS}/a")).await;
    assert_eq!(version(&left["object"]), version(&now), "the old state with the new version");
    label(&server, "a", "x".into()).await;
    server.delete(&format!("{CONFIGMAPS}/a")).await.with(200);
    events.expect(&[("ADDED", "a"), ("DELETED", "a")]).await;
}

#[tokio::test]
async fn a_watch_may_be_about_one_name() {
    let server = Server::start().await;
    for name in ["a", "b"] {
        server.config_map(name).await;
    }
    for path in [
        format!("{CONFIGMAPS}?watch=1&fieldSelector=metadata.name%3Da"),
        "/api/v1/configmaps?watch=1&fieldSelector=metadata.name%3Da".to_owned(),
        "/api/v1/watch/namespaces/golden/configmaps/a".to_owned(),
    ] {
        let mut events = server.watch(&path).await;
        label(&server, "b", path.len().to_string().into()).await;
        label(&server, "a", path.len().to_string().into()).await;
        events.expect(&[("ADDED", "a"), ("MODIFIED", "a")]).await;
    }
}

#[tokio::test]
async fn the_old_path_watches_too() {
    let server = Server::start().await;
    server.config_map("a").await;
    for path in ["/api/v1/watch/namespaces/golden/configmaps", "/api/v1/watch/configmaps"] {
        server.watch(path).await.expect(&[("ADDED", "a")]).await;
    }
}

#[tokio::test]
async fn namespaces_are_watched_apart() {
    let server = Server::start().await;
    let mut golden = server.watch(&format!("{CONFIGMAPS}?watch=1")).await;
    let mut all = server.watch("/api/v1/configmaps?watch=1").await;
    server.make("/api/v1/namespaces/default/configmaps", json!({"metadata": {"name": "z"}})).await;
    server.config_map("a").await;
    golden.expect(&[("ADDED", "a")]).await;
    all.expect(&[("ADDED", "z"), ("ADDED", "a")]).await;
}

#[tokio::test]
async fn a_watch_ends_when_its_time_is_up() {
    let server = Server::start().await;
    server.config_map("a").await;
    tokio::time::pause();
    let start = Instant::now();
    let mut events = server.watch(&format!("{CONFIGMAPS}?watch=1&timeoutSeconds=90")).await;
    events.expect(&[("ADDED", "a")]).await;
    assert_eq!(events.next().await, None);
    assert_eq!(start.elapsed().as_secs(), 90);
}

#[tokio::test]
async fn bookmarks_come_every_minute_and_before_the_end() {
    let server = Server::start().await;
    let made = server.config_map("a").await;
    tokio::time::pause();
    let start = Instant::now();
    let path =
        format!("{CONFIGMAPS}?watch=1&allowWatchBookmarks=true&timeoutSeconds=150&resourceVersion={}", version(&made));
    let mut events = server.watch(&path).await;
    let mut at = Vec::new();
    while let Some(event) = events.next().await {
        assert_eq!(event["type"], "BOOKMARK");
        assert_eq!(event["object"]["kind"], "ConfigMap");
        assert_eq!(version(&event["object"]), version(&made));
        at.push(start.elapsed().as_secs());
    }
    assert_eq!(at, [60, 120, 150]);
}

#[tokio::test]
async fn a_bookmark_is_never_behind_what_was_sent() {
    let server = Server::start().await;
    let mut events = server.watch(&format!("{CONFIGMAPS}?watch=1&allowWatchBookmarks=1")).await;
    server.make(PODS, pod("elsewhere")).await;
    let made = server.config_map("a").await;
    events.expect(&[("ADDED", "a")]).await;
    let last = server.make(PODS, pod("later")).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    let bookmark = events.next().await.expect("a bookmark");
    let (sent, seen): (u64, u64) = (version(&made).parse().unwrap(), version(&bookmark["object"]).parse().unwrap());
    assert!(seen >= sent);
    assert_eq!(version(&bookmark["object"]), version(&last), "and as far as the store is");
}

#[tokio::test]
async fn the_future_is_waited_for() {
    let server = Server::start().await;
    server.config_map("a").await;
    tokio::time::pause();
    let mut events = server.watch(&format!("{CONFIGMAPS}?watch=1&resourceVersion=99999999&timeoutSeconds=2")).await;
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_streaming_list_is_refused_so_that_clients_list_first() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}?watch=1&sendInitialEvents=true&timeoutSeconds=1");
    assert_eq!(
        server.get(&path).await.refused(422, "Invalid"),
        "ListOptions.meta.k8s.io \"\" is invalid: [resourceVersionMatch: Forbidden: sendInitialEvents requires setting \
         resourceVersionMatch to NotOlderThan, sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch \
         unless the WatchList feature gate is enabled]"
    );
}

#[tokio::test]
async fn pods_of_a_node_are_watched_by_it() {
    let server = Server::start().await;
    server.make(PODS, pod("p")).await;
    let mut events = server.watch("/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Dn1").await;
    server.make(PODS, pod("q")).await;
    bind(&server, "p").await;
    let added = events.next().await.expect("an event");
    assert_eq!((&added["type"], &added["object"]["spec"]["nodeName"]), (&json!("ADDED"), &json!("n1")));
    server.delete(&format!("{PODS}/p")).await.with(200);
    events.expect(&[("MODIFIED", "p")]).await;
    server.delete(&format!("{PODS}/p?gracePeriodSeconds=0")).await.with(200);
    events.expect(&[("DELETED", "p")]).await;
}

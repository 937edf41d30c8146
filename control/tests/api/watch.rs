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
    assert_eq!(at, [60, 120, 148]);
    assert_eq!(start.elapsed().as_secs(), 150);
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

const STREAMING: &str = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

#[tokio::test]
async fn a_streaming_list_says_where_it_ends() {
    let server = Server::start().await;
    for name in ["b", "a"] {
        server.config_map(name).await;
    }
    let list = server.read(CONFIGMAPS).await;
    let mut going_on = Vec::new();
    for more in ["", "&resourceVersion=0", &format!("&resourceVersion={}", version(&list))] {
        let mut events = server.watch(&format!("{CONFIGMAPS}?{STREAMING}{more}")).await;
        events.expect(&[("ADDED", "a"), ("ADDED", "b")]).await;
        let metadata = json!({"resourceVersion": version(&list), "creationTimestamp": null,
            "annotations": {"k8s.io/initial-events-end": "true"}});
        let object = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata});
        let end = events.next().await.expect("a bookmark");
        assert_eq!(end.to_string(), json!({"type": "BOOKMARK", "object": object}).to_string());
        going_on.push(events);
    }
    label(&server, "a", "x".into()).await;
    for mut events in going_on {
        events.expect(&[("MODIFIED", "a")]).await;
    }
}

#[tokio::test]
async fn a_streaming_list_of_nothing_ends_at_once() {
    let server = Server::start().await;
    let selected = format!("{CONFIGMAPS}?{STREAMING}&labelSelector=no%3Dbody");
    let event = server.watch(&selected).await.next().await.expect("a bookmark");
    assert_eq!(event["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    let all = server.read(CONFIGMAPS).await;
    assert_eq!(version(&event["object"]), version(&all));
}

#[tokio::test]
async fn the_end_of_a_streaming_list_has_its_shape() {
    let server = Server::start().await;
    server.make(PODS, pod("p")).await;
    let path = format!("{PODS}?{STREAMING}");
    let mut partial = server.request("GET", &path).accept(METADATA).events().await;
    partial.expect(&[("ADDED", "p")]).await;
    let end = partial.next().await.expect("a bookmark");
    assert_eq!(end["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(end["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    let mut tables = server.request("GET", &path).accept(TABLE).events().await;
    assert_eq!(tables.next().await.expect("a row")["type"], "ADDED");
    let end = tables.next().await.expect("a bookmark");
    assert_eq!((&end["type"], &end["object"]["columnDefinitions"]), (&json!("BOOKMARK"), &Value::Null));
    let row = &end["object"]["rows"][0]["object"];
    assert_eq!(row["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    let mut whole = server.watch(&path).await;
    whole.expect(&[("ADDED", "p")]).await;
    let end = whole.next().await.expect("a bookmark");
    assert_eq!((&end["object"]["spec"], &end["object"]["status"]), (&json!({"containers": null}), &json!({})));
}

#[tokio::test]
async fn a_streaming_list_without_bookmarks_has_no_end() {
    let server = Server::start().await;
    server.config_map("a").await;
    tokio::time::pause();
    let path =
        format!("{CONFIGMAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=90");
    let mut events = server.watch(&path).await;
    events.expect(&[("ADDED", "a")]).await;
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_watch_may_begin_with_what_comes_next() {
    let server = Server::start().await;
    server.config_map("a").await;
    for more in ["", "&resourceVersion=0"] {
        let path = format!("{CONFIGMAPS}?watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan{more}");
        let mut events = server.watch(&path).await;
        label(&server, "a", more.len().to_string().into()).await;
        events.expect(&[("MODIFIED", "a")]).await;
    }
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused() {
    let server = Server::start().await;
    let future = format!("{CONFIGMAPS}?{STREAMING}&resourceVersion=99999999");
    server.get(&future).await.refused(504, "Timeout");
    let both = "/api/v1/watch/namespaces/golden/configmaps/a?fieldSelector=metadata.name%3Da";
    assert_eq!(
        server.get(both).await.refused(400, "BadRequest"),
        "both a name and a field selector provided; please provide one or the other."
    );
    let unknown = format!("{CONFIGMAPS}?watch=1&fieldSelector=spec.x%3Da");
    server.get(&unknown).await.refused(400, "BadRequest");
    for (query, words) in [
        (
            "sendInitialEvents=true",
            "[resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, \
             sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is \
             enabled]",
        ),
        (
            "resourceVersionMatch=NotOlderThan",
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
        (
            "resourceVersionMatch=NotOlderThan&sendInitialEvents=true&continue=x",
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
        ),
    ] {
        let said = server.get(&format!("{CONFIGMAPS}?watch=1&{query}")).await.refused(422, "Invalid");
        assert_eq!(said, format!("ListOptions.meta.k8s.io \"\" is invalid: {words}"));
    }
    let exact = server.get(&format!("{CONFIGMAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=Exact")).await;
    let said = exact.refused(422, "Invalid");
    assert!(said.contains("Unsupported value: \"Exact\": supported values: \"NotOlderThan\""), "{said}");
}

#[tokio::test]
async fn a_watcher_that_never_reads_is_cut_off() {
    let server = Server::with(store::Config { watch_bytes: 100_000, ..store::Config::default() }).await;
    let mut idle = server.watch(&format!("{CONFIGMAPS}?watch=1")).await;
    let filling = "x".repeat(20_000);
    for i in 0..20 {
        server.make(CONFIGMAPS, json!({"metadata": {"name": format!("c{i}")}, "data": {"x": filling}})).await;
    }
    let mut count = 0;
    while idle.next().await.is_some() {
        count += 1;
    }
    assert!((1..=5).contains(&count), "{count}");
}

#[tokio::test]
async fn watchers_of_a_shape_share_what_they_get() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}?watch=1");
    for accept in [METADATA, TABLE] {
        let mut one = server.request("GET", &path).accept(accept).events().await;
        let mut two = server.request("GET", &path).accept(accept).events().await;
        let selected = format!("{path}&labelSelector=l%3Dx");
        let mut three = server.request("GET", &selected).accept(accept).events().await;
        server.config_map("a").await;
        assert_eq!(one.next().await, two.next().await);
        label(&server, "a", "x".into()).await;
        let (first, second, third) = (one.next().await, two.next().await, three.next().await);
        assert_eq!(first, second);
        assert_eq!((&first.unwrap()["type"], &third.unwrap()["type"]), (&json!("MODIFIED"), &json!("ADDED")));
        server.delete(&format!("{CONFIGMAPS}/a")).await.with(200);
    }
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

use control::store;
use serde_json::{Value, json};

use crate::harness::*;

async fn server_with(count: usize) -> Server {
    let server = Server::start().await;
    for i in 0..count {
        server
            .make(
                CONFIGMAPS,
                json!({"metadata": {"name": format!("c{i}"), "labels": {"even": (i % 2 == 0).to_string()}}}),
            )
            .await;
    }
    server
}

fn token(list: &Value) -> &str {
    list["metadata"]["continue"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_list_is_ordered_and_its_items_name_no_kind() {
    let server = server_with(0).await;
    for name in ["b", "c", "a"] {
        server.config_map(name).await;
    }
    let other = json!({"metadata": {"name": "z"}});
    server.make("/api/v1/namespaces/default/configmaps", other).await;
    let list = server.read(CONFIGMAPS).await;
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("ConfigMapList"), &json!("v1")));
    assert_eq!(names(&list), ["a", "b", "c"]);
    let keys: Vec<&String> = list["items"][0].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["metadata", "data"]);
    assert_eq!(names(&server.read("/api/v1/configmaps").await), ["z", "a", "b", "c"]);
    assert_eq!(server.read("/api/v1/namespaces/none/configmaps").await["items"], json!([]));
}

#[tokio::test]
async fn a_list_has_the_version_of_its_moment() {
    let server = server_with(2).await;
    let last = server.read(&format!("{CONFIGMAPS}/c1")).await;
    assert_eq!(version(&server.read(CONFIGMAPS).await), version(&last));
}

#[tokio::test]
async fn pages_show_one_moment() {
    let server = server_with(5).await;
    let one = server.read(&format!("{CONFIGMAPS}?limit=2")).await;
    assert_eq!((names(&one), &one["metadata"]["remainingItemCount"]), (vec!["c0", "c1"], &json!(3)));
    server.delete(&format!("{CONFIGMAPS}/c3")).await.with(200);
    server.config_map("c22").await;
    let two = server.read(&format!("{CONFIGMAPS}?limit=2&continue={}", token(&one))).await;
    assert_eq!((names(&two), version(&two)), (vec!["c2", "c3"], version(&one)));
    let three = server.read(&format!("{CONFIGMAPS}?limit=2&continue={}", token(&two))).await;
    assert_eq!((names(&three), token(&three)), (vec!["c4"], ""));
    assert!(three["metadata"].get("remainingItemCount").is_none());
}

#[tokio::test]
async fn pages_of_a_selection_do_not_count_what_follows() {
    let server = server_with(5).await;
    let one = server.read(&format!("{CONFIGMAPS}?limit=2&labelSelector=even%3Dtrue")).await;
    assert_eq!(names(&one), ["c0", "c2"]);
    assert!(one["metadata"].get("remainingItemCount").is_none());
    let path = format!("{CONFIGMAPS}?limit=2&labelSelector=even%3Dtrue&continue={}", token(&one));
    let two = server.read(&path).await;
    assert_eq!((names(&two), token(&two)), (vec!["c4"], ""));
}

#[tokio::test]
async fn pages_go_over_namespaces() {
    let server = server_with(2).await;
    server.make("/api/v1/namespaces/default/configmaps", json!({"metadata": {"name": "z"}})).await;
    let one = server.read("/api/v1/configmaps?limit=2").await;
    let two = server.read(&format!("/api/v1/configmaps?continue={}", token(&one))).await;
    assert_eq!((names(&one), names(&two)), (vec!["z", "c0"], vec!["c1"]));
}

#[tokio::test]
async fn a_forgotten_page_is_gone_and_says_how_to_go_on() {
    let config = store::Config { history: 2, ..store::Config::default() };
    let server = Server::with(config).await;
    for name in ["a", "b", "c"] {
        server.config_map(name).await;
    }
    let one = server.read(&format!("{CONFIGMAPS}?limit=1")).await;
    for name in ["d", "e", "f"] {
        server.config_map(name).await;
    }
    let gone = server.get(&format!("{CONFIGMAPS}?limit=1&continue={}", token(&one))).await.with(410);
    assert_eq!(gone["reason"], "Expired");
    let rest = server.read(&format!("{CONFIGMAPS}?continue={}", token(&gone))).await;
    assert_eq!(names(&rest), ["b", "c", "d", "e", "f"]);
}

#[tokio::test]
async fn a_moment_may_be_asked_for() {
    let server = server_with(2).await;
    let then = server.read(CONFIGMAPS).await;
    server.config_map("c9").await;
    let at = |more: &str| format!("{CONFIGMAPS}?resourceVersion={}{more}", version(&then));
    assert_eq!(names(&server.read(&at("&resourceVersionMatch=Exact")).await), ["c0", "c1"]);
    assert_eq!(names(&server.read(&at("&resourceVersionMatch=NotOlderThan")).await).len(), 3);
    assert_eq!(names(&server.read(&at("")).await).len(), 3);
    assert_eq!(names(&server.read(&format!("{CONFIGMAPS}?resourceVersion=0")).await).len(), 3);
}

#[tokio::test]
async fn the_future_cannot_be_listed() {
    let server = server_with(0).await;
    for path in [CONFIGMAPS.to_owned(), format!("{CONFIGMAPS}/any")] {
        let answer = server.get(&format!("{path}?resourceVersion=99999999")).await;
        assert_eq!(answer.header("retry-after"), "1");
        let status = answer.with(504);
        assert_eq!(status["reason"], "Timeout");
        assert_eq!(status["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
    }
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused() {
    let server = server_with(1).await;
    let list = async |query: &str| server.get(&format!("{CONFIGMAPS}?{query}")).await;
    for (query, words) in [
        ("limit=x", "strconv.ParseInt: parsing \"x\": invalid syntax"),
        (
            "continue=zzz",
            "invalid continue token: continue key is not valid: invalid character 'Ï' looking for beginning of value",
        ),
        (
            "resourceVersion=x",
            "invalid resource version: resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid syntax",
        ),
        ("timeoutSeconds=x", "strconv.ParseInt: parsing \"x\": invalid syntax"),
        // {"v":"meta.k8s.io/v1","rv":2,"start":"a"}
        (
            "resourceVersion=1&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Miwic3RhcnQiOiJhIn0",
            "specifying resource version is not allowed when using continue",
        ),
        // {"v":"meta.k8s.io/v1","rv":0,"start":"a"}
        (
            "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiJhIn0",
            "invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
        ),
        // {"v":"meta.k8s.io/v1","rv":2,"start":"../a"}
        (
            "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Miwic3RhcnQiOiIuLi9hIn0",
            "invalid continue token: continue key is not valid: ../a",
        ),
        (
            "fieldSelector=spec.x%3D1",
            "\"spec.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        ),
    ] {
        assert_eq!(list(query).await.refused(400, "BadRequest"), words, "{query}");
    }
    for (query, words) in [
        ("resourceVersionMatch=Exact", "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        (
            "resourceVersionMatch=Exact&resourceVersion=0",
            "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
        ),
        ("resourceVersionMatch=Zap&resourceVersion=1", "Unsupported value: \"Zap\""),
        ("sendInitialEvents=true", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
        (
            "continue=x&resourceVersionMatch=Exact&resourceVersion=1",
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
        ),
    ] {
        let said = list(query).await.refused(422, "Invalid");
        assert!(said.starts_with("ListOptions.meta.k8s.io \"\" is invalid: ") && said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_long_list_comes_whole() {
    let server = server_with(0).await;
    let filling = "x".repeat(40_000);
    for i in 0..6 {
        server.make(CONFIGMAPS, json!({"metadata": {"name": format!("c{i}")}, "data": {"x": filling}})).await;
    }
    let list = server.read(CONFIGMAPS).await;
    assert_eq!(names(&list).len(), 6);
    assert!(list["items"].as_array().expect("items").iter().all(|i| i["data"]["x"] == filling.as_str()));
}

#[tokio::test]
async fn whoever_takes_what_is_at_hand_gets_all_of_it() {
    let server = server_with(3).await;
    let list = server.read(&format!("{CONFIGMAPS}?limit=1&resourceVersion=0")).await;
    assert_eq!((names(&list), token(&list)), (vec!["c0", "c1", "c2"], ""));
    let page = server.read(&format!("{CONFIGMAPS}?limit=1&resourceVersion={}", version(&list))).await;
    assert_eq!((names(&page), version(&page)), (vec!["c0"], version(&list)));
}

#[tokio::test]
async fn a_page_of_a_moment_stays_at_it() {
    let server = server_with(3).await;
    let then = server.read(CONFIGMAPS).await;
    server.delete(&format!("{CONFIGMAPS}/c2")).await.with(200);
    let at = format!("{CONFIGMAPS}?resourceVersion={}&resourceVersionMatch=Exact&limit=2", version(&then));
    let one = server.read(&at).await;
    let two = server.read(&format!("{CONFIGMAPS}?limit=2&continue={}", token(&one))).await;
    assert_eq!((names(&two), version(&two)), (vec!["c2"], version(&then)));
    let plain = format!("{CONFIGMAPS}?resourceVersion=0&continue={}", token(&one));
    assert_eq!(names(&server.read(&plain).await), ["c2"], "0 asks for no moment");
}

#[tokio::test]
async fn a_moment_that_is_forgotten_cannot_be_listed() {
    let server = Server::with(store::Config { history: 1, ..store::Config::default() }).await;
    let first = server.config_map("a").await;
    for name in ["b", "c"] {
        server.config_map(name).await;
    }
    let gone = format!("{CONFIGMAPS}?resourceVersion={}&resourceVersionMatch=Exact", version(&first));
    let said = server.get(&gone).await.refused(410, "Expired");
    assert_eq!(said, "The resourceVersion for the provided list is too old.");
}

#[tokio::test]
async fn people_get_it_laid_out() {
    let server = server_with(1).await;
    let one = format!("{CONFIGMAPS}/c0");
    for (path, agent, pretty) in [
        (format!("{one}?pretty=true"), "x", true),
        (one.clone(), "curl/8.5", true),
        (one.clone(), "Mozilla/5.0 (X11)", true),
        (format!("{one}?pretty=0"), "curl/8.5", false),
        (one.clone(), "kubectl/1.33", false),
        (format!("{CONFIGMAPS}?pretty=1"), "x", true),
        (format!("{CONFIGMAPS}/none?pretty=1"), "x", true),
    ] {
        let answer = server.request("GET", &path).header("user-agent", agent).send().await;
        assert_eq!(answer.text.starts_with("{\n  \"kind\": "), pretty, "{path} {agent}");
        assert_eq!(answer.text.ends_with("}\n"), !pretty, "{path} {agent}");
        assert!(answer.json()["kind"].is_string());
    }
}

#[tokio::test]
async fn what_cannot_be_given_is_not_acceptable() {
    let server = server_with(1).await;
    // Upstream's router looks at the media type, its negotiation at the rest.
    for (accept, words) in [
        ("text/foo", "406: Not Acceptable\n\nAvailable representations: "),
        ("application/json;as=Zap;v=v1;g=meta.k8s.io", "only the following media types are accepted: "),
    ] {
        let answer = server.request("GET", CONFIGMAPS).accept(accept).send().await;
        let said = answer.refused(406, "NotAcceptable");
        assert!(said.starts_with(words), "{said}");
    }
    let watch = server.request("GET", &format!("{CONFIGMAPS}?watch=1")).accept(YAML).send().await;
    assert_eq!(
        watch.refused(406, "NotAcceptable"),
        "only the following media types are accepted: application/json;stream=watch, \
         application/vnd.kubernetes.protobuf;stream=watch"
    );
}

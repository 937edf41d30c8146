//! Bodies that nobody should send: each a clear answer, nothing changed, and the server still up.

use crate::harness::*;

async fn refused(server: &Server, content_type: &str, body: impl Into<bytes::Bytes>, code: u16) -> String {
    let answer = server.request("POST", CONFIGMAPS).body(content_type, body).send().await;
    let reason = if code == 413 { "RequestEntityTooLarge" } else { "BadRequest" };
    let words = answer.refused(code, reason);
    assert_eq!(server.read(CONFIGMAPS).await["items"], serde_json::json!([]), "nothing changed");
    words
}

#[tokio::test]
async fn json_that_is_none() {
    let server = Server::start().await;
    assert_eq!(
        refused(&server, JSON, "{bad", 400).await,
        "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: \
         invalid character 'b' looking for beginning of object key string ({bad)"
    );
    for (body, shown) in [
        ("", "(<empty>)"),
        ("[1]", "(5b315d)"),
        ("{\"metadata\": {\"name\": \"much longer\"", "({\"metadata\": {\"name\": \"much lo ...)"),
    ] {
        let words = refused(&server, JSON, body, 400).await;
        assert!(words.ends_with(shown), "{words}");
    }
    for body in ["", "{", "{}}", "[1]", "null", "7", "\"x\"", "{\"metadata\": 3}", "{\"metadata\": {\"name\": 3}}"] {
        refused(&server, JSON, body, 400).await;
    }
}

#[tokio::test]
async fn yaml_that_is_none() {
    let server = Server::start().await;
    for body in ["a: b: c", "a: [", "\t- x", "metadata: {name: x", "--- \n--- \n- 1"] {
        refused(&server, YAML, body, 400).await;
    }
}

#[tokio::test]
async fn the_wrong_kind() {
    let server = Server::start().await;
    assert_eq!(
        refused(&server, JSON, r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}"#, 400).await,
        "Secret in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown \
         conversion"
    );
    let words =
        refused(&server, JSON, r#"{"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "x"}}"#, 400).await;
    assert_eq!(
        words,
        "ConfigMap in version \"v2\" cannot be handled as a ConfigMap: no kind \"ConfigMap\" is registered for version \
         \"v2\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""
    );
}

#[tokio::test]
async fn too_much() {
    let server = Server::start().await;
    let body = format!("{{\"metadata\": {{\"name\": \"x\"}}, \"data\": {{\"a\": \"{}\"}}}}", "x".repeat(10 << 20));
    assert_eq!(refused(&server, JSON, body, 413).await, "Request entity too large: limit is 3145728");
    let binary =
        format!("{{\"metadata\": {{\"name\": \"x\"}}, \"data\": {{\"a\": \"{}\"}}}}", "x".repeat((1 << 20) + 1));
    let answer = server.request("POST", CONFIGMAPS).body(JSON, binary).send().await;
    assert!(answer.refused(422, "Invalid").contains("Too long"), "a ConfigMap holds a megabyte");
}

#[tokio::test]
async fn more_than_the_store_takes() {
    let server = Server::start().await;
    let annotated = serde_json::json!({"metadata": {"name": "r"}, "data": {"x": "y".repeat(2 << 20)}, "revision": 1});
    let answer = server.post("/apis/apps/v1/namespaces/golden/controllerrevisions", annotated).await;
    answer.refused(413, "RequestEntityTooLarge");
}

#[tokio::test]
async fn text_that_is_no_text() {
    let server = Server::start().await;
    let broken = b"{\"metadata\": {\"name\": \"x\"}, \"data\": {\"a\": \"\xff\xfe\"}}".to_vec();
    refused(&server, JSON, broken.clone(), 400).await;
    refused(&server, YAML, broken, 400).await;
}

#[tokio::test]
async fn depth_without_end() {
    let server = Server::start().await;
    for depth in [200, 10_000, 500_000] {
        let nested = format!("{{\"data\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
        refused(&server, JSON, nested.clone(), 400).await;
        refused(&server, YAML, nested, 400).await;
        let objects = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        refused(&server, JSON, objects, 400).await;
    }
}

#[tokio::test]
async fn aliases_without_end() {
    let server = Server::start().await;
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let last = i - 1;
        bomb.push_str(&format!("a{i}: &a{i} [*a{last}, *a{last}, *a{last}, *a{last}, *a{last}, *a{last}, *a{last}]\n"));
    }
    let words = refused(&server, YAML, bomb, 400).await;
    assert!(words.contains("excessive aliasing"), "{words}");
}

#[tokio::test]
async fn protobuf_that_is_none() {
    let server = Server::start().await;
    let protobuf = "application/vnd.kubernetes.protobuf";
    for body in [b"".to_vec(), b"k8s".to_vec(), b"k8s\0".to_vec(), b"k8s\0\xff\xff\xff\xff".to_vec(), vec![0; 1000]] {
        refused(&server, protobuf, body, 400).await;
    }
}

#[tokio::test]
async fn patches_that_are_none() {
    let server = Server::start().await;
    let made = server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    for (format, body) in [
        (JSON_PATCH, "{bad"),
        (JSON_PATCH, "{}"),
        (MERGE, "{bad"),
        (MERGE, "[]"),
        (STRATEGIC, "3"),
        (STRATEGIC, r#"{"data": {"$patch": "zap"}}"#),
    ] {
        server.request("PATCH", &path).body(format, body).send().await.refused(400, "BadRequest");
    }
    assert_eq!(server.read(&path).await, made);
}

#[tokio::test]
async fn queries_that_make_no_sense() {
    let server = Server::start().await;
    server.config_map("cm").await;
    for path in ["?timeoutSeconds=x&watch=1", "?resourceVersion=x&watch=1"] {
        server.get(&format!("{CONFIGMAPS}{path}")).await.refused(400, "BadRequest");
    }
    server.delete(&format!("{CONFIGMAPS}/cm?gracePeriodSeconds=x")).await.refused(400, "BadRequest");
    server.delete(&format!("{CONFIGMAPS}/cm?dryRun=x")).await.refused(422, "Invalid");
    server.read(&format!("{CONFIGMAPS}/cm?%ff%fe=%zz&&&=&pretty")).await;
}

#[tokio::test]
async fn patches_that_grow_without_end() {
    let server = Server::start().await;
    let revisions = "/apis/apps/v1/namespaces/golden/controllerrevisions";
    server.make(revisions, serde_json::json!({"metadata": {"name": "r"}, "data": {"x": {}}, "revision": 1})).await;
    let path = format!("{revisions}/r");
    let copy = r#"{"op": "copy", "from": "/data", "path": "/data/x/y"}"#;
    for count in [60, 9_000] {
        let patch = format!("[{}]", vec![copy; count].join(","));
        server.request("PATCH", &path).body(JSON_PATCH, patch).send().await.refused(422, "Invalid");
    }
    let patch = format!("[{}]", vec![copy; 10_001].join(","));
    server.request("PATCH", &path).body(JSON_PATCH, patch).send().await.refused(413, "RequestEntityTooLarge");
    assert_eq!(server.read(&path).await["data"], serde_json::json!({"x": {}}));
}

#[tokio::test]
async fn what_is_accepted_can_be_read_again_however_deep() {
    let server = Server::start().await;
    let revisions = "/apis/apps/v1/namespaces/golden/controllerrevisions";
    let nested = |depth: usize| {
        let data = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        format!("{{\"metadata\": {{\"name\": \"r{depth}\"}}, \"revision\": 1, \"data\": {data}}}")
    };
    for depth in 110..140 {
        let made = server.request("POST", revisions).body(JSON, nested(depth)).send().await;
        if made.code == 201 {
            let path = format!("{revisions}/r{depth}");
            server.patch(&path, MERGE, serde_json::json!({"metadata": {"labels": {"a": "b"}}})).await.with(200);
            server.delete(&path).await.with(200);
        } else {
            made.refused(400, "BadRequest");
        }
    }
}

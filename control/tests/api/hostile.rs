//! What is meant to hurt: each gets its clear error in little time, and the next request is served.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::*;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// Sends a body that must be refused with this code soon, and after which all is as before. Returns what was said.
async fn refused(path: &str, content_type: &str, body: impl Into<bytes::Bytes>, code: u16) -> String {
    let server = Server::start().await;
    let start = Instant::now();
    let answer = server.request("POST", path).body(content_type, body).send().await;
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(answer.text.len() < 4 << 20, "an answer of {} bytes", answer.text.len());
    let status = answer.with(code);
    assert_eq!(status["kind"], "Status");
    assert_eq!(server.read(path).await["items"], json!([]));
    server.config_map("fine").await;
    status["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_hundred_thousand_labels() {
    let mut labels = String::new();
    for i in 0..100_000 {
        let _ = write!(labels, "{}\"l{i}\":\"v\"", if i == 0 { "" } else { "," });
    }
    let body = format!(r#"{{"metadata":{{"name":"x","labels":{{{labels}}}}}}}"#);
    let server = Server::start().await;
    let answer = server.request("POST", CONFIGMAPS).body(JSON, body).send().await;
    assert!(matches!(answer.code, 201 | 413), "{}", answer.code);
    server.config_map("fine").await;
}

#[tokio::test]
async fn a_hundred_thousand_labels_that_are_none() {
    let mut labels = String::new();
    for i in 0..100_000 {
        let _ = write!(labels, "{}\"-l{i}\":\"-\"", if i == 0 { "" } else { "," });
    }
    let body = format!(r#"{{"metadata":{{"name":"x","labels":{{{labels}}}}}}}"#);
    let words = refused(CONFIGMAPS, JSON, body, 422).await;
    assert!(
        words.starts_with("ConfigMap \"x\" is invalid: [metadata.labels: Invalid value: \"-l0\": "),
        "{}",
        &words[..200]
    );
}

#[tokio::test]
async fn a_million_empty_containers() {
    let containers = vec!["{}"; 900_000].join(",");
    let json = format!(r#"{{"metadata":{{"name":"x"}},"spec":{{"containers":[{containers}]}}}}"#);
    assert!(refused(PODS, JSON, json.clone(), 400).await.contains("exceeded max number of objects"));
    assert!(refused(PODS, YAML, json, 400).await.contains("exceeded max number of objects"));
    // k8s, Unknown{typeMeta{apiVersion: v1, kind: Pod}, raw{spec{containers{}…}}}
    let spec: Vec<u8> = [0x12, 0].repeat(900_000);
    let raw = message(2, &spec);
    let mut body = b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod".to_vec();
    body.extend(message(2, &raw));
    assert!(refused(PODS, PROTOBUF, body, 400).await.contains("exceeded max number of objects"));
}

fn message(number: u8, bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut length) = (vec![number << 3 | 2], bytes.len());
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
    out
}

#[tokio::test]
async fn keys_that_come_twice_a_hundred_thousand_times() {
    let mut data = String::new();
    for i in 0..100_000 {
        let _ = write!(data, "\"k{i}\":\"\",\"k{i}\":\"\",");
    }
    let body = format!(r#"{{"metadata":{{"name":"x"}},"data":{{{data}"z":""}}}}"#);
    let words = refused(&format!("{CONFIGMAPS}?fieldValidation=Strict"), JSON, body, 400).await;
    assert!(words.contains("duplicate field \"data.k0\"") && words.len() < 10_000, "{}", words.len());
}

#[tokio::test]
async fn fields_that_nobody_knows_a_hundred_thousand_times() {
    let mut fields = String::new();
    for i in 0..100_000 {
        let _ = write!(fields, "\"u{i}\":1,");
    }
    let body = format!(r#"{{{fields}"metadata":{{"name":"x"}}}}"#);
    let words = refused(&format!("{CONFIGMAPS}?fieldValidation=Strict"), JSON, body, 400).await;
    assert!(words.contains("unknown field \"u0\"") && words.len() < 10_000, "{}", words.len());
}

#[tokio::test]
async fn aliases_of_long_text() {
    let long = "x".repeat(1 << 20);
    let many = vec!["*a"; 10_000].join(", ");
    let words = refused(CONFIGMAPS, YAML, format!("a: &a {long}\nb: [{many}]\n"), 400).await;
    assert!(words.contains("excessive aliasing"), "{}", &words[..200]);
    let mut nested = String::new();
    for depth in 0..120 {
        let _ = write!(nested, "&a{depth} [");
    }
    let body = format!("a: {nested}{long}{}\n", "]".repeat(120));
    assert!(refused(CONFIGMAPS, YAML, body, 400).await.contains("excessive aliasing"));
}

#[tokio::test]
async fn numbers_without_end() {
    let digits = "9".repeat(1 << 20);
    let server = Server::start().await;
    for number in ["1e400", "-1e999999999", &digits, "99999999999999999999", "1.5", "1e-999999999", "2147483648"] {
        let body = format!(
            r#"{{"metadata":{{"name":"x"}},"spec":{{"replicas":{number},"selector":{{"matchLabels":{{"a":"b"}}}},
            "template":{{"metadata":{{"labels":{{"a":"b"}}}},"spec":{{"containers":[{{"name":"c","image":"i"}}]}}}}}}}}"#
        );
        let answer = server.request("POST", DEPLOYMENTS).body(JSON, body).send().await;
        assert!(matches!(answer.code, 400 | 422), "{} {}", answer.code, &number[..number.len().min(30)]);
    }
    for quantity in
        ["1e999999999", "1e-999999999", &digits, "9e9223372036854775807", "0.000000000000000000000000000001"]
    {
        let mut pod = pod("p");
        pod["spec"]["containers"][0]["resources"] = json!({"requests": {"memory": quantity}});
        let path = format!("{PODS}?dryRun=All");
        let start = Instant::now();
        let answer = server.post(&path, pod).await;
        assert!(matches!(answer.code, 201 | 400 | 422), "{}", answer.code);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn every_beginning_of_a_protobuf_body() {
    let server = Server::start().await;
    let object = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "x", "labels": {"a": "b"}},
        "data": {"k": "v"}});
    let whole = schema::encode::protobuf(schema::builtin(), &object).expect("a known kind");
    for end in 0..whole.len() {
        let cut = whole[..end].to_vec();
        let path = format!("{CONFIGMAPS}?dryRun=All");
        let answer = server.request("POST", &path).body(PROTOBUF, cut).send().await;
        assert!(matches!(answer.code, 201 | 400 | 422), "{end}: {}", answer.text);
    }
    let mut broken = whole.clone();
    let at = broken.len() - 8;
    broken[at..].fill(0xff);
    server.request("POST", CONFIGMAPS).body(PROTOBUF, broken).send().await.refused(400, "BadRequest");
}

#[tokio::test]
async fn text_that_is_no_text_outside_of_bodies() {
    let server = Server::start().await;
    server.config_map("a").await;
    for path in ["/api/v1/namespaces/%ff/configmaps", "/api/v1/namespaces/golden/configmaps/%c3%28", "/%ff%fe"] {
        let answer = server.get(path).await;
        assert!(matches!(answer.code, 200 | 404), "{path}: {}", answer.code);
    }
    server.get(&format!("{CONFIGMAPS}?labelSelector=%ff%fe")).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn a_body_that_is_compressed() {
    let server = Server::start().await;
    for encoding in ["gzip", "deflate", "br"] {
        let call = server.request("POST", CONFIGMAPS).header("content-encoding", encoding).body(JSON, &b"\x1f\x8b"[..]);
        let words = call.send().await.refused(415, "UnsupportedMediaType");
        assert!(words.contains(encoding), "{words}");
    }
    let plain = server.request("POST", CONFIGMAPS).header("content-encoding", "identity");
    plain.body(JSON, r#"{"metadata":{"name":"x"}}"#).send().await.with(201);
}

#[tokio::test]
async fn selectors_without_end() {
    let server = Server::start().await;
    let many = vec!["a%3Db"; 10_000].join(",");
    server.read(&format!("{CONFIGMAPS}?labelSelector={many}")).await;
    let open = "(".repeat(20_000);
    server.get(&format!("{CONFIGMAPS}?labelSelector={open}")).await.refused(400, "BadRequest");
    server.get(&format!("{CONFIGMAPS}?fieldSelector={open}")).await.refused(400, "BadRequest");
}

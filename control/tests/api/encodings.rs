use serde_json::{Value, json};

use crate::harness::*;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

#[tokio::test]
async fn yaml_is_taken_and_given() {
    let server = Server::start().await;
    let body =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm\n  labels: {l: \"yes\"}\ndata:\n  a: |\n    x\n    y\n";
    let made = server.request("POST", CONFIGMAPS).body(YAML, body).send().await.with(201);
    assert_eq!((&made["data"]["a"], &made["metadata"]["labels"]["l"]), (&json!("x\ny\n"), &json!("yes")));
    let answer = server.request("GET", &format!("{CONFIGMAPS}/cm")).accept(YAML).send().await;
    assert_eq!(answer.header("content-type"), YAML);
    let shown: Value = serde_yaml::from_str(&answer.text).expect("YAML");
    assert_eq!(shown, made);
    let list = server.request("GET", CONFIGMAPS).accept(YAML).send().await;
    let shown: Value = serde_yaml::from_str(&list.text).expect("YAML");
    assert_eq!((&shown["kind"], names(&shown)), (&json!("ConfigMapList"), vec!["cm"]));
}

#[tokio::test]
async fn json_answers_have_their_headers() {
    let server = Server::start().await;
    let answer = server.request("GET", CONFIGMAPS).accept("*/*").send().await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-cache, private");
}

#[tokio::test]
async fn protobuf_bodies_are_taken() {
    let server = Server::start().await;
    let object = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "cm", "labels": {"a": "b"}},
        "data": {"k": "v"}});
    let made =
        server.request("POST", CONFIGMAPS).accept(&format!("{JSON},{PROTOBUF}")).body(PROTOBUF, protobuf(&object));
    let made = made.send().await.with(201);
    assert_eq!((&made["data"], &made["metadata"]["labels"]), (&object["data"], &object["metadata"]["labels"]));
    let mut web = deployment("web");
    web["kind"] = "Deployment".into();
    web["apiVersion"] = "apps/v1".into();
    let made = server.request("POST", DEPLOYMENTS).body(PROTOBUF, protobuf(&web)).send().await.with(201);
    assert_eq!(made["spec"]["selector"], web["spec"]["selector"]);
    assert_eq!(made["spec"]["replicas"], 1);
    let binding = json!({"kind": "Binding", "apiVersion": "v1", "metadata": {"name": "p"},
        "target": {"kind": "Node", "name": "n1"}});
    server.make(PODS, pod("p")).await;
    server.request("POST", &format!("{PODS}/p/binding")).body(PROTOBUF, protobuf(&binding)).send().await.with(201);
}

#[tokio::test]
async fn protobuf_is_given_to_who_prefers_it() {
    let server = Server::start().await;
    let made = server.config_map("cm").await;
    let ask = |path: &str| server.request("GET", path).accept(&format!("{PROTOBUF},{JSON}"));
    let read = |bytes: &[u8]| schema::decode::protobuf(schema::builtin(), bytes).expect("protobuf");
    let conformed = |mut object: Value| {
        let ty = schema::builtin().kind("", "v1", "ConfigMap").expect("a type");
        schema::admit::conform(ty, &mut object).expect("types that fit");
        object
    };
    let (code, kind, body) = ask(&format!("{CONFIGMAPS}/cm")).raw().await;
    assert_eq!((code, kind.as_str()), (200, PROTOBUF));
    assert_eq!(conformed(read(&body)), made);
    let (code, kind, body) = ask(&format!("{CONFIGMAPS}/none")).raw().await;
    assert_eq!((code, kind.as_str()), (404, PROTOBUF));
    assert_eq!(read(&body)["message"], "configmaps \"none\" not found");
    let (code, kind, body) = ask(CONFIGMAPS).raw().await;
    assert_eq!((code, kind.as_str()), (200, PROTOBUF));
    let holds = |body: &[u8], text: &str| body.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(body.starts_with(b"k8s\0") && holds(&body, "ConfigMapList") && holds(&body, version(&made)));
    let (_, kind, body) = ask(&format!("{CONFIGMAPS}?watch=1&timeoutSeconds=1")).raw().await;
    assert_eq!(kind, format!("{PROTOBUF};stream=watch"));
    let length = u32::from_be_bytes(body[..4].try_into().expect("four bytes")) as usize;
    assert_eq!(body.len(), 4 + length, "one event");
    assert_eq!(&body[4..11], b"\x0a\x05ADDED");
    // WatchEvent.object is a RawExtension whose raw is a whole body.
    let start = body.windows(4).position(|w| w == b"k8s\0").expect("an envelope");
    assert_eq!(conformed(read(&body[start..])), made);
    let table = format!("{PROTOBUF};as=Table;v=v1;g=meta.k8s.io,{TABLE}");
    let shown = server.request("GET", CONFIGMAPS).accept(&table).send().await.with(200);
    assert_eq!(shown["kind"], "Table", "Tables are JSON");
}

#[tokio::test]
async fn protobuf_options_are_taken() {
    let server = Server::start().await;
    server.make(PODS, pod("p")).await;
    bind(&server, "p").await;
    // k8s, Unknown{typeMeta{apiVersion: v1, kind: DeleteOptions}, raw{gracePeriodSeconds: 9}}
    let body = b"k8s\0\x0a\x13\x0a\x02v1\x12\x0dDeleteOptions\x12\x02\x08\x09\x1a\x00\x22\x00".to_vec();
    let marked = server.request("DELETE", &format!("{PODS}/p")).body(PROTOBUF, body).send().await.with(200);
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 9);
}

fn protobuf(object: &Value) -> Vec<u8> {
    schema::encode::protobuf(schema::builtin(), object).expect("a known kind")
}

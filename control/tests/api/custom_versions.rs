//! Several versions of a kind, without anybody to convert between them.

use serde_json::{Value, json};

use crate::harness::*;

const V2: &str = "/apis/stable.example.com/v2/namespaces/golden/crontabs";

fn definition() -> Value {
    let mut definition = crontabs(json!({"type": "object", "properties": {"cron": {"type": "string"},
        "zone": {"type": "string"}}}));
    let mut v2 = definition["spec"]["versions"][0].clone();
    v2["name"] = "v2".into();
    v2["storage"] = false.into();
    let zone = &mut v2["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["zone"];
    *zone = json!({"type": "string", "default": "utc"});
    let versions = definition["spec"]["versions"].as_array_mut().expect("versions");
    versions[0]["deprecated"] = true.into();
    versions.push(v2);
    definition
}

#[tokio::test]
async fn an_object_is_shown_in_the_version_that_is_asked_for() {
    let server = Server::start().await;
    server.define(definition()).await;
    let answer = server.post(CRONTABS, crontab("a", json!({"cron": "*"}))).await;
    let words = "299 - \"stable.example.com/v1 CronTab is deprecated; use stable.example.com/v2 CronTab\"";
    assert_eq!(answer.warnings(), [words]);
    let first = answer.with(201);
    assert_eq!(first["apiVersion"], "stable.example.com/v1");
    let second = server.read(&format!("{V2}/a")).await;
    assert_eq!((&second["apiVersion"], version(&second)), (&json!("stable.example.com/v2"), version(&first)));
    let mut sent = crontab("b", json!({"cron": "*"}));
    sent["apiVersion"] = "stable.example.com/v2".into();
    let made = server.make(V2, sent).await;
    assert_eq!((&made["apiVersion"], &made["spec"]["zone"]), (&json!("stable.example.com/v2"), &json!("utc")));
    let list = server.read(V2).await;
    let versions: Vec<&Value> = list["items"].as_array().expect("items").iter().map(|i| &i["apiVersion"]).collect();
    assert_eq!(versions, [&json!("stable.example.com/v2"); 2]);
    let hash = async |version: &str| {
        let told = server.read(&format!("/apis/stable.example.com/{version}")).await;
        told["resources"][0]["storageVersionHash"].clone()
    };
    assert_eq!(hash("v1").await, hash("v2").await, "one version is stored");
    let listed = server.read("/apis/stable.example.com").await;
    let names: Vec<&Value> = listed["versions"].as_array().expect("versions").iter().map(|v| &v["version"]).collect();
    assert_eq!((names, &listed["preferredVersion"]["version"]), (vec![&json!("v2"), &json!("v1")], &json!("v2")));
}

#[tokio::test]
async fn a_watch_of_one_version_sees_writes_of_the_other() {
    let server = Server::start().await;
    server.define(definition()).await;
    let mut events = server.watch(&format!("{V2}?watch=1")).await;
    server.make(CRONTABS, crontab("a", json!({"cron": "*"}))).await;
    let event = events.next().await.expect("an event");
    assert_eq!((&event["type"], &event["object"]["apiVersion"]), (&json!("ADDED"), &json!("stable.example.com/v2")));
    server.patch(&format!("{V2}/a"), MERGE, json!({"spec": {"cron": "x"}})).await.with(200);
    let event = events.next().await.expect("an event");
    assert_eq!((&event["type"], &event["object"]["spec"]["cron"]), (&json!("MODIFIED"), &json!("x")));
    assert_eq!(server.read(&format!("{CRONTABS}/a")).await["spec"]["cron"], "x");
}

#[tokio::test]
async fn the_stored_version_moves_with_the_next_write() {
    let server = Server::start().await;
    server.define(definition()).await;
    let made = server.make(CRONTABS, crontab("a", json!({"cron": "*"}))).await;
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let moved = json!([{"op": "replace", "path": "/spec/versions/0/storage", "value": false},
        {"op": "replace", "path": "/spec/versions/1/storage", "value": true}]);
    let changed = server.patch(&path, JSON_PATCH, moved).await.with(200);
    assert_eq!(changed["status"]["storedVersions"], json!(["v1", "v2"]));
    assert_eq!(changed["metadata"]["generation"], 2);
    // A write that changes nothing stores the object in the new version.
    let touched = loop {
        let touched = server.put(&format!("{CRONTABS}/a"), made.clone()).await;
        match touched.code {
            200 if version(&touched.json()) == version(&made) => tokio::task::yield_now().await,
            _ => break touched.with(200),
        }
    };
    assert_eq!(touched["apiVersion"], "stable.example.com/v1");
    // Now the old version can be forgotten, but not before.
    let mut dropped = server.read(&path).await;
    dropped["spec"]["versions"].as_array_mut().expect("versions").remove(0);
    let words = server.put(&path, dropped.clone()).await.refused(422, "Invalid");
    assert!(words.contains("status.storedVersions[0]: Invalid value: \"v1\": must appear in spec.versions"), "{words}");
    let forget = json!({"status": {"storedVersions": ["v2"]}});
    let after = server.patch(&format!("{path}/status"), MERGE, forget).await.with(200);
    dropped["metadata"]["resourceVersion"] = version(&after).into();
    server.put(&path, dropped).await.with(200);
}

#[tokio::test]
async fn a_new_default_is_seen_in_old_objects() {
    let server = Server::start().await;
    server.define(definition()).await;
    server.make(CRONTABS, crontab("a", json!({"cron": "*"}))).await;
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let more = json!([{"op": "add", "value": {"type": "integer", "default": 4},
        "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size"}]);
    server.patch(&path, JSON_PATCH, more).await.with(200);
    let wait = async {
        while server.read(&format!("{CRONTABS}/a")).await["spec"]["size"] != 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), wait).await.expect("the default shows");
    assert_eq!(server.read(CRONTABS).await["items"][0]["spec"]["size"], 4);
}

//! Custom resources: the same verbs as for any kind, by the schema of their definition.

use serde_json::{Value, json};

use crate::harness::*;

fn spec() -> Value {
    json!({"type": "object", "required": ["cron"], "properties": {
        "cron": {"type": "string", "maxLength": 5},
        "replicas": {"type": "integer", "default": 1},
        "color": {"type": "string"},
        "labels": {"type": "string"},
        "list": {"type": "array", "items": {"type": "string"}},
    }})
}

fn definition() -> Value {
    let mut definition = crontabs(spec());
    let version = &mut definition["spec"]["versions"][0];
    version["subresources"] = json!({"status": {}, "scale": {"specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".spec.labels"}});
    version["additionalPrinterColumns"] = json!([
        {"name": "Cron", "type": "string", "jsonPath": ".spec.cron"},
        {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1, "description": "How many."},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]);
    version["selectableFields"] = json!([{"jsonPath": ".spec.color"}]);
    definition
}

async fn started() -> Server {
    let server = Server::start().await;
    server.define(definition()).await;
    server
}

#[tokio::test]
async fn objects_are_sorted_defaulted_and_pruned() {
    let server = started().await;
    let mut sent = crontab("a", json!({"zzz": 1, "cron": "* *"}));
    sent["status"] = json!({"replicas": 9});
    let answer = server.post(CRONTABS, sent).await;
    assert_eq!(answer.warnings(), ["299 - \"unknown field \\\"spec.zzz\\\"\""]);
    let made = answer.with(201);
    assert_eq!(made["spec"].to_string(), r#"{"cron":"* *","replicas":1}"#);
    assert_eq!(made["status"], Value::Null);
    let keys = |v: &Value| v.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&made), ["apiVersion", "kind", "metadata", "spec"]);
    assert!(keys(&made["metadata"]).is_sorted(), "{made}");
    assert_eq!(made["metadata"]["generation"], 1);
    let listed = server.get(CRONTABS).await;
    assert!(
        listed.text.starts_with(r#"{"apiVersion":"stable.example.com/v1","items":[{"apiVersion":"#),
        "{}",
        listed.text
    );
    let list = listed.with(200);
    assert_eq!((&list["kind"], &list["items"][0]), (&json!("CronTabList"), &made));
    assert_eq!(list["metadata"]["continue"], "");
}

#[tokio::test]
async fn strict_validation_names_unknown_and_duplicate_fields() {
    let server = started().await;
    let path = format!("{CRONTABS}?fieldValidation=Strict");
    let words = server.post(&path, crontab("a", json!({"cron": "*", "zzz": 1}))).await.refused(400, "BadRequest");
    let strict =
        "CronTab in version \"v1\" cannot be handled as a CronTab: strict decoding error: unknown field \"spec.zzz\"";
    assert_eq!(words, strict);
    let twice = r#"{"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": "a"},
        "spec": {"cron": "*", "cron": "x"}}"#;
    let words = server.request("POST", &path).body(JSON, twice).send().await.refused(400, "BadRequest");
    assert!(words.contains("duplicate field \"spec.cron\""), "{words}");
}

#[tokio::test]
async fn values_must_fit_their_schema() {
    let server = started().await;
    let words = server.post(CRONTABS, crontab("a", json!({"cron": "too long"}))).await.refused(422, "Invalid");
    let wanted = "CronTab.stable.example.com \"a\" is invalid: spec.cron: Too long: may not be more than 5 bytes";
    assert!(words.starts_with(wanted), "{words}");
    let words = server.post(CRONTABS, crontab("a", json!({}))).await.refused(422, "Invalid");
    assert!(words.contains("spec.cron: Required value"), "{words}");
    let words = server.post(CRONTABS, crontab("A", json!({"cron": "*"}))).await.refused(422, "Invalid");
    assert!(words.contains("metadata.name: Invalid value: \"A\""), "{words}");
    let mut other = crontab("a", json!({"cron": "*"}));
    other["kind"] = "Other".into();
    server.post(CRONTABS, other).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn tables_have_the_columns_of_the_definition() {
    let server = started().await;
    server.make(CRONTABS, crontab("a", json!({"cron": "* *"}))).await;
    let table = server.request("GET", CRONTABS).accept(TABLE).send().await.with(200);
    let columns = table["columnDefinitions"].as_array().expect("columns");
    let names: Vec<&str> = columns.iter().filter_map(|c| c["name"].as_str()).collect();
    assert_eq!(names, ["Name", "Cron", "Replicas", "Age"]);
    assert_eq!((&columns[2]["priority"], &columns[2]["description"]), (&json!(1), &json!("How many.")));
    let told = "Custom resource definition column (in JSONPath format): .spec.cron";
    assert_eq!(columns[1]["description"], told);
    assert_eq!(cells(&table, 3), json!(["a", "* *", 1]));
    assert!(table["rows"][0]["cells"][3].as_str().is_some_and(|age| age.ends_with('s')));
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
}

#[tokio::test]
async fn status_and_spec_are_kept_apart() {
    let server = started().await;
    server.make(CRONTABS, crontab("a", json!({"cron": "*"}))).await;
    let path = format!("{CRONTABS}/a");
    let both = json!({"spec": {"cron": "* *"}, "status": {"replicas": 2}});
    let after = server.patch(&format!("{path}/status"), MERGE, both.clone()).await.with(200);
    assert_eq!((&after["spec"]["cron"], &after["status"]["replicas"]), (&json!("*"), &json!(2)));
    assert_eq!(after["metadata"]["generation"], 1);
    let after = server.patch(&path, MERGE, json!({"spec": {"cron": "* *"}, "status": {"replicas": 7}})).await.with(200);
    assert_eq!((&after["spec"]["cron"], &after["status"]["replicas"]), (&json!("* *"), &json!(2)));
    assert_eq!(after["metadata"]["generation"], 2);
    let labelled = json!({"metadata": {"labels": {"a": "b"}}});
    assert_eq!(server.patch(&path, MERGE, labelled).await.with(200)["metadata"]["generation"], 2);
}

#[tokio::test]
async fn scale_reads_and_writes_where_the_definition_says() {
    let server = started().await;
    server.make(CRONTABS, crontab("a", json!({"cron": "*", "replicas": 3, "labels": "a=b"}))).await;
    let path = format!("{CRONTABS}/a/scale");
    let mut scale = server.read(&path).await;
    assert_eq!((&scale["kind"], &scale["spec"]["replicas"]), (&json!("Scale"), &json!(3)));
    assert_eq!(scale["status"], json!({"replicas": 0, "selector": "a=b"}));
    let table = server.request("GET", &path).accept(TABLE).send().await.with(200);
    assert_eq!(
        table["rows"][0]["cells"].as_array().map(|cells| &cells[..3]),
        Some(&[json!("a"), json!(3), json!(0)][..])
    );
    let headings: Vec<&Value> =
        table["columnDefinitions"].as_array().into_iter().flatten().map(|c| &c["name"]).collect();
    assert_eq!(headings, ["Name", "Desired", "Available", "Age"]);
    scale["spec"]["replicas"] = 5.into();
    assert_eq!(server.put(&path, scale).await.with(200)["spec"]["replicas"], 5);
    let after = server.read(&format!("{CRONTABS}/a")).await;
    assert_eq!((&after["spec"]["replicas"], &after["metadata"]["generation"]), (&json!(5), &json!(2)));
    server.patch(&path, MERGE, json!({"spec": {"replicas": -1}})).await.refused(422, "Invalid");
    let words = server.post(CRONTABS, crontab("b", json!({"cron": "*", "replicas": -1}))).await.refused(422, "Invalid");
    assert!(words.contains(".spec.replicas: Invalid value: -1: should be a non-negative integer"), "{words}");
}

#[tokio::test]
async fn selectable_fields_select() {
    let server = started().await;
    for (name, color) in [("a", "red"), ("b", "blue")] {
        server.make(CRONTABS, crontab(name, json!({"cron": "*", "color": color}))).await;
    }
    let of = |selector: &str| format!("{CRONTABS}?fieldSelector={selector}");
    assert_eq!(names(&server.read(&of("spec.color%3Dred")).await), ["a"]);
    assert_eq!(names(&server.read(&of("spec.color!%3Dred")).await), ["b"]);
    let words = server.get(&of("spec.cron%3Dx")).await.refused(400, "BadRequest");
    assert_eq!(words, "field label not supported: spec.cron");
}

#[tokio::test]
async fn patches_of_each_kind_but_the_strategic() {
    let server = started().await;
    server.make(CRONTABS, crontab("a", json!({"cron": "*", "list": ["x"]}))).await;
    let path = format!("{CRONTABS}/a");
    let after = server.patch(&path, MERGE, json!({"spec": {"list": ["y"]}})).await.with(200);
    assert_eq!(after["spec"]["list"], json!(["y"]));
    let add = json!([{"op": "add", "path": "/spec/list/-", "value": "z"}]);
    assert_eq!(server.patch(&path, JSON_PATCH, add).await.with(200)["spec"]["list"], json!(["y", "z"]));
    let words = server.patch(&path, STRATEGIC, json!({"spec": {}})).await.refused(415, "UnsupportedMediaType");
    let wanted = "the body of the request was in an unknown format - accepted media types include: \
        application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    assert_eq!(words, wanted);
    let same = server.read(&path).await;
    assert_eq!(version(&server.patch(&path, MERGE, json!({"spec": {"cron": "*"}})).await.with(200)), version(&same));
}

#[tokio::test]
async fn a_put_needs_a_resource_version() {
    let server = started().await;
    let made = server.make(CRONTABS, crontab("a", json!({"cron": "*"}))).await;
    let path = format!("{CRONTABS}/a");
    let words = server.put(&path, crontab("a", json!({"cron": "x"}))).await.refused(422, "Invalid");
    assert!(words.contains("metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"), "{words}");
    let mut changed = made.clone();
    changed["spec"]["cron"] = "x".into();
    let after = server.put(&path, changed.clone()).await.with(200);
    assert_eq!((&after["spec"]["cron"], &after["metadata"]["generation"]), (&json!("x"), &json!(2)));
    server.put(&path, changed).await.refused(409, "Conflict");
}

#[tokio::test]
async fn finalizers_of_any_name_are_taken_with_a_warning() {
    let server = started().await;
    let mut held = crontab("a", json!({"cron": "*"}));
    held["metadata"]["finalizers"] = json!(["mine"]);
    let answer = server.post(CRONTABS, held).await;
    let words = "299 - \"metadata.finalizers: \\\"mine\\\": prefer a domain-qualified finalizer name including a path (/) to \
                 avoid accidental conflicts with other finalizer writers\"";
    assert_eq!(answer.warnings(), [words]);
    answer.with(201);
}

#[tokio::test]
async fn watches_see_all_that_happens() {
    let server = started().await;
    let mut events = server.watch(&format!("{CRONTABS}?watch=1")).await;
    server.make(CRONTABS, crontab("a", json!({"cron": "*"}))).await;
    server.patch(&format!("{CRONTABS}/a"), MERGE, json!({"spec": {"cron": "x"}})).await.with(200);
    let gone = server.delete(&format!("{CRONTABS}/a")).await.with(200);
    assert_eq!((&gone["kind"], &gone["status"]), (&json!("Status"), &json!("Success")));
    events.expect(&[("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]).await;
    server.make(CRONTABS, crontab("b", json!({"cron": "*"}))).await;
    server.delete(CRONTABS).await.with(200);
    events.expect(&[("ADDED", "b"), ("DELETED", "b")]).await;
}

#[tokio::test]
async fn apply_knows_the_types_of_the_definition() {
    let server = Server::start().await;
    let items = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
        "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "string"}}}});
    server.define(crontabs(json!({"type": "object", "properties": {"items": items}}))).await;
    let apply = async |manager: &str, key: &str| {
        let object = crontab("a", json!({"items": [{"k": key, "v": "1"}]}));
        let path = format!("{CRONTABS}/a?fieldManager={manager}");
        server.request("PATCH", &path).body("application/apply-patch+yaml", object.to_string()).send().await
    };
    let first = apply("m1", "a").await.with(201);
    let owned = json!({"f:spec": {"f:items": {"k:{\"k\":\"a\"}": {".": {}, "f:k": {}, "f:v": {}}}}});
    assert_eq!(first["metadata"]["managedFields"][0]["fieldsV1"], owned);
    let second = apply("m2", "b").await.with(200);
    assert_eq!(second["spec"]["items"], json!([{"k": "a", "v": "1"}, {"k": "b", "v": "1"}]));
    assert_eq!(second["metadata"]["generation"], 2);
    assert_eq!(version(&apply("m2", "b").await.with(200)), version(&second));
}

#[tokio::test]
async fn what_was_wrong_before_is_a_warning() {
    let server = Server::start().await;
    let a = |rules: Value| json!({"type": "object", "properties": {"n": {"type": "integer"}}, "x-kubernetes-validations": rules});
    let spec = |rules| json!({"type": "object", "properties": {"a": a(rules), "b": {"type": "string"}}});
    server.define(crontabs(spec(json!([])))).await;
    server.make(CRONTABS, crontab("old", json!({"a": {"n": 1}}))).await;
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let rules = json!([{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/a",
        "value": a(json!([{"rule": "self.n > 5"}]))}]);
    server.patch(&path, JSON_PATCH, rules).await.with(200);
    let old = format!("{CRONTABS}/old");
    let patience = async {
        // The new rules hold from a moment after the definition was changed.
        while server.post(CRONTABS, crontab("new", json!({"a": {"n": 1}}))).await.code != 422 {
            server.delete(&format!("{CRONTABS}/new")).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), patience).await.expect("the rule comes to hold");
    let answer = server.patch(&old, MERGE, json!({"spec": {"b": "x"}})).await;
    assert_eq!(answer.warnings(), ["299 - \"spec.a: Invalid value: \\\"object\\\": failed rule: self.n > 5\""]);
    answer.with(200);
    server.patch(&old, MERGE, json!({"spec": {"a": {"n": 2}}})).await.refused(422, "Invalid");
}

//! Definitions: their life, their names, what clients are told of their kinds.

use serde_json::{Value, json};

use crate::harness::*;

fn any() -> Value {
    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

#[tokio::test]
async fn a_definition_gets_what_upstream_gives_it() {
    let server = Server::start().await;
    let made = server.make(DEFINITIONS, crontabs(any())).await;
    let names = json!({"plural": "crontabs", "singular": "crontab", "shortNames": ["ct"], "kind": "CronTab",
        "listKind": "CronTabList", "categories": ["all"]});
    assert_eq!(made["spec"]["names"].to_string(), names.to_string());
    assert_eq!(made["spec"]["conversion"], json!({"strategy": "None"}));
    let status = r#"{"conditions":null,"acceptedNames":{"plural":"","kind":""},"storedVersions":["v1"]}"#;
    assert_eq!((made["status"].to_string().as_str(), &made["metadata"]["generation"]), (status, &json!(1)));
    let wanted = |d: &Value| condition(d, "Established").0 == "True";
    let established = server.established("crontabs.stable.example.com", wanted).await;
    assert_eq!(condition(&established, "NamesAccepted"), ("True", "NoConflicts"));
    assert_eq!(condition(&established, "Established"), ("True", "InitialNamesAccepted"));
    assert_eq!(established["status"]["acceptedNames"], names);
    assert_eq!(established["metadata"]["generation"], 1);
}

#[tokio::test]
async fn what_is_not_established_is_not_there() {
    let server = Server::start().await;
    server.get(CRONTABS).await.not_routed();
    server.define(crontabs(any())).await;
    server.read(CRONTABS).await;
    server.get("/apis/stable.example.com/v2/crontabs").await.not_routed();
}

#[tokio::test]
async fn names_are_taken_once_in_a_group() {
    let server = Server::start().await;
    server.define(crontabs(any())).await;
    let mut other = crontabs(any());
    other["metadata"]["name"] = "others.stable.example.com".into();
    other["spec"]["names"] = json!({"plural": "others", "kind": "CronTab", "shortNames": ["ct"]});
    server.make(DEFINITIONS, other).await;
    let judged = server.established("others.stable.example.com", |d| condition(d, "NamesAccepted").0 == "False").await;
    assert_eq!(condition(&judged, "NamesAccepted"), ("False", "ListKindConflict"));
    assert_eq!(condition(&judged, "Established"), ("False", "NotAccepted"));
    server.get("/apis/stable.example.com/v1/others").await.not_routed();
    // The names are free once their owner is gone.
    server.delete(&format!("{DEFINITIONS}/crontabs.stable.example.com")).await.with(200);
    server.established("others.stable.example.com", |d| condition(d, "Established").0 == "True").await;
    server.read("/apis/stable.example.com/v1/others").await;
}

#[tokio::test]
async fn a_deletion_takes_the_instances_and_then_the_api() {
    let server = Server::start().await;
    server.define(crontabs(any())).await;
    server.make(CRONTABS, crontab("free", json!({}))).await;
    let mut held = crontab("held", json!({}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    server.make(CRONTABS, held).await;
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let mut events = server.watch(&format!("{CRONTABS}?watch=1&resourceVersion=0")).await;
    events.expect(&[("ADDED", "free"), ("ADDED", "held")]).await;
    let dying = server.delete(&path).await.with(200);
    assert_eq!(dying["metadata"]["finalizers"], json!(["customresourcecleanup.apiextensions.k8s.io"]));
    assert_eq!(condition(&dying, "Terminating"), ("True", "InstanceDeletionPending"));
    assert_eq!(dying["metadata"]["generation"], 1);
    let mut gone = Vec::new();
    while gone.len() < 2 {
        gone.push(events.step().await);
    }
    gone.sort();
    let wanted = [("DELETED", "free"), ("MODIFIED", "held")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(gone, wanted);
    let told = server.read("/apis/stable.example.com/v1").await;
    assert_eq!(told["resources"][0]["verbs"], json!(["delete", "deletecollection", "get", "list", "watch"]));
    let words = server.post(CRONTABS, crontab("late", json!({}))).await.refused(405, "MethodNotAllowed");
    assert_eq!(words, "create not allowed while custom resource definition is terminating");
    let freed = json!({"metadata": {"finalizers": null}});
    server.patch(&format!("{CRONTABS}/held"), MERGE, freed).await.with(200);
    events.expect(&[("DELETED", "held")]).await;
    assert_eq!(events.next().await, None, "a watch ends with its kind");
    while server.get(&path).await.code == 200 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server.get(CRONTABS).await.not_routed();
    let groups = server.read("/apis").await;
    assert!(!groups.to_string().contains("stable.example.com"), "{groups}");
    // The same name may come back, and has none of the old objects.
    server.define(crontabs(any())).await;
    assert_eq!(names(&server.read(CRONTABS).await), [""; 0]);
}

#[tokio::test]
async fn a_slow_reader_is_told_of_every_end_before_its_watch_ends() {
    let server = Server::start().await;
    server.define(crontabs(any())).await;
    let mut events = server.watch(&format!("{CRONTABS}?watch=1")).await;
    // More than a task may take out of a queue in one go.
    let count = 200;
    for n in 0..count {
        server.make(CRONTABS, crontab(&format!("n{n}"), json!({}))).await;
    }
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    server.delete(&path).await.with(200);
    while server.get(CRONTABS).await.code == 200 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut told = std::collections::BTreeMap::<String, u32>::new();
    while let Some(event) = events.next().await {
        *told.entry(event["type"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    assert_eq!(told, [("ADDED".to_owned(), count), ("DELETED".to_owned(), count)].into());
}

#[tokio::test]
async fn definitions_are_tables_too() {
    let server = Server::start().await;
    server.define(crontabs(any())).await;
    let table = server.request("GET", DEFINITIONS).accept(TABLE).send().await.with(200);
    assert_eq!(cells(&table, 1), json!(["crontabs.stable.example.com"]));
    assert_eq!(table["columnDefinitions"][1]["name"], "Created At");
}

#[tokio::test]
async fn bad_definitions_are_refused_with_all_reasons() {
    let server = Server::start().await;
    let mut bad = crontabs(any());
    bad["metadata"]["name"] = "x.y".into();
    bad["spec"]["versions"][0]["storage"] = false.into();
    let words = server.post(DEFINITIONS, bad).await.refused(422, "Invalid");
    assert!(
        words.contains("metadata.name: Invalid value: \"x.y\": must be spec.names.plural+\".\"+spec.group"),
        "{words}"
    );
    assert!(words.contains("must have exactly one version marked as storage version"), "{words}");
    assert!(
        words.contains("status.storedVersions: Invalid value: []string(nil): must have at least one stored"),
        "{words}"
    );
}

#[tokio::test]
async fn scope_and_kind_stay_and_a_put_needs_a_version() {
    let server = Server::start().await;
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let mut changed = server.define(crontabs(any())).await;
    changed["spec"]["scope"] = "Cluster".into();
    let words = server.put(&path, changed.clone()).await.refused(422, "Invalid");
    assert!(words.contains("spec.scope: Invalid value: \"Cluster\": field is immutable"), "{words}");
    changed["metadata"].as_object_mut().expect("metadata").shift_remove("resourceVersion");
    let words = server.put(&path, changed).await.refused(422, "Invalid");
    assert!(words.contains("metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"), "{words}");
}

#[tokio::test]
async fn discovery_knows_new_kinds_at_once() {
    let server = Server::start().await;
    let mut definition = crontabs(any());
    definition["spec"]["versions"][0]["subresources"] = json!({"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}});
    server.define(definition).await;
    let list = server.read("/apis/stable.example.com/v1").await;
    let resources = list["resources"].as_array().expect("resources");
    let names: Vec<&str> = resources.iter().filter_map(|r| r["name"].as_str()).collect();
    assert_eq!(names, ["crontabs", "crontabs/status", "crontabs/scale"]);
    assert_eq!(
        resources[0]["verbs"],
        json!(["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"])
    );
    assert_eq!((&resources[0]["shortNames"], &resources[0]["categories"]), (&json!(["ct"]), &json!(["all"])));
    assert_eq!((&resources[2]["group"], &resources[2]["kind"]), (&json!("autoscaling"), &json!("Scale")));
    let form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let all = server.request("GET", "/apis").accept(form).send().await.with(200);
    let groups = all["items"].as_array().expect("groups");
    assert_eq!(groups.last().map(|g| &g["metadata"]["name"]), Some(&json!("stable.example.com")));
}

#[tokio::test]
async fn openapi_tells_of_new_kinds_in_both_versions() {
    let server = Server::start().await;
    let spec = json!({"type": "object", "description": "What to do.", "properties": {
        "cronSpec": {"type": "string", "description": "When."},
        "list": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "template": {"type": "object", "x-kubernetes-embedded-resource": true,
            "x-kubernetes-preserve-unknown-fields": true}}});
    server.define(crontabs(spec)).await;
    let index = server.read("/openapi/v3").await;
    let url = index["paths"]["apis/stable.example.com/v1"]["serverRelativeURL"].as_str().expect("a place").to_owned();
    let document = server.read(&url).await;
    let schema = &document["components"]["schemas"]["com.example.stable.v1.CronTab"];
    assert_eq!(schema["properties"]["spec"]["properties"]["cronSpec"]["description"], "When.");
    assert_eq!(schema["properties"]["spec"]["properties"]["list"]["x-kubernetes-list-type"], "set");
    let meta = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
    assert_eq!(schema["properties"]["metadata"]["allOf"][0]["$ref"], meta);
    let template = &schema["properties"]["spec"]["properties"]["template"];
    assert_eq!(template["required"], json!(["kind", "apiVersion"]));
    assert_eq!(
        (&template["properties"]["kind"]["type"], &template["properties"]["apiVersion"]["type"]),
        (&json!("string"), &json!("string"))
    );
    assert_eq!(template["properties"]["metadata"]["allOf"][0]["$ref"], meta);
    let kind = json!([{"group": "stable.example.com", "kind": "CronTab", "version": "v1"}]);
    assert_eq!(schema["x-kubernetes-group-version-kind"], kind);
    let patch = &document["paths"]["/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}"]["patch"];
    let parameters = patch["parameters"].as_array().expect("parameters");
    assert!(parameters.iter().any(|p| p["name"] == "fieldValidation"), "{patch}");
    let old = server.read("/openapi/v2").await;
    assert!(old["definitions"]["com.example.stable.v1.CronTab"]["properties"]["spec"].is_object());
    // The document changes with the definition, and so does its place.
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let more = json!([{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/more",
        "value": {"type": "string"}}]);
    server.patch(&path, JSON_PATCH, more).await.with(200);
    let moved = async {
        loop {
            let index = server.read("/openapi/v3").await;
            if index["paths"]["apis/stable.example.com/v1"]["serverRelativeURL"] != url.as_str() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(1), moved).await.expect("a new document within a second");
}

#[tokio::test]
async fn what_was_established_is_served_after_a_restart_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = || control::store::Config { path: Some(folder.path().join("s.redb")), ..Default::default() };
    let server = Server::with(config()).await;
    server.define(crontabs(any())).await;
    server.make(CRONTABS, crontab("mine", json!({"a": 1}))).await;
    server.registry.store().close().await;
    drop(server);
    let store = control::store::Store::open(config()).expect("the store opens again");
    let registry = control::registry::Registry::new(store, "10.43.0.0/16".parse().expect("a network"));
    control::custom::load(&registry);
    assert!(registry.resources().find("stable.example.com", "v1", "crontabs").is_some());
}

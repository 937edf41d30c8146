use serde_json::{Value, json};

use crate::harness::*;

pub const APPLY: &str = "application/apply-patch+yaml";

/// Applies a configuration as a manager.
pub async fn apply(server: &Server, path: &str, manager: &str, config: Value) -> Answer {
    let joint = if path.contains('?') { '&' } else { '?' };
    server.patch(&format!("{path}{joint}fieldManager={manager}"), APPLY, config).await
}

/// The entries of an object, without their times.
pub fn managers(object: &Value) -> Value {
    let mut entries = object["metadata"]["managedFields"].clone();
    for entry in entries.as_array_mut().into_iter().flatten() {
        entry.as_object_mut().expect("an entry").shift_remove("time");
    }
    entries
}

/// Manager, operation, sub-resource and fields of each entry.
pub fn owners(object: &Value) -> Vec<(String, Value)> {
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let name = |entry: &Value| match entry["subresource"].as_str() {
        Some(part) => format!("{} {} {part}", text(entry, "operation"), text(entry, "manager")),
        None => format!("{} {}", text(entry, "operation"), text(entry, "manager")),
    };
    entries.iter().map(|entry| (name(entry), entry["fieldsV1"].clone())).collect()
}

pub fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

fn data(fields: &[&str]) -> Value {
    let fields: serde_json::Map<String, Value> = fields.iter().map(|f| (format!("f:{f}"), json!({}))).collect();
    json!({"f:data": fields})
}

fn owned(name: &str, fields: Value) -> (String, Value) {
    (name.to_owned(), fields)
}

#[tokio::test]
async fn an_apply_to_nothing_creates() {
    let server = Server::start().await;
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ssa\n  labels: {l: \"1\"}\ndata:\n  a: \"1\"\n";
    let path = format!("{CONFIGMAPS}/ssa?fieldManager=m1");
    let made = server.request("PATCH", &path).body(APPLY, yaml).send().await.with(201);
    let meta = made["metadata"].as_object().expect("metadata");
    let fields = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp", "labels", "managedFields"];
    assert_eq!(meta.keys().collect::<Vec<_>>(), fields);
    let entry = &made["metadata"]["managedFields"][0];
    let keys: Vec<_> = entry.as_object().expect("an entry").keys().collect();
    assert_eq!(keys, ["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1"]);
    assert_eq!(
        managers(&made).to_string(),
        r#"[{"manager":"m1","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:a":{}},"f:metadata":{"f:labels":{"f:l":{}}}}}]"#
    );
}

#[tokio::test]
async fn what_an_apply_does_is_accounted_for() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}/ssa");
    let label = |manager: &'static str, config: Value| apply(&server, &path, manager, config);
    let mut first = config_map("ssa", json!({"a": "1"}));
    first["metadata"]["labels"] = json!({"l": "1"});
    label("m1", first.clone()).await.with(201);
    label("m2", config_map("ssa", json!({"a": "2"}))).await.refused(409, "Conflict");
    apply(&server, &format!("{path}?force=true"), "m2", config_map("ssa", json!({"a": "2"}))).await.with(200);
    let mut bare = config_map("ssa", Value::Null);
    bare.as_object_mut().expect("an object").shift_remove("data");
    bare["metadata"]["labels"] = json!({});
    label("m2", bare.clone()).await.with(200);
    bare["metadata"]["labels"] = json!({"l": "1"});
    label("m3", bare).await.with(200);
    let now = server.patch(&format!("{path}?fieldManager=upd"), MERGE, json!({"data": {"u": "1"}})).await.with(200);
    // To the byte as the reference answers, times aside; who applied what is there already has none.
    assert_eq!(
        managers(&now).to_string(),
        concat!(
            r#"[{"manager":"m3","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{"f:l":{}}}}},"#,
            r#"{"manager":"m1","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{"f:l":{}}}}},"#,
            r#"{"manager":"m2","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{}}}},"#,
            r#"{"manager":"upd","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{".":{},"f:u":{}}}}]"#
        )
    );
    assert_eq!(now["data"], json!({"u": "1"}));
    let times: Vec<bool> = (0..4).map(|at| now["metadata"]["managedFields"][at].get("time").is_some()).collect();
    assert_eq!(times, [false, true, true, true]);
}

#[tokio::test]
async fn a_second_apply_changes_nothing() {
    let server = Server::start().await;
    let path = format!("{DEPLOYMENTS}/web");
    let mut config = deployment("web");
    config["apiVersion"] = "apps/v1".into();
    config["kind"] = "Deployment".into();
    config["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": "1000m"}});
    let made = apply(&server, &path, "me", config.clone()).await.with(201);
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(apply(&server, &path, "me", config).await.with(200), made);
}

#[tokio::test]
async fn a_conflict_names_manager_and_field() {
    let server = Server::start().await;
    server.post(&format!("{CONFIGMAPS}?fieldManager=creator"), config_map("cm", json!({"a": "1", "b": "1"}))).await;
    let path = format!("{CONFIGMAPS}/cm");
    let one = apply(&server, &path, "me", config_map("cm", json!({"a": "2"}))).await.with(409);
    assert_eq!(
        one,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "Apply failed with 1 conflict: conflict with \"creator\" using v1: .data.a", "reason": "Conflict",
            "details": {"causes": [{"reason": "FieldManagerConflict", "message": "conflict with \"creator\" using v1",
                "field": ".data.a"}]}, "code": 409})
    );
    apply(&server, &path, "other", config_map("cm", json!({"a": "1"}))).await.with(200);
    let many = apply(&server, &path, "me", config_map("cm", json!({"a": "2", "b": "2"}))).await.with(409);
    assert_eq!(
        many["message"],
        "Apply failed with 3 conflicts: conflicts with \"creator\" using v1:\n- .data.a\n- .data.b\nconflicts with \
         \"other\":\n- .data.a"
    );
    let causes = many["details"]["causes"].as_array().expect("causes");
    assert_eq!(causes.len(), 3);
    let forced =
        apply(&server, &format!("{path}?force=true"), "me", config_map("cm", json!({"a": "2", "b": "2"}))).await;
    let owners = owners(&forced.with(200));
    assert_eq!(owners, [owned("Apply me", data(&["a", "b"])), owned("Update creator", json!({"f:data": {}}))]);
}

#[tokio::test]
async fn fields_that_are_no_longer_applied_go() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}/cm");
    apply(&server, &path, "one", config_map("cm", json!({"a": "1", "b": "1", "c": "1"}))).await.with(201);
    apply(&server, &path, "two", config_map("cm", json!({"b": "1"}))).await.with(200);
    server.patch(&format!("{path}?fieldManager=upd"), MERGE, json!({"data": {"c": "2"}})).await.with(200);
    // What another applies or has changed since stays.
    let now = apply(&server, &path, "one", config_map("cm", json!({}))).await.with(200);
    assert_eq!(now["data"], json!({"b": "1", "c": "2"}));
    assert_eq!(
        owners(&now),
        [
            owned("Apply two", data(&["b"])),
            owned("Apply one", json!({"f:data": {}})),
            owned("Update upd", data(&["c"]))
        ]
    );
    let now = apply(&server, &path, "two", config_map("cm", json!({}))).await.with(200);
    assert_eq!(now["data"], json!({"c": "2"}));
}

#[tokio::test]
async fn items_are_told_by_their_keys_and_the_defaults_of_those() {
    let server = Server::start().await;
    let path = format!("{DEPLOYMENTS}/web");
    let mut config = deployment("web");
    config["apiVersion"] = "apps/v1".into();
    config["kind"] = "Deployment".into();
    let ports = |config: &mut Value, ports: Value| config["spec"]["template"]["spec"]["containers"][0]["ports"] = ports;
    ports(&mut config, json!([{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]));
    let made = apply(&server, &path, "one", config.clone()).await.with(201);
    let fields = &made["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"];
    assert_eq!(
        fields["k:{\"name\":\"c\"}"]["f:ports"].to_string(),
        r#"{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}},"k:{\"containerPort\":80,\"protocol\":\"UDP\"}":{".":{},"f:containerPort":{},"f:protocol":{}}}"#
    );
    let shown = |object: &Value| object["spec"]["template"]["spec"]["containers"][0]["ports"].clone();
    ports(&mut config, json!([{"containerPort": 80, "protocol": "UDP"}]));
    let now = apply(&server, &path, "one", config.clone()).await.with(200);
    assert_eq!(shown(&now), json!([{"containerPort": 80, "protocol": "UDP"}]));
    ports(&mut config, json!([{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]));
    let words = apply(&server, &path, "one", config).await.with(500)["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        words,
        "failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.template.spec.containers[name=\"c\"].ports: \
         duplicate entries for key [containerPort=80,protocol=\"TCP\"]"
    );
}

#[tokio::test]
async fn values_of_a_set_have_their_owners() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}/cm");
    let config = |finalizers: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm", "finalizers": finalizers}});
    apply(&server, &path, "one", config(json!(["a/x", "a/y"]))).await.with(201);
    let now = apply(&server, &path, "two", config(json!(["a/y", "a/z"]))).await.with(200);
    assert_eq!(now["metadata"]["finalizers"], json!(["a/x", "a/y", "a/z"]));
    let now = apply(&server, &path, "one", config(json!([]))).await.with(200);
    assert_eq!(now["metadata"]["finalizers"], json!(["a/y", "a/z"]));
    let set = json!({"f:metadata": {"f:finalizers": {"v:\"a/y\"": {}, "v:\"a/z\"": {}}}});
    assert_eq!(owners(&now), [owned("Apply two", set)]);
}

#[tokio::test]
async fn what_is_owned_as_a_whole_is_replaced_as_a_whole() {
    let server = Server::start().await;
    let path = format!("{SERVICES}/web");
    let config = |selector: Value| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": selector,
            "ports": [{"port": 80}]}})
    };
    apply(&server, &path, "one", config(json!({"a": "1", "b": "1"}))).await.with(201);
    let words = apply(&server, &path, "two", config(json!({"a": "1"}))).await.refused(409, "Conflict");
    assert_eq!(words, "Apply failed with 1 conflict: conflict with \"one\": .spec.selector");
    let now = apply(&server, &format!("{path}?force=true"), "two", config(json!({"a": "1"}))).await.with(200);
    assert_eq!(now["spec"]["selector"], json!({"a": "1"}));
}

#[tokio::test]
async fn a_status_is_applied_for_itself() {
    let server = Server::start().await;
    server.post(&format!("{DEPLOYMENTS}?fieldManager=user"), deployment("web")).await.with(201);
    let path = format!("{DEPLOYMENTS}/web/status");
    let config = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 9}, "status": {"replicas": 3}});
    let conflict = apply(&server, &path, "controller", config.clone()).await;
    let now = conflict.with(200);
    assert_eq!((&now["spec"]["replicas"], &now["status"]["replicas"]), (&json!(1), &json!(3)));
    let owners = owners(&now);
    assert_eq!(owners[0], owned("Apply controller status", json!({"f:status": {"f:replicas": {}}})));
    assert_eq!(owners[1].1["f:spec"]["f:replicas"], json!({}), "{owners:?}");
    let main =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "status": {"replicas": 5}});
    let now = apply(&server, &format!("{DEPLOYMENTS}/web"), "controller", main).await.with(200);
    assert_eq!(now["status"]["replicas"], 3);
    apply(&server, &format!("{DEPLOYMENTS}/none/status"), "controller", config).await.refused(404, "NotFound");
}

#[tokio::test]
async fn a_dry_run_applies_nothing() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}/cm");
    let dry = format!("{path}?dryRun=All");
    let made = apply(&server, &dry, "me", config_map("cm", json!({"a": "1"}))).await.with(201);
    assert_eq!(owners(&made), [owned("Apply me", data(&["a"]))]);
    server.get(&path).await.refused(404, "NotFound");
    let made = apply(&server, &path, "me", config_map("cm", json!({"a": "1"}))).await.with(201);
    let would = apply(&server, &dry, "me", config_map("cm", json!({"a": "2"}))).await.with(200);
    assert_eq!((&would["data"]["a"], version(&would)), (&json!("2"), version(&made)));
    assert_eq!(server.read(&path).await, made);
}

#[tokio::test]
async fn kubectl_takes_over_from_its_older_self() {
    let server = Server::start().await;
    let last =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"a": "1", "b": "1"}});
    let mut object = last.clone();
    object["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": format!("{last}\n")});
    server.post(&format!("{CONFIGMAPS}?fieldManager=kubectl-client-side-apply"), object).await.with(201);
    let path = format!("{CONFIGMAPS}/cm");
    apply(&server, &path, "me", config_map("cm", json!({"a": "2"}))).await.refused(409, "Conflict");
    let now = apply(&server, &path, "kubectl", config_map("cm", json!({"a": "2", "b": "1"}))).await.with(200);
    assert_eq!(now["data"], json!({"a": "2", "b": "1"}));
    assert_eq!(
        now["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"],
        "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"2\",\"b\":\"1\"},\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"cm\"}}\n"
    );
    // What somebody changed since is a conflict still.
    server.patch(&format!("{path}?fieldManager=other"), MERGE, json!({"data": {"a": "3", "b": "3"}})).await.with(200);
    let words = apply(&server, &path, "kubectl", config_map("cm", json!({"a": "4"}))).await.refused(409, "Conflict");
    assert_eq!(words, "Apply failed with 1 conflict: conflict with \"other\" using v1: .data.a");
}

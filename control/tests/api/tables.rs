use serde_json::{Value, json};

use crate::harness::*;

async fn table(server: &Server, path: &str) -> Value {
    server.request("GET", path).accept(TABLE).send().await.with(200)
}

fn columns(table: &Value) -> Vec<&str> {
    let columns = table["columnDefinitions"].as_array().expect("columns");
    columns.iter().filter_map(|c| c["name"].as_str()).collect()
}

#[tokio::test]
async fn a_list_is_a_table_with_the_columns_of_its_kind() {
    let server = Server::start().await;
    server.make(PODS, pod("p")).await;
    let table = table(&server, PODS).await;
    assert_eq!((&table["kind"], &table["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
    assert_eq!(version(&table), version(&server.read(PODS).await));
    let wanted = ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node", "Nominated Node", "Readiness Gates"];
    assert_eq!(columns(&table), wanted);
    let [row] = table["rows"].as_array().expect("rows").as_slice() else { panic!("one row: {table}") };
    assert_eq!(cells(&table, 4), json!(["p", "0/1", "Pending", "0"]));
    assert_eq!(row["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(row["object"]["metadata"], server.read(&format!("{PODS}/p")).await["metadata"]);
}

/// "should return a 406 for a backend which does not implement metadata", as upstream's conformance tests have it.
#[tokio::test]
async fn what_is_not_kept_is_no_table() {
    let server = Server::start().await;
    let question = json!({"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}}).to_string();
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let only = TABLE.split(',').next().expect("a range");
    let asked = server.request("POST", path).accept(only).body(JSON, question.clone());
    let words = asked.send().await.refused(406, "NotAcceptable");
    assert!(words.starts_with("only the following media types are accepted: application/json"), "{words}");
    let asked = server.request("POST", path).accept(TABLE).body(JSON, question);
    assert_eq!(asked.send().await.with(201)["kind"], "SelfSubjectAccessReview");
}

#[tokio::test]
async fn one_object_is_a_table_too() {
    let server = Server::start().await;
    let made = server.make(DEPLOYMENTS, deployment("web")).await;
    let table = table(&server, &format!("{DEPLOYMENTS}/web")).await;
    assert_eq!((version(&table), table["rows"].as_array().map(Vec::len)), (version(&made), Some(1)));
    assert_eq!(cells(&table, 4), json!(["web", "0/1", 0, 0]));
    let posted = server.request("POST", DEPLOYMENTS).accept(TABLE).body(JSON, deployment("x").to_string());
    assert_eq!(posted.send().await.with(201)["kind"], "Table");
}

#[tokio::test]
async fn rows_carry_as_much_of_the_object_as_is_asked_for() {
    let server = Server::start().await;
    let made = server.config_map("cm").await;
    for (include, wanted) in [
        ("None", Value::Null),
        ("Object", made.clone()),
        (
            "Metadata",
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"]}),
        ),
    ] {
        let table = table(&server, &format!("{CONFIGMAPS}?includeObject={include}")).await;
        assert_eq!(table["rows"][0]["object"], wanted);
    }
    server
        .request("GET", &format!("{CONFIGMAPS}?includeObject=Zap"))
        .accept(TABLE)
        .send()
        .await
        .refused(400, "BadRequest");
}

#[tokio::test]
async fn a_watched_table_names_its_columns_once() {
    let server = Server::start().await;
    server.config_map("a").await;
    let mut events = server.request("GET", &format!("{CONFIGMAPS}?watch=1")).accept(TABLE).events().await;
    server.config_map("b").await;
    let first = events.next().await.expect("an event");
    assert_eq!((&first["type"], &first["object"]["kind"]), (&json!("ADDED"), &json!("Table")));
    assert_eq!(columns(&first["object"]), ["Name", "Data", "Age"]);
    assert_eq!(cells(&first["object"], 2), json!(["a", 1]));
    let second = events.next().await.expect("an event");
    assert_eq!(second["object"]["columnDefinitions"], Value::Null);
    assert_eq!(second["object"]["rows"][0]["cells"][0], "b");
}

#[tokio::test]
async fn failures_are_never_tables() {
    let server = Server::start().await;
    let answer = server.request("GET", &format!("{PODS}/none")).accept(TABLE).send().await;
    assert_eq!(answer.refused(404, "NotFound"), "pods \"none\" not found");
}

#[tokio::test]
async fn metadata_alone_may_be_asked_for() {
    let server = Server::start().await;
    let made = server.config_map("cm").await;
    let partial =
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"]});
    let one = server.request("GET", &format!("{CONFIGMAPS}/cm")).accept(METADATA).send().await.with(200);
    assert_eq!(one, partial);
    let list = METADATA.replace("PartialObjectMetadata", "PartialObjectMetadataList");
    let list = server.request("GET", CONFIGMAPS).accept(&list).send().await.with(200);
    assert_eq!((&list["kind"], &list["items"]), (&json!("PartialObjectMetadataList"), &json!([partial])));
    let mut events = server.request("GET", &format!("{CONFIGMAPS}?watch=1")).accept(METADATA).events().await;
    assert_eq!(events.next().await, Some(json!({"type": "ADDED", "object": partial})));
}

#[tokio::test]
async fn kinds_without_columns_of_their_own_have_two() {
    let server = Server::start().await;
    let table = table(&server, "/apis/apps/v1/controllerrevisions").await;
    assert_eq!(columns(&table), ["Name", "Controller", "Revision", "Age"]);
    assert_eq!(table["rows"], json!([]));
}

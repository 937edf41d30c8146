use serde_json::json;

use crate::harness::*;

const AUTHORIZATION: &str = "/apis/authorization.k8s.io/v1";

#[tokio::test]
async fn callers_learn_who_they_are() {
    let server = Server::start().await;
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let review = server.post(path, json!({})).await.with(201);
    assert_eq!(
        review,
        json!({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"creationTimestamp": null},
            "status": {"userInfo": {"username": "admin", "groups": ["system:authenticated"]}}})
    );
    server.get(path).await.refused(405, "MethodNotAllowed");
}

#[tokio::test]
async fn callers_learn_what_they_may() {
    let server = Server::start().await;
    let path = format!("{AUTHORIZATION}/selfsubjectaccessreviews");
    let get_pods = json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "golden"}}});
    let review = server.post(&path, get_pods).await.with(201);
    assert_eq!(
        (&review["status"], &review["spec"]["resourceAttributes"]["verb"]),
        (&json!({"allowed": true}), &json!("get"))
    );
    let words = server.post(&path, json!({"spec": {}})).await.refused(422, "Invalid");
    assert!(words.contains("exactly one of nonResourceAttributes or resourceAttributes must be specified"), "{words}");
    let path = format!("{AUTHORIZATION}/selfsubjectrulesreviews");
    let review = server.post(&path, json!({"spec": {"namespace": "golden"}})).await.with(201);
    assert_eq!(review["status"]["resourceRules"], json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]));
    assert_eq!(server.post(&path, json!({"spec": {}})).await.refused(400, "BadRequest"), "no namespace on request");
}

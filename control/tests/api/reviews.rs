use control::auth::Caller;
use serde_json::json;

use crate::harness::*;

const AUTHORIZATION: &str = "/apis/authorization.k8s.io/v1";

#[tokio::test]
async fn callers_learn_who_they_are() {
    let server = Server::start().await;
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let mut review = server.post(path, json!({})).await.with(201);
    assert_ne!(review["metadata"]["creationTimestamp"].take(), json!(null), "the answer is new");
    assert_eq!(
        review,
        json!({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"creationTimestamp": null},
            "status": {"userInfo": {"username": "admin", "groups": ["system:masters", "system:authenticated"]}}})
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
    assert_eq!(server.post(&path, json!({"spec": {}})).await.refused(400, "BadRequest"), "no namespace on request");
}

#[tokio::test]
async fn the_rules_of_a_namespace_are_listed() {
    let server = Server::with_roles().await;
    let path = format!("{AUTHORIZATION}/selfsubjectrulesreviews");
    let question = json!({"spec": {"namespace": "golden"}});
    let ask = |caller: Caller| server.request("POST", &path).by(caller).body(JSON, question.to_string()).send();
    let review = ask(Caller::authenticated("bob", [])).await.with(201);
    assert_eq!(
        review,
        json!({"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1",
            "metadata": {"creationTimestamp": null}, "spec": {}, "status": {
            "resourceRules": [
                {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"],
                    "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]},
                {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]}],
            "nonResourceRules": [
                {"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi",
                    "/openapi/*", "/readyz", "/version", "/version/"]},
                {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]}],
            "incomplete": false}})
    );
    let node = Caller::authenticated("system:node:a", ["system:nodes".to_owned()]);
    let status = ask(node).await.with(201)["status"].clone();
    assert_eq!(
        (&status["incomplete"], &status["evaluationError"]),
        (&json!(true), &json!("node authorizer does not support user rule resolution"))
    );
}

#[tokio::test]
async fn the_rights_of_others_can_be_asked_for() {
    let server = Server::with_roles().await;
    let subject = format!("{AUTHORIZATION}/subjectaccessreviews");
    let version = json!({"user": "bob", "groups": ["system:authenticated"],
        "nonResourceAttributes": {"path": "/version", "verb": "get"}});
    let review = server.post(&subject, json!({"spec": version})).await.with(201);
    assert_eq!(
        review["status"],
        json!({"allowed": true, "reason": "RBAC: allowed by ClusterRoleBinding \"system:discovery\" of ClusterRole \
            \"system:discovery\" to Group \"system:authenticated\""})
    );
    let pods = json!({"user": "bob", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "golden"}});
    let review = server.post(&subject, json!({"spec": pods})).await.with(201);
    assert_eq!(review["status"], json!({"allowed": false}));
    let local = format!("{AUTHORIZATION}/namespaces/golden/localsubjectaccessreviews");
    let review = server.post(&local, json!({"spec": pods})).await.with(201);
    assert_eq!((&review["metadata"]["namespace"], &review["status"]), (&json!("golden"), &json!({"allowed": false})));
    let elsewhere = json!({"user": "bob", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "x"}});
    server.post(&local, json!({"spec": elsewhere})).await.refused(422, "Invalid");
    server.post(&subject, json!({"spec": {"resourceAttributes": {}}})).await.refused(422, "Invalid");
}

#[tokio::test]
async fn tokens_are_told_apart() {
    let server = Server::start().await;
    let path = "/apis/authentication.k8s.io/v1/tokenreviews";
    let ask = |spec: serde_json::Value| server.post(path, json!({"spec": spec}));
    let review = ask(json!({"token": "token-of-bob"})).await.with(201);
    assert_eq!(
        review["status"],
        json!({"authenticated": true, "user": {"username": "bob", "groups": ["dev", "system:authenticated"]},
            "audiences": ["https://kubernetes.default.svc.cluster.local"]})
    );
    let review = ask(json!({"token": "guess"})).await.with(201);
    assert_eq!(review["status"]["user"], json!({}));
    assert!(review["status"].get("authenticated").is_none() && review["status"]["error"].is_string(), "{review}");
    let review = ask(json!({"token": "token-of-bob", "audiences": ["vault"]})).await.with(201);
    assert!(review["status"].get("authenticated").is_none(), "{review}");
    let words = ask(json!({})).await.refused(400, "BadRequest");
    assert_eq!(words, "token is required for TokenReview in authentication");
}

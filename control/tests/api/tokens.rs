//! Tokens of service accounts: made on request, known again, and ending with what they are bound to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{PODS, Server};

const TOKEN: &str = "/api/v1/namespaces/golden/serviceaccounts/default/token";

fn claims(answer: &Value) -> Value {
    let token = answer["status"]["token"].as_str().expect("a token");
    let claims = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON")
}

fn seconds(claims: &Value) -> i64 {
    claims["exp"].as_i64().expect("an end") - claims["iat"].as_i64().expect("a beginning")
}

#[tokio::test]
async fn a_token_is_made_for_the_api_and_for_an_hour() {
    let server = Server::start().await;
    let answer = server.post(TOKEN, json!({})).await.with(201);
    assert_eq!((&answer["kind"], &answer["apiVersion"]), (&json!("TokenRequest"), &json!("authentication.k8s.io/v1")));
    assert_eq!((&answer["metadata"]["name"], &answer["spec"]["expirationSeconds"]), (&json!("default"), &json!(3600)));
    assert_eq!(answer["spec"]["boundObjectRef"], Value::Null);
    let claims = claims(&answer);
    assert_eq!(claims["sub"], "system:serviceaccount:golden:default");
    assert_eq!(claims["aud"], json!(["https://kubernetes.default.svc.cluster.local"]));
    assert_eq!(claims["kubernetes.io"]["serviceaccount"]["name"], "default");
    assert_eq!(seconds(&claims), 3600);
}

#[tokio::test]
async fn a_token_for_a_pod_is_bound_to_it() {
    let server = Server::start().await;
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let uid = server.make(PODS, pod).await["metadata"]["uid"].clone();
    let bound = |name: &str, uid: &Value| {
        json!({"spec": {
            "audiences": ["vault"],
            "expirationSeconds": 600,
            "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": name, "uid": uid},
        }})
    };
    let claims = claims(&server.post(TOKEN, bound("p", &uid)).await.with(201));
    assert_eq!(claims["kubernetes.io"]["pod"], json!({"name": "p", "uid": uid}));
    assert_eq!((&claims["aud"], seconds(&claims)), (&json!(["vault"]), 600));
    let words = server.post(TOKEN, bound("p", &json!("other"))).await.refused(409, "Conflict");
    assert!(
        words.contains("the UID in the bound object reference (other) does not match the UID in record"),
        "{words}"
    );
    assert_eq!(server.post(TOKEN, bound("q", &uid)).await.refused(404, "NotFound"), "pods \"q\" not found");
    let other = "/api/v1/namespaces/golden/serviceaccounts/robot/token";
    assert_eq!(server.post(other, json!({})).await.refused(404, "NotFound"), "serviceaccounts \"robot\" not found");
    server.make("/api/v1/namespaces/golden/serviceaccounts", json!({"metadata": {"name": "robot"}})).await;
    let words = server.post(other, bound("p", &uid)).await.refused(400, "BadRequest");
    assert!(words.contains("to pod running with different serviceaccount name"), "{words}");
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let server = Server::start().await;
    let words = server.post(TOKEN, json!({"spec": {"expirationSeconds": 60}})).await.refused(422, "Invalid");
    assert_eq!(
        words,
        "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a \
         duration less than 10 minutes"
    );
    let bound = json!({"spec": {"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "c"}}});
    let words = server.post(TOKEN, bound).await.refused(400, "BadRequest");
    assert_eq!(words, "cannot bind token to object of type /v1, Kind=ConfigMap");
    server.get(TOKEN).await.refused(405, "MethodNotAllowed");
}

#[tokio::test]
async fn the_issuer_says_who_it_is() {
    let server = Server::start().await;
    let configuration = server.read("/.well-known/openid-configuration").await;
    assert_eq!(configuration["issuer"], "https://kubernetes.default.svc.cluster.local");
    assert_eq!(configuration["jwks_uri"], "https://127.0.0.1:6443/openid/v1/jwks");
    let answer = server.get("/openid/v1/jwks").await;
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    let key = &answer.json()["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("EC"), &json!("P-256"), &json!("ES256")));
    let token = server.post(TOKEN, json!({})).await.with(201)["status"]["token"].clone();
    let header = token.as_str().and_then(|t| t.split('.').next()).expect("three parts");
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).expect("base64")).expect("JSON");
    assert_eq!(header["kid"], key["kid"]);
}

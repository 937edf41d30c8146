//! CertificateSigningRequests: who asks is written down by the server, and who decides does so apart.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use control::auth::Caller;
use serde_json::{Value, json};

use crate::harness::{JSON, Server};

const REQUESTS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

fn request(name: &str) -> Value {
    let pem = "-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n";
    json!({
        "metadata": {"name": name},
        "spec": {
            "request": STANDARD.encode(pem),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
            "username": "somebody-else",
        },
    })
}

#[tokio::test]
async fn the_server_writes_down_who_asks() {
    let server = Server::start().await;
    let admin = Caller { uid: "u1".to_owned(), ..Caller::system("amy") };
    let made = server.request("POST", REQUESTS).by(admin).body(JSON, request("r").to_string()).send().await.with(201);
    let spec = &made["spec"];
    assert_eq!((&spec["username"], &spec["uid"]), (&json!("amy"), &json!("u1")));
    assert_eq!(spec["groups"], json!(["system:masters", "system:authenticated"]));
}

#[tokio::test]
async fn a_verdict_is_written_through_its_own_door() {
    let server = Server::start().await;
    let path = format!("{REQUESTS}/r");
    server.make(REQUESTS, request("r")).await;
    let verdict = |kind: &str| json!({"type": kind, "status": "True", "reason": "Why", "message": "because"});
    let mut object = server.read(&path).await;
    object["status"]["conditions"] = json!([verdict("Approved")]);
    let through_status = server.put(&format!("{path}/status"), object.clone()).await.with(200);
    assert_eq!(through_status["status"], json!({}));
    object["metadata"]["resourceVersion"] = through_status["metadata"]["resourceVersion"].clone();
    let approved = server.put(&format!("{path}/approval"), object.clone()).await.with(200);
    assert_eq!(approved["status"]["conditions"][0]["type"], "Approved");
    object = approved;
    object["status"]["conditions"] = json!([verdict("Approved"), verdict("Denied")]);
    let words = server.put(&format!("{path}/approval"), object).await.refused(422, "Invalid");
    assert!(words.contains("Approved and Denied conditions are mutually exclusive"), "{words}");
}

//! CertificateSigningRequests: who asks is written down by the server, and who decides does so apart.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use control::auth::Caller;
use rcgen::{CertificateParams, DnType, KeyPair};
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

const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";

#[tokio::test]
async fn approving_and_signing_need_their_verbs() {
    let server = Server::start().await;
    let rule = |verbs: &[&str], resource: &str| json!({"apiGroups": ["certificates.k8s.io"], "resources": [resource], "verbs": verbs});
    let edits = [
        rule(&["update"], "certificatesigningrequests/approval"),
        rule(&["update"], "certificatesigningrequests/status"),
    ];
    server.make(ROLES, json!({"metadata": {"name": "edits"}, "rules": edits})).await;
    let approves = [rule(&["approve"], "signers")];
    server.make(ROLES, json!({"metadata": {"name": "approves"}, "rules": approves})).await;
    let bind = |role: &str| {
        json!({
            "metadata": {"name": role},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"}],
        })
    };
    server.make(BINDINGS, bind("edits")).await;
    let mut object = server.make(REQUESTS, request("r")).await;
    let put = |part: &str, object: &Value| {
        let path = format!("{REQUESTS}/r/{part}");
        server.request("PUT", &path).by(Caller::authenticated("bob", [])).body(JSON, object.to_string()).send()
    };
    object["status"]["conditions"] = json!([{"type": "Approved", "status": "True", "reason": "Why"}]);
    assert_eq!(
        put("approval", &object).await.refused(403, "Forbidden"),
        "certificatesigningrequests.certificates.k8s.io \"r\" is forbidden: user not permitted to approve requests with \
         signerName \"kubernetes.io/kube-apiserver-client\""
    );
    server.make(BINDINGS, bind("approves")).await;
    let mut approved = put("approval", &object).await.with(200);
    approved["status"]["certificate"] = STANDARD.encode("no certificate").into();
    let words = put("status", &approved).await.refused(403, "Forbidden");
    assert!(words.contains("user not permitted to sign requests"), "{words}");
}

#[tokio::test]
async fn nobody_becomes_a_master_by_request() {
    let server = Server::start().await;
    let of_group = |group: &str| {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::OrganizationName, group);
        let key = KeyPair::generate().expect("a key");
        let pem = params.serialize_request(&key).and_then(|request| request.pem()).expect("a request");
        let mut object = request("r");
        object["spec"]["request"] = STANDARD.encode(pem).into();
        object
    };
    let words = server.post(REQUESTS, of_group("system:masters")).await.refused(403, "Forbidden");
    assert!(
        words.ends_with("use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"),
        "{words}"
    );
    server.make(REQUESTS, of_group("dev")).await;
}

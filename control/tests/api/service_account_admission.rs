//! What pods get from their service accounts, and from the other plug-ins that change them.

use serde_json::{Value, json};

use super::harness::{MERGE, NAMESPACES, NODES, PODS, Server, pod};

const ACCOUNTS: &str = "/api/v1/namespaces/golden/serviceaccounts";
const TOKENS: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

fn of_account(name: &str, account: &str) -> Value {
    let mut pod = pod(name);
    pod["spec"]["serviceAccountName"] = account.into();
    pod
}

#[tokio::test]
async fn a_pod_finds_the_token_of_its_account() {
    let server = Server::start().await;
    server.make(ACCOUNTS, json!({"metadata": {"name": "robot"}, "imagePullSecrets": [{"name": "pull"}]})).await;
    let made = server.make(PODS, of_account("p", "robot")).await;
    let spec = &made["spec"];
    let name = spec["volumes"][0]["name"].as_str().expect("a volume").to_owned();
    assert!(name.starts_with("kube-api-access-"), "{name}");
    assert_eq!(
        spec["volumes"],
        json!([{"name": name, "projected": {"sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace",
                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ], "defaultMode": 420}}])
    );
    assert_eq!(spec["containers"][0]["volumeMounts"], json!([{"name": name, "readOnly": true, "mountPath": TOKENS}]));
    assert_eq!(spec["imagePullSecrets"], json!([{"name": "pull"}]));
    assert_eq!((&spec["serviceAccountName"], &spec["serviceAccount"]), (&json!("robot"), &json!("robot")));
}

#[tokio::test]
async fn an_account_may_keep_its_token() {
    let server = Server::start().await;
    server.make(ACCOUNTS, json!({"metadata": {"name": "quiet"}, "automountServiceAccountToken": false})).await;
    assert_eq!(server.make(PODS, of_account("a", "quiet")).await["spec"]["volumes"], Value::Null);
    let mut loud = of_account("b", "quiet");
    loud["spec"]["automountServiceAccountToken"] = true.into();
    assert_eq!(server.make(PODS, loud).await["spec"]["volumes"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_account_must_be_there() {
    let server = Server::start().await;
    assert_eq!(
        server.post(PODS, of_account("p", "ghost")).await.refused(403, "Forbidden"),
        "pods \"p\" is forbidden: error looking up service account golden/ghost: serviceaccount \"ghost\" not found"
    );
    let mut generated = of_account("", "ghost");
    generated["metadata"] = json!({"generateName": "web-"});
    assert_eq!(
        server.post(PODS, generated).await.refused(403, "Forbidden"),
        "pods \"web-\" is forbidden: error looking up service account golden/ghost: serviceaccount \"ghost\" not found"
    );
}

#[tokio::test]
async fn a_pod_waits_for_the_default_account_of_a_new_namespace() {
    let server = Server::start().await;
    server.make(NAMESPACES, json!({"metadata": {"name": "fresh"}})).await;
    let (pods, accounts) = (format!("{NAMESPACES}/fresh/pods"), format!("{NAMESPACES}/fresh/serviceaccounts"));
    let account = async {
        tokio::task::yield_now().await;
        server.make(&accounts, json!({"metadata": {"name": "default"}})).await
    };
    let (made, _) = tokio::join!(server.post(&pods, pod("p")), account);
    made.with(201);
}

#[tokio::test]
async fn a_mirror_pod_refers_to_nothing() {
    let server = Server::start().await;
    let mut mirror = of_account("p", "default");
    mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
    assert_eq!(
        server.post(PODS, mirror).await.refused(403, "Forbidden"),
        "pods \"p\" is forbidden: a mirror pod may not reference service accounts"
    );
}

#[tokio::test]
async fn a_runtime_class_brings_its_overhead() {
    let server = Server::start().await;
    let class = json!({"metadata": {"name": "vm"}, "handler": "vm", "overhead": {"podFixed": {"memory": "8Mi"}},
        "scheduling": {"nodeSelector": {"runtime": "vm"}}});
    server.make("/apis/node.k8s.io/v1/runtimeclasses", class).await;
    let of_class = |class: &str| {
        let mut pod = pod("p");
        pod["spec"]["runtimeClassName"] = class.into();
        pod
    };
    assert_eq!(
        server.post(PODS, of_class("none")).await.refused(403, "Forbidden"),
        "pods \"p\" is forbidden: pod rejected: RuntimeClass \"none\" not found"
    );
    let made = server.make(PODS, of_class("vm")).await;
    assert_eq!(made["spec"]["overhead"], json!({"memory": "8Mi"}));
    assert_eq!(made["spec"]["nodeSelector"], json!({"runtime": "vm"}));
}

#[tokio::test]
async fn default_classes_are_filled_in() {
    let server = Server::start().await;
    let mark = |key: &str| json!({key: "true"});
    let class = json!({"metadata": {"name": "fast", "annotations": mark("storageclass.kubernetes.io/is-default-class")},
        "provisioner": "x/y"});
    server.make("/apis/storage.k8s.io/v1/storageclasses", class).await;
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}}});
    let claims = format!("{NAMESPACES}/golden/persistentvolumeclaims");
    let made = server.make(&claims, claim).await;
    assert_eq!(made["spec"]["storageClassName"], "fast");
    assert_eq!(made["metadata"]["finalizers"], json!(null), "the controller's, a moment later");
    let mut bound = made;
    bound["status"]["phase"] = "Bound".into();
    let mut grown = server.put(&format!("{claims}/data/status"), bound).await.with(200);
    grown["spec"]["resources"]["requests"]["storage"] = "2Gi".into();
    assert_eq!(
        server.put(&format!("{claims}/data"), grown).await.refused(403, "Forbidden"),
        "persistentvolumeclaims \"data\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass \
         that provisions the pvc must support resize"
    );

    let class = json!({"metadata": {"name": "edge", "annotations": mark("ingressclass.kubernetes.io/is-default-class")},
        "spec": {"controller": "example.com/edge"}});
    server.make("/apis/networking.k8s.io/v1/ingressclasses", class).await;
    let ingress = json!({"metadata": {"name": "i"}, "spec": {"defaultBackend": {"service": {"name": "s",
        "port": {"number": 80}}}}});
    let made = server.make("/apis/networking.k8s.io/v1/namespaces/golden/ingresses", ingress).await;
    assert_eq!(made["spec"]["ingressClassName"], "edge");
}

#[tokio::test]
async fn a_new_node_is_not_ready() {
    let server = Server::start().await;
    let made = server.make(NODES, json!({"metadata": {"name": "n"}})).await;
    assert_eq!(made["spec"]["taints"], json!([{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]));
}

#[tokio::test]
async fn nobody_is_warned_of_what_he_did_not_write() {
    let server = Server::start().await;
    server.make(ACCOUNTS, json!({"metadata": {"name": "robot"}, "imagePullSecrets": [{"name": "pull"}]})).await;
    assert_eq!(server.post(PODS, of_account("p", "robot")).await.warnings(), [""; 0]);
    let mut asking = of_account("q", "robot");
    asking["spec"]["os"] = json!({"name": "linux"});
    let said = ["299 - \"spec.os: not supported by Sampan, ignored\""];
    assert_eq!(server.post(PODS, asking).await.warnings(), said);
    // It was said when it was written.
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    assert_eq!(server.patch(&format!("{PODS}/q"), MERGE, label).await.warnings(), [""; 0]);
}

//! The pod security standards as clients meet them.

use serde_json::{Value, json};

use super::harness::{MERGE, NAMESPACES, Server, deployment, pod};

const PODS: &str = "/api/v1/namespaces/secure/pods";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/secure/deployments";
const SECURE: &str = "/api/v1/namespaces/secure";
const ALL: &str = "allowPrivilegeEscalation != false (container \"c\" must set \
    securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"c\" must set \
    securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"c\" must set \
    securityContext.runAsNonRoot=true), seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \
    \"RuntimeDefault\" or \"Localhost\")";

async fn secure(labels: Value) -> Server {
    let server = Server::start().await;
    server.namespace("secure", labels).await;
    server
}

fn privileged(name: &str) -> Value {
    let mut pod = pod(name);
    pod["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    pod
}

/// The text of a `Warning` header.
fn header(text: &str) -> String {
    format!("299 - \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[tokio::test]
async fn an_enforced_level_refuses_pods_and_warns_about_workloads() {
    let server = secure(json!({"pod-security.kubernetes.io/enforce": "restricted"})).await;
    assert_eq!(
        server.post(PODS, pod("p")).await.refused(403, "Forbidden"),
        format!("pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": {ALL}")
    );
    let answer = server.post(DEPLOYMENTS, deployment("d")).await;
    assert_eq!(answer.code, 201);
    let warning = header(&format!("would violate PodSecurity \"restricted:latest\": {ALL}"));
    assert!(answer.warnings().contains(&warning.as_str()), "{:?}", answer.warnings());
}

#[tokio::test]
async fn a_level_may_only_warn_and_has_a_version() {
    let labels =
        json!({"pod-security.kubernetes.io/warn": "baseline", "pod-security.kubernetes.io/warn-version": "v1.30"});
    let server = secure(labels).await;
    let answer = server.post(PODS, privileged("p")).await;
    assert_eq!(answer.code, 201);
    let warning = header(
        "would violate PodSecurity \"baseline:v1.30\": privileged (container \"c\" must not set \
         securityContext.privileged=true)",
    );
    assert!(answer.warnings().contains(&warning.as_str()), "{:?}", answer.warnings());
}

#[tokio::test]
async fn other_namespaces_are_left_alone() {
    let server = secure(json!({})).await;
    let answer = server.post(PODS, privileged("p")).await;
    assert_eq!(answer.code, 201);
    assert!(!answer.warnings().iter().any(|w| w.contains("PodSecurity")));
}

#[tokio::test]
async fn wrong_labels_are_refused() {
    let server = Server::start().await;
    let namespace = json!({"metadata": {"name": "n", "labels": {"pod-security.kubernetes.io/enforce": "strict"}}});
    assert_eq!(
        server.post(NAMESPACES, namespace).await.refused(422, "Invalid"),
        "Namespace \"n\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"strict\": must be \
         one of privileged, baseline, restricted"
    );
}

#[tokio::test]
async fn a_stricter_label_tells_of_the_pods_that_break_it() {
    let server = secure(json!({})).await;
    for name in ["b", "a", "c"] {
        server.make(PODS, privileged(name)).await;
    }
    server.make(PODS, pod("fine")).await;
    let patch = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}});
    let answer = server.patch(SECURE, MERGE, patch.clone()).await;
    assert_eq!(answer.code, 200);
    assert_eq!(
        answer.warnings(),
        [
            header(
                "existing pods in namespace \"secure\" violate the new PodSecurity enforce level \"baseline:latest\""
            ),
            header("a (and 2 other pods): privileged"),
        ]
    );
    assert!(server.patch(SECURE, MERGE, patch).await.warnings().is_empty());
}

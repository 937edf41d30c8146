//! LimitRanges as clients meet them.

use serde_json::{Value, json};

use super::harness::{PODS, Server, pod};

const RANGES: &str = "/api/v1/namespaces/golden/limitranges";
const CLAIMS: &str = "/api/v1/namespaces/golden/persistentvolumeclaims";

async fn limited(limit: Value) -> Server {
    let server = Server::start().await;
    server.make(RANGES, json!({"metadata": {"name": "limits"}, "spec": {"limits": [limit]}})).await;
    server
}

fn asking(name: &str, resources: Value) -> Value {
    let mut pod = pod(name);
    pod["spec"]["containers"][0]["resources"] = resources;
    pod
}

#[tokio::test]
async fn a_container_gets_what_the_namespace_gives() {
    let limit = json!({"type": "Container", "default": {"memory": "64Mi"}, "defaultRequest": {"memory": "32Mi"}});
    let server = limited(limit).await;
    let made = server.make(PODS, pod("p")).await;
    assert_eq!(
        made["spec"]["containers"][0]["resources"],
        json!({"limits": {"memory": "64Mi"}, "requests": {"memory": "32Mi"}})
    );
    assert_eq!(
        made["metadata"]["annotations"],
        json!({"kubernetes.io/limit-ranger":
            "LimitRanger plugin set: memory request for container c; memory limit for container c"})
    );
    assert_eq!(made["status"]["qosClass"], "Burstable");
}

#[tokio::test]
async fn a_container_stays_within_bounds() {
    let server = limited(json!({"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "100m"}})).await;
    let refused = |resources: Value| {
        let pod = asking("p", resources);
        let answer = server.post(PODS, pod);
        async move { answer.await.refused(403, "Forbidden") }
    };
    assert_eq!(
        refused(json!({"limits": {"cpu": "2"}})).await,
        "pods \"p\" is forbidden: maximum cpu usage per Container is 1, but limit is 2"
    );
    assert_eq!(
        refused(json!({"requests": {"cpu": "50m"}})).await,
        "pods \"p\" is forbidden: minimum cpu usage per Container is 100m, but request is 50m"
    );
    server.make(PODS, pod("fits")).await;
}

#[tokio::test]
async fn a_generated_name_is_named_in_full() {
    let server = limited(json!({"type": "Pod", "max": {"memory": "1Mi"}})).await;
    let mut pod = pod("");
    pod["metadata"] = json!({"generateName": "web-"});
    let said = server.post(PODS, pod).await.refused(403, "Forbidden");
    let (start, end) = said.split_once("\" is forbidden: ").expect("a refusal");
    assert_eq!((start.len(), &start[..10]), ("pods \"web-12345".len(), "pods \"web-"));
    assert_eq!(end, "maximum memory usage per Pod is 1Mi.  No limit is specified");
}

#[tokio::test]
async fn a_claim_stays_within_bounds() {
    let server = limited(json!({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}})).await;
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "2Gi"}}}});
    assert_eq!(
        server.post(CLAIMS, claim).await.refused(403, "Forbidden"),
        "persistentvolumeclaims \"data\" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is \
         2Gi"
    );
}

#[tokio::test]
async fn wrong_limits_are_refused() {
    let server = Server::start().await;
    let range = json!({"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", "min": {"cpu": "2"}, "max":
        {"cpu": "1"}}]}});
    assert_eq!(
        server.post(RANGES, range).await.refused(422, "Invalid"),
        "LimitRange \"l\" is invalid: [spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1, \
         spec.limits[0].defaultRequest[cpu]: Invalid value: \"1\": min value 2 is greater than default request value 1, \
         spec.limits[0].default[cpu]: Invalid value: \"2\": min value 2 is greater than default value 1]"
    );
}

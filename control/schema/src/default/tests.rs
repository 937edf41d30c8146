use serde_json::json;

use super::*;
use crate::{admit, builtin};

fn defaulted(group: &str, version: &str, kind: &str, mut value: Value) -> Value {
    let ty = builtin().kind(group, version, kind).unwrap();
    admit::conform(ty, &mut value).unwrap();
    apply(ty, &mut value);
    let mut again = value.clone();
    apply(ty, &mut again);
    admit::conform(ty, &mut again).unwrap();
    assert_eq!(again.to_string(), value.to_string(), "defaults are stable and in form");
    value
}

#[test]
fn a_pod() {
    let pod = defaulted(
        "",
        "v1",
        "Pod",
        json!({"spec": {"volumes": [{"name": "v"}], "containers": [{
        "name": "a", "image": "b", "ports": [{"containerPort": 80}], "livenessProbe": {"httpGet": {"port": 80}},
        "resources": {"limits": {"memory": "1Gi"}}}]}}),
    );
    assert_eq!(
        pod["spec"].to_string(),
        concat!(
            r#"{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"a","image":"b","#,
            r#""ports":[{"containerPort":80,"protocol":"TCP"}],"resources":{"limits":{"memory":"1Gi"},"requests":{"memory":"1Gi"}},"#,
            r#""livenessProbe":{"httpGet":{"path":"/","port":80,"scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"#,
            r#""successThreshold":1,"failureThreshold":3},"terminationMessagePath":"/dev/termination-log","#,
            r#""terminationMessagePolicy":"File","imagePullPolicy":"Always"}],"restartPolicy":"Always","#,
            r#""terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","securityContext":{},"#,
            r#""schedulerName":"default-scheduler","enableServiceLinks":true}"#
        )
    );
}

#[test]
fn a_deployment() {
    let deployment = defaulted("apps", "v1", "Deployment", json!({"spec": {"selector": {}}}));
    let spec = &deployment["spec"];
    assert_eq!(spec["replicas"], 1);
    assert_eq!(
        spec["strategy"],
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}})
    );
    assert_eq!(spec["template"]["spec"].get("enableServiceLinks"), None);
    let recreate = defaulted("apps", "v1", "Deployment", json!({"spec": {"strategy": {"type": "Recreate"}}}));
    assert_eq!(recreate["spec"]["strategy"], json!({"type": "Recreate"}));
}

#[test]
fn a_stateful_set() {
    let given = json!({"spec": {"volumeClaimTemplates": [{"metadata": {"name": "a"}}]}});
    let set = defaulted("apps", "v1", "StatefulSet", given);
    let claim = &set["spec"]["volumeClaimTemplates"][0];
    assert_eq!(
        (claim["kind"].as_str(), claim["status"]["phase"].as_str()),
        (Some("PersistentVolumeClaim"), Some("Pending"))
    );
    assert_eq!(set["spec"]["updateStrategy"], json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}));
    assert_eq!(
        set["spec"]["persistentVolumeClaimRetentionPolicy"],
        json!({"whenDeleted": "Retain", "whenScaled": "Retain"})
    );
}

#[test]
fn a_job_and_the_template_of_one() {
    let job = defaulted("batch", "v1", "Job", json!({"spec": {}}));
    assert_eq!((&job["spec"]["completions"], &job["spec"]["backoffLimit"]), (&json!(1), &json!(6)));
    let cron = defaulted("batch", "v1", "CronJob", json!({"spec": {"jobTemplate": {"spec": {}}}}));
    assert_eq!(cron["spec"]["jobTemplate"]["spec"].get("completions"), None);
    assert_eq!(cron["spec"]["concurrencyPolicy"], "Allow");
}

#[test]
fn services() {
    let service = defaulted("", "v1", "Service", json!({"spec": {"ports": [{"port": 80}]}}));
    let port = json!({"protocol": "TCP", "port": 80, "targetPort": 80});
    assert_eq!(service["spec"]["ports"][0], port);
    assert_eq!(service["spec"]["internalTrafficPolicy"], "Cluster");
    assert_eq!(service["spec"].get("externalTrafficPolicy"), None);
    let external = defaulted("", "v1", "Service", json!({"spec": {"type": "ExternalName"}}));
    assert_eq!(external["spec"].get("internalTrafficPolicy"), None);
}

#[test]
fn pull_policies() {
    for (image, policy) in [
        ("a", "Always"),
        ("a:latest", "Always"),
        ("host:5000/a", "Always"),
        ("host:5000/a:1", "IfNotPresent"),
        ("a@sha256:00", "IfNotPresent"),
        ("a:latest@sha256:00", "Always"),
    ] {
        let pod = defaulted("", "v1", "Pod", json!({"spec": {"containers": [{"name": "a", "image": image}]}}));
        assert_eq!(pod["spec"]["containers"][0]["imagePullPolicy"], policy, "{image}");
    }
}

#[test]
fn empty_required_fields() {
    let binding = defaulted(
        "rbac.authorization.k8s.io",
        "v1",
        "RoleBinding",
        json!({
        "roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]}),
    );
    assert_eq!(binding["roleRef"]["apiGroup"], "rbac.authorization.k8s.io");
    assert_eq!(binding["subjects"][0]["apiGroup"], "rbac.authorization.k8s.io");
}

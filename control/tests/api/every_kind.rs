//! Every kind of the default groups: created from as little as will do, read back, listed, shown and deleted.

use serde_json::{Value, json};

use crate::harness::*;

/// Kind by kind: its collection, and the least that makes an object.
fn minimal() -> Vec<(&'static str, Value)> {
    let labels = json!({"a": "b"});
    let template = |restart: &str| {
        json!({"metadata": {"labels": labels}, "spec": {"restartPolicy": restart,
            "containers": [{"name": "c", "image": "web"}]}})
    };
    let workload = json!({"selector": {"matchLabels": labels}, "template": template("Always")});
    let job = json!({"template": template("Never")});
    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
    let claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let of = |fields: Value| fields;
    vec![
        ("/api/v1/namespaces/golden/configmaps", of(json!({}))),
        ("/api/v1/namespaces/golden/endpoints", of(json!({}))),
        ("/api/v1/namespaces/golden/events", of(json!({"involvedObject": {"namespace": "golden"}}))),
        ("/api/v1/namespaces/golden/limitranges", of(json!({"spec": {"limits": []}}))),
        ("/api/v1/namespaces", of(json!({}))),
        ("/api/v1/nodes", of(json!({}))),
        ("/api/v1/namespaces/golden/persistentvolumeclaims", of(json!({"spec": claim}))),
        (
            "/api/v1/persistentvolumes",
            of(json!({"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": "/x"}}})),
        ),
        ("/api/v1/namespaces/golden/pods", of(json!({"spec": {"containers": [{"name": "c", "image": "web"}]}}))),
        ("/api/v1/namespaces/golden/podtemplates", of(json!({"template": template("Always")}))),
        (
            "/api/v1/namespaces/golden/replicationcontrollers",
            of(json!({"spec": {"selector": labels, "template": template("Always")}})),
        ),
        ("/api/v1/namespaces/golden/resourcequotas", of(json!({"spec": {"hard": {"pods": "100"}}}))),
        ("/api/v1/namespaces/golden/secrets", of(json!({}))),
        ("/api/v1/namespaces/golden/serviceaccounts", of(json!({}))),
        ("/api/v1/namespaces/golden/services", of(json!({"spec": {"ports": [{"port": 80}]}}))),
        ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", of(json!({"webhooks": []}))),
        ("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", of(json!({"webhooks": []}))),
        (
            "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
            of(json!({"spec": {"matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
                "operations": ["CREATE"], "resources": ["configmaps"]}]}, "validations": [{"expression": "true"}]}})),
        ),
        (
            "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
            of(json!({"spec": {"policyName": "p", "validationActions": ["Deny"]}})),
        ),
        ("/apis/apps/v1/namespaces/golden/controllerrevisions", of(json!({"data": {"a": 1}, "revision": 1}))),
        ("/apis/apps/v1/namespaces/golden/daemonsets", of(json!({"spec": workload}))),
        ("/apis/apps/v1/namespaces/golden/deployments", of(json!({"spec": workload}))),
        ("/apis/apps/v1/namespaces/golden/replicasets", of(json!({"spec": workload}))),
        ("/apis/apps/v1/namespaces/golden/statefulsets", {
            let mut spec = workload.clone();
            spec["serviceName"] = "s".into();
            of(json!({"spec": spec}))
        }),
        (
            "/apis/autoscaling/v2/namespaces/golden/horizontalpodautoscalers",
            of(json!({"spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web"}}})),
        ),
        (
            "/apis/batch/v1/namespaces/golden/cronjobs",
            of(json!({"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": job}}})),
        ),
        ("/apis/batch/v1/namespaces/golden/jobs", of(json!({"spec": job}))),
        (
            "/apis/certificates.k8s.io/v1/certificatesigningrequests",
            of(json!({"spec": {"signerName": "example.com/s", "usages": ["client auth"],
                "request": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0="}})),
        ),
        ("/apis/coordination.k8s.io/v1/namespaces/golden/leases", of(json!({}))),
        (
            "/apis/discovery.k8s.io/v1/namespaces/golden/endpointslices",
            of(json!({"addressType": "IPv4", "endpoints": []})),
        ),
        (
            "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
            of(json!({"spec": {"priorityLevelConfiguration": {"name": "global-default"}}})),
        ),
        (
            "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
            of(json!({"spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}})),
        ),
        ("/apis/networking.k8s.io/v1/ingressclasses", of(json!({"spec": {"controller": "example.com/c"}}))),
        (
            "/apis/networking.k8s.io/v1/namespaces/golden/ingresses",
            of(json!({"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}})),
        ),
        ("/apis/networking.k8s.io/v1/servicecidrs", of(json!({"spec": {"cidrs": ["10.96.0.0/16"]}}))),
        ("/apis/networking.k8s.io/v1/namespaces/golden/networkpolicies", of(json!({"spec": {"podSelector": {}}}))),
        ("/apis/node.k8s.io/v1/runtimeclasses", of(json!({"handler": "wasm"}))),
        (
            "/apis/policy/v1/namespaces/golden/poddisruptionbudgets",
            of(json!({"spec": {"minAvailable": 1, "selector": {"matchLabels": labels}}})),
        ),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", of(json!({"rules": rules}))),
        ("/apis/rbac.authorization.k8s.io/v1/namespaces/golden/roles", of(json!({"rules": rules}))),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            of(json!({"roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}})),
        ),
        (
            "/apis/rbac.authorization.k8s.io/v1/namespaces/golden/rolebindings",
            of(json!({"roleRef": {"kind": "ClusterRole", "name": "view"}})),
        ),
        ("/apis/scheduling.k8s.io/v1/priorityclasses", of(json!({"value": 1}))),
        ("/apis/storage.k8s.io/v1/csidrivers", of(json!({"spec": {}}))),
        ("/apis/storage.k8s.io/v1/csinodes", of(json!({"spec": {"drivers": []}}))),
        ("/apis/storage.k8s.io/v1/namespaces/golden/csistoragecapacities", of(json!({"storageClassName": "fast"}))),
        ("/apis/storage.k8s.io/v1/storageclasses", of(json!({"provisioner": "example.com/p"}))),
        (
            "/apis/storage.k8s.io/v1/volumeattachments",
            of(json!({"spec": {"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "v"}}})),
        ),
    ]
}

#[tokio::test]
async fn each_kind_is_made_read_listed_shown_and_deleted() {
    let server = Server::start().await;
    for (collection, mut object) in minimal() {
        object["metadata"] = json!({"name": "minimal"});
        let made = server.post(collection, object).await;
        assert_eq!(made.code, 201, "{collection}: {}", made.text);
        let made = made.json();
        let path = format!("{collection}/minimal");
        assert_eq!(server.read(&path).await, made, "{path}");
        let again = server.put(&path, made.clone()).await.with(200);
        assert_eq!(again, made, "an update that changes nothing changes nothing: {path}");
        let list = server.read(collection).await;
        assert!(names(&list).contains(&"minimal"), "{collection}: {list}");
        let table = server.request("GET", &path).accept(TABLE).send().await.with(200);
        let (columns, row) = (&table["columnDefinitions"], &table["rows"][0]["cells"]);
        assert_eq!(columns.as_array().map(Vec::len), row.as_array().map(Vec::len), "{path}: {table}");
        let gone = server.delete(&path).await;
        assert_eq!(gone.code, 200, "{path}: {}", gone.text);
    }
}

#[tokio::test]
async fn events_of_both_groups_are_the_same_events() {
    let server = Server::start().await;
    let (old, new) = ("/api/v1/namespaces/golden/events", "/apis/events.k8s.io/v1/namespaces/golden/events");
    let event = json!({"metadata": {"name": "e"}, "eventTime": "2026-11-20T10:00:00.000000Z", "type": "Normal",
        "reason": "Tested", "action": "Testing", "note": "a note", "reportingController": "example.com/tests",
        "reportingInstance": "i", "regarding": {"kind": "Pod", "name": "p", "namespace": "golden"}});
    let made = server.make(new, event).await;
    assert_eq!((&made["apiVersion"], &made["note"]), (&json!("events.k8s.io/v1"), &json!("a note")));
    let seen = server.read(&format!("{old}/e")).await;
    assert_eq!((&seen["apiVersion"], &seen["message"]), (&json!("v1"), &json!("a note")));
    assert_eq!(seen["involvedObject"]["name"], "p");
    assert_eq!(seen["metadata"]["uid"], made["metadata"]["uid"]);
    assert_eq!(names(&server.read(&format!("{new}?fieldSelector=regarding.name%3Dp")).await), ["e"]);
    assert_eq!(names(&server.read(&format!("{old}?fieldSelector=involvedObject.name%3Dp")).await), ["e"]);
    let mut watch = server.watch(&format!("{new}?watch=1&timeoutSeconds=1")).await;
    let event = watch.next().await.expect("the event that is there");
    assert_eq!((&event["type"], &event["object"]["note"]), (&json!("ADDED"), &json!("a note")));
    let words = server.get(&format!("{new}/none")).await.refused(404, "NotFound");
    assert_eq!(words, "events.events.k8s.io \"none\" not found");
    let lacking = json!({"metadata": {"name": "e2"}, "regarding": {"namespace": "golden"}});
    let words = server.post(new, lacking).await.refused(422, "Invalid");
    assert_eq!(
        words,
        "Event.events.k8s.io \"e2\" is invalid: [eventTime: Required value, type: Invalid value: \"\": has invalid value: ]"
    );
    server.delete(&format!("{new}/e")).await.with(200);
    server.get(&format!("{old}/e")).await.refused(404, "NotFound");
}

#[tokio::test]
async fn the_control_plane_says_that_it_is_well() {
    let server = Server::start().await;
    let list = server.read("/api/v1/componentstatuses").await;
    assert_eq!(names(&list), ["controller-manager", "etcd-0", "scheduler"]);
    let one = server.get("/api/v1/componentstatuses/scheduler").await;
    assert_eq!(one.warnings(), ["299 - \"v1 ComponentStatus is deprecated in v1.19+\""]);
    assert_eq!(one.json()["conditions"], json!([{"type": "Healthy", "status": "True", "message": "ok"}]));
    server.get("/api/v1/componentstatuses/none").await.refused(404, "NotFound");
    server.post("/api/v1/componentstatuses", json!({})).await.refused(405, "MethodNotAllowed");
}

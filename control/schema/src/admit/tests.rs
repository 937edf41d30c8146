use serde_json::json;

use super::*;
use crate::builtin;

fn of(group: &str, version: &str, kind: &str) -> TypeRef<'static> {
    builtin().kind(group, version, kind).unwrap()
}

fn conformed(group: &str, version: &str, kind: &str, mut value: Value) -> (Value, Vec<String>) {
    let findings = conform(of(group, version, kind), &mut value).unwrap();
    (value, findings.unknown)
}

fn refused(group: &str, version: &str, kind: &str, mut value: Value) -> String {
    conform(of(group, version, kind), &mut value).unwrap_err().to_string()
}

#[test]
fn puts_fields_in_order_and_shows_what_go_shows() {
    let given = json!({
        "status": {}, "spec": {"template": {"spec": {"containers": [{"image": "b", "name": "a"}]}}, "selector": null},
        "metadata": {"name": "d", "labels": {"b": "2", "a": "1"}}, "apiVersion": "apps/v1", "kind": "Deployment"
    });
    let (value, unknown) = conformed("apps", "v1", "Deployment", given);
    assert!(unknown.is_empty());
    assert_eq!(
        value.to_string(),
        r#"{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"d","creationTimestamp":null,"labels":{"a":"1","b":"2"}},"spec":{"selector":null,"template":{"metadata":{"creationTimestamp":null},"spec":{"containers":[{"name":"a","image":"b","resources":{}}]}},"strategy":{}},"status":{}}"#
    );
}

#[test]
fn drops_what_it_does_not_know() {
    let given =
        json!({"metadata": {"name": "p", "x": 1}, "spec": {"containers": [{"name": "a", "zzz": {}}], "yyy": 1}});
    let (value, unknown) = conformed("", "v1", "Pod", given);
    assert_eq!(unknown, ["metadata.x", "spec.containers[0].zzz", "spec.yyy"]);
    assert!(value["spec"].get("yyy").is_none());
}

#[test]
fn tells_pointers_from_values() {
    let given = json!({"spec": {"replicas": 0, "paused": false, "minReadySeconds": 0, "revisionHistoryLimit": 0}});
    let (value, _) = conformed("apps", "v1", "Deployment", given);
    let keys: Vec<_> = value["spec"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["replicas", "selector", "template", "strategy", "revisionHistoryLimit"]);
}

#[test]
fn refuses_in_gos_words() {
    let refusal = refused("apps", "v1", "Deployment", json!({"spec": {"replicas": "three"}}));
    assert_eq!(
        refusal,
        "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
    );
    let refusal = refused("", "v1", "Pod", json!({"spec": {"containers": [{"image": 1}]}}));
    assert_eq!(
        refusal,
        "json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string"
    );
    let refusal = refused("", "v1", "ConfigMap", json!({"data": {"a": true}}));
    assert_eq!(refusal, "json: cannot unmarshal bool into Go struct field ConfigMap.data of type string");
    let refusal = refused("", "v1", "Pod", json!({"spec": {"containers": {}}}));
    assert_eq!(
        refusal,
        "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"
    );
    assert_eq!(refused("", "v1", "Pod", json!([])), "json: cannot unmarshal array into Go value of type v1.Pod");
    assert_eq!(refused("", "v1", "Secret", json!({"data": {"a": "a b"}})), "illegal base64 data at input byte 1");
    let refusal = refused("apps", "v1", "Deployment", json!({"spec": {"replicas": 1.5}}));
    assert!(refusal.starts_with("json: cannot unmarshal number 1.5 into"), "{refusal}");
}

#[test]
fn makes_quantities_and_times_canonical() {
    let given = json!({"spec": {"containers": [{"name": "a", "resources": {"limits": {"memory": "1024Mi", "cpu": 0.5}}}]},
        "status": {"startTime": "2026-11-20T11:25:29.5+02:00"}});
    let (value, _) = conformed("", "v1", "Pod", given);
    let limits = &value["spec"]["containers"][0]["resources"]["limits"];
    assert_eq!(limits.to_string(), r#"{"cpu":"500m","memory":"1Gi"}"#);
    assert_eq!(value["status"]["startTime"], "2026-11-20T09:25:29Z");
    let (lease, _) =
        conformed("coordination.k8s.io", "v1", "Lease", json!({"spec": {"renewTime": "2026-11-20T09:25:29Z"}}));
    assert_eq!(lease["spec"]["renewTime"], "2026-11-20T09:25:29.000000Z");
}

#[test]
fn takes_numbers_and_strings_where_either_will_do() {
    let given = json!({"spec": {"ports": [{"port": 80}, {"port": 81, "targetPort": "http"}]}});
    let (value, _) = conformed("", "v1", "Service", given);
    assert_eq!(value["spec"]["ports"][0]["targetPort"], 0);
    assert_eq!(value["spec"]["ports"][1]["targetPort"], "http");
    assert_eq!(value["status"], json!({"loadBalancer": {}}));
}

#[test]
fn leaves_embedded_objects_alone() {
    let data = json!({"z": {"b": 1, "a": null}, "a": []});
    let (value, unknown) = conformed("apps", "v1", "ControllerRevision", json!({"data": data, "revision": 3}));
    assert_eq!(value["data"].to_string(), data.to_string());
    assert!(unknown.is_empty());
}

proptest::proptest! {
    /// For every kind: a conformed value is left as it is, and defaults leave it conformed and are stable.
    #[test]
    fn conforming_and_defaulting_are_idempotent(seed: u64, row in 0..builtin().resources().len()) {
        let row = &builtin().resources()[row];
        let ty = of(&row.group, &row.version, &row.kind);
        let mut value = crate::sample::object(ty, seed);
        conform(ty, &mut value).unwrap();
        let mut again = value.clone();
        conform(ty, &mut again).unwrap();
        proptest::prop_assert_eq!(again.to_string(), value.to_string());
        crate::default::apply(ty, &mut value);
        let mut again = value.clone();
        conform(ty, &mut again).unwrap();
        crate::default::apply(ty, &mut again);
        proptest::prop_assert_eq!(again.to_string(), value.to_string());
    }
}

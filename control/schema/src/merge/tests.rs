use serde_json::json;

use super::*;
use crate::builtin;

fn pod(original: Value, patch: Value) -> Result<Value, Error> {
    strategic(builtin().kind("", "v1", "Pod").unwrap(), original, patch)
}

fn containers(original: Value, patch: Value) -> Value {
    pod(json!({"spec": {"containers": original}}), json!({"spec": {"containers": patch}})).unwrap()["spec"]["containers"].take()
}

#[test]
fn lists_are_merged_by_key_or_replaced() {
    let merged = containers(json!([{"name": "a", "image": "1", "args": ["x"]}]), json!([{"name": "a", "args": ["y"]}]));
    assert_eq!(merged, json!([{"name": "a", "image": "1", "args": ["y"]}]));
    let merged = containers(json!([{"name": "a"}]), json!([{"name": "b", "image": null}]));
    assert_eq!(merged, json!([{"name": "b"}, {"name": "a"}]));
}

#[test]
fn items_are_deleted_and_lists_replaced() {
    let two = json!([{"name": "a"}, {"name": "b"}]);
    assert_eq!(containers(two.clone(), json!([{"name": "a", "$patch": "delete"}])), json!([{"name": "b"}]));
    assert_eq!(containers(two, json!([{"name": "c"}, {"$patch": "replace"}])), json!([{"name": "c"}]));
}

#[test]
fn an_order_is_followed() {
    let original = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}});
    let patch = json!({"spec": {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
        "containers": [{"name": "a", "image": "1"}]}});
    let names = |value: &Value| {
        let list = value["spec"]["containers"].as_array().unwrap().iter();
        list.map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let merged = pod(original.clone(), patch).unwrap();
    assert_eq!(names(&merged), ["b", "c", "a"]);
    let patch = json!({"spec": {"$setElementOrder/containers": [{"name": "b"}], "containers": [{"name": "a"}]}});
    assert_eq!(pod(original, patch), Err(Error::SetOrder));
}

#[test]
fn sets_of_scalars() {
    let original = json!({"metadata": {"finalizers": ["a", "b"]}});
    let patch = json!({"metadata": {"finalizers": ["b", "c"], "$deleteFromPrimitiveList/finalizers": ["a"]}});
    assert_eq!(pod(original, patch).unwrap(), json!({"metadata": {"finalizers": ["b", "c"]}}));
}

#[test]
fn retained_keys() {
    let deployment = builtin().kind("apps", "v1", "Deployment").unwrap();
    let original = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
    let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    assert_eq!(
        strategic(deployment, original.clone(), patch).unwrap(),
        json!({"spec": {"strategy": {"type": "Recreate"}}})
    );
    let patch = json!({"spec": {"strategy": {"$retainKeys": [], "type": "Recreate"}}});
    assert_eq!(strategic(deployment, original, patch), Err(Error::RetainKeys));
}

#[test]
fn maps_are_merged_replaced_and_deleted() {
    let original = json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"securityContext": {"runAsUser": 1}}});
    let patch = json!({"metadata": {"labels": {"a": null, "c": "3"}}, "spec": {"securityContext": {"$patch": "replace", "runAsGroup": 2}}});
    assert_eq!(
        pod(original.clone(), patch).unwrap(),
        json!({"metadata": {"labels": {"b": "2", "c": "3"}}, "spec": {"securityContext": {"runAsGroup": 2}}})
    );
    assert_eq!(pod(original.clone(), json!({"$patch": "delete"})).unwrap(), json!({}));
    assert!(matches!(pod(original, json!({"$patch": "x"})), Err(Error::Directive(_))));
}

#[test]
fn mistakes() {
    let original = json!({"spec": {"containers": [{"name": "a"}]}});
    let no_key = pod(original.clone(), json!({"spec": {"containers": [{"image": "x"}]}})).unwrap_err();
    assert_eq!(no_key.to_string(), "map: map[image:x] does not contain declared merge key: name");
    assert_eq!(pod(original, json!([])), Err(Error::Type { expected: "map", got: "list" }));
}

#[test]
fn merge_patch() {
    let mut value = json!({"a": {"b": 1, "c": 2}, "d": [1]});
    json(&mut value, json!({"a": {"b": null, "e": {"f": null, "g": 1}}, "d": [2]}));
    assert_eq!(value, json!({"a": {"c": 2, "e": {"g": 1}}, "d": [2]}));
}

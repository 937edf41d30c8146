use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{admit, builtin, decode, sample};

#[test]
fn known_bytes() {
    let body =
        protobuf(builtin(), &json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "a"}})).unwrap();
    let expected = b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x05\x0a\x03\x0a\x01a\x1a\0\x22\0";
    assert_eq!(body, expected);
}

#[test]
fn lists_and_events() {
    let items = [json!({"metadata": {"name": "a"}})];
    let body =
        protobuf_list(builtin(), "v1", "Namespace", &json!({"resourceVersion": "7"}), items.into_iter()).unwrap();
    assert!(body.windows(13).any(|w| w == b"NamespaceList"));
    // Metadata, then one item, which is a message of metadata with a name.
    assert!(body.windows(12).any(|w| w == b"\x0a\x03\x12\x017\x12\x05\x0a\x03\x0a\x01a"));
    assert_eq!(watch_event("ADDED", b"x"), b"\0\0\0\x0c\x0a\x05ADDED\x12\x03\x0a\x01x");
    let status = json!({"kind": "Status", "apiVersion": "v1", "code": 404});
    assert_eq!(decode::protobuf(builtin(), &protobuf(builtin(), &status).unwrap()).unwrap()["code"], 404);
}

#[test]
fn flattened_structs_are_nested() {
    let pod = json!({"kind": "Pod", "apiVersion": "v1", "spec": {
        "volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}],
        "containers": [{"name": "c", "livenessProbe": {"httpGet": {"port": "http"}, "periodSeconds": 3}}]}});
    let body = protobuf(builtin(), &pod).unwrap();
    assert_eq!(decode::protobuf(builtin(), &body).unwrap(), pod);
}

#[test]
fn null_times_in_maps() {
    let budget =
        json!({"kind": "PodDisruptionBudget", "apiVersion": "policy/v1", "status": {"disruptedPods": {"a": null}}});
    let body = protobuf(builtin(), &budget).unwrap();
    assert_eq!(decode::protobuf(builtin(), &body).unwrap(), budget);
}

#[test]
fn what_is_not_of_its_type_is_refused() {
    let pod = json!({"kind": "Pod", "apiVersion": "v1", "spec": {"containers": [1]}});
    let error = Error::Type { ty: "PodSpec".to_owned(), field: "containers".to_owned() };
    assert_eq!(protobuf(builtin(), &pod), Err(error));
    assert!(matches!(protobuf(builtin(), &json!({})), Err(Error::Kind { .. })));
}

/// A value as block YAML, every text in quotes.
fn yaml(value: &Value, depth: usize) -> String {
    let pad = "  ".repeat(depth);
    match value {
        Value::Object(map) if !map.is_empty() => {
            let entry = |(key, value): (&String, &Value)| {
                format!("\n{pad}{}: {}", Value::from(key.as_str()), yaml(value, depth + 1))
            };
            map.iter().map(entry).collect()
        }
        Value::Array(list) if !list.is_empty() => {
            list.iter().map(|value| format!("\n{pad}- {}", yaml(value, depth + 1))).collect()
        }
        other => other.to_string(),
    }
}

proptest! {
    /// For every kind: what is written is read back.
    #[test]
    fn round_trip(seed: u64, row in 0..builtin().resources().len()) {
        let row = &builtin().resources()[row];
        let ty = builtin().kind(&row.group, &row.version, &row.kind).unwrap();
        let mut value = sample::object(ty, seed);
        value["apiVersion"] = json!(row.group_version());
        value["kind"] = json!(row.kind);
        admit::conform(ty, &mut value).unwrap();
        let body = protobuf(builtin(), &value).unwrap();
        let mut read = decode::protobuf(builtin(), &body).unwrap();
        admit::conform(ty, &mut read).unwrap();
        prop_assert_eq!(read.to_string(), value.to_string());
        for decoded in [decode::json(value.to_string().as_bytes()), decode::yaml(yaml(&value, 0).as_bytes())] {
            let mut read = decoded.unwrap().value;
            admit::conform(ty, &mut read).unwrap();
            prop_assert_eq!(read.to_string(), value.to_string());
        }
    }
}

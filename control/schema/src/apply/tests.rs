use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// One version, and nothing ignored.
struct One {
    view: TypeView<'static>,
    nothing: FieldSet,
}

impl One {
    fn of(kind: &str, group: &str) -> Self {
        Self { view: TypeView::Struct(ty(group, kind)), nothing: FieldSet::default() }
    }
}

impl Versions for One {
    fn convert<'a>(&'a self, object: &'a Value, _: &str) -> Option<Cow<'a, Value>> {
        Some(Cow::Borrowed(object))
    }

    fn view(&self, _: &str) -> Option<TypeView<'_>> {
        Some(self.view)
    }

    fn ignored(&self) -> &FieldSet {
        &self.nothing
    }

    fn requested(&self) -> &str {
        "v1"
    }
}

fn ty(group: &str, kind: &str) -> TypeRef<'static> {
    crate::builtin().kind(group, "v1", kind).expect("a kind of the table")
}

fn pod_view() -> TypeView<'static> {
    TypeView::Struct(ty("", "Pod"))
}

fn set(fields: Value) -> FieldSet {
    FieldSet::decode(&fields).expect("FieldsV1")
}

fn pod(containers: Value) -> Value {
    json!({"spec": {"containers": containers}})
}

#[test]
fn a_set_is_its_text() {
    let texts = [
        r#"{"f:data":{"f:a":{}},"f:metadata":{"f:labels":{"f:l":{}}}}"#,
        r#"{"f:data":{".":{},"f:a":{},"f:b":{}}}"#,
        r#"{"f:spec":{"f:ports":{".":{},"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}},"k:{\"port\":443,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}}"#,
        r#"{"f:metadata":{"f:finalizers":{".":{},"v:\"x.y/z\"":{}}}}"#,
        "{}",
    ];
    for text in texts {
        let fields: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(set(fields).encode().to_string(), text);
    }
}

#[test]
fn a_set_read_in_any_order_is_written_in_one() {
    let fields = json!({"f:b": {}, "f:a": {"f:z": {}, ".": {}, "k:{\"protocol\":\"TCP\",\"port\":443}": {}, "k:{\"port\":80}": {}}});
    let text = r#"{"f:a":{".":{},"f:z":{},"k:{\"port\":80}":{},"k:{\"port\":443,\"protocol\":\"TCP\"}":{}},"f:b":{}}"#;
    assert_eq!(set(fields).encode().to_string(), text);
}

#[test]
fn what_is_no_step_is_refused_and_the_future_is_dropped() {
    for key in ["spec", "k:{", "k:[]", "i:x", "v:", ""] {
        assert!(FieldSet::decode(&json!({key: {}})).is_err(), "{key}");
    }
    assert_eq!(FieldSet::decode(&json!({"z:new": {}, "f:a": {}})), Ok(FieldSet::of(&[&["a"]])));
}

#[test]
fn sets_are_added_and_subtracted() {
    let a = set(json!({"f:x": {".": {}, "f:y": {}}, "f:z": {}}));
    let b = set(json!({"f:x": {}, "f:w": {}}));
    assert_eq!(a.clone().union(b.clone()), set(json!({"f:w": {}, "f:x": {".": {}, "f:y": {}}, "f:z": {}})));
    assert_eq!(a.intersection(&b), set(json!({"f:x": {}})));
    assert_eq!(a.clone().difference(&b), set(json!({"f:x": {"f:y": {}}, "f:z": {}})));
    assert_eq!(a.clone().recursive_difference(&b), set(json!({"f:z": {}})));
}

#[test]
fn an_applied_configuration_owns_what_it_names() {
    let table = [
        (pod(json!([])), json!({})),
        (
            pod(json!([{"name": "c", "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]}])),
            json!({"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:name": {}, "f:ports": {
                "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}},
                "k:{\"containerPort\":80,\"protocol\":\"UDP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}}}}}}}),
        ),
        (
            pod(json!([{"name": "c", "command": ["a", "b"]}])),
            json!({"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:command": {}, "f:name": {}}}}}),
        ),
        (
            json!({"metadata": {"labels": {}, "finalizers": ["a/b"], "annotations": null}}),
            json!({"f:metadata": {"f:annotations": {}, "f:finalizers": {"v:\"a/b\"": {}}, "f:labels": {}}}),
        ),
        (
            json!({"spec": {"nodeSelector": {"a": "b"}, "volumes": [{"name": "v", "emptyDir": {}}]}}),
            json!({"f:spec": {"f:nodeSelector": {}, "f:volumes": {"k:{\"name\":\"v\"}": {".": {}, "f:emptyDir": {}, "f:name": {}}}}}),
        ),
    ];
    for (object, fields) in table {
        assert_eq!(paths(pod_view(), &object), set(fields), "{object}");
    }
}

#[test]
fn a_comparison_tells_what_was_removed_modified_and_added() {
    let old = pod(json!([{"name": "a", "image": "x"}, {"name": "b", "env": [{"name": "E", "value": "1"}]}]));
    let new = pod(json!([{"name": "b", "env": [{"name": "E", "value": "2"}]}, {"name": "c", "args": ["x"]}]));
    let found = compare(pod_view(), &old, &new);
    let containers = |fields: Value| set(json!({"f:spec": {"f:containers": fields}}));
    assert_eq!(found.removed, containers(json!({"k:{\"name\":\"a\"}": {".": {}, "f:image": {}, "f:name": {}}})));
    assert_eq!(
        found.modified,
        containers(json!({"k:{\"name\":\"b\"}": {"f:env": {"k:{\"name\":\"E\"}": {"f:value": {}}}}}))
    );
    assert_eq!(found.added, containers(json!({"k:{\"name\":\"c\"}": {".": {}, "f:args": {}, "f:name": {}}})));
    assert_eq!(compare(pod_view(), &old, &old), Comparison::default());
}

#[test]
fn items_that_are_told_alike_are_owned_as_one() {
    let env = |values: &[&str]| {
        let items: Vec<Value> = values.iter().map(|v| json!({"name": "E", "value": v})).collect();
        pod(json!([{"name": "c", "env": items}]))
    };
    let of_env = |fields: Value| set(json!({"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {"f:env": fields}}}}));
    let found = compare(pod_view(), &env(&["1", "2"]), &env(&["1", "3"]));
    assert_eq!(found.modified, of_env(json!({"k:{\"name\":\"E\"}": {}})));
    let found = compare(pod_view(), &env(&["1"]), &env(&["1", "3"]));
    assert_eq!(found.added, of_env(json!({"k:{\"name\":\"E\"}": {}})));
    let whole = json!({"k:{\"name\":\"E\"}": {"f:name": {}, "f:value": {}}});
    assert_eq!(found.removed, of_env(whole));
}

#[test]
fn what_does_not_fit_its_type_is_refused_in_words() {
    let table = [
        (json!({"spec": {"zzz": 1}}), ".spec.zzz: field not declared in schema"),
        (
            pod(json!([{"name": 1}])),
            ".spec.containers[name=1].name: expected string, got &value.valueUnstructured{Value:1}",
        ),
        (pod(json!({"name": "c"})), ".spec.containers: expected list, got &{map[name:c]}"),
        (json!({"spec": "x"}), ".spec: expected map, got &{x}"),
        (json!({"spec": {"hostNetwork": "x"}}), ".spec.hostNetwork: expected boolean, got &{x}"),
        (json!({"spec": {"priority": "x"}}), ".spec.priority: expected numeric (int or float), got string"),
        (
            pod(json!([{"image": "c"}])),
            ".spec.containers: element 0: associative list with keys has an element that omits all key fields [\"name\"] (and \
             doesn't have default values for any key fields)",
        ),
        (pod(json!([{"name": "c"}, {"name": "c"}])), ".spec.containers: duplicate entries for key [name=\"c\"]"),
        (json!({"x": 1, "y": 2}), "errors:\n  .x: field not declared in schema\n  .y: field not declared in schema"),
    ];
    for (object, words) in table {
        assert_eq!(validate(pod_view(), &object).map_err(|e| e.to_string()), Err(words.to_owned()), "{object}");
    }
    assert_eq!(validate(pod_view(), &pod(json!([{"name": "c", "resources": {"limits": {"cpu": 1}}}]))), Ok(()));
}

#[test]
fn lists_are_merged_in_the_order_of_the_configuration() {
    let list = |names: &[&str]| {
        let items: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        pod(json!(items))
    };
    for (live, config, merged) in [
        (&["a", "b", "c"] as &[&str], &["c", "a"] as &[&str], &["b", "c", "a"] as &[&str]),
        (&["a", "b"], &["c"], &["a", "b", "c"]),
        (&["a", "b"], &["b", "x"], &["a", "b", "x"]),
        (&[], &["b", "a"], &["b", "a"]),
        (&["a"], &[], &["a"]),
    ] {
        assert_eq!(merge::merge(pod_view(), &list(live), &list(config)), list(merged), "{live:?} {config:?}");
    }
}

#[test]
fn what_is_no_longer_applied_goes_unless_another_wants_it() {
    let versions = One::of("ConfigMap", "");
    let config = |data: Value| json!({"data": data});
    let first = apply(&versions, &json!({}), &config(json!({"a": "1", "b": "1"})), Managers::new(), &"one", false);
    let first = first.expect("nobody else is there");
    let live = first.object.expect("an object");
    let second = apply(&versions, &live, &config(json!({"b": "1"})), first.managers, &"two", false).expect("it agrees");
    assert_eq!(second.object, None);
    let third = apply(&versions, &live, &config(json!({})), second.managers, &"one", false).expect("it gives up");
    assert_eq!(third.object, Some(config(json!({"b": "1"}))));
    let owners: Vec<_> = third.managers.iter().map(|(id, owner)| (*id, owner.set.encode())).collect();
    assert_eq!(owners, [("one", json!({"f:data": {}})), ("two", json!({"f:data": {"f:b": {}}}))]);
}

#[test]
fn a_value_of_another_is_a_conflict_until_it_is_forced() {
    let versions = One::of("ConfigMap", "");
    let live = json!({"data": {"a": "1"}});
    let managers = update(&versions, &json!({}), &live, Managers::new(), &"creator");
    let config = json!({"data": {"a": "2"}});
    let refused = apply(&versions, &live, &config, managers.clone(), &"me", false).expect_err("a conflict");
    let fields = FieldSet::of(&[&["data", "a"]]);
    assert_eq!(refused, ApplyError::Conflicts(vec![Conflict { manager: "creator", fields }]));
    let forced = apply(&versions, &live, &config, managers, &"me", true).expect("by force");
    assert_eq!(forced.object, Some(config));
    assert_eq!(forced.managers["creator"].set.encode(), json!({"f:data": {}}));
    assert_eq!(forced.managers["me"].set.encode(), json!({"f:data": {"f:a": {}}}));
}

/// `{items: [{k, v}], set: […], all: […], any: {…}}`
fn custom() -> Tree {
    let text = || Tree::Scalar(Scalar::String);
    let item = Tree::structure([("k".into(), text()), ("v".into(), text())], false, false);
    let keys = vec![("k".into(), None)];
    let fields = [
        ("items".into(), Tree::List { items: Box::new(item), owned: Owned::ByKeys(keys) }),
        ("set".into(), Tree::List { items: Box::new(text()), owned: Owned::ByValue }),
        ("all".into(), Tree::List { items: Box::new(text()), owned: Owned::Whole }),
        ("any".into(), Tree::Untyped { atomic: false }),
        ("whole".into(), Tree::Map { values: Box::new(text()), atomic: true }),
        (
            "metadata".into(),
            Tree::BuiltIn(crate::builtin().named("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta").expect("a type")),
        ),
    ];
    Tree::structure(fields, false, false)
}

#[test]
fn a_custom_type_is_owned_as_its_schema_says() {
    let tree = custom();
    let view = TypeView::Tree(&tree);
    let object = json!({"items": [{"k": "a", "v": "1"}], "set": ["x"], "all": ["x"], "any": {"l": [1], "m": {"n": 1}},
        "whole": {"a": "b"}, "metadata": {"labels": {"a": "b"}}});
    let fields = json!({"f:all": {}, "f:any": {"f:l": {}, "f:m": {".": {}, "f:n": {}}}, "f:items": {"k:{\"k\":\"a\"}": {".": {}, "f:k": {}, "f:v": {}}},
        "f:metadata": {"f:labels": {"f:a": {}}}, "f:set": {"v:\"x\"": {}}, "f:whole": {}});
    assert_eq!(paths(view, &object), set(fields));
    assert_eq!(
        validate(view, &json!({"set": [{}]})).map_err(|e| e.to_string()),
        Err(".set: element 0: associative list without keys has an element that's a map type".to_owned())
    );
}

#[test]
fn a_set_follows_a_type_that_changed() {
    let tree = custom();
    let view = TypeView::Tree(&tree);
    let live = json!({"items": [{"k": "a", "v": "1"}], "all": ["x"]});
    let was = set(json!({"f:items": {}, "f:all": {"v:\"x\"": {}}}));
    let is = set(json!({"f:items": {".": {}, "k:{\"k\":\"a\"}": {".": {}, "f:k": {}, "f:v": {}}}, "f:all": {}}));
    assert_eq!(reconcile::reconcile(view, &was, &live), Some(is.clone()));
    assert_eq!(reconcile::reconcile(view, &is, &live), None);
}

fn configs() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec!["a", "b", "c"]);
    let data = prop::collection::btree_map(key, prop::sample::select(vec!["1", "2"]), 0..3);
    let ports = prop::collection::btree_map(prop::sample::select(vec![80, 443]), any::<bool>(), 0..3);
    (data, ports).prop_map(|(labels, ports)| {
        let ports: Vec<Value> = ports
            .into_iter()
            .map(|(port, udp)| json!({"port": port, "protocol": if udp { "UDP" } else { "TCP" }, "name": format!("p{port}")}))
            .collect();
        json!({"metadata": {"labels": labels}, "spec": {"ports": ports, "selector": {"a": "b"}}})
    })
}

proptest! {
    #[test]
    fn applying_twice_changes_nothing(first in configs(), second in configs()) {
        let versions = One::of("Service", "");
        let one = apply(&versions, &json!({}), &first, Managers::new(), &1, true).expect("forced");
        let live = one.object.unwrap_or(json!({}));
        let two = apply(&versions, &live, &second, one.managers, &2, true).expect("forced");
        let live = two.object.unwrap_or(live);
        let again = apply(&versions, &live, &second, two.managers.clone(), &2, false).expect("it is its own");
        prop_assert_eq!(again.object, None);
        prop_assert_eq!(again.managers, two.managers);
    }

    #[test]
    fn the_order_of_disjoint_managers_does_not_matter(a in configs(), b in configs()) {
        let versions = One::of("Service", "");
        let a = json!({"metadata": {"labels": a["metadata"]["labels"]}});
        let b = json!({"spec": b["spec"]});
        let run = |configs: [(i32, &Value); 2]| {
            let (mut live, mut managers) = (json!({"metadata": {}, "spec": {}}), Managers::new());
            for (id, config) in configs {
                let applied = apply(&versions, &live, config, managers, &id, false).expect("nobody else's fields");
                (live, managers) = (applied.object.unwrap_or(live), applied.managers);
            }
            (live, managers)
        };
        prop_assert_eq!(run([(1, &a), (2, &b)]), run([(2, &b), (1, &a)]));
    }

    #[test]
    fn every_set_is_read_as_it_was_written(seed in any::<u64>()) {
        for kind in ["Pod", "Service", "Node"] {
            let object = crate::sample::object(ty("", kind), seed);
            let view = TypeView::Struct(ty("", kind));
            let owned = paths(view, &object);
            prop_assert_eq!(FieldSet::decode(&owned.encode()), Ok(owned.clone()));
            let added = compare(view, &json!({}), &object).added;
            prop_assert_eq!(FieldSet::decode(&added.encode()), Ok(added.clone()));
            let missing = owned.difference(&added);
            prop_assert!(missing.is_empty(), "{:?}", missing.shown());
        }
    }
}

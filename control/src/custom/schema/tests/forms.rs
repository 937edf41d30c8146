use super::*;

#[test]
fn unknown_fields_go_and_are_named() {
    let schema = parsed(&with_spec(json!({"type": "object", "properties": {
        "a": {"type": "string"},
        "list": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}}}},
        "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"k": {"type": "string"}}}},
        "any": {"type": "object", "additionalProperties": true},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
            "strict": {"type": "object", "properties": {"k": {"type": "string"}}},
        }},
    }})));
    let mut object = json!({
        "apiVersion": "g/v1", "kind": "K", "metadata": {"name": "n", "zzz": 1}, "x": 1,
        "spec": {
            "a": "a", "b": "b",
            "list": [{"k": "k"}, {"k": "k", "l": 1}],
            "map": {"one": {"k": "k", "l": 1}},
            "any": {"o": {"p": 1}, "q": 2},
            "free": {"u": {"v": 1}, "strict": {"k": "k", "l": 1}},
        },
    });
    let unknown = schema.prune(&mut object);
    assert_eq!(unknown, ["spec.any.o.p", "spec.b", "spec.free.strict.l", "spec.list[1].l", "spec.map.one.l", "x"]);
    let pruned = json!({
        "apiVersion": "g/v1", "kind": "K", "metadata": {"name": "n", "zzz": 1},
        "spec": {
            "a": "a",
            "list": [{"k": "k"}, {"k": "k"}],
            "map": {"one": {"k": "k"}},
            "any": {"o": {}, "q": 2},
            "free": {"u": {"v": 1}, "strict": {"k": "k"}},
        },
    });
    assert_eq!(object, pruned);
}

#[test]
fn metadata_of_objects_within_is_put_into_form() {
    let schema = parsed(&with_spec(json!({"type": "object", "properties": {"template": {
        "type": "object", "x-kubernetes-embedded-resource": true,
        "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
    }}})));
    let object = |metadata: Value| json!({"spec": {"template": {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"any": 1}}}});
    let mut good = object(json!({"name": "a", "labels": {"a": "b"}, "zzz": 1, "creationTimestamp": null}));
    assert_eq!(schema.admit(&mut good).expect("metadata in form"), ["spec.template.metadata.zzz"]);
    assert_eq!(good, object(json!({"name": "a", "labels": {"a": "b"}})));
    let errors = schema.admit(&mut object(json!({"labels": "x"}))).expect_err("no labels");
    assert_eq!(
        lines(&errors),
        [concat!(
            "spec.template.metadata: Invalid value: map[string]interface {}{\"labels\":\"x\"}: json: cannot unmarshal ",
            "string into Go struct field ObjectMeta.labels of type map[string]string"
        )]
    );
}

#[test]
fn defaults_fill_what_is_missing_or_null() {
    let schema = parsed(&with_spec(json!({"type": "object", "properties": {
        "a": {"type": "string", "default": "A"},
        "nullable": {"type": "string", "default": "N", "nullable": true},
        "nulls": {"type": "string"},
        "object": {"type": "object", "default": {}, "properties": {"deep": {"type": "integer", "default": 1}}},
        "absent": {"type": "object", "properties": {"deep": {"type": "integer", "default": 1}}},
        "list": {"type": "array", "items": {"type": "object", "properties": {"d": {"type": "boolean", "default": false}}}},
        "map": {"type": "object", "additionalProperties": {"type": "integer", "default": 7}},
    }})));
    let mut object =
        json!({"spec": {"a": null, "nullable": null, "nulls": null, "list": [{}, {"d": true}], "map": {"k": null}}});
    schema.drop_nulls(&mut object);
    schema.default(&mut object);
    let filled = json!({"spec": {
        "a": "A", "nullable": null, "object": {"deep": 1}, "list": [{"d": false}, {"d": true}], "map": {"k": 7},
    }});
    assert_eq!(object, filled);
    let mut none = json!({"metadata": {}});
    schema.default(&mut none);
    assert_eq!(none, json!({"metadata": {}}), "a default within nothing is none");
}

#[test]
fn equal_parts_are_one() {
    let plain = || json!({"type": "object", "properties": {"k": {"type": "string", "description": "words"}}});
    let schema = parsed(&with_spec(json!({"type": "object", "properties": {"a": plain(), "b": plain()}})));
    let spec = schema.property("spec").expect("a property");
    let (a, b) = (spec.property("a").expect("a"), spec.property("b").expect("b"));
    assert!(Arc::ptr_eq(a, b));
}

#[test]
fn order_is_that_of_keys() {
    let mut object = json!({"b": {"d": 1, "c": [{"f": 1, "e": 2}]}, "a": 1});
    Structural::order(&mut object);
    assert_eq!(object.to_string(), r#"{"a":1,"b":{"c":[{"e":2,"f":1}],"d":1}}"#);
}

#[test]
fn apply_sees_who_owns_what_together() {
    let schema = parsed(&with_spec(json!({"type": "object", "properties": {
        "a": {"type": "string"},
        "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "p"], "items": {
            "type": "object", "required": ["k"],
            "properties": {"k": {"type": "string"}, "p": {"type": "string", "default": "TCP"}, "v": {"type": "integer"}},
        }},
        "plain": {"type": "array", "items": {"type": "integer"}},
        "atomic": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"x": {"type": "integer"}}},
        "either": {"x-kubernetes-int-or-string": true},
    }})));
    let object = json!({"metadata": {"labels": {"l": "1"}}, "spec": {
        "a": "a", "set": ["x"], "map": [{"k": "a", "v": 1}], "plain": [1], "atomic": {"x": 1}, "either": 3,
    }});
    let tree = schema.tree();
    let set = ::schema::apply::paths(::schema::apply::TypeView::Tree(&tree), &object);
    let owned = json!({
        "f:metadata": {"f:labels": {"f:l": {}}},
        "f:spec": {
            "f:a": {}, "f:atomic": {}, "f:either": {},
            "f:map": {"k:{\"k\":\"a\",\"p\":\"TCP\"}": {".": {}, "f:k": {}, "f:v": {}}},
            "f:plain": {}, "f:set": {"v:\"x\"": {}},
        },
    });
    assert_eq!(set.encode(), owned);
}

use super::*;

fn refused(spec: Value, value: Value) -> Vec<String> {
    let schema = parsed(&with_spec(json!({"type": "object", "properties": {"x": spec}})));
    let mut errors = Errors::default();
    schema.validate(&json!({"spec": {"x": value}}), &mut errors);
    lines(&errors)
}

#[test]
fn each_rule_has_its_words() {
    for (spec, value, words) in [
        (
            json!({"type": "integer"}),
            json!("3"),
            "spec.x: Invalid value: \"string\": spec.x in body must be of type integer: \"string\"",
        ),
        (
            json!({"type": "integer"}),
            json!(1.5),
            "spec.x: Invalid value: \"number\": spec.x in body must be of type integer: \"number\"",
        ),
        (
            json!({"type": "integer", "format": "int64"}),
            json!(1.5),
            "spec.x: Invalid value: \"float64\": spec.x in body must be of type int64: \"float64\"",
        ),
        (
            json!({"type": "string"}),
            json!(5),
            "spec.x: Invalid value: \"integer\": spec.x in body must be of type string: \"integer\"",
        ),
        (
            json!({"type": "string", "format": "date"}),
            json!(5),
            "spec.x: Invalid value: \"int64\": spec.x in body must be of type date: \"int64\"",
        ),
        (
            json!({"type": "string"}),
            json!(null),
            "spec.x: Invalid value: \"null\": spec.x in body must be of type string: \"null\"",
        ),
        (
            json!({"x-kubernetes-int-or-string": true}),
            json!(true),
            "spec.x: Invalid value: \"boolean\": spec.x in body must be of type integer,string: \"boolean\"",
        ),
        (
            json!({"type": "string", "enum": ["a", "b"]}),
            json!("c"),
            "spec.x: Unsupported value: \"c\": supported values: \"a\", \"b\"",
        ),
        (
            json!({"type": "integer", "enum": [1, 2]}),
            json!(3),
            "spec.x: Unsupported value: 3: supported values: \"1\", \"2\"",
        ),
        (
            json!({"type": "string", "pattern": "^\\d+$"}),
            json!("a"),
            "spec.x: Invalid value: \"a\": spec.x in body should match '^\\d+$'",
        ),
        (json!({"type": "string", "maxLength": 2}), json!("abc"), "spec.x: Too long: may not be more than 2 bytes"),
        (
            json!({"type": "string", "minLength": 2}),
            json!("é"),
            "spec.x: Invalid value: \"é\": spec.x in body should be at least 2 chars long",
        ),
        (
            json!({"type": "integer", "maximum": 10}),
            json!(11),
            "spec.x: Invalid value: 11: spec.x in body should be less than or equal to 10",
        ),
        (
            json!({"type": "integer", "maximum": 10, "exclusiveMaximum": true}),
            json!(10),
            "spec.x: Invalid value: 10: spec.x in body should be less than 10",
        ),
        (
            json!({"type": "number", "minimum": 0.5}),
            json!(0.25),
            "spec.x: Invalid value: 0.25: spec.x in body should be greater than or equal to 0.5",
        ),
        (
            json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true}),
            json!(0),
            "spec.x: Invalid value: 0: spec.x in body should be greater than 0",
        ),
        (
            json!({"type": "integer", "multipleOf": 3}),
            json!(10),
            "spec.x: Invalid value: 10: spec.x in body should be a multiple of 3",
        ),
        (
            json!({"type": "number", "multipleOf": 0.1}),
            json!(0.25),
            "spec.x: Invalid value: 0.25: spec.x in body should be a multiple of 0.1",
        ),
        (
            json!({"type": "array", "items": {"type": "string"}, "maxItems": 1}),
            json!(["a", "b"]),
            "spec.x: Too many: 2: must have at most 1 items",
        ),
        (
            json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
            json!([]),
            "spec.x: Invalid value: 0: spec.x in body should have at least 1 items",
        ),
        (
            json!({"type": "array", "items": {"type": "object", "properties": {"y": {"type": "string"}}}}),
            json!([{"y": "a"}, {"y": 1}]),
            "spec.x[1].y: Invalid value: \"integer\": spec.x[1].y in body must be of type string: \"integer\"",
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 1}),
            json!({"a": 1, "b": 2}),
            "spec.x: Too many: 2: must have at most 1 items",
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2}),
            json!({"a": 1}),
            "spec.x: Invalid value: 1: spec.x in body should have at least 2 properties",
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
            json!({"a": "b"}),
            "spec.x.a: Invalid value: \"string\": spec.x.a in body must be of type integer: \"string\"",
        ),
        (json!({"type": "object", "required": ["y"]}), json!({}), "spec.x.y: Required value"),
        (
            json!({"type": "string", "format": "date-time"}),
            json!("now"),
            "spec.x: Invalid value: \"now\": spec.x in body must be of type date-time: \"now\"",
        ),
        (
            json!({"type": "string", "not": {"enum": ["a"]}}),
            json!("a"),
            "<nil>: Invalid value: \"\": \"spec.x\" must not validate the schema (not)",
        ),
    ] {
        assert_eq!(refused(spec, value), [words]);
    }
}

#[test]
fn what_fits_is_not_refused() {
    for (spec, value) in [
        (json!({"type": "integer"}), json!(2.0)),
        (json!({"type": "number"}), json!(2)),
        (json!({"type": "string", "nullable": true}), json!(null)),
        (json!({"x-kubernetes-int-or-string": true}), json!("80%")),
        (json!({"x-kubernetes-preserve-unknown-fields": true}), json!([1, {"a": "b"}])),
        (json!({"type": "string", "format": "nonsense"}), json!("a")),
        (json!({"type": "string", "anyOf": [{"enum": ["a"]}, {"pattern": "^b"}]}), json!("bb")),
        (json!({"type": "integer", "maximum": 9_007_199_254_740_993_i64}), json!(3)),
    ] {
        assert_eq!(refused(spec, value), [""; 0]);
    }
}

#[test]
fn junctors_tell_the_nearest_alternative() {
    let both = json!([{"required": ["a"]}, {"required": ["b"]}]);
    assert_eq!(
        refused(json!({"type": "object", "anyOf": both}), json!({})),
        [
            "<nil>: Invalid value: \"\": \"spec.x\" must validate at least one schema (anyOf)",
            "spec.x.a: Required value"
        ]
    );
    assert_eq!(
        refused(json!({"type": "object", "oneOf": both}), json!({"a": 1, "b": 2})),
        [concat!(
            "<nil>: Invalid value: \"\": \"spec.x\" must validate one and only one schema (oneOf). ",
            "Found 2 valid alternatives"
        )]
    );
    assert_eq!(
        refused(json!({"type": "object", "oneOf": both}), json!({})),
        [
            "<nil>: Invalid value: \"\": \"spec.x\" must validate one and only one schema (oneOf). Found none valid",
            "spec.x.a: Required value"
        ]
    );
    assert_eq!(
        refused(json!({"type": "object", "allOf": both}), json!({"a": 1})),
        ["spec.x.b: Required value", "<nil>: Invalid value: \"\": \"spec.x\" must validate all the schemas (allOf)"]
    );
}

#[test]
fn lists_without_duplicates_have_none() {
    let set = json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"});
    assert_eq!(refused(set, json!(["a", "b", "a", "a"])), ["spec.x[2]: Duplicate value: \"a\""]);
    let item = json!({"type": "object", "properties": {"k": {"type": "string"}, "p": {"type": "integer"}}});
    let one =
        json!({"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]});
    assert_eq!(
        refused(one, json!([{"k": "a", "p": 1}, {"k": "a", "p": 2}])),
        ["spec.x[1]: Duplicate value: map[string]interface {}{\"k\":\"a\"}"]
    );
    let two = json!({
        "type": "array", "items": item,
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "p"],
    });
    assert_eq!(refused(two.clone(), json!([{"k": "a", "p": 1}, {"k": "a", "p": 2}])), [""; 0]);
    assert_eq!(
        refused(two, json!([{"p": 1}, {"p": 1}])),
        ["spec.x[1]: Duplicate value: map[string]interface {}{\"p\":1}"]
    );
}

#[test]
fn objects_within_have_the_metadata_of_objects() {
    let embedded = json!({
        "type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true,
    });
    assert_eq!(
        refused(embedded.clone(), json!({"metadata": {"name": "a"}})),
        ["spec.x.apiVersion: Required value", "spec.x.kind: Required value"]
    );
    assert_eq!(
        refused(embedded, json!({"apiVersion": "a/b/c", "kind": "_", "metadata": {"labels": {"-": "v"}}})),
        [
            "spec.x.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c",
            concat!(
                "spec.x.kind: Invalid value: \"_\": may have mixed case, but should otherwise match: a DNS-1035 label ",
                "must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end ",
                "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is ",
                "'[a-z]([-a-z0-9]*[a-z0-9])?')"
            ),
            concat!(
                "spec.x.metadata.labels: Invalid value: \"-\": name part must consist of alphanumeric characters, '-', ",
                "'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or ",
                "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
            ),
        ]
    );
}

#[test]
fn what_was_wrong_may_stay_but_not_change() {
    let item =
        json!({"type": "object", "properties": {"k": {"type": "string"}, "n": {"type": "integer", "maximum": 5}}});
    let schema = parsed(&with_spec(json!({"type": "object", "properties": {
        "n": {"type": "integer", "maximum": 5},
        "other": {"type": "string"},
        "map": {"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]},
        "plain": {"type": "array", "items": {"type": "integer", "maximum": 5}},
    }})));
    let old = json!({"spec": {"n": 9, "map": [{"k": "a", "n": 9}, {"k": "b"}], "plain": [9]}});
    let update = |new: Value| {
        let mut errors = Errors::default();
        schema.validate_update(&json!({"spec": new}), &old, &mut errors);
        lines(&errors)
    };
    let too_large =
        |at: &str, n: i64| format!("{at}: Invalid value: {n}: {at} in body should be less than or equal to 5");
    assert_eq!(update(json!({"n": 9, "other": "new", "plain": [9]})), [""; 0]);
    assert_eq!(update(json!({"n": 8})), [too_large("spec.n", 8)]);
    assert_eq!(update(json!({"map": [{"k": "c"}, {"k": "a", "n": 9}]})), [""; 0]);
    assert_eq!(update(json!({"map": [{"k": "b", "n": 9}]})), [too_large("spec.map[0].n", 9)]);
    assert_eq!(update(json!({"plain": [9, 1]})), [too_large("spec.plain[0]", 9)]);
}

#[test]
fn failures_are_told_in_bounded_number() {
    let list = json!({"type": "array", "items": {"type": "integer"}});
    let many: Vec<Value> = (0..5 * MANY).map(|n| json!(format!("{n}"))).collect();
    assert_eq!(refused(list, json!(many)).len(), MANY);
}

//! What holds for every schema.

use proptest::prelude::*;

use super::*;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"type": "string"})),
        Just(json!({"type": "string", "default": "d"})),
        Just(json!({"type": "string", "nullable": true, "default": "d", "maxLength": 3})),
        Just(json!({"type": "integer", "default": 3, "maximum": 5})),
        Just(json!({"type": "boolean"})),
        Just(json!({"x-kubernetes-int-or-string": true})),
        Just(json!({"x-kubernetes-preserve-unknown-fields": true})),
    ]
}

fn schemas() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        let properties = proptest::collection::btree_map("[a-d]", inner.clone(), 0..4);
        prop_oneof![
            (properties, any::<bool>(), any::<bool>()).prop_map(|(properties, open, filled)| {
                let mut schema = json!({"type": "object", "properties": properties});
                if open {
                    schema["x-kubernetes-preserve-unknown-fields"] = true.into();
                }
                if filled {
                    schema["default"] = json!({});
                }
                schema
            }),
            inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            inner.prop_map(|values| json!({"type": "object", "additionalProperties": values})),
        ]
    })
}

fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..8).prop_map(Value::from),
        "[a-e]{0,4}".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[a-e]", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// Anything that looks a little like a schema.
fn nonsense() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("type"),
        Just("properties"),
        Just("items"),
        Just("additionalProperties"),
        Just("anyOf"),
        Just("allOf"),
        Just("not"),
        Just("default"),
        Just("enum"),
        Just("required"),
        Just("metadata"),
        Just("pattern"),
        Just("format"),
        Just("x-kubernetes-embedded-resource"),
        Just("x-kubernetes-validations"),
        Just("rule"),
        Just("fieldPath"),
        Just("x-kubernetes-list-type"),
        Just("x-kubernetes-list-map-keys"),
        Just("minimum"),
        Just("kind"),
    ];
    let scalar = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-3i64..8).prop_map(Value::from),
        prop_oneof![Just("object"), Just("array"), Just("string"), Just("map"), Just("self.a == 1"), Just("[[:")]
            .prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(word.clone(), inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

fn is_valid(schema: &Structural, value: &Value) -> bool {
    let mut errors = Errors::default();
    schema.validate(value, &mut errors);
    errors.is_empty()
}

proptest! {
    #[test]
    fn pruning_twice_changes_nothing(spec in schemas(), value in values()) {
        let schema = parsed(&with_spec(spec));
        let mut once = json!({"spec": value});
        schema.prune(&mut once);
        let mut twice = once.clone();
        prop_assert_eq!(schema.prune(&mut twice), Vec::<String>::new());
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn defaulting_twice_changes_nothing(spec in schemas(), value in values()) {
        let schema = parsed(&with_spec(spec));
        let mut once = json!({"spec": value});
        schema.default(&mut once);
        let mut twice = once.clone();
        schema.default(&mut twice);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn what_was_valid_stays_so(spec in schemas(), value in values()) {
        let schema = parsed(&with_spec(spec));
        let mut object = json!({"spec": value});
        if is_valid(&schema, &object) {
            schema.admit(&mut object).expect("no metadata to refuse");
            schema.default(&mut object);
            prop_assert!(is_valid(&schema, &object), "{object}");
        }
    }

    #[test]
    fn an_update_of_nothing_is_always_allowed(spec in schemas(), value in values()) {
        let schema = parsed(&with_spec(spec));
        let object = json!({"spec": value});
        let mut errors = Errors::default();
        schema.validate_update(&object, &object, &mut errors);
        prop_assert!(errors.is_empty(), "{errors}");
    }

    #[test]
    fn no_schema_brings_the_check_down(schema in nonsense(), value in values()) {
        said_of(&schema);
        if let Ok(parsed) = Structural::parse(&schema) {
            let mut object = json!({"spec": value});
            let _ = parsed.admit(&mut object);
            parsed.default(&mut object);
            is_valid(&parsed, &object);
            parsed.tree();
        }
    }

    #[test]
    fn no_text_brings_a_pattern_or_a_path_down(text in "[\\[\\](){}:?*+^$.,a-c@'\"\\\\é0-9=<>-]{0,24}") {
        let _ = JsonPath::parse(&text).map(|path| path.all(&json!({"a": [{"b": "c"}, 1]})).len());
        pattern::Pattern::new(&text).matches(&text);
    }

    #[test]
    fn a_generated_schema_passes_its_check(spec in schemas()) {
        prop_assert_eq!(said_of(&with_spec(spec)), Vec::<String>::new());
    }
}

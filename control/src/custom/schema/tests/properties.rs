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

fn is_valid(schema: &Arc<Structural>, value: &Value) -> bool {
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
    fn a_generated_schema_passes_its_check(spec in schemas()) {
        prop_assert_eq!(said_of(&with_spec(spec)), Vec::<String>::new());
    }
}

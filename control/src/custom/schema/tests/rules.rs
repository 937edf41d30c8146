use super::*;

fn ruled(rules: Value, properties: Value) -> Arc<Structural> {
    parsed(&with_spec(json!({"type": "object", "properties": properties, "x-kubernetes-validations": rules})))
}

fn created(schema: &Arc<Structural>, spec: Value) -> Vec<String> {
    let mut errors = Errors::default();
    schema.validate(&json!({"spec": spec}), &mut errors);
    lines(&errors)
}

fn updated(schema: &Arc<Structural>, old: Value, new: Value) -> (Vec<String>, Vec<String>) {
    let mut errors = Errors::default();
    let warnings = schema.validate_update(&json!({"spec": new}), &json!({"spec": old}), &mut errors);
    (lines(&errors), warnings)
}

#[test]
fn a_rule_that_does_not_hold_says_so() {
    let properties = || json!({"min": {"type": "integer"}, "max": {"type": "integer"}});
    for (rule, words) in [
        (json!({"rule": "self.min <= self.max"}), "spec: Invalid value: \"object\": failed rule: self.min <= self.max"),
        (
            json!({"rule": "self.min <= self.max", "message": "min is too large"}),
            "spec: Invalid value: \"object\": min is too large",
        ),
        (
            json!({"rule": "self.min <= self.max", "messageExpression": "'min is ' + string(self.min)", "message": "m"}),
            "spec: Invalid value: \"object\": min is 3",
        ),
        (
            json!({"rule": "self.min <= self.max", "message": "m", "reason": "FieldValueForbidden", "fieldPath": ".min"}),
            "spec.min: Forbidden: m",
        ),
        (
            json!({"rule": "self.min <= self.max", "message": "m", "reason": "FieldValueRequired"}),
            "spec: Required value: m",
        ),
        (json!({"rule": "self.min <= self.max", "reason": "FieldValueDuplicate"}), "spec: Duplicate value: \"object\""),
    ] {
        assert_eq!(created(&ruled(json!([rule]), properties()), json!({"min": 3, "max": 1})), [words]);
    }
    let fine = ruled(json!([{"rule": "self.min <= self.max"}]), properties());
    assert_eq!(created(&fine, json!({"min": 1, "max": 3})), [""; 0]);
    assert_eq!(
        created(&fine, json!({"min": 1})),
        ["spec: Invalid value: \"object\": no such key: max evaluating rule: self.min <= self.max"]
    );
}

#[test]
fn rules_wait_until_all_else_is_well() {
    let schema = ruled(json!([{"rule": "self.n > 5"}]), json!({"n": {"type": "integer"}}));
    assert_eq!(
        created(&schema, json!({"n": "x"})),
        [
            "spec.n: Invalid value: \"string\": spec.n in body must be of type integer: \"string\"",
            concat!(
                "<nil>: Invalid value: \"null\": some validation rules were not checked because the object was invalid; ",
                "correct the existing errors to complete validation"
            ),
        ]
    );
}

#[test]
fn rules_of_the_root_know_its_name() {
    let schema =
        parsed(&json!({"type": "object", "x-kubernetes-validations": [{"rule": "self.metadata.name == 'a'"}]}));
    let mut errors = Errors::default();
    schema.validate(&json!({"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "b"}}), &mut errors);
    assert_eq!(lines(&errors), ["<nil>: Invalid value: \"object\": failed rule: self.metadata.name == 'a'"]);
}

#[test]
fn transition_rules_run_where_there_is_something_old() {
    let n = json!({"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf"}]});
    let item = json!({"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "n": n}});
    let schema = ruled(
        json!([]),
        json!({"n": n, "list": {
            "type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
        }}),
    );
    assert_eq!(created(&schema, json!({"n": 1})), [""; 0]);
    let failed = |at: &str| vec![format!("{at}: Invalid value: \"integer\": failed rule: self >= oldSelf")];
    assert_eq!(updated(&schema, json!({"n": 2}), json!({"n": 1})).0, failed("spec.n"));
    assert_eq!(updated(&schema, json!({}), json!({"n": 1})).0, [""; 0]);
    let list = |items: Value| json!({"list": items});
    let old = list(json!([{"k": "a", "n": 1}, {"k": "b", "n": 5}]));
    assert_eq!(updated(&schema, old.clone(), list(json!([{"k": "b", "n": 5}, {"k": "c", "n": 0}]))).0, [""; 0]);
    assert_eq!(updated(&schema, old, list(json!([{"k": "b", "n": 4}]))).0, failed("spec.list[0].n"));
}

#[test]
fn an_old_value_can_be_optional() {
    let rule = json!({"rule": "oldSelf.hasValue() || self.n == 0", "optionalOldSelf": true});
    let schema = ruled(json!([rule]), json!({"n": {"type": "integer"}}));
    let failed = "spec: Invalid value: \"object\": failed rule: oldSelf.hasValue() || self.n == 0";
    assert_eq!(created(&schema, json!({"n": 1})), [failed]);
    assert_eq!(created(&schema, json!({"n": 0})), [""; 0]);
    assert_eq!(updated(&schema, json!({"n": 0}), json!({"n": 1})).0, [""; 0]);
}

#[test]
fn a_rule_that_did_not_hold_before_only_warns() {
    let a = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "x-kubernetes-validations": [{"rule": "self.n > 5"}]});
    let schema = ruled(json!([]), json!({"a": a, "b": {"type": "string"}}));
    let failed = "spec.a: Invalid value: \"object\": failed rule: self.n > 5";
    let (errors, warnings) = updated(&schema, json!({"a": {"n": 1}}), json!({"a": {"n": 1}, "b": "x"}));
    assert_eq!((errors, warnings), (vec![], vec![failed.to_owned()]));
    let (errors, warnings) = updated(&schema, json!({"a": {"n": 1}}), json!({"a": {"n": 2}}));
    assert_eq!((errors, warnings), (vec![failed.to_owned()], vec![]));
}

#[test]
fn rules_run_for_a_bounded_time() {
    let list = json!({"type": "array", "items": {"type": "integer"}});
    let rule = "self.list.all(a, self.list.all(b, self.list.all(c, a + b + c >= 0)))";
    let schema = ruled(json!([{"rule": rule}, {"rule": "false"}]), json!({"list": list}));
    assert_eq!(
        created(&schema, json!({"list": (0..1000).collect::<Vec<i64>>()})),
        [format!(
            "spec: Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': no further validation \
             rules will be run due to call cost exceeds limit for rule: {rule}"
        )]
    );
    let item = json!({"type": "integer", "x-kubernetes-validations": [{"rule": "[0,1,2,3,4,5,6,7,8,9].all(n, n + self >= 0)"}]});
    let schema = ruled(json!([]), json!({"list": {"type": "array", "items": item}}));
    let errors = created(&schema, json!({"list": vec![1; 1_000_000]}));
    assert_eq!(errors.len(), 1);
    assert!(errors[0].ends_with("running out of cost budget, no further validation rules will be run"), "{errors:?}");
}

#[test]
fn rules_are_checked_with_their_schema() {
    let said = |rule: Value, property: Value| {
        said_of(&with_spec(json!({
            "type": "object", "properties": {"a": property}, "x-kubernetes-validations": [rule],
        })))
    };
    let text = json!({"type": "string"});
    let at = "s.properties[spec].x-kubernetes-validations[0]";
    assert_eq!(said(json!({"rule": "self.a == 'x'"}), text.clone()), [""; 0]);
    let words = said(json!({"rule": "self.b == 'x'"}), text.clone());
    assert!(
        words[0]
            .starts_with(&format!("{at}.rule: Invalid value: apiextensions.ValidationRule{{Rule:\"self.b == 'x'\""))
            && words[0].contains("compilation failed: ERROR: <input>:1:5: undefined field 'b'"),
        "{words:?}"
    );
    let words = said(json!({"rule": "self.a"}), text.clone());
    assert!(words[0].ends_with("cel expression must evaluate to a bool"), "{words:?}");
    let words = said(json!({"rule": "true", "messageExpression": "1"}), text.clone());
    assert!(words[0].ends_with("messageExpression must evaluate to a string"), "{words:?}");
    assert_eq!(
        said(json!({"rule": "true", "fieldPath": ".b"}), text.clone()),
        [format!("{at}.fieldPath: Invalid value: \".b\": fieldPath must be a valid path")]
    );
    assert_eq!(
        said(json!({"rule": "true", "optionalOldSelf": true}), text),
        [format!("{at}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule")]
    );
    let item = json!({"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]});
    assert_eq!(
        said_of(&with_spec(json!({"type": "array", "items": item}))),
        [concat!(
            "s.properties[spec].items.x-kubernetes-validations[0].rule: Invalid value: \"self == oldSelf\": oldSelf ",
            "cannot be used on the uncorrelatable portion of the schema within s.properties[spec]"
        )]
    );
}

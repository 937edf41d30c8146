use super::*;

#[test]
fn a_plain_schema_is_fine() {
    let schema = json!({"type": "object", "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
        "spec": {"type": "object", "properties": {
            "size": {"type": "integer", "format": "int32", "minimum": 1, "default": 1},
            "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "template": {"type": "object", "x-kubernetes-embedded-resource": true,
                         "x-kubernetes-preserve-unknown-fields": true},
            "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                     "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}, "default": {"a": "b"}},
        }, "anyOf": [{"required": ["size"]}, {"properties": {"size": {"minimum": 3}}}]},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }});
    assert_eq!(said_of(&schema), [""; 0]);
}

#[test]
fn each_rule_of_structure_has_its_words() {
    for (schema, words) in [
        (json!({}), vec!["s.type: Required value: must not be empty at the root"]),
        (
            json!({"type": "array", "items": {"type": "string"}}),
            vec!["s.type: Invalid value: \"array\": must be object at the root"],
        ),
        (
            with_spec(json!({})),
            vec!["s.properties[spec].type: Required value: must not be empty for specified object fields"],
        ),
        (with_spec(json!({"type": "array"})), vec!["s.properties[spec].items: Required value: must be specified"]),
        (
            with_spec(json!({"type": "array", "items": {}})),
            vec!["s.properties[spec].items.type: Required value: must not be empty for specified array items"],
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            vec!["s.additionalProperties: Forbidden: must not be used at the root"],
        ),
        (
            with_spec(json!({"type": "string", "anyOf": [{"type": "string", "default": "a", "description": "d"}]})),
            vec![
                "s.properties[spec].anyOf[0].default: Forbidden: must be undefined to be structural",
                "s.properties[spec].anyOf[0].description: Forbidden: must be empty to be structural",
                "s.properties[spec].anyOf[0].type: Forbidden: must be empty to be structural",
            ],
        ),
        (
            json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}),
            vec![concat!(
                "s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but ",
                "metadata is implicitly specified"
            )],
        ),
        (
            json!({"type": "object", "properties": {"kind": {"type": "integer"}}}),
            vec!["s.properties[kind].type: Invalid value: \"integer\": must be string"],
        ),
        (
            json!({"type": "object", "anyOf": [{"properties": {"a": {"minimum": 1}}}]}),
            vec!["s.properties[a]: Required value: because it is defined in s.anyOf[0].properties[a]"],
        ),
        (
            with_spec(json!({"type": "string", "pattern": "["})),
            vec![concat!(
                "s.properties[spec].pattern: Invalid value: \"[\": must be a valid regular expression, but isn't: ",
                "error parsing regexp: missing closing ]: `[`"
            )],
        ),
        (
            with_spec(json!({"type": "object", "x-kubernetes-embedded-resource": true})),
            vec![concat!(
                "s.properties[spec].properties: Required value: must not be empty if x-kubernetes-embedded-resource is ",
                "true without x-kubernetes-preserve-unknown-fields"
            )],
        ),
        (
            with_spec(json!({"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true})),
            vec![concat!(
                "s.properties[spec].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if ",
                "x-kubernetes-int-or-string is true"
            )],
        ),
    ] {
        assert_eq!(said_of(&schema), words, "{schema}");
    }
}

#[test]
fn each_keyword_has_its_words() {
    let spec = |at: &str| format!("s.properties[spec]{at}");
    for (of, words) in [
        (json!({"type": "string", "$ref": "#/x"}), vec![spec(".$ref: Forbidden: $ref is not supported")]),
        (
            json!({"type": "foo"}),
            vec![spec(concat!(
                ".type: Unsupported value: \"foo\": supported values: \"array\", \"boolean\", \"integer\", \"number\", ",
                "\"object\", \"string\""
            ))],
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
            vec![spec(".additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive")],
        ),
        (
            json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true}),
            vec![spec(
                ".uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
            )],
        ),
        (
            json!({"type": "array", "items": [{"type": "string"}]}),
            vec![spec(".items: Forbidden: items must be a schema object and not an array")],
        ),
        (
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false}),
            vec![spec(".x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined")],
        ),
        (
            json!({"type": "string", "x-kubernetes-list-type": "set"}),
            vec![spec(".type: Invalid value: \"string\": must be array if x-kubernetes-list-type is specified")],
        ),
        (
            json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"}),
            vec![spec(concat!(
                ".items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with ",
                "x-kubernetes-list-type=set"
            ))],
        ),
        (
            json!({"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}}},
                   "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "l"]}),
            vec![
                spec(concat!(
                    ".x-kubernetes-list-map-keys: Invalid value: []string{\"k\", \"l\"}: entries must all be names of ",
                    "item properties"
                )),
                spec(concat!(
                    ".items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it ",
                    "must have a default or be a required property"
                )),
            ],
        ),
        (
            json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "map"}),
            vec![
                spec(".x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map"),
                spec(
                    ".items.type: Invalid value: \"string\": must be object if parent array's x-kubernetes-list-type is map",
                ),
            ],
        ),
        (
            json!({"type": "object", "x-kubernetes-map-type": "foo"}),
            vec![spec(
                ".x-kubernetes-map-type: Unsupported value: \"foo\": supported values: \"atomic\", \"granular\"",
            )],
        ),
        (
            json!({"type": "object", "x-kubernetes-validations": [{"rule": " "}, {"rule": "true", "reason": "X"}]}),
            vec![
                spec(".x-kubernetes-validations[0].rule: Required value: rule is not specified"),
                spec(concat!(
                    ".x-kubernetes-validations[1].reason: Unsupported value: \"X\": supported values: ",
                    "\"FieldValueDuplicate\", \"FieldValueForbidden\", \"FieldValueInvalid\", \"FieldValueRequired\""
                )),
            ],
        ),
    ] {
        assert_eq!(said_of(&with_spec(of.clone())), words, "{of}");
    }
}

#[test]
fn defaults_have_to_be_values() {
    for (of, words) in [
        (
            json!({"type": "integer", "default": "a"}),
            "s.properties[spec].default: Invalid value: \"string\":  in body must be of type integer: \"string\"",
        ),
        (
            json!({"type": "object", "default": {"x": 1}}),
            "s.properties[spec].default: Invalid value: map[string]interface {}{\"x\":1}: must not have unknown fields",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string", "maxLength": 1}}, "default": {"a": "bc"}}),
            "s.properties[spec].default.a: Too long: may not be more than 1 bytes",
        ),
        (
            json!({"type": "integer", "x-kubernetes-validations": [{"rule": "self > 5"}], "default": 3}),
            "s.properties[spec].default: Invalid value: \"integer\": failed rule: self > 5",
        ),
    ] {
        assert_eq!(said_of(&with_spec(of)), [words]);
    }
    let template = json!({"type": "object", "x-kubernetes-embedded-resource": true, "properties": {
        "metadata": {"type": "object", "properties": {"name": {"type": "string", "default": "a/b"}}},
    }});
    assert_eq!(
        said_of(&with_spec(template)),
        [concat!(
            "s.properties[spec].properties[metadata].properties[name].default: Invalid value: \"a/b\": must result in ",
            "valid metadata: metadata.name: Invalid value: \"a/b\": may not contain '/'"
        )]
    );
    let top = json!({"type": "object", "properties": {"kind": {"type": "string", "default": "K"}}});
    assert_eq!(said_of(&top), ["s.properties[kind].default: Forbidden: must not be set in top-level kind"]);
}

#[test]
fn the_root_beside_a_status_says_little() {
    let said = |schema: Value| {
        let mut errors = Errors::default();
        check_beside_status(&schema, &Path::new("s"), &mut errors);
        lines(&errors)
    };
    assert_eq!(said(json!({"type": "object", "required": ["spec"], "properties": {}})), [""; 0]);
    assert!(said(json!({"type": "object", "oneOf": []}))[0].contains("only [Description Type Format Title Maximum"));
}

#[test]
fn a_schema_is_not_too_deep() {
    let deep = (0..DEEPEST + 1)
        .fold(json!({"type": "string"}), |inner, _| json!({"type": "object", "properties": {"a": inner}}));
    assert_eq!(
        said_of(&deep)[0],
        format!("s: Invalid value: \"\": must not be nested more than {DEEPEST} levels deep")
    );
    assert!(Structural::parse(&deep).is_err());
}

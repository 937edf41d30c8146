use serde_json::json;

use super::*;

fn object() -> Value {
    json!({
        "metadata": {"annotations": {"a.b/c": "yes"}, "creationTimestamp": "2024-01-01T00:00:00Z"},
        "spec": {"replicas": 3, "ratio": 1.5, "on": true, "names": ["x", "y", "z"], "none": null, "map": {"k": "v"}},
        "status": {"conditions": [
            {"type": "Synced", "status": "False", "n": 1},
            {"type": "Ready", "status": "True", "n": 2},
        ]},
    })
}

#[test]
fn paths_lead_where_they_say() {
    for (path, found) in [
        (".spec.replicas", json!([3])),
        ("$.spec.replicas", json!([3])),
        (".spec.missing.deeper", json!([])),
        (".metadata.annotations.a\\.b/c", json!(["yes"])),
        (".metadata.annotations['a.b/c']", json!(["yes"])),
        (".spec['replicas','on']", json!([3, true])),
        (".spec.names[0]", json!(["x"])),
        (".spec.names[-1]", json!(["z"])),
        (".spec.names[3]", json!([])),
        (".spec.names[1:]", json!(["y", "z"])),
        (".spec.names[0:3:2]", json!(["x", "z"])),
        (".spec.names[*]", json!(["x", "y", "z"])),
        (".spec.map.*", json!(["v"])),
        ("..status.conditions[*].type", json!(["Synced", "Ready"])),
        (".status..n", json!([1, 2])),
        (r#".status.conditions[?(@.type=="Ready")].status"#, json!(["True"])),
        (".status.conditions[?(@.type == 'Ready')].status", json!(["True"])),
        (".status.conditions[?(@.n>1)].type", json!(["Ready"])),
        (".status.conditions[?(@.n<=1)].type", json!(["Synced"])),
        (".status.conditions[?(@.type!='Ready')].n", json!([1])),
        (".status.conditions[?(@.n)].n", json!([1, 2])),
        (".status.conditions[?(@.x)].n", json!([])),
        (".status.conditions[?(@.type>1)].n", json!([])),
    ] {
        let parsed = JsonPath::parse(path).expect(path);
        assert_eq!(json!(parsed.all(&object())), found, "{path}");
    }
}

#[test]
fn what_is_no_path_is_refused() {
    for (path, words) in [
        (".spec[", "unterminated array"),
        (".spec[a]", "invalid array index a"),
        ("spec", "unrecognized character in action: 's'"),
        (".a[?(==1)]", "unterminated filter"),
        (".a[?(@.b==c)]", "unterminated filter"),
    ] {
        assert_eq!(JsonPath::parse(path).expect_err(path).to_string(), words, "{path}");
    }
    let nested = format!("{}@.a{}", ".a[?(".repeat(20), ")]".repeat(20));
    assert_eq!(JsonPath::parse(&nested), Err(PathError::Size));
}

#[test]
fn cells_are_of_their_column_s_type() {
    let now = "2024-01-03T00:00:00Z".parse().expect("a time");
    for (path, ty, cell) in [
        (".spec.replicas", "integer", json!(3)),
        (".spec.ratio", "integer", json!(1)),
        (".spec.ratio", "number", json!(1.5)),
        (".spec.replicas", "string", json!("3")),
        (".spec.names", "string", json!("[x y z]")),
        (".spec.names[*]", "string", json!("x")),
        (".spec.on", "boolean", json!(true)),
        (".spec.on", "integer", json!(null)),
        (".spec.none", "string", json!(null)),
        (".spec.missing", "string", json!(null)),
        (".metadata.creationTimestamp", "date", json!("2d")),
        (".status.conditions[0].type", "date", json!("<invalid>")),
    ] {
        let parsed = JsonPath::parse(path).expect(path);
        assert_eq!(parsed.cell(ty, &object(), now), cell, "{path} as {ty}");
    }
    let text = |path: &str| JsonPath::parse(path).expect(path).text(&object());
    assert_eq!((text(".spec.on"), text(".spec.missing")), ("true".to_owned(), String::new()));
}

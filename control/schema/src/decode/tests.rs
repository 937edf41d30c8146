use serde_json::json;

use super::*;
use crate::builtin;

#[test]
fn json_reports_duplicates_by_path() {
    let body = br#"{"a":1,"spec":{"x":[{"k":1,"k":2}],"y":1,"y":2,"y":3},"a":2}"#;
    let read = super::json(body).unwrap();
    assert_eq!(read.duplicates, ["spec.x[0].k", "spec.y", "a"]);
    assert_eq!(read.value["spec"]["y"], 3);
}

#[test]
fn json_is_refused_in_gos_words() {
    let refused = |body: &str| match super::json(body.as_bytes()) {
        Err(Error::Json(text)) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("{bad"), "invalid character 'b' looking for beginning of object key string");
    assert_eq!(refused(""), "unexpected end of JSON input");
    assert_eq!(refused("{\"a\":1"), "unexpected end of JSON input");
    assert_eq!(refused("{\"a\" 1}"), "invalid character '1' after object key");
    assert_eq!(refused("[1 2]"), "invalid character '2' after array element");
    assert_eq!(refused("{} x"), "invalid character 'x' after top-level value");
    assert_eq!(refused("nulx"), "invalid character 'x' in literal null (expecting 'l')");
    assert_eq!(refused("\"a\nb\""), r"invalid character '\n' in string literal");
    let error = super::json(b"{bad").unwrap_err().to_string();
    assert!(error.starts_with("couldn't get version/kind; json parse error: invalid character"), "{error}");
}

#[test]
fn depth_is_limited() {
    let deep = "[".repeat(100_000);
    assert!(super::json(deep.as_bytes()).is_err());
    assert!(super::yaml(deep.as_bytes()).is_err());
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert!(super::json(nested.as_bytes()).is_ok());
}

#[test]
fn yaml_has_the_scalars_kubernetes_reads() {
    let text =
        "a: yes\nb: 0644\nc: 'yes'\nd: 1.5\ne: ~\nf: 0x1f\ng: 1e3\nh: 1.2.3\ni: y\nj: !!str 12\nk: 1_000\n1: x\n";
    assert_eq!(
        super::yaml(text.as_bytes()).unwrap().value,
        json!({"a": true, "b": 420, "c": "yes", "d": 1.5, "e": null, "f": 31, "g": 1000, "h": "1.2.3", "i": "y", "j": "12",
            "k": 1000, "1": "x"})
    );
}

#[test]
fn yaml_reports_duplicates_and_merges() {
    let read = super::yaml(b"base: &b {x: 1, y: 2}\nspec:\n  <<: *b\n  y: 3\n  z: 1\n  z: 2\n").unwrap();
    assert_eq!(read.duplicates, ["spec.z"]);
    assert_eq!(read.value["spec"], json!({"y": 3, "z": 2, "x": 1}));
}

#[test]
fn yaml_documents() {
    let read = documents(b"---\na: 1\n---\n# nothing\n---\nb: 2\n").unwrap();
    let values: Vec<_> = read.into_iter().map(|read| read.value).collect();
    assert_eq!(values, [json!({"a": 1}), json!({"b": 2})]);
    assert_eq!(super::yaml(b"").unwrap().value, Value::Null);
    assert!(matches!(super::yaml(b"a: [1"), Err(Error::Yaml(_))));
}

#[test]
fn yaml_does_not_unfold_without_end() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    assert_eq!(super::yaml(bomb.as_bytes()).unwrap_err(), Error::Aliases);
}

#[test]
fn protobuf_is_checked() {
    assert_eq!(super::protobuf(builtin(), b"{}").unwrap_err(), Error::Envelope);
    let unknown = b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Foo";
    assert!(matches!(super::protobuf(builtin(), unknown), Err(Error::Kind { .. })));
    let cut = b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x7f\x0a";
    assert_eq!(super::protobuf(builtin(), cut).unwrap_err(), Error::Protobuf("unexpected EOF"));
}

#[test]
fn protobuf_options() {
    let body = b"k8s\0\x0a\x13\x0a\x02v1\x12\x0dDeleteOptions\x12\x02\x08\x1e";
    let options = super::protobuf(builtin(), body).unwrap();
    assert_eq!(options, json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 30}));
}

proptest::proptest! {
    /// Whatever comes, it is answered.
    #[test]
    fn no_body_is_too_strange(body: Vec<u8>) {
        let _ = super::json(&body);
        let _ = super::yaml(&body);
        let _ = super::protobuf(builtin(), &[b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12", &body[..]].concat());
    }
}

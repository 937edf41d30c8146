//! Bad input: each is refused with words that help, nothing changes, and the server goes on.

use crate::harness::{Session, images};

const PODS: &str = "/api/v1/namespaces/{namespace}/pods";

/// Posts a file as it is, past what kubectl itself would have noticed, and returns the complaint.
fn post(session: &Session, path: &str, namespace: &str, body: &str) -> String {
    session.file("body", body);
    session.refused(&format!("kubectl create -f body --raw '{}'", path.replace("{namespace}", namespace)))
}

fn is_unharmed(session: &Session) {
    assert_eq!(session.run("kubectl get pods,deployments,services -o name"), "");
    assert_eq!(session.run("kubectl get --raw /readyz"), "ok");
}

#[test]
fn malformed_documents() {
    let session = Session::new("bad-documents");
    let yaml = session.feed("kubectl apply -f -", "apiVersion: v1\nkind: Pod\n  metadata: [\n");
    assert!(!yaml.well && yaml.stderr.contains("error"), "{yaml}");
    let json = post(&session, PODS, "bad-documents", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"#);
    assert!(json.contains("BadRequest") || json.contains("unexpected end"), "{json}");
    let empty = post(&session, PODS, "bad-documents", "");
    assert!(!empty.is_empty());
    let list = post(&session, PODS, "bad-documents", "[1, 2, 3]");
    assert!(list.contains("BadRequest") || list.contains("cannot unmarshal"), "{list}");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    post(&session, PODS, "bad-documents", &deep);
    is_unharmed(&session);
}

#[test]
fn the_wrong_kind() {
    let session = Session::new("bad-kind");
    let service = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"x"},"spec":{"ports":[{"port":1}]}}"#;
    let wrong = post(&session, PODS, "bad-kind", service);
    assert!(wrong.contains("cannot be handled as a Pod"), "{wrong}");
    let unknown = session.feed("kubectl apply -f -", "apiVersion: v1\nkind: Podd\nmetadata: {name: x}\n");
    assert!(unknown.stderr.contains(r#"no matches for kind "Podd" in version "v1""#), "{unknown}");
    let group = session.feed("kubectl apply -f -", "apiVersion: apps/v9\nkind: Deployment\nmetadata: {name: x}\n");
    assert!(group.stderr.contains(r#"no matches for kind "Deployment" in version "apps/v9""#), "{group}");
    let nowhere = session.refused("kubectl get --raw /apis/nothing/v1/things");
    assert!(nowhere.contains("could not find the requested resource"), "{nowhere}");
    is_unharmed(&session);
}

#[test]
fn unknown_fields_and_wrong_types() {
    let session = Session::new("bad-fields");
    let pod = |spec: &str| format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"x"}},"spec":{spec}}}"#);
    let unknown = pod(r#"{"contaners":[],"containers":[{"name":"a","image":"localhost/sleep:v1"}]}"#);
    let strict = post(&session, &format!("{PODS}?fieldValidation=Strict"), "bad-fields", &unknown);
    assert!(strict.contains(r#"strict decoding error: unknown field "spec.contaners""#), "{strict}");
    let twice = pod(r#"{"containers":[{"name":"a","image":"b"}],"nodeName":"a","nodeName":"b"}"#);
    let strict = post(&session, &format!("{PODS}?fieldValidation=Strict"), "bad-fields", &twice);
    assert!(strict.contains(r#"duplicate field "spec.nodeName""#), "{strict}");
    let typed = post(&session, PODS, "bad-fields", &pod(r#"{"containers":"none"}"#));
    assert!(typed.contains("cannot unmarshal string into Go struct field PodSpec.spec.containers"), "{typed}");
    let invalid = post(&session, PODS, "bad-fields", &pod(r#"{"containers":[]}"#));
    assert!(invalid.contains("spec.containers: Required value"), "{invalid}");
    is_unharmed(&session);
}

#[test]
fn bad_names_and_values() {
    let session = Session::new("bad-values");
    let name = session.refused("kubectl create deployment Not_A_Name --image=localhost/web:1.21");
    assert!(name.contains("a lowercase RFC 1123 subdomain must consist of"), "{name}");
    let replicas = session.refused("kubectl create deployment web --image=localhost/web:1.21 --replicas=-1");
    assert!(replicas.contains("must be greater than or equal to 0") || replicas.contains("replicas"), "{replicas}");
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 70000}]}\n";
    let port = session.feed("kubectl apply -f -", service);
    assert!(port.stderr.contains("spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535"), "{port}");
    is_unharmed(&session);
}

#[test]
fn a_body_of_ten_megabytes() {
    let session = Session::new("bad-size");
    let body = format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"big"}},"data":{{"a":"{}"}}}}"#,
        "x".repeat(10_000_000)
    );
    let refused = post(&session, "/api/v1/namespaces/{namespace}/configmaps", "bad-size", &body);
    assert!(refused.to_lowercase().contains("too large"), "{refused}");
    assert!(session.refused("kubectl get configmap big").contains("not found"));
    let body = body.replace(&"x".repeat(10_000_000), &"x".repeat(1_100_000));
    let refused = post(&session, "/api/v1/namespaces/{namespace}/configmaps", "bad-size", &body);
    assert!(refused.contains("Too long: may not be more than 1048576 bytes"), "{refused}");
    is_unharmed(&session);
}

#[test]
fn files_that_are_no_components() {
    let session = Session::new("bad-wasm");
    let data = session.server().data();
    let component = std::fs::read(images::component("sleep")).expect("a component");
    for (name, bytes) in [
        ("text.wasm", b"this is no WebAssembly".as_slice()),
        ("empty.wasm", b""),
        ("truncated.wasm", &component[..component.len() / 2]),
    ] {
        let file = session.file(name, bytes);
        let reference = format!("localhost/{name}:v1");
        match images::import(&file, &reference, &data) {
            Err(complaint) => assert!(complaint.contains(name), "{name}: {complaint}"),
            Ok(_) => says_why(&session, name, &reference, "wasm"),
        }
    }
    let missing = images::import(&session.dir().join("missing.wasm"), "localhost/missing:v1", &data);
    assert!(missing.expect_err("there is no such file").contains("missing.wasm"));
    assert_eq!(session.run("kubectl get --raw /readyz"), "ok");
}

#[test]
fn a_component_that_asks_for_what_there_is_not() {
    let session = Session::new("bad-imports");
    let component = wat::parse_str(
        r#"
(component
  (import "example:submarine/periscope@1.0.0" (instance $periscope (export "look" (func))))
  (core func $look (canon lower (func $periscope "look")))
  (core module $main
    (import "periscope" "look" (func $look))
    (func (export "run") (result i32) (call $look) (i32.const 0)))
  (core instance $main (instantiate $main (with "periscope" (instance (export "look" (func $look))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))
"#,
    )
    .expect("a component");
    let file = session.file("periscope.wasm", component);
    match images::import(&file, "localhost/periscope:v1", &session.server().data()) {
        Err(complaint) => assert!(complaint.contains("example:submarine/periscope"), "{complaint}"),
        Ok(_) => says_why(&session, "periscope", "localhost/periscope:v1", "example:submarine/periscope"),
    }
}

/// Runs the image and waits for the reason that it cannot be.
fn says_why(session: &Session, name: &str, image: &str, words: &str) {
    let name = name.replace('.', "-");
    session.run(&format!("kubectl run {name} --image={image} --image-pull-policy=IfNotPresent"));
    session.until(&format!("kubectl describe pod {name}"), |described| {
        let events = described.split("Events:").nth(1).unwrap_or_default();
        described.contains("Waiting") && events.contains("Failed") && events.contains(words)
    });
    session.run(&format!("kubectl delete pod {name} --now"));
}

//! Every kind of guest, and what they may ask of the node.

use crate::harness::{Session, images};

/// A pod with one container.
fn pod(name: &str, image: &str, more: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  restartPolicy: Never\n  containers:\n  - name: main\n    image: {image}\n    imagePullPolicy: Never\n{more}"
    )
}

fn offer(session: &Session, component: &str, reference: &str) {
    images::import(&images::component(component), reference, &session.server().data()).expect("the import");
}

#[test]
fn a_handler_of_wasi_0_3_serves_and_shows_what_it_imports() {
    let session = Session::new("guests-p3");
    offer(&session, "hello_p3", "localhost/hello-p3:v1");
    session.apply(&pod("hello", "localhost/hello-p3:v1", "    readinessProbe: {httpGet: {port: 80}}\n"));
    session.run("kubectl wait --for=condition=Ready pod/hello --timeout=90s");
    let described = session.run("kubectl describe pod hello");
    assert!(described.contains("exports.sampan.dev/main: wasi:http/handler@0.3."), "{described}");
    assert!(described.contains("imports.sampan.dev/main: wasi:cli@0.2."), "{described}");
}

#[test]
fn configuration_comes_from_config_maps_and_env() {
    let session = Session::new("guests-config");
    offer(&session, "interfaces", "localhost/interfaces:v1");
    session.run("kubectl create configmap settings --from-literal=log.level=debug --from-literal=mode=slow");
    let more = "    args: [config]\n    env: [{name: mode, value: fast}]\n    envFrom: [{prefix: X_, configMapRef: {name: settings}}]\n";
    session.apply(&pod("configured", "localhost/interfaces:v1", more));
    session.until("kubectl get pod configured", |pod| pod.contains("Completed"));
    assert_eq!(session.run("kubectl logs configured").trim(), "log.level=debug\nmode=fast");
}

#[test]
fn what_is_imported_and_not_there_is_named() {
    let session = Session::new("guests-unmet");
    let wasm = wat::parse_str(
        r#"(component
            (import "acme:rockets/launcher@1.0.0" (instance (export "launch" (func))))
            (import "wasi:nn/tensor@0.2.0" (instance (export "load" (func))))
            (core module $m (func (export "run") (result i32) i32.const 0))
            (core instance $i (instantiate $m))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance $cli (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $cli)))"#,
    )
    .expect("a component");
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("wanting.wasm");
    std::fs::write(&path, wasm).expect("the file");
    images::import(&path, "localhost/wanting:v1", &session.server().data()).expect("the import");
    session.apply(&pod("wanting", "localhost/wanting:v1", ""));
    session.until("kubectl describe pod wanting", |described| {
        described.contains("imports acme:rockets/launcher@1.0.0, wasi:nn/tensor@0.2.0, which is not provided")
    });
}

#[test]
fn pairs_survive_a_killed_server() {
    let mut session = Session::alone();
    offer(&session, "interfaces", "localhost/interfaces:v1");
    let count = "    args: [count, visits, all, '1000000']\n";
    session.apply(&pod("counter", "localhost/interfaces:v1", count));
    session.until("kubectl logs counter", |log| log.lines().count() > 20);
    let told = session.run("kubectl logs counter");
    let told: u64 = told.lines().last().and_then(|line| line.parse().ok()).expect("a sum");
    session.crash_and_restart();
    session.run("kubectl delete pod counter --now --ignore-not-found");
    session.apply(&pod("asker", "localhost/interfaces:v1", "    args: [add, visits, all, '0']\n"));
    session.until("kubectl get pod asker", |pod| pod.contains("Completed"));
    let kept: u64 = session.run("kubectl logs asker").trim().parse().expect("the sum");
    assert!(kept >= told, "told {told}, kept {kept}");
}

#[test]
fn a_namespaces_pairs_go_with_it() {
    let session = Session::new("guests-farewell");
    offer(&session, "interfaces", "localhost/interfaces:v1");
    session.apply(&pod("setter", "localhost/interfaces:v1", "    args: [set, b, k, v]\n"));
    session.until("kubectl get pod setter", |pod| pod.contains("Completed"));
    let list = format!("ls {}", session.server().data().join("keyvalue").display());
    assert!(session.run(&list).contains("guests-farewell.redb"));
    session.run("kubectl delete namespace guests-farewell");
    session.until(&list, |files| !files.contains("guests-farewell.redb"));
}

#[test]
fn objects_are_the_files_of_volumes() {
    let session = Session::new("guests-blobs");
    offer(&session, "blobs", "localhost/blobs:v1");
    let keep = "    args: [put, photos, a/boat, a sampan, --, list, photos, --, create, mine, --, move, photos, a/boat, mine, boat, --, get, mine, boat]\n    \
        volumeMounts: [{name: photos, mountPath: /p}, {name: blobstore, mountPath: /b}]\n  \
        - {name: reader, image: localhost/toolbox, args: [sleep, '1000'], volumeMounts: [{name: blobstore, mountPath: /b}]}\n  \
        volumes: [{name: photos, emptyDir: {}}, {name: blobstore, emptyDir: {}}]\n";
    session.apply(&pod("keeper", "localhost/blobs:v1", keep));
    session.until("kubectl logs keeper -c main", |log| log == "a/boat\na sampan\n");
    let reader = r#"kubectl get pod keeper -o jsonpath='{.status.containerStatuses[?(@.name=="reader")].ready}'"#;
    session.until(reader, |ready| ready == "true");
    assert_eq!(session.run("kubectl exec keeper -c reader -- cat /b/mine/boat"), "a sampan");
    session.run("kubectl delete pod keeper --now");
    session.apply(&pod("bare", "localhost/blobs:v1", "    args: [list, photos]\n"));
    session.until("kubectl describe pod bare", |described| {
        described.contains("RunContainerError") && described.contains("the component imports wasi:blobstore/")
    });
}

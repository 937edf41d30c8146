//! Admission webhooks for `CONNECT`: what leads into a pod is asked about before anything is connected.

use std::sync::Arc;

use control::http::{Body, NodeTransport};
use control::store;
use futures::FutureExt as _;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::harness::{NODES, PODS, Server, pod};
use crate::webhook_server::{Hook, patch};

const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/v1";

/// What the node was asked for.
type Passed = Arc<Mutex<Vec<String>>>;

fn nodes(passed: Passed) -> NodeTransport {
    Arc::new(move |_: &str, request: Request<Body>| {
        passed.lock().push(request.uri().to_string());
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        Some(async { Ok(Response::new(body)) }.boxed())
    })
}

/// A server with the pod `web` on a node, and a webhook of this kind for all that is connected to.
async fn server(kind: &str, hook: &Hook) -> (Server, Passed) {
    let passed = Passed::default();
    let server = Server::with_nodes(store::Config::default(), nodes(passed.clone())).await;
    server.make(NODES, json!({"metadata": {"name": "pi"}})).await;
    let mut web = pod("web");
    web["spec"]["nodeName"] = "pi".into();
    server.make(PODS, web).await;
    let resources = ["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy", "nodes/proxy"];
    let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CONNECT"], "resources": resources}]);
    let hooks = json!([{
        "name": "gate.example.com", "clientConfig": hook.client(), "sideEffects": "None",
        "admissionReviewVersions": ["v1"], "rules": rules,
    }]);
    server.make(&format!("{CONFIGURATIONS}/{kind}"), json!({"metadata": {"name": "gate"}, "webhooks": hooks})).await;
    (server, passed)
}

async fn connect(server: &Server, path: &str) -> (u16, String) {
    let call = server.request("GET", path).header("connection", "Upgrade").header("upgrade", "websocket");
    let (code, _, text) = call.raw().await;
    (code, String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn a_webhook_sees_what_is_connected_to_and_may_refuse() {
    let gate = Hook::start(|_| json!({"allowed": false, "status": {"code": 403, "message": "not here"}})).await;
    let (server, passed) = server("validatingwebhookconfigurations", &gate).await;
    let pod = format!("{PODS}/web");
    let services = PODS.replace("/pods", "/services");
    let cases = [
        (
            format!("{pod}/exec?command=ls&command=-l&stdin=true&tty=true"),
            json!({"kind": "PodExecOptions", "stdin": true, "tty": true, "command": ["ls", "-l"]}),
        ),
        (
            format!("{pod}/attach?stdout=true&container=c"),
            json!({"kind": "PodAttachOptions", "stdout": true, "container": "c"}),
        ),
        (format!("{pod}/portforward?ports=80,81"), json!({"kind": "PodPortForwardOptions", "ports": [80, 81]})),
        (format!("{pod}/proxy/a/b"), json!({"kind": "PodProxyOptions"})),
        (format!("{services}/web/proxy/a"), json!({"kind": "ServiceProxyOptions"})),
        (format!("{NODES}/pi/proxy/a"), json!({"kind": "NodeProxyOptions"})),
    ];
    for (path, options) in cases {
        let (code, text) = connect(&server, &path).await;
        assert_eq!(code, 403, "{path}: {text}");
        assert!(text.contains("admission webhook \\\"gate.example.com\\\" denied the request: not here"), "{text}");
        let seen = gate.seen().pop().expect("it was asked");
        assert_eq!((&seen["operation"], &seen["kind"]["kind"]), (&json!("CONNECT"), &options["kind"]), "{path}");
        assert_eq!(seen["object"]["apiVersion"], "v1");
        assert_eq!((&seen["oldObject"], &seen["options"]), (&Value::Null, &Value::Null), "{path}");
        for (field, value) in options.as_object().expect("fields") {
            assert_eq!(&seen["object"][field], value, "{path}: {field}");
        }
    }
    assert_eq!(gate.seen().len(), 6);
    assert!(passed.lock().is_empty(), "nobody was connected");
}

#[tokio::test]
async fn a_webhook_changes_what_is_started() {
    let change = Hook::start(|request| match request["subResource"].as_str() {
        Some("exec") => patch(json!([
            {"op": "replace", "path": "/command", "value": ["id", "a b"]},
            {"op": "remove", "path": "/stdin"},
            {"op": "add", "path": "/stdout", "value": true},
        ])),
        _ => json!({"allowed": true}),
    })
    .await;
    let (server, passed) = server("mutatingwebhookconfigurations", &change).await;
    for path in ["exec?command=sh&stdin=true&tty=true", "attach?stdin=true", "portforward?ports=80,81"] {
        let (code, text) = connect(&server, &format!("{PODS}/web/{path}")).await;
        assert_eq!(code, 200, "{path}: {text}");
    }
    let passed = passed.lock();
    let words = passed.iter().map(|uri| uri.split_once('?').expect("a query").1).collect::<Vec<_>>();
    assert_eq!(words, ["output=1&tty=1&command=id&command=a+b", "input=1", "port=80%2C81"]);
}

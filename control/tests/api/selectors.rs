use serde_json::json;

use crate::harness::*;

#[tokio::test]
async fn labels_select() {
    let server = Server::start().await;
    for (name, labels) in [("a", json!({"t": "x"})), ("b", json!({"t": "y", "u": "1"})), ("c", json!({}))] {
        server.make(CONFIGMAPS, json!({"metadata": {"name": name, "labels": labels}})).await;
    }
    for (selector, wanted) in [
        ("t%3Dx", vec!["a"]),
        ("t==y", vec!["b"]),
        ("t!=x", vec!["b", "c"]),
        ("t", vec!["a", "b"]),
        ("!t", vec!["c"]),
        ("t+in+(x,y)", vec!["a", "b"]),
        ("t+notin+(x)", vec!["b", "c"]),
        ("t,u%3D1", vec!["b"]),
        ("u%3E0", vec!["b"]),
        ("", vec!["a", "b", "c"]),
    ] {
        let list = server.read(&format!("{CONFIGMAPS}?labelSelector={selector}")).await;
        assert_eq!(names(&list), wanted, "{selector}");
    }
    let words = server.get(&format!("{CONFIGMAPS}?labelSelector=a+in+(b")).await.refused(400, "BadRequest");
    assert!(words.starts_with("unable to parse requirement: "), "{words}");
}

#[tokio::test]
async fn fields_select() {
    let server = Server::start().await;
    for name in ["p", "q"] {
        server.make(PODS, pod(name)).await;
    }
    bind(&server, "q").await;
    for (selector, wanted) in [
        ("metadata.name%3Dp", vec!["p"]),
        ("metadata.name!%3Dp", vec!["q"]),
        ("metadata.namespace%3Dgolden", vec!["p", "q"]),
        ("metadata.namespace%3Dother", vec![]),
        ("spec.nodeName%3Dn1", vec!["q"]),
        ("spec.nodeName%3D", vec!["p"]),
        ("status.phase%3DPending,spec.restartPolicy%3DAlways", vec!["p", "q"]),
        ("status.phase!%3DPending", vec![]),
    ] {
        let list = server.read(&format!("/api/v1/pods?fieldSelector={selector}")).await;
        assert_eq!(names(&list), wanted, "{selector}");
    }
    let both = server.read(&format!("{PODS}?fieldSelector=spec.nodeName%3Dn1&labelSelector=none")).await;
    assert_eq!(both["items"], json!([]));
}

#[tokio::test]
async fn each_kind_has_its_fields() {
    let server = Server::start().await;
    server.make("/api/v1/namespaces/golden/secrets", json!({"metadata": {"name": "s"}, "type": "x/y"})).await;
    server.make(NODES, json!({"metadata": {"name": "n1"}, "spec": {"unschedulable": true}})).await;
    server.make(SERVICES, json!({"metadata": {"name": "s"}, "spec": {"clusterIP": "None"}})).await;
    for (path, wanted) in [
        ("/api/v1/secrets?fieldSelector=type%3Dx/y", vec!["s"]),
        ("/api/v1/secrets?fieldSelector=type%3DOpaque", vec![]),
        ("/api/v1/nodes?fieldSelector=spec.unschedulable%3Dtrue", vec!["n1"]),
        ("/api/v1/services?fieldSelector=spec.clusterIP%3DNone,spec.type%3DClusterIP", vec!["s"]),
        ("/api/v1/namespaces?fieldSelector=status.phase%3DActive", vec!["default", "golden"]),
    ] {
        assert_eq!(names(&server.read(path).await), wanted, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_field_is_refused_and_never_ignored() {
    let server = Server::start().await;
    for verb in ["GET", "DELETE"] {
        let answer = server.request(verb, &format!("{PODS}?fieldSelector=spec.zzz%3D1")).send().await;
        assert_eq!(answer.refused(400, "BadRequest"), "field label not supported: spec.zzz");
    }
    let generic = server.get(&format!("{CONFIGMAPS}?fieldSelector=data.a%3D1")).await.refused(400, "BadRequest");
    assert_eq!(generic, "\"data.a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
    let broken = server.get(&format!("{PODS}?fieldSelector=zzz")).await.refused(400, "BadRequest");
    assert_eq!(broken, "invalid selector: 'zzz'; can't understand 'zzz'");
}

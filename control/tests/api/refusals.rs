use control::auth::Caller;
use serde_json::{Value, json};

use crate::harness::*;

#[tokio::test]
async fn an_object_that_is_not_there() {
    let server = Server::start().await;
    let status = server.get(&format!("{PODS}/none")).await.with(404);
    assert_eq!(
        status,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "pods \"none\" not found",
            "reason": "NotFound", "details": {"name": "none", "kind": "pods"}, "code": 404})
    );
    let status = server.get(&format!("{DEPLOYMENTS}/none")).await.with(404);
    assert_eq!(status["message"], "deployments.apps \"none\" not found");
}

#[tokio::test]
async fn a_path_that_is_not_there() {
    let server = Server::start().await;
    for path in
        ["/api/v1/zzz", "/api/v2/pods", "/apis/apps/v1/zzz", "/apis/apps/v9/pods", "/api/v1/namespaces/golden/nodes"]
    {
        let status = server.get(path).await.with(404);
        assert_eq!(status["message"], "the server could not find the requested resource", "{path}");
        assert_eq!(status["reason"], "NotFound");
    }
    server.make(PODS, pod("p")).await;
    server.make(SERVICES, json!({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})).await;
    let words = server.get(&format!("{PODS}/p/exec")).await.refused(400, "BadRequest");
    assert_eq!(words, "pod p does not have a host assigned");
    let words = server.get(&format!("{SERVICES}/s/proxy/a/b")).await.refused(503, "ServiceUnavailable");
    assert_eq!(words, "no endpoints available for service \"s\"");
    server.get(&format!("{PODS}/none/exec")).await.refused(404, "NotFound");
    for path in ["/zzz", "/apis/zzz", "/apis/zzz/v1", "/apis/zzz/v1/pods", "/apis/zzz/v1/namespaces/golden/pods/p"] {
        server.get(path).await.not_routed();
    }
}

#[tokio::test]
async fn a_method_that_is_not_there() {
    let server = Server::start().await;
    for (method, path) in
        [("PUT", PODS), ("PATCH", PODS), ("POST", "/api/v1/namespaces/default"), ("POST", "/api/v1/pods")]
    {
        let answer = server.request(method, path).body(MERGE, "{}").send().await;
        assert_eq!(answer.header("allow"), "", "{method} {path}");
        let status = answer.with(405);
        assert_eq!(
            status,
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "the server does not allow this method on the requested resource",
                "reason": "MethodNotAllowed", "details": {}, "code": 405}),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn patches_that_cannot_be_read() {
    let server = Server::start().await;
    server.config_map("cm").await;
    let path = format!("{CONFIGMAPS}/cm");
    for (format, body, code, reason, words) in [
        (JSON_PATCH, "{", 400, "BadRequest", "unexpected end of JSON input"),
        (JSON_PATCH, "{}", 400, "BadRequest", "json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
        (
            JSON_PATCH,
            "[1]",
            400,
            "BadRequest",
            "json: cannot unmarshal number into Go value of type jsonpatch.Operation",
        ),
        (
            JSON_PATCH,
            r#"[{"op": "zzz", "path": "/data"}]"#,
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        ),
        (MERGE, "{", 400, "BadRequest", "error decoding patch: unexpected end of JSON input"),
        (STRATEGIC, "{", 400, "BadRequest", "unexpected end of JSON input"),
        (
            STRATEGIC,
            "[]",
            400,
            "BadRequest",
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        ("application/xml", "{}", 415, "UnsupportedMediaType", "415: Unsupported Media Type"),
    ] {
        let answer = server.request("PATCH", &path).body(format, body).send().await;
        assert_eq!(answer.refused(code, reason), words, "{format} {body}");
    }
}

#[tokio::test]
async fn a_replacement_without_a_name() {
    let server = Server::start().await;
    server.config_map("cm").await;
    let answer = server.put(&format!("{CONFIGMAPS}/cm"), json!({"apiVersion": "v1", "kind": "ConfigMap"})).await;
    assert_eq!(
        answer.refused(400, "BadRequest"),
        "the name of the object (cm based on URL) was undeterminable: name must be provided"
    );
}

#[tokio::test]
async fn a_verb_that_is_not_there() {
    let server = Server::start().await;
    server.config_map("cm").await;
    for (method, path) in [
        ("PUT", CONFIGMAPS.to_owned()),
        ("PATCH", CONFIGMAPS.to_owned()),
        ("POST", format!("{CONFIGMAPS}/cm")),
        ("POST", "/api/v1/configmaps".to_owned()),
        ("DELETE", "/api/v1/configmaps".to_owned()),
        ("DELETE", NAMESPACES.to_owned()),
        ("DELETE", format!("{DEPLOYMENTS}/web/scale")),
        ("GET", format!("{PODS}/p/binding")),
        ("TRACE", format!("{CONFIGMAPS}/cm")),
    ] {
        let words = server.request(method, &path).send().await.refused(405, "MethodNotAllowed");
        assert_eq!(words, "the server does not allow this method on the requested resource", "{method} {path}");
    }
}

#[tokio::test]
async fn a_head_request_is_refused_without_a_body() {
    let server = Server::start().await;
    let answer = server.request("HEAD", &format!("{NAMESPACES}/default")).send().await;
    assert_eq!((answer.code, answer.text.as_str()), (405, ""));
}

#[tokio::test]
async fn a_form_that_nobody_speaks() {
    let server = Server::start().await;
    server.config_map("cm").await;
    let answer = server.request("GET", &format!("{CONFIGMAPS}/cm")).accept("text/foo").send().await;
    let status = answer.with(406);
    assert_eq!((&status["reason"], &status["details"]), (&json!("NotAcceptable"), &json!({})));
    let answer = server.request("POST", CONFIGMAPS).body("text/plain", "x").send().await;
    let words = answer.refused(415, "UnsupportedMediaType");
    assert!(words.starts_with("the body of the request was in an unknown format"), "{words}");
}

#[tokio::test]
async fn nobody_in_particular_may_do_nothing() {
    let server = Server::with_roles().await;
    let call = |method: &str, path: &str| server.request(method, path).by(Caller::anonymous()).send();
    assert_eq!(
        call("GET", "/api/v1/nodes/x").await.refused(403, "Forbidden"),
        "nodes \"x\" is forbidden: User \"system:anonymous\" cannot get resource \"nodes\" in API group \"\" at the cluster \
         scope"
    );
    let status: Value = call("DELETE", &format!("{DEPLOYMENTS}/web")).await.with(403);
    assert_eq!(
        status["message"],
        "deployments.apps \"web\" is forbidden: User \"system:anonymous\" cannot delete resource \"deployments\" in API group \
         \"apps\" in the namespace \"golden\""
    );
    assert_eq!(status["details"], json!({"name": "web", "group": "apps", "kind": "deployments"}));
    assert_eq!(call("GET", "/version").await.code, 200);
}

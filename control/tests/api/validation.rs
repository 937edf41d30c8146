use serde_json::json;

use crate::harness::*;

#[tokio::test]
async fn unknown_fields_are_named_dropped_or_refused() {
    let server = Server::start().await;
    let sent = |name: &str| {
        let mut sent = deployment(name);
        sent["spec"]["zzz"] = json!(1);
        sent["spec"]["template"]["spec"]["containers"][0]["yyy"] = json!("x");
        sent
    };
    let (spec, container) = ("unknown field \"spec.zzz\"", "unknown field \"spec.template.spec.containers[0].yyy\"");
    for (name, query) in [("a", ""), ("b", "?fieldValidation=Warn")] {
        let answer = server.post(&format!("{DEPLOYMENTS}{query}"), sent(name)).await;
        let mut said = answer.warnings().iter().map(|w| w.replace('\\', "")).collect::<Vec<_>>();
        said.sort();
        assert_eq!(said, [format!("299 - \"{container}\""), format!("299 - \"{spec}\"")]);
        let made = answer.with(201);
        assert!(made["spec"].get("zzz").is_none(), "{made}");
    }
    let silent = server.post(&format!("{DEPLOYMENTS}?fieldValidation=Ignore"), sent("c")).await;
    assert_eq!(silent.warnings(), [""; 0]);
    silent.with(201);
    let words = server.post(&format!("{DEPLOYMENTS}?fieldValidation=Strict"), sent("d")).await;
    let words = words.refused(400, "BadRequest");
    let start = "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: ";
    assert!(words.starts_with(start) && words.contains(spec) && words.contains(container), "{words}");
    server.get(&format!("{DEPLOYMENTS}/d")).await.refused(404, "NotFound");
}

#[tokio::test]
async fn duplicate_fields_are_named_or_refused() {
    let server = Server::start().await;
    let sent = r#"{"metadata": {"name": "cm", "name": "cm2"}, "data": {"a": "1", "a": "2"}}"#;
    let answer = server.request("POST", CONFIGMAPS).body(JSON, sent).send().await;
    let said = answer.warnings().join(" ").replace('\\', "");
    assert!(
        said.contains("duplicate field \"metadata.name\"") && said.contains("duplicate field \"data.a\""),
        "{said}"
    );
    let made = answer.with(201);
    assert_eq!((&made["metadata"]["name"], &made["data"]["a"]), (&json!("cm2"), &json!("2")), "the last counts");
    let strict = format!("{CONFIGMAPS}?fieldValidation=Strict");
    let words = server.request("POST", &strict).body(JSON, sent).send().await.refused(400, "BadRequest");
    assert!(words.contains("strict decoding error: duplicate field"), "{words}");
    let twice = "metadata:\n  name: y\ndata:\n  a: '1'\n  a: '2'\n";
    let words = server.request("POST", &strict).body(YAML, twice).send().await.refused(400, "BadRequest");
    assert!(words.contains("strict decoding error: duplicate field \"data.a\""), "{words}");
}

#[tokio::test]
async fn an_unknown_directive_is_refused() {
    let server = Server::start().await;
    let path = format!("{CONFIGMAPS}?fieldValidation=Zap");
    let words = server.post(&path, json!({"metadata": {"name": "x"}})).await.refused(422, "Invalid");
    assert_eq!(
        words,
        "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"Zap\": supported values: \"\", \
         \"Ignore\", \"Strict\", \"Warn\""
    );
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once() {
    let server = Server::start().await;
    let spec = json!({"containers": [{"name": "A_b", "image": ""}], "restartPolicy": "X"});
    let status = server.post(PODS, json!({"metadata": {"name": "bad"}, "spec": spec})).await.with(422);
    assert_eq!(status["reason"], "Invalid");
    assert_eq!((&status["details"]["name"], &status["details"]["kind"]), (&json!("bad"), &json!("Pod")));
    let causes = status["details"]["causes"].as_array().expect("causes");
    let fields: Vec<&str> = causes.iter().filter_map(|c| c["field"].as_str()).collect();
    assert_eq!(fields, ["spec.containers[0].name", "spec.containers[0].image", "spec.restartPolicy"]);
    assert!(status["message"].as_str().is_some_and(|m| m.starts_with("Pod \"bad\" is invalid: [")), "{status}");
    server.get(&format!("{PODS}/bad")).await.refused(404, "NotFound");
}

#[tokio::test]
async fn a_name_is_required_and_well_formed() {
    let server = Server::start().await;
    let status = server.post(CONFIGMAPS, json!({"metadata": {}})).await.with(422);
    assert_eq!(
        status["message"],
        "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required"
    );
    assert_eq!(
        status["details"],
        json!({"kind": "ConfigMap", "causes": [{"reason": "FieldValueRequired",
            "message": "Required value: name or generateName is required", "field": "metadata.name"}]})
    );
    for bad in ["Upper", "under_score", "a/b", "-a"] {
        let words = server.post(CONFIGMAPS, json!({"metadata": {"name": bad}})).await.refused(422, "Invalid");
        assert!(words.contains("metadata.name: Invalid value"), "{words}");
    }
    let labels = json!({"metadata": {"name": "x", "labels": {"a b": "c d"}}});
    let words = server.post(CONFIGMAPS, labels).await.refused(422, "Invalid");
    assert!(words.contains("metadata.labels: Invalid value: \"a b\""), "{words}");
}

#[tokio::test]
async fn a_wrong_type_is_said_in_gos_words() {
    let server = Server::start().await;
    let mut sent = deployment("t");
    sent["spec"]["replicas"] = "three".into();
    assert_eq!(
        server.post(DEPLOYMENTS, sent).await.refused(400, "BadRequest"),
        "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field \
         DeploymentSpec.spec.replicas of type int32"
    );
}

#[tokio::test]
async fn a_workload_without_a_selector_matches_none_of_its_own_pods() {
    let server = Server::start().await;
    let mismatch = "spec.template.metadata.labels: Invalid value: map[string]string(nil): `selector` does not match template \
                    `labels`, spec.template.spec.containers: Required value";
    for (resource, required) in [
        ("deployments", "spec.selector: Required value, "),
        ("replicasets", "spec.selector: Required value, "),
        ("statefulsets", "spec.selector: Required value, "),
        ("daemonsets", ""),
    ] {
        let path = format!("/apis/apps/v1/namespaces/golden/{resource}");
        let sent = json!({"metadata": {"name": "x"}, "spec": {"template": {}}});
        let words = server.post(&path, sent).await.refused(422, "Invalid");
        assert!(words.ends_with(&format!("[{required}{mismatch}]")), "{words}");
    }
}

#[tokio::test]
async fn a_field_that_nobody_acts_on_is_warned_of() {
    let server = Server::start().await;
    let mut sent = pod("p");
    sent["spec"]["hostNetwork"] = true.into();
    let answer = server.post(PODS, sent).await;
    assert!(answer.warnings().iter().any(|w| w.contains("spec.hostNetwork")), "{:?}", answer.warnings());
    answer.with(201);
}

#[tokio::test]
async fn a_deprecated_kind_says_so_on_every_request() {
    let server = Server::start().await;
    let answer = server.get("/api/v1/endpoints").await;
    let wanted = "299 - \"v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\"";
    assert_eq!(answer.warnings(), [wanted]);
}

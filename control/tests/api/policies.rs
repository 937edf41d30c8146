//! ValidatingAdmissionPolicies in force.

use control::auth::Caller;
use serde_json::{Value, json};

use crate::harness::{CONFIGMAPS, DEPLOYMENTS, JSON, MERGE, NAMESPACES, PODS, Server, deployment, pod};

pub const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
pub const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

/// A policy about creates and updates of one resource.
pub fn policy(name: &str, group: &str, resource: &str, spec: Value) -> Value {
    let mut whole = json!({
        "matchConstraints": {"resourceRules": [{
            "apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": [resource],
        }]},
    });
    for (field, value) in spec.as_object().expect("a spec") {
        whole[field] = value.clone();
    }
    json!({"metadata": {"name": name}, "spec": whole})
}

pub fn binding(name: &str, policy: &str, spec: Value) -> Value {
    let mut whole = json!({"policyName": policy, "validationActions": ["Deny"]});
    for (field, value) in spec.as_object().expect("a spec") {
        whole[field] = value.clone();
    }
    json!({"metadata": {"name": name}, "spec": whole})
}

async fn enforce(server: &Server, group: &str, resource: &str, spec: Value) {
    server.make(POLICIES, policy("rule.example.com", group, resource, spec)).await;
    server.make(BINDINGS, binding("everywhere", "rule.example.com", json!({}))).await;
}

#[tokio::test]
async fn a_failed_rule_refuses_with_its_words_and_reason() {
    let server = Server::start().await;
    let validations = json!([
        {"expression": "object.spec.replicas <= 5"},
        {"expression": "object.metadata.name != 'x'", "message": "not x", "reason": "Forbidden"},
        {"expression": "!has(object.metadata.labels)", "messageExpression": "'labels of ' + object.metadata.name"},
    ]);
    enforce(&server, "apps", "deployments", json!({"validations": validations})).await;
    let with = |name: &str, replicas: i64| {
        let mut object = deployment(name);
        object["spec"]["replicas"] = replicas.into();
        object
    };
    server.post(DEPLOYMENTS, with("web", 3)).await.with(201);
    let by = "ValidatingAdmissionPolicy 'rule.example.com' with binding 'everywhere' denied request";
    let answer = server.post(DEPLOYMENTS, with("big", 6)).await.with(422);
    let message = format!("{by}: failed expression: object.spec.replicas <= 5");
    assert_eq!(answer["message"], format!("deployments.apps \"big\" is forbidden: {message}"));
    assert_eq!((&answer["reason"], &answer["details"]["causes"]), (&json!("Invalid"), &json!([{"message": message}])));
    let refused = server.post(DEPLOYMENTS, with("x", 1)).await.refused(403, "Forbidden");
    assert_eq!(refused, format!("deployments.apps \"x\" is forbidden: {by}: not x"));
    let labels = json!({"metadata": {"labels": {"a": "b"}}});
    let refused = server.patch(&format!("{DEPLOYMENTS}/web"), MERGE, labels).await.refused(422, "Invalid");
    assert_eq!(refused, format!("deployments.apps \"web\" is forbidden: {by}: labels of web"));
    // The sub-resource is not what the rule names.
    server.patch(&format!("{DEPLOYMENTS}/web/scale"), MERGE, json!({"spec": {"replicas": 9}})).await.with(200);
}

#[tokio::test]
async fn nothing_is_refused_without_a_binding_and_warnings_only_warn() {
    let server = Server::start().await;
    let never = json!({"validations": [{"expression": "false", "message": "never"}]});
    server.make(POLICIES, policy("p", "", "configmaps", never)).await;
    server.config_map("a").await;
    server.make(BINDINGS, binding("b", "p", json!({"validationActions": ["Warn", "Audit"]}))).await;
    let answer = server.post(CONFIGMAPS, json!({"metadata": {"name": "b"}})).await;
    assert_eq!(answer.code, 201);
    let warning = "299 - \"Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': never\"";
    assert_eq!(answer.warnings(), [warning]);
    let named = json!({"validationActions": ["Deny"], "matchResources": {"namespaceSelector": {"matchLabels": {"env": "prod"}}}});
    server.make(BINDINGS, binding("prod", "p", named)).await;
    server.post(CONFIGMAPS, json!({"metadata": {"name": "c"}})).await.with(201);
    server.namespace("prod", json!({"env": "prod"})).await;
    let path = format!("{NAMESPACES}/prod/configmaps");
    server.post(&path, json!({"metadata": {"name": "c"}})).await.refused(422, "Invalid");
    server.delete(&format!("{BINDINGS}/prod")).await.with(200);
    server.post(&path, json!({"metadata": {"name": "c"}})).await.with(201);
}

#[tokio::test]
async fn conditions_variables_and_requests_are_seen() {
    let server = Server::start().await;
    let spec = json!({
        "matchConditions": [{"name": "people", "expression": "!request.userInfo.username.startsWith('system:')"}],
        "variables": [
            {"name": "images", "expression": "object.spec.containers.map(c, c.image)"},
            {"name": "foreign", "expression": "variables.images.filter(i, !i.startsWith('here/'))"},
        ],
        "validations": [
            {"expression": "size(variables.foreign) == 0", "messageExpression": "'foreign: ' + variables.foreign.join(', ')"},
            {"expression": "request.operation != 'UPDATE' || object.metadata.?labels == oldObject.metadata.?labels"},
            {"expression": "namespaceObject.metadata.name == request.namespace"},
            {"expression": "request.dryRun == false || request.resource.resource == 'pods'"},
            {"expression": "authorizer.group('').resource('pods').namespace('golden').check('delete').allowed()"},
            {"expression": "authorizer.requestResource.check('create').allowed()"},
        ],
    });
    enforce(&server, "", "pods", spec).await;
    let message = server.post(PODS, pod("p")).await.refused(422, "Invalid");
    assert!(message.ends_with("denied request: foreign: echo"), "{message}");
    let mut fine = pod("p");
    fine["spec"]["containers"][0]["image"] = "here/echo".into();
    server.post(&format!("{PODS}?dryRun=All"), fine.clone()).await.with(201);
    server.post(PODS, fine).await.with(201);
    let labels = json!({"metadata": {"labels": {"a": "b"}}});
    server.patch(&format!("{PODS}/p"), MERGE, labels.clone()).await.refused(422, "Invalid");
    let system = Caller::system("system:x");
    let patch = server.request("PATCH", &format!("{PODS}/p")).by(system).body(MERGE, labels.to_string());
    patch.send().await.with(200);
}

#[tokio::test]
async fn an_error_refuses_where_the_policy_fails_closed() {
    let server = Server::start().await;
    let rule = json!([{"expression": "object.data.missing == ''"}]);
    enforce(&server, "", "configmaps", json!({"validations": rule})).await;
    let refused = server.post(CONFIGMAPS, json!({"metadata": {"name": "a"}, "data": {"x": "y"}})).await;
    let message = refused.refused(422, "Invalid");
    let error = "expression 'object.data.missing == ''' resulted in error: no such key: missing";
    assert!(message.ends_with(&format!("denied request: {error}")), "{message}");
    let ignore = json!({"spec": {"failurePolicy": "Ignore"}});
    server.patch(&format!("{POLICIES}/rule.example.com"), MERGE, ignore).await.with(200);
    server.config_map("a").await;
}

#[tokio::test]
async fn parameters_come_from_the_binding() {
    let server = Server::start().await;
    let spec = json!({
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [{"expression": "object.spec.replicas <= int(params.data.most)", "messageExpression": "'at most ' + params.data.most"}],
    });
    server.make(POLICIES, policy("limit", "apps", "deployments", spec)).await;
    let reference = json!({"paramRef": {"name": "limits", "parameterNotFoundAction": "Deny"}});
    server.make(BINDINGS, binding("b", "limit", reference)).await;
    let message = server.post(DEPLOYMENTS, deployment("a")).await.refused(422, "Invalid");
    let why = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction";
    assert!(message.ends_with(&format!("'limit' with binding 'b' denied request: {why}")), "{message}");
    server.make(CONFIGMAPS, json!({"metadata": {"name": "limits", "labels": {"l": "1"}}, "data": {"most": "0"}})).await;
    let message = server.post(DEPLOYMENTS, deployment("a")).await.refused(422, "Invalid");
    assert!(message.ends_with("denied request: at most 0"), "{message}");
    server.patch(&format!("{CONFIGMAPS}/limits"), MERGE, json!({"data": {"most": "1"}})).await.with(200);
    server.post(DEPLOYMENTS, deployment("a")).await.with(201);
    let selector = json!({"spec": {"paramRef": {"name": null, "selector": {"matchLabels": {"l": "2"}}, "parameterNotFoundAction": "Allow"}}});
    server.patch(&format!("{BINDINGS}/b"), MERGE, selector).await.with(200);
    server.patch(&format!("{CONFIGMAPS}/limits"), MERGE, json!({"data": {"most": "0"}})).await.with(200);
    server.post(DEPLOYMENTS, deployment("b")).await.with(201);
}

#[tokio::test]
async fn deletions_are_seen_and_configurations_are_not() {
    let server = Server::start().await;
    let all = json!({"resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["DELETE"], "resources": ["*"]}]});
    let spec = json!({"matchConstraints": all, "validations": [{"expression": "object == null && oldObject.metadata.name != 'keep'"}]});
    enforce(&server, "", "", spec).await;
    server.config_map("keep").await;
    server.config_map("other").await;
    server.delete(&format!("{CONFIGMAPS}/other")).await.with(200);
    server.delete(&format!("{CONFIGMAPS}/keep")).await.refused(422, "Invalid");
    server.delete(&format!("{POLICIES}/rule.example.com")).await.with(200);
    server.delete(&format!("{CONFIGMAPS}/keep")).await.with(200);
}

#[tokio::test]
async fn a_dry_run_of_a_policy_puts_nothing_into_force() {
    let server = Server::start().await;
    let never = json!({"validations": [{"expression": "false"}]});
    let whole = policy("p", "", "configmaps", never).to_string();
    server.request("POST", &format!("{POLICIES}?dryRun=All")).body(JSON, whole).send().await.with(201);
    server.make(BINDINGS, binding("b", "p", json!({}))).await;
    server.config_map("a").await;
}

#[tokio::test]
async fn what_a_policy_says_of_deletions_is_told() {
    let server = Server::start().await;
    let mut kept =
        policy("p", "", "configmaps", json!({"validations": [{"expression": "false", "message": "a pity"}]}));
    kept["spec"]["matchConstraints"]["resourceRules"][0]["operations"] = json!(["DELETE"]);
    server.make(POLICIES, kept).await;
    server.make(BINDINGS, binding("b", "p", json!({"validationActions": ["Warn"]}))).await;
    let said = "299 - \"Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': a pity\"";
    for name in ["one", "two", "three"] {
        server.config_map(name).await;
    }
    assert_eq!(server.delete(&format!("{CONFIGMAPS}/one")).await.warnings(), [said]);
    assert_eq!(server.delete(CONFIGMAPS).await.warnings(), [said]);
    server.get(&format!("{CONFIGMAPS}/two")).await.refused(404, "NotFound");
}

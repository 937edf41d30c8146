//! What may be in policies, bindings and webhook configurations.

use serde_json::{Value, json};

use crate::harness::Server;
use crate::policies::{BINDINGS, POLICIES, binding, policy};

const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

async fn refused(server: &Server, path: &str, object: Value) -> Vec<(String, String)> {
    let status = server.post(path, object).await.with(422);
    let causes = status["details"]["causes"].as_array().cloned().unwrap_or_default();
    let text = |cause: &Value, field: &str| cause[field].as_str().unwrap_or_default().to_owned();
    causes.iter().map(|cause| (text(cause, "field"), text(cause, "message"))).collect()
}

fn said(field: &str, message: &str) -> (String, String) {
    (field.to_owned(), message.to_owned())
}

#[tokio::test]
async fn expressions_have_to_compile() {
    let server = Server::start().await;
    let spec = json!({
        "matchConditions": [{"name": "a b", "expression": "object.x"}],
        "variables": [{"name": "in", "expression": "foo"}],
        "validations": [{"expression": "object.x ==", "messageExpression": "authorizer", "reason": "X"}, {"expression": "1"}],
    });
    let causes = refused(&server, POLICIES, policy("p", "", "pods", spec)).await;
    let find =
        |field: &str| causes.iter().filter(|(at, _)| at == field).map(|(_, said)| said.as_str()).collect::<Vec<_>>();
    assert_eq!(find("spec.matchConditions[0].expression"), ["Invalid value: \"object.x\": must evaluate to bool"]);
    assert!(find("spec.matchConditions[0].name")[0].starts_with("Invalid value: \"a b\": name part must consist of"));
    assert_eq!(find("spec.variables[0].name"), ["Invalid value: \"in\": name is not a valid CEL identifier"]);
    assert_eq!(
        find("spec.variables[0].expression"),
        [
            "Invalid value: \"foo\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^"
        ]
    );
    assert!(
        find("spec.validations[0].expression")[0]
            .starts_with("Invalid value: \"object.x ==\": compilation failed: ERROR: <input>:1:12: Syntax error: ")
    );
    assert!(find("spec.validations[0].messageExpression")[0].contains("undeclared reference to 'authorizer'"));
    assert_eq!(
        find("spec.validations[0].reason"),
        ["Unsupported value: \"X\": supported values: \"Forbidden\", \"Invalid\", \"RequestEntityTooLarge\""]
    );
    assert_eq!(find("spec.validations[1].expression"), ["Invalid value: \"1\": must evaluate to bool"]);
}

#[tokio::test]
async fn policies_and_bindings_are_whole() {
    let server = Server::start().await;
    let causes = refused(&server, POLICIES, json!({"metadata": {"name": "p"}, "spec": {}})).await;
    let nothing = "Required value: validations or auditAnnotations must contain at least one item";
    assert_eq!(
        causes,
        [
            said("spec.matchConstraints", "Required value"),
            said("spec.validations", nothing),
            said("spec.auditAnnotations", nothing)
        ]
    );
    let made = server.make(POLICIES, policy("p", "", "pods", json!({"validations": [{"expression": "true"}]}))).await;
    let constraints = &made["spec"]["matchConstraints"];
    assert_eq!(
        (&constraints["matchPolicy"], &constraints["resourceRules"][0]["scope"]),
        (&json!("Equivalent"), &json!("*"))
    );
    assert_eq!((&constraints["namespaceSelector"], &made["spec"]["failurePolicy"]), (&json!({}), &json!("Fail")));
    let both = json!({"validationActions": ["Deny", "Warn"], "paramRef": {}});
    assert_eq!(
        refused(&server, BINDINGS, binding("b", "", both)).await,
        [
            said("spec.policyName", "Required value"),
            said("spec.paramRef", "Required value: one of name or selector must be specified"),
            said("spec.paramRef.parameterNotFoundAction", "Required value"),
            said(
                "spec.validationActions",
                "Invalid value: []admissionregistration.ValidationAction{\"Deny\", \"Warn\"}: must not contain both Deny and Warn (repeating the same \
                 validation failure information in the API response and headers serves no purpose)"
            ),
        ]
    );
}

#[tokio::test]
async fn webhooks_are_whole() {
    let server = Server::start().await;
    let hook = json!({
        "name": "a.b", "clientConfig": {"url": "http://u:p@x/?a=b"}, "timeoutSeconds": 31, "admissionReviewVersions": ["v2"],
        "rules": [{"operations": ["*", "GET"], "apiGroups": [], "apiVersions": ["v1"], "resources": ["pods/*", "pods/log"], "scope": "x"}],
        "sideEffects": "Some", "failurePolicy": "Never",
    });
    let object = json!({"metadata": {"name": "h"}, "webhooks": [hook, {"name": "a.b", "admissionReviewVersions": ["v1"], "clientConfig": {}}]});
    let causes = refused(&server, MUTATING, object).await;
    for (field, message) in [
        (
            "webhooks[0].name",
            "Invalid value: \"a.b\": should be a domain with at least three segments separated by dots",
        ),
        (
            "webhooks[0].rules[0].operations",
            "Invalid value: []admissionregistration.OperationType{\"*\", \"GET\"}: if '*' is present, must not specify other operations",
        ),
        (
            "webhooks[0].rules[0].operations[1]",
            "Unsupported value: \"GET\": supported values: \"*\", \"CONNECT\", \"CREATE\", \"DELETE\", \"UPDATE\"",
        ),
        ("webhooks[0].rules[0].apiGroups", "Required value"),
        (
            "webhooks[0].rules[0].resources[1]",
            "Invalid value: \"pods/log\": if 'pods/*' is present, must not specify pods/log",
        ),
        (
            "webhooks[0].rules[0].scope",
            "Unsupported value: \"x\": supported values: \"*\", \"Cluster\", \"Namespaced\"",
        ),
        ("webhooks[0].failurePolicy", "Unsupported value: \"Never\": supported values: \"Fail\", \"Ignore\""),
        ("webhooks[0].sideEffects", "Unsupported value: \"Some\": supported values: \"None\", \"NoneOnDryRun\""),
        ("webhooks[0].timeoutSeconds", "Invalid value: 31: the timeout value must be between 1 and 30 seconds"),
        (
            "webhooks[0].clientConfig.url",
            "Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]",
        ),
        ("webhooks[0].clientConfig.url", "Invalid value: \"a=b\": query parameters are not permitted in the URL"),
        (
            "webhooks[0].admissionReviewVersions",
            "Invalid value: []string{\"v2\"}: must include at least one of v1, v1beta1",
        ),
        ("webhooks[1].sideEffects", "Required value: must specify one of None, NoneOnDryRun"),
        ("webhooks[1].clientConfig", "Required value: exactly one of url or service is required"),
        ("webhooks[1].name", "Duplicate value: \"a.b\""),
    ] {
        assert!(causes.contains(&said(field, message)), "{field}: {message} is not in {causes:#?}");
    }
}

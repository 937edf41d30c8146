use serde_json::json;

use super::*;

fn definition() -> Value {
    json!({
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": {"plural": "crontabs", "singular": "crontab", "kind": "CronTab", "listKind": "CronTabList"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}}}],
            "conversion": {"strategy": "None"},
        },
        "status": {"storedVersions": ["v1"]},
    })
}

fn said(change: impl FnOnce(&mut Value)) -> String {
    let mut definition = definition();
    change(&mut definition);
    let mut errors = Errors::default();
    validate(&definition, &mut errors);
    if errors.is_empty() { String::new() } else { errors.to_string() }
}

#[test]
fn a_good_definition_passes() {
    assert_eq!(said(|_| {}), "");
}

#[test]
fn names_group_and_scope() {
    assert_eq!(
        said(|d| d["metadata"]["name"] = "x.stable.example.com".into()),
        "metadata.name: Invalid value: \"x.stable.example.com\": must be spec.names.plural+\".\"+spec.group"
    );
    assert!(
        said(|d| d["spec"]["group"] = "apps".into())
            .contains("spec.group: Invalid value: \"apps\": should be a domain with at least one dot")
    );
    assert_eq!(
        said(|d| d["spec"]["scope"] = "World".into()),
        "spec.scope: Unsupported value: \"World\": supported values: \"Cluster\", \"Namespaced\""
    );
    assert_eq!(
        said(|d| d["spec"]["names"]["listKind"] = "CronTab".into()),
        "spec.names.listKind: Invalid value: \"CronTab\": kind and listKind may not be the same"
    );
}

#[test]
fn versions_are_unique_and_one_is_stored() {
    let said_of = |versions: Value| said(|d| d["spec"]["versions"] = versions);
    let version = definition()["spec"]["versions"][0].clone();
    assert!(said_of(json!([version, version])).contains("must contain unique version names"));
    assert!(said_of(json!([version, version])).contains("must have exactly one version marked as storage version"));
    let without = json!([{"name": "v1", "served": true, "storage": true}]);
    let words = "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required";
    assert_eq!(said_of(without), words);
    assert_eq!(
        said(|d| d["status"]["storedVersions"] = json!(["v1", "v0"])),
        "status.storedVersions[1]: Invalid value: \"v0\": must appear in spec.versions"
    );
    assert_eq!(
        said(|d| d["spec"]["versions"][0]["deprecationWarning"] = "old".into()),
        "spec.versions[0].deprecationWarning: Invalid value: \"old\": can only be set for deprecated versions"
    );
}

#[test]
fn subresources_columns_and_fields() {
    let version = |field: &'static str, value: Value| said(move |d| d["spec"]["versions"][0][field] = value);
    assert_eq!(
        version("subresources", json!({"scale": {"specReplicasPath": ".x", "statusReplicasPath": ""}})),
        "[spec.versions[0].subresources.scale.specReplicasPath: Invalid value: \".x\": should be a json path under .spec, \
         spec.versions[0].subresources.scale.statusReplicasPath: Required value]"
    );
    assert_eq!(
        version("additionalPrinterColumns", json!([{"name": "A", "type": "int", "jsonPath": "spec"}])),
        "[spec.versions[0].additionalPrinterColumns[0].type: Invalid value: \"int\": must be one of \
         boolean,date,integer,number,string, spec.versions[0].additionalPrinterColumns[0].JSONPath: Invalid value: \
         \"spec\": must be a simple json path starting with .]"
    );
    assert_eq!(
        version("selectableFields", json!([{"jsonPath": ".spec.x"}])),
        "spec.versions[0].selectableFields[0].jsonPath: Invalid value: \".spec.x\": is an invalid path: does not refer to \
         a valid field"
    );
}

#[test]
fn conversion_webhooks() {
    let of = |conversion: Value| said(move |d| d["spec"]["conversion"] = conversion);
    assert!(
        of(json!({"strategy": "Webhook"}))
            .contains("spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook")
    );
    let webhook = |client: Value| {
        json!({"strategy": "Webhook", "webhook": {"clientConfig": client,
        "conversionReviewVersions": ["v1"]}})
    };
    assert_eq!(of(webhook(json!({"url": "https://a/b"}))), "");
    assert!(of(webhook(json!({"url": "http://a/b"}))).contains("'https' is the only allowed URL scheme"));
    assert!(
        of(webhook(json!({"service": {"name": "a", "namespace": "b", "path": "x"}}))).contains("must start with a '/'")
    );
}

#[test]
fn kubernetes_own_groups_need_approval() {
    let mut own = definition();
    own["spec"]["group"] = "foo.k8s.io".into();
    own["metadata"]["name"] = "crontabs.foo.k8s.io".into();
    let mut errors = Errors::default();
    validate(&own, &mut errors);
    assert_eq!(
        errors.to_string(),
        "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation \
         \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111"
    );
    own["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": "https://github.com/x"});
    let mut errors = Errors::default();
    validate(&own, &mut errors);
    assert!(errors.is_empty());
    assert_eq!(approval::condition(&own).map(|c| c.reason), Some("ApprovedAnnotation"));
}

#[test]
fn what_is_established_keeps_its_scope_and_kind() {
    let mut old = definition();
    old["status"]["conditions"] = json!([{"type": "Established", "status": "True"}]);
    let mut new = old.clone();
    new["spec"]["scope"] = "Cluster".into();
    new["spec"]["names"]["plural"] = "x".into();
    let mut errors = Errors::default();
    validate_update(&new, &old, &mut errors);
    assert_eq!(
        errors.to_string(),
        "[spec.scope: Invalid value: \"Cluster\": field is immutable, spec.names.plural: Invalid value: \"x\": field is \
         immutable]"
    );
}

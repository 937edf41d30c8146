use std::collections::HashSet;

use super::*;

fn apps() -> Value {
    serde_json::from_slice(&v3("apps/v1").unwrap()).unwrap()
}

#[test]
fn the_index_leads_to_documents() {
    let index = v3_index();
    let paths = index["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 21);
    let url = paths["apis/apps/v1"]["serverRelativeURL"].as_str().unwrap();
    assert_eq!(url, format!("/openapi/v3/apis/apps/v1?hash={}", hash("apps/v1").unwrap()));
    assert!(v3("apis/apps/v1").is_some() && v3("api/v1").is_some() && v3("nope/v1").is_none());
}

#[test]
fn patches_say_kind_and_validation() {
    let document = apps();
    let patch = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    let kind = json!({"group": "apps", "version": "v1", "kind": "Deployment"});
    assert_eq!(patch["x-kubernetes-group-version-kind"], kind);
    assert_eq!(patch["x-kubernetes-action"], "patch");
    let names: Vec<_> = patch["parameters"].as_array().unwrap().iter().map(|of| &of["name"]).collect();
    assert!(names.contains(&&json!("fieldValidation")));
}

#[test]
fn schemas_have_what_merging_needs() {
    let document = apps();
    let schemas = &document["components"]["schemas"];
    let ports = &schemas["io.k8s.api.core.v1.Container"]["properties"]["ports"];
    assert_eq!(ports["x-kubernetes-patch-merge-key"], "containerPort");
    assert_eq!(ports["x-kubernetes-patch-strategy"], "merge");
    assert_eq!(ports["x-kubernetes-list-map-keys"], json!(["containerPort", "protocol"]));
    let strategy = &schemas["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["strategy"];
    assert_eq!(strategy["x-kubernetes-patch-strategy"], "retainKeys");
    assert!(strategy["description"].as_str().is_some_and(|text| text.len() > 20));
}

#[test]
fn every_reference_is_there() {
    for version in versions() {
        let document = document(builtin(), &version).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        let referred: HashSet<&str> = text
            .split("#/components/schemas/")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap_or_default())
            .collect();
        let missing: Vec<_> = referred.iter().filter(|name| !schemas.contains_key(**name)).collect();
        assert!(missing.is_empty(), "{version}: {missing:?}");
        let bare: Vec<_> = schemas
            .iter()
            .filter(|(name, schema)| schema.as_object().is_some_and(|s| s.is_empty()) && !name.ends_with("JSON"))
            .collect();
        assert!(bare.is_empty(), "{version}: {bare:?}");
    }
}

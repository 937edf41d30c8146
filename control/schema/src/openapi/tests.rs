use std::collections::HashSet;

use serde_json::json;

use super::*;
use crate::table::{ResourceRow, SubRow};

fn apps() -> Value {
    serde_json::from_slice(&v3("apps/v1").unwrap()).unwrap()
}

fn v2_json(kinds: &[Custom]) -> Value {
    serde_json::from_slice(&inflate(&v2_gzip(Form::Json, &versions(), kinds).unwrap()).unwrap()).unwrap()
}

#[test]
fn documents_are_found_by_place() {
    for place in ["apis/apps/v1", "apps/v1", "api/v1", "v1", "api", "apis", "apis/apps", "version"] {
        assert!(v3(place).is_some() && hash(place).is_some(), "{place}");
    }
    for place in ["nope/v1", "apis/nope/v1", "apps", ""] {
        assert!(v3(place).is_none() && hash(place).is_none(), "{place}");
    }
}

#[test]
fn patches_say_kind_and_validation() {
    let document = apps();
    let patch = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    let kind = json!({"group": "apps", "version": "v1", "kind": "Deployment"});
    assert_eq!(patch["x-kubernetes-group-version-kind"], kind);
    assert_eq!(patch["x-kubernetes-action"], "patch");
    let names: Vec<_> = patch["parameters"].as_array().unwrap().iter().map(|of| &of["name"]).collect();
    assert_eq!(names, ["dryRun", "fieldManager", "fieldValidation", "force"]);
}

#[test]
fn parameters_are_described_and_stand_once() {
    let document = apps();
    let one = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"];
    let shared: Vec<_> = one["parameters"].as_array().unwrap().iter().map(|of| &of["name"]).collect();
    assert_eq!(shared, ["name", "namespace", "pretty"]);
    assert_eq!(one["parameters"][0]["description"], "name of the Scale");
    let bare = document["paths"].as_object().unwrap().values().flat_map(|item| {
        let own = item.as_object().unwrap().values().flat_map(|of| of["parameters"].as_array().into_iter().flatten());
        own.chain(item["parameters"].as_array().into_iter().flatten()).collect::<Vec<_>>()
    });
    let bare: Vec<_> = bare.filter(|of| of["description"].as_str().is_none_or(|text| text.len() < 15)).collect();
    assert!(bare.is_empty(), "{bare:?}");
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
fn enumerations_say_what_their_values_mean() {
    let document = apps();
    let schemas = &document["components"]["schemas"];
    let protocol = &schemas["io.k8s.api.core.v1.ContainerPort"]["properties"]["protocol"];
    assert_eq!(protocol["enum"], json!(["SCTP", "TCP", "UDP"]));
    let text = protocol["description"].as_str().unwrap();
    assert!(text.ends_with("\n\nPossible enum values:\n - `\"SCTP\"` is the SCTP protocol.\n - `\"TCP\"` is the TCP protocol.\n - `\"UDP\"` is the UDP protocol."), "{text}");
    let modes = &schemas["io.k8s.api.core.v1.PersistentVolumeClaimSpec"]["properties"]["accessModes"];
    assert!(modes["items"]["enum"].as_array().is_some_and(|values| values.len() == 4));
}

#[test]
fn every_type_and_field_is_described() {
    let mut wordless = Vec::new();
    for version in versions() {
        let document = document(builtin(), &version).unwrap();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let bare =
                fields.filter(|(_, of)| of["description"].as_str().is_none_or(str::is_empty)).map(|(field, _)| field);
            let short = name.rsplit('.').next().unwrap_or_default();
            wordless.extend(bare.map(|field| format!("{short}.{field}")));
        }
    }
    wordless.sort_unstable();
    wordless.dedup();
    // Upstream has no words for these either.
    wordless.retain(|field| !field.starts_with("JSONSchemaProps."));
    let wanted = [
        "CertificateSigningRequest.metadata",
        "CertificateSigningRequestList.metadata",
        "ExternalDocumentation.description",
        "ExternalDocumentation.url",
        "IngressRule.http",
        "WatchEvent.type",
    ];
    assert_eq!(wordless, wanted);
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

#[test]
fn the_second_version_is_whole() {
    let document = v2_json(&[]);
    let patch = &document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"];
    assert_eq!(patch["x-kubernetes-group-version-kind"], json!({"group": "", "version": "v1", "kind": "Pod"}));
    let consumes = patch["consumes"].as_array().unwrap();
    assert_eq!((consumes.len(), &consumes[0]), (4, &json!("application/json-patch+json")));
    let text = document.to_string();
    let mut referred = text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
    assert_eq!(referred.find(|to| document.pointer(to).is_none()), None);
    assert!(!text.contains("components/schemas"));
    let spec = &document["definitions"]["io.k8s.api.core.v1.Pod"]["properties"]["spec"];
    assert_eq!(spec["$ref"], "#/definitions/io.k8s.api.core.v1.PodSpec");
}

#[test]
fn custom_kinds_are_told_like_others() {
    let row = ResourceRow {
        group: "example.com".to_owned(),
        version: "v1".to_owned(),
        stored: None,
        resource: "widgets".to_owned(),
        kind: "Widget".to_owned(),
        singular: "widget".to_owned(),
        namespaced: true,
        verbs: vec!["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        short_names: Vec::new(),
        categories: Vec::new(),
        subresources: vec![SubRow {
            name: "scale".to_owned(),
            group: Some("autoscaling".to_owned()),
            version: Some("v1".to_owned()),
            kind: "Scale".to_owned(),
            verbs: vec!["get", "patch", "update"],
        }],
    };
    let schema = json!({"type": "object", "description": "A widget.", "properties": {"spec": {"type": "object", "nullable": true,
        "properties": {"size": {"type": "integer"}}}, "metadata": {"type": "object"}}});
    let kinds = [Custom { row: &row, schema: &schema }];
    let document: Value = serde_json::from_slice(&inflate(&custom_v3_gzip(&kinds).unwrap()).unwrap()).unwrap();
    let widget = &document["components"]["schemas"]["com.example.v1.Widget"];
    let kind = json!([{"group": "example.com", "kind": "Widget", "version": "v1"}]);
    assert_eq!(widget["x-kubernetes-group-version-kind"], kind);
    assert!(widget["properties"]["metadata"]["allOf"][0]["$ref"].as_str().is_some_and(|to| to.ends_with("ObjectMeta")));
    let one = &document["paths"]["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"];
    assert_eq!(one["patch"]["operationId"], "patchExampleComV1NamespacedWidget");
    assert_eq!(one["patch"]["requestBody"]["content"].as_object().unwrap().len(), 3);
    assert!(document["paths"]["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}/scale"].is_object());
    assert!(document["components"]["schemas"]["io.k8s.api.autoscaling.v1.Scale"].is_object());

    let document = v2_json(&kinds);
    let widget = &document["definitions"]["com.example.v1.Widget"];
    assert_eq!(widget["properties"]["spec"], json!({}));
    assert_eq!(document["definitions"]["com.example.v1.WidgetList"]["required"], json!(["items"]));
    assert!(document["paths"]["/apis/example.com/v1/widgets"]["get"].is_object());
    let other = json!({"type": "object"});
    assert_ne!(custom_hash(&kinds), custom_hash(&[Custom { row: &row, schema: &other }]));
    assert!(
        v2_gzip(Form::Protobuf, &versions(), &kinds).is_some_and(|packed| inflate(&packed).unwrap().len() > 100_000)
    );
}

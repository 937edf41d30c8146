use http::header::IF_NONE_MATCH;
use serde_json::Value;

use crate::harness::*;

#[tokio::test]
async fn every_served_version_has_a_document_under_its_hash() {
    let server = Server::start().await;
    let index = server.read("/openapi/v3").await;
    let places = index["paths"].as_object().expect("places");
    for place in ["api", "api/v1", "apis", "apis/apps", "apis/apps/v1", "version"] {
        assert!(places.contains_key(place), "{place}");
    }
    for (place, of) in places {
        let url = of["serverRelativeURL"].as_str().expect("a URL");
        let answer = server.get(url).await;
        assert_eq!(answer.header("cache-control"), "public, immutable");
        let tag = answer.header("etag").to_owned();
        assert_eq!(url, format!("/openapi/v3/{place}?hash={}", tag.trim_matches('"')));
        assert!(answer.with(200)["paths"].as_object().is_some_and(|paths| !paths.is_empty()));
        let again = server.request("GET", url).header(IF_NONE_MATCH.as_str(), &tag).send().await;
        assert_eq!((again.code, again.text.len()), (304, 0));
    }
    let moved = server.get("/openapi/v3/api/v1?hash=old").await;
    assert_eq!(moved.code, 301);
    assert_eq!(server.get(moved.header("location")).await.code, 200);
    assert_eq!(server.get("/openapi/v3/apis/none/v1").await.code, 404);
}

#[tokio::test]
async fn every_verb_of_every_resource_is_told() {
    let server = Server::start().await;
    let all = server.read("/openapi/v2").await;
    for version in ["/api/v1", "/apis/apps/v1"] {
        for resource in server.read(version).await["resources"].as_array().expect("resources") {
            let name = resource["name"].as_str().expect("a name");
            let (collection, part) = name.split_once('/').unwrap_or((name, ""));
            let space = if resource["namespaced"] == true { "/namespaces/{namespace}" } else { "" };
            let part = if part.is_empty() { String::new() } else { format!("/{part}") };
            for verb in resource["verbs"].as_array().expect("verbs") {
                let (object, method) = match verb.as_str().expect("a verb") {
                    "list" => ("", "get"),
                    "deletecollection" => ("", "delete"),
                    "create" if part.is_empty() => ("", "post"),
                    "create" => ("/{name}", "post"),
                    "update" => ("/{name}", "put"),
                    "watch" => continue,
                    same => ("/{name}", same),
                };
                let path = format!("{version}{space}/{collection}{object}{part}");
                assert!(all["paths"][&path][method].is_object(), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn both_versions_are_one_in_what_they_say() {
    let server = Server::start().await;
    let (old, new) = (server.read("/openapi/v2").await, server.read("/openapi/v3/api/v1").await);
    let schemas = new["components"]["schemas"].as_object().expect("schemas");
    assert!(schemas.len() > 150);
    for (name, schema) in schemas {
        let definition = &old["definitions"][name];
        assert_eq!(definition["description"], schema["description"], "{name}");
        let fields = |of: &Value| of["properties"].as_object().map(|p| p.keys().cloned().collect::<Vec<_>>());
        assert_eq!(fields(definition), fields(schema), "{name}");
    }
}

#[tokio::test]
async fn documents_come_as_clients_take_them() {
    let server = Server::start().await;
    for path in ["/openapi/v2", "/openapi/v3/api/v1"] {
        let plain = server.get(path).await;
        assert_eq!(plain.header("content-encoding"), "");
        assert_eq!(plain.header("content-type"), JSON);
        let head = server.request("HEAD", path).send().await;
        assert_eq!((head.code, head.text.len()), (200, 0));
        assert_eq!(head.header("etag"), plain.header("etag"));
        let refused = server.request("GET", path).accept("text/html").send().await;
        refused.refused(406, "NotAcceptable");
        assert_eq!(server.post(path, serde_json::json!({})).await.code, 405);
    }
    let old = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    let answer = server.request("HEAD", "/openapi/v2").accept(&format!("{old}, application/json")).send().await;
    assert_eq!(answer.header("content-type"), "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
}

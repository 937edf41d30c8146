//! The documents, asked for without a socket.

use schema::SubRow;

use super::*;

const ALL: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

fn row(group: &str, version: &str, resource: &str, kind: &str) -> ResourceRow {
    ResourceRow {
        group: group.into(),
        version: version.into(),
        stored: None,
        resource: resource.into(),
        kind: kind.into(),
        singular: kind.to_lowercase(),
        namespaced: true,
        verbs: ALL.to_vec(),
        short_names: Vec::new(),
        categories: Vec::new(),
        subresources: Vec::new(),
    }
}

fn sub(name: &str, of: Option<(&str, &str)>, kind: &str) -> SubRow {
    SubRow {
        name: name.into(),
        group: of.map(|(group, _)| group.into()),
        version: of.map(|(_, version)| version.into()),
        kind: kind.into(),
        verbs: vec!["get", "patch", "update"],
    }
}

fn discovery() -> Discovery {
    let mut deployments = row("apps", "v1", "deployments", "Deployment");
    deployments.short_names = vec!["deploy".into()];
    deployments.categories = vec!["all".into()];
    deployments.subresources =
        vec![sub("scale", Some(("autoscaling", "v1")), "Scale"), sub("status", None, "Deployment")];
    let mut reviews = row("authentication.k8s.io", "v1", "tokenreviews", "TokenReview");
    reviews.namespaced = false;
    reviews.verbs = vec!["create"];
    let rows = [
        row("", "v1", "pods", "Pod"),
        deployments,
        reviews,
        row("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
        row("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    ];
    Discovery::new(&rows, "10.0.0.1:6443")
}

fn ask(uri: &str, headers: &[(http::HeaderName, &str)]) -> Option<Response<Bytes>> {
    let mut request = http::Request::get(uri);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    discovery().answer(&parts)
}

fn document(uri: &str) -> Value {
    let answer = ask(uri, &[]).unwrap();
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
    serde_json::from_slice(answer.body()).unwrap()
}

/// Compares as text too: the order of fields is part of what clients are used to.
fn assert_same(found: &Value, expected: &Value) {
    assert_eq!(found.to_string(), expected.to_string());
}

#[test]
fn a_version_lists_its_resources() {
    assert_same(
        &document("/apis/apps/v1"),
        &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "apps/v1", "resources": [
            {"name": "deployments", "singularName": "deployment", "namespaced": true, "kind": "Deployment", "verbs": ALL,
                "shortNames": ["deploy"], "categories": ["all"], "storageVersionHash": "8aSe+NMegvE="},
            {"name": "deployments/scale", "singularName": "", "namespaced": true, "group": "autoscaling", "version": "v1",
                "kind": "Scale", "verbs": ["get", "patch", "update"]},
            {"name": "deployments/status", "singularName": "", "namespaced": true, "kind": "Deployment",
                "verbs": ["get", "patch", "update"]},
        ]}),
    );
    assert_same(
        &document("/apis/authentication.k8s.io/v1"),
        &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "authentication.k8s.io/v1", "resources": [
            {"name": "tokenreviews", "singularName": "tokenreview", "namespaced": false, "kind": "TokenReview", "verbs": ["create"]},
        ]}),
    );
    assert_eq!(document("/api/v1")["groupVersion"], "v1");
}

#[test]
fn groups_are_listed_in_order_of_preference() {
    assert_same(
        &document("/api"),
        &json!({"kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "10.0.0.1:6443"}]}),
    );
    let versions = json!([{"groupVersion": "autoscaling/v2", "version": "v2"}, {"groupVersion": "autoscaling/v1", "version": "v1"}]);
    assert_same(
        &document("/apis/autoscaling"),
        &json!({"kind": "APIGroup", "apiVersion": "v1", "name": "autoscaling", "versions": versions, "preferredVersion": versions[0]}),
    );
    let all = document("/apis/");
    let names: Vec<&str> = all["groups"].as_array().unwrap().iter().filter_map(|g| g["name"].as_str()).collect();
    assert_eq!(names, ["apps", "authentication.k8s.io", "autoscaling"]);
}

#[test]
fn the_aggregated_form_has_it_all() {
    let v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let answer = ask("/apis", &[(ACCEPT, &format!("{v2},application/json"))]).unwrap();
    assert_eq!(answer.headers()[CONTENT_TYPE], v2);
    assert_eq!(answer.headers()[VARY], "Accept");
    assert_eq!(answer.headers()[CACHE_CONTROL], "public");
    let found: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(found["apiVersion"], "apidiscovery.k8s.io/v2");
    assert_same(
        &found["items"][0],
        &json!({"metadata": {"name": "apps", "creationTimestamp": null}, "versions": [{"version": "v1", "resources": [
            {"resource": "deployments", "responseKind": {"group": "", "version": "", "kind": "Deployment"},
                "scope": "Namespaced", "singularResource": "deployment", "verbs": ALL,
                "shortNames": ["deploy"], "categories": ["all"], "subresources": [
                    {"subresource": "scale", "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
                        "verbs": ["get", "patch", "update"]},
                    {"subresource": "status", "responseKind": {"group": "", "version": "", "kind": "Deployment"},
                        "verbs": ["get", "patch", "update"]},
                ]},
        ], "freshness": "Current"}]}),
    );
    let tag = answer.headers()[ETAG].to_str().unwrap();
    let again = ask("/apis", &[(ACCEPT, v2), (IF_NONE_MATCH, tag)]).unwrap();
    assert_eq!((again.status(), again.body().len()), (StatusCode::NOT_MODIFIED, 0));

    let beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
    let core = ask("/api", &[(ACCEPT, beta)]).unwrap();
    assert_eq!(core.headers()[CONTENT_TYPE], beta);
    let found: Value = serde_json::from_slice(core.body()).unwrap();
    assert_same(&found["items"][0]["metadata"], &json!({"creationTimestamp": null}));
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_not_there_is_not_answered() {
    for path in ["/apis/none", "/apis/apps/v2", "/api/v2", "/api/v1/pods", "/openapi/v3/apis/none/v1", "/metrics"] {
        assert!(ask(path, &[]).is_none(), "{path}");
    }
    assert_eq!(ask("/apis", &[(ACCEPT, "application/vnd.kubernetes.protobuf")]).unwrap().status(), 406);
}

#[test]
fn only_reading_is_allowed() {
    let (parts, ()) = http::Request::post("/apis").body(()).unwrap().into_parts();
    assert_eq!(discovery().answer(&parts).unwrap().status(), 405);
}

#[test]
fn the_version_is_one_that_clients_can_parse() {
    let version = document("/version");
    assert_eq!((&version["major"], &version["minor"]), (&json!("1"), &json!("33")));
    assert!(version["gitVersion"].as_str().unwrap().starts_with("v1.33."));
}

#[test]
fn paths_are_listed() {
    let paths = document("/");
    let paths: Vec<&str> = paths["paths"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(paths.is_sorted());
    for path in ["/api", "/api/v1", "/apis", "/apis/autoscaling", "/apis/autoscaling/v2", "/version"] {
        assert!(paths.contains(&path), "{path}");
    }
}

#[test]
fn an_old_kubectl_gets_the_schemas_in_its_own_format() {
    let asked = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    let answer = ask("/openapi/v2", &[(ACCEPT, asked)]).unwrap();
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
    let has = |text: &str| answer.body().windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(has("#/definitions/io.k8s.api.apps.v1.DeploymentSpec") && has("io.k8s.api.autoscaling.v2.MetricSpec"));
    let tag = answer.headers()[ETAG].to_str().unwrap();
    let again = ask("/openapi/v2", &[(ACCEPT, asked), (IF_NONE_MATCH, tag)]).unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(document("/openapi/v2")["swagger"], "2.0");
}

#[test]
fn schemas_are_indexed_by_their_hash() {
    let index = document("/openapi/v3");
    let paths = index["paths"].as_object().unwrap();
    for place in ["api", "api/v1", "apis", "apis/apps", "apis/apps/v1", "apis/autoscaling/v2", "version"] {
        let url = paths[place]["serverRelativeURL"].as_str().unwrap();
        assert_eq!(url, format!("/openapi/v3/{place}?hash={}", schema::openapi::hash(place).unwrap()));
        assert_eq!(document(url)["openapi"], "3.0.0");
    }
    assert!(!paths.contains_key("apis/batch/v1"), "what is not served is not told");
}

#[test]
fn schemas_are_sent_as_they_are_kept() {
    for path in ["/openapi/v2", "/openapi/v3/apis/apps/v1"] {
        let packed = ask(path, &[(http::header::ACCEPT_ENCODING, "br, gzip;q=0.8")]).unwrap();
        assert_eq!(packed.headers()[http::header::CONTENT_ENCODING], "gzip");
        let plain = ask(path, &[]).unwrap();
        assert!(!plain.headers().contains_key(http::header::CONTENT_ENCODING));
        assert!(schema::openapi::inflate(packed.body()).unwrap() == plain.body());
        assert_eq!(ask(path, &[(ACCEPT, "text/html")]).unwrap().status(), StatusCode::NOT_ACCEPTABLE);
    }
}

#[test]
fn custom_kinds_are_told_with_the_others() {
    let widgets = row("example.com", "v1", "widgets", "Widget");
    let size = json!({"type": "object", "properties": {"size": {"type": "integer", "description": "How big."}}});
    let custom = CustomSchema { row: widgets.clone().into(), schema: size.into() };
    let pods = row("", "v1", "pods", "Pod");
    let discovery = Discovery::new([&pods, &widgets], "10.0.0.1:6443").with_custom(vec![custom]);
    let get = |uri: &str| {
        let (parts, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
        serde_json::from_slice::<Value>(discovery.answer(&parts).unwrap().body()).unwrap()
    };
    let index = get("/openapi/v3");
    let url = index["paths"]["apis/example.com/v1"]["serverRelativeURL"].as_str().unwrap();
    let size = "/com.example.v1.Widget/properties/size/description";
    assert_eq!(get(url)["components"]["schemas"].pointer(size).unwrap(), "How big.");
    assert_eq!(get("/openapi/v2")["definitions"].pointer(size).unwrap(), "How big.");
    assert!(index["paths"]["apis/example.com"].is_object() && get("/openapi/v2")["paths"]["/api/v1/pods"].is_object());
}

#[test]
fn schemas_may_be_kept_under_their_hash_only() {
    let get = |query: &str, tag: &str| {
        let request = http::Request::get(format!("/openapi/v3/api/v1{query}")).header(IF_NONE_MATCH, tag);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        openapi::document("api/v1", || schema::openapi::v3_gzip("api/v1"), "AB", &parts)
    };
    let plain = get("", "\"x\"");
    assert_eq!(
        (&plain.headers()[ETAG], &plain.headers()[CACHE_CONTROL]),
        (&"\"AB\"".parse().unwrap(), &"no-cache, private".parse().unwrap())
    );
    let hashed = get("?hash=AB", "\"x\"");
    assert_eq!(hashed.headers()[CACHE_CONTROL], "public, immutable");
    assert!(hashed.headers()[http::header::EXPIRES].to_str().unwrap().ends_with(" GMT"));
    assert_eq!(get("?hash=AB", "\"AB\"").status(), StatusCode::NOT_MODIFIED);
    let moved = get("?hash=CD", "\"x\"");
    assert_eq!(moved.status(), StatusCode::MOVED_PERMANENTLY);
    assert_eq!(moved.headers()[http::header::LOCATION], "/openapi/v3/api/v1?hash=AB");
}

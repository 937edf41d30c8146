use control::auth::Caller;
use serde_json::json;

use crate::harness::*;

const REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";

#[tokio::test]
async fn the_administrator_may_be_anybody() {
    let server = Server::with_roles().await;
    let review = server.request("POST", REVIEWS).header("impersonate-user", "amy").header("impersonate-uid", "7");
    let review = review.header("impersonate-extra-scopes", "view").body(JSON, "{}").send().await.with(201);
    assert_eq!(
        review["status"]["userInfo"],
        json!({"username": "amy", "uid": "7", "groups": ["system:authenticated"], "extra": {"scopes": ["view"]}})
    );
    let refused = server.request("GET", PODS).header("impersonate-user", "amy").send().await;
    assert_eq!(
        refused.refused(403, "Forbidden"),
        "pods is forbidden: User \"amy\" cannot list resource \"pods\" in API group \"\" in the namespace \"golden\""
    );
}

#[tokio::test]
async fn every_attribute_needs_its_own_permission() {
    let server = Server::with_roles().await;
    let rules = json!([{"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"], "resourceNames": ["amy"]},
        {"verbs": ["impersonate"], "apiGroups": ["authentication.k8s.io"], "resources": ["userextras/scopes"]}]);
    server.make(ROLES, json!({"metadata": {"name": "double"}, "rules": rules})).await;
    let binding = json!({"metadata": {"name": "double"}, "roleRef": {"kind": "ClusterRole", "name": "double"},
        "subjects": [{"kind": "User", "name": "bob"}]});
    server.make(BINDINGS, binding).await;
    let post = || server.request("POST", REVIEWS).by(Caller::authenticated("bob", [])).body(JSON, "{}");
    post().header("impersonate-user", "amy").header("impersonate-extra-scopes", "x").send().await.with(201);
    for (name, value, what) in [
        (
            "impersonate-group",
            "system:masters",
            "groups \"system:masters\" is forbidden: User \"bob\" cannot impersonate",
        ),
        ("impersonate-uid", "7", "uids.authentication.k8s.io \"7\" is forbidden: User \"bob\" cannot impersonate"),
        ("impersonate-extra-other", "x", "userextras.authentication.k8s.io \"x\" is forbidden: User \"bob\" cannot"),
    ] {
        let refused = post().header("impersonate-user", "amy").header(name, value).send().await;
        let words = refused.refused(403, "Forbidden");
        assert!(words.starts_with(what), "{words}");
    }
    let words = post().header("impersonate-user", "eve").send().await.refused(403, "Forbidden");
    assert!(
        words.starts_with("users \"eve\" is forbidden: User \"bob\" cannot impersonate resource \"users\""),
        "{words}"
    );
}

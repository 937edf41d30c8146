use control::auth::Caller;
use serde_json::{Value, json};

use crate::harness::*;

const GROUP: &str = "/apis/rbac.authorization.k8s.io/v1";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/golden/roles";
const ROLE_BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/golden/rolebindings";

fn cluster(resource: &str) -> String {
    format!("{GROUP}/{resource}")
}

fn bob() -> Caller {
    Caller::authenticated("bob", ["dev".to_owned()])
}

fn pod_reader() -> Value {
    json!([{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}])
}

fn binding(name: &str, kind: &str, role: &str) -> Value {
    json!({"metadata": {"name": name}, "roleRef": {"kind": kind, "name": role}, "subjects": [{"kind": "User", "name": "bob"}]})
}

#[tokio::test]
async fn a_binding_is_in_force_with_the_next_request() {
    let server = Server::with_roles().await;
    let list = |path: &str| server.request("GET", path).by(bob()).send();
    assert_eq!(
        list(PODS).await.refused(403, "Forbidden"),
        "pods is forbidden: User \"bob\" cannot list resource \"pods\" in API group \"\" in the namespace \"golden\""
    );
    server.make(ROLE_BINDINGS, binding("b", "Role", "reader")).await;
    assert_eq!(
        list(PODS).await.refused(403, "Forbidden"),
        "pods is forbidden: User \"bob\" cannot list resource \"pods\" in API group \"\" in the namespace \"golden\": RBAC: \
         role.rbac.authorization.k8s.io \"reader\" not found"
    );
    server.make(ROLES, json!({"metadata": {"name": "reader"}, "rules": pod_reader()})).await;
    list(PODS).await.with(200);
    assert_eq!(list("/api/v1/pods").await.code, 403, "another scope");
    assert_eq!(list(&format!("{PODS}/p/log")).await.code, 403, "another resource");
    server.delete(&format!("{ROLE_BINDINGS}/b")).await.with(200);
    assert_eq!(list(PODS).await.code, 403);
}

#[tokio::test]
async fn every_cluster_has_its_roles() {
    let server = Server::with_roles().await;
    let roles = server.read(&cluster("clusterroles")).await;
    assert!(names(&roles).len() > 60, "{}", names(&roles).len());
    let admin = server.read(&cluster("clusterroles/cluster-admin")).await;
    assert_eq!(
        admin["metadata"]["labels"].to_string() + &admin["metadata"]["annotations"].to_string(),
        r#"{"kubernetes.io/bootstrapping":"rbac-defaults"}{"rbac.authorization.kubernetes.io/autoupdate":"true"}"#
    );
    assert_eq!(
        admin["rules"].to_string(),
        r#"[{"verbs":["*"],"apiGroups":["*"],"resources":["*"]},{"verbs":["*"],"nonResourceURLs":["*"]}]"#
    );
    let edit = server.read(&cluster("clusterroles/edit")).await;
    assert!(edit["rules"].as_array().is_some_and(|rules| rules.len() > 20), "the rules of its parts");
    let reader = format!("{GROUP}/namespaces/kube-system/roles/extension-apiserver-authentication-reader");
    assert_eq!(server.read(&reader).await["rules"][0]["resourceNames"], json!(["extension-apiserver-authentication"]));
}

#[tokio::test]
async fn the_known_may_look_around_and_nobody_else() {
    let server = Server::with_roles().await;
    let get = |path: &str, caller: Caller| server.request("GET", path).by(caller).send();
    for path in ["/api", "/apis", "/apis/apps/v1", "/openapi/v3", "/version", "/healthz"] {
        assert_eq!(get(path, bob()).await.code, 200, "{path}");
    }
    assert_eq!(get("/version", Caller::anonymous()).await.code, 200);
    let status = get("/api", Caller::anonymous()).await.with(403);
    assert_eq!(
        (&status["message"], &status["details"]),
        (&json!("forbidden: User \"system:anonymous\" cannot get path \"/api\""), &json!({}))
    );
}

#[tokio::test]
async fn nobody_hands_out_what_he_does_not_hold() {
    let server = Server::with_roles().await;
    let write =
        json!([{"verbs": ["*"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"]}]);
    server.make(ROLES, json!({"metadata": {"name": "manager"}, "rules": write})).await;
    server.make(ROLE_BINDINGS, binding("manager", "Role", "manager")).await;
    let post = |path: &'static str, object: Value| {
        server.request("POST", path).by(bob()).body(JSON, object.to_string()).send()
    };
    let role = |rules: Value| json!({"metadata": {"name": "new"}, "rules": rules});
    // The verb `*` on roles holds `escalate`, and holds `bind`.
    post(ROLES, role(pod_reader())).await.with(201);
    server.delete(&format!("{ROLES}/new")).await.with(200);

    let some = json!([{"verbs": ["get", "create", "update", "patch"], "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings"]}]);
    server.patch(&format!("{ROLES}/manager"), MERGE, json!({"rules": some})).await.with(200);
    let status = post(ROLES, role(pod_reader())).await.with(403);
    assert_eq!(
        status["message"],
        "roles.rbac.authorization.k8s.io \"new\" is forbidden: user \"bob\" (groups=[\"dev\" \"system:authenticated\"]) is \
         attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"pods\"], \
         Verbs:[\"get\" \"list\"]}"
    );
    assert_eq!(status["details"], json!({"name": "new", "group": "rbac.authorization.k8s.io", "kind": "roles"}));
    post(ROLES, role(json!([{"verbs": ["get"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"]}])))
        .await
        .with(201);
    let words = post(ROLE_BINDINGS, binding("more", "ClusterRole", "view")).await.refused(403, "Forbidden");
    assert!(words.starts_with("rolebindings.rbac.authorization.k8s.io \"more\" is forbidden: user \"bob\""), "{words}");
    let words = post(ROLE_BINDINGS, binding("more", "ClusterRole", "none")).await.refused(404, "NotFound");
    assert_eq!(words, "clusterrole.rbac.authorization.k8s.io \"none\" not found");
    let patch = json!({"rules": pod_reader()}).to_string();
    let patched = server.request("PATCH", &format!("{ROLES}/new")).by(bob()).body(MERGE, patch).send().await;
    assert_eq!(patched.code, 403, "{}", patched.text);
}

#[tokio::test]
async fn whoever_may_bind_a_role_binds_it() {
    let server = Server::with_roles().await;
    let rules = json!([{"verbs": ["create"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"]},
        {"verbs": ["bind"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"],
            "resourceNames": ["view"]}]);
    server.make(ROLES, json!({"metadata": {"name": "binder"}, "rules": rules})).await;
    server.make(ROLE_BINDINGS, binding("binder", "Role", "binder")).await;
    let bind = |role: &str| {
        let object = binding(role, "ClusterRole", role).to_string();
        server.request("POST", ROLE_BINDINGS).by(bob()).body(JSON, object).send()
    };
    bind("view").await.with(201);
    assert_eq!(bind("edit").await.code, 403);
}

#[tokio::test]
async fn roles_and_bindings_are_checked() {
    let server = Server::start().await;
    let table = [
        (
            ROLES.to_owned(),
            json!({"metadata": {"name": "r"}, "rules": [{"verbs": [], "apiGroups": [""], "resources": ["pods"]}]}),
            "Role.rbac.authorization.k8s.io \"r\" is invalid: rules[0].verbs: Required value: verbs must contain at least \
             one value",
        ),
        (
            ROLES.to_owned(),
            json!({"metadata": {"name": "r"}, "rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]}),
            "Role.rbac.authorization.k8s.io \"r\" is invalid: rules[0].nonResourceURLs: Invalid value: []string{\"/x\"}: \
             namespaced rules cannot apply to non-resource URLs",
        ),
        (
            cluster("clusterroles"),
            json!({"metadata": {"name": "r"}, "rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["pods"]}]}),
            "ClusterRole.rbac.authorization.k8s.io \"r\" is invalid: rules[0].nonResourceURLs: Invalid value: \
             []string{\"/x\"}: rules cannot apply to both regular resources and non-resource URLs",
        ),
        (
            cluster("clusterroles"),
            json!({"metadata": {"name": "r"}, "rules": [{"verbs": ["get"], "apiGroups": [""]}]}),
            "ClusterRole.rbac.authorization.k8s.io \"r\" is invalid: rules[0].resources: Required value: resource rules \
             must supply at least one resource",
        ),
        (
            cluster("clusterroles"),
            json!({"metadata": {"name": "r"}, "aggregationRule": {"clusterRoleSelectors": []}}),
            "ClusterRole.rbac.authorization.k8s.io \"r\" is invalid: aggregationRule.clusterRoleSelectors: Required value: \
             at least one clusterRoleSelector required if aggregationRule is non-nil",
        ),
        (
            ROLE_BINDINGS.to_owned(),
            json!({"metadata": {"name": "b"}, "roleRef": {"kind": "Thing", "name": ""}, "subjects": [
                {"kind": "ServiceAccount", "name": "A_"}, {"kind": "User", "name": "", "apiGroup": "x"}]}),
            "RoleBinding.rbac.authorization.k8s.io \"b\" is invalid: [roleRef.kind: Unsupported value: \"Thing\": supported \
             values: \"Role\", \"ClusterRole\", roleRef.name: Required value, subjects[0].name: Invalid value: \"A_\": a \
             lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and \
             end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'), subjects[1].name: Required value, \
             subjects[1].apiGroup: Unsupported value: \"x\": supported values: \"rbac.authorization.k8s.io\"]",
        ),
        (
            cluster("clusterrolebindings"),
            json!({"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"}, "subjects": [
                {"kind": "ServiceAccount", "name": "a"}]}),
            "ClusterRoleBinding.rbac.authorization.k8s.io \"b\" is invalid: [roleRef.kind: Unsupported value: \"Role\": \
             supported values: \"ClusterRole\", subjects[0].namespace: Required value]",
        ),
    ];
    for (path, object, words) in table {
        assert_eq!(server.post(&path, object).await.refused(422, "Invalid"), words);
    }
}

#[tokio::test]
async fn a_binding_keeps_its_role() {
    let server = Server::start().await;
    server.make(ROLE_BINDINGS, binding("b", "Role", "r")).await;
    let patch = json!({"roleRef": {"name": "other"}});
    let words = server.patch(&format!("{ROLE_BINDINGS}/b"), MERGE, patch).await.refused(422, "Invalid");
    assert_eq!(
        words,
        "RoleBinding.rbac.authorization.k8s.io \"b\" is invalid: roleRef: Invalid value: \
         rbac.RoleRef{APIGroup:\"rbac.authorization.k8s.io\", Kind:\"Role\", Name:\"other\"}: cannot change roleRef"
    );
    let table = server.request("GET", ROLE_BINDINGS).accept(TABLE).send().await.with(200);
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!((&cells[0], &cells[1], &cells[3]), (&json!("b"), &json!("Role/r"), &json!("bob")));
}

#[tokio::test]
async fn a_put_that_makes_something_is_a_create() {
    let server = Server::with_roles().await;
    let rules = json!([{"verbs": ["update"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"]}]);
    server.make(ROLES, json!({"metadata": {"name": "updater"}, "rules": rules})).await;
    server.make(ROLE_BINDINGS, binding("updater", "Role", "updater")).await;
    let role = json!({"metadata": {"name": "new"}, "rules": []}).to_string();
    let put = server.request("PUT", &format!("{ROLES}/new")).by(bob()).body(JSON, role).send().await;
    assert_eq!(
        put.refused(403, "Forbidden"),
        "roles.rbac.authorization.k8s.io \"new\" is forbidden: User \"bob\" cannot create resource \"roles\" in API group \
         \"rbac.authorization.k8s.io\" in the namespace \"golden\""
    );
}

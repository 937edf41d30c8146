//! Who is reached by which binding, and what the answer says.

use serde_json::json;

use super::*;
use crate::auth::attributes::Action;

fn index(objects: &[(&str, &str, &str, Value)]) -> Index {
    let mut index = Index::default();
    for (resource, namespace, name, object) in objects {
        let key = Key::new(&format!("{resource}.rbac.authorization.k8s.io"), namespace, name);
        index.set(&key, Some(object));
    }
    index
}

fn pods(verb: &str, namespace: &str) -> Attributes {
    let (verb, resource, namespace) = (verb.to_owned(), "pods".to_owned(), namespace.to_owned());
    Attributes::Resource(Action { verb, resource, namespace, ..Action::default() })
}

fn reader() -> Value {
    json!({"rules": [{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}]})
}

fn binding(kind: &str, role: &str, subjects: Value) -> Value {
    json!({"roleRef": {"kind": kind, "name": role}, "subjects": subjects})
}

#[test]
fn bindings_reach_as_far_as_their_scope() {
    let index = index(&[
        ("clusterroles", "", "reader", reader()),
        ("clusterrolebindings", "", "all", binding("ClusterRole", "reader", json!([{"kind": "User", "name": "amy"}]))),
        ("rolebindings", "a", "some", binding("ClusterRole", "reader", json!([{"kind": "Group", "name": "dev"}]))),
    ]);
    let amy = Caller::authenticated("amy", []);
    let bob = Caller::authenticated("bob", ["dev".to_owned()]);
    assert_eq!(
        index.decide(&amy, &pods("get", "b")),
        Ok(r#"RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "reader" to User "amy""#.to_owned())
    );
    assert_eq!(
        index.decide(&bob, &pods("list", "a")),
        Ok(r#"RBAC: allowed by RoleBinding "some/a" of ClusterRole "reader" to Group "dev""#.to_owned())
    );
    assert_eq!(index.decide(&bob, &pods("list", "b")), Err(String::new()));
    assert_eq!(index.decide(&bob, &pods("list", "")), Err(String::new()));
    assert_eq!(index.decide(&bob, &pods("delete", "a")), Err(String::new()));
}

#[test]
fn a_service_account_without_a_namespace_is_one_of_the_bindings() {
    let subjects = json!([{"kind": "ServiceAccount", "name": "robot"}]);
    let index = index(&[
        ("roles", "a", "reader", reader()),
        ("rolebindings", "a", "some", binding("Role", "reader", subjects)),
    ]);
    let robot = |namespace: &str| Caller::authenticated(&format!("system:serviceaccount:{namespace}:robot"), []);
    assert_eq!(
        index.decide(&robot("a"), &pods("get", "a")),
        Ok(r#"RBAC: allowed by RoleBinding "some/a" of Role "reader" to ServiceAccount "robot/a""#.to_owned())
    );
    assert!(index.decide(&robot("b"), &pods("get", "a")).is_err());
}

#[test]
fn roles_that_are_not_there_are_named() {
    let subjects = json!([{"kind": "User", "name": "bob"}, {"kind": "Group", "name": "system:authenticated"}]);
    let mut index = index(&[
        ("clusterrolebindings", "", "one", binding("ClusterRole", "x", subjects.clone())),
        ("clusterrolebindings", "", "two", binding("ClusterRole", "x", subjects.clone())),
    ]);
    let bob = Caller::authenticated("bob", []);
    let not_found = r#"clusterrole.rbac.authorization.k8s.io "x" not found"#;
    assert_eq!(index.decide(&bob, &pods("get", "a")), Err(format!("RBAC: {not_found}")));
    index.set(&Key::new("rolebindings.rbac.authorization.k8s.io", "a", "three"), Some(&binding("Role", "y", subjects)));
    let both = format!(r#"RBAC: [{not_found}, role.rbac.authorization.k8s.io "y" not found]"#);
    assert_eq!(index.decide(&bob, &pods("get", "a")), Err(both));
}

#[test]
fn what_is_changed_or_removed_holds_no_longer() {
    let everyone = json!([{"kind": "User", "name": "amy"}, {"kind": "User", "name": "bob"}]);
    let mut index = index(&[
        ("clusterroles", "", "reader", reader()),
        ("clusterrolebindings", "", "all", binding("ClusterRole", "reader", everyone)),
    ]);
    let (amy, bob) = (Caller::authenticated("amy", []), Caller::authenticated("bob", []));
    let key = Key::new("clusterrolebindings.rbac.authorization.k8s.io", "", "all");
    index.set(&key, Some(&binding("ClusterRole", "reader", json!([{"kind": "User", "name": "amy"}]))));
    assert!(index.decide(&amy, &pods("get", "a")).is_ok());
    assert!(index.decide(&bob, &pods("get", "a")).is_err());
    index.set(&key, None);
    assert!(index.decide(&amy, &pods("get", "a")).is_err());
    assert!(index.cluster_bindings.users.is_empty(), "nothing is left behind");
}

//! What a node may do: run the pods that are bound to it, and read what they refer to.
//!
//! A node that is taken over gives away the secrets of its own pods, and no others. Which objects those are is kept as a
//! [`Graph`]; what a node may write, beyond that, is restricted by the admission plug-in `NodeRestriction`.

mod graph;

use std::sync::LazyLock;

use super::attributes::{Action, Attributes};
use super::rbac::Rule;
use super::{Caller, Decision, bootstrap};

pub(super) use graph::Graph;
use graph::Thing;

const USER: &str = "system:node:";
const GROUP: &str = "system:nodes";
/// Where nodes say that they are alive.
const LEASES: &str = "kube-node-lease";

/// The rules of `system:node`, for what is not looked at more closely.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| bootstrap::rules_of("system:node"));

/// The name of the node that the caller is; none for anybody else.
pub fn name_of(caller: &Caller) -> Option<&str> {
    caller.user.strip_prefix(USER).filter(|_| caller.is_in(GROUP))
}

/// May the node do it?
pub(super) fn decide(graph: &Graph, node: &str, wanted: &Attributes) -> Decision {
    if node.is_empty() {
        return no(format!("unknown node for user \"{USER}\""));
    }
    let Attributes::Resource(action) = wanted else { return by_rules(wanted) };
    let thing = |of: fn(&str, &str) -> Thing| of(&action.namespace, &action.name);
    match (action.group.as_str(), action.resource.as_str()) {
        ("", "secrets") => read(graph, node, action, &thing(Thing::secret)),
        ("", "configmaps") => read(graph, node, action, &thing(Thing::config_map)),
        ("", "persistentvolumeclaims") if action.subresource == "status" => match action.verb.as_str() {
            "update" | "patch" | "get" => related(graph, node, &thing(Thing::claim)),
            _ => no("can only get/update/patch this type"),
        },
        ("", "persistentvolumeclaims") => get(graph, node, action, &thing(Thing::claim)),
        ("", "persistentvolumes") => get(graph, node, action, &thing(Thing::volume)),
        ("storage.k8s.io", "volumeattachments") => get(graph, node, action, &thing(Thing::attachment)),
        ("", "serviceaccounts") => token(graph, node, action),
        ("coordination.k8s.io", "leases") => lease(node, action),
        ("storage.k8s.io", "csinodes") => csi_node(node, action),
        ("", "nodes") => own_node(node, action),
        ("", "pods") => pods(graph, node, action),
        _ => by_rules(wanted),
    }
}

fn by_rules(wanted: &Attributes) -> Decision {
    if RULES.iter().any(|rule| rule.allows(wanted)) { yes() } else { no("") }
}

fn yes() -> Decision {
    Decision::Allow(String::new())
}

fn no(reason: impl Into<String>) -> Decision {
    Decision::NoOpinion(reason.into())
}

fn related(graph: &Graph, node: &str, thing: &Thing) -> Decision {
    match thing.is_named() {
        false => no("No Object name found"),
        true if graph.relates(node, thing) => yes(),
        true => no(format!("no relationship found between node '{node}' and this object")),
    }
}

fn read(graph: &Graph, node: &str, action: &Action, thing: &Thing) -> Decision {
    match (action.verb.as_str(), action.subresource.as_str(), action.namespace.as_str()) {
        ("get" | "list" | "watch", "", "") => no("can only read namespaced object of this type"),
        ("get" | "list" | "watch", "", _) => related(graph, node, thing),
        ("get" | "list" | "watch", ..) => no("cannot read subresource"),
        _ => no("can only read resources of this type"),
    }
}

fn get(graph: &Graph, node: &str, action: &Action, thing: &Thing) -> Decision {
    match (action.verb.as_str(), action.subresource.as_str()) {
        ("get", "") => related(graph, node, thing),
        ("get", _) => no("cannot get subresource"),
        _ => no("can only get individual resources of this type"),
    }
}

fn token(graph: &Graph, node: &str, action: &Action) -> Decision {
    match (action.verb.as_str(), action.subresource.as_str(), action.name.as_str()) {
        ("create", "token", name) if !name.is_empty() => {
            related(graph, node, &Thing::account(&action.namespace, &action.name))
        }
        ("create", part, name) if part != "token" && !name.is_empty() => {
            no("can only create token subresource of serviceaccount")
        }
        _ => no("can only create tokens for individual service accounts"),
    }
}

fn lease(node: &str, action: &Action) -> Decision {
    match action.verb.as_str() {
        "get" | "create" | "update" | "patch" | "delete" => {}
        _ => return no("can only get, create, update, patch, or delete a node lease"),
    }
    if action.namespace != LEASES {
        return no(format!("can only access leases in the \"{LEASES}\" system namespace"));
    }
    // The name of what is to be made is in the body; `NodeRestriction` looks at it.
    if action.verb != "create" && action.name != node {
        return no("can only access node lease with the same name as the requesting node");
    }
    yes()
}

fn csi_node(node: &str, action: &Action) -> Decision {
    match action.verb.as_str() {
        "get" | "create" | "update" | "patch" | "delete" => {}
        _ => return no("can only get, create, update, patch, or delete a CSINode"),
    }
    if !action.subresource.is_empty() {
        return no("cannot authorize CSINode subresources");
    }
    if action.verb != "create" && action.name != node {
        return no("can only access CSINode with the same name as the requesting node");
    }
    yes()
}

fn own_node(node: &str, action: &Action) -> Decision {
    match (action.subresource.as_str(), action.verb.as_str(), action.name.as_str()) {
        ("", "create" | "update" | "patch", _) | ("status", "update" | "patch", _) => yes(),
        ("", "get" | "list" | "watch", name) if name == node => yes(),
        ("", "get" | "list" | "watch", "") => {
            no(format!("node '{node}' cannot read all nodes, only its own Node object"))
        }
        ("", "get" | "list" | "watch", name) => {
            no(format!("node '{node}' cannot read '{name}', only its own Node object"))
        }
        _ => no(""),
    }
}

fn pods(graph: &Graph, node: &str, action: &Action) -> Decision {
    match (action.subresource.as_str(), action.verb.as_str()) {
        ("", "get") => related(graph, node, &Thing::pod(&action.namespace, &action.name)),
        ("", "list" | "watch") if action.fields.iter().any(|(f, v)| f == "spec.nodeName" && v == node) => yes(),
        ("", "list" | "watch") => no("can only list/watch pods with spec.nodeName field selector"),
        ("", "create" | "delete") | ("status", "update" | "patch") | ("eviction", "create") => yes(),
        _ => no(""),
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, Uri};
    use serde_json::json;

    use super::*;
    use crate::auth::follower::View as _;
    use crate::store::Key;

    fn decided(method: Method, uri: &'static str) -> Decision {
        let mut graph = Graph::default();
        let pod = json!({"metadata": {"name": "p", "namespace": "ns"}, "spec": {"nodeName": "a",
            "serviceAccountName": "robot", "volumes": [{"secret": {"secretName": "s"}}]}});
        graph.set(&Key::new("pods", "ns", "p"), Some(&pod));
        decide(&graph, "a", &Attributes::of(&method, &Uri::from_static(uri)))
    }

    #[test]
    fn a_node_reads_what_its_pods_need() {
        for (method, uri) in [
            (Method::GET, "/api/v1/namespaces/ns/secrets/s"),
            (Method::GET, "/api/v1/namespaces/ns/secrets?fieldSelector=metadata.name%3Ds&watch=1"),
            (Method::GET, "/api/v1/namespaces/ns/pods/p"),
            (Method::GET, "/api/v1/pods?fieldSelector=spec.nodeName%3Da"),
            (Method::PATCH, "/api/v1/namespaces/ns/pods/p/status"),
            (Method::POST, "/api/v1/namespaces/ns/serviceaccounts/robot/token"),
            (Method::GET, "/api/v1/nodes/a"),
            (Method::GET, "/api/v1/nodes?fieldSelector=metadata.name%3Da&watch=1"),
            (Method::GET, "/api/v1/services"),
            (Method::POST, "/api/v1/namespaces/ns/events"),
            (Method::PUT, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a"),
        ] {
            assert!(decided(method, uri).is_allowed(), "{uri}");
        }
    }

    #[test]
    fn a_node_has_no_business_with_the_rest() {
        let unrelated = "no relationship found between node 'a' and this object";
        for (method, uri, reason) in [
            (Method::GET, "/api/v1/namespaces/ns/secrets/t", unrelated),
            (Method::GET, "/api/v1/namespaces/other/secrets/s", unrelated),
            (Method::GET, "/api/v1/namespaces/ns/secrets", "No Object name found"),
            (Method::GET, "/api/v1/secrets", "can only read namespaced object of this type"),
            (Method::DELETE, "/api/v1/namespaces/ns/secrets/s", "can only read resources of this type"),
            (Method::GET, "/api/v1/pods", "can only list/watch pods with spec.nodeName field selector"),
            (Method::GET, "/api/v1/nodes", "node 'a' cannot read all nodes, only its own Node object"),
            (Method::GET, "/api/v1/nodes/b", "node 'a' cannot read 'b', only its own Node object"),
            (Method::POST, "/api/v1/namespaces/ns/serviceaccounts/default/token", unrelated),
            (
                Method::PUT,
                "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/b",
                "can only access node lease with the same name as the requesting node",
            ),
            (Method::DELETE, "/apis/apps/v1/namespaces/ns/deployments/d", ""),
        ] {
            assert_eq!(decided(method, uri), no(reason), "{uri}");
        }
    }

    #[test]
    fn a_node_is_known_by_its_name_and_its_group() {
        let node = Caller::authenticated("system:node:a", [GROUP.to_owned()]);
        assert_eq!(name_of(&node), Some("a"));
        assert_eq!(name_of(&Caller::authenticated("system:node:a", [])), None);
        assert_eq!(name_of(&Caller::authenticated("bob", [GROUP.to_owned()])), None);
    }
}

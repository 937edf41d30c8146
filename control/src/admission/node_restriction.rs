//! NodeRestriction: a node writes what is its own, and nothing else.
//!
//! The authorizer lets nodes write nodes, pods' statuses and leases; which ones is in the objects, so it is looked at here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Operation, Review};
use crate::auth::node;
use crate::kinds::Look;
use crate::registry::Registry;
use crate::status::Status;
use crate::store::Key;

const LEASES: &str = "kube-node-lease";
const MIRROR: &str = "kubernetes.io/config.mirror";
/// Labels that only administrators may give, so that pods can be kept away from nodes that were taken over.
const RESTRICTED: &str = "node-restriction.kubernetes.io";
/// Labels of Kubernetes' own that nodes say of themselves.
const OWN_LABELS: [&str; 11] = [
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];
const OWN_NAMESPACES: [&str; 2] = ["kubelet.kubernetes.io", "node.kubernetes.io"];

/// Refuses a node what is not its own. `object` is none for a deletion.
pub fn admit(registry: &Registry, review: &Review<'_>, object: Option<&Value>) -> Result<(), Status> {
    let Some(node) = node::name_of(&review.options.caller) else { return Ok(()) };
    let row = &review.target.resource.row;
    let why = match (row.group.as_str(), row.resource.as_str(), review.subresource) {
        ("", "pods", "") => pod(node, review, object),
        ("", "pods", "status") => pod_status(node, review, object),
        ("", "pods", "eviction") => eviction(node, registry, review),
        ("", "pods", part) => {
            Some(format!("unexpected pod subresource \"{part}\", only 'status' and 'eviction' are allowed"))
        }
        ("", "nodes", _) => own_node(node, review, object),
        ("", "serviceaccounts", "token") => token(node, registry, review, object),
        ("coordination.k8s.io", "leases", _) => lease(node, review, object),
        ("storage.k8s.io", "csinodes", _) if name(review, object) != node => {
            Some("can only access CSINode with the same name as the requesting node".to_owned())
        }
        _ => None,
    };
    why.map_or(Ok(()), |why| Err(review.forbidden(object.or(review.old).unwrap_or(&Value::Null), &why)))
}

/// The name of what is written, a new object's from its body.
fn name<'a>(review: &'a Review<'_>, object: Option<&'a Value>) -> &'a str {
    match &*review.target.name {
        "" => object.map(|object| object.text("metadata.name")).unwrap_or_default(),
        name => name,
    }
}

fn pod(node: &str, review: &Review<'_>, object: Option<&Value>) -> Option<String> {
    match (review.operation, object, review.old) {
        (Operation::Create, Some(pod), _) => mirror(node, pod),
        (Operation::Delete, _, Some(pod)) if pod.text("spec.nodeName") == node => None,
        (Operation::Delete, ..) => {
            Some(format!("node \"{node}\" can only delete pods with spec.nodeName set to itself"))
        }
        (operation, ..) => Some(format!(
            "unexpected operation \"{}\", node \"{node}\" can only create and delete mirror pods",
            word(operation)
        )),
    }
}

/// A pod that a node makes is the image of one that it runs on its own account, and gets nothing from the API.
fn mirror(node: &str, pod: &Value) -> Option<String> {
    if pod.at("metadata.annotations").get(MIRROR).is_none() {
        return Some(format!("pod does not have \"{MIRROR}\" annotation, node \"{node}\" can only create mirror pods"));
    }
    let may_only = |what: &str| Some(format!("node \"{node}\" can only create pods with {what}"));
    if pod.text("spec.nodeName") != node {
        return may_only("spec.nodeName set to itself");
    }
    match pod.items("metadata.ownerReferences") {
        [owner] if owner.text("kind") == "Node" && owner.text("apiVersion") == "v1" && owner.text("name") == node => {
            if !owner.flag("controller") {
                return may_only("a controller owner reference set to itself");
            }
            if owner.flag("blockOwnerDeletion") {
                return Some(format!("node \"{node}\" must not set blockOwnerDeletion on an owner reference"));
            }
        }
        [_, _, ..] => return may_only("a single owner reference set to itself"),
        _ => return may_only("an owner reference set to itself"),
    }
    refers_to(pod).map(|what| format!("node \"{node}\" can not create pods that reference {what}"))
}

fn refers_to(pod: &Value) -> Option<&'static str> {
    let named = |list: &str, at: &str| pod.items(list).iter().any(|item| item.has(at));
    let containers = ["spec.containers", "spec.initContainers", "spec.ephemeralContainers"];
    let in_container = |from: &str, key: &str| {
        let all = containers.iter().flat_map(|at| pod.items(at));
        all.into_iter().any(|container| {
            container.items("envFrom").iter().any(|source| source.has(from))
                || container.items("env").iter().any(|env| env.has(&format!("valueFrom.{key}")))
        })
    };
    let projected = |source: &str| {
        let sources = pod.items("spec.volumes").iter().flat_map(|volume| volume.items("projected.sources"));
        sources.into_iter().any(|part| part.has(source))
    };
    if !pod.text("spec.serviceAccountName").is_empty() {
        Some("a service account")
    } else if !pod.items("spec.imagePullSecrets").is_empty()
        || named("spec.volumes", "secret")
        || projected("secret")
        || in_container("secretRef", "secretKeyRef")
    {
        Some("secrets")
    } else if named("spec.volumes", "configMap")
        || projected("configMap")
        || in_container("configMapRef", "configMapKeyRef")
    {
        Some("configmaps")
    } else if named("spec.volumes", "persistentVolumeClaim") {
        Some("persistentvolumeclaims")
    } else {
        None
    }
}

fn pod_status(node: &str, review: &Review<'_>, object: Option<&Value>) -> Option<String> {
    let (Operation::Update, Some(new), Some(old)) = (review.operation, object, review.old) else {
        return Some(format!(
            "unexpected operation \"{}\", node \"{node}\" can only update pod status",
            word(review.operation)
        ));
    };
    if old.text("spec.nodeName") != node {
        return Some(format!("node \"{node}\" can only update pod status for pods with spec.nodeName set to itself"));
    }
    (old.at("metadata.labels") != new.at("metadata.labels"))
        .then(|| format!("node \"{node}\" cannot update labels through pod status"))
}

fn eviction(node: &str, registry: &Registry, review: &Review<'_>) -> Option<String> {
    let pod = registry.store().get(&Key::new("pods", &review.target.namespace, &review.target.name))?;
    (pod.value().text("spec.nodeName") != node)
        .then(|| format!("node {node} can only evict pods with spec.nodeName set to itself"))
}

fn own_node(node: &str, review: &Review<'_>, object: Option<&Value>) -> Option<String> {
    let named = name(review, object);
    if named != node {
        return Some(format!("node \"{node}\" is not allowed to modify node \"{named}\""));
    }
    let (new, old) = (object?, review.old);
    let forbidden = forbidden_labels(new, old);
    if !forbidden.is_empty() {
        let what = if old.is_none() { "set the following labels" } else { "modify labels" };
        return Some(format!("node \"{node}\" is not allowed to {what}: {}", forbidden.join(", ")));
    }
    let old = old?;
    let changed = |at: &str| new.at(at) != old.at(at);
    if changed("spec.taints") {
        return Some(format!("node \"{node}\" is not allowed to modify taints"));
    }
    changed("metadata.ownerReferences").then(|| format!("node \"{node}\" is not allowed to modify ownerReferences"))
}

/// The labels of a node that it has changed and may not say of itself.
fn forbidden_labels(new: &Value, old: Option<&Value>) -> Vec<String> {
    let label = |object: Option<&Value>, key: &str| object.and_then(|o| o.at("metadata.labels").get(key).cloned());
    let keys = |object: Option<&Value>| {
        let labels = object.into_iter().flat_map(|object| object.entries("metadata.labels"));
        labels.map(|(key, _)| key.to_owned()).collect::<BTreeSet<_>>()
    };
    let all = keys(Some(new)).into_iter().chain(keys(old)).collect::<BTreeSet<_>>();
    all.into_iter().filter(|key| label(Some(new), key) != label(old, key) && is_forbidden(key)).collect()
}

fn is_forbidden(label: &str) -> bool {
    let namespace = label.split_once('/').map_or("", |(namespace, _)| namespace);
    let within =
        |domain: &str| namespace.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let own = OWN_LABELS.contains(&label) || OWN_NAMESPACES.into_iter().any(within);
    within(RESTRICTED) || (within("kubernetes.io") || within("k8s.io")) && !own
}

fn lease(node: &str, review: &Review<'_>, object: Option<&Value>) -> Option<String> {
    if &*review.target.namespace != LEASES {
        return Some(format!("can only access leases in the \"{LEASES}\" system namespace"));
    }
    (name(review, object) != node)
        .then(|| "can only access node lease with the same name as the requesting node".to_owned())
}

/// A token that a node asks for is for one of its pods, and ends with it.
fn token(node: &str, registry: &Registry, review: &Review<'_>, object: Option<&Value>) -> Option<String> {
    let bound = object?.at("spec.boundObjectRef");
    if bound.text("kind") != "Pod" || bound.text("apiVersion") != "v1" || bound.text("name").is_empty() {
        return Some("node requested token not bound to a pod".to_owned());
    }
    let uid = bound.text("uid");
    if uid.is_empty() {
        return Some("node requested token with a pod binding without a uid".to_owned());
    }
    let Some(pod) = registry.store().get(&Key::new("pods", &review.target.namespace, bound.text("name"))) else {
        return Some(format!("pods \"{}\" not found", bound.text("name")));
    };
    let pod = pod.value();
    let record = pod.text("metadata.uid");
    if record != uid {
        return Some(format!(
            "the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been \
             deleted and then recreated"
        ));
    }
    (pod.text("spec.nodeName") != node)
        .then(|| "node requested token bound to a pod scheduled on a different node".to_owned())
}

fn word(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "CREATE",
        Operation::Update => "UPDATE",
        Operation::Delete => "DELETE",
        Operation::Connect => "CONNECT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_say_of_themselves_what_is_harmless() {
        for (label, forbidden) in [
            ("tier", false),
            ("example.com/tier", false),
            ("kubernetes.io/hostname", false),
            ("kubelet.kubernetes.io/x", false),
            ("a.node.kubernetes.io/x", false),
            ("kubernetes.io/x", true),
            ("node-role.kubernetes.io/control-plane", true),
            ("a.k8s.io/x", true),
            ("node-restriction.kubernetes.io/x", true),
            ("a.node-restriction.kubernetes.io/x", true),
            ("notkubernetes.io/x", false),
        ] {
            assert_eq!(is_forbidden(label), forbidden, "{label}");
        }
    }
}

//! NamespaceLifecycle: nothing is created in a namespace that is not there or is being emptied, and three stay for ever.

use serde_json::Value;

use super::facts::{Fact, Facts};
use super::pod_security::Policy;
use super::{Operation, Review};
use crate::kinds::Look;
use crate::registry::Registry;
use crate::status::Status;

/// Namespaces that hold the cluster itself.
const IMMORTAL: &[&str] = &["default", "kube-system", "kube-public"];

/// What admission needs of a namespace, for whatever plug-in.
pub struct Namespace {
    terminating: bool,
    /// What it demands of its pods.
    pub policy: Policy,
}

impl Fact for Namespace {
    const RESOURCE: &'static str = "namespaces";

    fn read(object: &Value) -> Self {
        let labels = object.at("metadata.labels");
        Self {
            terminating: object.has("metadata.deletionTimestamp"),
            policy: Policy::of(|key| labels.get(key)?.as_str()).0,
        }
    }
}

/// Refuses new content where there is no place for it.
pub fn admit(
    namespaces: &Facts<Namespace>,
    registry: &Registry,
    review: &Review<'_>,
    object: &Value,
) -> Result<(), Status> {
    let target = review.target;
    // Whether the caller may do something is a question that is answered in any namespace.
    if !target.resource.row.namespaced || review.is("authorization.k8s.io", "localsubjectaccessreviews") {
        return Ok(());
    }
    let name = &target.namespace;
    let namespace = namespaces.one(registry.store(), &"".into(), name);
    let namespace = namespace.ok_or_else(|| Status::not_found("namespaces", name))?;
    if review.operation != Operation::Create || !namespace.terminating {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {name} because it is being terminated");
    Err(review.forbidden_early(object, &why).because(
        "NamespaceTerminating",
        format!("namespace {name} is being terminated"),
        "metadata.namespace",
    ))
}

/// Refuses to delete a namespace that the cluster cannot live without.
pub fn admit_delete(review: &Review<'_>) -> Result<(), Status> {
    if review.is("", "namespaces") && review.subresource.is_empty() && IMMORTAL.contains(&&*review.target.name) {
        return Err(Status::forbidden("namespaces", &review.target.name, "this namespace may not be deleted"));
    }
    Ok(())
}

//! Admission by namespace: it must be there, and it must not be on its way out.

use super::Registry;
use super::object::is_deleting;
use super::resources::Target;
use crate::status::Status;
use crate::store::Key;

/// Namespaces that hold the cluster itself.
const IMMORTAL: &[&str] = &["default", "kube-system", "kube-public"];

impl Registry {
    /// Refuses a create in a namespace that does not exist or is being emptied.
    pub(super) fn admit_namespace(&self, target: &Target) -> Result<(), Status> {
        if !target.resource.row.namespaced {
            return Ok(());
        }
        let namespace = &target.namespace;
        let key = Key { resource: "namespaces".into(), namespace: "".into(), name: namespace.clone() };
        let entry = self.0.store.get(&key).ok_or_else(|| Status::not_found("namespaces", namespace))?;
        if !is_deleting(&entry.value()) {
            return Ok(());
        }
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        Err(Status::forbidden(&target.resource.qualified, &target.name, &why).because(
            "NamespaceTerminating",
            format!("namespace {namespace} is being terminated"),
            "metadata.namespace",
        ))
    }
}

/// Refuses to delete a namespace that the cluster cannot live without.
pub fn admit_delete(target: &Target) -> Result<(), Status> {
    if target.resource.is("", "namespaces") && IMMORTAL.contains(&&*target.name) {
        return Err(Status::forbidden("namespaces", &target.name, "this namespace may not be deleted"));
    }
    Ok(())
}

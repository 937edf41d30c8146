//! The objects that a binding gives its policy as parameters.

use serde_json::Value;

use super::{Binding, Policy};
use crate::admission::matching::{Request, parse_selector};
use crate::kinds::Look;
use crate::store::Key;

/// The parameters of a binding for this request: none where it is not about it.
///
/// # Errors
/// As [`of`], and what keeps the binding from telling.
pub fn of_binding(request: &Request<'_>, policy: &Policy, binding: &Binding) -> Result<Vec<Option<Value>>, String> {
    match binding.is_about(request) {
        Ok(true) => of(request, policy, binding),
        Ok(false) => Ok(Vec::new()),
        Err(status) => Err(status.message().to_owned()),
    }
}

/// The parameters to check a request with, each for itself; `None` is a check without. No parameters: no check.
///
/// # Errors
/// Parameters that have to be there and are not, a reference that means nothing; in upstream's words.
fn of(request: &Request<'_>, policy: &Policy, binding: &Binding) -> Result<Vec<Option<Value>>, String> {
    let reference = &binding.param_ref;
    let Some(resource) = policy.param_resource(request.registry)? else { return Ok(vec![None]) };
    if reference.is_null() {
        return Ok(vec![None]);
    }
    let (namespaced, given) = (resource.row.namespaced, reference.text("namespace"));
    let namespace = match (namespaced, given) {
        (true, "") if request.namespace().is_empty() => {
            return Err(
                "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources".to_owned()
            );
        }
        (true, "") => request.namespace(),
        (true, given) => given,
        (false, "") => "",
        (false, _) => return Err("paramRef.namespace must not be provided for a cluster-scoped `paramKind`".to_owned()),
    };
    let store = request.registry.store();
    let found: Vec<Value> = if reference.has("selector") {
        let selector = parse_selector(reference.at("selector"))?;
        let entries = store.list(&resource.stored, Some(namespace).filter(|_| namespaced)).entries;
        let objects = entries.iter().map(|entry| entry.value());
        objects.filter(|object| selector.matches_with(|key| object.at("metadata.labels").get(key)?.as_str())).collect()
    } else {
        let key =
            Key { resource: resource.stored.clone(), namespace: namespace.into(), name: reference.text("name").into() };
        store.get(&key).map(|entry| entry.value()).into_iter().collect()
    };
    if found.is_empty() && reference.text("parameterNotFoundAction") == "Deny" {
        return Err("no params found for policy binding with `Deny` parameterNotFoundAction".to_owned());
    }
    let shown = found.into_iter().map(|mut object| {
        resource.show(&mut object);
        Some(object)
    });
    Ok(shown.collect())
}

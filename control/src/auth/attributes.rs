//! What a request wants to do, as far as rules about it go.

use std::borrow::Cow;

use http::{Method, Uri};
use percent_encoding::percent_decode_str;

use crate::status::Status;

use super::Caller;

/// The action and its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attributes {
    /// Something of the API's resources.
    Resource(Action),
    /// A path that is no resource.
    Path {
        /// The method in lower case.
        verb: String,
        /// `/healthz`
        path: String,
    },
}

/// An action on a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// `apps`; empty for core.
    pub group: String,
    /// `v1`
    pub version: String,
    /// `deployments`
    pub resource: String,
    /// `status`; empty for the object itself.
    pub subresource: String,
    /// Empty for what is of the cluster, and for all namespaces at once.
    pub namespace: String,
    /// Empty for a collection, unless its field selector picks one object by name.
    pub name: String,
    /// Fields that the objects of a collection have to have, each with its value.
    pub fields: Vec<(String, String)>,
}

impl Attributes {
    /// Reads a request as the API server's rules see it.
    pub fn of(method: &Method, uri: &Uri) -> Self {
        let path = percent_decode_str(uri.path()).decode_utf8_lossy();
        let words: Vec<&str> = path.split('/').filter(|w| !w.is_empty()).collect();
        let (group, version, rest) = match *words.as_slice() {
            ["api", version, ref rest @ ..] if !rest.is_empty() => ("", version, rest),
            ["apis", group, version, ref rest @ ..] if !rest.is_empty() => (group, version, rest),
            _ => return Self::Path { verb: method.as_str().to_lowercase(), path: path.into_owned() },
        };
        let (old_watch, rest) = match rest {
            ["watch", rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (namespace, resource, name, subresource) = match *rest {
            ["namespaces"] | [] => ("", "namespaces", "", ""),
            // A namespace lies in itself.
            ["namespaces", name] => (name, "namespaces", name, ""),
            ["namespaces", name, sub @ ("status" | "finalize")] => (name, "namespaces", name, sub),
            ["namespaces", namespace, resource] => (namespace, resource, "", ""),
            ["namespaces", namespace, resource, name] => (namespace, resource, name, ""),
            ["namespaces", namespace, resource, name, sub, ..] => (namespace, resource, name, sub),
            [resource] => ("", resource, "", ""),
            [resource, name] => ("", resource, name, ""),
            [resource, name, sub, ..] => ("", resource, name, sub),
        };
        let collection = name.is_empty();
        let fields = if collection { fields(uri) } else { Vec::new() };
        let picked = fields.iter().find(|(field, _)| field == "metadata.name").map(|(_, name)| name.clone());
        Self::Resource(Action {
            verb: verb(method, collection, old_watch || collection && flag(uri, "watch")).into_owned(),
            group: group.to_owned(),
            version: version.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            namespace: namespace.to_owned(),
            name: picked.unwrap_or_else(|| name.to_owned()),
            fields,
        })
    }

    /// The verb: an action's, or a method in lower case.
    pub fn verb(&self) -> &str {
        match self {
            Self::Resource(action) => &action.verb,
            Self::Path { verb, .. } => verb,
        }
    }

    /// The refusal, in Kubernetes' words. `reason` is what the rules have to say about it, and may be empty.
    pub fn forbidden(&self, caller: &Caller, reason: &str) -> Status {
        let user = &caller.user;
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        match self {
            Self::Path { verb, path } => {
                let why = format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\"{because}");
                Status::new(403, "Forbidden", why).with_empty_details()
            }
            Self::Resource(Action { verb, group, resource, subresource, namespace, name, .. }) => {
                let part = if subresource.is_empty() { String::new() } else { format!("/{subresource}") };
                let place = match namespace.as_str() {
                    "" => "at the cluster scope".to_owned(),
                    namespace => format!("in the namespace \"{namespace}\""),
                };
                let qualified = if group.is_empty() { resource.clone() } else { format!("{resource}.{group}") };
                let why = format!(
                    "User \"{user}\" cannot {verb} resource \"{resource}{part}\" in API group \"{group}\" {place}{because}"
                );
                Status::forbidden(&qualified, name, &why)
            }
        }
    }
}

fn verb(method: &Method, collection: bool, watch: bool) -> Cow<'static, str> {
    match (method.as_str(), collection) {
        ("GET" | "HEAD", _) if watch => "watch".into(),
        ("GET" | "HEAD", true) => "list".into(),
        ("GET" | "HEAD", false) => "get".into(),
        ("POST", _) => "create".into(),
        ("PUT", _) => "update".into(),
        ("PATCH", _) => "patch".into(),
        ("DELETE", true) => "deletecollection".into(),
        ("DELETE", false) => "delete".into(),
        (other, _) => other.to_lowercase().into(),
    }
}

fn flag(uri: &Uri, name: &str) -> bool {
    let mut pairs = uri.query().unwrap_or_default().split('&').map(|p| p.split_once('=').unwrap_or((p, "")));
    pairs.any(|(key, value)| key == name && !matches!(value, "0" | "false"))
}

/// What the field selector of a collection insists on.
fn fields(uri: &Uri) -> Vec<(String, String)> {
    let query = uri.query().unwrap_or_default();
    let selector = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "fieldSelector");
    let Some((_, selector)) = selector else { return Vec::new() };
    selector_fields(&selector)
}

/// The terms of a field selector that ask for one value each.
pub(crate) fn selector_fields(selector: &str) -> Vec<(String, String)> {
    let equal = |term: &str| {
        let (field, value) = term.split_once('=')?;
        let value = value.strip_prefix('=').unwrap_or(value);
        (!field.ends_with('!')).then(|| (field.trim().to_owned(), value.trim().to_owned()))
    };
    selector.split(',').filter_map(equal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: Method, uri: &str) -> [String; 6] {
        match Attributes::of(&method, &uri.parse().unwrap()) {
            Attributes::Resource(Action { verb, group, resource, subresource, namespace, name, .. }) => {
                [verb, group, resource, subresource, namespace, name]
            }
            Attributes::Path { verb, path } => [verb, path, String::new(), String::new(), String::new(), String::new()],
        }
    }

    #[test]
    fn paths_are_read_as_upstream_does() {
        let get = Method::GET;
        assert_eq!(of(get.clone(), "/healthz"), ["get", "/healthz", "", "", "", ""]);
        assert_eq!(of(get.clone(), "/apis/apps/v1"), ["get", "/apis/apps/v1", "", "", "", ""]);
        assert_eq!(of(get.clone(), "/api/v1/nodes/x"), ["get", "", "nodes", "", "", "x"]);
        assert_eq!(of(get.clone(), "/api/v1/pods?watch=1"), ["watch", "", "pods", "", "", ""]);
        assert_eq!(of(get.clone(), "/api/v1/watch/pods"), ["watch", "", "pods", "", "", ""]);
        assert_eq!(of(get.clone(), "/api/v1/nodes/x?watch=1"), ["get", "", "nodes", "", "", "x"]);
        assert_eq!(of(get.clone(), "/api/v1/pods?fieldSelector=metadata.name%3Dx"), ["list", "", "pods", "", "", "x"]);
        assert_eq!(of(get.clone(), "/api/v1/pods?fieldSelector=metadata.name!%3Dx"), ["list", "", "pods", "", "", ""]);
        assert_eq!(of(get.clone(), "/api/v1/namespaces"), ["list", "", "namespaces", "", "", ""]);
        assert_eq!(of(get.clone(), "/api/v1/namespaces/a"), ["get", "", "namespaces", "", "a", "a"]);
        assert_eq!(
            of(Method::PUT, "/api/v1/namespaces/a/finalize"),
            ["update", "", "namespaces", "finalize", "a", "a"]
        );
        assert_eq!(of(get, "/api/v1/namespaces/a/pods/p/log"), ["get", "", "pods", "log", "a", "p"]);
        assert_eq!(
            of(Method::DELETE, "/apis/apps/v1/namespaces/a/deployments"),
            ["deletecollection", "apps", "deployments", "", "a", ""]
        );
    }

    #[test]
    fn refusals_have_the_words_of_kubernetes() {
        let caller = Caller::authenticated("bob", []);
        let said =
            |method, uri: &str| Attributes::of(&method, &uri.parse().unwrap()).forbidden(&caller, "").to_string();
        assert_eq!(
            said(Method::GET, "/api/v1/nodes/x"),
            r#"nodes "x" is forbidden: User "bob" cannot get resource "nodes" in API group "" at the cluster scope"#
        );
        assert_eq!(
            said(Method::POST, "/apis/apps/v1/namespaces/a/deployments"),
            r#"deployments.apps is forbidden: User "bob" cannot create resource "deployments" in API group "apps" in the namespace "a""#
        );
        assert_eq!(said(Method::GET, "/apis"), r#"forbidden: User "bob" cannot get path "/apis""#);
    }
}

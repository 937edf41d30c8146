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
    Resource {
        /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
        verb: String,
        /// `apps`; empty for core.
        group: String,
        /// `deployments`
        resource: String,
        /// `status`; empty for the object itself.
        subresource: String,
        /// Empty for what is of the cluster, and for all namespaces at once.
        namespace: String,
        /// Empty for a collection.
        name: String,
    },
    /// A path that is no resource.
    Path {
        /// The method in lower case.
        verb: String,
        /// `/healthz`
        path: String,
    },
}

impl Attributes {
    /// Reads a request as the API server's rules see it.
    pub fn of(method: &Method, uri: &Uri) -> Self {
        let path = percent_decode_str(uri.path()).decode_utf8_lossy();
        let words: Vec<&str> = path.split('/').filter(|w| !w.is_empty()).collect();
        let (group, rest) = match *words.as_slice() {
            ["api", _version, ref rest @ ..] if !rest.is_empty() => ("", rest),
            ["apis", group, _version, ref rest @ ..] if !rest.is_empty() => (group, rest),
            _ => return Self::Path { verb: method.as_str().to_lowercase(), path: path.into_owned() },
        };
        let (watch, rest) = match rest {
            ["watch", rest @ ..] => (true, rest),
            rest => (flag(uri, "watch"), rest),
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
        Self::Resource {
            verb: verb(method, name.is_empty(), watch).into_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The refusal, in Kubernetes' words.
    pub fn forbidden(&self, caller: &Caller) -> Status {
        let user = &caller.user;
        match self {
            Self::Path { verb, path } => {
                Status::new(403, "Forbidden", format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\""))
            }
            Self::Resource { verb, group, resource, subresource, namespace, name } => {
                let part = if subresource.is_empty() { String::new() } else { format!("/{subresource}") };
                let place = match namespace.as_str() {
                    "" => "at the cluster scope".to_owned(),
                    namespace => format!("in the namespace \"{namespace}\""),
                };
                let qualified = if group.is_empty() { resource.clone() } else { format!("{resource}.{group}") };
                let why = format!(
                    "User \"{user}\" cannot {verb} resource \"{resource}{part}\" in API group \"{group}\" {place}"
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: Method, uri: &str) -> [String; 6] {
        match Attributes::of(&method, &uri.parse().unwrap()) {
            Attributes::Resource { verb, group, resource, subresource, namespace, name } => {
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
        let said = |method, uri: &str| Attributes::of(&method, &uri.parse().unwrap()).forbidden(&caller).to_string();
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

//! What a request path names. Pure: no look-up, no check that the resource exists.

/// A path below `/api/v1` or `/apis/GROUP/VERSION`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourcePath {
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// True for the old `/watch/` prefix.
    pub watch: bool,
    /// Namespace, where the path has one.
    pub namespace: String,
    /// Plural resource name.
    pub resource: String,
    /// Object name, empty for a collection.
    pub name: String,
    /// Sub-resource, empty for the object itself.
    pub subresource: String,
    /// What follows the sub-resource (a proxied path).
    pub rest: String,
}

impl ResourcePath {
    /// Reads a decoded path; none where it names no resource (discovery, health, unknown).
    pub fn parse(path: &str) -> Option<Self> {
        let mut parts = path.trim_matches('/').split('/');
        let (group, version) = match parts.next()? {
            "api" => ("", parts.next()?),
            "apis" => (parts.next()?, parts.next()?),
            _ => return None,
        };
        let mut rest: Vec<&str> = parts.collect();
        let watch = rest.first() == Some(&"watch") && rest.len() > 1;
        if watch {
            rest.remove(0);
        }
        let found = Self { group: group.to_owned(), version: version.to_owned(), watch, ..Self::default() };
        found.within(&rest)
    }

    fn within(mut self, parts: &[&str]) -> Option<Self> {
        let object = match parts {
            [] | [""] => return None,
            ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => parts,
            ["namespaces", namespace, object @ ..] => {
                self.namespace = (*namespace).to_owned();
                object
            }
            other => other,
        };
        let (resource, object) = object.split_first()?;
        self.resource = (*resource).to_owned();
        let mut object = object.iter();
        let mut next = || object.next().map(|s| (*s).to_owned()).unwrap_or_default();
        (self.name, self.subresource) = (next(), next());
        self.rest = object.copied().collect::<Vec<_>>().join("/");
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> (String, String, String, String) {
        let p = ResourcePath::parse(path).expect("a resource path");
        (p.namespace, p.resource, p.name, p.subresource)
    }

    fn strings(parts: [&str; 4]) -> (String, String, String, String) {
        let [a, b, c, d] = parts.map(str::to_owned);
        (a, b, c, d)
    }

    #[test]
    fn paths_name_collections_objects_and_their_parts() {
        let table = [
            ("/api/v1/pods", ["", "pods", "", ""]),
            ("/api/v1/namespaces", ["", "namespaces", "", ""]),
            ("/api/v1/namespaces/a", ["", "namespaces", "a", ""]),
            ("/api/v1/namespaces/a/status", ["", "namespaces", "a", "status"]),
            ("/api/v1/namespaces/a/finalize", ["", "namespaces", "a", "finalize"]),
            ("/api/v1/namespaces/a/pods", ["a", "pods", "", ""]),
            ("/api/v1/namespaces/a/pods/p/log", ["a", "pods", "p", "log"]),
            ("/apis/apps/v1/namespaces/a/deployments/d/scale", ["a", "deployments", "d", "scale"]),
            ("/api/v1/watch/namespaces/a/pods", ["a", "pods", "", ""]),
        ];
        for (path, parts) in table {
            assert_eq!(named(path), strings(parts), "{path}");
        }
    }

    #[test]
    fn other_paths_name_no_resource() {
        for path in ["/", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/version", "/healthz/ping"] {
            assert_eq!(ResourcePath::parse(path), None, "{path}");
        }
    }
}

//! The rules.
//!
//! Whoever holds a certificate of the cluster or a token is trusted with all of it; everybody else may ask whether
//! the server is alive and what it is. RBAC will be one more step between the two.

use super::{AUTHENTICATED, Attributes, Caller, MASTERS};

/// What anybody may read, as `system:public-info-viewer` does upstream.
const PUBLIC: [&str; 5] = ["/healthz", "/livez", "/readyz", "/version", "/version/"];

/// The answer of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go ahead.
    Allow,
    /// No rule allows it; [`Attributes::forbidden`] is the answer.
    Deny,
}

impl Decision {
    /// True for `Allow`.
    pub fn is_allowed(self) -> bool {
        self == Self::Allow
    }
}

/// The rules in force; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Authorizer;

impl Authorizer {
    /// May the caller do it?
    pub fn decide(&self, caller: &Caller, wanted: &Attributes) -> Decision {
        authorize(caller, wanted)
    }
}

/// May the caller do it?
pub(super) fn authorize(caller: &Caller, wanted: &Attributes) -> Decision {
    let public = matches!(wanted, Attributes::Path { verb, path }
        if matches!(verb.as_str(), "get" | "head") && PUBLIC.contains(&path.as_str()));
    if public || caller.is_in(MASTERS) || caller.is_in(AUTHENTICATED) { Decision::Allow } else { Decision::Deny }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn nobody_in_particular_may_ask_for_health_and_version_only() {
        let decide = |method, path: &'static str| {
            authorize(&Caller::anonymous(), &Attributes::of(&method, &http::Uri::from_static(path)))
        };
        for path in ["/healthz", "/livez", "/readyz?verbose", "/version"] {
            assert_eq!(decide(Method::GET, path), Decision::Allow, "{path}");
        }
        for path in ["/", "/api", "/apis", "/healthz/ping", "/api/v1/pods", "/openapi/v3"] {
            assert_eq!(decide(Method::GET, path), Decision::Deny, "{path}");
        }
        assert_eq!(decide(Method::POST, "/healthz"), Decision::Deny);
    }

    #[test]
    fn the_authenticated_may_do_all() {
        let wanted = Attributes::of(&Method::DELETE, &http::Uri::from_static("/api/v1/nodes"));
        for caller in [Caller::system("system:kube-scheduler"), Caller::authenticated("bob", [])] {
            assert_eq!(authorize(&caller, &wanted), Decision::Allow);
        }
    }
}

//! May they? The sources of decisions, asked in order.
//!
//! ```text
//! system:masters ─► Node ─► RBAC ─► …: the first that allows or denies counts; where none does, it is no
//! ```

use std::sync::Arc;

use serde_json::Value;

use super::attributes::{Action, Attributes};
use super::follower::Follower;
use super::node::{self, Graph};
use super::rbac::{self, Grant, Index, RoleRef, Rule};
use super::{Caller, MASTERS, Mode};
use crate::status::Status;
use crate::store::Store;

/// The answer of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go ahead; the words say which rule allows it.
    Allow(String),
    /// No, and nobody else is asked.
    Deny(String),
    /// No rule allows it; the words say what stood in the way of finding one, and may be empty.
    NoOpinion(String),
}

impl Decision {
    /// True for a yes.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// The words that come with the answer.
    pub fn reason(&self) -> &str {
        match self {
            Self::Allow(reason) | Self::Deny(reason) | Self::NoOpinion(reason) => reason,
        }
    }
}

/// What somebody may do in a namespace, as far as that can be listed.
#[derive(Debug, Default)]
pub struct Allowance {
    /// The rules.
    pub rules: Vec<Rule>,
    /// Why there may be more.
    pub incomplete: bool,
    /// What went wrong in the listing.
    pub error: Option<String>,
}

/// Decides; clones share what they decide on.
#[derive(Clone)]
pub struct Authorizer(Arc<Inner>);

struct Inner {
    modes: Vec<Mode>,
    policies: Follower<Index>,
    nodes: Follower<Graph>,
}

impl Authorizer {
    /// Decisions by these modes, on the roles, bindings and pods of `store`.
    pub fn new(modes: &[Mode], store: &Store) -> Self {
        let (policies, nodes) = (Follower::new(store.clone()), Follower::new(store.clone()));
        Self(Arc::new(Inner { modes: modes.to_vec(), policies, nodes }))
    }

    /// May the caller do it?
    pub fn decide(&self, caller: &Caller, wanted: &Attributes) -> Decision {
        self.0.nodes.keep_up();
        if caller.is_in(MASTERS) {
            return Decision::Allow(String::new());
        }
        let mut reasons = Vec::new();
        for mode in &self.0.modes {
            match self.ask(*mode, caller, wanted) {
                Decision::NoOpinion(reason) if reason.is_empty() => {}
                Decision::NoOpinion(reason) => reasons.push(reason),
                decided => return decided,
            }
        }
        Decision::NoOpinion(reasons.join("\n"))
    }

    /// Nothing where the caller may do it.
    ///
    /// # Errors
    /// 403, in Kubernetes' words.
    pub fn require(&self, caller: &Caller, wanted: &Attributes) -> Result<(), Status> {
        match self.decide(caller, wanted) {
            Decision::Allow(_) => Ok(()),
            refused => Err(wanted.forbidden(caller, refused.reason())),
        }
    }

    fn ask(&self, mode: Mode, caller: &Caller, wanted: &Attributes) -> Decision {
        match mode {
            Mode::AlwaysAllow => Decision::Allow(String::new()),
            Mode::AlwaysDeny => Decision::NoOpinion("Everything is forbidden.".to_owned()),
            Mode::Rbac => match self.0.policies.read(|index| index.decide(caller, wanted)) {
                Ok(reason) => Decision::Allow(reason),
                Err(reason) => Decision::NoOpinion(reason),
            },
            Mode::Node => match node::name_of(caller) {
                Some(name) => self.0.nodes.read(|graph| node::decide(graph, name, wanted)),
                None => Decision::NoOpinion(String::new()),
            },
        }
    }

    /// All that the caller may do in a namespace.
    pub fn allowance(&self, caller: &Caller, namespace: &str) -> Allowance {
        let (mut all, mut errors) = (Allowance::default(), Vec::new());
        for mode in &self.0.modes {
            match mode {
                Mode::Rbac => self.0.policies.read(|index| {
                    let (rules, error) = index.rules_for(caller, namespace);
                    all.rules.extend(rules.into_iter().cloned());
                    errors.extend(error);
                }),
                Mode::Node if node::name_of(caller).is_some() => {
                    all.incomplete = true;
                    errors.push("node authorizer does not support user rule resolution".to_owned());
                }
                Mode::AlwaysAllow => all.rules.extend(rbac::unbounded()),
                Mode::Node | Mode::AlwaysDeny => {}
            }
        }
        all.error = rbac::aggregate(errors);
        all
    }

    /// Checks that a write of a role or a binding hands out nothing that the caller does not hold. `resource` is `roles`,
    /// `clusterrolebindings`, …; `name` is the path's, empty for a POST to the collection.
    ///
    /// # Errors
    /// 403 where it does, 404 where the role of a binding is not there.
    pub fn admit_grant(
        &self,
        caller: &Caller,
        resource: &str,
        (namespace, name): (&str, &str),
        new: &Value,
        old: Option<&Value>,
    ) -> Result<(), Status> {
        if caller.is_in(MASTERS) || self.may_grant(caller, resource, (namespace, name), new) {
            return Ok(());
        }
        let grant = Grant::of(resource, new, old);
        let refused = self.0.policies.read(|index| rbac::refusal(index, caller, namespace, &grant));
        match refused {
            Ok(None) => Ok(()),
            Ok(Some(why)) => {
                let named = new.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                Err(Status::forbidden(&format!("{resource}.{}", rbac::GROUP), named, &why))
            }
            Err(no_role) => Err(no_role.status()),
        }
    }

    /// True for whoever may write any role (`escalate`), or bind the one in question (`bind`).
    fn may_grant(&self, caller: &Caller, resource: &str, (namespace, name): (&str, &str), new: &Value) -> bool {
        let action = |verb: &str, resource: &str, name: &str| {
            Attributes::Resource(Action {
                verb: verb.to_owned(),
                group: rbac::GROUP.to_owned(),
                version: "*".to_owned(),
                resource: resource.to_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                ..Action::default()
            })
        };
        let wanted = if resource.ends_with("bindings") {
            let role = RoleRef::of(new);
            action("bind", if role.cluster { "clusterroles" } else { "roles" }, &role.name)
        } else {
            action("escalate", resource, name)
        };
        self.decide(caller, &wanted).is_allowed()
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::store;

    fn authorizer(modes: &[Mode]) -> Authorizer {
        Authorizer::new(modes, &Store::open(store::Config::default()).unwrap())
    }

    fn list_pods() -> Attributes {
        Attributes::of(&Method::GET, &http::Uri::from_static("/api/v1/pods"))
    }

    #[test]
    fn modes_are_asked_in_order() {
        let (bob, root) = (Caller::authenticated("bob", []), Caller::system("root"));
        for (modes, allowed) in [
            (vec![Mode::AlwaysAllow], true),
            (vec![Mode::AlwaysDeny], false),
            (vec![Mode::AlwaysDeny, Mode::AlwaysAllow], true),
            (Mode::DEFAULT.to_vec(), false),
            (vec![], false),
        ] {
            let authorizer = authorizer(&modes);
            assert_eq!(authorizer.decide(&bob, &list_pods()).is_allowed(), allowed, "{modes:?}");
            assert!(authorizer.decide(&root, &list_pods()).is_allowed(), "{modes:?}");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let bob = Caller::authenticated("bob", []);
        let refused = authorizer(&[Mode::AlwaysDeny]).require(&bob, &list_pods()).unwrap_err();
        assert_eq!(
            refused.message(),
            "pods is forbidden: User \"bob\" cannot list resource \"pods\" in API group \"\" at the cluster scope: \
             Everything is forbidden."
        );
    }
}

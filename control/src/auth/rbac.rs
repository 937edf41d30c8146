//! Role-based access control: who is bound to which role, and what its rules allow.
//!
//! ```text
//! caller ─► bindings of the user and the groups ─► roles ─► rules ─► allowed by …, or not
//! ```
//!
//! Pure functions over an [`Index`], which is kept in compiled form: a decision parses nothing, and costs as much as the
//! caller's own bindings have rules.

mod cover;
mod escalation;
mod index;
mod rule;

pub(super) use cover::uncovered;
pub(super) use escalation::{Grant, refusal};
use index::NoRole;
pub(super) use index::{Index, RoleRef, aggregate};
pub use rule::Rule;

/// The API group of roles and bindings.
pub(super) const GROUP: &str = "rbac.authorization.k8s.io";

/// Everything, everywhere: what there is where nobody is refused anything.
pub(super) fn unbounded() -> [Rule; 2] {
    let all = || -> rule::Words { [Box::from("*")].into() };
    [
        Rule { verbs: all(), api_groups: all(), resources: all(), ..Rule::default() },
        Rule { verbs: all(), non_resource_urls: all(), ..Rule::default() },
    ]
}

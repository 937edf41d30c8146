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
pub(super) use index::{Index, NoRole, RoleRef};
pub use rule::Rule;

/// The API group of roles and bindings.
pub(super) const GROUP: &str = "rbac.authorization.k8s.io";

//! Who is asking, and may they?
//!
//! ```text
//! connection ─► peer (client certificate) ┐
//! request ────► bearer token ─────────────┴► authenticator ─► Caller ─► impersonate ─► authorizer ─► Decision
//!                                                                                         ▲ nodes, roles, bindings
//! ```
//!
//! Callers in this process have no connection: they name themselves with an `Arc<Caller>` in the request's extensions.

pub mod bootstrap;

mod attributes;
mod authenticator;
mod authorizer;
mod certificate;
mod follower;
mod impersonate;
mod jwt;
mod mode;
pub mod node;
mod pki;
mod rbac;
mod service_accounts;
mod tokens;

pub(crate) use attributes::selector_fields;
pub use attributes::{Action, Attributes};
pub use authenticator::{Authenticator, Peer};
pub use authorizer::{Allowance, Authorizer, Decision};
pub use certificate::request_organizations;
pub use impersonate::impersonate;
pub use jwt::Key as TokenKey;
pub use mode::{Mode, UnknownMode};
pub use pki::{Identity, Pki, PkiError, Signer, Unfit, server_names};
pub use rbac::Rule;
pub use service_accounts::{Authenticated, Bound, Grant, ServiceAccounts};
pub use tokens::{TokenFileError, Tokens};

/// Whose members may do everything, whatever the rules.
pub const MASTERS: &str = "system:masters";
/// Whoever has shown credentials.
pub const AUTHENTICATED: &str = "system:authenticated";
/// Whoever has not.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";

/// What the user names of service accounts start with; namespace and name follow, with a colon between.
pub const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// Where a caller's extra facts say which certificate or token was shown.
const CREDENTIAL_ID: &str = "authentication.kubernetes.io/credential-id";

/// An authenticated caller: a person, a node, a controller, or a pod's service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// User name: `kubernetes-admin`, `system:node:a`, `system:serviceaccount:default:default`.
    pub user: String,
    /// Unique id, where the authenticator knows one.
    pub uid: String,
    /// Groups, `system:authenticated` or `system:unauthenticated` among them.
    pub groups: Vec<String>,
    /// Further facts from the authenticator.
    pub extra: Vec<(String, Vec<String>)>,
}

impl Caller {
    /// Somebody whose credentials were good.
    pub fn authenticated(user: &str, groups: impl IntoIterator<Item = String>) -> Self {
        let mut groups: Vec<String> = groups.into_iter().collect();
        if !groups.iter().any(|g| g == AUTHENTICATED) {
            groups.push(AUTHENTICATED.to_owned());
        }
        Self { user: user.to_owned(), uid: String::new(), groups, extra: Vec::new() }
    }

    /// A component of the control plane or of the node, running in this process: allowed everything.
    pub fn system(user: &str) -> Self {
        Self::authenticated(user, [MASTERS.to_owned()])
    }

    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Self {
            user: "system:anonymous".to_owned(),
            uid: String::new(),
            groups: vec![UNAUTHENTICATED.to_owned()],
            extra: Vec::new(),
        }
    }

    /// True for who has shown no credentials.
    pub fn is_anonymous(&self) -> bool {
        self.is_in(UNAUTHENTICATED)
    }

    /// True for a member of the group.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|g| g == group)
    }
}

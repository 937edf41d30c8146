//! Who is asking.

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
    /// A component of the control plane or of the node, running in this process: allowed everything.
    pub fn system(user: &str) -> Self {
        Self {
            user: user.to_owned(),
            uid: String::new(),
            groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()],
            extra: Vec::new(),
        }
    }

    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Self {
            user: "system:anonymous".to_owned(),
            uid: String::new(),
            groups: vec!["system:unauthenticated".to_owned()],
            extra: Vec::new(),
        }
    }
}

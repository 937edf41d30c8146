//! What a token of a service account says (KEP-1205, KEP-4193), and what those of Secrets said before.

use serde::{Deserialize, Serialize};

use crate::auth::Caller;

/// An object by name and uid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Its name.
    pub name: String,
    /// Its uid; empty where any of that name will do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
}

/// The claims, in the order in which upstream writes them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Who it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aud: Vec<String>,
    /// When it ends, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Who made it.
    pub iss: String,
    /// Its own id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub jti: String,
    /// What Kubernetes has to say.
    #[serde(rename = "kubernetes.io", skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Private>,
    /// When it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Whom it names.
    pub sub: String,
    /// The claims of a Secret's token.
    #[serde(flatten)]
    pub legacy: Legacy,
}

/// The account and what the token is bound to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Private {
    /// The account's namespace.
    pub namespace: String,
    /// The node of the pod, or the one that the token is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<Bound>,
    /// The pod that the token is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<Bound>,
    /// The secret that the token is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Bound>,
    /// The account.
    pub serviceaccount: Bound,
    /// When a client should have taken a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warnafter: Option<i64>,
}

/// The claims of tokens in Secrets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Legacy {
    #[serde(rename = "kubernetes.io/serviceaccount/namespace", skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(rename = "kubernetes.io/serviceaccount/secret.name", skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(rename = "kubernetes.io/serviceaccount/service-account.name", skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(rename = "kubernetes.io/serviceaccount/service-account.uid", skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
}

/// Who makes the tokens of Secrets.
const LEGACY_ISSUER: &str = "kubernetes/serviceaccount";

impl Claims {
    /// The claims of a Secret's token.
    pub(super) fn of_secret(namespace: &str, account: &Bound, secret: &str) -> Self {
        Self {
            aud: Vec::new(),
            exp: None,
            iat: None,
            iss: LEGACY_ISSUER.to_owned(),
            jti: String::new(),
            kubernetes: None,
            nbf: None,
            sub: format!("system:serviceaccount:{namespace}:{}", account.name),
            legacy: Legacy {
                namespace: Some(namespace.to_owned()),
                secret: Some(secret.to_owned()),
                account: Some(account.name.clone()),
                uid: Some(account.uid.clone()),
            },
        }
    }

    /// True for the token of a Secret.
    pub fn is_legacy(&self) -> bool {
        self.kubernetes.is_none() && self.iss == LEGACY_ISSUER
    }

    /// The namespace of the account.
    pub fn namespace(&self) -> &str {
        let legacy = || self.legacy.namespace.as_deref().unwrap_or_default();
        self.kubernetes.as_ref().map_or_else(legacy, |private| &private.namespace)
    }

    /// The account.
    pub fn account(&self) -> Bound {
        match &self.kubernetes {
            Some(private) => private.serviceaccount.clone(),
            None => Bound {
                name: self.legacy.account.clone().unwrap_or_default(),
                uid: self.legacy.uid.clone().unwrap_or_default(),
            },
        }
    }

    /// True for the token of a pod.
    pub(super) fn is_bound_to_pod(&self) -> bool {
        self.kubernetes.as_ref().is_some_and(|private| private.pod.is_some())
    }

    /// What must be there for the token to be good, by resource.
    pub(super) fn bound(&self) -> impl Iterator<Item = (&'static str, Bound)> {
        let private = self.kubernetes.as_ref();
        let of_secret = self.legacy.secret.clone().map(|name| Bound { name, uid: String::new() });
        let all = [
            ("pods", private.and_then(|p| p.pod.clone())),
            ("secrets", private.and_then(|p| p.secret.clone()).or(of_secret)),
            ("nodes", private.and_then(|p| p.node.clone())),
        ];
        all.into_iter().filter_map(|(resource, bound)| Some((resource, bound?)))
    }

    /// Whom the token names, as a caller.
    pub fn caller(&self) -> Caller {
        let (namespace, account) = (self.namespace(), self.account());
        let groups = ["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
        let user = format!("system:serviceaccount:{namespace}:{}", account.name);
        let mut extra: Vec<(String, Vec<String>)> = Vec::new();
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                extra.push((format!("authentication.kubernetes.io/{name}"), vec![value.to_owned()]));
            }
        };
        if !self.jti.is_empty() {
            add("credential-id", &format!("JTI={}", self.jti));
        }
        let private = self.kubernetes.as_ref();
        for (kind, bound) in
            [("node", private.and_then(|p| p.node.as_ref())), ("pod", private.and_then(|p| p.pod.as_ref()))]
        {
            add(&format!("{kind}-name"), bound.map_or("", |b| &b.name));
            add(&format!("{kind}-uid"), bound.map_or("", |b| &b.uid));
        }
        Caller { uid: account.uid, extra, ..Caller::authenticated(&user, groups) }
    }
}

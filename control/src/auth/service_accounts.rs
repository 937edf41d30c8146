//! Service accounts as callers: tokens that name one, and the look whether it is still there.
//!
//! ```text
//! TokenRequest ─► issue ─► JWT (bound to a pod, a secret, a node or to nothing)
//! JWT ─► signature, time, audience ─► the account, and what the token is bound to, are in the store by the same uid ─► Caller
//! ```
//!
//! A token ends with what it is bound to, not only with its time: whoever deletes a pod ends its tokens.

mod claims;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Caller;
use super::jwt::{ALGORITHM, Key, Unsigned};
use crate::store::{self, Store};

pub use claims::{Bound, Claims};

/// How many verified tokens are remembered.
const REMEMBERED: usize = 4096;
/// The clocks of two machines may differ by so many seconds.
const LEEWAY: i64 = 60;
/// A token that pods get by default says this lifetime, in seconds; it marks those that may live longer.
pub const PROJECTED_SECONDS: i64 = 3607;
/// How long such a token is good in fact: guests that read it only once keep working for a year.
const EXTENDED_SECONDS: i64 = 365 * 24 * 3600;

/// What signs tokens and knows them again.
pub struct ServiceAccounts {
    key: Key,
    issuer: String,
    audiences: Vec<String>,
    store: Store,
    /// Tokens whose signature was found good, by their digest: verifying is what costs.
    known: Mutex<HashMap<[u8; 32], Claims>>,
}

impl std::fmt::Debug for ServiceAccounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceAccounts").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Who a token is of, and for whom it is meant.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The account.
    pub caller: Arc<Caller>,
    /// The audiences that were asked for and that the token has.
    pub audiences: Vec<String>,
}

/// What a token is to say.
pub struct Grant<'a> {
    /// The account's namespace.
    pub namespace: &'a str,
    /// The account: its name and uid.
    pub account: Bound,
    /// Who it is for; nobody: the API itself.
    pub audiences: Vec<String>,
    /// Its lifetime, in seconds.
    pub seconds: i64,
    /// The pod, and that pod's node.
    pub pod: Option<Bound>,
    /// The secret.
    pub secret: Option<Bound>,
    /// The node.
    pub node: Option<Bound>,
}

impl ServiceAccounts {
    /// Accounts of the cluster with this domain, whose objects are in `store`.
    pub fn new(key: Key, cluster_domain: &str, store: Store) -> Self {
        let issuer = format!("https://kubernetes.default.svc.{cluster_domain}");
        Self { key, audiences: vec![issuer.clone()], issuer, store, known: Mutex::default() }
    }

    /// Those that the API takes a token for.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// Signs a token; `now` in seconds since 1970.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn issue(&self, grant: Grant<'_>, now: i64) -> Result<String, Unsigned> {
        let for_api = grant.audiences.iter().any(|a| self.audiences.contains(a));
        let extended = grant.seconds == PROJECTED_SECONDS && grant.pod.is_some() && for_api;
        let lifetime = if extended { EXTENDED_SECONDS } else { grant.seconds };
        self.key.sign(&Claims {
            aud: grant.audiences,
            exp: Some(now + lifetime),
            iat: Some(now),
            iss: self.issuer.clone(),
            jti: uuid::Uuid::new_v4().to_string(),
            kubernetes: Some(claims::Private {
                namespace: grant.namespace.to_owned(),
                node: grant.node,
                pod: grant.pod,
                secret: grant.secret,
                serviceaccount: grant.account.clone(),
                warnafter: extended.then_some(now + grant.seconds),
            }),
            nbf: Some(now),
            sub: format!("system:serviceaccount:{}:{}", grant.namespace, grant.account.name),
            legacy: claims::Legacy::default(),
        })
    }

    /// Signs the token of a Secret of type `kubernetes.io/service-account-token`: it ends with its Secret only.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn issue_legacy(&self, namespace: &str, account: &Bound, secret: &str) -> Result<String, Unsigned> {
        self.key.sign(&Claims::of_secret(namespace, account, secret))
    }

    /// Whose token it is, for `wanted` audiences (none: the API's own); nobody's where it is not or no longer good.
    pub fn authenticate(&self, token: &str, wanted: &[String], now: i64) -> Option<Authenticated> {
        let claims = self.verified(token)?;
        let wanted = if wanted.is_empty() { &self.audiences } else { wanted };
        let audiences: Vec<String> = match claims.is_legacy() {
            // Tokens of Secrets name no audience; they are the API's.
            true => wanted.iter().filter(|a| self.audiences.contains(a)).cloned().collect(),
            false => wanted.iter().filter(|a| claims.aud.contains(a)).cloned().collect(),
        };
        let in_time =
            claims.exp.is_none_or(|exp| now < exp + LEEWAY) && claims.nbf.is_none_or(|nbf| nbf - LEEWAY <= now);
        let issued_here = claims.is_legacy() || claims.iss == self.issuer;
        if audiences.is_empty() || !in_time || !issued_here || !self.stands(&claims) {
            return None;
        }
        Some(Authenticated { caller: Arc::new(claims.caller()), audiences })
    }

    fn verified(&self, token: &str) -> Option<Claims> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        if let Some(claims) = self.known.lock().get(&digest) {
            return Some(claims.clone());
        }
        let claims: Claims = self.key.verify(token)?;
        let mut known = self.known.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(digest, claims.clone());
        Some(claims)
    }

    /// True while the account and what the token is bound to are there.
    fn stands(&self, claims: &Claims) -> bool {
        let (namespace, account) = (claims.namespace(), claims.account());
        let bound = claims.bound().all(|(resource, one)| {
            let namespace = if resource == "nodes" { "" } else { namespace };
            // Upstream looks at a node only where the token is bound to it alone.
            (resource == "nodes" && claims.is_bound_to_pod()) || self.is_there(resource, namespace, &one)
        });
        bound && self.is_there("serviceaccounts", namespace, &account)
    }

    fn is_there(&self, resource: &str, namespace: &str, wanted: &Bound) -> bool {
        let found = self.store.get(&store::Key::new(resource, namespace, &wanted.name));
        let uid = found.and_then(|entry| uid(&entry.bytes));
        uid.is_some_and(|uid| wanted.uid.is_empty() || uid == wanted.uid)
    }

    /// `/.well-known/openid-configuration`; `address` is where clients reach the API.
    pub fn configuration(&self, address: &str) -> Value {
        json!({
            "issuer": self.issuer,
            "jwks_uri": format!("https://{address}/openid/v1/jwks"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        })
    }

    /// `/openid/v1/jwks`.
    pub fn jwks(&self) -> Value {
        self.key.jwks()
    }
}

/// The uid of an encoded object; the rest of it is skipped.
fn uid(bytes: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Object {
        metadata: Meta,
    }
    #[derive(serde::Deserialize)]
    struct Meta {
        uid: String,
    }
    serde_json::from_slice::<Object>(bytes).ok().map(|object| object.metadata.uid)
}

#[cfg(test)]
mod tests;

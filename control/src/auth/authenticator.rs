//! From credentials to a caller.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;

use crate::status::Status;

use super::certificate::Facts;
use super::{Authenticated, Caller, ServiceAccounts, Tokens};

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// No client certificate was shown.
    Unnamed,
    /// The owner of a certificate of the cluster's authority.
    Named(Arc<Caller>),
    /// The certificate is of another authority, or out of date.
    Untrusted,
}

impl Peer {
    /// The owner of a certificate that has been verified.
    pub(crate) fn of_certificate(der: &[u8]) -> Self {
        Facts::read(der).map_or(Self::Untrusted, |facts| Self::Named(Arc::new(facts.into_caller())))
    }
}

/// All that is needed to know callers; clones share it.
#[derive(Clone, Debug)]
pub struct Authenticator {
    tokens: Arc<Tokens>,
    accounts: Option<Arc<ServiceAccounts>>,
    anonymous: bool,
}

impl Default for Authenticator {
    fn default() -> Self {
        Self::new(Tokens::default())
    }
}

impl Authenticator {
    /// An authenticator that knows these tokens.
    pub fn new(tokens: Tokens) -> Self {
        Self { tokens: Arc::new(tokens), accounts: None, anonymous: true }
    }

    /// The same, knowing the tokens of service accounts too.
    #[must_use]
    pub fn with_accounts(self, accounts: Arc<ServiceAccounts>) -> Self {
        Self { accounts: Some(accounts), ..self }
    }

    /// The same; unless `allowed`, requests without credentials are refused.
    #[must_use]
    pub fn anonymous(self, allowed: bool) -> Self {
        Self { anonymous: allowed, ..self }
    }

    /// The caller of a request. The first credentials that are good count; the certificate comes first.
    ///
    /// # Errors
    ///
    /// 401 when credentials were shown and none is good, and where nobody may come without any.
    pub fn caller(&self, peer: &Peer, headers: &HeaderMap) -> Result<Arc<Caller>, Status> {
        self.holder(peer, bearer(headers))
    }

    /// The caller of a request to the registry of images, whose clients show a token as a password: whatever the user.
    ///
    /// # Errors
    ///
    /// As [`Authenticator::caller`].
    pub fn registry_caller(&self, peer: &Peer, headers: &HeaderMap) -> Result<Arc<Caller>, Status> {
        let password = password(headers);
        self.holder(peer, bearer(headers).or(password.as_deref()))
    }

    fn holder(&self, peer: &Peer, token: Option<&str>) -> Result<Arc<Caller>, Status> {
        match (peer, token) {
            (Peer::Named(caller), _) => Ok(caller.clone()),
            (_, Some(token)) => self.token(token, &[]).map(|found| found.caller).ok_or_else(Status::unauthorized),
            (Peer::Unnamed, None) if self.anonymous => Ok(Arc::new(Caller::anonymous())),
            (Peer::Untrusted | Peer::Unnamed, None) => Err(Status::unauthorized()),
        }
    }

    /// Whose token it is, for these audiences (none: the API itself); nobody's where it is not good. Tokens that are known in
    /// advance name no audience: they are for the API.
    pub fn token(&self, token: &str, audiences: &[String]) -> Option<Authenticated> {
        if let Some(caller) = self.tokens.caller(token) {
            let own = self.accounts.as_deref().map(ServiceAccounts::audiences).unwrap_or_default();
            let audiences: Vec<String> = match audiences {
                [] => own.to_vec(),
                wanted => wanted.iter().filter(|audience| own.contains(audience)).cloned().collect(),
            };
            let good = !audiences.is_empty() || own.is_empty();
            return good.then(|| Authenticated { caller: caller.clone(), audiences });
        }
        self.accounts.as_ref()?.authenticate(token, audiences, Timestamp::now().as_second())
    }
}

/// The token of `Authorization: Bearer …`. Other schemes are not credentials here, as upstream.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The password of `Authorization: Basic …` (RFC 7617). An empty one is none.
fn password(headers: &HeaderMap) -> Option<String> {
    let (scheme, coded) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = String::from_utf8(BASE64.decode(coded.trim()).ok()?).ok()?;
    let (_, password) = plain.split_once(':')?;
    (!password.is_empty()).then(|| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_a_token_for_the_registry_alone() {
        let mut tokens = Tokens::default();
        tokens.add("secret", Caller::authenticated("bob", []));
        let known = Authenticator::new(tokens);
        // any:secret
        let shown = headers("Basic YW55OnNlY3JldA==");
        assert_eq!(
            known.registry_caller(&Peer::Unnamed, &shown).map(|caller| caller.user.clone()).ok(),
            Some("bob".into())
        );
        assert!(known.caller(&Peer::Unnamed, &shown).is_ok_and(|caller| caller.is_anonymous()));
        let wrong = headers("Basic YW55Onh4");
        assert_eq!(known.registry_caller(&Peer::Unnamed, &wrong).map_err(|status| status.code()), Err(401));
        assert!(known.registry_caller(&Peer::Unnamed, &headers("Basic ???")).is_ok_and(|caller| caller.is_anonymous()));
    }

    fn headers(authorization: &'static str) -> HeaderMap {
        [(AUTHORIZATION, http::HeaderValue::from_static(authorization))].into_iter().collect()
    }

    fn known() -> (Authenticator, Caller) {
        let mut tokens = Tokens::default();
        let bob = Caller::authenticated("bob", []);
        tokens.add("secret", bob.clone());
        (Authenticator::new(tokens), bob)
    }

    #[test]
    fn good_credentials_name_the_caller_and_bad_ones_are_refused() {
        let (known, bob) = known();
        let (none, good, bad) = (HeaderMap::new(), headers("Bearer secret"), headers("bearer guess"));
        let amy = Arc::new(Caller::authenticated("amy", []));

        assert_eq!(*known.caller(&Peer::Unnamed, &none).unwrap(), Caller::anonymous());
        assert_eq!(*known.caller(&Peer::Unnamed, &good).unwrap(), bob);
        assert_eq!(known.caller(&Peer::Unnamed, &bad).unwrap_err().code(), 401);
        assert_eq!(known.caller(&Peer::Untrusted, &none).unwrap_err().code(), 401);
        assert_eq!(*known.caller(&Peer::Untrusted, &good).unwrap(), bob);
        assert_eq!(known.caller(&Peer::Named(amy.clone()), &bad).unwrap(), amy);
        assert_eq!(*known.caller(&Peer::Unnamed, &headers("Basic YTpi")).unwrap(), Caller::anonymous());
    }

    #[test]
    fn strangers_can_be_kept_out() {
        let known = known().0.anonymous(false);
        assert_eq!(known.caller(&Peer::Unnamed, &HeaderMap::new()).unwrap_err().code(), 401);
        assert!(known.caller(&Peer::Unnamed, &headers("Bearer secret")).is_ok());
    }
}

//! From credentials to a caller.

use std::sync::Arc;

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
        match (peer, bearer(headers)) {
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

#[cfg(test)]
mod tests {
    use super::*;

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

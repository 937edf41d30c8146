//! From credentials to a caller.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::status::Status;

use super::certificate::Facts;
use super::{Caller, Tokens};

/// For whom tokens are that name nobody: the API itself.
pub const AUDIENCE: &str = "https://kubernetes.default.svc";

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

/// Whom a token names, and for which of the audiences asked for it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who has it.
    pub caller: Arc<Caller>,
    /// For whom it is.
    pub audiences: Vec<String>,
}

/// All that is needed to know callers; clones share it.
#[derive(Clone, Debug)]
pub struct Authenticator {
    tokens: Arc<Tokens>,
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
        Self { tokens: Arc::new(tokens), anonymous: true }
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
            (_, Some(token)) => self.token(token, &[]).map(|known| known.caller).ok_or_else(Status::unauthorized),
            (Peer::Unnamed, None) if self.anonymous => Ok(Arc::new(Caller::anonymous())),
            (Peer::Untrusted | Peer::Unnamed, None) => Err(Status::unauthorized()),
        }
    }

    /// Whom a token names, if it is good for one of these audiences; none means the API itself.
    pub fn token(&self, token: &str, audiences: &[&str]) -> Option<Known> {
        if !audiences.is_empty() && !audiences.contains(&AUDIENCE) {
            return None;
        }
        let caller = self.tokens.caller(token)?.clone();
        Some(Known { caller, audiences: vec![AUDIENCE.to_owned()] })
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

    #[test]
    fn tokens_that_name_no_audience_are_for_the_api() {
        let known = known().0;
        assert_eq!(known.token("secret", &[]).unwrap().audiences, [AUDIENCE]);
        assert!(known.token("secret", &["vault"]).is_none());
        assert_eq!(known.token("secret", &["vault", AUDIENCE]).unwrap().audiences, [AUDIENCE]);
        assert!(known.token("guess", &[]).is_none());
    }
}

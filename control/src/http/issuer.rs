//! The cluster as an OpenID issuer: what others need to check its tokens.

use http::request::Parts;
use http::{Method, Response, StatusCode};

use super::{Body, respond};
use crate::auth::ServiceAccounts;

/// Answers for the two documents; nothing for any other path.
pub fn answer(head: &Parts, accounts: &ServiceAccounts, address: &str) -> Option<Response<Body>> {
    let (content_type, document) = match head.uri.path() {
        "/.well-known/openid-configuration" => ("application/json", accounts.configuration(address)),
        "/openid/v1/jwks" => ("application/jwk-set+json", accounts.jwks()),
        _ => return None,
    };
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    let mut response = respond::answer(StatusCode::OK, content_type, respond::full(document.to_string()));
    let public = http::HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(http::header::CACHE_CONTROL, public);
    Some(response)
}

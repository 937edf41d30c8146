//! What a request or response says to its next hop only, and what every request must say.

use std::net::SocketAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, Uri, Version};

use crate::fabric::error::RequestError;

/// Headers that end at the next hop (RFC 9110, 7.6.1). `te` and the lengths stay: hyper minds them.
const HOP_BY_HOP: [HeaderName; 5] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Whether the request asks for another protocol, as WebSocket does.
pub(super) fn wants_upgrade<B>(request: &Request<B>) -> bool {
    request.headers().contains_key(header::UPGRADE) && connection_names(request.headers(), "upgrade")
}

fn connection_names(headers: &HeaderMap, token: &str) -> bool {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|named| named.trim().eq_ignore_ascii_case(token)))
}

/// Brings a request, from wherever it came, into the form in which a server sees it: `Host` and a path. A `Host` that
/// is there stays: a probe may ask an address for another name.
pub(super) fn to_origin_form<B>(request: &mut Request<B>) -> Result<(), RequestError> {
    let Some(authority) = request.uri().authority() else { return Ok(()) };
    if !request.headers().contains_key(header::HOST) {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let host = HeaderValue::from_str(host).map_err(|_| RequestError::Invalid("the authority is no header"))?;
        request.headers_mut().insert(header::HOST, host);
    }
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    Ok(())
}

/// A request of HTTP/1.0 or of the host's own may name no host: then it is the address it goes to.
pub(super) fn ensure_host<B>(request: &mut Request<B>, to: SocketAddr) {
    if !request.headers().contains_key(header::HOST)
        && let Ok(host) = HeaderValue::try_from(to.to_string())
    {
        request.headers_mut().insert(header::HOST, host);
    }
}

/// Removes what was meant for this hop.
pub(super) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The same for a request to be sent on; one that asks for an upgrade keeps that.
pub(super) fn strip_request<B>(request: &mut Request<B>) {
    let upgrade = wants_upgrade(request).then(|| request.headers().get(header::UPGRADE).cloned()).flatten();
    strip(request.headers_mut());
    if let Some(protocol) = upgrade {
        request.headers_mut().insert(header::UPGRADE, protocol);
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

/// The same for a response; `101` keeps what it is about.
pub(super) fn strip_response<B>(response: &mut Response<B>) {
    if response.status() != http::StatusCode::SWITCHING_PROTOCOLS {
        strip(response.headers_mut());
    }
}

/// A request that may be sent a second time after the first try broke: nothing in it is used up, and doing it twice is
/// as good as once.
pub(super) fn spare<B: http_body::Body + Default>(request: &Request<B>) -> Option<Request<B>> {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
    );
    if !safe || !request.body().is_end_stream() {
        return None;
    }
    let mut spare = Request::new(B::default());
    *spare.method_mut() = request.method().clone();
    *spare.uri_mut() = request.uri().clone();
    *spare.version_mut() = request.version();
    *spare.headers_mut() = request.headers().clone();
    Some(spare)
}

/// The absolute form that HTTP/2 wants.
pub(super) fn to_absolute_form<B>(request: &mut Request<B>) -> Result<(), RequestError> {
    let host = request.headers_mut().remove(header::HOST);
    let host = host.as_ref().and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri = Uri::builder().scheme("http").authority(host).path_and_query(path).build();
    *request.uri_mut() = uri.map_err(|_| RequestError::Invalid("the Host is no authority"))?;
    *request.version_mut() = Version::HTTP_2;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Empty = http_body_util::Empty<bytes::Bytes>;

    #[test]
    fn what_is_for_this_hop_goes() {
        let mut request = Request::builder()
            .header("connection", "X-Mine, keep-alive")
            .header("x-mine", "1")
            .header("keep-alive", "5")
            .header("x-other", "2")
            .header("upgrade", "h2c")
            .body(())
            .unwrap();
        strip_request(&mut request);
        let names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-other"]);
    }

    #[test]
    fn an_upgrade_stays_one() {
        let mut request = Request::builder()
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "websocket")
            .body(())
            .unwrap();
        assert!(wants_upgrade(&request));
        strip_request(&mut request);
        assert_eq!(request.headers()["connection"], "upgrade");
        assert_eq!(request.headers()["upgrade"], "websocket");
    }

    #[test]
    fn origin_form() {
        let mut request = Request::builder().uri("http://user@web.dev:8080/a?b=c").body(()).unwrap();
        to_origin_form(&mut request).unwrap();
        assert_eq!(request.uri(), "/a?b=c");
        assert_eq!(request.headers()["host"], "web.dev:8080");
        to_absolute_form(&mut request).unwrap();
        assert_eq!(request.uri(), "http://web.dev:8080/a?b=c");
    }

    #[test]
    fn only_idempotent_and_empty_requests_have_a_spare() {
        let of = |method| Request::builder().method(method).body(Empty::new()).unwrap();
        assert!(spare(&of("GET")).is_some());
        assert!(spare(&of("POST")).is_none());
        let full: Request<http_body_util::Full<bytes::Bytes>> = Request::put("/").body("x".into()).unwrap();
        assert!(spare(&full).is_none());
    }
}

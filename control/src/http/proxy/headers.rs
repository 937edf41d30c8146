//! Headers that are between two hops only, and those that are not for clients.

use http::HeaderMap;
use http::header::{self, CONNECTION, HOST, HeaderName, HeaderValue, UPGRADE};

use crate::audit::Source;
use crate::http::RequestHead;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Of one hop (RFC 9110, 7.6.1).
const HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    UPGRADE,
];

/// What a pod must not say in the name of the API: pages of others could read the API with it.
const CROSS_ORIGIN: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

/// The headers of a request as the other side gets them.
pub fn forwarded(head: &RequestHead, upgrade: bool) -> HeaderMap {
    let mut headers = head.headers.clone();
    let protocol = headers.get(UPGRADE).cloned().filter(|_| upgrade);
    strip(&mut headers);
    if let Some(protocol) = protocol {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, protocol);
    }
    if !headers.contains_key(HOST)
        && let Some(host) = head.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok())
    {
        headers.insert(HOST, host);
    }
    if let Some(Source(ip)) = head.extensions.get() {
        let before = headers.get(&X_FORWARDED_FOR).and_then(|value| value.to_str().ok());
        let chain = before.map_or_else(|| ip.to_string(), |before| format!("{before}, {ip}"));
        headers.extend(HeaderValue::try_from(chain).ok().map(|chain| (X_FORWARDED_FOR, chain)));
    }
    headers
}

/// Takes out of an answer what is not for the client.
pub fn cleaned(headers: &mut HeaderMap) {
    strip(headers);
    for name in CROSS_ORIGIN {
        headers.remove(name);
    }
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.into_iter().chain(HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn what_is_of_one_hop_stays_there() {
        let request = Request::get("/")
            .header("connection", "Upgrade, X-Mine")
            .header("upgrade", "websocket")
            .header("x-mine", "1")
            .header("te", "trailers")
            .header("x-other", "2");
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        head.extensions.insert(Source([192, 0, 2, 1].into()));
        let plain = forwarded(&head, false);
        let names: Vec<_> = plain.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-other", "x-forwarded-for"]);
        let upgraded = forwarded(&head, true);
        assert_eq!(
            (&upgraded[CONNECTION], &upgraded[UPGRADE]),
            (&"Upgrade".parse().unwrap(), &"websocket".parse().unwrap())
        );
        assert_eq!(upgraded[X_FORWARDED_FOR], "192.0.2.1");
    }
}

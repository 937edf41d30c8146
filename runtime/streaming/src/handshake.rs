//! Which protocol is spoken: pure decisions about headers.

use std::pin::Pin;

use http::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::Error;

const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");
const ACCEPTED_STREAM_PROTOCOLS: HeaderName = HeaderName::from_static("x-accepted-stream-protocol-versions");
const SPDY: &str = "SPDY/3.1";

/// A request that cannot be upgraded, in the words of a kubelet.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// What would have been accepted.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Why.
    pub message: String,
}

impl Refusal {
    /// 400
    pub fn bad_request(message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, headers: Vec::new(), message }
    }

    /// The answer.
    pub fn into_response(self) -> Response<String> {
        let mut response = Response::new(self.message + "\n");
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

/// A request that is upgraded: the answer to give, and the streams that there are once it was given.
pub struct Upgrade<T> {
    /// `101 Switching Protocols`.
    pub response: Response<()>,
    /// Comes true when the answer was sent and the client opened its streams.
    pub established: Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>,
}

impl<T> std::fmt::Debug for Upgrade<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upgrade").field("response", &self.response).finish_non_exhaustive()
    }
}

/// True for a request that asks for another protocol, which only some can.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.get_all(CONNECTION).iter().any(|value| names(value, "upgrade"))
}

/// True for a request for a WebSocket.
pub(crate) fn is_websocket(headers: &HeaderMap) -> bool {
    is_upgrade(headers) && headers.get(UPGRADE).is_some_and(|value| names(value, "websocket"))
}

fn names(value: &HeaderValue, wanted: &str) -> bool {
    let text = value.to_str().unwrap_or_default();
    text.split(',').any(|word| word.trim().eq_ignore_ascii_case(wanted))
}

/// The words of all headers of this name, in order.
fn offered(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// The first protocol of the client's that is one of ours.
fn agreed(offered: &[&str], ours: &[&'static str]) -> Option<&'static str> {
    offered.iter().find_map(|name| ours.iter().find(|our| *our == name).copied())
}

/// A WebSocket with one of these sub-protocols; with none, where the client names none.
pub(crate) fn websocket(
    headers: &HeaderMap,
    ours: &[&'static str],
) -> Result<(Option<&'static str>, Response<()>), Refusal> {
    let header = |name| headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
    if header(SEC_WEBSOCKET_VERSION) != b"13" {
        let mut refusal = Refusal::bad_request("missing or bad WebSocket Version".to_owned());
        refusal.headers.push((SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")));
        return Err(refusal);
    }
    let key = header(SEC_WEBSOCKET_KEY);
    if key.is_empty() {
        return Err(Refusal::bad_request("challenge response".to_owned()));
    }
    let offered = offered(headers, SEC_WEBSOCKET_PROTOCOL);
    let protocol = agreed(&offered, ours);
    if protocol.is_none() && !offered.is_empty() {
        let message = format!("requested protocol(s) are not supported: {}; supports {}", list(&offered), list(ours));
        return Err(Refusal { status: StatusCode::FORBIDDEN, headers: Vec::new(), message });
    }
    let mut response = switching("websocket");
    let accept = HeaderValue::try_from(derive_accept_key(key)).map_err(|e| Refusal::bad_request(e.to_string()))?;
    response.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(protocol) = protocol {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    }
    Ok((protocol, response))
}

/// SPDY with one of these versions of what is spoken over it.
pub(crate) fn spdy(headers: &HeaderMap, ours: &[&'static str]) -> Result<(&'static str, Response<()>), Refusal> {
    let offered = offered(headers, STREAM_PROTOCOL);
    if offered.is_empty() {
        return Err(Refusal::bad_request("unable to upgrade: X-Stream-Protocol-Version is required".to_owned()));
    }
    let Some(version) = agreed(&offered, ours) else {
        let (theirs, accepted) = (list(&offered), list(ours));
        let message = format!(
            "unable to upgrade: unable to negotiate protocol: client supports {theirs}, server accepts {accepted}"
        );
        let mut refusal = Refusal { status: StatusCode::FORBIDDEN, headers: Vec::new(), message };
        for our in ours {
            refusal.headers.push((ACCEPTED_STREAM_PROTOCOLS, HeaderValue::from_static(our)));
        }
        return Err(refusal);
    };
    let upgrades = headers.get_all(UPGRADE).iter().any(|value| names(value, SPDY));
    if !is_upgrade(headers) || !upgrades {
        return Err(Refusal::bad_request("unable to upgrade: missing upgrade headers in request".to_owned()));
    }
    let mut response = switching(SPDY);
    response.headers_mut().insert(STREAM_PROTOCOL, HeaderValue::from_static(version));
    Ok((version, response))
}

/// A list as Go prints it.
fn list(words: &[&str]) -> String {
    format!("[{}]", words.join(" "))
}

fn switching(to: &'static str) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static(to));
    response
}

/// The connection below a request, once the answer was sent.
pub(crate) fn connection<B>(request: &mut Request<B>) -> Pending {
    Pending(hyper::upgrade::on(request))
}

/// A connection that is to be handed over.
pub(crate) struct Pending(OnUpgrade);

impl Pending {
    pub(crate) async fn io(self) -> Result<TokioIo<Upgraded>, Error> {
        self.0.await.map(TokioIo::new).map_err(Error::Upgrade)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    const SOCKET: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    #[test]
    fn a_websocket_names_what_was_agreed_on_or_is_none() {
        let ours = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
        let mut asked = headers(&SOCKET);
        let (none, response) = websocket(&asked, &ours).expect("no sub-protocol");
        assert_eq!((none, response.headers().get(SEC_WEBSOCKET_PROTOCOL)), (None, None));
        // The example of RFC 6455.
        assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

        asked.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("v9.channel.k8s.io, v4.channel.k8s.io"));
        let (agreed, response) = websocket(&asked, &ours).expect("one is ours");
        assert_eq!(agreed, Some("v4.channel.k8s.io"));
        assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "v4.channel.k8s.io");

        asked.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("v9.channel.k8s.io"));
        assert_eq!(websocket(&asked, &ours).expect_err("none is ours").status, StatusCode::FORBIDDEN);
        asked.remove(SEC_WEBSOCKET_VERSION);
        assert_eq!(websocket(&asked, &ours).expect_err("no version").status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn spdy_agrees_on_the_clients_first_choice() {
        let ours = ["v4.channel.k8s.io", "channel.k8s.io"];
        let upgrade = [("connection", "Upgrade"), ("upgrade", "SPDY/3.1")];
        let asked = |versions: &[&'static str]| {
            let mut headers = headers(&upgrade);
            for version in versions {
                headers.append(STREAM_PROTOCOL, HeaderValue::from_static(version));
            }
            headers
        };
        let (version, response) = spdy(&asked(&["v5.channel.k8s.io", "channel.k8s.io"]), &ours).expect("agreed");
        assert_eq!(
            (version, &response.headers()[STREAM_PROTOCOL]),
            ("channel.k8s.io", &"channel.k8s.io".parse().unwrap())
        );
        let refusal = spdy(&asked(&["v9"]), &ours).expect_err("no common version");
        assert_eq!(refusal.status, StatusCode::FORBIDDEN);
        assert_eq!(refusal.into_response().headers().get_all(ACCEPTED_STREAM_PROTOCOLS).iter().count(), 2);
        assert_eq!(spdy(&asked(&[]), &ours).expect_err("no version").status, StatusCode::BAD_REQUEST);
    }
}

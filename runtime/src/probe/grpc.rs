//! `grpc.health.v1.Health/Check`: one request over HTTP/2, its two messages written and read by hand.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// A health answer has a few bytes; nobody is to send more.
const MOST: usize = 4096;
const SERVING: u64 = 1;

const UNIMPLEMENTED: &str = "12";
const DEADLINE_EXCEEDED: &str = "4";

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// A status of health.
    Status(u64),
    /// An error of the call: its code and its message.
    Error(String, String),
}

/// Asks the server at `to`, which `dialing` reaches.
pub(super) async fn ask<S, E>(
    dialing: impl Future<Output = Result<S, E>>,
    to: SocketAddr,
    service: &str,
    patience: Duration,
) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let begun = tokio::time::Instant::now();
    // grpc-go connects again and again until its time is over, and says so in the end.
    let unreachable = || {
        format!(
            "timeout: failed to connect service {:?} within {patience:?}: context deadline exceeded",
            to.to_string()
        )
    };
    let Ok(Ok(stream)) = timeout(patience, dialing).await else { return Err(unreachable()) };
    let left = patience.saturating_sub(begun.elapsed());
    let answer = match timeout(left, check(stream, to, service)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            return Err(format!("error: health rpc probe failed: rpc error: code = Unavailable desc = {error}"));
        }
        Err(_) => return Err(format!("timeout: health rpc did not complete within {patience:?}")),
    };
    match answer {
        Answer::Status(SERVING) => Ok(()),
        Answer::Status(status) => Err(format!("service unhealthy (responded with {:?})", name(status))),
        Answer::Error(code, message) if code == UNIMPLEMENTED => Err(format!(
            "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): {message}"
        )),
        Answer::Error(code, _) if code == DEADLINE_EXCEEDED => {
            Err(format!("timeout: health rpc did not complete within {patience:?}"))
        }
        Answer::Error(code, message) => {
            let code = code_name(&code);
            Err(format!("error: health rpc probe failed: rpc error: code = {code} desc = {message}"))
        }
    }
}

async fn check<S>(stream: S, to: SocketAddr, service: &str) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let (mut sender, connection) = http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(|error| text(&error))?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let request = http::Request::post(format!("http://{to}/grpc.health.v1.Health/Check"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", "kube-probe/1.33")
        .body(Full::new(message(service)))
        .map_err(|error| text(&error))?;
    let response = sender.send_request(request).await.map_err(|error| text(&error))?;
    if response.status() != http::StatusCode::OK {
        return Err(format!("unexpected HTTP status code received from server: {}", response.status()));
    }
    // An error without an answer may come in the head alone.
    if let Some(error) = call_error(response.headers()) {
        return Ok(error);
    }
    let body = Limited::new(response.into_body(), MOST).collect().await.map_err(|error| text(&error))?;
    if let Some(error) = body.trailers().and_then(call_error) {
        return Ok(error);
    }
    status(&body.to_bytes()).map(Answer::Status).ok_or_else(|| "the answer is not a health status".to_owned())
}

fn call_error(headers: &http::HeaderMap) -> Option<Answer> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let code = text("grpc-status");
    let message = percent_encoding::percent_decode_str(&text("grpc-message")).decode_utf8_lossy().into_owned();
    (!code.is_empty() && code != "0").then_some(Answer::Error(code, message))
}

/// `HealthCheckRequest { string service = 1 }` in a frame: not compressed, its length, the message.
fn message(service: &str) -> Bytes {
    let mut inner = BytesMut::new();
    if !service.is_empty() {
        inner.put_u8(0x0a);
        varint(service.len() as u64, &mut inner);
        inner.put_slice(service.as_bytes());
    }
    let mut framed = BytesMut::with_capacity(5 + inner.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(inner.len()).unwrap_or(u32::MAX));
    framed.put(inner);
    framed.freeze()
}

fn varint(mut number: u64, out: &mut BytesMut) {
    while number >= 0x80 {
        out.put_u8((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.put_u8(number as u8);
}

/// `HealthCheckResponse { ServingStatus status = 1 }`; absent is `UNKNOWN`.
fn status(framed: &[u8]) -> Option<u64> {
    let (0, rest) = framed.split_first().map(|(flag, rest)| (*flag, rest))? else { return None };
    let (length, message) = rest.split_first_chunk::<4>()?;
    let message = message.get(..u32::from_be_bytes(*length) as usize)?;
    match message {
        [] => Some(0),
        [0x08, status, ..] if *status < 0x80 => Some((*status).into()),
        _ => None,
    }
}

fn name(status: u64) -> String {
    match status {
        0 => "UNKNOWN".to_owned(),
        SERVING => "SERVING".to_owned(),
        2 => "NOT_SERVING".to_owned(),
        3 => "SERVICE_UNKNOWN".to_owned(),
        other => other.to_string(),
    }
}

fn code_name(code: &str) -> &str {
    let names = [
        "OK",
        "Canceled",
        "Unknown",
        "InvalidArgument",
        "DeadlineExceeded",
        "NotFound",
        "AlreadyExists",
        "PermissionDenied",
        "ResourceExhausted",
        "FailedPrecondition",
        "Aborted",
        "OutOfRange",
        "Unimplemented",
        "Internal",
        "Unavailable",
        "DataLoss",
        "Unauthenticated",
    ];
    code.parse::<usize>().ok().and_then(|code| names.get(code).copied()).unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::StreamBody;
    use hyper::body::{Frame, Incoming};
    use hyper::server::conn::http2 as server;
    use hyper::service::service_fn;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A server that knows the health of one service, `web`.
    async fn serve(
        request: http::Request<Incoming>,
    ) -> Result<http::Response<impl http_body::Body<Data = Bytes, Error = Infallible>>, Infallible> {
        assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
        let asked = request.into_body().collect().await.expect("a message").to_bytes();
        let (health, code, words) = match &asked[5..] {
            b"" => (Some(1), "0", ""),
            b"\x0a\x03web" => (Some(2), "0", ""),
            b"\x0a\x04none" => (None, "12", "unknown%20service"),
            _ => (None, "5", "unknown service"),
        };
        let data = health.map(|health| Ok(Frame::data(Bytes::from(vec![0, 0, 0, 0, 2, 8, health]))));
        let trailers = http::HeaderMap::from_iter([
            (http::HeaderName::from_static("grpc-status"), http::HeaderValue::from_static(code)),
            (http::HeaderName::from_static("grpc-message"), http::HeaderValue::from_static(words)),
        ]);
        let frames = data.into_iter().chain([Ok(Frame::trailers(trailers))]);
        Ok(http::Response::new(StreamBody::new(futures::stream::iter(frames))))
    }

    async fn asked(service: &str) -> Result<(), String> {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(
            server::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(theirs), service_fn(serve)),
        );
        ask(async { Ok::<_, ()>(ours) }, ([10, 42, 0, 7], 9000).into(), service, SECOND).await
    }

    #[tokio::test]
    async fn health_is_told_in_a_kubelets_words() {
        assert_eq!(asked("").await, Ok(()));
        assert_eq!(asked("web").await, Err("service unhealthy (responded with \"NOT_SERVING\")".to_owned()));
        let cases = [
            (
                "none",
                "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service",
            ),
            ("shop", "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"),
        ];
        for (service, words) in cases {
            assert_eq!(asked(service).await, Err(words.to_owned()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_and_none_at_all_are_timeouts() {
        let to: SocketAddr = ([10, 42, 0, 7], 9000).into();
        let (ours, _theirs) = tokio::io::duplex(1 << 16);
        let silent = ask(async { Ok::<_, ()>(ours) }, to, "", SECOND).await;
        assert_eq!(silent, Err("timeout: health rpc did not complete within 1s".to_owned()));
        let nobody = ask(async { Err::<tokio::io::DuplexStream, _>(()) }, to, "", SECOND).await;
        let words = "timeout: failed to connect service \"10.42.0.7:9000\" within 1s: context deadline exceeded";
        assert_eq!(nobody, Err(words.to_owned()));
    }

    #[test]
    fn messages_that_are_none_are_refused() {
        assert_eq!(status(&[0, 0, 0, 0, 0]), Some(0));
        for broken in [&[][..], &[1, 0, 0, 0, 0], &[0, 0, 0, 0, 9, 8], &[0, 0, 0, 0, 1, 8], &[0, 0, 0, 0, 2, 8, 0x80]] {
            assert_eq!(status(broken), None, "{broken:?}");
        }
    }
}

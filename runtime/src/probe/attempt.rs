//! One try of a probe, over the pod network from the host, in the words a kubelet reports failures with.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use netproxy::fabric::{Fabric, Origin, RequestError, SocketError};

use super::Target;

/// Asks once. `pod` is whom to ask when the probe names no host. The error is what is wrong.
pub async fn attempt(fabric: &Fabric, target: &Target, pod: IpAddr, timeout: Duration) -> Result<(), String> {
    match target {
        Target::Tcp { host, port } => {
            let to = SocketAddr::new(address(host.as_deref(), pod)?, *port);
            match tokio::time::timeout(timeout, fabric.dial(Origin::Host, to)).await {
                Ok(Ok(_stream)) => Ok(()),
                Ok(Err(error)) => Err(dial_failure(to, &error.source)),
                Err(_) => Err(format!("dial tcp {to}: i/o timeout")),
            }
        }
        Target::Http { host, port, path, headers } => {
            let to = SocketAddr::new(address(host.as_deref(), pod)?, *port);
            let url = format!("http://{to}{path}");
            let request = request(to, path, headers).map_err(|error| format!("{url}: {error}"))?;
            let answer = async {
                let response = fabric.request(Origin::Host, to, request).await?;
                let status = response.status();
                // Read to the end, as a client does: a handler that is cut off early would call it an error.
                let mut body = response.into_body();
                while let Some(Ok(_)) = body.frame().await {}
                Ok(status)
            };
            match tokio::time::timeout(timeout, answer).await {
                Ok(Ok(status)) if (200..400).contains(&status.as_u16()) => Ok(()),
                Ok(Ok(status)) => Err(format!("HTTP probe failed with statuscode: {}", status.as_u16())),
                Ok(Err(error)) => Err(format!("Get \"{url}\": {}", request_failure(to, &error))),
                Err(_) => Err(format!(
                    "Get \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
                )),
            }
        }
    }
}

fn address(host: Option<&str>, pod: IpAddr) -> Result<IpAddr, String> {
    host.map_or(Ok(pod), |host| {
        host.parse().map_err(|_| format!("dial tcp: lookup {host}: only addresses are supported"))
    })
}

fn request(
    to: SocketAddr,
    path: &str,
    headers: &[(String, String)],
) -> Result<http::Request<netproxy::fabric::Body>, http::Error> {
    let mut request = http::Request::get(format!("http://{to}{path}"));
    let given = |name: &str| headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let usual = [("host", to.to_string()), ("user-agent", "kube-probe/1.33".to_owned()), ("accept", "*/*".to_owned())];
    for (name, value) in usual.iter().filter(|(name, _)| !given(name)) {
        request = request.header(*name, value);
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync())
}

/// As Go's net package says it.
fn dial_failure(to: SocketAddr, error: &SocketError) -> String {
    match error {
        SocketError::ConnectionRefused => format!("dial tcp {to}: connect: connection refused"),
        SocketError::HostUnreachable => format!("dial tcp {to}: connect: no route to host"),
        SocketError::Timeout => format!("dial tcp {to}: i/o timeout"),
        other => format!("dial tcp {to}: {other}"),
    }
}

fn request_failure(to: SocketAddr, error: &RequestError) -> String {
    match error {
        RequestError::Connect { source, .. } => dial_failure(to, source),
        other => other.to_string(),
    }
}

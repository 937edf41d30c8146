//! GET requests of the node to a container: `httpGet` of probes and of lifecycle hooks.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::{Container, HTTPGetAction};
use netproxy::fabric::{Body, Fabric, Origin, RequestError};
use tokio_util::task::AbortOnDropHandle;

use super::attempt::dial_failure;
use super::{Unaskable, port, tls};

/// A request, with its port looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Get {
    /// Over TLS, whoever answers: a pod's certificate is checked by nobody, as kubelets hold it.
    pub https: bool,
    /// Another host than the pod.
    pub host: Option<String>,
    /// The port.
    pub port: u16,
    /// With its query.
    pub path: String,
    /// Beside the ones every request of the node has.
    pub headers: Vec<(String, String)>,
}

impl Get {
    /// Reads what `action` of `container` asks.
    pub fn of(action: &HTTPGetAction, container: &Container) -> Result<Self, Unaskable> {
        let headers = action.http_headers.iter().flatten().map(|header| (header.name.clone(), header.value.clone()));
        let path = action.path.as_deref().unwrap_or_default();
        Ok(Self {
            https: action.scheme.as_deref().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
            host: action.host.clone().filter(|host| !host.is_empty()),
            port: port(&action.port, container)?,
            path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
            headers: headers.collect(),
        })
    }

    /// Where it goes.
    pub fn url(&self, pod: IpAddr) -> String {
        format!("{}://{}{}", if self.https { "https" } else { "http" }, self.authority(pod), self.path)
    }

    fn authority(&self, pod: IpAddr) -> String {
        match &self.host {
            Some(host) => format!("{host}:{}", self.port),
            None => SocketAddr::new(pod, self.port).to_string(),
        }
    }

    /// Sends it and reads the answer to its end. The error is in the words of Go's HTTP client.
    pub async fn send(&self, fabric: &Fabric, pod: IpAddr) -> Result<http::StatusCode, String> {
        let url = self.url(pod);
        let wrong = |why: String| format!("Get {url:?}: {why}");
        let to = resolve(self.host.as_deref(), pod, self.port).await.map_err(wrong)?;
        let request = self.request(pod).map_err(|error| wrong(error.to_string()))?;
        if self.https { self.send_tls(fabric, to, request).await } else { send_plain(fabric, to, request).await }
            .map_err(wrong)
    }

    async fn send_tls(
        &self,
        fabric: &Fabric,
        to: SocketAddr,
        request: http::Request<Body>,
    ) -> Result<http::StatusCode, String> {
        let stream = fabric.dial(Origin::Host, to).await.map_err(|error| dial_failure(to, &error.source))?;
        let stream = tls::connect(self.host.as_deref(), to.ip(), stream).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) =
            http1::handshake::<_, Body>(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        drain(response.into_body()).await;
        Ok(status)
    }

    fn request(&self, pod: IpAddr) -> Result<http::Request<Body>, http::Error> {
        let given = |name: &str| self.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let usual =
            [("host", self.authority(pod)), ("user-agent", "kube-probe/1.33".to_owned()), ("accept", "*/*".to_owned())];
        // Over TLS it goes out as it is: in origin form.
        let mut request = http::Request::get(if self.https { self.path.clone() } else { self.url(pod) });
        for (name, value) in usual.iter().filter(|(name, _)| !given(name)) {
            request = request.header(*name, value);
        }
        // An empty value takes a usual header away.
        for (name, value) in self.headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        request.body(Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync())
    }
}

async fn send_plain(fabric: &Fabric, to: SocketAddr, request: http::Request<Body>) -> Result<http::StatusCode, String> {
    let response = fabric.request(Origin::Host, to, request).await.map_err(|error| match &error {
        RequestError::Connect { source, .. } => dial_failure(to, source),
        other => other.to_string(),
    })?;
    let status = response.status();
    drain(response.into_body()).await;
    Ok(status)
}

/// Read to the end, as a client does: a handler that is cut off early would call it an error.
async fn drain<B: http_body::Body + Unpin>(mut body: B) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// The address of a probe's host, the pod's own without one.
pub(super) async fn resolve(host: Option<&str>, pod: IpAddr, port: u16) -> Result<SocketAddr, String> {
    let Some(host) = host else { return Ok(SocketAddr::new(pod, port)) };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse() {
        return Ok(SocketAddr::new(ip, port));
    }
    let found = tokio::net::lookup_host((host, port)).await.ok().and_then(|mut found| found.next());
    found.ok_or_else(|| format!("dial tcp: lookup {host}: no such host"))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn get(action: serde_json::Value) -> Get {
        let container = from_value(json!({"name": "web"})).expect("container");
        Get::of(&from_value(action).expect("action"), &container).expect("a request")
    }

    #[test]
    fn a_request_has_the_probes_headers_and_its_host() {
        let pod = [10, 42, 0, 7].into();
        let plain = get(json!({"port": 80, "httpHeaders": [
            {"name": "Accept", "value": ""}, {"name": "X-Token", "value": "a"}]}));
        let request = plain.request(pod).expect("request");
        assert_eq!(request.headers()["host"], "10.42.0.7:80");
        assert_eq!(request.headers()["user-agent"], "kube-probe/1.33");
        assert_eq!(request.headers()["x-token"], "a");
        assert!(!request.headers().contains_key("accept"));
        let named = get(json!({"port": "8443", "host": "example.com", "scheme": "HTTPS", "path": "ok?deep=1"}));
        assert_eq!(named.url(pod), "https://example.com:8443/ok?deep=1");
        let other = get(json!({"port": 80, "httpHeaders": [{"name": "Host", "value": "shop.example"}]}));
        assert_eq!(other.request(pod).expect("request").headers()["host"], "shop.example");
    }
}

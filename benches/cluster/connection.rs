//! One client: a connection that stays open, one request at a time on it, HTTP/1.1. What a client costs the process
//! that measures is kept small, because both share the machine.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::access::Access;

/// An open connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    /// To the API.
    pub async fn tls(access: &Access) -> anyhow::Result<Self> {
        let stream = connect(access.address).await?;
        let name = ServerName::IpAddress(access.address.ip().into());
        let stream = TlsConnector::from(access.tls.clone()).connect(name, stream).await?;
        Self::over(stream, access.address).await
    }

    /// To a server without TLS.
    pub async fn plain(address: SocketAddr) -> anyhow::Result<Self> {
        Self::over(connect(address).await?, address).await
    }

    async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        to: SocketAddr,
    ) -> anyhow::Result<Self> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with its sender.
        tokio::spawn(connection);
        Ok(Self { sender, host: to.to_string() })
    }

    /// GET; the body, whatever it is.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Bytes> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// POST of an object; what was made of it.
    pub async fn post(&mut self, path: &str, object: &Value) -> anyhow::Result<Value> {
        let answer = self.send(Method::POST, path, object.to_string().into()).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Any request with a JSON body, read to the end of its answer.
    ///
    /// # Errors
    /// An answer that is not a success is one, with its text.
    pub async fn send(&mut self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Bytes> {
        let answer = self.answer(method, path, body).await?;
        Ok(answer.collect().await?.to_bytes())
    }

    /// GET of what never ends. The connection is used up by it.
    pub async fn stream(mut self, path: &str) -> anyhow::Result<Incoming> {
        self.answer(Method::GET, path, Bytes::new()).await
    }

    async fn answer(&mut self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Incoming> {
        self.sender.ready().await?;
        let what = format!("{method} {path}");
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("content-type", "application/json")
            .body(Full::new(body))?;
        let (head, body) = self.sender.send_request(request).await.with_context(|| what.clone())?.into_parts();
        if !head.status.is_success() {
            let text = body.collect().await?.to_bytes();
            bail!("{what}: {} {}", head.status, String::from_utf8_lossy(&text));
        }
        Ok(body)
    }
}

async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

//! A WebSocket to the API, as client libraries open one for exec and port-forward: binary messages, the first byte of each
//! is its channel.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use futures::StreamExt as _;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::access::Access;

/// An open one.
pub struct Channels(WebSocketStream<TlsStream<TcpStream>>);

impl Channels {
    /// Asks for a path in this protocol.
    pub async fn open(access: &Access, path: &str, protocol: &'static str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(access.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::IpAddress(access.address.ip().into());
        let stream = TlsConnector::from(access.tls.clone()).connect(name, stream).await?;
        let mut request = format!("wss://{}{path}", access.address).into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse()?);
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.context("opening a WebSocket")?;
        Ok(Self(socket))
    }

    /// The next message of a channel.
    pub async fn of(&mut self, channel: u8) -> anyhow::Result<Bytes> {
        loop {
            match self.0.next().await.context("the WebSocket ended")?? {
                Message::Binary(message) if message.first() == Some(&channel) => return Ok(message.slice(1..)),
                Message::Close(frame) => bail!("the server closed the WebSocket: {frame:?}"),
                _ => {}
            }
        }
    }

    /// Ends it.
    pub async fn close(mut self) -> anyhow::Result<()> {
        self.0.close(None).await?;
        while let Some(Ok(_)) = self.0.next().await {}
        Ok(())
    }
}

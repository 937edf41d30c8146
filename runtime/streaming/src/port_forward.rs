//! Connections to ports: `port-forward` of whatever client.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Request;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::handshake::{self, Refusal, Upgrade};
use crate::outbox::{What, Writer};
use crate::pipe::{Reader, pipe};
use crate::spdy::{self, Headers, Opened, Spdy};
use crate::websocket::{self, Channels, Tunnel};

/// What is spoken over SPDY.
const SPDY: &[&str] = &["portforward.k8s.io"];

/// A WebSocket that carries SPDY.
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";

/// What is spoken over WebSockets.
const WEBSOCKET: &[&str] = &[TUNNEL, "v4.channel.k8s.io", "v4.base64.channel.k8s.io"];

/// How long one stream of a pair waits for the other.
const PATIENCE: Duration = Duration::from_secs(30);

/// What waits to be read on one channel.
const INPUT: usize = 64 << 10;

/// The most ports of one WebSocket: each has two channels, and one channel is none.
const PORTS: usize = 127;

/// The connections that a client asks for, one after the other. Dropping it breaks all of them.
#[derive(Debug)]
pub struct Forwards {
    source: Source,
    connection: Connection,
}

#[derive(Debug)]
enum Source {
    /// Of a client that opens streams as it likes.
    Streams { opened: mpsc::Receiver<Opened>, pairs: Pairs },
    /// Of a client that named its ports at the beginning.
    Channels(VecDeque<Forward>),
}

/// One connection to a port.
#[derive(Debug)]
pub struct Forward {
    /// The port.
    pub port: u16,
    /// What the client sends and is sent. Dropping it ends what it is sent.
    pub data: Data,
    /// For the text of what went wrong. Dropping it tells the client that nothing did.
    pub error: Writer,
    /// The client broke this connection off, or is gone.
    pub gone: CancellationToken,
}

/// Both directions of a connection.
#[derive(Debug)]
pub struct Data {
    reader: Reader,
    writer: Writer,
}

impl Data {
    /// The client sees that the connection broke.
    pub fn reset(self) {
        self.writer.reset();
    }
}

/// Agrees with the client on how connections to ports travel. `ports` are those that the request names, which clients
/// that open no streams have to.
///
/// # Errors
/// [`Refusal`], to be sent instead.
pub fn port_forward<B>(request: &mut Request<B>, ports: &[u16]) -> Result<Upgrade<Forwards>, Refusal> {
    if !handshake::is_websocket(request.headers()) {
        let (_, response) = handshake::spdy(request.headers(), SPDY)?;
        let io = handshake::connection(request);
        return Ok(Upgrade { response, established: Box::pin(async move { Ok(by_spdy(io.io().await?)) }) });
    }
    let (protocol, response) = handshake::websocket(request.headers(), WEBSOCKET)?;
    if protocol == Some(TUNNEL) {
        let io = handshake::connection(request);
        return Ok(Upgrade {
            response,
            established: Box::pin(async move { Ok(by_spdy(Tunnel::new(io.io().await?))) }),
        });
    }
    if ports.is_empty() {
        return Err(Refusal::bad_request("query parameter \"port\" is required".to_owned()));
    }
    if ports.len() > PORTS {
        return Err(Refusal::bad_request(format!("no more than {PORTS} ports can be forwarded at once")));
    }
    let (io, ports) = (handshake::connection(request), ports.to_vec());
    Ok(Upgrade { response, established: Box::pin(async move { Ok(by_channels(io.io().await?, protocol, &ports)) }) })
}

impl Forwards {
    /// The next connection; none once no more can come.
    pub async fn next(&mut self) -> Option<Forward> {
        match &mut self.source {
            Source::Channels(waiting) => waiting.pop_front(),
            Source::Streams { opened, pairs } => loop {
                if let Some(forward) = pairs.take(opened.recv().await?, Instant::now()) {
                    return Some(forward);
                }
            },
        }
    }

    /// Lets the client go, once it has taken all that was written.
    pub async fn finish(self) {
        self.connection.finish().await;
    }
}

fn by_spdy<IO>(io: IO) -> Forwards
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, opened) = mpsc::channel(8);
    let connection =
        Connection::start(io, Spdy::default(), |reader, out, gone| spdy::receive(reader, admit, sender, out, gone));
    Forwards { source: Source::Streams { opened, pairs: Pairs::default() }, connection }
}

fn by_channels<IO>(io: IO, protocol: Option<&str>, ports: &[u16]) -> Forwards
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let channels = Channels::new(protocol);
    let (feeds, readers): (Vec<_>, Vec<_>) = ports.iter().map(|_| pipe(INPUT)).unzip();
    let sinks = feeds.into_iter().flat_map(|feed| [Some(feed), None]).collect();
    let reading = channels.clone();
    let connection = Connection::start(io, channels, |reader, out, _| websocket::receive(reader, reading, sinks, out));
    let (out, gone) = (&connection.out, &connection.gone);
    let mut forwards = VecDeque::new();
    for ((port, reader), channel) in ports.iter().zip(readers).zip((0..).step_by(2)) {
        // Each channel begins with its port.
        for channel in [channel, channel + 1] {
            out.say(channel, What::Data(port.to_le_bytes().to_vec().into()));
        }
        let data = Data { reader, writer: out.writer(channel) };
        forwards.push_back(Forward { port: *port, data, error: out.writer(channel + 1), gone: gone.clone() });
    }
    Forwards { source: Source::Channels(forwards), connection }
}

/// The port of a stream, and whether it makes sense otherwise.
fn admit(headers: &Headers) -> Result<(), String> {
    port(headers)?;
    match headers.get("streamType") {
        "" => Err("\"streamType\" header is required".to_owned()),
        "error" | "data" => Ok(()),
        other => Err(format!("invalid stream type {other:?}")),
    }
}

fn port(headers: &Headers) -> Result<u16, String> {
    match headers.get("port") {
        "" => Err("\"port\" header is required".to_owned()),
        text => match text.parse() {
            Ok(0) => Err(format!("port {text:?} must be > 0")),
            Ok(port) => Ok(port),
            Err(error) => Err(format!("unable to parse {text:?} as a port: {error}")),
        },
    }
}

/// Streams that wait for the other one of their connection.
#[derive(Debug, Default)]
struct Pairs(HashMap<String, (Opened, Instant)>);

impl Pairs {
    /// The connection that is complete with this stream.
    fn take(&mut self, opened: Opened, now: Instant) -> Option<Forward> {
        self.0.retain(|_, (waiting, since)| !waiting.gone.is_cancelled() && now - *since < PATIENCE);
        let name = name(&opened);
        let other = match self.0.remove(&name) {
            Some((other, _)) if is_data(&other) != is_data(&opened) => other,
            // The same stream twice: the new one counts.
            _ => {
                self.0.insert(name, (opened, now));
                return None;
            }
        };
        let (data, error) = if is_data(&opened) { (opened, other) } else { (other, opened) };
        let port = port(&data.headers).ok()?;
        let Opened { reader, writer, gone, .. } = data;
        Some(Forward { port, data: Data { reader, writer }, error: error.writer, gone })
    }
}

fn is_data(opened: &Opened) -> bool {
    opened.headers.get("streamType") == "data"
}

/// What the two streams of a connection have in common. Old clients open the stream for errors first, and name nothing.
fn name(opened: &Opened) -> String {
    match opened.headers.get("requestID") {
        "" if is_data(opened) => opened.stream.saturating_sub(2).to_string(),
        "" => opened.stream.to_string(),
        named => named.to_owned(),
    }
}

impl AsyncRead for Data {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(cx, into)
    }
}

impl AsyncWrite for Data {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.writer).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;

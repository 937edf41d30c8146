//! A program's standard streams: `exec`, `attach` and what is made of them.

use std::time::Duration;

use http::Request;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::Error;
use crate::connection::Connection;
use crate::handshake::{self, Refusal, Upgrade};
use crate::outbox::Writer;
use crate::pipe::{Reader, pipe};
use crate::spdy::{self, Headers, Opened, Spdy};
use crate::terminal::{TerminalSize, sizes};
use crate::verdict::Verdict;
use crate::websocket::{self, Channels};

/// What is spoken over SPDY, the newest first.
const SPDY: &[&str] = &["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];

/// What is spoken over WebSockets.
const WEBSOCKET: &[&str] = &[
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "v3.channel.k8s.io",
    "v2.channel.k8s.io",
    "channel.k8s.io",
    "base64.channel.k8s.io",
];

/// How long a client has to open its streams.
const PATIENCE: Duration = Duration::from_secs(30);

/// What waits to be read of the program's input.
const INPUT: usize = 64 << 10;

/// The channels of a WebSocket.
const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;
const ERROR: u32 = 3;
const RESIZE: u32 = 4;

/// Which streams the client wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// It sends input.
    pub stdin: bool,
    /// It takes output.
    pub stdout: bool,
    /// It takes error output.
    pub stderr: bool,
    /// It has a terminal.
    pub tty: bool,
}

/// The streams of one program, and the way to tell how it ended.
#[derive(Debug)]
pub struct Session {
    /// Ends where the client half-closes it, or takes its leave.
    pub stdin: Option<Reader>,
    /// Output. To be dropped when there is no more.
    pub stdout: Option<Writer>,
    /// Error output.
    pub stderr: Option<Writer>,
    /// Whether there is a terminal.
    pub tty: bool,
    /// Its sizes, where the client tells them.
    pub resize: Option<mpsc::Receiver<TerminalSize>>,
    /// The client is gone.
    pub gone: CancellationToken,
    /// How it ends.
    pub outcome: Outcome,
}

/// Tells the client how its program ended, and lets it go. Dropped instead, it breaks the connection.
#[derive(Debug)]
pub struct Outcome {
    error: Writer,
    /// The client reads a `Status`.
    structured: bool,
    connection: Connection,
    _resizes: Option<AbortOnDropHandle<()>>,
    /// The other directions of what the client sends. Who is told that one is at its end stops sending.
    _silent: Vec<Writer>,
}

impl Outcome {
    /// Sends the verdict behind all that was written, and waits until the client has taken it and the connection is
    /// closed. The writers should be dropped before.
    pub async fn send(mut self, verdict: &Verdict) {
        let said = if self.structured { Some(verdict.status()) } else { verdict.text() };
        if let Some(text) = said {
            let _ = self.error.write_all(&text).await;
        }
        drop(self.error);
        self.connection.finish().await;
    }
}

/// Agrees with the client on how the streams of a program travel.
///
/// # Errors
/// [`Refusal`], to be sent instead.
pub fn remote_command<B>(request: &mut Request<B>, wanted: Wanted) -> Result<Upgrade<Session>, Refusal> {
    // A terminal has one output.
    let wanted = Wanted { stderr: wanted.stderr && !wanted.tty, ..wanted };
    if !(wanted.stdin || wanted.stdout || wanted.stderr) {
        return Err(Refusal::bad_request("you must specify at least 1 of stdin, stdout, stderr".to_owned()));
    }
    if handshake::is_websocket(request.headers()) {
        let (protocol, response) = handshake::websocket(request.headers(), WEBSOCKET)?;
        let io = handshake::connection(request);
        let established = Box::pin(async move { Ok(by_websocket(io.io().await?, protocol, wanted)) });
        return Ok(Upgrade { response, established });
    }
    let (version, response) = handshake::spdy(request.headers(), SPDY)?;
    let io = handshake::connection(request);
    let established = Box::pin(async move { by_spdy(io.io().await?, version, wanted).await });
    Ok(Upgrade { response, established })
}

/// True for versions whose error channel carries a `Status`.
fn is_structured(version: &str) -> bool {
    version.starts_with("v4.") || version.starts_with("v5.")
}

fn by_websocket<IO>(io: IO, protocol: Option<&str>, wanted: Wanted) -> Session
where
    IO: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let channels = Channels::new(protocol);
    let (input, stdin) = wanted.stdin.then(|| pipe(INPUT)).unzip();
    let (terminal, resizes) = wanted.tty.then(|| pipe(INPUT)).unzip();
    let sinks = vec![input, None, None, None, terminal];
    let reading = channels.clone();
    let connection = Connection::start(io, channels, |reader, out, _| websocket::receive(reader, reading, sinks, out));
    let writer = |wanted: bool, channel| wanted.then(|| connection.out.writer(channel));
    let (stdout, stderr) = (writer(wanted.stdout, STDOUT), writer(wanted.stderr, STDERR));
    // Clients wait for an empty message on the first channel that they read: so they know that all is set up.
    let first = [(wanted.stdout, STDOUT), (wanted.stderr, STDERR), (true, ERROR)].into_iter().find(|(is, _)| *is);
    connection.out.say(first.map_or(ERROR, |(_, channel)| channel), crate::outbox::What::Data(Default::default()));
    debug_assert_eq!((STDIN, RESIZE), (0, 4), "the places of the sinks");
    let error = connection.out.writer(ERROR);
    let ends = Ends { stdin, stdout, stderr, error, resizes, silent: Vec::new() };
    ends.session(wanted.tty, protocol.is_some_and(is_structured), connection)
}

async fn by_spdy<IO>(io: IO, version: &str, wanted: Wanted) -> Result<Session, Error>
where
    IO: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, opened) = mpsc::channel(8);
    let connection =
        Connection::start(io, Spdy::default(), |reader, out, gone| spdy::receive(reader, admit, sender, out, gone));
    let resizable = wanted.tty && (version.starts_with("v4.") || version.starts_with("v3."));
    let gathered = timeout(PATIENCE, gather(opened, wanted, resizable)).await;
    let ends = gathered.map_err(|_| Error::Late)?.ok_or(Error::Gone)?;
    Ok(ends.session(wanted.tty, is_structured(version), connection))
}

/// The types that streams have.
fn admit(headers: &Headers) -> Result<(), String> {
    match headers.get("streamType") {
        "stdin" | "stdout" | "stderr" | "error" | "resize" => Ok(()),
        other => Err(format!("unexpected stream type: {other:?}")),
    }
}

/// Waits for all streams; none where the client leaves before.
async fn gather(mut opened: mpsc::Receiver<Opened>, wanted: Wanted, resizable: bool) -> Option<Ends> {
    let (mut stdin, mut stdout, mut stderr, mut error, mut resizes) = (None, None, None, None, None);
    let mut silent = Vec::new();
    loop {
        let complete = (!wanted.stdin || stdin.is_some())
            && (!wanted.stdout || stdout.is_some())
            && (!wanted.stderr || stderr.is_some())
            && (!resizable || resizes.is_some());
        if let Some(error) = error.take_if(|_| complete) {
            return Some(Ends { stdin, stdout, stderr, error, resizes, silent });
        }
        let Opened { headers, reader, writer, .. } = opened.recv().await?;
        match headers.get("streamType") {
            "stdin" if wanted.stdin => {
                stdin = Some(reader);
                silent.push(writer);
            }
            "resize" if resizable => {
                resizes = Some(reader);
                silent.push(writer);
            }
            "stdout" if wanted.stdout => stdout = Some(writer),
            "stderr" if wanted.stderr => stderr = Some(writer),
            "error" => error = Some(writer),
            _ => {}
        }
    }
}

/// Our ends of the streams.
struct Ends {
    stdin: Option<Reader>,
    stdout: Option<Writer>,
    stderr: Option<Writer>,
    error: Writer,
    resizes: Option<Reader>,
    silent: Vec<Writer>,
}

impl Ends {
    fn session(self, tty: bool, structured: bool, connection: Connection) -> Session {
        let Self { stdin, stdout, stderr, error, resizes, silent } = self;
        let (resize, task) = resizes.map(sizes).unzip();
        let resizes = task.map(|task| AbortOnDropHandle::new(tokio::spawn(task)));
        let gone = connection.gone.clone();
        let outcome = Outcome { error, structured, connection, _resizes: resizes, _silent: silent };
        Session { stdin, stdout, stderr, tty, resize, gone, outcome }
    }
}

#[cfg(test)]
pub(crate) mod tests;

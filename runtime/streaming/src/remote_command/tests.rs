//! Whole sessions against clients made by hand, and one of a library's for WebSockets.

use bytes::BytesMut;
use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::spdy::{Decoder, Deflater, Frame};

const ALL: Wanted = Wanted { stdin: true, stdout: true, stderr: true, tty: false };

async fn socket(protocol: Option<&str>, wanted: Wanted) -> (Session, WebSocketStream<DuplexStream>) {
    let (client, server) = duplex(1 << 16);
    let session = by_websocket(server, protocol, wanted);
    (session, WebSocketStream::from_raw_socket(client, Role::Client, None).await)
}

/// What the client of a WebSocket is sent on each channel, up to a normal close.
async fn received(client: &mut WebSocketStream<DuplexStream>) -> [Vec<u8>; 4] {
    let mut channels: [Vec<u8>; 4] = Default::default();
    loop {
        match client.next().await.expect("a close").expect("no failure") {
            Message::Binary(bytes) => channels[usize::from(bytes[0])].extend_from_slice(&bytes[1..]),
            Message::Text(text) => {
                let (digit, text) = text.split_at(1);
                let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text);
                channels[digit.parse::<usize>().expect("a digit")].extend(decoded.expect("base64"));
            }
            Message::Close(frame) => {
                assert_eq!(u16::from(frame.expect("a reason").code), 1000);
                return channels;
            }
            _ => {}
        }
    }
}

/// Echoes its input, says something on stderr, and ends with 3.
async fn echo(mut session: Session) {
    let (mut stdin, mut stdout) = (session.stdin.take().expect("stdin"), session.stdout.take().expect("stdout"));
    tokio::io::copy(&mut stdin, &mut stdout).await.expect("copy");
    if let Some(mut stderr) = session.stderr.take() {
        stderr.write_all(b"oops").await.expect("write");
    }
    drop(stdout);
    session.outcome.send(&Verdict::ExitCode(3, "x".to_owned())).await;
}

#[tokio::test]
async fn the_fifth_version_half_closes_and_ends_with_a_status() {
    let (session, client) = socket(Some("v5.channel.k8s.io"), ALL).await;
    let program = tokio::spawn(echo(session));
    let input = vec![7; 3 << 20];
    let (mut sender, mut receiver) = client.split();
    let sending = async {
        sender.send(Message::binary([&[0][..], &input].concat())).await.expect("send");
        sender.send(Message::binary([255, 0].as_slice())).await.expect("send");
        sender
    };
    let receiving = async {
        let (mut output, mut status) = (0, Vec::new());
        loop {
            match receiver.next().await.expect("a close").expect("no failure") {
                Message::Binary(bytes) if bytes[0] == 1 => output += bytes.len() - 1,
                Message::Binary(bytes) if bytes[0] == 3 => status.extend_from_slice(&bytes[1..]),
                Message::Close(_) => return (output, status),
                _ => {}
            }
        }
    };
    let (_sender, (output, status)) = tokio::join!(sending, receiving);
    assert_eq!(output, input.len());
    assert_eq!(status, Verdict::ExitCode(3, "x".to_owned()).status());
    drop(receiver);
    drop(_sender);
    program.await.expect("no panic");
}

#[tokio::test]
async fn old_versions_are_told_in_words_or_in_base64() {
    for (protocol, structured) in
        [(None, false), (Some("base64.channel.k8s.io"), false), (Some("v4.channel.k8s.io"), true)]
    {
        let (mut session, mut client) = socket(protocol, Wanted { stdin: false, ..ALL }).await;
        let program = async move {
            session.stdout.take().expect("stdout").write_all(b"out").await.expect("write");
            drop(session.stderr.take());
            session.outcome.send(&Verdict::ExitCode(3, "x".to_owned())).await;
        };
        let (channels, ()) = tokio::join!(
            async {
                let channels = received(&mut client).await;
                drop(client);
                channels
            },
            program
        );
        let verdict = Verdict::ExitCode(3, "x".to_owned());
        let said = if structured { verdict.status() } else { verdict.text().expect("text") };
        assert_eq!(channels, [vec![], b"out".to_vec(), vec![], said], "{protocol:?}");
    }
}

#[tokio::test]
async fn a_terminal_has_sizes_and_one_output() {
    let wanted = Wanted { tty: true, stderr: false, ..ALL };
    let (mut session, mut client) = socket(Some("v5.channel.k8s.io"), wanted).await;
    client.send(Message::binary(b"\x04{\"Width\":80,\"Height\":24}\n".as_slice())).await.expect("send");
    let size = session.resize.as_mut().expect("sizes").recv().await;
    assert_eq!(size, Some(TerminalSize { width: 80, height: 24 }));
    assert!(session.stderr.is_none());
}

#[tokio::test]
async fn a_client_that_leaves_is_gone_and_has_said_all() {
    let (mut session, mut client) = socket(Some("v4.channel.k8s.io"), ALL).await;
    client.send(Message::binary(b"\x00last".as_slice())).await.expect("send");
    client.close(None).await.expect("close");
    session.gone.cancelled().await;
    let mut said = String::new();
    session.stdin.take().expect("stdin").read_to_string(&mut said).await.expect("an end");
    assert_eq!(said, "last");

    let (mut session, client) = socket(Some("v4.channel.k8s.io"), ALL).await;
    drop(client);
    session.gone.cancelled().await;
    let broken = session.stdin.take().expect("stdin").read_to_string(&mut said).await.expect_err("no end");
    assert_eq!(broken.kind(), std::io::ErrorKind::ConnectionReset);
    let mut stdout = session.stdout.take().expect("stdout");
    tokio::task::yield_now().await;
    while stdout.write_all(&[0; 4096]).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_shown_that_we_are_there() {
    let (_session, mut client) = socket(Some("v5.channel.k8s.io"), ALL).await;
    let mut kinds = Vec::new();
    while kinds.len() < 3 {
        kinds.push(client.next().await.expect("a message").expect("no failure"));
    }
    // The empty message at the beginning, then a ping and a pong for a client whose own pings nobody reads.
    assert_eq!(kinds, [Message::binary(vec![1]), Message::Ping(vec![].into()), Message::Pong(vec![].into())]);
}

/// A client of SPDY that opens streams.
pub(crate) struct Spdy31 {
    io: DuplexStream,
    deflater: Deflater,
    decoder: Decoder,
    buffer: BytesMut,
    next: u32,
}

impl Spdy31 {
    pub(crate) fn new(io: DuplexStream) -> Self {
        Self { io, deflater: Deflater::default(), decoder: Decoder::default(), buffer: BytesMut::new(), next: 1 }
    }

    pub(crate) async fn open(&mut self, headers: &[(&str, &str)]) -> u32 {
        let stream = self.next;
        self.next += 2;
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let block = self.deflater.write(&headers);
        let length = u32::try_from(block.len() + 10).expect("short");
        let mut frame = [0x8003_0001, length, stream, 0].map(u32::to_be_bytes).concat();
        frame.extend([0, 0]);
        frame.extend(block);
        self.io.write_all(&frame).await.expect("open");
        stream
    }

    pub(crate) async fn say(&mut self, stream: u32, bytes: &[u8], fin: bool) {
        let length = u32::try_from(bytes.len()).expect("short") | if fin { 1 << 24 } else { 0 };
        let header = [stream, length].map(u32::to_be_bytes).concat();
        self.io.write_all(&[&header, bytes].concat()).await.expect("say");
    }

    pub(crate) async fn reset(&mut self, stream: u32) {
        let frame = [0x8003_0003, 8, stream, 5].map(u32::to_be_bytes).concat();
        self.io.write_all(&frame).await.expect("reset");
    }

    /// What comes next; none when the server has closed.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.decoder.next(&mut self.buffer).expect("sound") {
                return Some(frame);
            }
            self.buffer.reserve(64 << 10);
            if self.io.read_buf(&mut self.buffer).await.expect("read") == 0 {
                return None;
            }
        }
    }
}

#[tokio::test]
async fn spdy_ends_every_stream_and_says_goodbye() {
    let (client, server) = duplex(1 << 16);
    let mut client = Spdy31::new(client);
    let program = tokio::spawn(async {
        echo(by_spdy(server, "v4.channel.k8s.io", ALL).await.expect("a session")).await;
    });
    let error = client.open(&[("streamtype", "error")]).await;
    let stdin = client.open(&[("Streamtype", "stdin")]).await;
    let stdout = client.open(&[("streamType", "stdout")]).await;
    let stderr = client.open(&[("streamType", "stderr")]).await;
    client.say(stdin, b"hello", true).await;
    let (mut said, mut ended, mut goodbye) = (std::collections::HashMap::<u32, Vec<u8>>::new(), Vec::new(), false);
    while let Some(frame) = client.next().await {
        match frame {
            Frame::Data { stream, bytes, fin } => {
                said.entry(stream).or_default().extend_from_slice(&bytes);
                ended.extend(fin.then_some(stream));
            }
            Frame::GoAway => goodbye = true,
            _ => {}
        }
    }
    assert_eq!(said[&stdout], b"hello");
    assert_eq!(said[&stderr], b"oops");
    assert_eq!(said[&error], Verdict::ExitCode(3, "x".to_owned()).status());
    assert_eq!(ended, [stderr, stdout, error], "the outcome is the last thing said");
    assert!(goodbye);
    drop(client);
    program.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn streams_that_never_come_are_not_waited_for() {
    let (client, server) = duplex(1 << 16);
    let mut client = Spdy31::new(client);
    client.open(&[("streamType", "error")]).await;
    let late = by_spdy(server, "v4.channel.k8s.io", ALL).await.expect_err("no streams");
    assert!(matches!(late, Error::Late));
}

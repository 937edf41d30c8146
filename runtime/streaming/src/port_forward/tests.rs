//! Connections to ports, against clients made by hand.

use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::remote_command::tests::Spdy31;
use crate::spdy::Frame;

fn headers<'a>(kind: &'a str, port: &'a str, request: &'a str) -> [(&'a str, &'a str); 3] {
    [("streamType", kind), ("port", port), ("requestID", request)]
}

async fn echo(mut forward: Forward) {
    let (mut reader, mut writer) = tokio::io::split(&mut forward.data);
    tokio::io::copy(&mut reader, &mut writer).await.expect("copy");
}

#[tokio::test]
async fn streams_are_paired_by_request_and_by_number() {
    let (client, server) = duplex(1 << 16);
    let (mut client, mut forwards) = (Spdy31::new(client), by_spdy(server));
    client.open(&headers("error", "80", "0")).await;
    client.open(&headers("error", "81", "1")).await;
    client.open(&headers("data", "81", "1")).await;
    client.open(&headers("data", "80", "0")).await;
    // Old clients name no request.
    client.open(&[("streamType", "error"), ("port", "82")]).await;
    client.open(&[("streamType", "data"), ("port", "82")]).await;
    let mut ports = Vec::new();
    while ports.len() < 3 {
        ports.push(forwards.next().await.expect("a connection").port);
    }
    assert_eq!(ports, [81, 80, 82]);
    drop(client);
    assert!(forwards.next().await.is_none());
}

#[tokio::test]
async fn streams_without_sense_are_refused_and_the_others_live() {
    let (client, server) = duplex(1 << 16);
    let (mut client, mut forwards) = (Spdy31::new(client), by_spdy(server));
    let refused = [
        client.open(&headers("data", "0", "0")).await,
        client.open(&headers("data", "http", "0")).await,
        client.open(&headers("stdin", "80", "0")).await,
        client.open(&[("port", "80")]).await,
    ];
    client.open(&headers("error", "80", "0")).await;
    let data = client.open(&headers("data", "80", "0")).await;
    let forward = forwards.next().await.expect("a connection");
    tokio::spawn(echo(forward));
    client.say(data, b"ping", true).await;
    let (mut resets, mut echoed) = (Vec::new(), Vec::new());
    while let Some(frame) = client.next().await {
        match frame {
            Frame::Reset { stream } => resets.push(stream),
            Frame::Data { stream, bytes, fin } if stream == data => {
                echoed.extend_from_slice(&bytes);
                if fin {
                    break;
                }
            }
            _ => {}
        }
    }
    assert_eq!((resets, echoed), (refused.to_vec(), b"ping".to_vec()));
}

#[tokio::test]
async fn a_stream_that_is_reset_ends_alone() {
    let (client, server) = duplex(1 << 16);
    let (mut client, mut forwards) = (Spdy31::new(client), by_spdy(server));
    let mut open = Vec::new();
    for request in ["0", "1"] {
        client.open(&headers("error", "80", request)).await;
        let data = client.open(&headers("data", "80", request)).await;
        open.push((data, forwards.next().await.expect("a connection")));
    }
    client.reset(open[0].0).await;
    open[0].1.gone.cancelled().await;
    let broken = open[0].1.data.read(&mut [0; 1]).await.expect_err("reset");
    assert_eq!(broken.kind(), io::ErrorKind::ConnectionReset);
    assert!(!open[1].1.gone.is_cancelled());
    client.say(open[1].0, b"x", false).await;
    assert_eq!(open[1].1.data.read(&mut [0; 4]).await.expect("alive"), 1);
}

#[tokio::test]
async fn a_reader_that_stands_still_stops_the_client_and_not_what_is_sent() {
    let (client, server) = duplex(1 << 10);
    let (mut client, mut forwards) = (Spdy31::new(client), by_spdy(server));
    client.open(&headers("error", "80", "0")).await;
    let data = client.open(&headers("data", "80", "0")).await;
    let mut forward = forwards.next().await.expect("a connection");
    let sent = async {
        for _ in 0..10_000 {
            client.say(data, &[0; 1024], false).await;
        }
    };
    tokio::select! {
        () = sent => panic!("ten mebibytes were held"),
        () = async {
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    forward.data.write_all(b"still here").await.expect("room");
}

#[tokio::test]
async fn channels_begin_with_their_ports() {
    let (client, server) = duplex(1 << 16);
    let mut forwards = by_channels(server, Some("v4.channel.k8s.io"), &[80, 0x1234]);
    let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    let mut first = Vec::new();
    for _ in 0..4 {
        first.push(client.next().await.expect("a message").expect("no failure").into_data().to_vec());
    }
    assert_eq!(first, [[0, 80, 0], [1, 80, 0], [2, 0x34, 0x12], [3, 0x34, 0x12]]);
    let (one, two) = (forwards.next().await.expect("80"), forwards.next().await.expect("0x1234"));
    assert!(forwards.next().await.is_none());
    assert_eq!((one.port, two.port), (80, 0x1234));
    drop(one);
    let echoing = tokio::spawn(echo(two));
    client.send(Message::binary(b"\x02ping".as_slice())).await.expect("send");
    let echoed = client.next().await.expect("a message").expect("no failure").into_data();
    assert_eq!(&echoed[..], b"\x02ping");
    client.close(None).await.expect("close");
    echoing.await.expect("the client's end is the end of what it sends");
}

/// By hand: what a debug build carries. `cargo test -p sampan-streaming -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement"]
async fn how_fast() {
    const PIECE: usize = 32 << 10;
    let (client, server) = duplex(1 << 20);
    let (mut client, mut forwards) = (Spdy31::new(client), by_spdy(server));
    client.open(&headers("error", "80", "0")).await;
    let data = client.open(&headers("data", "80", "0")).await;
    let mut forward = forwards.next().await.expect("a connection");
    let pieces = 8 * 1024;
    let begun = std::time::Instant::now();
    let reading = tokio::spawn(async move {
        let (mut total, mut buffer) = (0, vec![0; 64 << 10]);
        while total < pieces * PIECE {
            total += forward.data.read(&mut buffer).await.expect("read");
        }
        forward
    });
    for _ in 0..pieces {
        client.say(data, &[1; PIECE], false).await;
    }
    let mut forward = reading.await.expect("no panic");
    let took = begun.elapsed().as_secs_f64();
    println!("to the pod: {:.0} MB/s", (pieces * PIECE) as f64 / took / 1e6);
    let begun = std::time::Instant::now();
    let writing = tokio::spawn(async move {
        for _ in 0..pieces {
            forward.data.write_all(&[1; PIECE]).await.expect("write");
        }
        forward
    });
    let mut total = 0;
    while total < pieces * PIECE {
        if let Some(Frame::Data { bytes, .. }) = client.next().await {
            total += bytes.len();
        }
    }
    let took = begun.elapsed().as_secs_f64();
    println!("from the pod: {:.0} MB/s", total as f64 / took / 1e6);
    drop(writing.await);
}

//! Guests that are asked to end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use netproxy::fabric::Origin;
use runtime::container::Exit;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Net, exit, start, start_with};

#[tokio::test]
async fn a_guest_that_cannot_notice_ends_at_once() {
    let net = Net::new();
    let (mut ticker, ears) = start(&net.pod("ticker"), &["ticker"]).await;
    ears.hear("1").await;
    let begun = Instant::now();
    ticker.stop();
    assert_eq!(exit(&mut ticker).await, Exit::Code(143));
    assert!(begun.elapsed() < Duration::from_millis(400), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_finishes_what_it_has_accepted() {
    let net = Net::new();
    let pod = net.pod("echo");
    let (mut server, ears) = start(&pod, &["tcp-echo"]).await;
    ears.hear("listening on").await;
    let mut stream = net.fabric.dial(Origin::Host, SocketAddr::new(pod.plug.address(), 7)).await.unwrap();
    stream.write_all(b"one").await.unwrap();
    let mut heard = [0; 3];
    stream.read_exact(&mut heard).await.unwrap();
    server.stop();
    let soon = tokio::time::timeout(Duration::from_millis(900), server.exited()).await;
    assert!(soon.is_err(), "a connection is open: {soon:?}");
    stream.write_all(b"two").await.unwrap();
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"two");
    drop(stream);
    assert_eq!(exit(&mut server).await, Exit::Code(143));
}

#[tokio::test]
async fn a_stopped_handler_ends_well() {
    let net = Net::new();
    let (mut handler, _) = start_with(&net.pod("page"), &["echo-hostname"], |spec| spec.http_ports = vec![80]).await;
    handler.stop();
    assert_eq!(exit(&mut handler).await, Exit::Code(0));
}

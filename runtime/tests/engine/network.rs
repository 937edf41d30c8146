//! Guests on their pod's network.

use std::net::SocketAddr;

use netproxy::fabric::Origin;
use runtime::container::{Container, Exit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Net, exit, start, start_with};

async fn echo(net: &Net, to: SocketAddr, words: &[u8]) -> Vec<u8> {
    let mut stream = net.fabric.dial(Origin::Host, to).await.unwrap();
    stream.write_all(words).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    heard
}

#[tokio::test]
async fn a_server_is_reached_from_the_host() {
    let net = Net::new();
    let pod = net.pod("echo");
    let (_server, ears) = start(&pod, &["tcp-echo"]).await;
    ears.hear("listening on 0.0.0.0:7").await;
    let at = SocketAddr::new(pod.plug.address(), 7);
    assert_eq!(echo(&net, at, b"hello").await, b"hello");
    // More than any buffer between the two holds.
    let long = vec![b'x'; 1 << 20];
    assert_eq!(echo_while_sending(&net, at, long.clone()).await, long);
}

async fn echo_while_sending(net: &Net, to: SocketAddr, words: Vec<u8>) -> Vec<u8> {
    let stream = net.fabric.dial(Origin::Host, to).await.unwrap();
    let (mut read, mut write) = tokio::io::split(stream);
    let sending = tokio::spawn(async move {
        write.write_all(&words).await.unwrap();
        write.shutdown().await.unwrap();
        write
    });
    let mut heard = Vec::new();
    read.read_to_end(&mut heard).await.unwrap();
    sending.await.unwrap();
    heard
}

#[tokio::test]
async fn containers_of_a_pod_share_loopback_and_ports() {
    let net = Net::new();
    let pod = net.pod("pair");
    let (_server, ears) = start_with(&pod, &["healthz"], |_| {}).await;
    ears.hear("listening on").await;
    let (mut client, heard) = start(&pod, &["fetch", "http://localhost/"]).await;
    assert_eq!(exit(&mut client).await, Exit::Code(0), "{}", heard.text());
    assert_eq!(heard.text(), "<p>Hello, pair</p>\n");
    let (mut second, heard) = start(&pod, &["healthz"]).await;
    assert_ne!(exit(&mut second).await, Exit::Code(0));
    assert!(heard.text().contains("AddrInUse"), "{}", heard.text());
}

#[tokio::test]
async fn a_pod_reaches_another_and_not_its_loopback() {
    let net = Net::new();
    let (one, two) = (net.pod("one"), net.pod("two"));
    let (_server, ears) = start(&one, &["healthz"]).await;
    ears.hear("listening on").await;
    let url = format!("http://{}/", one.plug.address());
    let (mut client, heard) = start(&two, &["fetch", &url]).await;
    assert_eq!(exit(&mut client).await, Exit::Code(0), "{}", heard.text());
    assert_eq!(heard.text(), "<p>Hello, one</p>\n");
    let (mut client, heard) = start(&two, &["fetch", "http://127.0.0.1/"]).await;
    assert_eq!(exit(&mut client).await, Exit::Code(1));
    assert!(heard.text().contains("refused"), "{}", heard.text());
}

#[tokio::test]
async fn outgoing_http_goes_the_same_way() {
    let net = Net::new();
    let (one, two) = (net.pod("one"), net.pod("two"));
    let (_server, ears) = start(&one, &["healthz"]).await;
    ears.hear("listening on").await;
    let url = format!("http://{}/", one.plug.address());
    let (mut client, heard) = start(&two, &["fetch-wasi-http", &url]).await;
    assert_eq!(exit(&mut client).await, Exit::Code(0), "{}", heard.text());
    assert!(heard.text().contains("200 OK\n<p>Hello, one</p>"), "{}", heard.text());
    let (mut client, _) = start(&two, &["fetch-wasi-http", "http://10.42.9.9/"]).await;
    assert_eq!(exit(&mut client).await, Exit::Code(1), "nobody has the address");
}

#[tokio::test]
async fn datagrams_go_back_and_forth() {
    let net = Net::new();
    let (one, two) = (net.pod("one"), net.pod("two"));
    let (_server, ears) = start(&one, &["udp-echo"]).await;
    ears.hear("listening").await;
    let at = format!("{}:7", one.plug.address());
    let (mut say, heard) = start(&two, &["udp-say", &at, "good morning"]).await;
    assert_eq!(exit(&mut say).await, Exit::Code(0), "{}", heard.text());
    assert_eq!(heard.text(), "good morning\n");
}

#[tokio::test]
async fn names_are_the_pods() {
    let net = Net::new();
    let pod = net.pod("web-0");
    let (mut lookup, heard) = start(&pod, &["lookup", "localhost", "web-0", "10.1.2.3"]).await;
    assert_eq!(exit(&mut lookup).await, Exit::Code(0), "{}", heard.text());
    let text = heard.text();
    assert!(text.contains(&format!("web-0 {}\n", pod.plug.address())) && text.contains("10.1.2.3 10.1.2.3"), "{text}");
    let (mut lookup, heard) = start(&pod, &["lookup", "nobody.default.svc.cluster.local"]).await;
    assert_eq!(exit(&mut lookup).await, Exit::Code(1), "{}", heard.text());
}

#[tokio::test]
async fn a_killed_servers_port_is_free_at_once() {
    let net = Net::new();
    let pod = net.pod("echo");
    for round in 0..3 {
        let (server, ears): (Container, _) = start(&pod, &["tcp-echo"]).await;
        ears.hear("listening on 0.0.0.0:7").await;
        assert_eq!(echo(&net, SocketAddr::new(pod.plug.address(), 7), b"hi").await, b"hi", "round {round}");
        assert_eq!(server.kill().await, Exit::Code(137));
        assert_eq!(pod.plug.usage().sockets, 0);
    }
}

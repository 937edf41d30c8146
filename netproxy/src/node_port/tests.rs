//! A node port on the host's real loopback, pods behind it in the fabric.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ::http::{Request, Response};
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Client;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;
use crate::fabric::{Body, Config, HandlerError, HttpBinding, HttpHandler, Plug, PodAddress};

struct Node {
    fabric: Fabric,
    port: u16,
    open: watch::Receiver<BTreeSet<Key>>,
    _running: DropGuard,
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// An API that accepts everything and says nothing: nobody reads its events here.
fn mute_api() -> Client {
    let service = tower::service_fn(|_: Request<kube::client::Body>| async {
        Ok::<_, std::convert::Infallible>(Response::new(kube::client::Body::empty()))
    });
    Client::new(service, "default")
}

fn node() -> Node {
    let (fabric, stop) = (Fabric::new(Config::default()), CancellationToken::new());
    let bind = Bind { primary: Ipv4Addr::LOCALHOST.into(), others: vec![Ipv4Addr::LOCALHOST.into()] };
    let (opened, open) = watch::channel(BTreeSet::new());
    let reports = Reports::new(mute_api(), "here");
    tokio::spawn(keep_open(fabric.clone(), bind, reports, opened, stop.clone()));
    Node { fabric, port: free_port(), open, _running: stop.drop_guard() }
}

impl Node {
    /// The service `web` with these endpoints at port 80; `None` removes it.
    fn serve_by(&self, endpoints: Option<&[&str]>) {
        let service: Service = serde_json::from_value(json!({
            "metadata": {"namespace": "default", "name": "web", "uid": "1"},
            "spec": {"clusterIP": "10.43.0.10", "ports": [
                {"name": "web", "port": 80, "nodePort": self.port},
                {"name": "dns", "port": 80, "nodePort": self.port, "protocol": "UDP"},
            ]},
        }))
        .unwrap();
        let addresses: Vec<_> = endpoints.unwrap_or_default().iter().map(|ip| json!({"addresses": [ip]})).collect();
        let slice: EndpointSlice = serde_json::from_value(json!({
            "metadata": {"namespace": "default", "name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4", "endpoints": addresses,
            "ports": [{"name": "web", "port": 80}, {"name": "dns", "port": 80, "protocol": "UDP"}],
        }))
        .unwrap();
        let previous = self.fabric.routes().clone();
        let services = endpoints.is_some().then_some(&service);
        self.fabric.set_routes(Arc::new(crate::tables::build(services, [&slice], "here", &previous)));
    }

    fn at(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    async fn connect(&self) -> TcpStream {
        let key = (Protocol::Tcp, self.port);
        self.open.clone().wait_for(|open| open.contains(&key)).await.unwrap();
        TcpStream::connect(self.at()).await.unwrap()
    }

    /// What a curl prints.
    async fn curl(&self) -> String {
        let mut stream = self.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn plug(&self, ip: &str) -> Plug {
        self.fabric.attach(PodAddress::for_test(ip)).unwrap()
    }
}

/// Answers with its name, after a moment.
struct Named(String);

impl HttpHandler for Named {
    fn call(&self, _: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, HandlerError>> {
        let words = self.0.clone();
        async move {
            tokio::task::yield_now().await;
            Ok(Response::new(Body::new(Full::new(words.into()).map_err(|never| match never {}))))
        }
        .boxed()
    }
}

fn serve(plug: &Plug) -> HttpBinding {
    plug.serve_http(80, Arc::new(Named(plug.address().to_string()))).unwrap()
}

fn last_line(answer: &str) -> &str {
    answer.lines().last().unwrap_or_default()
}

#[tokio::test]
async fn a_curl_is_answered_by_each_pod_in_turn() {
    let node = node();
    let ips = ["10.42.0.2", "10.42.0.3", "10.42.0.4"];
    let plugs = ips.map(|ip| node.plug(ip));
    let _bindings = plugs.each_ref().map(serve);
    node.serve_by(Some(&ips));
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(last_line(&node.curl().await).to_owned());
    }
    seen[..3].sort();
    seen[3..].sort();
    assert_eq!(seen, [ips, ips].concat());

    node.serve_by(Some(&[]));
    assert!(node.curl().await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn one_connection_goes_round_as_well() {
    let node = node();
    let ips = ["10.42.0.2", "10.42.0.3"];
    let plugs = ips.map(|ip| node.plug(ip));
    let _bindings = plugs.each_ref().map(serve);
    node.serve_by(Some(&ips));
    let mut stream = node.connect().await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b".2") && !answer.ends_with(b".3") {
            stream.read_buf(&mut answer).await.unwrap();
        }
        seen.push(answer.pop().unwrap());
    }
    assert_eq!((seen[0], seen[1]), (seen[2], seen[3]));
    assert_ne!(seen[0], seen[1]);
}

/// The roll-out of the issue: pods come and go under steady load, and no request fails, though the tables follow late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roll_out_loses_no_request() {
    let node = Arc::new(node());
    let mut live: Vec<(Plug, HttpBinding)> = Vec::new();
    let mut start = |number: u32| {
        let plug = node.plug(&format!("10.42.0.{number}"));
        let binding = serve(&plug);
        (plug, binding)
    };
    live.extend((2..5).map(&mut start));
    let names =
        |live: &[(Plug, HttpBinding)]| live.iter().map(|(plug, _)| plug.address().to_string()).collect::<Vec<_>>();
    let publish = |names: &[String]| node.serve_by(Some(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    publish(&names(&live));
    let (done, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (node, done, sent) = (node.clone(), done.clone(), sent.clone());
            tokio::spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let answer = node.curl().await;
                    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for number in 5..25 {
        let before = sent.load(Ordering::Relaxed);
        while sent.load(Ordering::Relaxed) < before + 10 {
            tokio::task::yield_now().await;
        }
        live.push(start(number));
        let (plug, binding) = live.remove(0);
        // The pod refuses before the tables say that it leaves; what it had begun it answers.
        plug.drain();
        drop(binding);
        tokio::time::sleep(Duration::from_millis(2)).await;
        publish(&names(&live));
        drop(plug);
    }
    done.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn bytes_are_carried_also_when_the_server_speaks_first() {
    let node = node();
    let plug = node.plug("10.42.0.2");
    let listener = plug.bind_tcp("0.0.0.0:80".parse().unwrap()).unwrap().listen(4).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"hello ").await.unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.unwrap();
            stream.write_all(&heard).await.unwrap();
        }
    });
    node.serve_by(Some(&["10.42.0.2"]));
    for first in ["", "\u{1}bytes", "POX"] {
        let mut stream = node.connect().await;
        stream.write_all(first.as_bytes()).await.unwrap();
        let mut hello = [0; 6];
        stream.read_exact(&mut hello).await.unwrap();
        stream.write_all(b"!").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, format!("{first}!"));
    }
    drop(plug);
    let mut refused = node.connect().await;
    refused.write_all(b"\x01").await.unwrap();
    assert!(refused.read(&mut [0; 8]).await.is_err(), "no endpoint: reset");
}

#[tokio::test]
async fn an_upgrade_passes() {
    let node = node();
    let plug = node.plug("10.42.0.2");
    let listener = plug.bind_tcp("0.0.0.0:80".parse().unwrap()).unwrap().listen(4).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut head).await.unwrap();
        }
        assert!(String::from_utf8(head).unwrap().contains("upgrade: echo"));
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
        stream.write_all(switch).await.unwrap();
        let (mut from, mut to) = tokio::io::split(stream);
        tokio::io::copy(&mut from, &mut to).await.unwrap();
    });
    node.serve_by(Some(&["10.42.0.2"]));
    let mut stream = node.connect().await;
    let ask = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"ping");
}

#[tokio::test]
async fn datagrams_come_back_to_their_client() {
    let node = node();
    let plug = node.plug("10.42.0.2");
    let server = plug.bind_udp("0.0.0.0:80".parse().unwrap()).unwrap();
    tokio::spawn(async move {
        while let Ok((data, from)) = server.recv_from().await {
            server.try_send_to(&data, Some(from)).unwrap();
        }
    });
    node.serve_by(Some(&["10.42.0.2"]));
    let key = (Protocol::Udp, node.port);
    node.open.clone().wait_for(|open| open.contains(&key)).await.unwrap();
    let clients = [
        tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap(),
    ];
    for (client, words) in clients.iter().zip([b"one", b"two"]) {
        client.send_to(words, node.at()).await.unwrap();
    }
    for (client, words) in clients.iter().zip([b"one", b"two"]) {
        let mut answer = [0; 8];
        let (count, from) = client.recv_from(&mut answer).await.unwrap();
        assert_eq!((&answer[..count], from), (&words[..], node.at()));
    }
}

#[tokio::test]
async fn the_port_goes_with_its_service_and_a_taken_one_is_tried_again() {
    let node = node();
    let taken = std::net::TcpListener::bind(node.at()).unwrap();
    node.serve_by(Some(&[]));
    let (mut open, key) = (node.open.clone(), (Protocol::Udp, node.port));
    open.wait_for(|open| open.contains(&key)).await.unwrap();
    assert!(!open.borrow().contains(&(Protocol::Tcp, node.port)), "the UDP port is free, the TCP port is not");
    drop(taken);
    node.serve_by(Some(&["10.42.0.2"]));
    drop(node.connect().await);
    node.serve_by(None);
    let freed = async {
        while TcpStream::connect(node.at()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), freed).await.expect("the port is free");
}

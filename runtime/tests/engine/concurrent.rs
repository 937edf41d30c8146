//! Guests of WASI 0.3.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use netproxy::fabric::{Body, Origin};
use runtime::container::{Container, Exit};
use runtime::sandbox::Sandbox;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Net, exit, sample, start_file};

async fn ask(net: &Net, pod: &Sandbox, path: &str, body: Body) -> (StatusCode, String) {
    let request = Request::post(path).body(body).unwrap();
    let to = SocketAddr::new(pod.plug.address(), 80);
    let response = net.fabric.request(Origin::Host, to, request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn nothing() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

async fn hello(pod: &Sandbox) -> Container {
    start_file(pod, &sample("hello_p3"), &["hello"], |spec| spec.http_ports = vec![80]).await.0
}

#[tokio::test]
async fn a_handler_answers_and_leaves_nothing_behind() {
    let net = Net::new();
    let pod = net.pod("hello-1");
    let handler = hello(&pod).await;
    for _ in 0..3 {
        let (status, text) = ask(&net, &pod, "/", nothing()).await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, "Hello from 0.3, hello-1\n"));
    }
    tokio::time::timeout(std::time::Duration::from_secs(5), async {
        while handler.usage().memory != 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("no instance lives while idle");
}

#[tokio::test]
async fn a_body_goes_through_as_a_stream() {
    let net = Net::new();
    let pod = net.pod("hello-1");
    let _handler = hello(&pod).await;
    let long = "0123456789abcdef".repeat(64 << 10);
    let body = Full::from(long.clone()).map_err(|never| match never {}).boxed_unsync();
    let (status, text) = ask(&net, &pod, "/echo", body).await;
    assert_eq!((status, text.len()), (StatusCode::OK, long.len()));
    assert!(text == long);
}

#[tokio::test]
async fn a_handler_calls_another() {
    let net = Net::new();
    let (one, two) = (net.pod("one"), net.pod("two"));
    let (_one, _two) = (hello(&one).await, hello(&two).await);
    let path = format!("/fetch?{}/", two.plug.address());
    assert_eq!(ask(&net, &one, &path, nothing()).await, (StatusCode::OK, "Hello from 0.3, two\n".to_owned()));
    let (status, _) = ask(&net, &one, "/fetch?10.42.9.9/", nothing()).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "nobody has the address");
}

#[tokio::test]
async fn a_server_echoes_through_the_host_and_through_its_own_memory() {
    let net = Net::new();
    let pod = net.pod("echo");
    for (how, port) in [("echo", "7"), ("pump", "8")] {
        let (server, ears) = start_file(&pod, &sample("net_p3"), &["net", how, port], |_| {}).await;
        ears.hear("listening on 0.0.0.0:").await;
        let at = SocketAddr::new(pod.plug.address(), port.parse().unwrap());
        let (a, b) = tokio::join!(echo(&net, at, b"hello".to_vec()), echo(&net, at, vec![b'x'; 1 << 20]));
        assert_eq!(a, b"hello");
        assert!(b == vec![b'x'; 1 << 20], "{} bytes", b.len());
        ears.hear("ed: (Ok(()), Ok(()))").await;
        assert_eq!(server.kill().await, Exit::Code(137));
        assert_eq!(pod.plug.usage().sockets, 0);
    }
}

async fn echo(net: &Net, to: SocketAddr, words: Vec<u8>) -> Vec<u8> {
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
async fn clients_connect_and_hear_why_not() {
    let net = Net::new();
    let (one, two) = (net.pod("one"), net.pod("two"));
    let (_server, ears) = start_file(&one, &sample("net_p3"), &["net", "pump", "7"], |_| {}).await;
    ears.hear("listening on").await;
    let at = format!("{}:7", one.plug.address());
    let (mut say, heard) = start_file(&two, &sample("net_p3"), &["net", "say", &at, "good morning"], |_| {}).await;
    assert_eq!(exit(&mut say).await, Exit::Code(0), "{}", heard.text());
    assert_eq!(heard.text(), format!("{at} said: good morning\n"));
    let (mut say, heard) = start_file(&two, &sample("net_p3"), &["net", "say", "127.0.0.1:7", "x"], |_| {}).await;
    assert_eq!(exit(&mut say).await, Exit::Code(1));
    assert!(heard.text().contains("ConnectionRefused"), "{}", heard.text());
}

/// Answers each connection with what it says.
fn serve_securely(pod: &Sandbox, certified: &rcgen::CertifiedKey<rcgen::KeyPair>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = pod.plug.bind_tcp("0.0.0.0:443".parse().unwrap()).unwrap().listen(8).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust us goes.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut heard = [0; 64];
            let count = stream.read(&mut heard).await.unwrap();
            stream.write_all(&heard[..count]).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
}

#[tokio::test]
async fn tls_goes_over_the_pods_network_and_trusts_the_clusters_authorities() {
    for (trusted, code) in [(true, 0), (false, 1)] {
        let certified = rcgen::generate_simple_self_signed(vec!["web.default.svc".to_owned()]).unwrap();
        let known = if trusted { vec![certified.cert.der().to_vec()] } else { Vec::new() };
        let net = Net::configured(netproxy::fabric::Config { trusted: known, ..Default::default() });
        let (server, client) = (net.pod("server"), net.pod("client"));
        serve_securely(&server, &certified);
        let at = format!("{}:443", server.plug.address());
        let args = ["net", "tls", &at, "web.default.svc", "good morning"];
        let (mut say, heard) = start_file(&client, &sample("net_p3"), &args, |_| {}).await;
        assert_eq!(exit(&mut say).await, Exit::Code(code), "{}", heard.text());
        let words = if trusted { "web.default.svc said: good morning" } else { "UnknownIssuer" };
        assert!(heard.text().contains(words), "{}", heard.text());
    }
}

#[tokio::test]
async fn datagrams_and_names() {
    let net = Net::new();
    let (one, two) = (net.pod("one"), net.pod("two"));
    let (_server, ears) = start_file(&one, &sample("net_p3"), &["net", "udp-echo", "7"], |_| {}).await;
    ears.hear("listening on").await;
    let at = format!("{}:7", one.plug.address());
    let (mut say, heard) = start_file(&two, &sample("net_p3"), &["net", "udp-say", &at, "good morning"], |_| {}).await;
    assert_eq!(exit(&mut say).await, Exit::Code(0), "{}", heard.text());
    assert_eq!(heard.text(), format!("{at} said: good morning\n"));
    let (mut lookup, heard) = start_file(&two, &sample("net_p3"), &["net", "lookup", "two"], |_| {}).await;
    assert_eq!(exit(&mut lookup).await, Exit::Code(0));
    assert_eq!(heard.text(), format!("two: {}\n", two.plug.address()));
    let nobody = "nobody.default.svc.cluster.local";
    let (mut lookup, heard) = start_file(&two, &sample("net_p3"), &["net", "lookup", nobody], |_| {}).await;
    assert_eq!(exit(&mut lookup).await, Exit::Code(0));
    assert!(heard.text().contains("NameUnresolvable"), "{}", heard.text());
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_finishes_its_connections() {
    let net = Net::new();
    let pod = net.pod("echo");
    let (mut server, ears) = start_file(&pod, &sample("net_p3"), &["net", "pump", "7"], |_| {}).await;
    ears.hear("listening on").await;
    let at = SocketAddr::new(pod.plug.address(), 7);
    let mut stream = net.fabric.dial(Origin::Host, at).await.unwrap();
    stream.write_all(b"one").await.unwrap();
    ears.hear("connection from").await;
    server.stop();
    let mut heard = [0; 3];
    stream.read_exact(&mut heard).await.unwrap();
    drop(stream);
    assert_eq!(exit(&mut server).await, Exit::Code(143));
}

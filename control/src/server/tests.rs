//! The server through in-memory streams, and once through a socket.

use http::StatusCode;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::auth::{Caller, Identity, Pki, Tokens};

use super::*;

/// Says who asked; `/wait` never ends.
async fn who(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/wait" {
        std::future::pending::<()>().await;
    }
    assert!(!request.headers().contains_key("authorization"), "the secret stays outside");
    let caller = request.extensions().get::<Arc<Caller>>().map(|c| c.user.clone());
    Ok(Response::new(Full::new(caller.unwrap_or_default().into())))
}

async fn server(limits: Limits) -> (Pki, Server<impl Api<Full<Bytes>>>) {
    let pki = Pki::open(None).unwrap();
    let identity = pki.server(&["localhost".to_owned()]).unwrap();
    let tls = Tls::new(&pki, &identity, None).unwrap();
    let mut tokens = Tokens::default();
    tokens.add("secret", Caller::authenticated("bob", []));
    let authenticator = Authenticator::new(tokens);
    let listen = ([127, 0, 0, 1], 0).into();
    let server = Server::bind(listen, tls, authenticator, limits, tower::service_fn(who)).await.unwrap();
    (pki, server)
}

fn connector(trusted: &Pki, identity: Option<&Identity>, protocol: &str) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.authority().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
            config.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    config.alpn_protocols = vec![protocol.into()];
    Arc::new(config).into()
}

async fn connect(streams: &Streams<impl Api<Full<Bytes>>>, connector: TlsConnector) -> TlsStream<DuplexStream> {
    let (near, far) = tokio::io::duplex(64 << 10);
    streams.serve_stream(far).await;
    connector.connect(ServerName::try_from("localhost").unwrap(), near).await.unwrap()
}

/// One HTTP/1.1 request; the whole answer.
async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, header: &str) -> String {
    let request = format!("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n");
    let mut answer = Vec::new();
    // Where the peer has closed already, or closes without a TLS goodbye, what it said is the answer all the same.
    let _ = stream.write_all(request.as_bytes()).await;
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn callers_are_known_by_certificate_or_token() {
    let (pki, server) = server(Limits::default()).await;
    let streams = server.streams();
    let admin = pki.client("admin", "amy", "system:masters").unwrap();
    // Of the same name, but not the same key: what a client sends that was left over from another cluster.
    let stranger = Pki::open(None).unwrap().client("admin", "eve", "system:masters").unwrap();
    let h1 = |identity| connect(&streams, connector(&pki, identity, "http/1.1"));

    assert!(ask(h1(Some(&admin)).await, "").await.ends_with("\r\n\r\namy"));
    assert!(ask(h1(None).await, "authorization: Bearer secret\r\n").await.ends_with("\r\n\r\nbob"));
    assert!(ask(h1(None).await, "").await.ends_with("\r\n\r\nsystem:anonymous"));
    let refused = ask(h1(None).await, "authorization: Bearer guess\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    assert!(refused.contains(r#""message":"Unauthorized","reason":"Unauthorized""#), "{refused}");
    assert!(ask(h1(Some(&stranger)).await, "").await.starts_with("HTTP/1.1 401 "));
    assert!(ask(h1(Some(&stranger)).await, "authorization: Bearer secret\r\n").await.ends_with("\r\n\r\nbob"));
}

#[tokio::test]
async fn http2_is_spoken() {
    let (pki, server) = server(Limits::default()).await;
    let admin = pki.client("admin", "amy", "g").unwrap();
    let stream = connect(&server.streams(), connector(&pki, Some(&admin), "h2")).await;
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get("https://localhost/").body(Empty::<Bytes>::new()).unwrap();
    let answer = client.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "amy");
    connection.abort();
}

#[tokio::test]
async fn slow_clients_are_cut_off() {
    let short = Duration::from_millis(50);
    let (pki, server) = server(Limits { handshake: short, header: short, ..Limits::default() }).await;
    let streams = server.streams();
    let (mut silent, far) = tokio::io::duplex(1024);
    streams.serve_stream(far).await;
    assert_eq!(silent.read(&mut [0; 8]).await.unwrap(), 0, "no handshake");
    let mut slow = connect(&streams, connector(&pki, None, "http/1.1")).await;
    slow.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
    let mut answer = Vec::new();
    let _ = slow.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn plain_http_is_told_that_this_is_https() {
    let (pki, server) = server(Limits::default()).await;
    let streams = server.streams();
    for request in ["GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", "POST /api/v1/pods HTTP/1.1\r\n\r\n"] {
        let (mut near, far) = tokio::io::duplex(1024);
        streams.serve_stream(far).await;
        near.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
    }
    let (mut noise, far) = tokio::io::duplex(1024);
    streams.serve_stream(far).await;
    noise.write_all(b"\x00\x01\x02\x03\x04\x05\x06").await.unwrap();
    let mut answer = Vec::new();
    let _ = noise.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
    let fine = connect(&streams, connector(&pki, None, "http/1.1")).await;
    assert!(ask(fine, "").await.starts_with("HTTP/1.1 200 "), "and everybody else is served");
}

#[tokio::test]
async fn floods_of_headers_are_refused() {
    let (pki, server) = server(Limits { header_bytes: 16 << 10, ..Limits::default() }).await;
    let streams = server.streams();
    let long = format!("x: {}\r\n", "y".repeat(64 << 10));
    let many: String = (0..5000).map(|i| format!("x{i}: y\r\n")).collect();
    for flood in [&long, &many] {
        let stream = connect(&streams, connector(&pki, None, "http/1.1")).await;
        let answer = ask(stream, flood).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let stream = connect(&streams, connector(&pki, None, "h2")).await;
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request =
        Request::get("https://localhost/").header("x", "y".repeat(12 << 10)).header("z", "y".repeat(12 << 10));
    let refused = client.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await;
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status() == 431));
    let fine = Request::get("https://localhost/").body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(client.send_request(fine).await.unwrap().status(), StatusCode::OK);
    connection.abort();
}

#[tokio::test]
async fn whoever_does_not_read_loses_the_connection() {
    let short = Duration::from_millis(50);
    let (pki, server) = server(Limits { stall: short, connections: 1, ..Limits::default() }).await;
    let streams = server.streams();
    let mut idle = connect(&streams, connector(&pki, None, "http/1.1")).await;
    // More answers than the pipe holds, and nobody to read them.
    for _ in 0..20_000 {
        if idle.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.is_err() {
            break;
        }
    }
    let next = connect(&streams, connector(&pki, None, "http/1.1"));
    let next = tokio::time::timeout(Duration::from_secs(10), next).await.expect("its place is free again");
    assert!(ask(next, "").await.starts_with("HTTP/1.1 200 "));
    drop(idle);
}

#[tokio::test]
async fn whoever_never_asks_loses_the_connection() {
    let (pki, server) = server(Limits { header: Duration::from_millis(50), ..Limits::default() }).await;
    for protocol in ["http/1.1", "h2"] {
        let mut silent = connect(&server.streams(), connector(&pki, None, protocol)).await;
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(10), silent.read_to_end(&mut answer)).await;
        assert!(closed.is_ok() && answer.is_empty(), "{protocol}");
    }
}

#[tokio::test]
async fn connections_wait_at_the_limit() {
    let (pki, server) = server(Limits { connections: 1, ..Limits::default() }).await;
    let streams = server.streams();
    let first = connect(&streams, connector(&pki, None, "http/1.1")).await;
    let (_near, far) = tokio::io::duplex(1024);
    let second = tokio::spawn(async move { streams.serve_stream(far).await });
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    drop(first);
    second.await.unwrap();
}

#[tokio::test]
async fn shutdown_waits_for_requests_up_to_the_grace_period() {
    let (pki, server) = server(Limits { grace: Duration::from_millis(50), ..Limits::default() }).await;
    let (address, streams, shutdown) = (server.address(), server.streams(), CancellationToken::new());
    let running = tokio::spawn(server.run(shutdown.clone()));
    let socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut waiting = connector(&pki, None, "http/1.1").connect(name, socket).await.unwrap();
    waiting.write_all(b"GET /wait HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let idle = connect(&streams, connector(&pki, None, "http/1.1")).await;
    shutdown.cancel();
    running.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "the listener is closed");
    assert!(ask(idle, "").await.is_empty());
}

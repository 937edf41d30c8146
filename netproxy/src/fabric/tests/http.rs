use std::sync::atomic::AtomicUsize;

use ::http::{Request, Response, StatusCode};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, SinkExt, StreamExt};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// Answers with its name and what it saw of the request.
struct Named(&'static str);

impl HttpHandler for Named {
    fn call(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, HandlerError>> {
        let seen = format!("{} {} {:?}", self.0, request.uri(), request.headers()["host"]);
        async move { Ok(Response::new(text(seen))) }.boxed()
    }
}

struct Stopping;

impl HttpHandler for Stopping {
    fn call(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, HandlerError>> {
        async move { Err(HandlerError::Stopping(Box::new(request))) }.boxed()
    }
}

struct Failing;

impl HttpHandler for Failing {
    fn call(&self, _: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, HandlerError>> {
        async move { Err(HandlerError::Failed("trap".into())) }.boxed()
    }
}

fn text(words: impl Into<Bytes>) -> Body {
    Body::new(Full::new(words.into()).map_err(|never| match never {}))
}

fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::new(Empty::new().map_err(|never| match never {}))).unwrap()
}

async fn read(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_call_and_a_stream_see_the_same() {
    let fabric = fabric();
    let (server, client) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"));
    let binding = server.serve_http(80, Arc::new(Named("web"))).unwrap();
    let called = client.request("10.42.0.2:80", false, get("http://10.42.0.2:80/a?b")).await.unwrap();
    assert_eq!(read(called).await, r#"web /a?b "10.42.0.2:80""#);

    let mut stream = client.connect(at("10.42.0.2:80")).await.unwrap();
    stream.write_all(b"GET /a?b HTTP/1.1\r\nhost: 10.42.0.2:80\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("web /a?b \"10.42.0.2:80\""), "{answer}");

    let idle = client.connect(at("10.42.0.2:80")).await.unwrap();
    drop(binding);
    idle.readable().await.unwrap();
    assert_eq!(idle.try_read(&mut [0; 8]).unwrap(), 0, "an idle connection ends with the binding");
    assert!(client.request("10.42.0.2:80", false, get("/")).await.is_err());
}

#[tokio::test]
async fn a_handler_that_fails_is_a_500_both_ways() {
    let fabric = fabric();
    let pod = plug(&fabric, "10.42.0.2");
    let _binding = pod.serve_http(80, Arc::new(Failing)).unwrap();
    let called = pod.request("localhost", false, get("/")).await.unwrap();
    assert_eq!(called.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let mut stream = pod.connect(at("127.0.0.1:80")).await.unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 500 "), "{answer}");
}

/// A server as a guest on WASI's std writes it: one connection after the other, each until it closes.
fn serve_bytes(plug: &Plug, name: &'static str, connections: Arc<AtomicUsize>) -> tokio::task::JoinHandle<()> {
    let listener = plug.bind_tcp(at("0.0.0.0:80")).unwrap().listen(16).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::Relaxed);
            let mut head = Vec::new();
            loop {
                let mut buffer = [0; 1024];
                let Ok(count @ 1..) = stream.read(&mut buffer).await else { break };
                head.extend_from_slice(&buffer[..count]);
                if head.ends_with(b"\r\n\r\n") {
                    head.clear();
                    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{name}", name.len());
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        }
    })
}

#[tokio::test]
async fn connections_are_used_again_and_let_go() {
    let fabric = fabric();
    let (server, client) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"));
    let connections = Arc::new(AtomicUsize::new(0));
    let _serving = serve_bytes(&server, "bytes", connections.clone());
    for _ in 0..20 {
        let response = client.request("10.42.0.2", false, get("/")).await.unwrap();
        assert_eq!(read(response).await, "bytes");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
    // Its only connection waits for a next request; another client is served all the same, and soon.
    let probe = fabric.request(Origin::Host, at("10.42.0.2:80"), get("/"));
    let probed = tokio::time::timeout(std::time::Duration::from_secs(5), probe).await.unwrap().unwrap();
    assert_eq!(read(probed).await, "bytes");
}

#[tokio::test]
async fn requests_to_a_service_pass_over_what_is_gone() {
    let fabric = fabric();
    let (one, two, three) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"), plug(&fabric, "10.42.0.4"));
    let _one = one.serve_http(80, Arc::new(Named("one"))).unwrap();
    let _two = two.serve_http(80, Arc::new(Stopping)).unwrap();
    // Reads requests and drops them unanswered, as a pod that is killed under load.
    let dropping = three.bind_tcp(at("0.0.0.0:80")).unwrap().listen(16).unwrap();
    let _dropping = tokio::spawn(async move {
        while let Ok((mut stream, _)) = dropping.accept().await {
            stream.read_u8().await.unwrap();
        }
    });
    serve_by(&fabric, &["10.42.0.2", "10.42.0.3", "10.42.0.4", "10.42.0.5"]);
    for _ in 0..40 {
        let response = fabric.request(Origin::Host, at("10.43.0.10:80"), get("/")).await.unwrap();
        assert!(read(response).await.starts_with("one "));
    }
    let posted = async || {
        let request = Request::post("http://web/").body(text("x")).unwrap();
        fabric.request(Origin::Host, at("10.43.0.10:80"), request).await
    };
    let mut failed = 0;
    for _ in 0..40 {
        failed += usize::from(posted().await.is_err());
    }
    assert!(failed > 0, "what may have been acted upon is not sent twice");
}

#[tokio::test]
async fn names_lead_to_services() {
    let fabric = fabric();
    let (server, client) = (plug(&fabric, "10.42.0.2"), plug(&fabric, "10.42.0.3"));
    let _binding = server.serve_http(80, Arc::new(Named("web"))).unwrap();
    serve_by(&fabric, &["10.42.0.2"]);
    for authority in ["web", "web.default.svc.cluster.local:80"] {
        let response = client.request(authority, false, get("/")).await.unwrap();
        assert_eq!(read(response).await, format!("web / {authority:?}"));
    }
    let missing = client.request("nobody.default.svc.cluster.local", false, get("/")).await;
    assert!(matches!(missing, Err(RequestError::Resolve { source: ResolveError::NotFound, .. })));
}

#[tokio::test]
async fn a_body_is_drained_after_an_early_response() {
    let fabric = fabric();
    let pod = plug(&fabric, "10.42.0.2");
    let _binding = pod.serve_http(80, Arc::new(Named("early"))).unwrap();
    let (mut sender, chunks) = futures::channel::mpsc::channel::<Bytes>(0);
    let frames = chunks.map(|chunk| Ok(http_body::Frame::data(chunk)));
    let request = Request::post("http://x/").body(Body::new(StreamBody::new(frames))).unwrap();
    let response = pod.request("localhost", false, request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    for _ in 0..10 {
        sender.send(Bytes::from_static(b"late")).await.expect("somebody reads on");
    }
}

//! What a request costs, by hand: `cargo test --release -p sampan-netproxy cost -- --ignored --nocapture`.

use std::io::{Read, Write};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use super::*;

const CLIENTS: usize = 8;
const REQUESTS: usize = 10_000;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// The CPU time of this thread, which is the runtime's.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn ask(at: SocketAddr) {
    let mut stream = std::net::TcpStream::connect(at).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = [0; 4096];
    for _ in 0..REQUESTS {
        stream.write_all(REQUEST).unwrap();
        let count = stream.read(&mut buffer).unwrap();
        assert!(buffer[..count].starts_with(b"HTTP/1.1 200 "));
    }
}

async fn measure(what: &str, at: SocketAddr) {
    let clients: Vec<_> = (0..CLIENTS).map(|_| tokio::task::spawn_blocking(move || ask(at))).collect();
    let (before, began) = (cpu(), Instant::now());
    for client in clients {
        client.await.unwrap();
    }
    let requests = (CLIENTS * REQUESTS) as f64;
    let rate = requests / began.elapsed().as_secs_f64();
    println!("{what:40} {:6.1} µs CPU a request, {rate:8.0} a second", (cpu() - before) / requests);
}

#[tokio::test]
#[ignore = "prints what a request costs, and checks nothing"]
async fn cost() {
    let native = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = native.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = native.accept().await {
            tcp.set_nodelay(true).unwrap();
            let service = hyper::service::service_fn(|_| async {
                Ok::<_, std::convert::Infallible>(Response::new(Full::new(bytes::Bytes::from_static(b"10.42.0.2"))))
            });
            let io = hyper_util::rt::TokioIo::new(tcp);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
        }
    });
    measure("native hyper", at).await;

    let handlers = node();
    let plug = handlers.plug("10.42.0.2");
    let _binding = serve(&plug);
    handlers.serve_by(Some(&["10.42.0.2"]));
    drop(handlers.connect().await);
    measure("node port to a handler", handlers.at()).await;

    let bytes = node();
    let plug = bytes.plug("10.42.0.2");
    let listener = plug.bind_tcp("0.0.0.0:80".parse().unwrap()).unwrap().listen(64).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream.read(&mut buffer).await {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n10.42.0.2";
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    bytes.serve_by(Some(&["10.42.0.2"]));
    drop(bytes.connect().await);
    measure("node port to a stream in the node", bytes.at()).await;
}

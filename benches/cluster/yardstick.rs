//! A native server with the same answer as the sample handler, in a process of its own (this program, started again):
//! what the rest of a request costs on this machine, the kernel's part included. Ratios to it travel, times do not.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The argument that makes this program be it.
pub const NAME: &str = "yardstick";

/// What it says before its address.
pub const READY: &str = "serving on";

/// Serves until it is killed.
pub async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{READY} {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

async fn answer(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"<p>Hello, yardstick</p>\n")));
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("text/html"));
    Ok(response)
}

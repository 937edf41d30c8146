//! A handler of WASI 0.3, on the interface itself: async functions, and bodies as streams.
//!
//! - `GET /` greets with the pod's name, asked of the environment as any Rust program does (that is WASI 0.2).
//! - `POST /echo` answers with the request's body while it still comes in.
//! - `GET /fetch?HOST/PATH` passes on what another server says.

use std::env;

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use wasip3::{wit_bindgen, wit_future, wit_stream};

wasip3::http::service::export!(Hello);

struct Hello;

impl wasip3::exports::http::handler::Guest for Hello {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        match path.split_once('?').unwrap_or((&path, "")) {
            ("/echo", _) => Ok(echo(request)),
            ("/fetch", url) => fetch(url).await,
            _ => Ok(greeting()),
        }
    }
}

fn greeting() -> Response {
    let name = env::var("HOSTNAME").unwrap_or_default();
    let (mut body, reader) = wit_stream::new();
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(Fields::new(), Some(reader), trailers);
    // The head is out before the body is written.
    wit_bindgen::spawn_local(async move {
        body.write_all(format!("Hello from 0.3, {name}\n").into_bytes()).await;
    });
    response
}

fn echo(request: Request) -> Response {
    let (_, done) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, done);
    Response::new(Fields::new(), Some(body), trailers).0
}

async fn fetch(url: &str) -> Result<Response, ErrorCode> {
    let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (request, _) = Request::new(Fields::new(), None, trailers, None);
    let invalid = |()| ErrorCode::HttpRequestUriInvalid;
    request.set_scheme(Some(&Scheme::Http)).map_err(invalid)?;
    request.set_authority(Some(authority)).map_err(invalid)?;
    request.set_path_with_query(Some(path)).map_err(invalid)?;
    client::send(request).await
}

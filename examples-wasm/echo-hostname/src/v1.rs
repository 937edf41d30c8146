//! An HTTP handler: the component exports `wasi:http/incoming-handler` and owns no socket. The node calls it with each
//! request that reaches the pod's container port; between requests no instance of it lives.

mod page;

use wstd::http::{Body, Error, Request, Response};

#[wstd::http_server]
async fn main(_request: Request<Body>) -> Result<Response<Body>, Error> {
    page::hello("Hello")
}

//! The second version of the same handler, for something to roll out.

mod page;

use wstd::http::{Body, Error, Request, Response};

#[wstd::http_server]
async fn main(_request: Request<Body>) -> Result<Response<Body>, Error> {
    page::hello("Hello v2")
}

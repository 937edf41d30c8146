//! The page that both versions answer with.

use std::env;
use wstd::http::{Body, Error, Response};

pub fn hello(greeting: &str) -> Result<Response<Body>, Error> {
    let pod = env::var("HOSTNAME")?;
    let page = Response::builder().header("Content-Type", "text/html");
    Ok(page.body(format!("<p>{greeting}, {pod}</p>\n").into())?)
}

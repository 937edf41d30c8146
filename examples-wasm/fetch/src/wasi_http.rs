//! `fetch-wasi-http URL…`: the same errand as `fetch`, given to the host through `wasi:http/outgoing-handler`.

use std::env;
use wstd::http::{Body, Client, Error, Request};

#[wstd::main]
async fn main() -> Result<(), Error> {
    for url in env::args().skip(1) {
        let response = Client::new().send(Request::get(&url).body(Body::empty())?).await?;
        let status = response.status();
        let mut body = response.into_body();
        println!("{url}: {status}\n{}", body.str_contents().await?);
    }
    Ok(())
}

//! A web server to see probes act. `/ready` answers well once `READY_AFTER` seconds have passed, `/healthz` until
//! `HEALTHY_FOR` seconds have; without these variables both always do. `/` says the pod's name.

use serve::Page;
use std::env;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

#[wstd::main]
async fn main() -> wstd::io::Result<()> {
    LazyLock::force(&STARTED);
    serve::serve(80, answer).await
}

fn answer(path: &str) -> Page {
    let age = STARTED.elapsed();
    let well = match path {
        "/ready" => age >= seconds("READY_AFTER").unwrap_or(Duration::ZERO),
        "/healthz" => age < seconds("HEALTHY_FOR").unwrap_or(Duration::MAX),
        _ => return Page::html(format!("<p>Hello, {}</p>\n", env::var("HOSTNAME").unwrap_or_default())),
    };
    match well {
        true => Page::text("200 OK", "ok\n"),
        false => Page::text("500 Internal Server Error", format!("not well after {} s\n", age.as_secs())),
    }
}

fn seconds(variable: &str) -> Option<Duration> {
    let number = env::var(variable).ok()?;
    number.parse().ok().map(Duration::from_secs)
}

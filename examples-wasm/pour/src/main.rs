//! Sends bytes as fast as they are taken, to one connection after the other, on `PORT` (9): for measuring the way to it.

use std::io::{self, Write};
use std::net::TcpListener;

const PIECE: usize = 256 << 10;

fn main() -> io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(9);
    let listener = TcpListener::bind(("0.0.0.0", port))?;
    let piece = vec![b'.'; PIECE];
    loop {
        let (mut stream, _) = listener.accept()?;
        while stream.write_all(&piece).is_ok() {}
    }
}

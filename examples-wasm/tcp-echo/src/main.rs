//! Sends back what it receives, on `PORT` (7). The standard library alone: no threads and no event loop, so while there
//! are connections it goes round them without blocking; while there are none it blocks in `accept` and costs nothing.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use std::{env, thread};

fn main() -> io::Result<()> {
    let port = env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(7);
    let listener = TcpListener::bind(("0.0.0.0", port))?;
    println!("listening on {}", listener.local_addr()?);
    let mut connections = Vec::new();
    loop {
        listener.set_nonblocking(!connections.is_empty())?;
        match listener.accept() {
            Ok((stream, peer)) => {
                println!("connection from {peer}");
                stream.set_nonblocking(true)?;
                connections.push(Connection { stream, unsent: Vec::new() });
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(1)),
            Err(error) => return Err(error),
        }
        connections.retain_mut(|connection| connection.turn().unwrap_or(false));
    }
}

struct Connection {
    stream: TcpStream,
    unsent: Vec<u8>,
}

impl Connection {
    /// Moves what can be moved now; says whether there is more to come.
    fn turn(&mut self) -> io::Result<bool> {
        if self.unsent.is_empty() {
            let mut chunk = [0; 4096];
            match ready(self.stream.read(&mut chunk))? {
                Some(0) => return Ok(false),
                Some(count) => self.unsent.extend_from_slice(&chunk[..count]),
                None => return Ok(true),
            }
        }
        if let Some(count) = ready(self.stream.write(&self.unsent))? {
            self.unsent.drain(..count);
        }
        Ok(true)
    }
}

/// `None` for an operation that would have to wait.
fn ready(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

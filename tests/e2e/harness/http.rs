//! As much of an HTTP client as a beginner's `curl`.

use super::eventually;
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// The whole answer, head and body, on a connection of its own.
pub fn get(address: &str, path: &str) -> io::Result<String> {
    let mut stream = connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.is_empty() {
        true => Err(io::Error::other("closed without an answer")),
        false => Ok(answer),
    }
}

pub fn connect(address: &str) -> io::Result<TcpStream> {
    let resolved = address.to_socket_addrs()?.next().ok_or_else(|| io::Error::other("no address"))?;
    let stream = TcpStream::connect_timeout(&resolved, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// Waits for an answer with these words in it.
pub fn answers(address: &str, path: &str, words: &str) -> String {
    eventually(&format!("http://{address}{path}"), || match get(address, path) {
        Ok(answer) if answer.contains(words) => Ok(answer),
        Ok(answer) => Err(answer),
        Err(error) => Err(error.to_string()),
    })
}

/// Waits until nothing listens there any more.
pub fn refuses(address: &str) {
    eventually(&format!("{address} to be closed"), || match connect(address) {
        Ok(_) => Err("it still accepts".to_owned()),
        Err(_) => Ok(()),
    });
}

/// Which pods answered with a `Hello` within so many requests.
pub fn greeters(address: &str, requests: usize) -> BTreeSet<String> {
    (0..requests).filter_map(|_| get(address, "/").ok()).filter_map(|answer| greeter(&answer)).collect()
}

/// The pod's name in `<p>Hello, POD-NAME</p>`, of any version.
pub fn greeter(answer: &str) -> Option<String> {
    let (_, after) = answer.split_once("<p>Hello")?;
    let (_, name) = after.split_once(", ")?;
    name.split_once("</p>").map(|(name, _)| name.to_owned())
}

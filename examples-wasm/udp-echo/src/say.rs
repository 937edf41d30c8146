//! `udp-say HOST:PORT WORD`: sends a datagram and prints the one that comes back.

use std::env;
use std::io::{self, Error};
use std::net::UdpSocket;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [peer, word] = arguments.as_slice() else { return Err(Error::other("usage: udp-say HOST:PORT WORD")) };
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(peer)?;
    socket.send(word.as_bytes())?;
    let mut answer = [0; 2048];
    let length = socket.recv(&mut answer)?;
    println!("{}", String::from_utf8_lossy(&answer[..length]));
    Ok(())
}

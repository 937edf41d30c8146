//! Sends each datagram back to where it came from, on `PORT` (7).

use std::env;
use std::io;
use std::net::UdpSocket;

fn main() -> io::Result<()> {
    let port = env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(7);
    let socket = UdpSocket::bind(("0.0.0.0", port))?;
    println!("listening on {}", socket.local_addr()?);
    let mut datagram = [0; 2048];
    loop {
        let (length, peer) = socket.recv_from(&mut datagram)?;
        socket.send_to(&datagram[..length], peer)?;
        println!("{length} bytes from {peer}");
    }
}

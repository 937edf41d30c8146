//! Sends back the messages it receives over a WebSocket, on `PORT` (80); one client after the other.

use std::env;
use std::io;
use std::net::{TcpListener, TcpStream};

use tungstenite::{Error, Message};

fn main() -> io::Result<()> {
    let port = env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(80);
    let listener = TcpListener::bind(("0.0.0.0", port))?;
    loop {
        let (stream, peer) = listener.accept()?;
        match serve(stream) {
            Ok(()) | Err(Error::ConnectionClosed) => println!("{peer} has left"),
            Err(error) => println!("{peer}: {error}"),
        }
    }
}

fn serve(stream: TcpStream) -> Result<(), Error> {
    let mut socket = tungstenite::accept(stream).map_err(|error| match error {
        tungstenite::HandshakeError::Failure(error) => error,
        // A socket that blocks is never interrupted.
        tungstenite::HandshakeError::Interrupted(_) => Error::ConnectionClosed,
    })?;
    loop {
        // Pings are answered, and a farewell returned, by the next call.
        if let message @ (Message::Text(_) | Message::Binary(_)) = socket.read()? {
            socket.send(message)?;
        }
    }
}

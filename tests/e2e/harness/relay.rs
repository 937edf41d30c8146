//! A network on which nothing lasts: connections to the server that end, without a word, a moment after they began.
//!
//! What an informer does when its watch breaks off is what keeps operators alive, and no server that behaves shows it.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Long enough for a list and the beginning of a watch.
const LIFETIME: Duration = Duration::from_millis(1500);

/// The address of a relay to `server`, for as long as the test's process lives.
pub fn flaky(server: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A server that is not there closes the client's connection, as it would have itself.
            let _ = TcpStream::connect(server).and_then(|server| relay(&client, &server));
        }
    });
    Ok(address)
}

fn relay(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let ends = [client.try_clone()?, server.try_clone()?];
    pump(client.try_clone()?, server.try_clone()?);
    pump(server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        lifetime();
        cut(&ends);
    });
    Ok(())
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        // However it ends, both ends end.
        let _ = io::copy(&mut from, &mut to);
        cut(&[from, to]);
    });
}

fn cut(ends: &[TcpStream]) {
    for end in ends {
        // It may have been cut before.
        let _ = end.shutdown(Shutdown::Both);
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own thread, which nothing else waits for")]
fn lifetime() {
    thread::sleep(LIFETIME);
}

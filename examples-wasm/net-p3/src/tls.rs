//! `tls ADDRESS NAME TEXT`: says something to a server that proves to be NAME, and prints its answer.

use futures::future::join;
use wasip3::sockets::types::{ErrorCode, IpAddressFamily, TcpSocket};

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "net", generate_all });
}

use bindings::wasi::tls::client::Connector;
use bindings::wit_stream;

pub async fn say(to: &str, name: &str, text: &str) -> Result<(), ErrorCode> {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4)?;
    socket.connect(super::address(to)).await?;
    let tls = Connector::new();
    let (mut words, cleartext) = wit_stream::new();
    let (ciphertext, _encrypted) = tls.send(cleartext);
    let _sent = socket.send(ciphertext);
    let (ciphertext, _received) = socket.receive();
    let (answer, _decrypted) = tls.receive(ciphertext);
    if let Err(error) = Connector::connect(tls, name.to_owned()).await {
        return Err(ErrorCode::Other(Some(error.to_debug_string())));
    }
    let write = async {
        words.write_all(text.as_bytes().to_vec()).await;
        drop(words);
    };
    let ((), answer) = join(write, answer.collect()).await;
    println!("{name} said: {}", String::from_utf8_lossy(&answer));
    Ok(())
}

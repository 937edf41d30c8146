//! A program of WASI 0.3 that serves and calls over TCP and UDP:
//! `echo PORT`, `pump PORT`, `say ADDRESS TEXT`, `udp-echo PORT`, `udp-say ADDRESS TEXT`, `lookup NAME`, `tls ADDRESS NAME TEXT`.
//! `headers`, `files` and `listings` take as many of those as they get.

mod greedy;
mod tls;

use std::env;
use std::net::{IpAddr, SocketAddr};

use futures::future::join;
use wasip3::sockets::ip_name_lookup::resolve_addresses;
use wasip3::sockets::types::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress, TcpSocket, UdpSocket,
};
use wasip3::wit_bindgen::StreamResult;
use wasip3::{wit_bindgen, wit_stream};

wasip3::cli::command::export!(Net);

struct Net;

impl wasip3::exports::cli::run::Guest for Net {
    async fn run() -> Result<(), ()> {
        let args: Vec<String> = env::args().collect();
        let args: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
        let outcome = match args[..] {
            ["echo", port] => serve(port, echo).await,
            ["pump", port] => serve(port, pump).await,
            ["say", to, text] => say(to, text).await,
            ["udp-echo", port] => udp_echo(port).await,
            ["udp-say", to, text] => udp_say(to, text).await,
            ["tls", to, name, text] => tls::say(to, name, text).await,
            ["headers"] => greedy::headers().await,
            ["listings"] => greedy::listings().await,
            ["files"] => greedy::files().await,
            ["lookup", name] => lookup(name).await,
            _ => panic!("what? {args:?}"),
        };
        outcome.map_err(|code| println!("failed: {code:?}"))
    }
}

async fn serve<F: Future<Output = ()> + 'static>(port: &str, each: fn(TcpSocket) -> F) -> Result<(), ErrorCode> {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4)?;
    socket.bind(address(&format!("0.0.0.0:{port}")))?;
    let mut connections = socket.listen()?;
    println!("listening on {}", show(socket.get_local_address()?));
    while let Some(connection) = connections.next().await {
        println!("connection from {}", show(connection.get_remote_address()?));
        wit_bindgen::spawn_local(each(connection));
    }
    Ok(())
}

/// What comes in is what goes out: the host moves the bytes.
async fn echo(connection: TcpSocket) {
    let (incoming, received) = connection.receive();
    let sent = connection.send(incoming);
    let outcome = join(received.into_future(), sent.into_future()).await;
    println!("echoed: {outcome:?}");
}

/// The same through the guest's memory.
async fn pump(connection: TcpSocket) {
    let (mut incoming, received) = connection.receive();
    let (mut outgoing, reader) = wit_stream::new();
    let sent = connection.send(reader);
    loop {
        let (result, bytes) = incoming.read(Vec::with_capacity(4096)).await;
        if !bytes.is_empty() && !outgoing.write_all(bytes).await.is_empty() {
            break;
        }
        if matches!(result, StreamResult::Dropped) {
            break;
        }
    }
    drop(outgoing);
    println!("pumped: {:?}", join(received.into_future(), sent.into_future()).await);
}

async fn say(to: &str, text: &str) -> Result<(), ErrorCode> {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4)?;
    socket.connect(address(to)).await?;
    let (mut outgoing, reader) = wit_stream::new();
    let (incoming, received) = socket.receive();
    let sent = socket.send(reader);
    let write = async {
        outgoing.write_all(text.as_bytes().to_vec()).await;
        drop(outgoing);
        sent.await
    };
    let (sent, answer) = join(write, incoming.collect()).await;
    sent?;
    received.await?;
    println!("{to} said: {}", String::from_utf8_lossy(&answer));
    Ok(())
}

async fn udp_echo(port: &str) -> Result<(), ErrorCode> {
    let socket = UdpSocket::create(IpAddressFamily::Ipv4)?;
    socket.bind(address(&format!("0.0.0.0:{port}")))?;
    println!("listening on {}", show(socket.get_local_address()?));
    loop {
        let (data, from) = socket.receive().await?;
        socket.send(data, Some(from)).await?;
    }
}

async fn udp_say(to: &str, text: &str) -> Result<(), ErrorCode> {
    let socket = UdpSocket::create(IpAddressFamily::Ipv4)?;
    socket.connect(address(to))?;
    socket.send(text.as_bytes().to_vec(), None).await?;
    let (answer, from) = socket.receive().await?;
    println!("{} said: {}", show(from), String::from_utf8_lossy(&answer));
    Ok(())
}

async fn lookup(name: &str) -> Result<(), ErrorCode> {
    match resolve_addresses(name.to_owned()).await {
        Ok(found) => found.into_iter().for_each(|found| println!("{name}: {}", ip(found))),
        Err(code) => println!("{name}: {code:?}"),
    }
    Ok(())
}

fn address(text: &str) -> IpSocketAddress {
    match text.parse().expect("an address and a port") {
        SocketAddr::V4(v4) => {
            IpSocketAddress::Ipv4(Ipv4SocketAddress { port: v4.port(), address: v4.ip().octets().into() })
        }
        SocketAddr::V6(v6) => IpSocketAddress::Ipv6(Ipv6SocketAddress {
            port: v6.port(),
            flow_info: 0,
            address: v6.ip().segments().into(),
            scope_id: 0,
        }),
    }
}

fn show(address: IpSocketAddress) -> SocketAddr {
    match address {
        IpSocketAddress::Ipv4(v4) => SocketAddr::new(ip(IpAddress::Ipv4(v4.address)), v4.port),
        IpSocketAddress::Ipv6(v6) => SocketAddr::new(ip(IpAddress::Ipv6(v6.address)), v6.port),
    }
}

fn ip(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => [a, b, c, d].into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => [a, b, c, d, e, f, g, h].into(),
    }
}

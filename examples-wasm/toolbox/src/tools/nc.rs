//! `nc [-zvun] [-w SECONDS] HOST PORT[-PORT]`, `nc -l [-kv] -p PORT`.
//!
//! There are no threads: the socket and standard input are looked at in turns, and less often while nothing comes.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::time::{Duration, Instant};

use super::http::{self, Patience};
use crate::failure::{Failure, words};
use crate::host;
use crate::io::Io;
use crate::options::{self, Options};
use crate::stream::Stream;

/// How long nothing is looked at, at most.
const IDLE: Duration = Duration::from_millis(20);

/// One way of sending and receiving.
enum Socket {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Socket {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(bytes),
            Socket::Udp(socket) => socket.recv(bytes),
        }
    }

    fn send(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        while !bytes.is_empty() {
            let sent = match self {
                Socket::Tcp(stream) => stream.write(bytes),
                Socket::Udp(socket) => socket.send(bytes),
            };
            match sent {
                Ok(sent) => bytes = &bytes[sent..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

pub fn nc(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "lp:zvunkw:q:i:N46s:", &[])?;
    match options.has('l') {
        true => listen(&options, io),
        false => connect(&options, io),
    }
}

fn connect(options: &Options, io: &mut Io) -> Result<u8, Failure> {
    let [host, ports] = &options.operands[..] else { return Err("usage: nc [-zvu] [-w SECONDS] HOST PORT".into()) };
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let port = |text: &str| text.parse::<u16>().map_err(|_| Failure::from(format!("bad port '{text}'")));
    let patience = options.number('w')?.map(Duration::from_secs);
    let mut code = 1;
    for port in port(first)?..=port(last)? {
        let told = |io: &mut Io, what: &str| {
            if options.has('v') {
                let _ = writeln!(io.err, "{host} ({host}:{port}) {what}");
            }
        };
        let socket = match options.has('u') {
            true => udp(host, port).map(Socket::Udp).map_err(|error| words(&error)),
            false => {
                let opened = http::connect(host, port, Patience { connect: patience, all: None });
                opened.map(Socket::Tcp).map_err(|error| match error {
                    http::Error::Connect { why, .. } => why,
                    http::Error::Resolve(host) => format!("bad address '{host}'"),
                    other => other.to_string(),
                })
            }
        };
        match socket {
            Err(why) => match first == last && !options.has('z') {
                true => return Err(format!("can't connect to remote host ({host}:{port}): {why}").into()),
                false => told(io, &why),
            },
            Ok(socket) => {
                told(io, "open");
                code = 0;
                if !options.has('z') {
                    relay(socket, patience, io)?;
                }
            }
        }
    }
    Ok(code)
}

fn udp(host: &str, port: u16) -> std::io::Result<UdpSocket> {
    let address = (host, port).to_socket_addrs()?.next().ok_or(ErrorKind::NotFound)?;
    let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    Ok(socket)
}

fn listen(options: &Options, io: &mut Io) -> Result<u8, Failure> {
    let port = options.value('p').or(options.operands.last().map(String::as_str)).unwrap_or("0");
    let port: u16 = port.parse().map_err(|_| Failure::from(format!("bad port '{port}'")))?;
    let any = (Ipv4Addr::UNSPECIFIED, port);
    let patience = options.number('w')?.map(Duration::from_secs);
    if options.has('u') {
        let socket = UdpSocket::bind(any).map_err(|error| Failure::of("bind", &error))?;
        let mut first = [0; 65_536];
        let (read, peer) = socket.recv_from(&mut first)?;
        socket.connect(peer)?;
        io.out.write_all(&first[..read])?;
        return relay(Socket::Udp(socket), patience, io).map(|()| 0);
    }
    let listener = TcpListener::bind(any).map_err(|error| Failure::of("bind", &error))?;
    if options.has('v') {
        let _ = writeln!(io.err, "listening on 0.0.0.0:{}", listener.local_addr()?.port());
    }
    loop {
        let (stream, peer) = listener.accept()?;
        if options.has('v') {
            let _ = writeln!(io.err, "connect to 0.0.0.0:{port} from {peer}");
        }
        relay(Socket::Tcp(stream), patience, io)?;
        if !options.has('k') {
            return Ok(0);
        }
    }
}

/// Carries both ways until the other side ends.
fn relay(mut socket: Socket, patience: Option<Duration>, io: &mut Io) -> Result<(), Failure> {
    match &socket {
        Socket::Tcp(stream) => stream.set_nonblocking(true)?,
        Socket::Udp(socket) => socket.set_nonblocking(true)?,
    }
    let mut input = Stream::Own(0);
    let mut bytes = vec![0; 64 << 10];
    let (mut open, mut idle, mut last) = (true, Duration::from_millis(1), Instant::now());
    loop {
        match socket.read(&mut bytes) {
            Ok(0) => return Ok(io.out.flush()?),
            Ok(read) => {
                io.out.write_all(&bytes[..read])?;
                io.out.flush()?;
                (idle, last) = (Duration::from_millis(1), Instant::now());
                continue;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        if patience.is_some_and(|patience| last.elapsed() > patience) {
            return Ok(());
        }
        let ready = match open {
            true => host::input_ready(idle),
            false => {
                std::thread::sleep(idle);
                false
            }
        };
        idle = (idle * 2).min(IDLE);
        if !ready {
            continue;
        }
        match input.read(&mut bytes)? {
            0 => {
                open = false;
                match &socket {
                    Socket::Tcp(stream) => drop(stream.shutdown(Shutdown::Write)),
                    // Nobody tells when an answer is over.
                    Socket::Udp(_) if patience.is_none() => return Ok(()),
                    Socket::Udp(_) => {}
                }
            }
            read => socket.send(&bytes[..read])?,
        }
        (idle, last) = (Duration::from_millis(1), Instant::now());
    }
}

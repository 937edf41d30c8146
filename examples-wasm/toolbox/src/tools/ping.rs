//! `ping [-c COUNT] [-i SECONDS] [-W SECONDS] [-p PORT] HOST`: by TCP, as there is no ICMP on WASI. A host that refuses a
//! connection is there, too.

use std::io::{ErrorKind, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, words};
use crate::io::Io;
use crate::options;

pub fn ping(arguments: &[String], io: &mut Io) -> Result<u8, Failure> {
    let options = options::parse(arguments, "c:i:W:w:p:q46n", &[])?;
    let Some(host) = options.operands.first() else { return Err("usage: ping [-c COUNT] [-p PORT] HOST".into()) };
    let port: u16 = options.number('p')?.unwrap_or(80);
    let count = options.number::<u64>('c')?.unwrap_or(u64::MAX);
    let seconds = |letter, usual| {
        options.number::<f64>(letter).map(|s| Duration::from_secs_f64(s.unwrap_or(usual).clamp(0.01, 3_600.0)))
    };
    let (interval, patience) = (seconds('i', 1.0)?, seconds('W', 5.0)?);
    let address = (host.as_str(), port).to_socket_addrs().ok().and_then(|mut all| all.next());
    let address = address.ok_or_else(|| Failure::from(format!("bad address '{host}'")))?;
    writeln!(io.out, "PING {host} ({}): TCP port {port}", address.ip())?;
    let mut times = Vec::new();
    for number in 0..count {
        let start = Instant::now();
        let result = TcpStream::connect_timeout(&address, patience);
        let time = start.elapsed().as_secs_f64() * 1e3;
        match result.map(drop) {
            Err(error) if error.kind() != ErrorKind::ConnectionRefused => {
                writeln!(io.out, "from {}: seq={number} {}", address.ip(), words(&error))?;
            }
            answer => {
                let how = if answer.is_ok() { "open" } else { "refused" };
                writeln!(io.out, "from {}: seq={number} port={port} {how} time={time:.3} ms", address.ip())?;
                times.push(time);
            }
        }
        io.out.flush()?;
        if number + 1 < count {
            thread::sleep(interval);
        }
    }
    let lost = 100 * (count - times.len() as u64) / count.max(1);
    writeln!(io.out, "\n--- {host} ping statistics ---")?;
    writeln!(io.out, "{count} connections tried, {} answered, {lost}% lost", times.len())?;
    if !times.is_empty() {
        let (least, most) =
            times.iter().fold((f64::MAX, 0.0_f64), |(least, most), time| (least.min(*time), most.max(*time)));
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        writeln!(io.out, "round-trip min/avg/max = {least:.3}/{mean:.3}/{most:.3} ms")?;
    }
    Ok(u8::from(times.is_empty()))
}

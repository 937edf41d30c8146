//! `fetch http://HOST[:PORT]/PATH…`: resolves the name, connects over TCP and prints each page. `TIMES` repeats them all,
//! `INTERVAL_MS` (200) apart; 0 repeats for ever. Fails when the last round could not reach one of them.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, thread};

fn main() -> ExitCode {
    let urls: Vec<String> = env::args().skip(1).collect();
    let times = number("TIMES").unwrap_or(1);
    let interval = Duration::from_millis(number("INTERVAL_MS").unwrap_or(200));
    let mut round = 0;
    loop {
        let mut well = !urls.is_empty();
        for url in &urls {
            match fetch(url) {
                Ok(page) => print!("{page}"),
                Err(error) => {
                    println!("{url}: {error}");
                    well = false;
                }
            }
        }
        round += 1;
        if round == times {
            return if well { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        thread::sleep(interval);
    }
}

fn fetch(url: &str) -> Result<String, Box<dyn Error>> {
    let rest = url.strip_prefix("http://").ok_or("not a URL that starts with http://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = connect(authority)?;
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let (head, page) = response.split_once("\r\n\r\n").ok_or("the answer is not HTTP")?;
    match head.split_ascii_whitespace().nth(1) {
        Some("200") => Ok(page.to_owned()),
        _ => Err(head.lines().next().unwrap_or_default().into()),
    }
}

fn connect(authority: &str) -> std::io::Result<TcpStream> {
    match authority.contains(':') {
        true => TcpStream::connect(authority),
        false => TcpStream::connect((authority, 80)),
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

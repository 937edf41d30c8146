//! Takes as much as it can get of one thing, says how much that was, and keeps it: a test of its limits.
//!
//!     greedy files DIRECTORY      opens one file after the other
//!     greedy listings DIRECTORY   begins to list a directory
//!     greedy connections          connects to itself
//!     greedy disk DIRECTORY       writes a file
//!     greedy log                  prints
//!     greedy stack                calls itself
//!     greedy headers              fills headers of HTTP that nobody sends
//!     greedy methods              thinks of long methods for requests that nobody sends
//!     greedy requests COUNT       sends requests that nobody answers, and says how the last one ends
//!     greedy timers               sets timers
//!     greedy poll                 waits for the same timer many times at once

use std::fs::{self, File, ReadDir};
use std::hint::black_box;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, thread};

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, Method, OutgoingRequest, Scheme};
use wasip2::io::poll;

static BLOCK: [u8; 64 << 10] = [b'x'; 64 << 10];

const HOUR: u64 = 3_600_000_000_000;

fn main() {
    let mut args = env::args().skip(1);
    let what = args.next().unwrap_or_default();
    let argument = args.next().unwrap_or_else(|| "/".to_owned());
    let directory = PathBuf::from(&argument);
    match what.as_str() {
        "files" => keep(take(|number| File::create(directory.join(number.to_string())))),
        "listings" => keep(take(|_| listing(&directory))),
        "connections" => connections(),
        "disk" => disk(directory),
        "log" => log(),
        "stack" => println!("came back from {}", deeper(0)),
        "headers" => keep(take(headers)),
        "methods" => keep(take(|_| method())),
        "requests" => requests(argument.parse().unwrap_or(1)),
        "timers" => keep(take(|_| Ok(subscribe_duration(HOUR)))),
        "poll" => poll_much(),
        _ => eprintln!("greedy files|listings|connections|disk|log|stack|headers|methods|requests|timers|poll"),
    }
}

/// Takes until there is no more.
fn take<T>(mut one: impl FnMut(usize) -> io::Result<T>) -> Vec<T> {
    let mut taken = Vec::new();
    loop {
        match one(taken.len()) {
            Ok(next) => taken.push(next),
            Err(error) => {
                println!("refused after {}: {error}", taken.len());
                return taken;
            }
        }
    }
}

fn keep<T>(taken: Vec<T>) {
    loop {
        thread::sleep(Duration::from_secs(60));
        black_box(&taken);
    }
}

fn listing(directory: &Path) -> io::Result<ReadDir> {
    let mut listing = fs::read_dir(directory)?;
    listing.next().transpose()?;
    Ok(listing)
}

fn connections() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address");
    keep(take(|_| Ok((TcpStream::connect(address)?, listener.accept()?))));
}

fn disk(directory: PathBuf) {
    let mut file = File::create(directory.join("full")).expect("a file");
    println!("writing");
    keep(take(|_| {
        // Enough for any limit, and not enough to hurt whoever runs this without one.
        if file.metadata()?.len() < 1 << 30 { file.write_all(&BLOCK) } else { Err(io::ErrorKind::StorageFull.into()) }
    }));
}

fn log() {
    loop {
        let _ = io::stdout().write_all(&BLOCK);
    }
}

#[expect(unconditional_recursion, reason = "it is what this is for")]
fn deeper(depth: u64) -> u64 {
    black_box(deeper(black_box(depth + 1)) + depth)
}

fn headers(number: usize) -> io::Result<Fields> {
    println!("headers {number}");
    let fields = Fields::new();
    fields.append("x", &BLOCK[..32 << 10]).map_err(io::Error::other)?;
    Ok(fields)
}

fn method() -> io::Result<OutgoingRequest> {
    let request = OutgoingRequest::new(Fields::new());
    let method = Method::Other("A".repeat(48 << 10));
    request.set_method(&method).map(|()| request).map_err(|()| io::ErrorKind::OutOfMemory.into())
}

fn requests(count: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let authority = listener.local_addr().expect("an address").to_string();
    let mut sent = Vec::new();
    for _ in 0..count {
        let request = OutgoingRequest::new(Fields::new());
        request.set_scheme(Some(&Scheme::Http)).expect("a scheme");
        request.set_authority(Some(&authority)).expect("an authority");
        request.set_path_with_query(Some("/")).expect("a path");
        sent.push(outgoing_handler::handle(request, None).expect("a request"));
    }
    let last = sent.last().expect("at least one");
    last.subscribe().block();
    println!("the last: {:?}", last.get().expect("ready").expect("the first time").err());
    keep(sent);
}

fn poll_much() {
    let timer = subscribe_duration(HOUR);
    let all = vec![&timer; 16 << 20];
    println!("polling");
    println!("ready: {:?}", poll::poll(&all));
}

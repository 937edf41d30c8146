//! Takes as much as it can get of one thing, says how much that was, and keeps it: a test of its limits.
//!
//!     greedy files DIRECTORY      opens one file after the other
//!     greedy connections          connects to itself
//!     greedy disk DIRECTORY       writes a file
//!     greedy log                  prints
//!     greedy stack                calls itself

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;
use std::{env, thread};

static BLOCK: [u8; 64 << 10] = [b'x'; 64 << 10];

fn main() {
    let mut args = env::args().skip(1);
    let what = args.next().unwrap_or_default();
    let directory = PathBuf::from(args.next().unwrap_or_else(|| "/".to_owned()));
    match what.as_str() {
        "files" => keep(take(|number| File::create(directory.join(number.to_string())))),
        "connections" => connections(),
        "disk" => disk(directory),
        "log" => log(),
        "stack" => println!("came back from {}", deeper(0)),
        _ => eprintln!("greedy files|connections|disk|log|stack"),
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

//! Takes a MiB of memory every 10 ms, up to as many as its argument says, or until it is stopped.

use std::time::Duration;
use std::{env, thread};

const MIB: usize = 1024 * 1024;

fn main() {
    let most = env::args().nth(1).and_then(|mib| mib.parse().ok()).unwrap_or(usize::MAX);
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        if held.len() < most {
            held.push(vec![1; MIB]);
            println!("holding {} MiB", held.len());
        }
        thread::sleep(Duration::from_millis(10));
    }
}

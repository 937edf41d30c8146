//! Does nothing: for as many seconds as its argument says, or for ever.

use std::time::Duration;
use std::{env, thread};

fn main() {
    match env::args().nth(1).and_then(|seconds| seconds.parse().ok()) {
        Some(seconds) => thread::sleep(Duration::from_secs(seconds)),
        None => loop {
            thread::sleep(Duration::from_secs(3600));
        },
    }
}

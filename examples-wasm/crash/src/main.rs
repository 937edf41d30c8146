//! Says why, and fails: with exit code 1, or with the argument `panic` by a trap.

use std::{env, process};

fn main() {
    if env::args().any(|argument| argument == "panic") {
        panic!("crash: asked to panic");
    }
    eprintln!("crash: giving up");
    process::exit(1);
}

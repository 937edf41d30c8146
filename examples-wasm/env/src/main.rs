//! Prints its arguments, then its environment, sorted.

use std::collections::BTreeMap;
use std::env;

fn main() {
    for (position, argument) in env::args().enumerate() {
        println!("arg {position}: {argument}");
    }
    for (name, value) in env::vars().collect::<BTreeMap<_, _>>() {
        println!("{name}={value}");
    }
}

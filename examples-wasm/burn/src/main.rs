//! Keeps a processor busy for ever and never calls the host: what a limit, or a neighbour, has to bear.

use std::hint::black_box;

fn main() {
    println!("burning");
    let mut number: u64 = 1;
    loop {
        number = black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}

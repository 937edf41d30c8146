//! Counts on standard output, a line every `INTERVAL_MS` (1000) milliseconds, up to `COUNT` lines or for ever. With a
//! file as its argument it writes there instead, for a sidecar to read.

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;
use std::{env, thread};

fn main() -> io::Result<()> {
    let mut output: Box<dyn Write> = match env::args().nth(1) {
        Some(path) => Box::new(File::options().create(true).append(true).open(path)?),
        None => Box::new(io::stdout()),
    };
    let interval = Duration::from_millis(number("INTERVAL_MS").unwrap_or(1000));
    for tick in 1..=number("COUNT").unwrap_or(u64::MAX) {
        writeln!(output, "tick {tick}")?;
        output.flush()?;
        thread::sleep(interval);
    }
    Ok(())
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

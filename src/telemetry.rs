//! Logs of the process itself, on standard error.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The crates whose words are about the cluster, and not about a connection's frames.
const OURS: [&str; 6] = ["sampan", "control", "netproxy", "objects", "runtime", "schema"];

/// Starts logging: warnings by default, more with each `-v`; `RUST_LOG` overrules both.
pub fn start(verbose: u8, json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(directives(verbose)));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(stderr().is_terminal());
    if json {
        logs.json().init();
    } else {
        logs.init();
    }
}

/// Libraries speak up one step after we do.
fn directives(verbose: u8) -> String {
    let (ours, others) = match verbose {
        0 => (LevelFilter::WARN, LevelFilter::WARN),
        1 => (LevelFilter::INFO, LevelFilter::WARN),
        2 => (LevelFilter::DEBUG, LevelFilter::INFO),
        3 => (LevelFilter::TRACE, LevelFilter::DEBUG),
        _ => (LevelFilter::TRACE, LevelFilter::TRACE),
    };
    OURS.iter().fold(others.to_string(), |all, name| format!("{all},{name}={ours}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_can_be_read() {
        for verbose in 0..5 {
            EnvFilter::try_new(directives(verbose)).expect("directives");
        }
        assert!(directives(2).starts_with("info,sampan=debug,"));
    }
}

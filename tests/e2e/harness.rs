//! What the tests stand on: a server process, a shell whose `kubectl` talks to it, and a plain HTTP client.

pub mod http;
pub mod images;
pub mod registry;
pub mod relay;
pub mod server;
pub mod session;
pub mod shell;
pub mod terminal;
pub mod transcript;

pub use session::Session;

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up; far more than it takes, as the machine may be small and busy.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Tries until there is something to return, and says what was seen last when patience ends.
pub fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Ok(found) => return found,
            Err(seen) if Instant::now() > deadline => panic!("{what}: not within {PATIENCE:?}; last seen:\n{seen}"),
            Err(_) => pause(),
        }
    }
}

/// The breath between two looks at a condition that has no event to wait for from outside.
#[expect(clippy::disallowed_methods, reason = "a test's own thread, which nothing else waits for")]
pub fn pause() {
    thread::sleep(Duration::from_millis(100));
}

//! How a guest's end is told: exit code, reason and message of a terminated container.

use jiff::Timestamp;
use tokio::time::Instant;

use super::observed::Ended;
use crate::container::Exit;

/// What a trap ends with, as an abort does on Linux.
const TRAPPED: i32 = 134;
const OUT_OF_MEMORY: i32 = 137;
/// What containerd says when it could not run the program.
const HOST_FAULT: i32 = 128;
/// The backtrace of a trap is cut to this: the API stores it with each pod.
const MAX_MESSAGE: usize = 2048;

/// The record of an instance that ran since `started` and ended now.
pub fn ended(exit: Exit, id: String, started: Timestamp) -> Ended {
    let (code, reason, message) = match exit {
        Exit::Code(0) => (0, "Completed", None),
        Exit::Code(code) => (code.into(), "Error", None),
        Exit::Trap { message, backtrace } => (TRAPPED, "Error", Some(format!("{message}\n{backtrace}"))),
        Exit::OutOfMemory => (OUT_OF_MEMORY, "OOMKilled", None),
        Exit::HostFault(message) => (HOST_FAULT, "StartError", Some(message)),
    };
    let message = message.map(|message| cut(message.trim_end()).to_owned());
    let (finished, at) = (Timestamp::now(), Instant::now());
    Ended { code, reason: reason.to_owned(), message, started: Some(started), finished, at, id }
}

fn cut(text: &str) -> &str {
    let end = (0..=MAX_MESSAGE.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_its_code() {
        let trap = Exit::Trap { message: "wasm trap: unreachable".into(), backtrace: "é".repeat(2000) };
        let cases = [
            (Exit::Code(0), 0, "Completed"),
            (Exit::Code(143), 143, "Error"),
            (trap, 134, "Error"),
            (Exit::OutOfMemory, 137, "OOMKilled"),
            (Exit::HostFault("no instance is free".into()), 128, "StartError"),
        ];
        for (exit, code, reason) in cases {
            let ended = ended(exit, String::new(), Timestamp::UNIX_EPOCH);
            assert_eq!((ended.code, ended.reason.as_str()), (code, reason));
            assert!(ended.message.unwrap_or_default().len() <= MAX_MESSAGE);
        }
    }
}

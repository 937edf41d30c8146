//! How a guest ended, told from what wasmtime returned.

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Exit codes that no guest chose.
pub(super) const STOPPED: u8 = 143;
pub(super) const KILLED: u8 = 137;
/// As an abort on Linux.
const TRAPPED: u8 = 134;
/// What a shell says of a program that it found and could not run.
const NOT_RUN: u8 = 126;

/// The end of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// The guest returned or called exit. Also 143: stopped before it did, and 137: killed.
    Code(u8),
    /// The guest did something that can't go on: a panic, an out-of-bounds access. Kubernetes' exit code for it is 134.
    Trap {
        /// What it did.
        message: String,
        /// Where, one frame a line.
        backtrace: String,
    },
    /// The guest was refused memory, and died of it.
    OutOfMemory,
    /// The fault is the host's.
    HostFault(String),
}

impl Exit {
    /// The byte that a shell sees.
    pub fn code(&self) -> u8 {
        match self {
            Exit::Code(code) => *code,
            Exit::Trap { .. } => TRAPPED,
            Exit::OutOfMemory => KILLED,
            Exit::HostFault(_) => NOT_RUN,
        }
    }
}

/// Judges what a call into a guest returned. `denied`: whether it was ever refused memory. A guest that copes with the
/// refusal and exits with 0 has done no wrong.
pub(super) fn judge(result: wasmtime::Result<Result<(), ()>>, denied: bool) -> Exit {
    let exit = match result {
        Ok(Ok(())) => Exit::Code(0),
        Ok(Err(())) => Exit::Code(1),
        Err(error) => failure(&error),
    };
    match exit {
        Exit::Code(0) => exit,
        _ if denied => Exit::OutOfMemory,
        _ => exit,
    }
}

fn failure(error: &wasmtime::Error) -> Exit {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Exit::Code((code & 0xff) as u8);
    }
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    match (error.downcast_ref::<Trap>(), backtrace) {
        (Some(trap), _) => Exit::Trap { message: trap.to_string(), backtrace: frames(backtrace) },
        // A host function that refuses to go on, because the guest broke a rule of its interface.
        (None, Some(_)) => Exit::Trap { message: error.root_cause().to_string(), backtrace: frames(backtrace) },
        (None, None) => Exit::HostFault(error.root_cause().to_string()),
    }
}

fn frames(backtrace: Option<&WasmBacktrace>) -> String {
    backtrace.map(|frames| frames.to_string().trim_end().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_death_after_a_refusal_is_out_of_memory() {
        assert_eq!(judge(Ok(Ok(())), true), Exit::Code(0));
        assert_eq!(judge(Ok(Err(())), true), Exit::OutOfMemory);
        assert_eq!(judge(Err(I32Exit(3).into()), false), Exit::Code(3));
        assert_eq!(judge(Err(Trap::UnreachableCodeReached.into()), true), Exit::OutOfMemory);
    }

    #[test]
    fn exit_codes_are_a_byte() {
        assert_eq!(judge(Err(I32Exit(256 + 7).into()), false), Exit::Code(7));
        assert_eq!(judge(Err(I32Exit(-1).into()), false), Exit::Code(255));
    }
}

//! What the toolbox needs of the node beyond the standard library: programs beside its own, and a terminal.
//!
//! In a pod that is `sampan:toolbox`. Anywhere else, which is where the tests run, it is the operating system's own
//! processes, so that a script does the same in both.

#[cfg(target_family = "wasm")]
#[path = "host/component.rs"]
mod platform;
#[cfg(not(target_family = "wasm"))]
#[path = "host/native.rs"]
mod platform;

pub use platform::{
    Pipe, Process, directories, exit, initial_directory, input_ready, list, own_id, send, set_raw, size, spawn,
    take_interrupt,
};

/// Where a program's standard input comes from.
pub enum Source<'a> {
    Inherit,
    Empty,
    Pipe(&'a Pipe),
}

/// Where its output goes.
pub enum Sink<'a> {
    Inherit,
    Discard,
    Pipe(&'a Pipe),
}

/// What is to be started.
pub struct Program<'a> {
    /// The program's name first.
    pub arguments: Vec<String>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// The directory it starts in.
    pub directory: String,
    pub input: Source<'a>,
    pub output: Sink<'a>,
    pub error: Sink<'a>,
}

/// A program that runs somewhere in the pod.
pub struct Running {
    pub id: u32,
    pub parent: u32,
    pub container: String,
    pub command: Vec<String>,
    /// In seconds since 1970.
    pub started: u64,
    /// In nanoseconds.
    pub cpu: u64,
    /// In bytes.
    pub memory: u64,
}

/// What `kill` can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    None,
    Terminate,
    Kill,
    Interrupt,
}

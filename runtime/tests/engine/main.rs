//! The engine with real guests: the samples of `examples-wasm`, and a few components written out as text.

mod blobstore;
mod code;
mod command;
mod concurrent;
mod cpu;
mod exec;
mod harness;
mod hostile;
mod http;
mod interfaces;
mod limits;
mod load;
mod network;
mod shell;
mod stop;
mod wasip1;

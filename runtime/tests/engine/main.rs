//! The engine with real guests: the samples of `examples-wasm`, and a few components written out as text.

mod command;
mod cpu;
mod harness;
mod http;
mod load;
mod network;
mod stop;

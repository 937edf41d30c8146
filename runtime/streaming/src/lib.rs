//! What `kubectl exec`, `attach` and `port-forward` speak: streams over a WebSocket or over SPDY/3.1.

mod terminal;

pub use terminal::TerminalSize;

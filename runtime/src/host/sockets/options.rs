//! Socket options. The fabric has no use for them; they are kept so that what a guest sets is what it gets.

use super::Result;
use super::bindings::wasi::sockets::network::ErrorCode;

const SECOND: u64 = 1_000_000_000;

/// With Linux's defaults.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) backlog: usize,
    pub(super) keep_alive: bool,
    pub(super) keep_alive_idle: u64,
    pub(super) keep_alive_interval: u64,
    pub(super) keep_alive_count: u32,
    pub(super) hop_limit: u8,
    pub(super) receive_buffer: u64,
    pub(super) send_buffer: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            backlog: 128,
            keep_alive: false,
            keep_alive_idle: 7_200 * SECOND,
            keep_alive_interval: 75 * SECOND,
            keep_alive_count: 9,
            hop_limit: 64,
            receive_buffer: 64 << 10,
            send_buffer: 64 << 10,
        }
    }
}

/// All numbers but 0 will do.
pub(super) fn set<T: Default + PartialEq>(option: &mut T, value: T) -> Result<()> {
    if value == T::default() {
        return Err(ErrorCode::InvalidArgument.into());
    }
    *option = value;
    Ok(())
}

//! Services and EndpointSlices become [`Routes`]: a pure function, and the loop that watches.

mod build;
mod watch;

pub use self::build::build;
pub(crate) use self::watch::keep_current;

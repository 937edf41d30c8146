//! What every loop of the control plane stands on: what it is given, how it waits for work, how it tells people.
//!
//! Controllers and the scheduler are both built on this and know nothing of each other.

mod context;
mod overlay;
mod queue;
mod recorder;

pub(crate) use context::Context;
pub use context::{ApiEndpoint, Config};
pub(crate) use overlay::Overlay;
pub(crate) use queue::{Key, Next, Queue, feed};
pub(crate) use recorder::Recorder;

//! What the containers of one pod share.

use netproxy::fabric::Plug;

use crate::container::Processes;

/// A pod's place in the world: its address, its port space and loopback, its name. It goes when its last container and
/// the pod's worker have let go of it.
#[derive(Clone)]
pub struct Sandbox {
    /// The pod's end of the network.
    pub plug: Plug,
    /// What the pod calls itself; guests see it as `HOSTNAME`.
    pub hostname: String,
    /// What runs in it.
    pub processes: Processes,
}

impl Sandbox {
    /// A pod in which nothing runs yet.
    pub fn new(plug: Plug, hostname: impl Into<String>) -> Sandbox {
        Sandbox { plug, hostname: hostname.into(), processes: Processes::default() }
    }
}

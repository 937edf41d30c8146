//! Connections to endpoints that wait for their next request.
//!
//! They wait very briefly: inside the node a new connection costs two queues, and a guest that serves one connection at
//! a time (as every server on WASI's std does) is held up by one that only waits. For the same reason a connection is not
//! kept while others wait in the endpoint's backlog. Under load each is used again long before that.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Weak;
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::Body;
use crate::fabric::{Fabric, Shared};

/// How long a connection waits.
const KEEP: Duration = Duration::from_millis(100);
/// How many wait for one endpoint.
const MAX_IDLE: usize = 64;

/// Whose connection to which endpoint; `None` is the host's.
pub(super) type Key = (Option<IpAddr>, SocketAddr);

pub(super) type Sender1 = http1::SendRequest<Body>;
pub(super) type Sender2 = http2::SendRequest<Body>;

#[derive(Debug, Default)]
pub(in crate::fabric) struct Pool(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    idle: HashMap<Key, Vec<(Instant, Sender1)>>,
    /// HTTP/2 connections carry many requests at once and are never taken out.
    shared: HashMap<Key, (Instant, Sender2)>,
    sweeping: bool,
}

impl State {
    fn sweep(&mut self, now: Instant) {
        self.idle.retain(|_, waiting| {
            waiting.retain(|(since, sender)| now - *since < KEEP && !sender.is_closed());
            !waiting.is_empty()
        });
        self.shared.retain(|_, (used, sender)| now - *used < KEEP && !sender.is_closed());
        self.sweeping = !self.idle.is_empty() || !self.shared.is_empty();
    }
}

/// A connection that carries a request and comes back afterwards.
#[derive(Debug)]
pub(super) struct Lent {
    pub fabric: Fabric,
    pub key: Key,
    pub sender: Sender1,
}

impl Lent {
    /// The exchange is over: the connection waits for the next one.
    pub fn give_back(self) {
        let Self { fabric, key, sender } = self;
        if sender.is_closed() || fabric.is_backed_up(key.1) {
            return;
        }
        let mut state = fabric.0.pool.0.lock();
        let waiting = state.idle.entry(key).or_default();
        if waiting.len() < MAX_IDLE {
            waiting.push((Instant::now(), sender));
        }
        start_sweeping(&fabric, &mut state);
    }
}

impl Fabric {
    /// A connection that waits, the one used last: the others may go.
    pub(super) fn waiting(&self, key: Key) -> Option<Lent> {
        let mut state = self.0.pool.0.lock();
        let waiting = state.idle.get_mut(&key)?;
        let (_, sender) = waiting.pop()?;
        if waiting.is_empty() {
            state.idle.remove(&key);
        }
        Some(Lent { fabric: self.clone(), key, sender })
    }

    pub(super) fn shared(&self, key: Key) -> Option<Sender2> {
        let mut state = self.0.pool.0.lock();
        let (used, sender) = state.shared.get_mut(&key)?;
        if sender.is_closed() {
            state.shared.remove(&key);
            return None;
        }
        *used = Instant::now();
        Some(sender.clone())
    }

    pub(super) fn share(&self, key: Key, sender: Sender2) {
        let mut state = self.0.pool.0.lock();
        state.shared.insert(key, (Instant::now(), sender));
        start_sweeping(self, &mut state);
    }
}

/// One task while anything waits, none otherwise.
fn start_sweeping(fabric: &Fabric, state: &mut State) {
    if std::mem::replace(&mut state.sweeping, true) {
        return;
    }
    let shared: Weak<Shared> = std::sync::Arc::downgrade(&fabric.0);
    tokio::spawn(async move {
        loop {
            sleep(KEEP / 2).await;
            let Some(shared) = shared.upgrade() else { return };
            let mut state = shared.pool.0.lock();
            state.sweep(Instant::now());
            if !state.sweeping {
                return;
            }
        }
    });
}

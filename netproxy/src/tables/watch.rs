//! The loop: follows Services and EndpointSlices and swaps the snapshot.
//!
//! A burst of changes makes one snapshot: after a build the loop rests for a multiple of the time the build took, so
//! that however large the tables are, building them never takes more than a tenth of a core. The first change after
//! quiet is built at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::select;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::watcher::{self, Event, watcher};
use kube::runtime::{WatchStreamExt, reflector::ObjectRef};
use kube::{Api, Client, Resource};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::build;
use crate::fabric::Fabric;
use crate::routes::Routes;

/// Builds are at least this far apart, and at least this many times the duration of the last one.
const REST: Duration = Duration::from_millis(2);
const REST_FACTOR: u32 = 10;

/// What one watch has delivered.
struct Held<K: Resource<DynamicType: Eq + Hash>> {
    live: HashMap<ObjectRef<K>, K>,
    /// A listing under way.
    fresh: HashMap<ObjectRef<K>, K>,
    complete: bool,
}

impl<K: Resource<DynamicType = ()>> Held<K> {
    fn new() -> Self {
        Self { live: HashMap::new(), fresh: HashMap::new(), complete: false }
    }

    fn apply(&mut self, event: Event<K>) {
        match event {
            Event::Apply(object) => drop(self.live.insert(ObjectRef::from_obj(&object), object)),
            Event::Delete(object) => drop(self.live.remove(&ObjectRef::from_obj(&object))),
            Event::Init => self.fresh.clear(),
            Event::InitApply(object) => drop(self.fresh.insert(ObjectRef::from_obj(&object), object)),
            Event::InitDone => {
                self.live = std::mem::take(&mut self.fresh);
                self.complete = true;
            }
        }
    }
}

#[expect(clippy::large_enum_variant, reason = "lives for one turn of the loop, and never in a collection")]
enum Change {
    Service(Event<Service>),
    Slice(Event<EndpointSlice>),
}

/// Keeps the fabric's routes current until told to stop. The first snapshot comes when both kinds are listed.
pub(crate) async fn keep_current(client: Client, fabric: Fabric, node: String, shutdown: CancellationToken) {
    let services = watcher(Api::<Service>::all(client.clone()), watcher::Config::default()).default_backoff();
    let slices = watcher(Api::<EndpointSlice>::all(client), watcher::Config::default()).default_backoff();
    let services = services.map(|event| event.map(Change::Service));
    let slices = slices.map(|event| event.map(Change::Slice));
    let mut changes = pin!(select(services, slices));
    let (mut services, mut slices) = (Held::new(), Held::new());
    let mut due: Option<Instant> = None;
    let mut rested = Instant::now();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            change = changes.next() => {
                match change {
                    Some(Ok(Change::Service(event))) => services.apply(slimmed(event)),
                    Some(Ok(Change::Slice(event))) => slices.apply(slimmed(event)),
                    Some(Err(error)) => {
                        tracing::warn!(%error, "watching services and endpoints; trying again");
                        continue;
                    }
                    None => return,
                }
                if services.complete && slices.complete {
                    due = due.or(Some(rested.max(Instant::now())));
                }
            }
            () = sleep_until(due.unwrap_or(rested)), if due.is_some() => {
                let began = Instant::now();
                swap(&fabric, &services, &slices, &node);
                due = None;
                rested = Instant::now() + REST.max(began.elapsed() * REST_FACTOR);
            }
        }
    }
}

fn swap(fabric: &Fabric, services: &Held<Service>, slices: &Held<EndpointSlice>, node: &str) {
    let previous: Arc<Routes> = fabric.routes().clone();
    let routes = build(services.live.values(), slices.live.values(), node, &previous);
    fabric.set_routes(Arc::new(routes));
}

/// Without what nobody here reads.
fn slimmed<K: Resource>(event: Event<K>) -> Event<K> {
    let slim = |mut object: K| {
        object.meta_mut().managed_fields = None;
        object.meta_mut().annotations = None;
        object
    };
    match event {
        Event::Apply(object) => Event::Apply(slim(object)),
        Event::InitApply(object) => Event::InitApply(slim(object)),
        other => other,
    }
}

#[cfg(test)]
mod tests;

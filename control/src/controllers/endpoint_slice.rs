//! EndpointSlices: which addresses stand behind a Service.
//!
//! The proxy and the DNS read them. A change of one pod changes one slice: endpoints keep their slice, new ones fill the
//! fullest that has room, and slices hold at most a hundred.

mod desired;
mod plan;

use std::sync::Arc;

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use objects::owners;

use super::{Context, Key, Next, Overlay, Queue, Recorder, feed};
use crate::registry::{Api, Change, DeleteOptions, Informer};
use crate::status::Status;
pub(super) use desired::{Port, hostname, ports, selects, target};
use plan::Step;

const AT_ONCE: usize = 8;
/// Which slices are ours.
const MANAGER: &str = "endpointslice-controller.k8s.io";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";

/// Keeps the slices of all Services with a selector.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Slices {
        services: context.registry.informer(),
        pods: context.registry.informer(),
        slices: context.registry.informer(),
        api: context.api(),
        events: context.recorder("endpoint-slice-controller"),
        unseen: Overlay::new(),
        queue: Queue::new(),
    }
    .run()
}

struct Slices {
    services: Arc<Informer<Service>>,
    pods: Arc<Informer<Pod>>,
    slices: Arc<Informer<EndpointSlice>>,
    api: Api<EndpointSlice>,
    events: Recorder,
    unseen: Overlay<EndpointSlice>,
    queue: Queue<Key>,
}

impl Slices {
    async fn run(self) {
        self.services.synced().await;
        self.pods.synced().await;
        self.slices.synced().await;
        futures::join!(
            feed(self.services.subscribe(), |change| self.service_changed(change)),
            feed(self.pods.subscribe(), |change| wake_services(&self.services, change, &self.queue)),
            feed(self.slices.subscribe(), |change| self.slice_changed(change)),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    fn service_changed(&self, change: &Change<Service>) {
        if let Some(service) = change.object() {
            self.queue.add(Key::of(&**service));
        }
        if let (Some(old), None) = (&change.old, &change.new) {
            self.unseen.forget(old.metadata.uid.as_deref().unwrap_or_default());
        }
    }

    fn slice_changed(&self, change: &Change<EndpointSlice>) {
        let Some(slice) = change.object().filter(|s| is_ours(s)) else { return };
        if let Some(owner) = owners::controller_of(&slice.metadata) {
            self.queue.add(Key::new(slice.metadata.namespace.as_deref().unwrap_or_default(), &owner.name));
        }
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let Some(service) = self.services.get(&key.namespace, &key.name) else { return Ok(Next::Done) };
        if service.metadata.deletion_timestamp.is_some() || !is_selecting(&service) {
            return Ok(Next::Done);
        }
        let uid = service.metadata.uid.as_deref().unwrap_or_default();
        let present = self.unseen.over(uid, self.slices.owned_by(uid), |slice| {
            let name = slice.metadata.name.as_deref().unwrap_or_default();
            self.api.get(&key.namespace, name).is_ok_and(|now| now.metadata.uid == slice.metadata.uid)
        });
        let present: Vec<_> = present.into_iter().filter(|s| is_ours(s)).collect();
        let wanted = desired::endpoints(&service, &self.pods.list(Some(&key.namespace)));
        let steps = plan::steps(&service, wanted, &present);
        let done = try_join_all(steps.into_iter().map(|step| self.carry_out(uid, step))).await;
        if let Err(status) = &done
            && !status.is_conflict()
        {
            let message = format!("Error updating Endpoint Slices for Service {key}: {}", status.message());
            self.events.warning(&*service, "FailedToUpdateEndpointSlices", message);
        }
        done.map(|_| Next::Done)
    }

    async fn carry_out(&self, owner: &str, step: Step) -> Result<(), Status> {
        match step {
            Step::Create(slice) => {
                let made = self.api.create(&slice).await?;
                self.unseen.wrote(owner, Arc::new(made));
            }
            Step::Update(slice) => {
                let updated = self.api.update(&slice).await?;
                self.unseen.wrote(owner, Arc::new(updated));
            }
            Step::Delete(slice) => {
                let meta = &slice.metadata;
                let (namespace, name) =
                    (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
                let options = DeleteOptions { uid: meta.uid.clone(), ..DeleteOptions::default() };
                match self.api.delete(namespace, name, &options).await {
                    Err(status) if !status.is_not_found() => return Err(status),
                    _ => self.unseen.deleted(owner, meta),
                }
            }
        }
        Ok(())
    }
}

/// True for a Service whose endpoints are found by its selector.
pub(super) fn is_selecting(service: &Service) -> bool {
    let Some(spec) = &service.spec else { return false };
    spec.type_.as_deref() != Some("ExternalName") && spec.selector.as_ref().is_some_and(|s| !s.is_empty())
}

/// Adds the Services whose endpoints a change of a pod may concern.
pub(super) fn wake_services(services: &Informer<Service>, change: &Change<Pod>, queue: &Queue<Key>) {
    let Some(pod) = change.object() else { return };
    if let (Some(old), Some(new)) = (&change.old, &change.new)
        && desired::same_endpoint(old, new)
    {
        return;
    }
    for service in services.list(pod.metadata.namespace.as_deref()) {
        let wanted = [&change.old, &change.new].into_iter().flatten().any(|p| desired::selects(&service, p));
        if wanted && is_selecting(&service) {
            queue.add(Key::of(&*service));
        }
    }
}

fn is_ours(slice: &EndpointSlice) -> bool {
    slice.metadata.labels.as_ref().and_then(|l| l.get(MANAGED_BY)).is_some_and(|m| m == MANAGER)
}

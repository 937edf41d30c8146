//! Endpoints: the older form of what EndpointSlices say, for clients that read it.

mod subsets;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Endpoints, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use objects::time;

use super::endpoint_slice::{is_selecting, wake_services};
use super::{Context, Key, Next, Queue, feed};
use crate::registry::{Api, DeleteOptions, Informer};
use crate::status::Status;

const AT_ONCE: usize = 8;
const TRIGGERED: &str = "endpoints.kubernetes.io/last-change-trigger-time";
const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const HEADLESS: &str = "service.kubernetes.io/headless";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";

/// Keeps the Endpoints of all Services with a selector.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Legacy {
        services: context.registry.informer(),
        pods: context.registry.informer(),
        endpoints: context.registry.informer(),
        api: context.api(),
        queue: Queue::new(),
    }
    .run()
}

struct Legacy {
    services: Arc<Informer<Service>>,
    pods: Arc<Informer<Pod>>,
    endpoints: Arc<Informer<Endpoints>>,
    api: Api<Endpoints>,
    queue: Queue<Key>,
}

impl Legacy {
    async fn run(self) {
        self.services.synced().await;
        self.pods.synced().await;
        self.endpoints.synced().await;
        let add = |key: Key| self.queue.add(key);
        futures::join!(
            feed(self.services.subscribe(), |change| change.object().into_iter().for_each(|s| add(Key::of(&**s)))),
            feed(self.pods.subscribe(), |change| wake_services(&self.services, change, &self.queue)),
            feed(self.endpoints.subscribe(), |change| change.object().into_iter().for_each(|e| add(Key::of(&**e)))),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let present = self.endpoints.get(&key.namespace, &key.name);
        let Some(service) = self.services.get(&key.namespace, &key.name) else {
            return self.delete(present).await;
        };
        if service.metadata.deletion_timestamp.is_some() || !is_selecting(&service) {
            return Ok(Next::Done);
        }
        let wanted = build(&service, &self.pods.list(Some(&key.namespace)));
        match present {
            None => drop(self.api.create(&wanted).await?),
            Some(present) if is_current(&present, &wanted) => {}
            Some(present) => {
                let mut updated = (*present).clone();
                updated.metadata.labels = wanted.metadata.labels;
                let annotations = updated.metadata.annotations.get_or_insert_default();
                annotations.remove(OVER_CAPACITY);
                annotations.extend(wanted.metadata.annotations.unwrap_or_default());
                updated.subsets = wanted.subsets;
                self.api.update(&updated).await?;
            }
        }
        Ok(Next::Done)
    }

    /// The Service is gone, and its Endpoints go with it if they were made here.
    async fn delete(&self, present: Option<Arc<Endpoints>>) -> Result<Next, Status> {
        let Some(meta) = present.as_ref().map(|p| &p.metadata).filter(|m| is_ours(m)) else { return Ok(Next::Done) };
        let (namespace, name) =
            (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        let options = DeleteOptions { uid: meta.uid.clone(), ..DeleteOptions::default() };
        match self.api.delete(namespace, name, &options).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Next::Done),
        }
    }
}

fn build(service: &Service, pods: &[Arc<Pod>]) -> Endpoints {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.insert(MANAGED_BY.to_owned(), "endpoint-controller".to_owned());
    if service.spec.as_ref().and_then(|s| s.cluster_ip.as_deref()) == Some("None") {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    let (subsets, truncated) = subsets::of(service, pods);
    let mut annotations = BTreeMap::from([(TRIGGERED.to_owned(), time::text(&time::now()))]);
    if truncated {
        annotations.insert(OVER_CAPACITY.to_owned(), "truncated".to_owned());
    }
    Endpoints {
        metadata: ObjectMeta {
            name: service.metadata.name.clone(),
            namespace: service.metadata.namespace.clone(),
            labels: Some(labels),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        subsets: Some(subsets).filter(|s| !s.is_empty()),
    }
}

fn is_current(present: &Endpoints, wanted: &Endpoints) -> bool {
    let over = |e: &Endpoints| e.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(OVER_CAPACITY));
    present.subsets.as_deref().unwrap_or_default() == wanted.subsets.as_deref().unwrap_or_default()
        && present.metadata.labels == wanted.metadata.labels
        && over(present) == over(wanted)
}

fn is_ours(meta: &ObjectMeta) -> bool {
    meta.labels.as_ref().is_some_and(|l| l.contains_key(MANAGED_BY))
}

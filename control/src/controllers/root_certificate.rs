//! Every namespace has the cluster's CA in the ConfigMap `kube-root-ca.crt`, for pods that call the API.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Context, Key, Next, Queue, feed};
use crate::registry::{Api, Informer};
use crate::status::Status;

const AT_ONCE: usize = 4;
const NAME: &str = "kube-root-ca.crt";
const FILE: &str = "ca.crt";
const DESCRIPTION: (&str, &str) = (
    "kubernetes.io/description",
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the \
     internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes \
     clusters.",
);

/// Publishes the certificate in new namespaces, and mends what was changed.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Certificates {
        namespaces: context.registry.informer(),
        maps: context.registry.informer(),
        api: context.api(),
        certificate: context.config.root_certificate.clone(),
        queue: Queue::new(),
    }
    .run()
}

struct Certificates {
    namespaces: Arc<Informer<Namespace>>,
    maps: Arc<Informer<ConfigMap>>,
    api: Api<ConfigMap>,
    certificate: String,
    queue: Queue<Key>,
}

impl Certificates {
    async fn run(self) {
        self.namespaces.synced().await;
        self.maps.synced().await;
        futures::join!(
            feed(self.namespaces.subscribe(), |change| {
                if let (None, Some(namespace)) = (&change.old, &change.new) {
                    self.queue.add(Key::of(&**namespace));
                }
            }),
            feed(self.maps.subscribe(), |change| {
                if let Some(map) = change.object().filter(|m| m.metadata.name.as_deref() == Some(NAME)) {
                    self.queue.add(Key::new("", map.metadata.namespace.as_deref().unwrap_or_default()));
                }
            }),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        if self.namespaces.get("", &key.name).is_none_or(|n| n.metadata.deletion_timestamp.is_some()) {
            return Ok(Next::Done);
        }
        let data = BTreeMap::from([(FILE.to_owned(), self.certificate.clone())]);
        let written = match self.maps.get(&key.name, NAME) {
            Some(map) if map.data.as_ref() == Some(&data) => return Ok(Next::Done),
            Some(map) => self.api.update(&ConfigMap { data: Some(data), ..(*map).clone() }).await,
            None => self.api.create(&fresh(&key.name, data)).await,
        };
        match written {
            Err(status) if !status.is_conflict() => Err(status),
            _ => Ok(Next::Done),
        }
    }
}

fn fresh(namespace: &str, data: BTreeMap<String, String>) -> ConfigMap {
    let annotations = BTreeMap::from([(DESCRIPTION.0.to_owned(), DESCRIPTION.1.to_owned())]);
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(NAME.to_owned()),
            namespace: Some(namespace.to_owned()),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        data: Some(data),
        ..ConfigMap::default()
    }
}

//! Claims and volumes that are deleted are let go once nobody uses them.
//!
//! Each gets a finalizer, from here where admission gave it none. A claim's is taken off when no pod on a node uses it, a
//! volume's when it is not bound.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use objects::pods;
use serde_json::json;

use super::{Context, Key, Next, Queue, feed};
use crate::admission::{CLAIM_IN_USE, VOLUME_IN_USE};
use crate::registry::{Api, Informer, Object};
use crate::status::Status;

const AT_ONCE: usize = 4;

/// Lets claims and volumes go; a key without a namespace is a volume's.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Protection {
        claims: context.registry.informer(),
        volumes: context.registry.informer(),
        pods: context.registry.informer(),
        claim_api: context.registry.api(),
        volume_api: context.registry.api(),
        queue: Queue::new(),
    }
    .run()
}

struct Protection {
    claims: Arc<Informer<PersistentVolumeClaim>>,
    volumes: Arc<Informer<PersistentVolume>>,
    pods: Arc<Informer<Pod>>,
    claim_api: Api<PersistentVolumeClaim>,
    volume_api: Api<PersistentVolume>,
    queue: Queue<Key>,
}

impl Protection {
    async fn run(self) {
        self.claims.synced().await;
        self.volumes.synced().await;
        self.pods.synced().await;
        futures::join!(
            feed(self.claims.subscribe(), |change| {
                change
                    .new
                    .iter()
                    .filter(|c| is_held(&c.metadata, CLAIM_IN_USE) || is_bare(&c.metadata, CLAIM_IN_USE))
                    .for_each(|c| self.queue.add(Key::of(&**c)));
            }),
            feed(self.volumes.subscribe(), |change| {
                change
                    .new
                    .iter()
                    .filter(|v| is_held(&v.metadata, VOLUME_IN_USE) || is_bare(&v.metadata, VOLUME_IN_USE))
                    .for_each(|v| self.queue.add(Key::of(&**v)));
            }),
            feed(self.pods.subscribe(), |change| {
                let users = change.old.as_deref().into_iter().chain(change.new.as_deref());
                for (namespace, name) in users.flat_map(used) {
                    if self.claims.get(namespace, &name).is_some_and(|c| is_held(&c.metadata, CLAIM_IN_USE)) {
                        self.queue.add(Key::new(namespace, &name));
                    }
                }
            }),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let done = match &*key.namespace {
            "" => match self.volumes.get("", &key.name) {
                Some(bare) if is_bare(&bare.metadata, VOLUME_IN_USE) => {
                    hold(&self.volume_api, &*bare, VOLUME_IN_USE).await
                }
                Some(held) if is_held(&held.metadata, VOLUME_IN_USE) && !is_bound(&held) => {
                    release(&self.volume_api, &*held, VOLUME_IN_USE).await
                }
                _ => return Ok(Next::Done),
            },
            namespace => match self.claims.get(namespace, &key.name) {
                Some(bare) if is_bare(&bare.metadata, CLAIM_IN_USE) => {
                    hold(&self.claim_api, &*bare, CLAIM_IN_USE).await
                }
                Some(held) if is_held(&held.metadata, CLAIM_IN_USE) && !self.is_used(&key) => {
                    release(&self.claim_api, &*held, CLAIM_IN_USE).await
                }
                _ => return Ok(Next::Done),
            },
        };
        match done {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Next::Done),
        }
    }

    fn is_used(&self, claim: &Key) -> bool {
        let in_namespace = self.pods.list(Some(&claim.namespace));
        in_namespace.iter().filter(|p| holds(p)).any(|p| used(p).any(|(_, name)| name == *claim.name))
    }
}

/// True for a pod that may be reading and writing: on a node, and not ended. A pod without a node does not get one any more
/// whose claim is deleted.
fn holds(pod: &Pod) -> bool {
    !pods::node(pod).is_empty() && !pods::is_terminal(pod)
}

/// The claims of a pod: those that it names, and those that are made for it.
fn used(pod: &Pod) -> impl Iterator<Item = (&str, String)> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let own = pod.metadata.name.as_deref().unwrap_or_default();
    let volumes = pod.spec.iter().flat_map(|s| s.volumes.iter().flatten());
    volumes.filter_map(move |volume| {
        let named = volume.persistent_volume_claim.as_ref().map(|c| c.claim_name.clone());
        let made = volume.ephemeral.as_ref().map(|_| format!("{own}-{}", volume.name));
        named.or(made).map(|name| (namespace, name))
    })
}

fn is_bound(volume: &PersistentVolume) -> bool {
    volume.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound")
}

/// True for an object on its way out that waits for us.
fn is_held(meta: &ObjectMeta, finalizer: &str) -> bool {
    meta.deletion_timestamp.is_some() && meta.finalizers.iter().flatten().any(|f| f == finalizer)
}

/// True for an object that would go at once.
fn is_bare(meta: &ObjectMeta, finalizer: &str) -> bool {
    meta.deletion_timestamp.is_none() && !meta.finalizers.iter().flatten().any(|f| f == finalizer)
}

async fn hold<K: Object>(api: &Api<K>, object: &K, finalizer: &str) -> Result<(), Status> {
    let present = object.metadata().finalizers.iter().flatten().map(String::as_str);
    write(api, object, present.chain([finalizer]).collect()).await
}

async fn release<K: Object>(api: &Api<K>, object: &K, finalizer: &str) -> Result<(), Status> {
    let present = object.metadata().finalizers.iter().flatten().map(String::as_str);
    write(api, object, present.filter(|f| *f != finalizer).collect()).await
}

async fn write<K: Object>(api: &Api<K>, object: &K, finalizers: Vec<&str>) -> Result<(), Status> {
    let meta = object.metadata();
    let patch =
        json!({"metadata": {"finalizers": finalizers, "resourceVersion": meta.resource_version, "uid": meta.uid}});
    let (namespace, name) = (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
    api.patch_merge(namespace, name, patch).await.map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn pod(value: Value) -> Pod {
        serde_json::from_value(value).expect("a pod")
    }

    #[test]
    fn pods_on_nodes_hold_the_claims_that_they_name() {
        let volumes = json!([{"name": "a", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "b", "emptyDir": {}},
            {"name": "c", "ephemeral": {}}]);
        let running = json!({"metadata": {"name": "p", "namespace": "n"}, "spec": {"nodeName": "x", "containers": [],
            "volumes": volumes}});
        let running = pod(running);
        assert_eq!(used(&running).collect::<Vec<_>>(), [("n", "data".to_owned()), ("n", "p-c".to_owned())]);
        assert!(holds(&running));
        assert!(!holds(&pod(json!({"metadata": {}, "spec": {"containers": []}}))));
        let ended = json!({"metadata": {}, "spec": {"nodeName": "x", "containers": []}, "status": {"phase": "Failed"}});
        assert!(!holds(&pod(ended)));
    }
}

//! Pods that carry a claim with them get it: a claim of their own, which goes when they go.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimTemplate, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use objects::{owners, pods, volumes};

use super::{Context, Key, Next, Queue, Recorder, feed};
use crate::registry::{Api, Informer};
use crate::status::Status;

const AT_ONCE: usize = 4;

/// Makes the claims of pods.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    Claims {
        pods: context.registry.informer(),
        claims: context.registry.informer(),
        api: context.api(),
        events: context.recorder("ephemeral_volume"),
        queue: Queue::new(),
    }
    .run()
}

struct Claims {
    pods: Arc<Informer<Pod>>,
    claims: Arc<Informer<PersistentVolumeClaim>>,
    api: Api<PersistentVolumeClaim>,
    events: Recorder,
    queue: Queue<Key>,
}

impl Claims {
    async fn run(self) {
        self.pods.synced().await;
        self.claims.synced().await;
        futures::join!(
            feed(self.pods.subscribe(), |change| {
                if let (None, Some(pod)) = (&change.old, &change.new)
                    && templates(pod).next().is_some()
                {
                    self.queue.add(Key::of(&**pod));
                }
            }),
            feed(self.claims.subscribe(), |change| {
                let Some(gone) = change.old.as_ref().filter(|_| change.new.is_none()) else { return };
                if let Some(owner) = owners::controller_of(&gone.metadata).filter(|owner| owner.kind == "Pod") {
                    let namespace = gone.metadata.namespace.as_deref().unwrap_or_default();
                    self.queue.add(Key::new(namespace, &owner.name));
                }
            }),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let Some(pod) = self.pods.get(&key.namespace, &key.name) else { return Ok(Next::Done) };
        if pods::is_terminating(&pod) || pods::is_terminal(&pod) {
            return Ok(Next::Done);
        }
        for (name, template) in templates(&pod) {
            match self.claims.get(&key.namespace, &name) {
                Some(claim) if owners::is_controlled_by(&claim.metadata, uid(&pod)) => {}
                Some(_) => {
                    let message = format!(
                        "ephemeral volume: PVC {}/{name} was not created for pod {key} (pod is not owner)",
                        key.namespace
                    );
                    self.events.warning(&*pod, "FailedBinding", message);
                    return Ok(Next::Done);
                }
                None => match self.api.create(&claim(&pod, &name, template)).await {
                    Err(status) if !status.is_conflict() => return Err(status),
                    _ => {}
                },
            }
        }
        Ok(Next::Done)
    }
}

/// The claims that the pod carries, by their names.
fn templates(pod: &Pod) -> impl Iterator<Item = (String, &PersistentVolumeClaimTemplate)> {
    let volumes = volumes::claims(pod);
    volumes.filter_map(|(volume, name)| Some((name, volume.ephemeral.as_ref()?.volume_claim_template.as_ref()?)))
}

fn uid(pod: &Pod) -> &str {
    pod.metadata.uid.as_deref().unwrap_or_default()
}

fn claim(pod: &Pod, name: &str, template: &PersistentVolumeClaimTemplate) -> PersistentVolumeClaim {
    let like = template.metadata.clone().unwrap_or_default();
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: pod.metadata.namespace.clone(),
            labels: like.labels,
            annotations: like.annotations,
            owner_references: Some(vec![owners::controller_ref(pod)]),
            ..ObjectMeta::default()
        },
        spec: Some(template.spec.clone()),
        status: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_claim_is_the_pods_own() {
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"accessModes": ["ReadWriteOnce"]}});
        let pod: Pod = from_value(json!({"metadata": {"name": "web", "namespace": "dev", "uid": "u"},
            "spec": {"containers": [], "volumes": [{"name": "x", "emptyDir": {}},
                {"name": "cache", "ephemeral": {"volumeClaimTemplate": template}}]}}))
        .expect("a pod");
        let all: Vec<_> = templates(&pod).collect();
        assert_eq!(all.len(), 1);
        let made = claim(&pod, &all[0].0, all[0].1);
        assert_eq!(made.metadata.name.as_deref(), Some("web-cache"));
        assert!(owners::is_controlled_by(&made.metadata, "u"));
        assert_eq!(made.metadata.labels.and_then(|labels| labels.get("a").cloned()).as_deref(), Some("b"));
    }
}

//! Tells the authors of admission policies what their expressions can't mean for the types that they are about.

use std::sync::Arc;

use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use serde_json::json;

use super::{Context, Key, Next, Queue, feed};
use crate::admission::check_types;
use crate::registry::{Api, Informer, Registry};
use crate::status::Status;

const AT_ONCE: usize = 1;

/// Checks each policy once a generation.
pub(super) fn run(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    PolicyStatus {
        registry: context.registry.clone(),
        policies: context.registry.informer(),
        api: context.registry.api(),
        queue: Queue::new(),
    }
    .run()
}

struct PolicyStatus {
    registry: Registry,
    policies: Arc<Informer<ValidatingAdmissionPolicy>>,
    api: Api<ValidatingAdmissionPolicy>,
    queue: Queue<Key>,
}

impl PolicyStatus {
    async fn run(self) {
        self.policies.synced().await;
        futures::join!(
            feed(self.policies.subscribe(), |change| {
                if let Some(policy) = &change.new {
                    self.queue.add(Key::of(&**policy));
                }
            }),
            self.queue.work(AT_ONCE, |key| self.reconcile(key)),
        );
    }

    async fn reconcile(&self, key: Key) -> Result<Next, Status> {
        let Some(policy) = self.policies.get("", &key.name).filter(|policy| is_due(policy)) else {
            return Ok(Next::Done);
        };
        let object = serde_json::to_value(&*policy).map_err(Status::internal)?;
        let checked = check_types(&object, &self.registry.resources());
        let status = json!({"observedGeneration": policy.metadata.generation, "typeChecking": checked});
        match self.api.patch_status_merge("", &key.name, json!({"status": status})).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(Next::Done),
        }
    }
}

fn is_due(policy: &ValidatingAdmissionPolicy) -> bool {
    let observed = policy.status.as_ref().and_then(|status| status.observed_generation);
    policy.metadata.deletion_timestamp.is_none() && observed != policy.metadata.generation
}

//! The node's lease: the sign of life that the control plane looks at.

use std::convert::Infallible;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use objects::time;
use serde_json::json;
use tokio::time::sleep;

const NAMESPACE: &str = "kube-node-lease";
const DURATION: i32 = 40;
const RENEWAL: Duration = Duration::from_secs(10);
/// After a failure, and while the namespace is not there yet.
const RETRY: Duration = Duration::from_secs(1);

/// Renews the lease for ever.
pub async fn keep(client: Client, node: String, uid: String) -> Infallible {
    let api: Api<Lease> = Api::namespaced(client, NAMESPACE);
    loop {
        match renew(&api, &node, &uid).await {
            Ok(()) => sleep(RENEWAL).await,
            Err(error) => {
                tracing::debug!(%error, "renewing the node's lease");
                sleep(RETRY).await;
            }
        }
    }
}

async fn renew(api: &Api<Lease>, node: &str, uid: &str) -> Result<(), kube::Error> {
    let now = time::micro_now();
    let patch = Patch::Merge(json!({"spec": {"renewTime": now, "holderIdentity": node}}));
    match api.patch(node, &PatchParams::default(), &patch).await {
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        other => return other.map(drop),
    }
    let owner = OwnerReference {
        api_version: "v1".to_owned(),
        kind: "Node".to_owned(),
        name: node.to_owned(),
        uid: uid.to_owned(),
        ..OwnerReference::default()
    };
    let lease = Lease {
        metadata: ObjectMeta {
            name: Some(node.to_owned()),
            namespace: Some(NAMESPACE.to_owned()),
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(node.to_owned()),
            lease_duration_seconds: Some(DURATION),
            renew_time: Some(now),
            ..LeaseSpec::default()
        }),
    };
    api.create(&PostParams::default(), &lease).await.map(drop)
}

//! The list of kinds that have an informer: those that some loop in this process reads.

use std::sync::{Arc, OnceLock};

use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use k8s_openapi::api::apps::v1::{ControllerRevision, Deployment, ReplicaSet};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{
    ConfigMap, Endpoints, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, ReplicationController,
    ResourceQuota, Service, ServiceAccount,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::rbac::v1::ClusterRole;
use k8s_openapi::api::storage::v1::StorageClass;

use super::api::Object;
use super::informer::Informer;

/// A kind that has an informer.
pub trait Informed: Object {
    /// Its place in the list.
    fn slot(informers: &Informers) -> &OnceLock<Arc<Informer<Self>>>;

    /// Leaves out of a copy what no loop reads: who changed what is a third of an object.
    fn slim(&mut self);
}

macro_rules! informers {
    ($($field:ident: $kind:ty $(, but $slim:path)?;)*) => {
        /// One slot a kind, filled on first use.
        #[derive(Default)]
        pub struct Informers {
            $($field: OnceLock<Arc<Informer<$kind>>>,)*
        }

        $(impl Informed for $kind {
            fn slot(informers: &Informers) -> &OnceLock<Arc<Informer<Self>>> {
                &informers.$field
            }

            fn slim(&mut self) {
                self.metadata.managed_fields = None;
                $($slim(self);)?
            }
        })*
    };
}

informers! {
    cluster_roles: ClusterRole;
    config_maps: ConfigMap;
    controller_revisions: ControllerRevision;
    deployments: Deployment;
    endpoint_slices: EndpointSlice;
    endpoints: Endpoints;
    leases: Lease;
    namespaces: Namespace;
    nodes: Node;
    persistent_volume_claims: PersistentVolumeClaim;
    persistent_volumes: PersistentVolume;
    pods: Pod, but objects::pods::slim;
    replica_sets: ReplicaSet;
    replication_controllers: ReplicationController;
    resource_quotas: ResourceQuota;
    service_accounts: ServiceAccount;
    services: Service;
    storage_classes: StorageClass;
    validating_admission_policies: ValidatingAdmissionPolicy;
}

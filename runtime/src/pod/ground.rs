//! What all pods of a node stand on.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use netproxy::fabric::{AddressPool, Fabric};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::etc::ClusterNames;
use super::given::Given;
use super::turns::Turns;
use crate::agent::directory::Directory;
use crate::agent::recorder::Recorder;
use crate::agent::references::{References, Subscription};
use crate::agent::services::Services;
use crate::engine::Engine;
use crate::eviction::Pressure;
use crate::exec::Exec;
use crate::image;
use crate::keyvalue::Stores;
use crate::logs::Logs;
use crate::volume::places::Places;

/// The node's own things, shared by all workers.
pub struct Ground {
    /// To the API.
    pub client: kube::Client,
    /// Runs guests.
    pub engine: Engine,
    /// Runs programs in containers that run.
    pub exec: Exec,
    /// The network.
    pub fabric: Fabric,
    /// Addresses for pods.
    pub addresses: AddressPool,
    /// Images.
    pub images: image::Store,
    /// What guests keep in `wasi:keyvalue`.
    pub keyvalue: Arc<Stores>,
    /// Gets them.
    pub puller: image::Puller,
    /// What containers print.
    pub logs: Logs,
    /// ConfigMaps and Secrets.
    pub references: References,
    /// Services, for environments.
    pub services: Services,
    /// Who else is here.
    pub directory: Arc<Directory>,
    /// Events.
    pub recorder: Recorder,
    /// The node's address.
    pub host_ip: IpAddr,
    /// What pods are told about names.
    pub names: ClusterNames,
    /// What the node has for pods.
    pub allocatable: Arc<BTreeMap<String, Quantity>>,
    /// Where pods have their volumes: `<data>/pods`.
    pub pods: PathBuf,
    /// Where other volumes are.
    pub places: Places,
    /// Cancelled when the node is to stop: pods end, and come back with it.
    pub leaving: CancellationToken,
    /// How long they may take to end then.
    pub farewell: Duration,
    /// What the node is short of.
    pub pressure: watch::Receiver<Pressure>,
    /// Sandboxes and containers are made a few at once. More would not be faster, only later.
    pub turns: Turns,
}

impl Ground {
    /// What there is around a pod now.
    pub fn given(&self, pod: &Pod, around: &Subscription, pod_ip: Option<IpAddr>) -> Given {
        let links = pod.spec.as_ref().and_then(|spec| spec.enable_service_links).unwrap_or(true);
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let (config_maps, secrets) = around.objects();
        Given {
            host_ip: self.host_ip,
            allocatable: self.allocatable.clone(),
            pod_ip,
            config_maps,
            secrets,
            tokens: around.tokens(),
            elsewhere: around.elsewhere(),
            services: self.services.around(namespace, links),
        }
    }
}

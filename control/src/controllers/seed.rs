//! What every cluster has from its first moment: the four namespaces, the classes of pods that the cluster cannot do
//! without, the class of its volumes, the authorities of its clients, and the `kubernetes` service.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use k8s_openapi::api::core::v1::{
    ConfigMap, EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Namespace, NamespaceSpec, Service,
    ServicePort, ServiceSpec,
};
use k8s_openapi::api::discovery::v1::{self as discovery, Endpoint, EndpointConditions, EndpointSlice};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{ApiEndpoint, Context, Key, Next, Queue, feed};
use crate::registry::{Api, Informer, Object, Part, Registry};
use crate::status::Status;

const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
/// Name, value and description of the priority classes of the system.
const PRIORITIES: [(&str, i32, &str); 2] = [
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
];
const DEFAULT: &str = "default";
const LOCAL_PATH: &str = "local-path";
const KUBERNETES: &str = "kubernetes";
const PORT: &str = "https";

/// Makes what is missing.
pub(super) async fn apply(context: &Context) -> Result<(), Status> {
    let api = by_server::<Namespace>(&context.registry);
    for name in NAMESPACES {
        let namespace = namespace(name);
        unless_there(api.get("", name), || api.create(&namespace).boxed()).await?;
    }
    let api = by_server::<PriorityClass>(&context.registry);
    for class in PRIORITIES.map(priority_class) {
        let name = class.metadata.name.as_deref().unwrap_or_default();
        unless_there(api.get("", name), || api.create(&class).boxed()).await?;
    }
    let api = by_server::<StorageClass>(&context.registry);
    let class = storage_class();
    unless_there(api.get("", LOCAL_PATH), || api.create(&class).boxed()).await?;
    publish_authorities(&context.registry, &context.config.client_authorities).await?;
    match &context.config.api {
        Some(endpoint) => Kubernetes::new(&context.registry, endpoint.clone()).mend().await,
        None => Ok(()),
    }
}

/// Tells servers that extend the API whose client certificates they may trust.
async fn publish_authorities(registry: &Registry, authorities: &str) -> Result<(), Status> {
    if authorities.is_empty() {
        return Ok(());
    }
    let api = by_server::<ConfigMap>(registry);
    let metadata = ObjectMeta {
        name: Some("extension-apiserver-authentication".to_owned()),
        namespace: Some("kube-system".to_owned()),
        ..ObjectMeta::default()
    };
    let data = BTreeMap::from([("client-ca-file".to_owned(), authorities.to_owned())]);
    let wanted = ConfigMap { metadata, data: Some(data), ..ConfigMap::default() };
    let found = api.get("kube-system", "extension-apiserver-authentication");
    let mut there = unless_there(found, || api.create(&wanted).boxed()).await?;
    if there.data != wanted.data {
        there.data = wanted.data;
        api.update(&there).await?;
    }
    Ok(())
}

/// Keeps the service and its endpoints as they are, should somebody delete or change them.
pub(super) fn keep_api_endpoints(context: &Context) -> impl Future<Output = ()> + Send + use<> {
    let registry = context.registry.clone();
    let endpoint = context.config.api.clone();
    async move {
        let Some(endpoint) = endpoint else { return std::future::pending().await };
        let kubernetes = Kubernetes::new(&registry, endpoint);
        let services: Arc<Informer<Service>> = registry.informer();
        let endpoints: Arc<Informer<Endpoints>> = registry.informer();
        let slices: Arc<Informer<EndpointSlice>> = registry.informer();
        let queue = Queue::new();
        let add = |meta: &ObjectMeta| {
            if meta.name.as_deref() == Some(KUBERNETES) && meta.namespace.as_deref() == Some(DEFAULT) {
                queue.add(Key::new(DEFAULT, KUBERNETES));
            }
        };
        futures::join!(
            feed(services.subscribe(), |change| change.object().into_iter().for_each(|o| add(&o.metadata))),
            feed(endpoints.subscribe(), |change| change.object().into_iter().for_each(|o| add(&o.metadata))),
            feed(slices.subscribe(), |change| change.object().into_iter().for_each(|o| add(&o.metadata))),
            queue.work(1, |_| async { kubernetes.mend().await.map(|()| Next::Done) }),
        );
    }
}

/// The service through which pods reach the API.
struct Kubernetes {
    services: Api<Service>,
    endpoints: Api<Endpoints>,
    slices: Api<EndpointSlice>,
    endpoint: ApiEndpoint,
}

impl Kubernetes {
    fn new(registry: &Registry, endpoint: ApiEndpoint) -> Self {
        Self { services: by_server(registry), endpoints: by_server(registry), slices: by_server(registry), endpoint }
    }

    async fn mend(&self) -> Result<(), Status> {
        let service = self.service();
        unless_there(self.services.get(DEFAULT, KUBERNETES), || self.services.create(&service).boxed()).await?;
        let (endpoints, slice) = (self.endpoints(), self.slice());
        let bare = Endpoints { subsets: None, ..endpoints.clone() };
        let there =
            unless_there(self.endpoints.get(DEFAULT, KUBERNETES), || self.endpoints.create(&bare).boxed()).await?;
        // The address may be one that users may not write; the cluster itself may.
        if there.subsets != endpoints.subsets {
            self.endpoints.put(&Endpoints { subsets: endpoints.subsets, ..there }, Part::Internal).await?;
        }
        let bare = EndpointSlice { endpoints: Vec::new(), ..slice.clone() };
        let there = unless_there(self.slices.get(DEFAULT, KUBERNETES), || self.slices.create(&bare).boxed()).await?;
        if (&there.endpoints, &there.ports) != (&slice.endpoints, &slice.ports) {
            let mended = EndpointSlice { endpoints: slice.endpoints, ports: slice.ports, ..there };
            self.slices.put(&mended, Part::Internal).await?;
        }
        Ok(())
    }

    fn service(&self) -> Service {
        let address = self.endpoint.cluster_ip.to_string();
        let port = ServicePort {
            name: Some(PORT.to_owned()),
            port: 443,
            protocol: Some("TCP".to_owned()),
            target_port: Some(IntOrString::Int(self.endpoint.port.into())),
            ..ServicePort::default()
        };
        Service {
            metadata: metadata(&[("component", "apiserver"), ("provider", "kubernetes")]),
            spec: Some(ServiceSpec {
                cluster_ip: Some(address),
                ip_family_policy: Some("SingleStack".to_owned()),
                ports: Some(vec![port]),
                session_affinity: Some("None".to_owned()),
                type_: Some("ClusterIP".to_owned()),
                ..ServiceSpec::default()
            }),
            status: None,
        }
    }

    fn endpoints(&self) -> Endpoints {
        let address = EndpointAddress { ip: self.endpoint.address.to_string(), ..EndpointAddress::default() };
        let port = EndpointPort {
            name: Some(PORT.to_owned()),
            port: self.endpoint.port.into(),
            protocol: Some("TCP".to_owned()),
            app_protocol: None,
        };
        let subset =
            EndpointSubset { addresses: Some(vec![address]), ports: Some(vec![port]), not_ready_addresses: None };
        Endpoints {
            metadata: metadata(&[("endpointslice.kubernetes.io/skip-mirror", "true")]),
            subsets: Some(vec![subset]),
        }
    }

    fn slice(&self) -> EndpointSlice {
        let conditions = EndpointConditions { ready: Some(true), ..EndpointConditions::default() };
        let endpoint = Endpoint {
            addresses: vec![self.endpoint.address.to_string()],
            conditions: Some(conditions),
            ..Endpoint::default()
        };
        let port = discovery::EndpointPort {
            name: Some(PORT.to_owned()),
            port: Some(self.endpoint.port.into()),
            protocol: Some("TCP".to_owned()),
            app_protocol: None,
        };
        EndpointSlice {
            metadata: metadata(&[("kubernetes.io/service-name", KUBERNETES)]),
            address_type: self.family().to_owned(),
            endpoints: vec![endpoint],
            ports: Some(vec![port]),
        }
    }

    fn family(&self) -> &'static str {
        if self.endpoint.address.is_ipv4() { "IPv4" } else { "IPv6" }
    }
}

/// These objects are upstream's server's own, not its controllers'.
fn by_server<K: Object>(registry: &Registry) -> Api<K> {
    registry.api().acting_as("system:apiserver").managed_by("kube-apiserver")
}

/// What is there, or what `make` makes.
async fn unless_there<'a, K: Object>(
    found: Result<K, Status>,
    make: impl FnOnce() -> futures::future::BoxFuture<'a, Result<K, Status>>,
) -> Result<K, Status> {
    match found {
        Err(status) if status.is_not_found() => make().await,
        found => found,
    }
}

fn metadata(labels: &[(&str, &str)]) -> ObjectMeta {
    ObjectMeta {
        name: Some(KUBERNETES.to_owned()),
        namespace: Some(DEFAULT.to_owned()),
        labels: Some(labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()),
        ..ObjectMeta::default()
    }
}

fn namespace(name: &str) -> Namespace {
    let labels = BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), name.to_owned())]);
    Namespace {
        metadata: ObjectMeta { name: Some(name.to_owned()), labels: Some(labels), ..ObjectMeta::default() },
        spec: Some(NamespaceSpec { finalizers: Some(vec!["kubernetes".to_owned()]) }),
        status: None,
    }
}

/// The class of directories of the node, as k3s has it; here they can grow, since nothing bounds them.
fn storage_class() -> StorageClass {
    let annotations = BTreeMap::from([("storageclass.kubernetes.io/is-default-class".to_owned(), "true".to_owned())]);
    StorageClass {
        metadata: ObjectMeta {
            name: Some(LOCAL_PATH.to_owned()),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        provisioner: "rancher.io/local-path".to_owned(),
        reclaim_policy: Some("Delete".to_owned()),
        volume_binding_mode: Some("WaitForFirstConsumer".to_owned()),
        allow_volume_expansion: Some(true),
        ..StorageClass::default()
    }
}

fn priority_class((name, value, description): (&str, i32, &str)) -> PriorityClass {
    PriorityClass {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        value,
        description: Some(description.to_owned()),
        ..PriorityClass::default()
    }
}

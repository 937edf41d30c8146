//! What a pod's containers are made from besides the pod itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Container, PodSpec, Secret, Service, ServiceAccountTokenProjection};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::agent::tokens::{Bundle, Wanted};
use crate::volume::Elsewhere;

/// A snapshot of the objects around a pod. An object that is not here does not exist (now).
#[derive(Clone, Debug)]
pub struct Given {
    /// The node's address.
    pub host_ip: IpAddr,
    /// What the node has for pods: the limit of whoever has none.
    pub allocatable: Arc<BTreeMap<String, Quantity>>,
    /// The pod's address, once it has one.
    pub pod_ip: Option<IpAddr>,
    /// The ConfigMaps it refers to, by name.
    pub config_maps: BTreeMap<String, Arc<ConfigMap>>,
    /// The Secrets it refers to, by name.
    pub secrets: BTreeMap<String, Arc<Secret>>,
    /// Its tokens.
    pub tokens: Bundle,
    /// What is behind its volumes.
    pub elsewhere: Arc<Elsewhere>,
    /// The services of its namespace, and `kubernetes`.
    pub services: Vec<Arc<Service>>,
}

impl Given {
    /// Nothing around: a pod at 10.42.0.7 on a node with four cores at 192.0.2.1.
    #[cfg(test)]
    pub fn for_tests() -> Self {
        let allocatable =
            [("cpu", "4"), ("memory", "1Gi")].map(|(name, value)| (name.to_owned(), Quantity(value.into())));
        Self {
            host_ip: [192, 0, 2, 1].into(),
            allocatable: Arc::new(allocatable.into()),
            pod_ip: Some([10, 42, 0, 7].into()),
            config_maps: BTreeMap::new(),
            secrets: BTreeMap::new(),
            tokens: Bundle::new(),
            elsewhere: Arc::default(),
            services: Vec::new(),
        }
    }
}

/// The names a pod refers to, in its own namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// ConfigMaps.
    pub config_maps: BTreeSet<String>,
    /// Secrets.
    pub secrets: BTreeSet<String>,
    /// Tokens for its service account.
    pub tokens: BTreeSet<Wanted>,
}

impl Needs {
    /// Collects the names from volumes and environments.
    pub fn of(spec: &PodSpec) -> Self {
        let mut needs = Self::default();
        for container in spec.init_containers.iter().flatten().chain(&spec.containers) {
            needs.environment(container);
        }
        for volume in spec.volumes.iter().flatten() {
            needs.config_maps.extend(volume.config_map.iter().map(|source| source.name.clone()));
            needs.secrets.extend(volume.secret.iter().filter_map(|source| source.secret_name.clone()));
            for source in volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten()) {
                needs.config_maps.extend(source.config_map.iter().map(|source| source.name.clone()));
                needs.secrets.extend(source.secret.iter().map(|source| source.name.clone()));
                needs.tokens.extend(source.service_account_token.iter().map(wanted));
            }
        }
        needs
    }

    fn environment(&mut self, container: &Container) {
        for source in container.env_from.iter().flatten() {
            self.config_maps.extend(source.config_map_ref.iter().map(|source| source.name.clone()));
            self.secrets.extend(source.secret_ref.iter().map(|source| source.name.clone()));
        }
        for source in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
            self.config_maps.extend(source.config_map_key_ref.iter().map(|source| source.name.clone()));
            self.secrets.extend(source.secret_key_ref.iter().map(|source| source.name.clone()));
        }
    }
}

/// The token that a projection shows.
pub fn wanted(projection: &ServiceAccountTokenProjection) -> Wanted {
    (projection.audience.clone().unwrap_or_default(), projection.expiration_seconds.unwrap_or(3600))
}

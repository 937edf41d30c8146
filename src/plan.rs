//! From settings to the configuration of each plank: every default stands here.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use control::auth::Mode;
use control::http::{ImageRegistry, NodeTransport};
use control::webhook::Dialer;
use netproxy::fabric::{self, Cidr};
use runtime::image;

use runtime::eviction::Thresholds;

use crate::cluster::Error;
use crate::host;
use crate::settings::{Component, Settings};

/// How long pods may take to end when the server is stopped.
const DEFAULT_FAREWELL: Duration = Duration::from_secs(10);

/// Settings with nothing left open.
pub struct Plan {
    settings: Settings,
    /// The node's name.
    pub node_name: String,
    data_dir: PathBuf,
    listen: SocketAddr,
    node_ip: IpAddr,
    pods: Cidr,
    services: Cidr,
    modes: Vec<Mode>,
    eviction: Thresholds,
}

impl Plan {
    /// Fills in the defaults.
    ///
    /// # Errors
    /// Where the host has no usable name and none was given; where a network is not written as one, or the two share
    /// addresses; where an address is not of IPv4.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let listen = settings.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
        let node_ip = settings.node_ip.unwrap_or_else(|| host::address(listen.ip()));
        let node_name = settings.node_name.clone().or_else(host::name).ok_or(Error::NodeName)?;
        let range = |given: &Option<String>, default: &str| given.as_deref().unwrap_or(default).parse::<Cidr>();
        let pods = range(&settings.cluster_cidr, "10.42.0.0/16")?;
        let services = range(&settings.service_cidr, "10.43.0.0/16")?;
        let addresses = [Some(listen.ip()), Some(node_ip), pods.nth(0), services.nth(0)];
        if let Some(address) = addresses.into_iter().flatten().find(IpAddr::is_ipv6) {
            return Err(Error::Ipv6(address));
        }
        if pods.overlaps(services) {
            return Err(Error::Overlap { pods, services });
        }
        let named = settings.authorization_mode.iter().map(|mode| mode.parse());
        let modes = match named.collect::<Result<Vec<Mode>, _>>()? {
            none if none.is_empty() => Mode::DEFAULT.to_vec(),
            modes => modes,
        };
        let eviction = match &settings.eviction_hard[..] {
            [] => Thresholds::default(),
            some => Thresholds::parse(&some.iter().cloned().collect())?,
        };
        Ok(Self {
            eviction,
            modes,
            node_name,
            data_dir: settings.data_dir.clone().unwrap_or_else(|| "sampan-data".into()),
            listen,
            node_ip,
            pods,
            services,
            settings,
        })
    }

    /// True for a component that is to run.
    pub fn runs(&self, component: Component) -> bool {
        self.settings.runs(component)
    }

    /// The administrator's kubeconfig that is always written.
    pub fn kubeconfig(&self) -> PathBuf {
        self.data_dir.join("kubeconfig")
    }

    /// The control plane's part.
    pub fn control(&self, nodes: NodeTransport, dialer: Dialer, images: ImageRegistry) -> control::Config {
        control::Config {
            data_dir: Some(self.data_dir.clone()),
            listen: self.listen,
            names: vec![self.node_name.clone(), self.node_ip.to_string()],
            cluster_cidr: self.pods.to_string(),
            service_cidr: self.services.to_string(),
            kubeconfig: [self.kubeconfig()].into_iter().chain(self.settings.write_kubeconfig.clone()).collect(),
            token_auth_file: self.settings.token_auth_file.clone(),
            client_ca_file: self.settings.client_ca_file.clone(),
            anonymous_auth: self.settings.anonymous_auth.unwrap_or(true),
            authorization_modes: self.modes.clone(),
            admission: control::admission::Choice {
                enabled: self.settings.enable_admission_plugins.clone(),
                disabled: self.settings.disable_admission_plugins.clone(),
            },
            audit: self.audit(),
            nodes,
            images: Some(images),
            dialer: Some(dialer),
            without_scheduler: !self.runs(Component::Scheduler),
            without_controllers: !self.runs(Component::Controllers),
        }
    }

    fn audit(&self) -> Option<control::audit::Config> {
        let config = control::audit::Config::new(self.settings.audit_log.clone()?);
        let most_bytes = self.settings.audit_log_maxsize.map_or(config.most_bytes, |megabytes| megabytes << 20);
        Some(control::audit::Config { most_bytes, ..config })
    }

    /// The network's part. `authority` is the certificate (DER) that the API is known by.
    pub fn fabric(&self, authority: Vec<u8>) -> fabric::Config {
        let defaults = fabric::Config::default();
        fabric::Config {
            host_address: self.pods.nth(1).unwrap_or(defaults.host_address),
            trusted: vec![authority],
            cluster_domain: control::CLUSTER_DOMAIN.to_owned(),
            pod_cidrs: vec![self.pods],
            service_cidrs: vec![self.services],
            node_addresses: vec![self.node_ip],
            ..defaults
        }
    }

    /// The service proxy's part.
    pub fn proxy(&self) -> netproxy::Config {
        let everywhere = self.listen.ip().is_unspecified();
        netproxy::Config {
            node_name: self.node_name.clone(),
            node_addresses: vec![self.node_ip],
            node_port_bind: if everywhere { self.listen.ip() } else { self.node_ip },
            node_ports: true,
        }
    }

    fn images(&self) -> image::Config {
        let mut registries = self.settings.registries.clone();
        for host in &self.settings.insecure_registry {
            registries.entry(host.clone()).or_default().plain_http = true;
        }
        image::Config { registries, aliases: self.settings.image_aliases.clone() }
    }

    /// The node's part.
    pub fn node(&self) -> runtime::Config {
        runtime::Config {
            version: control::VERSION.to_owned(),
            eviction: self.eviction.clone(),
            toolbox: crate::toolbox::COMPONENT,
            compiler: self.settings.compiler.clone(),
            cluster_names: runtime::pod::etc::ClusterNames {
                domain: control::CLUSTER_DOMAIN.to_owned(),
                nameserver: self.services.nth(10),
            },
            static_pod_path: self.settings.static_pod_path.clone(),
            shutdown_grace_period: self.settings.shutdown_grace_period.map_or(DEFAULT_FAREWELL, Duration::from_secs),
            host_path_roots: self.settings.host_path_roots.clone(),
            images: self.images(),
            ..runtime::Config::new(self.node_name.clone(), self.data_dir.clone(), self.node_ip)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_cannot_work_are_refused_before_anything_is_made() {
        let refused = |settings| Plan::new(settings).err().map(|error| error.to_string()).unwrap_or_default();
        let overlap = Settings { cluster_cidr: Some("10.0.0.0/8".to_owned()), ..Settings::default() };
        assert!(refused(overlap).contains("the pods' addresses (10.0.0.0/8) and the services' (10.43.0.0/16) overlap"));
        let listen = "[::1]:6443".parse().ok();
        assert!(refused(Settings { listen, ..Settings::default() }).contains("::1 is an IPv6 address"));
        let cidr = Some("fd00::/64".to_owned());
        assert!(refused(Settings { service_cidr: cidr, ..Settings::default() }).contains("fd00:: is an IPv6 address"));
        let words = Settings { service_cidr: Some("x".to_owned()), ..Settings::default() };
        assert!(refused(words).contains("\"x\" is not a CIDR"));
        let mode = Settings { authorization_mode: vec!["Rbac".to_owned()], ..Settings::default() };
        assert!(refused(mode).contains("\"Rbac\" is no authorization mode"));
        assert_eq!(refused(Settings { node_name: Some("a".to_owned()), ..Settings::default() }), "");
    }
}

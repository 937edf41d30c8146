//! A whole cluster in this process: built, started, handed out as a client, stopped when dropped.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use control::Control;
use kube::Client;
use netproxy::fabric::{Cidr, CidrError, Fabric};
use tokio_util::sync::CancellationToken;

use crate::fabric_link::FabricLink;
use crate::node_link::NodeLink;
use crate::node_ports::NodePorts;
use crate::plan::Plan;
use crate::registry_link::RegistryLink;
use crate::settings::{Component, Settings};
use crate::tasks::{Stage, Tasks};

/// Who makes persistent volumes: a node may not.
const PROVISIONER: &str = "system:serviceaccount:kube-system:local-path-provisioner";

/// Why a cluster could not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The control plane.
    #[error(transparent)]
    Control(#[from] control::BuildError),
    /// The first objects could not be written.
    #[error("making the first objects: {0}")]
    Seed(#[from] control::status::Status),
    /// The node.
    #[error(transparent)]
    Node(#[from] runtime::BuildError),
    /// A network is not written as one.
    #[error(transparent)]
    Cidr(#[from] CidrError),
    /// A pod and a service could have the same address.
    #[error(
        "the pods' addresses ({pods}) and the services' ({services}) overlap; change --cluster-cidr or --service-cidr"
    )]
    Overlap {
        /// `--cluster-cidr`
        pods: Cidr,
        /// `--service-cidr`
        services: Cidr,
    },
    /// An address, or the first of a network, that pods could not reach.
    #[error("{0} is an IPv6 address; only IPv4 is supported yet")]
    Ipv6(IpAddr),
    /// A mode of authorization that there is not.
    #[error(transparent)]
    Mode(#[from] control::auth::UnknownMode),
    /// When pods have to go cannot be read.
    #[error(transparent)]
    Eviction(#[from] runtime::eviction::ThresholdError),
    /// The node's name cannot be told.
    #[error("the host's name is no node name; give one with --node-name")]
    NodeName,
    /// A component ended although nobody asked it to.
    #[error("{0}")]
    Ended(String),
}

/// What is to be started.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    settings: Settings,
}

impl Builder {
    /// Where everything is kept that must survive a restart.
    #[must_use]
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.data_dir = Some(path.into());
        self
    }

    /// Where the API listens for others; a free port of the loopback address unless this says otherwise.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.settings.listen = Some(address);
        self
    }

    /// All settings at once.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Starts everything and returns when the API answers.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(self) -> Result<Cluster, Error> {
        Cluster::start(self.settings).await
    }
}

/// A running cluster. Dropping it stops it; [`Cluster::stop`] also waits until everything is on disk.
pub struct Cluster {
    client: Client,
    url: String,
    kubeconfig: PathBuf,
    node_ports: NodePorts,
    tasks: Tasks,
}

impl Cluster {
    /// A cluster with the default settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A client of the API, as the cluster's administrator; no socket lies between.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Where other processes reach the API.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The node ports that this process serves.
    pub fn node_ports(&self) -> NodePorts {
        self.node_ports.clone()
    }

    /// Returns when a component fails: the cluster cannot go on without it.
    pub async fn failed(&mut self) -> Error {
        Error::Ended(self.tasks.ended().await)
    }

    /// Stops everything, pods first, and waits for it.
    pub async fn stop(self) {
        self.tasks.stop().await;
    }

    async fn start(settings: Settings) -> Result<Self, Error> {
        let plan = Plan::new(settings)?;
        let (link, network, images) = (NodeLink::default(), FabricLink::default(), RegistryLink::default());
        let control = plan.control(link.transport(), network.dialer(), images.transport()).build().await?;
        control.seed().await?;
        let client = as_user(&control, "kubernetes-admin");
        let mut tasks = Tasks::default();
        let fabric = Fabric::new(plan.fabric(control.authority()));
        network.connect(&fabric);
        let mut open = None;
        if plan.runs(Component::Proxy) {
            let proxy = plan.proxy().build(as_user(&control, "system:kube-proxy"), fabric.clone());
            open = Some(proxy.open_ports());
            tasks.spawn(Stage::Network, "the service proxy", |stop| unfailing(proxy.run(stop)));
            tasks.spawn(Stage::Network, "the API's listener for pods", |stop| {
                let serving = api_for_pods(&control, fabric.clone(), stop);
                unfailing(serving)
            });
        }
        if plan.runs(Component::Agent) {
            let user = format!("system:node:{}", plan.node_name);
            let node = plan.node().build(as_user(&control, &user), fabric.clone()).await?;
            link.connect(&plan.node_name, node.server());
            images.connect(node.registry());
            let provisioner = node.provisioner(as_user(&control, PROVISIONER));
            tasks.spawn(Stage::Network, "the volume provisioner", |stop| unfailing(provisioner.run(stop)));
            tasks.spawn(Stage::Pods, "the node", |stop| node.run(stop));
        }
        let url = control.url();
        tasks.spawn(Stage::Control, "the control plane", |stop| control.run(stop));
        Ok(Self { client, url, kubeconfig: plan.kubeconfig(), node_ports: NodePorts::new(fabric, open), tasks })
    }
}

async fn unfailing(running: impl Future<Output = ()>) -> Result<(), Infallible> {
    running.await;
    Ok(())
}

/// A client that calls the API's router in this process.
fn as_user(control: &Control, user: &str) -> Client {
    Client::new(control.service(user), "default")
}

/// Serves the API to pods: they find it at its own address, through the service `kubernetes`, over in-memory streams.
fn api_for_pods(
    control: &Control,
    fabric: Fabric,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    let (address, streams) = (control.reachable(), control.streams());
    async move {
        let listener = match fabric.listen_host(address) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!(%address, %error, "pods cannot reach the API");
                return stop.cancelled().await;
            }
        };
        let serve = async {
            while let Ok((stream, _)) = listener.accept().await {
                streams.serve_stream(stream).await;
            }
        };
        stop.run_until_cancelled(serve).await;
    }
}

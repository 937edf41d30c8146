//! The node's agent, as a kubelet is one: it registers the node, keeps its lease, and has a worker for every pod that
//! is bound here. Like everyone it is a client of the API, and knows nothing of the server behind it.

pub mod directory;
mod facts;
mod lease;
mod namespaces;
mod node_status;
mod pods;
pub mod provisioner;
pub(crate) mod recorder;
pub(crate) mod references;
mod registration;
pub(crate) mod services;
mod static_pods;
pub(crate) mod tokens;

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::Client;
use netproxy::fabric::{AddressPool, Cidr, CidrError, Fabric};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::engine::{self, Engine, EngineError};
use crate::eviction::{self, Pressure, Thresholds};
use crate::exec::Exec;
use crate::image;
use crate::keyvalue::Stores;
use crate::logs::Logs;
use crate::pod::etc::ClusterNames;
use crate::pod::ground::Ground;
use crate::pod::turns::Turns;
use crate::registry::Registry;
use crate::server::Server;
use crate::stats::Stats;
use crate::volume::places::Places;
use directory::Directory;
use facts::Facts;
use provisioner::Provisioner;
use recorder::Recorder;
use references::References;
use services::Services;

/// After pods had their time to end: to kill the rest, and to tell the API.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// What a node is made from.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name it registers under.
    pub node_name: String,
    /// Images, compiled code, volumes and logs are kept here.
    pub data_dir: PathBuf,
    /// The address the node is reached at.
    pub node_ip: IpAddr,
    /// The version of Kubernetes that it says its kubelet has.
    pub version: String,
    /// Labels besides the ones every node has.
    pub labels: BTreeMap<String, String>,
    /// Whether the control plane runs here, which `kubectl get nodes` shows as the node's role.
    pub control_plane: bool,
    /// The range of the pods' addresses. None: the one that the control plane gives the node.
    pub pod_cidr: Option<String>,
    /// What pods are told about names in their `/etc/resolv.conf`.
    pub cluster_names: ClusterNames,
    /// A folder of pods that it runs by itself: static pods.
    pub static_pod_path: Option<PathBuf>,
    /// How long pods may take to end when the node is stopped.
    pub shutdown_grace_period: Duration,
    /// How many pods it takes.
    pub max_pods: u32,
    /// When pods have to go.
    pub eviction: Thresholds,
    /// Amounts that replace what the machine has: `cpu`, `memory`, `ephemeral-storage`.
    pub capacity: BTreeMap<String, Quantity>,
    /// Below these directories, and nowhere else, pods may name paths of the host.
    pub host_path_roots: Vec<PathBuf>,
    /// The engine's settings; None: the defaults, with the code cache below `data_dir`.
    pub engine: Option<engine::Config>,
    /// See [`engine::Config::compiler`], for an engine with the defaults.
    pub compiler: Option<PathBuf>,
    /// Where images come from, besides what is on this node.
    pub images: image::Config,
    /// The toolbox (a component, compressed with gzip) that is `localhost/toolbox` on this node.
    pub toolbox: Option<&'static [u8]>,
}

impl Config {
    /// A node with the defaults.
    pub fn new(node_name: impl Into<String>, data_dir: impl Into<PathBuf>, node_ip: IpAddr) -> Self {
        Self {
            node_name: node_name.into(),
            data_dir: data_dir.into(),
            node_ip,
            version: concat!("v1.33.0+sampan.", env!("CARGO_PKG_VERSION")).to_owned(),
            labels: BTreeMap::new(),
            control_plane: true,
            pod_cidr: None,
            cluster_names: ClusterNames { domain: "cluster.local".to_owned(), nameserver: None },
            static_pod_path: None,
            shutdown_grace_period: Duration::from_secs(10),
            max_pods: 10_000,
            eviction: Thresholds::default(),
            capacity: BTreeMap::new(),
            host_path_roots: Vec::new(),
            engine: None,
            compiler: None,
            images: image::Config::default(),
            toolbox: None,
        }
    }

    /// Opens what is on disk and makes the engine. Talks to nobody yet.
    ///
    /// # Errors
    /// A name that no node can have, a directory that cannot be made, an engine that the machine has no room for, a
    /// range that is none.
    pub async fn build(self, client: Client, fabric: Fabric) -> Result<Node, BuildError> {
        if let Some(why) = objects::names::dns1123_subdomain(&self.node_name).into_iter().next() {
            return Err(BuildError::Name { name: self.node_name, why });
        }
        // What pods are given, secrets among it, is for nobody else on this machine.
        let directory = |name: &str| {
            let path = self.data_dir.join(name);
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
            made.map(|()| path.clone()).map_err(|source| BuildError::Directory { path, source })
        };
        let pods = directory("pods")?;
        let path = directory("volumes")?;
        let places = Places::new(&self.data_dir, &self.host_path_roots);
        let places = places.map_err(|source| BuildError::Directory { path, source })?;
        let images = image::Store::open(directory("images")?)?;
        let images = match self.toolbox {
            Some(compressed) => images.with_toolbox(compressed),
            None => images,
        };
        let puller = image::Puller::new(images.clone(), self.images.clone())?;
        let engine = match &self.engine {
            Some(config) => Engine::new(config.clone())?,
            None => {
                let compiler = self.compiler.clone();
                Engine::new(engine::Config { compiler, ..engine::Config::new(directory("code")?) })?
            }
        };
        let pod_cidr = self.pod_cidr.as_deref().map(str::parse).transpose()?;
        let facts = Facts::gather(&self);
        let logs = Logs::new(&self.data_dir);
        Ok(Node {
            config: self,
            client,
            fabric,
            engine,
            images,
            puller,
            logs,
            pods,
            places,
            pod_cidr,
            facts,
            directory: Arc::default(),
        })
    }
}

/// Why there is no node.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Its name.
    #[error("{name:?} cannot be a node's name: {why}")]
    Name {
        /// The name.
        name: String,
        /// The rule.
        why: String,
    },
    /// One of its directories.
    #[error("make the directory {path}: {source}", path = path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The image store.
    #[error("open the image store: {0}")]
    Images(#[from] image::StoreError),
    /// Where images come from.
    #[error(transparent)]
    Registries(#[from] image::InvalidConfig),
    /// The engine.
    #[error("make the engine: {0}")]
    Engine(#[from] EngineError),
    /// The range of pod addresses.
    #[error("the node's range of pod addresses: {0}")]
    PodCidr(#[from] CidrError),
}

/// A node that has stopped before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What the control plane gave it is not a range.
    #[error("the node's range of pod addresses: {0}")]
    PodCidr(#[from] CidrError),
    /// The API does not let it register.
    #[error("register the node: {0}")]
    Register(Box<kube::Error>),
}

/// A node, ready to run.
pub struct Node {
    config: Config,
    client: Client,
    fabric: Fabric,
    engine: Engine,
    images: image::Store,
    puller: image::Puller,
    logs: Logs,
    pods: PathBuf,
    places: Places,
    pod_cidr: Option<Cidr>,
    facts: Facts,
    directory: Arc<Directory>,
}

impl Node {
    /// Answers the requests that a control plane makes of its nodes: logs, streams, and what runs.
    pub fn server(&self) -> Server {
        let stats = Stats::new(&self.config.node_name, &self.config.data_dir, self.directory.clone());
        Server::new(self.directory.clone(), self.exec(), self.fabric.clone(), stats)
    }

    /// Makes persistent volumes on this node, as a client that may write them: a node may not.
    pub fn provisioner(&self, client: Client) -> Provisioner {
        Provisioner::new(client, self.config.node_name.clone(), self.places.clone())
    }

    /// Runs programs in its pods.
    pub fn exec(&self) -> Exec {
        Exec::new(self.directory.clone(), self.images.clone())
    }

    /// Answers the requests of other programs for its images.
    pub fn registry(&self) -> Registry {
        Registry::new(self.images.clone())
    }

    /// Its images.
    pub fn images(&self) -> &image::Store {
        &self.images
    }

    /// Registers, then serves until it is told to stop. Its guests then have a while to end; the next run starts them
    /// again.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), RunError> {
        let farewell = self.config.shutdown_grace_period;
        let leaving = CancellationToken::new();
        let mut serving = pin!(self.serve(leaving.clone()));
        tokio::select! {
            served = &mut serving => return served,
            () = shutdown.cancelled() => leaving.cancel(),
        }
        // A host that is busy for a guest may hold a pod up: the process ends all the same.
        tokio::time::timeout(farewell + LAST_PATIENCE, serving).await.unwrap_or(Ok(()))
    }

    async fn serve(self, leaving: CancellationToken) -> Result<(), RunError> {
        let name = self.config.node_name.clone();
        let uid = registration::register(&self.client, &self.config, &self.facts).await?;
        let lease = lease::keep(self.client.clone(), name.clone(), uid.clone());
        let (pressure, short) = watch::channel(Pressure::default());
        let status = registration::keep(self.client.clone(), self.config.clone(), self.facts.clone(), short.clone());
        let recorder = Recorder::spawn(self.client.clone(), &name);
        let manager = eviction::Manager {
            thresholds: self.config.eviction.clone(),
            directory: self.directory.clone(),
            pods: self.pods.clone(),
            recorder: recorder.clone(),
            // As kubelets have it: a node's events are about its name.
            node: ObjectReference {
                kind: Some("Node".to_owned()),
                name: Some(name.clone()),
                uid: Some(name.clone()),
                ..ObjectReference::default()
            },
            images: self.images.clone(),
            engine: self.engine.clone(),
            pressure,
        };
        let origin = pods::Origin { node: name, uid, folder: self.config.static_pod_path.clone() };
        let pods = self.serve_pods(origin, recorder, short, leaving);
        tokio::select! {
            never = lease => match never {},
            never = status => match never {},
            never = manager.run() => match never {},
            served = pods => served,
        }
    }

    async fn serve_pods(
        self,
        origin: pods::Origin,
        recorder: Recorder,
        pressure: watch::Receiver<Pressure>,
        leaving: CancellationToken,
    ) -> Result<(), RunError> {
        let cidr = match self.pod_cidr {
            Some(cidr) => cidr,
            None => registration::pod_cidr(&self.client, &origin.node).await.parse()?,
        };
        let stores = Stores::new(self.config.data_dir.join("keyvalue"));
        let namespaces = namespaces::follow(self.client.clone(), stores.clone());
        let ground = Ground {
            exec: Exec::new(self.directory.clone(), self.images.clone()),
            references: References::new(self.client.clone()),
            services: Services::watch(self.client.clone()),
            directory: self.directory.clone(),
            recorder,
            pressure,
            client: self.client,
            engine: self.engine,
            fabric: self.fabric,
            addresses: AddressPool::new(cidr),
            images: self.images,
            keyvalue: stores,
            puller: self.puller,
            logs: self.logs,
            host_ip: self.config.node_ip,
            names: self.config.cluster_names,
            allocatable: Arc::new(self.facts.capacity.clone()),
            pods: self.pods,
            places: self.places,
            turns: Turns::new(2 * self.facts.cores.max(2)),
            leaving,
            farewell: self.config.shutdown_grace_period,
        };
        tokio::select! {
            never = namespaces => match never {},
            () = pods::serve(Arc::new(ground), self.directory, origin) => Ok(()),
        }
    }
}

//! A whole cluster in this process: built, started, handed out as a client, stopped when dropped.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use kube::Client;
use netproxy::fabric::{self, Fabric};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::node_link::NodeLink;
use crate::settings::{Component, Settings};

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
    /// The wire.
    #[error(transparent)]
    Wire(#[from] netproxy::BuildError),
    /// The node's name cannot be told.
    #[error("the host's name is no node name; give one with --node-name")]
    NodeName,
    /// A component ended although nobody asked it to.
    #[error("{0} ended")]
    Ended(&'static str),
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
    stop: CancellationToken,
    tasks: JoinSet<&'static str>,
    _stop_on_drop: DropGuard,
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

    /// Returns when a component fails: the cluster cannot go on without it.
    pub async fn failed(&mut self) -> Error {
        match self.tasks.join_next().await {
            Some(Ok(component)) => Error::Ended(component),
            Some(Err(panic)) => {
                tracing::error!(%panic, "a component panicked");
                Error::Ended("a component")
            }
            None => Error::Ended("everything"),
        }
    }

    /// Stops everything, pods first, and waits for it.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }

    async fn start(settings: Settings) -> Result<Self, Error> {
        let data_dir = settings.data_dir.clone().unwrap_or_else(|| "sampan-data".into());
        let listen = settings.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
        let node_name = settings.node_name.clone().or_else(runtime::host_name).ok_or(Error::NodeName)?;
        let kubeconfig = data_dir.join("kubeconfig");
        let link = NodeLink::default();
        let control = control::Config {
            data_dir: Some(data_dir.clone()),
            listen,
            names: vec![node_name.clone()],
            cluster_cidr: settings.cluster_cidr.clone().unwrap_or_else(|| "10.42.0.0/16".to_owned()),
            service_cidr: settings.service_cidr.clone().unwrap_or_else(|| "10.43.0.0/16".to_owned()),
            kubeconfig: [kubeconfig.clone()].into_iter().chain(settings.write_kubeconfig.clone()).collect(),
            token_auth_file: settings.token_auth_file.clone(),
            nodes: link.transport(),
            without_scheduler: !settings.runs(Component::Scheduler),
            without_controllers: !settings.runs(Component::Controllers),
        }
        .build()
        .await?;
        control.seed().await?;
        let mut parts = Parts::new(&control);
        if settings.runs(Component::Agent) {
            parts.wire(&settings, &control).await?;
            parts.node(&node_name, &data_dir, &settings, &control, &link).await?;
        }
        let client = client(&control, "kubernetes-admin");
        let (url, stop) = (control.url(), parts.stop.clone());
        parts.tasks.spawn({
            let stop = stop.clone();
            async move {
                control.run(stop).await;
                "the control plane"
            }
        });
        Ok(Self { client, url, kubeconfig, _stop_on_drop: stop.clone().drop_guard(), stop, tasks: parts.tasks })
    }
}

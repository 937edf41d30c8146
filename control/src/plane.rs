//! Config → build → run for the whole control plane.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::admission::{Admission, Choice, ChoiceError};
use crate::audit::{self, Audit};
use crate::auth::{
    Authenticator, Authorizer, Caller, MASTERS, Mode, Pki, PkiError, ServiceAccounts, TokenFileError, TokenKey, Tokens,
    bootstrap, server_names,
};
use crate::controllers;
use crate::custom;
use crate::health::{Check, Health};
use crate::http::{self, ImageRegistry, NodeTransport, Router};
use crate::kinds::services::{Cidr, CidrError};
use crate::kubeconfig::Kubeconfig;
use crate::registry::Registry;
use crate::server::{Limits, Server, Streams, Tls, TlsError};
use crate::status::Status;
use crate::store::{self, OpenError, Store};
use crate::webhook::Dialer;
use crate::work::{self, ApiEndpoint};

/// The domain that names of services end in.
pub const CLUSTER_DOMAIN: &str = "cluster.local";

/// The settings of the control plane.
pub struct Config {
    /// The folder of the store and the keys; without one nothing survives the process.
    pub data_dir: Option<PathBuf>,
    /// Where the API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Further names for the server's certificate.
    pub names: Vec<String>,
    /// Addresses of pods.
    pub cluster_cidr: String,
    /// Addresses of services.
    pub service_cidr: String,
    /// Where the administrator's kubeconfig is written.
    pub kubeconfig: Vec<PathBuf>,
    /// Static bearer tokens.
    pub token_auth_file: Option<PathBuf>,
    /// Authorities of client certificates, beside the cluster's own.
    pub client_ca_file: Option<PathBuf>,
    /// Whether requests without credentials are of `system:anonymous`, or refused.
    pub anonymous_auth: bool,
    /// Who is asked whether a request is allowed.
    pub authorization_modes: Vec<Mode>,
    /// Which admission plug-ins are asked.
    pub admission: Choice,
    /// Where to write down who does what.
    pub audit: Option<audit::Config>,
    /// The way to the nodes' agents.
    pub nodes: NodeTransport,
    /// The way to the images of this process's node, for other programs.
    pub images: Option<ImageRegistry>,
    /// The way to the cluster's own addresses, for webhooks; without one, sockets of the host.
    pub dialer: Option<Dialer>,
    /// Leave the scheduler out.
    pub without_scheduler: bool,
    /// Leave the controllers out, the scheduler with them.
    pub without_controllers: bool,
}

/// Why the control plane could not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An admission plug-in was named that cannot be had.
    #[error(transparent)]
    Admission(#[from] ChoiceError),
    /// The folder of the store could not be made.
    #[error("cannot make {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The cluster's authority or a certificate of its could not be had.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// TLS does not take the certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The token file is unusable.
    #[error(transparent)]
    Tokens(#[from] TokenFileError),
    /// The audit log cannot be written.
    #[error(transparent)]
    Audit(#[from] audit::OpenError),
    /// The service network is unusable.
    #[error(transparent)]
    ServiceCidr(#[from] CidrError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; is another server running there? `--listen 127.0.0.1:0` takes a free port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The kubeconfig could not be written.
    #[error("cannot write {}", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A control plane that is bound and open, and serves nothing yet.
pub struct Control {
    registry: Registry,
    router: Router,
    server: Server<Router>,
    authority: Vec<u8>,
    controllers: Option<work::Config>,
}

impl Config {
    /// Opens the store, finds the keys, takes the address and writes the kubeconfig: whatever can fail fails here.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub async fn build(self) -> Result<Control, BuildError> {
        if let Some(path) = &self.data_dir {
            std::fs::create_dir_all(path).map_err(|source| BuildError::Folder { path: path.clone(), source })?;
        }
        let below = |name: &str| self.data_dir.as_deref().map(|d| d.join(name));
        let store = Store::open(store::Config { path: below("state.redb"), ..store::Config::default() })?;
        let authorizer = Authorizer::new(&self.authorization_modes, &store);
        let admission = Admission::new(&self.admission)?;
        let registry = Registry::with(store, self.service_cidr.parse::<Cidr>()?, admission, authorizer);
        if let Some(dialer) = &self.dialer {
            registry.webhooks().dial_through(dialer.clone());
        }
        custom::load(&registry);
        let cluster_ip = registry.first_cluster_ip().into();
        let pki = Arc::new(Pki::open(below("pki").as_deref())?);
        let key = TokenKey::open(below("pki").as_deref())?;
        let accounts = Arc::new(ServiceAccounts::new(key, CLUSTER_DOMAIN, registry.store().clone()));
        let mut tokens = Tokens::default();
        if let Some(file) = &self.token_auth_file {
            tokens.add_file(file)?;
        }
        let identity = pki.server(&server_names(self.listen.ip(), cluster_ip, CLUSTER_DOMAIN, &self.names))?;
        let tls = Tls::new(&pki, &identity, self.client_ca_file.as_deref())?;
        let client_authorities = self.client_authorities(&pki);
        let authenticator =
            Authenticator::new(tokens).with_accounts(accounts.clone()).anonymous(self.lets_anybody_in());
        let listen = |source| BuildError::Listen { address: self.listen, source };
        let listener = TcpListener::bind(self.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let router = Router::new(http::Config {
            registry: registry.clone(),
            authenticator: authenticator.clone(),
            audit: self.audit.clone().map(Audit::open).transpose()?,
            nodes: self.nodes.clone(),
            images: self.images.clone(),
            address: address.to_string(),
            health: Health::new(Vec::new(), vec![store_check(&registry)]),
            accounts: accounts.clone(),
        });
        let server = Server::over(listener, tls, authenticator, Limits::default(), router.clone()).map_err(listen)?;
        self.write_kubeconfig(&pki, address)?;
        let controllers = (!self.without_controllers).then(|| work::Config {
            root_certificate: pki.authority().to_owned(),
            client_authorities,
            authority: Some(pki.clone()),
            accounts: Some(accounts.clone()),
            api: Some(ApiEndpoint { cluster_ip, address: reachable(address), port: address.port() }),
            cluster_cidr: self.cluster_cidr.clone(),
            scheduler: !self.without_scheduler,
            ..work::Config::default()
        });
        Ok(Control { registry, router, server, authority: pki.authority_der(), controllers })
    }

    /// Where everybody may do everything, at least nobody does it without a name.
    fn lets_anybody_in(&self) -> bool {
        self.anonymous_auth && !self.authorization_modes.contains(&Mode::AlwaysAllow)
    }

    /// The authorities that [`Tls`] takes, as PEM.
    fn client_authorities(&self, pki: &Pki) -> String {
        let more = self.client_ca_file.as_deref().and_then(|path| std::fs::read_to_string(path).ok());
        format!("{}{}", pki.authority(), more.unwrap_or_default())
    }

    fn write_kubeconfig(&self, pki: &Pki, address: SocketAddr) -> Result<(), BuildError> {
        let identity = pki.client("admin", "kubernetes-admin", MASTERS)?;
        let server = url(address);
        let kubeconfig = Kubeconfig { server: &server, authority: pki.authority(), identity: &identity };
        for path in &self.kubeconfig {
            write(&kubeconfig, path).map_err(|source| BuildError::Kubeconfig { path: path.clone(), source })?;
        }
        Ok(())
    }
}

impl Control {
    /// The API for a caller in this process: a service without a socket.
    pub fn service(&self, user: &str) -> Router {
        self.router.acting_as(Caller::system(user))
    }

    /// The certificate (DER) of the cluster's own authority.
    pub fn authority(&self) -> Vec<u8> {
        self.authority.clone()
    }

    /// Where the API listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where clients on this machine reach it.
    pub fn url(&self) -> String {
        url(self.server.address())
    }

    /// The address under which this machine reaches it.
    pub fn reachable(&self) -> SocketAddr {
        let address = self.server.address();
        SocketAddr::new(reachable(address), address.port())
    }

    /// For connections that do not come from a socket.
    pub fn streams(&self) -> Streams<Router> {
        self.server.streams()
    }

    /// Makes what every cluster has from its first moment.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn seed(&self) -> Result<(), Status> {
        if let Some(config) = &self.controllers {
            controllers::seed(config, &self.registry).await?;
        }
        bootstrap::apply(&self.registry).await
    }

    /// Serves, and runs the loops, until it is told to stop; returns when everything is on disk.
    ///
    /// # Errors
    /// The loop that failed; nothing is served any more.
    pub async fn run(self, stop: CancellationToken) -> Result<(), controllers::Error> {
        let registry = self.registry.clone();
        let serving = stop.child_token();
        let loops = async {
            let ended = match self.controllers {
                Some(config) => controllers::run(config, registry.clone(), stop.clone()).await,
                None => {
                    stop.cancelled().await;
                    Ok(())
                }
            };
            serving.cancel();
            registry.store().close().await;
            ended
        };
        let definitions = serving.run_until_cancelled(custom::run(registry.clone()));
        tokio::join!(loops, self.server.run(serving.clone()), definitions).0
    }
}

fn store_check(registry: &Registry) -> Check {
    let store = registry.store().clone();
    Check::new("store", move || if store.is_open() { Ok(()) } else { Err("the store is closed".to_owned()) })
}

fn write(kubeconfig: &Kubeconfig, path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    kubeconfig.write(path)
}

/// The address under which this machine reaches a listener.
fn reachable(address: SocketAddr) -> IpAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    }
}

fn url(address: SocketAddr) -> String {
    format!("https://{}", SocketAddr::new(reachable(address), address.port()))
}

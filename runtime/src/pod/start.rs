//! Starting one container: image, configuration, code, guest.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use objects::quantity::Quantity;
use sha2::{Digest, Sha256};

use super::ground::Ground;
use super::pulling::{Teller, Wanted};
use super::termination::Words;
use super::turns::Turn;
use super::{config, env, etc, place, scratch};
use crate::agent::references::Subscription;
use crate::blobstore;
use crate::container::{self, Cpu, LazyMount, Mount, Output, Spec, StartError, Stdin, Stdio};
use crate::engine::LoadError;
use crate::image::{self, Found, Image, Module, PullError, Reference};
use crate::logs::{Channel, Sink};
use crate::sandbox::Sandbox;
use crate::volume::{self, Site};

/// The port of an HTTP handler whose container declares none.
const DEFAULT_HTTP_PORT: u16 = 80;

/// The reason of a container whose configuration cannot be put together.
pub(super) const CONFIG_ERROR: &str = "CreateContainerConfigError";

/// A container that runs.
pub struct Started {
    /// The guest.
    pub container: container::Container,
    /// Its log.
    pub sink: Arc<Sink>,
    /// What it runs.
    pub image: Image,
    /// `wasmtime://…`
    pub id: String,
    /// Where it leaves its last words.
    pub words: Option<Words>,
}

/// Why it does not run. Each is a reason of a waiting container.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no image.
    #[error(transparent)]
    Image(#[from] PullError),
    /// Its environment names what does not exist.
    #[error(transparent)]
    Config(#[from] env::Error),
    /// Its mounts do.
    #[error(transparent)]
    Mount(#[from] volume::Error),
    /// The log can't be kept.
    #[error("failed to create the log directory: {0}")]
    Log(std::io::Error),
    /// What the instance before has written can't be removed.
    #[error("failed to empty /tmp: {0}")]
    Scratch(std::io::Error),
    /// The image can't be run here.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It could not be put up.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The node is being stopped.
    #[error("the node is stopping")]
    Stopping,
}

impl Error {
    /// The waiting container's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Image(error) => error.reason(),
            Self::Config(_) | Self::Mount(_) => CONFIG_ERROR,
            Self::Log(_) | Self::Scratch(_) | Self::Load(_) | Self::Stopping => "CreateContainerError",
            Self::Start(_) => "RunContainerError",
        }
    }
}

/// What to start.
pub struct Order {
    /// The pod.
    pub pod: Arc<Pod>,
    /// Its container, by name.
    pub name: String,
    /// The objects around.
    pub around: Subscription,
    /// Its place.
    pub sandbox: Sandbox,
    /// Its `/etc`.
    pub etc: LazyMount,
    /// A turn that is paid for.
    pub turn: Option<Turn>,
    /// Counts the container's instances.
    pub instance: u32,
    /// What it gets, when that is not what it asks for: a resize is to be agreed to.
    pub resources: Option<Arc<ResourceRequirements>>,
    /// Tells what happens to its image.
    pub teller: Teller,
}

/// What is read from and made on disk before a start, in one trip off the async threads.
struct Prepared {
    image: Image,
    module: Module,
    sink: Arc<Sink>,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    config: Vec<(String, String)>,
    mounts: Vec<Mount>,
    lazy_mounts: Vec<LazyMount>,
    words: Option<Words>,
}

/// How far the preparation came.
enum Preparation {
    Done(Box<Prepared>),
    /// A registry is to be asked for the image first.
    Pull(Reference),
}

/// Starts a container. Dropping the future leaves nothing running.
pub async fn start(ground: Arc<Ground>, mut order: Order) -> Result<Started, Error> {
    let mut turn = match order.turn.take() {
        Some(turn) => turn,
        None => turn_of(&ground).await?,
    };
    let mut container = super::any_container(&order.pod, &order.name).ok_or(Error::Stopping)?.into_owned();
    if let Some(resources) = order.resources.take() {
        container.resources = Some(Arc::unwrap_or_clone(resources));
    }
    let sandbox = order.sandbox.clone();
    let id = id(&order);
    let keyvalue = ground.keyvalue.namespace(order.pod.metadata.namespace.as_deref().unwrap_or("default"));
    let order = Arc::new((order, container));
    let wanted = Arc::new(Wanted::of(&ground, &order.1));
    let mut image = None;
    let prepared = loop {
        match blocking(&ground, &order, &wanted, image.take()).await? {
            Preparation::Done(prepared) => break *prepared,
            Preparation::Pull(reference) => {
                // Registries take their time, and nobody's turn.
                drop(turn);
                image = Some(wanted.pull(&ground, &order.0.pod, reference, &order.0.teller).await?);
                turn = turn_of(&ground).await?;
            }
        }
    };
    let container = &order.1;
    // A compilation may take long, and does not need a turn: the engine has its own.
    drop(turn);
    let Prepared { image, module, sink, arguments, variables, config, mounts, lazy_mounts, words } = prepared;
    let guest = ground.engine.load(&module.digest, &module.path).await?;
    let working_dir = container.working_dir.clone().filter(|directory| !directory.is_empty());
    let spec = Spec {
        args: arguments,
        env: variables,
        config,
        keyvalue: Some(keyvalue),
        blobs: blobstore::of_mounts(container, &mounts),
        mounts,
        lazy_mounts,
        working_dir: working_dir.or_else(|| image.config.working_dir.clone()),
        memory_limit: memory_limit(container),
        cpu: cpu(container),
        http_ports: http_ports(container),
        stdin: stdin(container),
        tty: container.tty == Some(true),
        name: container.name.clone(),
        program: image.reference.program().to_owned(),
        ..Spec::new(sink.clone())
    };
    let mut container = container::start(&ground.engine, guest, &sandbox, spec)?;
    container.begun().await;
    Ok(Started { container, sink, image, id, words })
}

async fn turn_of(ground: &Ground) -> Result<Turn, Error> {
    ground.turns.take(Some(ground.turns.line_up())).await.map_err(|_| Error::Stopping)
}

async fn blocking(
    ground: &Arc<Ground>,
    order: &Arc<(Order, Container)>,
    wanted: &Arc<Wanted>,
    image: Option<Image>,
) -> Result<Preparation, Error> {
    let (ground, order, wanted) = (ground.clone(), order.clone(), wanted.clone());
    let prepare = move || {
        let (order, container) = &*order;
        let image = match image {
            Some(image) => image,
            None => match wanted.look(&ground, &order.teller)? {
                Found::Here(image) => image,
                Found::Ask(reference) => return Ok(Preparation::Pull(reference)),
            },
        };
        prepare(&ground, order, container, image).map(|prepared| Preparation::Done(Box::new(prepared)))
    };
    tokio::task::spawn_blocking(prepare).await.map_err(|_| Error::Stopping)?
}

fn prepare(ground: &Ground, order: &Order, container: &Container, image: Image) -> Result<Prepared, Error> {
    let pod = &*order.pod;
    let given = ground.given(pod, &order.around, Some(order.sandbox.plug.address()));
    let mut variables = env::environment(pod, container, &given)?;
    variables.entry("HOSTNAME".to_owned()).or_insert_with(|| order.sandbox.hostname.clone());
    let arguments = env::arguments(container, &image, &variables);
    for (name, value) in &image.config.env {
        variables.entry(name.clone()).or_insert_with(|| value.clone());
    }
    let module = module(ground, container, &image)?;
    let volumes = place::volumes(ground, pod);
    let site = Site { places: &ground.places, directory: &volumes };
    let own = place::directory(ground, pod).join("containers").join(&container.name);
    let mut mounts = volume::mounts::mounts(pod, container, &variables, &given, site, &own)?;
    let scratch = scratch::of(container, &own, &mounts).map_err(Error::Scratch)?;
    if let Some(directory) = volume::mounts::own_directory(&mounts, &order.etc.mount.guest, &own)
        && let Err(error) = (order.etc.make)().and_then(|()| etc::complete(directory, &order.etc.mount.host))
    {
        tracing::warn!(path = %directory.display(), %error, "the pod's own files could not be put into /etc");
    }
    // A volume at the root hides the image's own.
    if let Some(rootfs) = image.rootfs.as_ref().filter(|_| mounts.iter().all(|mount| mount.guest != "/")) {
        mounts.insert(0, Mount { host: rootfs.clone(), guest: "/".to_owned(), read_only: true, pin: None });
    }
    let sink = ground.logs.open(&log_directory(ground, pod), &container.name, order.instance).map_err(Error::Log)?;
    let words = Words::of(container, &own, &mounts);
    let mut lazy_mounts = vec![order.etc.clone()];
    lazy_mounts.extend(words.iter().filter_map(Words::mount));
    lazy_mounts.extend(scratch);
    // What the container mounts there itself is in front of these.
    lazy_mounts.retain(|lazy| !mounts.iter().any(|mount| mount.guest == lazy.mount.guest));
    let config = config::entries(container, &given, &variables).into_iter().collect();
    let variables = variables.into_iter().collect();
    Ok(Prepared { image, module, sink, arguments, variables, config, mounts, lazy_mounts, words })
}

/// The program: of an image that is a file system, the one that the command names, if it names one.
fn module(ground: &Ground, container: &Container, image: &Image) -> Result<Module, Error> {
    let named = match container.command.iter().flatten().next() {
        Some(command) => ground.images.find_program(image, command),
        None => Ok(None),
    };
    let unusable = |source| PullError::Unusable { name: image.reference.to_string(), source };
    Ok(named.map_err(unusable)?.unwrap_or_else(|| image.module.clone()))
}

/// Where the pod's logs are.
pub fn log_directory(ground: &Ground, pod: &Pod) -> PathBuf {
    let meta = &pod.metadata;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    ground.logs.pod_directory(&text(&meta.namespace), &text(&meta.name), &text(&meta.uid))
}

/// One id for each instance there ever is.
fn id(order: &Order) -> String {
    let uid = order.pod.metadata.uid.as_deref().unwrap_or_default();
    let hash = Sha256::digest(format!("{uid}/{}/{}", order.name, order.instance));
    format!("wasmtime://{}", image::hex(&hash))
}

/// What its resources say of memory.
pub fn memory_limit(container: &Container) -> Option<u64> {
    let limit = container.resources.as_ref()?.limits.as_ref()?.get("memory")?;
    u64::try_from(Quantity::lenient(limit).whole()).ok().filter(|bytes| *bytes > 0)
}

/// What its resources say of processors.
pub fn cpu(container: &Container) -> Cpu {
    let resources = container.resources.as_ref();
    let limits = resources.and_then(|resources| resources.limits.as_ref());
    let requests = resources.and_then(|resources| resources.requests.as_ref());
    let millicores = |list: Option<&BTreeMap<String, Text>>| {
        let amount = Quantity::lenient(list?.get("cpu")?).milli();
        u32::try_from(amount).ok().filter(|amount| *amount > 0)
    };
    Cpu { limit: millicores(limits), request: millicores(requests) }
}

fn stdin(container: &Container) -> Stdin {
    match container.stdin {
        Some(true) => Stdin::Open { once: container.stdin_once == Some(true) },
        _ => Stdin::Empty,
    }
}

/// An HTTP handler is called at the ports its container declares.
fn http_ports(container: &Container) -> Vec<u16> {
    let tcp = container.ports.iter().flatten().filter(|port| port.protocol.as_deref().unwrap_or("TCP") == "TCP");
    let ports: Vec<_> = tcp.filter_map(|port| u16::try_from(port.container_port).ok()).collect();
    if ports.is_empty() { vec![DEFAULT_HTTP_PORT] } else { ports }
}

impl Output for Sink {
    fn write(&self, stream: Stdio, bytes: &[u8]) {
        let channel = match stream {
            Stdio::Stdout => Channel::Stdout,
            Stdio::Stderr => Channel::Stderr,
        };
        Sink::write(self, channel, bytes);
    }

    fn poll_ready(&self, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        Sink::poll_ready(self, cx)
    }
}

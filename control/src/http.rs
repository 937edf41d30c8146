//! The HTTP face of the registry: a path and a method become a verb, its outcome an answer.
//!
//! ```text
//! request ─► caller (or whom he impersonates) ─► path ─► authorize ─► verb (a file each) ─► registry ─► negotiate ─► response
//! ```
//!
//! The [`Router`] is a tower service. A TLS connection, a pod's in-memory stream and the node agent in the same process
//! all call this one; who they are stands in the request's extensions as an `Arc<Caller>`.

mod asked;
mod body;
mod component_statuses;
mod connect;
mod delete;
mod described;
mod eviction;
mod images;
mod issuer;
mod list_options;
mod metrics;
mod negotiate;
mod node_proxy;
mod path;
mod pieces;
mod proxy;
mod query;
mod read;
mod respond;
mod review;
mod scale;
mod table;
mod token_request;
mod verb;
mod watch;
mod write;

pub use images::{ImageRegistry, is_registry};
pub use node_proxy::{NodeAnswer, NodeTransport};
pub use path::ResourcePath;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::ACCEPT;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use percent_encoding::percent_decode_str;

use crate::audit::{Audit, Lasting, Trail};
use crate::auth::{Attributes, Authenticator, Caller, ServiceAccounts, impersonate};
use crate::health::Health;
use crate::registry::{Part, Registry, Resource, Target};
use crate::status::Status;
use asked::Asked;
use connect::Way;
use described::Described;
use negotiate::Negotiated;
use query::Query;
use verb::Verb;

/// What went wrong in a body, whoever made it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// All of a request but its body.
type RequestHead = http::request::Parts;

/// The body of every request and every answer.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// The API as a service; clones share it.
#[derive(Clone)]
pub struct Router {
    parts: Arc<Parts>,
    caller: Arc<Caller>,
}

struct Parts {
    registry: Registry,
    authenticator: Authenticator,
    audit: Option<Audit>,
    nodes: NodeTransport,
    images: Option<ImageRegistry>,
    described: Described,
    health: Health,
    accounts: Arc<ServiceAccounts>,
    address: String,
}

/// What a [`Router`] is made of.
pub struct Config {
    /// What it serves.
    pub registry: Registry,
    /// Whose tokens it is asked about.
    pub authenticator: Authenticator,
    /// Where to write down who does what.
    pub audit: Option<Audit>,
    /// Finds the node that a pod's logs are on.
    pub nodes: NodeTransport,
    /// The images of the node, for other programs.
    pub images: Option<ImageRegistry>,
    /// `10.0.0.1:6443`: where clients reach it.
    pub address: String,
    /// Whether all is well.
    pub health: Health,
    /// What signs the tokens of service accounts.
    pub accounts: Arc<ServiceAccounts>,
}

impl Router {
    /// A router for nobody in particular.
    pub fn new(config: Config) -> Self {
        let Config { registry, authenticator, audit, nodes, images, address, health, accounts } = config;
        let described = Described::new(&registry, address.clone());
        let parts = Parts { registry, authenticator, audit, nodes, images, described, health, accounts, address };
        Self { parts: Arc::new(parts), caller: Arc::new(Caller::anonymous()) }
    }

    /// The same API for a caller in this process: requests that name nobody come from `caller`.
    #[must_use]
    pub fn acting_as(&self, caller: Caller) -> Self {
        Self { parts: self.parts.clone(), caller: Arc::new(caller) }
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        let (pretty, bodiless) = (negotiate::pretty(&head), head.method == Method::HEAD);
        let failure_form = Negotiated::of_failure(&head, pretty);
        let mut trail = self.parts.audit.as_ref().map(|_| Trail::begin(&head));
        let lasting = Lasting::default();
        if trail.is_some() {
            head.extensions.insert(lasting.clone());
        }
        let of_images = is_registry(head.uri.path());
        let answer = match self.allowed(&head, trail.as_mut()) {
            Ok(_) if of_images => Ok(images::answer(self.parts.images.as_ref(), Request::from_parts(head, body)).await),
            Err(refusal) if of_images => {
                let caller = head.extensions.get::<Arc<Caller>>().unwrap_or(&self.caller);
                Ok(images::refusal(&refusal, caller))
            }
            Ok(caller) => self.dispatch(head, body, &caller, pretty).await,
            Err(refusal) => Err(refusal),
        };
        let (mut response, failure) = match answer {
            Ok(response) => (response, None),
            Err(status) => (respond::failure_for(&status, failure_form), Some(status)),
        };
        if bodiless {
            // HTTP/2 does not forgive a body here.
            *response.body_mut() = respond::full(Bytes::new());
        }
        match (&self.parts.audit, trail) {
            (Some(audit), Some(trail)) => {
                audit.answered(trail, failure.as_ref(), &lasting, response).map(BodyExt::boxed_unsync)
            }
            _ => response,
        }
    }

    /// Who asks, or in whose name, if it is allowed.
    fn allowed(&self, head: &RequestHead, trail: Option<&mut Trail>) -> Result<Arc<Caller>, Status> {
        let authorizer = self.parts.registry.authorizer();
        let caller = head.extensions.get::<Arc<Caller>>().unwrap_or(&self.caller);
        let acting_as = impersonate(caller, &head.headers, authorizer).map(|other| other.map(Arc::new));
        let wanted = Attributes::of(&head.method, &head.uri);
        let (decision, allowed) = match &acting_as {
            Err(refusal) => (None, Err(refusal.clone())),
            Ok(other) => {
                let caller = other.as_ref().unwrap_or(caller);
                let decision = authorizer.decide(caller, &wanted);
                let refused = || wanted.forbidden(caller, decision.reason());
                let allowed = if decision.is_allowed() { Ok(caller.clone()) } else { Err(refused()) };
                (Some(decision), allowed)
            }
        };
        if let Some(trail) = trail {
            trail.asked_by(caller, acting_as.ok().flatten());
            trail.decided(wanted, decision);
        }
        allowed
    }

    async fn dispatch(
        &self,
        head: RequestHead,
        body: Body,
        caller: &Arc<Caller>,
        pretty: bool,
    ) -> Result<Response<Body>, Status> {
        let registry = &self.parts.registry;
        let discovered = || self.parts.described.now(registry).answer(&head);
        if let Some(answer) = self.parts.health.answer(&head).or_else(discovered) {
            return Ok(answer.map(respond::full));
        }
        if let Some(answer) = issuer::answer(&head, &self.parts.accounts, &self.parts.address) {
            return Ok(answer);
        }
        let decoded = percent_decode_str(head.uri.path()).decode_utf8_lossy();
        let Some(path) = ResourcePath::parse(&decoded) else {
            return Ok(unknown(&decoded));
        };
        let Some(resource) = registry.resources().find(&path.group, &path.version, &path.resource).cloned() else {
            return if is_builtin(&path.group) { Err(not_served(&path)) } else { Ok(unknown(&decoded)) };
        };
        let query = Query::parse(head.uri.query().unwrap_or_default());
        let target = Target::new(&resource, &path.namespace, &path.name);
        if let Some(way) = Way::of(&path.subresource).filter(|_| resource.has_part(&path.subresource)) {
            // What is said there, and in which encoding, is not for the API to judge.
            let form = Negotiated::PLAIN;
            let asked = Asked { registry, path: &path, target: &target, caller, form, query: &query, head: &head };
            return self.connect(asked, way, body).await;
        }
        let accept = head.headers.get(ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let offer = negotiate::Offer { numbered: !resource.is_custom(), tabular: !is_question(&resource) };
        let form = Negotiated { pretty, ..negotiate::accept(accept, offer)? };
        body::check_encoding(&head.headers)?;
        let asked = Asked { registry, path: &path, target: &target, caller, form, query: &query, head: &head };
        let mut response = self.verb(asked, body).await?;
        if let Some(deprecation) = resource.deprecation() {
            respond::warn(&mut response, &[deprecation.to_owned()]);
        }
        Ok(response)
    }

    /// Boxed as [`Router::verb`].
    fn connect<'a>(&'a self, asked: Asked<'a>, way: Way, body: Body) -> BoxFuture<'a, Result<Response<Body>, Status>> {
        if !scope_fits(&asked.target.resource, asked.path) || way != Way::Proxy && !asked.path.rest.is_empty() {
            return Box::pin(std::future::ready(Err(Status::no_such_resource())));
        }
        Box::pin(connect::connect(asked, way, &self.parts.nodes, body))
    }

    /// Boxed with a lifetime of its own: the compiler cannot see that the future of this many verbs is `Send` for
    /// every lifetime of the request.
    fn verb<'a>(&'a self, asked: Asked<'a>, body: Body) -> BoxFuture<'a, Result<Response<Body>, Status>> {
        Box::pin(self.verb_of(asked, body))
    }

    async fn verb_of(&self, asked: Asked<'_>, body: Body) -> Result<Response<Body>, Status> {
        let Asked { path, target, query, head, .. } = asked;
        if !scope_fits(&target.resource, path) {
            return if target.resource.is_custom() {
                Ok(unknown(head.uri.path()))
            } else {
                Err(Status::no_such_resource())
            };
        }
        let aspect = aspect(&target.resource, path)?;
        let watching = path.watch || query.flag("watch");
        let Some(verb) = Verb::of(&head.method, &target.resource, path, watching) else {
            return Err(not_allowed(&head.method, &target.resource));
        };
        match (verb, aspect) {
            (Verb::Get, Aspect::Component) => component_statuses::get(asked),
            (Verb::List, Aspect::Component) => component_statuses::list(asked),
            (Verb::Get, Aspect::Metrics) => metrics::get(asked, &self.parts.nodes).await,
            (Verb::List, Aspect::Metrics) => metrics::list(asked, &self.parts.nodes).await,
            (Verb::Get, Aspect::Log) => node_proxy::log(asked, &self.parts.nodes).await,
            (Verb::Get, Aspect::Part(Part::Scale)) => scale::get(asked).await,
            (Verb::Get, _) => read::get(asked).await,
            (Verb::List, _) => read::list(asked).await,
            (Verb::Watch, _) => watch::watch(asked).await,
            (Verb::Create, Aspect::Binding) => write::bind(asked, body).await,
            (Verb::Create, Aspect::Token) => token_request::create(asked, &self.parts.accounts, body).await,
            (Verb::Create, Aspect::Eviction) => eviction::create(asked, body).await,
            (Verb::Create, Aspect::Review) => review::create(asked, &self.parts.authenticator, body).await,
            (Verb::Create, _) => write::create(asked, body).await,
            (Verb::Update, Aspect::Part(part)) => write::update(asked, part, body).await,
            (Verb::Patch, Aspect::Part(part)) => write::patch(asked, part, body).await,
            (Verb::Delete, _) => delete::delete(asked, body).await,
            (Verb::DeleteCollection, _) => delete::delete_collection(asked, body).await,
            (Verb::Update | Verb::Patch, _) => Err(Status::method_not_allowed()),
        }
    }
}

/// What of an object a request is about.
enum Aspect {
    /// The object, or a view of it.
    Part(Part),
    /// What its containers wrote.
    Log,
    /// The node that it is to run on.
    Binding,
    /// A token that names it.
    Token,
    /// Its end, if its budget allows.
    Eviction,
    /// A part of the control plane.
    Component,
    /// What it uses now.
    Metrics,
    /// Nothing: a question about the caller.
    Review,
}

fn aspect(resource: &Resource, path: &ResourcePath) -> Result<Aspect, Status> {
    let part = &*path.subresource;
    if !part.is_empty() && !resource.has_part(part) {
        return Err(match resource.is_custom() {
            true => Status::not_found(&resource.qualified, &path.name),
            false => not_served(path),
        });
    }
    if !path.rest.is_empty() {
        return Err(Status::no_such_resource());
    }
    Ok(match part {
        "" if resource.is("", "componentstatuses") => Aspect::Component,
        "" if resource.is_computed() => Aspect::Metrics,
        "" if resource.is("", "bindings") => Aspect::Binding,
        "" if is_question(resource) => Aspect::Review,
        "" => Aspect::Part(Part::Main),
        "status" => Aspect::Part(Part::Status),
        "scale" => Aspect::Part(Part::Scale),
        "finalize" => Aspect::Part(Part::Finalize),
        "ephemeralcontainers" => Aspect::Part(Part::EphemeralContainers),
        "resize" => Aspect::Part(Part::Resize),
        "approval" => Aspect::Part(Part::Approval),
        "log" => Aspect::Log,
        "binding" => Aspect::Binding,
        "token" => Aspect::Token,
        "eviction" => Aspect::Eviction,
        _ => return Err(Status::no_such_resource()),
    })
}

/// True for reviews, which are answered and not kept.
fn is_question(resource: &Resource) -> bool {
    matches!(&*resource.row.group, "authentication.k8s.io" | "authorization.k8s.io")
}

/// A namespaced object needs its namespace; a cluster-wide one has none.
fn scope_fits(resource: &Resource, path: &ResourcePath) -> bool {
    match (resource.row.namespaced, path.namespace.is_empty()) {
        (true, false) | (false, true) => true,
        (true, true) => path.name.is_empty(),
        (false, false) => false,
    }
}

/// Who asks for what Kubernetes has is told that it is Sampan which has it not.
fn not_served(path: &ResourcePath) -> Status {
    let (part, row) = (&*path.subresource, schema::builtin().resource(&path.group, &path.version, &path.resource));
    let known = row.is_some_and(|row| part.is_empty() || row.subresource(part).is_some());
    if !known {
        return Status::no_such_resource();
    }
    let group = if path.group.is_empty() { String::new() } else { format!(".{}", path.group) };
    let part = if part.is_empty() { String::new() } else { format!("/{part}") };
    Status::not_supported(&format!("{}{group}{part}", path.resource))
}

/// True for the groups that upstream's own router knows: the others are looked for elsewhere before they are not found.
fn is_builtin(group: &str) -> bool {
    schema::builtin().resources().iter().any(|row| *row.group == *group)
}

/// A method that a resource does not have.
fn not_allowed(method: &Method, resource: &Resource) -> Status {
    match method.as_str() {
        "PUT" if resource.is_custom() => Status::verb_not_supported(&resource.qualified, "update"),
        "PATCH" if resource.is_custom() => Status::verb_not_supported(&resource.qualified, "patch"),
        _ => Status::method_not_allowed(),
    }
}

/// A path below a group of upstream's own is a Status; any other is plain text, as upstream has it.
fn unknown(path: &str) -> Response<Body> {
    let group = path.strip_prefix("/apis/").and_then(|rest| rest.split('/').next());
    if path.starts_with("/api/") || group.is_some_and(is_builtin) {
        return respond::failure(&Status::no_such_resource());
    }
    respond::answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", respond::full("404 page not found\n"))
}

impl<B> tower::Service<Request<B>> for Router
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let router = self.clone();
        let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        Box::pin(async move { Ok(router.answer(request).await) })
    }
}

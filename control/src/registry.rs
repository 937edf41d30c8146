//! The layer under HTTP: what every verb means for every kind, once.
//!
//! ```text
//! Value ─► conform (types, unknown fields, order) ─► default ─► prepare ─► validate ─► store ─► bytes
//! ```
//!
//! HTTP handlers, controllers and the scheduler all come through here, so nobody can write an object that a
//! client could not have written. What differs between kinds is a [`Behavior`](crate::kinds::Behavior); what differs
//! between verbs is a file in this folder.
//!
//! # Guarantees
//! A write is durable before its function returns (volatile kinds: published). An update that changes nothing writes
//! nothing and keeps its resource version. A list and a watch from its revision have no gap between them.

mod addresses;
mod api;
mod apply;
mod binding;
mod create;
mod delete;
mod eviction;
mod grants;
mod informer;
mod informers;
pub(crate) mod json_patch;
mod list;
mod managed;
mod metadata;
mod nature;
mod object;
mod options;
mod part;
mod patch;
mod resources;
mod rules;
mod scale;
mod selection;
mod token;
mod update;
mod versions;
mod watch;

pub use api::{Api, Object};
pub use apply::Config;
pub use delete::{DeleteOptions, Deleted, Propagation};
pub use informer::{Change, Changes, Informer};
pub use informers::Informed;
pub use list::{Page, Start};
pub use options::{FieldValidation, Outcome, WriteOptions};
pub use part::Part;
pub use patch::Patch;
pub use resources::{Resource, Resources, Target};
pub use selection::Selection;
pub use watch::{Frame, Watching};

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::Value;

use crate::admission::{Admission, Quotas, Review};
use crate::auth::{Authorizer, Mode};
use crate::custom;
use crate::kinds::services::{Addresses, Cidr};
use crate::status::Status;
use crate::store::Store;
use crate::webhook;
use informers::Informers;

/// A handle to the registry; clones share it.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    store: Store,
    resources: ArcSwap<Resources>,
    changed: tokio::sync::watch::Sender<u64>,
    addresses: Addresses,
    informers: Informers,
    admission: Admission,
    authorizer: Authorizer,
    webhooks: webhook::Client,
}

impl Registry {
    /// A registry over `store`, whose Services get their addresses out of `range`, with the default rules of who may do what.
    pub fn new(store: Store, range: Cidr) -> Self {
        let authorizer = Authorizer::new(&Mode::DEFAULT, &store);
        Self::with(store, range, Admission::default(), authorizer)
    }

    /// The same with other rules, and other plug-ins than the default ones.
    pub fn with(store: Store, range: Cidr, admission: Admission, authorizer: Authorizer) -> Self {
        let services: Vec<_> = store.list("services", None).entries.iter().map(|e| e.value()).collect();
        let addresses = Addresses::new(range, &services);
        Self(Arc::new(Inner {
            webhooks: webhook::Client::new(store.clone()),
            store,
            resources: ArcSwap::from_pointee(Resources::built_in()),
            changed: tokio::sync::watch::Sender::new(0),
            addresses,
            informers: Informers::default(),
            admission,
            authorizer,
        }))
    }

    /// The cluster IP of the API itself.
    pub fn first_cluster_ip(&self) -> std::net::Ipv4Addr {
        self.0.addresses.first()
    }

    /// Every resource that is served at this moment.
    pub fn resources(&self) -> Arc<Resources> {
        self.0.resources.load_full()
    }

    /// Serves these custom kinds, and no others, from now on.
    pub fn serve(&self, custom: &[Arc<custom::Kind>]) {
        self.0.resources.rcu(|resources| resources.with_custom(custom));
        self.0.changed.send_modify(|version| *version += 1);
    }

    /// Counts the changes of what is served.
    pub fn resources_changed(&self) -> tokio::sync::watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// The store below. Reads only; writes go through the verbs.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The quotas of all namespaces.
    pub(crate) fn quotas(&self) -> &Quotas {
        self.0.admission.quotas()
    }

    /// Who may do what.
    pub fn authorizer(&self) -> &Authorizer {
        &self.0.authorizer
    }

    /// Asks admission about what is written nowhere: a token, a stream into a pod.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn admit(&self, review: &Review<'_>, object: &mut Value) -> Result<(), Status> {
        let mut warnings = Vec::new();
        self.0.admission.mutate(self, review, object, &mut warnings).await?;
        self.0.admission.validate(self, review, Some(object), &mut warnings).await
    }

    /// Who calls webhooks: for admission and for the conversion of custom resources.
    pub fn webhooks(&self) -> &webhook::Client {
        &self.0.webhooks
    }

    /// A typed front for one kind.
    pub fn api<K: Object>(&self) -> Api<K> {
        Api::new(self.clone())
    }

    /// The one informer of a kind in this process; its task starts on first use and ends with the registry.
    pub fn informer<K: Informed>(&self) -> Arc<Informer<K>> {
        let slot = K::slot(&self.0.informers);
        slot.get_or_init(|| Arc::new(Informer::start(&self.0.store, self.api::<K>().resource()))).clone()
    }
}

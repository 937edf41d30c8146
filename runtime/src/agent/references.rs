//! What pods of this node refer to: ConfigMaps and Secrets, one watch an object for as long as a pod holds it, and their
//! tokens.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::{Arc, Weak};

use futures::StreamExt;
use futures::future::select_all;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::core::NamespaceResourceScope;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watch_object;
use kube::{Api, Client, Resource};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::tokens::{self, Tokens};
use crate::pod::given::Needs;
use crate::volume::Elsewhere;

/// What is known of an object.
#[derive(Debug)]
pub enum Known<K> {
    /// Not asked yet.
    Nothing,
    /// It does not exist.
    Missing,
    /// It is so.
    Present(Arc<K>),
}

/// All objects that are watched now.
#[derive(Clone)]
pub struct References {
    client: Client,
    config_maps: Watches<ConfigMap>,
    secrets: Watches<Secret>,
    tokens: Tokens,
}

type Watches<K> = Arc<Mutex<HashMap<(String, String), Weak<Watched<K>>>>>;

/// One watched object. The watch ends when nobody holds it.
struct Watched<K> {
    known: watch::Receiver<Known<K>>,
    _task: AbortOnDropHandle<()>,
}

/// What one pod refers to.
pub struct Subscription {
    config_maps: Vec<Held<ConfigMap>>,
    secrets: Vec<Held<Secret>>,
    tokens: Vec<HeldToken>,
    elsewhere: Arc<Elsewhere>,
}

/// A token, as one of its pod's tasks follows it.
struct HeldToken {
    token: Arc<tokens::Held>,
    known: watch::Receiver<tokens::Known>,
}

struct Held<K> {
    name: String,
    _watched: Arc<Watched<K>>,
    known: watch::Receiver<Known<K>>,
}

/// The objects that exist, by name.
pub type Objects<K> = BTreeMap<String, Arc<K>>;

impl References {
    /// No object yet.
    pub fn new(client: Client) -> Self {
        let tokens = Tokens::new(client.clone());
        Self { client, config_maps: Watches::default(), secrets: Watches::default(), tokens }
    }

    /// Watches what a pod needs.
    pub fn subscribe(&self, pod: &Pod, needs: &Needs) -> Subscription {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let tokens = needs.tokens.iter().map(|wanted| HeldToken::new(self.tokens.hold(pod, wanted.clone())));
        Subscription {
            tokens: tokens.collect(),
            elsewhere: Arc::default(),
            config_maps: hold(&self.client, &self.config_maps, namespace, needs.config_maps.iter()),
            secrets: hold(&self.client, &self.secrets, namespace, needs.secrets.iter()),
        }
    }
}

fn hold<'a, K>(
    client: &Client,
    watches: &Watches<K>,
    namespace: &str,
    names: impl Iterator<Item = &'a String>,
) -> Vec<Held<K>>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Default,
{
    let mut watches = watches.lock();
    let held = names.map(|name| {
        let key = (namespace.to_owned(), name.clone());
        let watched = watches.get(&key).and_then(Weak::upgrade).unwrap_or_else(|| {
            let watched = Arc::new(start(client.clone(), namespace, name));
            // Now and then those that nobody holds are forgotten.
            if watches.len().is_power_of_two() {
                watches.retain(|_, watched| watched.strong_count() > 0);
            }
            watches.insert(key, Arc::downgrade(&watched));
            watched
        });
        let known = watched.known.clone();
        Held { name: name.clone(), _watched: watched, known }
    });
    held.collect()
}

fn start<K>(client: Client, namespace: &str, name: &str) -> Watched<K>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Default,
{
    let (sender, known) = watch::channel(Known::Nothing);
    let api: Api<K> = Api::namespaced(client, namespace);
    let name = name.to_owned();
    let task = tokio::spawn(async move {
        let mut states = std::pin::pin!(watch_object(api, &name).default_backoff());
        while let Some(state) = states.next().await {
            match state {
                Ok(Some(object)) => drop(sender.send_replace(Known::Present(Arc::new(object)))),
                Ok(None) => drop(sender.send_replace(Known::Missing)),
                Err(error) => tracing::debug!(%name, %error, "watching an object that pods refer to"),
            }
        }
    });
    Watched { known, _task: AbortOnDropHandle::new(task) }
}

impl Subscription {
    /// Waits until it is known of each object whether it exists.
    pub async fn known(&mut self) {
        for held in &mut self.config_maps {
            // An error is a watch that ended, which is when the runtime does.
            let _ = held.known.wait_for(|known| !matches!(known, Known::Nothing)).await;
        }
        for held in &mut self.secrets {
            let _ = held.known.wait_for(|known| !matches!(known, Known::Nothing)).await;
        }
        for held in &mut self.tokens {
            let _ = held.known.wait_for(|known| !matches!(known, tokens::Known::Nothing)).await;
        }
    }

    /// Waits for the next change of any of them.
    ///
    /// # Cancel safety
    /// No change is lost when the future is dropped.
    pub async fn changed(&mut self) {
        let maps = self
            .config_maps
            .iter_mut()
            .map(|held| Box::pin(changed(&mut held.known)) as futures::future::BoxFuture<'_, ()>);
        let secrets = self
            .secrets
            .iter_mut()
            .map(|held| Box::pin(changed(&mut held.known)) as futures::future::BoxFuture<'_, ()>);
        let tokens =
            self.tokens.iter_mut().map(|held| Box::pin(changed(&mut held.known)) as futures::future::BoxFuture<'_, ()>);
        let all: Vec<_> = maps.chain(secrets).chain(tokens).collect();
        if all.is_empty() {
            return std::future::pending().await;
        }
        select_all(all).await;
    }

    /// The objects as they are now.
    pub fn objects(&self) -> (Objects<ConfigMap>, Objects<Secret>) {
        (present(&self.config_maps), present(&self.secrets))
    }

    /// The tokens as they are now.
    pub fn tokens(&self) -> tokens::Bundle {
        self.tokens.iter().map(|held| (held.token.wanted().clone(), held.known.borrow().clone())).collect()
    }

    /// What is behind the pod's volumes, as it was found.
    pub fn elsewhere(&self) -> Arc<Elsewhere> {
        self.elsewhere.clone()
    }

    /// Notes what is behind the volumes: that does not change while a pod is there.
    pub fn found(&mut self, elsewhere: Elsewhere) {
        self.elsewhere = Arc::new(elsewhere);
    }

    /// The same objects, followed from here on by another.
    pub fn fork(&self) -> Self {
        let tokens = self.tokens.iter().map(|held| HeldToken { token: held.token.clone(), known: held.known.clone() });
        Self {
            config_maps: fork(&self.config_maps),
            secrets: fork(&self.secrets),
            tokens: tokens.collect(),
            elsewhere: self.elsewhere.clone(),
        }
    }
}

impl HeldToken {
    fn new(token: Arc<tokens::Held>) -> Self {
        Self { known: token.known(), token }
    }
}

fn fork<K>(held: &[Held<K>]) -> Vec<Held<K>> {
    let fork =
        |held: &Held<K>| Held { name: held.name.clone(), _watched: held._watched.clone(), known: held.known.clone() };
    held.iter().map(fork).collect()
}

fn present<K>(held: &[Held<K>]) -> Objects<K> {
    let present = held.iter().filter_map(|held| match &*held.known.borrow() {
        Known::Present(object) => Some((held.name.clone(), object.clone())),
        Known::Nothing | Known::Missing => None,
    });
    present.collect()
}

async fn changed<T>(known: &mut watch::Receiver<T>) {
    if known.changed().await.is_err() {
        std::future::pending().await
    }
}

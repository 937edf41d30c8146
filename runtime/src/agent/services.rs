//! The services of the cluster, for the environment variables that pods are told about them with.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Service;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Api, Client};
use parking_lot::RwLock;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// Kept up to date by one watch.
#[derive(Clone)]
pub struct Services {
    table: Arc<RwLock<Table>>,
    synced: watch::Receiver<bool>,
    _task: Arc<AbortOnDropHandle<()>>,
}

/// By namespace and name.
type Table = HashMap<String, BTreeMap<String, Arc<Service>>>;

impl Services {
    /// Starts the watch.
    pub fn watch(client: Client) -> Self {
        let table = Arc::new(RwLock::new(Table::new()));
        let (sender, synced) = watch::channel(false);
        let task = tokio::spawn(follow(client, table.clone(), sender));
        Self { table, synced, _task: Arc::new(AbortOnDropHandle::new(task)) }
    }

    /// Waits until the table is complete: a pod must not start without variables that it should have.
    pub async fn synced(&self) {
        // An error means that the watch is over, and with it the node.
        let _ = self.synced.clone().wait_for(|synced| *synced).await;
    }

    /// The services a pod in this namespace hears of: the namespace's own if `links`, and the API's.
    pub fn around(&self, namespace: &str, links: bool) -> Vec<Arc<Service>> {
        let table = self.table.read();
        let own = table.get(namespace).filter(|_| links).into_iter().flat_map(BTreeMap::values);
        let api = table.get("default").and_then(|services| services.get("kubernetes"));
        own.chain(api.filter(|_| namespace != "default" || !links)).cloned().collect()
    }
}

async fn follow(client: Client, table: Arc<RwLock<Table>>, synced: watch::Sender<bool>) {
    let mut events = std::pin::pin!(watcher(Api::<Service>::all(client), Config::default()).default_backoff());
    let mut fresh = Table::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => fresh.clear(),
            Ok(Event::InitApply(service)) => insert(&mut fresh, service),
            Ok(Event::InitDone) => {
                *table.write() = std::mem::take(&mut fresh);
                synced.send_replace(true);
            }
            Ok(Event::Apply(service)) => insert(&mut table.write(), service),
            Ok(Event::Delete(service)) => {
                let (namespace, name) = key(&service);
                if let Some(services) = table.write().get_mut(namespace) {
                    services.remove(name);
                }
            }
            Err(error) => tracing::debug!(%error, "watching services"),
        }
    }
}

fn key(service: &Service) -> (&str, &str) {
    let meta = &service.metadata;
    (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

fn insert(table: &mut Table, service: Service) {
    let (namespace, name) = key(&service);
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    table.entry(namespace).or_default().insert(name, Arc::new(service));
}

//! Who is charged at this moment, and which namespaces have to be counted again.
//!
//! All charges of a namespace that wait are worked off as one batch with one write a quota, so that sixty-four creates wait
//! for the disk together. A charge stays open until its object is stored or failed to be: whoever counts in between adds it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{Notify, oneshot};

use super::charge::{self, Charge};
use super::{Fact, Quota};
use crate::admission::amounts;
use crate::kinds::Change;
use crate::registry::{Part, Registry, Target, WriteOptions};
use crate::status::Status;
use crate::store::Key;

/// How often a quota that somebody else writes at the same time is read again.
const ATTEMPTS: usize = 8;
/// So many desks that nobody stands at are kept.
const SLACK: usize = 64;

/// Why a charge was not taken.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// A quota has no room for it, in upstream's words.
    Exceeded(String),
    /// A quota could not be written.
    Failed(Status),
}

/// The open charges.
#[derive(Default)]
pub struct Ledger {
    desks: Mutex<HashMap<Arc<str>, Arc<Desk>>>,
    open: Mutex<HashMap<Key, Charge>>,
    stale: Mutex<BTreeSet<Arc<str>>>,
    news: Notify,
}

/// Where the charges of one namespace wait. Whoever has the turn is alone with the namespace's quotas.
#[derive(Default)]
struct Desk {
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

type Waiting = (Charge, oneshot::Sender<Result<(), Refusal>>);

/// The charge of an object that is about to be stored; dropping it says that it is stored, or failed to be.
pub struct Charged {
    registry: Registry,
    key: Key,
}

impl Charged {
    /// Watches over the charge of `target`, if it gets one.
    pub fn new(registry: &Registry, target: &Target) -> Self {
        Self { registry: registry.clone(), key: target.key() }
    }
}

impl Drop for Charged {
    fn drop(&mut self) {
        self.registry.quotas().ledger.close(&self.registry, &self.key);
    }
}

impl Ledger {
    /// Charges the quotas of the object's namespace.
    ///
    /// # Cancel safety
    /// A charge that was queued is worked off even if nobody waits for it any more, and given back then.
    pub async fn charge(&self, registry: &Registry, charge: Charge, dry_run: bool) -> Result<(), Refusal> {
        if dry_run {
            return Batch::new(registry, &charge.key.namespace).take(&charge);
        }
        let namespace = charge.key.namespace.clone();
        let (answer, answered) = oneshot::channel();
        let desk = self.desk(&namespace);
        desk.waiting.lock().push((charge, answer));
        tokio::spawn(work(registry.clone(), namespace, desk));
        answered.await.unwrap_or_else(|_| Err(Refusal::Failed(Status::internal("the quota could not be charged"))))
    }

    /// The namespaces to be counted again; waits until there is one.
    pub async fn wanted(&self) -> BTreeSet<Arc<str>> {
        loop {
            let stale = std::mem::take(&mut *self.stale.lock());
            if !stale.is_empty() {
                return stale;
            }
            self.news.notified().await;
        }
    }

    /// Has a namespace counted again.
    pub fn stale(&self, namespace: &Arc<str>) {
        self.stale.lock().insert(namespace.clone());
        self.news.notify_one();
    }

    /// Runs `count` while nobody charges the namespace, with the charges that are open.
    pub(super) async fn alone<T>(&self, namespace: &Arc<str>, count: impl AsyncFnOnce(Vec<Charge>) -> T) -> T {
        let desk = self.desk(namespace);
        let _turn = desk.turn.lock().await;
        let open = self.open.lock().values().filter(|c| c.key.namespace == *namespace).cloned().collect();
        count(open).await
    }

    fn close(&self, registry: &Registry, key: &Key) {
        let closed = self.open.lock().remove(key);
        if closed.is_some_and(|charge| charge.is_pending(registry.store())) {
            self.stale(&key.namespace);
        }
    }

    fn desk(&self, namespace: &Arc<str>) -> Arc<Desk> {
        let mut desks = self.desks.lock();
        if desks.len() > SLACK {
            desks.retain(|_, desk| Arc::strong_count(desk) > 1);
        }
        desks.entry(namespace.clone()).or_default().clone()
    }
}

/// Works off all that waits in one namespace. The type is written out because writing a quota passes through admission,
/// and so through here.
fn work(registry: Registry, namespace: Arc<str>, desk: Arc<Desk>) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let _turn = desk.turn.lock().await;
        let waiting = std::mem::take(&mut *desk.waiting.lock());
        let (charges, answers): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        let mut batch = Batch::new(&registry, &namespace);
        let mut results: Vec<Result<(), Refusal>> = charges.iter().map(|charge| batch.take(charge)).collect();
        let ledger = &registry.quotas().ledger;
        for (charge, _) in charges.iter().zip(&results).filter(|(_, result)| result.is_ok()) {
            ledger.open.lock().insert(charge.key.clone(), charge.clone());
        }
        batch.write(&charges, &mut results).await;
        for ((charge, answer), result) in charges.iter().zip(answers).zip(results) {
            let refused = result.is_err();
            if answer.send(result).is_err() || refused {
                ledger.close(&registry, &charge.key);
            }
        }
    })
}

/// The quotas of one namespace while charges are added to them.
struct Batch<'a> {
    registry: &'a Registry,
    namespace: &'a Arc<str>,
    quotas: BTreeMap<String, Working>,
}

/// A quota on its way to its next state.
struct Working {
    object: Value,
    quota: Quota,
    changed: bool,
}

impl<'a> Batch<'a> {
    fn new(registry: &'a Registry, namespace: &'a Arc<str>) -> Self {
        Self { registry, namespace, quotas: BTreeMap::new() }
    }

    /// Adds one charge to all of its quotas, or to none.
    fn take(&mut self, charge: &Charge) -> Result<(), Refusal> {
        let mut after = Vec::new();
        for name in &charge.quotas {
            if let Some(working) = self.working(name) {
                let Quota { hard, used, .. } = &working.quota;
                let used = charge::add(name, hard, used, &charge.delta).map_err(Refusal::Exceeded)?;
                after.push((name, used));
            }
        }
        for (name, used) in after {
            if let Some(working) = self.quotas.get_mut(name) {
                working.changed |= working.quota.used != used;
                working.quota.used = used;
            }
        }
        Ok(())
    }

    /// The quota as it is stored, unless it has been changed here; none where it is gone.
    fn working(&mut self, name: &str) -> Option<&Working> {
        if !self.quotas.contains_key(name) {
            let key = Key::new(Quota::RESOURCE, self.namespace, name);
            let object = self.registry.store().get(&key)?.value();
            let quota = Quota::read(&object);
            self.quotas.insert(name.to_owned(), Working { object, quota, changed: false });
        }
        self.quotas.get(name)
    }

    /// Writes what changed. Where somebody else wrote a quota in the meantime, the accepted charges are added to it once
    /// more; one that does not fit now is refused after all.
    async fn write(&mut self, charges: &[Charge], results: &mut [Result<(), Refusal>]) {
        let changed: Vec<String> = self.quotas.iter().filter(|(_, w)| w.changed).map(|(n, _)| n.clone()).collect();
        for name in changed {
            for left in (0..ATTEMPTS).rev() {
                match self.put(&name).await {
                    Err(lost) if lost.is_conflict() && left > 0 => self.again(&name, charges, results),
                    Err(gone) if gone.is_not_found() => break,
                    Err(status) => {
                        let about = charges.iter().zip(results.iter_mut()).filter(|(c, _)| c.quotas.contains(&name));
                        about.for_each(|(_, result)| *result = Err(Refusal::Failed(status.clone())));
                        break;
                    }
                    Ok(()) => break,
                }
            }
        }
    }

    async fn put(&self, name: &str) -> Result<(), Status> {
        let Some(working) = self.quotas.get(name) else { return Ok(()) };
        let mut object = working.object.clone();
        object.set("status", "used", amounts::write(&working.quota.used));
        put_status(self.registry, self.namespace, name, object).await
    }

    fn again(&mut self, name: &str, charges: &[Charge], results: &mut [Result<(), Refusal>]) {
        self.quotas.remove(name);
        for (charge, result) in charges.iter().zip(results).filter(|(c, _)| c.quotas.iter().any(|q| q == name)) {
            if result.is_ok() {
                let only = Charge { quotas: vec![name.to_owned()], ..charge.clone() };
                *result = self.take(&only);
            }
        }
    }
}

/// Writes the status of a quota, if nobody else wrote the quota since.
pub(super) async fn put_status(registry: &Registry, namespace: &str, name: &str, quota: Value) -> Result<(), Status> {
    let resources = registry.resources();
    let resource = resources.find("", "v1", Quota::RESOURCE).ok_or_else(Status::no_such_resource)?;
    let target = Target::new(resource, namespace, name);
    let options = WriteOptions { manager: "kube-apiserver".into(), ..WriteOptions::of("system:apiserver") };
    registry.update(&target, Part::Status, quota, &options).await.map(drop)
}

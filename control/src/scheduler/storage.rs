//! What a pod's claims ask of a node, and what is to be done for them before the pod is bound.
//!
//! A claim that is bound says where its volume is reached from. One whose class waits for a pod gets its node from the
//! pod: a free volume that is reached from there is reserved for it, or its provisioner is told the node. Any other claim
//! without a volume holds the pod back.

mod bind;

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod, Volume};
use k8s_openapi::api::storage::v1::StorageClass;
use objects::{nodes, owners, pods, volumes};

use super::filter::Reason;
use crate::registry::{Api, Informer};
use crate::work::Context;

/// Claims, volumes and classes, as they are known and as they are written.
#[derive(Clone)]
pub(super) struct Storage {
    pub claims: Arc<Informer<PersistentVolumeClaim>>,
    pub volumes: Arc<Informer<PersistentVolume>>,
    pub classes: Arc<Informer<StorageClass>>,
    pods: Arc<Informer<Pod>>,
    claim_api: Api<PersistentVolumeClaim>,
    volume_api: Api<PersistentVolume>,
}

/// What one pod's claims ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Demand {
    bound: Vec<Arc<PersistentVolume>>,
    /// A claim is bound to a volume that is gone.
    lost: bool,
    /// A claim that one pod may have is another's.
    in_use: bool,
    waiting: Vec<Waiting>,
    /// What claims that wait may be given; empty when none waits.
    volumes: Vec<Arc<PersistentVolume>>,
}

/// A claim that waits for its pod's node.
#[derive(Clone, Debug)]
struct Waiting {
    claim: Arc<PersistentVolumeClaim>,
    class: Arc<StorageClass>,
    /// The node that was chosen before, if it is still there.
    selected: Option<String>,
}

/// What is to be done for a claim.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bind {
    /// Keep this volume for it.
    Reserve(Arc<PersistentVolumeClaim>, Arc<PersistentVolume>),
    /// Tell its provisioner the node.
    Select(Arc<PersistentVolumeClaim>),
    /// Somebody else is at it.
    Await(Arc<PersistentVolumeClaim>),
}

impl Storage {
    pub fn new(context: &Context) -> Self {
        Self {
            claims: context.registry.informer(),
            volumes: context.registry.informer(),
            classes: context.registry.informer(),
            pods: context.registry.informer(),
            claim_api: context.registry.api().managed_by("kube-scheduler"),
            volume_api: context.registry.api().managed_by("kube-scheduler"),
        }
    }

    pub async fn synced(&self) {
        self.claims.synced().await;
        self.volumes.synced().await;
        self.classes.synced().await;
    }

    /// What the pod's claims ask for; an error is why no node will do, in upstream's words.
    pub fn demand(
        &self,
        pod: &Pod,
        is_node: impl Fn(&str) -> bool,
        is_placed: impl Fn(&Pod) -> bool,
    ) -> Result<Demand, String> {
        let mut demand = Demand::default();
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        for (volume, name) in volumes::claims(pod) {
            let claim = self.claims.get(namespace, &name);
            let claim = usable(pod, volume, &name, claim)?;
            if is_exclusive(&claim) {
                demand.in_use |= self.is_used(pod, namespace, &name, &is_placed);
            }
            let class = volumes::class_of(&claim).and_then(|class| self.classes.get("", class));
            match (volumes::is_bound(&claim), volumes::volume_of(&claim), class) {
                (true, Some(name), _) => match self.volumes.get("", name) {
                    Some(volume) => demand.bound.push(volume),
                    None => demand.lost = true,
                },
                (_, None, Some(class)) if volumes::waits_for_pod(&class) => {
                    let selected = volumes::annotation(&claim.metadata, volumes::SELECTED_NODE);
                    let selected = selected.filter(|node| is_node(node)).map(str::to_owned);
                    demand.waiting.push(Waiting { claim, class, selected });
                }
                _ => return Err("pod has unbound immediate PersistentVolumeClaims".to_owned()),
            }
        }
        if !demand.waiting.is_empty() {
            demand.volumes = self.volumes.list(None);
        }
        Ok(demand)
    }

    fn is_used(&self, own: &Pod, namespace: &str, claim: &str, is_placed: impl Fn(&Pod) -> bool) -> bool {
        let others = self.pods.list(Some(namespace));
        let mut running = others.iter().filter(|pod| {
            pod.metadata.uid != own.metadata.uid
                && !pods::is_terminal(pod)
                && (!pods::node(pod).is_empty() || is_placed(pod))
        });
        running.any(|pod| volumes::claims(pod).any(|(_, name)| name == claim))
    }
}

/// The claim, if a pod may have it.
fn usable(
    pod: &Pod,
    volume: &Volume,
    name: &str,
    claim: Option<Arc<PersistentVolumeClaim>>,
) -> Result<Arc<PersistentVolumeClaim>, String> {
    let Some(claim) = claim else {
        return Err(match &volume.ephemeral {
            Some(_) => format!("waiting for ephemeral volume controller to create the persistentvolumeclaim {name:?}"),
            None => format!("persistentvolumeclaim {name:?} not found"),
        });
    };
    if volumes::claim_phase(&claim) == "Lost" {
        let volume = volumes::volume_of(&claim).unwrap_or_default();
        return Err(format!("persistentvolumeclaim {name:?} bound to non-existent persistentvolume {volume:?}"));
    }
    if claim.metadata.deletion_timestamp.is_some() {
        return Err(format!("persistentvolumeclaim {name:?} is being deleted"));
    }
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    if volume.ephemeral.is_some() && !owners::is_controlled_by(&claim.metadata, uid) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (namespace, pod) = (text(&pod.metadata.namespace), text(&pod.metadata.name));
        return Err(format!("PVC {namespace}/{name} was not created for pod {namespace}/{pod} (pod is not owner)"));
    }
    Ok(claim)
}

fn is_exclusive(claim: &PersistentVolumeClaim) -> bool {
    let modes = claim.spec.as_ref().and_then(|spec| spec.access_modes.as_deref()).unwrap_or_default();
    modes.iter().any(|mode| mode == "ReadWriteOncePod")
}

impl Demand {
    /// Why the claims can't be had on this node.
    pub fn objection(&self, node: &Node) -> Option<Reason> {
        if self.in_use {
            return Some(Reason::ClaimInUse);
        }
        if self.lost {
            return Some(Reason::LostVolume);
        }
        if !self.bound.iter().all(|volume| volumes::is_reached_from(volume, node)) {
            return Some(Reason::VolumeAffinity);
        }
        self.binds(node).is_none().then_some(Reason::NoVolume)
    }

    /// What is to be done for the claims if the pod goes to this node; None where it can't.
    pub fn binds(&self, node: &Node) -> Option<Vec<Bind>> {
        let mut binds = Vec::new();
        let mut free = self.volumes.clone();
        for waiting in &self.waiting {
            binds.push(waiting.bind(node, &mut free)?);
        }
        Some(binds)
    }
}

impl Waiting {
    fn bind(&self, node: &Node, free: &mut Vec<Arc<PersistentVolume>>) -> Option<Bind> {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        match &self.selected {
            Some(selected) if selected == name => return Some(Bind::Await(self.claim.clone())),
            Some(_) => return None,
            None => {}
        }
        if let Some(volume) = volumes::best(&self.claim, free, Some(node), true).cloned() {
            free.retain(|other| other.metadata.name != volume.metadata.name);
            return Some(match volumes::is_of(&volume, &self.claim) {
                true => Bind::Await(self.claim.clone()),
                false => Bind::Reserve(self.claim.clone(), volume),
            });
        }
        let makes = self.class.provisioner != volumes::NO_PROVISIONER && self.allows(node);
        makes.then(|| Bind::Select(self.claim.clone()))
    }

    /// Whether the class has volumes where the node is.
    fn allows(&self, node: &Node) -> bool {
        let terms = self.class.allowed_topologies.as_deref().unwrap_or_default();
        let within = |term: &k8s_openapi::api::core::v1::TopologySelectorTerm| {
            let mut all = term.match_label_expressions.iter().flatten();
            all.all(|wanted| nodes::label(node, &wanted.key).is_some_and(|label| wanted.values.contains(label)))
        };
        terms.is_empty() || terms.iter().any(within)
    }
}

#[cfg(test)]
mod tests;

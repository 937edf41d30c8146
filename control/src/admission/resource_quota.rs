//! ResourceQuota: what the objects of a namespace may come to together.
//!
//! ```text
//! create ─► usage of the object ─► ledger (one batch a namespace at a time) ─► status.used grows ─► the object is stored
//! deletion, end of a pod, failed create ─► the namespace is stale ─► the controller counts again ─► status.used
//! ```
//!
//! Usage is charged before the object is stored, so that two creates at once cannot overrun a quota. A quota whose status
//! the controller has not filled in yet holds for nobody, as upstream.

mod charge;
mod count;
mod ledger;
mod scopes;
mod usage;

use std::sync::Arc;

use serde_json::{Value, json};

use super::amounts::{self, Amounts};
use super::facts::{Fact, Facts};
use super::{Operation, Review};
use crate::kinds::{Change, Look};
use crate::registry::{Registry, Target};
use crate::status::Status;
use charge::Charge;
use count::Counted;
use scopes::{Scope, Traits};
use usage::Kind;

pub use ledger::{Charged, Ledger};

/// One quota.
pub struct Quota {
    name: String,
    scopes: Vec<Scope>,
    /// What the spec allows.
    wanted: Amounts,
    /// What holds.
    hard: Amounts,
    used: Amounts,
}

impl Fact for Quota {
    const RESOURCE: &'static str = "resourcequotas";

    fn read(object: &Value) -> Self {
        Self {
            name: object.text("metadata.name").to_owned(),
            scopes: Scope::of(object.at("spec")),
            wanted: amounts::read(object.at("spec.hard")),
            hard: amounts::read(object.at("status.hard")),
            used: amounts::read(object.at("status.used")),
        }
    }
}

/// What is known of quotas, and of what counts towards them.
#[derive(Default)]
pub struct Quotas {
    quotas: Facts<Quota>,
    pods: Facts<Counted<count::Pod>>,
    services: Facts<Counted<count::Service>>,
    claims: Facts<Counted<count::Claim>>,
    /// Who is charged at this moment.
    pub ledger: Ledger,
}

impl Quotas {
    /// Charges the namespace's quotas for the object, or refuses it.
    pub async fn validate(&self, registry: &Registry, review: &Review<'_>, object: &Value) -> Result<(), Status> {
        let target = review.target;
        let Some(kind) = handles(review) else { return Ok(()) };
        let quotas = self.quotas.all(registry.store(), Some(&target.namespace));
        if quotas.is_empty() {
            return Ok(());
        }
        let resource = &target.resource.qualified;
        let pertinent = pertinent(&quotas, kind, resource, object).map_err(|why| review.forbidden(object, &why))?;
        if pertinent.is_empty() {
            return Ok(());
        }
        let mut delta = kind.usage(resource, object);
        if let Some(negative) = negative(&delta) {
            let why = format!("quota usage is negative for resource(s): {negative}");
            return Err(review.forbidden(object, &why));
        }
        if let Some(old) = review.old {
            less(&mut delta, &kind.usage(resource, old));
        }
        delta.retain(|_, amount| !amount.is_zero());
        if delta.is_empty() {
            return Ok(());
        }
        let key = target.named(object.text("metadata.name")).key();
        let seen = registry.store().get(&key).map(|entry| entry.revision);
        let charge = Charge { key, seen, delta, quotas: pertinent };
        self.ledger.charge(registry, charge, review.options.dry_run).await.map_err(|refusal| match refusal {
            ledger::Refusal::Exceeded(why) => review.forbidden(object, &why),
            ledger::Refusal::Failed(status) => status,
        })
    }

    /// Counts the namespace's objects, and corrects the status of its quotas.
    ///
    /// # Errors
    /// 409 where somebody wrote a quota at the same time.
    pub async fn recount(&self, registry: &Registry, namespace: &str) -> Result<(), Status> {
        let namespace: Arc<str> = namespace.into();
        let count = async |charges: Vec<Charge>| {
            for entry in registry.store().list(Quota::RESOURCE, Some(&namespace)).entries {
                let quota = self.quotas.of(registry.store(), &entry);
                let mut used = quota.used.clone();
                used.retain(|name, _| quota.wanted.contains_key(name));
                used.extend(self.count(registry, &namespace, &quota, &charges));
                let mut object = entry.value();
                let status = json!({"hard": amounts::write(&quota.wanted), "used": amounts::write(&used)});
                if *object.at("status") != status && (quota.hard != quota.wanted || quota.used != used) {
                    object.set("", "status", status);
                    ledger::put_status(registry, &namespace, &quota.name, object).await?;
                }
            }
            Ok(())
        };
        self.ledger.alone(&namespace, count).await
    }

    /// Notes that an object is gone: its quotas are to be counted again.
    pub fn removed(&self, registry: &Registry, target: &Target) {
        if target.resource.row.namespaced && Kind::of(&target.resource.qualified).is_some() {
            self.stale(registry, &target.namespace);
        }
    }

    /// Notes that an object changed: where it takes less now, its quotas are to be counted again.
    pub fn changed(&self, registry: &Registry, target: &Target, new: &Value, old: &Value) {
        let resource = &target.resource.qualified;
        let Some(kind) = Kind::of(resource).filter(|kind| *kind != Kind::Others) else { return };
        if !self.limits(registry, &target.namespace) {
            return;
        }
        let now = kind.usage(resource, new);
        if kind.usage(resource, old).iter().any(|(name, before)| now.get(name).is_none_or(|amount| amount < before)) {
            self.ledger.stale(&target.namespace);
        }
    }

    fn stale(&self, registry: &Registry, namespace: &Arc<str>) {
        if self.limits(registry, namespace) {
            self.ledger.stale(namespace);
        }
    }

    fn limits(&self, registry: &Registry, namespace: &str) -> bool {
        !registry.store().list(Quota::RESOURCE, Some(namespace)).entries.is_empty()
    }
}

/// New objects of any kind, and changes of those that may come to take more.
fn handles(review: &Review<'_>) -> Option<Kind> {
    let resource = &review.target.resource;
    let kind = Kind::of(&resource.qualified).filter(|_| resource.row.namespaced)?;
    let charged = match (review.operation, review.subresource) {
        (Operation::Create, "") => true,
        (Operation::Update, "") => matches!(kind, Kind::Services | Kind::Claims),
        (Operation::Update, "resize") => kind == Kind::Pods,
        _ => false,
    };
    charged.then_some(kind)
}

/// The names of the quotas that are about the object.
///
/// # Errors
/// The object does not say what a quota needs to know, or a quota has not been counted yet.
fn pertinent(quotas: &[Arc<Quota>], kind: Kind, resource: &str, object: &Value) -> Result<Vec<String>, String> {
    let traits = (kind == Kind::Pods).then(|| Traits::of(object));
    let mut names = Vec::new();
    for quota in quotas {
        let matching = || quota.hard.keys().map(String::as_str).filter(|name| kind.counts_as(resource, name));
        let in_scope = quota.scopes.is_empty() || traits.as_ref().is_some_and(|t| t.meet(&quota.scopes));
        if !in_scope || matching().next().is_none() {
            continue;
        }
        if kind == Kind::Pods
            && let Some(why) = usage::unsaid(matching(), object)
        {
            return Err(format!("failed quota: {}: {why}", quota.name));
        }
        if matching().any(|name| !quota.used.contains_key(name)) {
            let list = matching().collect::<Vec<_>>().join(",");
            return Err(format!("status unknown for quota: {}, resources: {list}", quota.name));
        }
        names.push(quota.name.clone());
    }
    Ok(names)
}

fn negative(amounts: &Amounts) -> Option<String> {
    let names: Vec<&str> = amounts.iter().filter(|(_, a)| a.signum() < 0).map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(","))
}

/// Takes from each amount what was there before, and never gives anything back: that is the controller's to do.
fn less(amounts: &mut Amounts, before: &Amounts) {
    for (name, amount) in amounts {
        if let Some(before) = before.get(name) {
            *amount = if *amount > *before { *amount - *before } else { objects::quantity::Quantity::ZERO };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(spec: Value, status: Value) -> Arc<Quota> {
        Arc::new(Quota::read(&json!({"metadata": {"name": "q"}, "spec": spec, "status": status})))
    }

    #[test]
    fn only_counted_quotas_in_scope_are_about_an_object() {
        let pod = json!({"spec": {"containers": [{"name": "c"}]}});
        let about = |quota: Arc<Quota>| pertinent(&[quota], Kind::Pods, "pods", &pod);
        let counted = json!({"hard": {"pods": "1"}, "used": {"pods": "0"}});
        assert_eq!(about(quota(json!({}), counted.clone())), Ok(vec!["q".to_owned()]));
        assert_eq!(about(quota(json!({"hard": {"pods": "1"}}), json!({}))), Ok(vec![]));
        assert_eq!(about(quota(json!({"scopes": ["Terminating"]}), counted)), Ok(vec![]));
        assert_eq!(about(quota(json!({}), json!({"hard": {"secrets": "1"}}))), Ok(vec![]));
        assert_eq!(
            about(quota(json!({}), json!({"hard": {"pods": "1", "count/pods": "2"}}))),
            Err("status unknown for quota: q, resources: count/pods,pods".to_owned())
        );
        assert_eq!(
            about(quota(json!({}), json!({"hard": {"limits.cpu": "1"}, "used": {"limits.cpu": "0"}}))),
            Err("failed quota: q: must specify limits.cpu for: c".to_owned())
        );
    }
}

//! Admission: what the cluster has to say about a write, after its form is good and before it is stored.
//!
//! ```text
//! create, update: defaults ─► mutate (each plug-in in turn) ─► defaults ─► rules of the kind ─► validate ─► store
//! delete, connect:                                                                              validate ─► store
//! ```
//!
//! The plug-ins are upstream's, in upstream's order, a file each. Everybody passes through here, controllers of this
//! process too: an owner of a quota wants it to hold for the pods of a ReplicaSet.

mod amounts;
mod authority;
mod certificates;
mod default_class;
mod default_toleration_seconds;
pub(crate) mod expression;
mod facts;
mod limit_ranger;
mod matching;
mod namespace_lifecycle;
mod node_restriction;
mod persistent_volume_claim_resize;
mod plugin;
mod pod_security;
pub(crate) mod policy;
mod priority;
mod request;
mod resource_quota;
mod runtime_class;
mod service_account;
mod storage_object_in_use_protection;
mod taint_nodes_by_condition;
mod webhook;

use serde_json::Value;

use crate::kinds::Look;
use crate::registry::{Registry, Target, WriteOptions};
use crate::status::Status;
use facts::Facts;
use plugin::Plugin;
use policy::Policies;
use webhook::{Rounds, Webhooks};

pub use plugin::{Choice, ChoiceError};
pub(crate) use policy::check_types;
pub use resource_quota::{Charged, Quotas};
pub use storage_object_in_use_protection::{CLAIM as CLAIM_IN_USE, VOLUME as VOLUME_IN_USE};

/// What is about to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A new object.
    Create,
    /// A change.
    Update,
    /// An end.
    Delete,
    /// A stream into a pod.
    Connect,
}

/// A write that asks to be admitted.
pub struct Review<'a> {
    /// What is about to be done.
    pub operation: Operation,
    /// To which object. The name of a created object is known, except where it is still to be generated.
    pub target: &'a Target,
    /// `status`, `scale`, …; empty for the object itself.
    pub subresource: &'a str,
    /// The object as it is stored; none for a create.
    pub old: Option<&'a Value>,
    /// Who writes, and whether in earnest.
    pub options: &'a WriteOptions,
}

impl Review<'_> {
    /// True for a write to this resource.
    fn is(&self, group: &str, resource: &str) -> bool {
        self.target.resource.is(group, resource)
    }

    /// The refusal of an object that is about to be stored.
    fn forbidden(&self, object: &Value, why: &str) -> Status {
        self.refusal(object.text("metadata.name"), why)
    }

    /// The refusal of an object that may have no name yet: upstream generates it after the plug-ins that change objects.
    fn forbidden_early(&self, object: &Value, why: &str) -> Status {
        self.refusal(object.text("metadata.generateName"), why)
    }

    fn refusal(&self, otherwise: &str, why: &str) -> Status {
        let name = if self.target.name.is_empty() { otherwise } else { &self.target.name };
        Status::forbidden(&self.target.resource.qualified, name, why)
    }
}

/// The plug-ins that are switched on, and what they know.
pub struct Admission {
    chain: Vec<Plugin>,
    namespaces: Facts<namespace_lifecycle::Namespace>,
    limit_ranges: Facts<limit_ranger::Range>,
    accounts: Facts<service_account::Account>,
    priority_classes: Facts<priority::Class>,
    storage_classes: Facts<default_class::StorageClass>,
    ingress_classes: Facts<default_class::IngressClass>,
    runtime_classes: Facts<runtime_class::Class>,
    policies: Policies,
    webhooks: Webhooks,
    quotas: Quotas,
}

impl Default for Admission {
    fn default() -> Self {
        Self::of(plugin::default_chain())
    }
}

impl Admission {
    /// These plug-ins.
    ///
    /// # Errors
    /// A name that no plug-in has.
    pub fn new(choice: &Choice) -> Result<Self, ChoiceError> {
        choice.chain().map(Self::of)
    }

    fn of(chain: Vec<Plugin>) -> Self {
        Self {
            chain,
            namespaces: Facts::default(),
            limit_ranges: Facts::default(),
            accounts: Facts::default(),
            priority_classes: Facts::default(),
            storage_classes: Facts::default(),
            ingress_classes: Facts::default(),
            runtime_classes: Facts::default(),
            policies: Policies::default(),
            webhooks: Webhooks::default(),
            quotas: Quotas::default(),
        }
    }

    /// Lets each plug-in change the object; once more, where a webhook has changed what the others have seen.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn mutate(
        &self,
        registry: &Registry,
        review: &Review<'_>,
        object: &mut Value,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        let mut rounds = Rounds::default();
        self.mutate_once(registry, review, object, &mut rounds, warnings).await?;
        if rounds.again() {
            self.mutate_once(registry, review, object, &mut rounds, warnings).await?;
        }
        Ok(())
    }

    async fn mutate_once(
        &self,
        registry: &Registry,
        review: &Review<'_>,
        object: &mut Value,
        rounds: &mut Rounds,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        for plugin in &self.chain {
            match plugin {
                Plugin::NamespaceLifecycle => {
                    namespace_lifecycle::admit(&self.namespaces, registry, review, object)?;
                }
                Plugin::LimitRanger => limit_ranger::mutate(&self.limit_ranges, registry, review, object),
                Plugin::ServiceAccount => {
                    service_account::mutate(&self.accounts, registry, review, object).await?;
                }
                Plugin::NodeRestriction => node_restriction::admit(registry, review, Some(object))?,
                Plugin::TaintNodesByCondition => taint_nodes_by_condition::mutate(review, object),
                Plugin::Priority => priority::mutate(&self.priority_classes, registry, review, object)?,
                Plugin::DefaultTolerationSeconds => default_toleration_seconds::mutate(review, object),
                Plugin::DefaultStorageClass => {
                    default_class::of_claims(&self.storage_classes, registry, review, object);
                }
                Plugin::StorageObjectInUseProtection => storage_object_in_use_protection::mutate(review, object),
                Plugin::RuntimeClass => runtime_class::mutate(&self.runtime_classes, registry, review, object)?,
                Plugin::DefaultIngressClass => {
                    default_class::of_ingresses(&self.ingress_classes, registry, review, object);
                }
                Plugin::MutatingAdmissionWebhook => {
                    self.webhooks.mutate(registry, review, object, rounds, warnings).await?;
                }
                Plugin::PodSecurity
                | Plugin::CertificateApproval
                | Plugin::CertificateSigning
                | Plugin::CertificateSubjectRestriction
                | Plugin::PersistentVolumeClaimResize
                | Plugin::ValidatingAdmissionPolicy
                | Plugin::ValidatingAdmissionWebhook
                | Plugin::ResourceQuota => {}
            }
        }
        Ok(())
    }

    /// Asks each plug-in about the object as it is going to be; none is left by a deletion.
    ///
    /// # Errors
    /// The first refusal.
    pub async fn validate(
        &self,
        registry: &Registry,
        review: &Review<'_>,
        object: Option<&Value>,
        warnings: &mut Vec<String>,
    ) -> Result<(), Status> {
        for plugin in &self.chain {
            match (plugin, object) {
                (Plugin::NamespaceLifecycle, None) => namespace_lifecycle::admit_delete(review)?,
                (Plugin::NodeRestriction, None) => node_restriction::admit(registry, review, None)?,
                (Plugin::Priority, None) => priority::admit_delete(review)?,
                (Plugin::LimitRanger, Some(object)) => {
                    limit_ranger::validate(&self.limit_ranges, registry, review, object)?;
                }
                (Plugin::PodSecurity, Some(object)) => {
                    pod_security::validate(&self.namespaces, registry, review, object, warnings)?;
                }
                (Plugin::Priority, Some(object)) => {
                    priority::validate(&self.priority_classes, registry, review, object)?;
                }
                (Plugin::PersistentVolumeClaimResize, Some(object)) => {
                    persistent_volume_claim_resize::validate(&self.storage_classes, registry, review, object)?;
                }
                (Plugin::CertificateApproval, Some(object)) => certificates::approval(registry, review, object)?,
                (Plugin::CertificateSigning, Some(object)) => certificates::signing(registry, review, object)?,
                (Plugin::CertificateSubjectRestriction, Some(object)) => certificates::subject(review, object)?,
                (Plugin::MutatingAdmissionWebhook, None) => self.webhooks.consult(registry, review, warnings).await?,
                (Plugin::ValidatingAdmissionPolicy, object) => {
                    self.policies.validate(registry, review, object, warnings)?;
                }
                (Plugin::ValidatingAdmissionWebhook, object) => {
                    self.webhooks.validate(registry, review, object, warnings).await?;
                }
                (Plugin::ResourceQuota, Some(object)) => self.quotas.validate(registry, review, object).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The quotas, and who is charged.
    pub fn quotas(&self) -> &Quotas {
        &self.quotas
    }
}

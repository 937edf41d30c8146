//! What is to be done for one claim.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use objects::events::Level::{self, Normal, Warning};
use objects::volumes::{self, annotation, claim_phase};

/// What is around the claim.
pub struct Seen<'a> {
    /// All volumes.
    pub volumes: &'a [Arc<PersistentVolume>],
    /// The claim's class, where it exists.
    pub class: Option<&'a StorageClass>,
    /// The class of claims that name none.
    pub default: Option<String>,
    /// A pod that uses the claim and has no node yet.
    pub consumer: &'a dyn Fn() -> Option<String>,
}

/// The next step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// All is as it should be, or somebody else's turn.
    Nothing,
    /// Only something to say: reason and message.
    Tell(Level, &'static str, String),
    /// Write the claim into this volume.
    Take(Arc<PersistentVolume>),
    /// Write the volume, which knows of the claim, into the claim.
    Complete {
        /// Its name.
        volume: String,
        /// Whether the claim did not ask for it by name.
        by_us: bool,
    },
    /// Write the status.
    Report {
        /// `Pending` or `Bound`.
        phase: &'static str,
        /// What is behind it.
        volume: Option<Arc<PersistentVolume>>,
    },
    /// Its volume is gone, or another's: reason and message.
    Lose(&'static str, String),
    /// Have this provisioner make a volume.
    Order(String),
    /// Give it this class.
    Classify(String),
}

impl Step {
    /// What there is to say about it.
    pub fn event(&self) -> Option<(Level, &'static str, String)> {
        match self {
            Self::Tell(level, reason, message) => Some((*level, reason, message.clone())),
            Self::Lose(reason, message) => Some((Warning, reason, message.clone())),
            Self::Order(provisioner) => Some((
                Normal,
                "ExternalProvisioning",
                format!(
                    "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by \
                     the system administrator. If volume creation is delayed, please verify that the provisioner is \
                     running and correctly registered."
                ),
            )),
            _ => None,
        }
    }
}

/// Decides.
pub fn plan(claim: &PersistentVolumeClaim, seen: &Seen<'_>) -> Step {
    let bound = annotation(&claim.metadata, volumes::BIND_COMPLETED).is_some();
    let volume = volumes::volume_of(claim);
    let found = volume.and_then(|name| seen.volumes.iter().find(|v| v.metadata.name.as_deref() == Some(name)));
    match (bound, volume, found) {
        (true, None, _) => {
            lose(claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!")
        }
        (true, Some(_), None) => {
            lose(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
        }
        (true, Some(_), Some(volume)) => settled(claim, volume),
        (false, None, _) => search(claim, seen),
        (false, Some(_), None) => pending(claim),
        (false, Some(_), Some(volume)) => wanted(claim, volume),
    }
}

fn lose(claim: &PersistentVolumeClaim, reason: &'static str, message: &str) -> Step {
    if claim_phase(claim) == "Lost" { Step::Nothing } else { Step::Lose(reason, message.to_owned()) }
}

fn pending(claim: &PersistentVolumeClaim) -> Step {
    if claim_phase(claim) == "Pending" { Step::Nothing } else { Step::Report { phase: "Pending", volume: None } }
}

/// A claim whose binding was done once.
fn settled(claim: &PersistentVolumeClaim, volume: &Arc<PersistentVolume>) -> Step {
    let reference = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
    match reference.map(|reference| reference.uid.as_deref().unwrap_or_default()) {
        // Somebody has emptied the volume's side: it is written again.
        None => Step::Take(volume.clone()),
        Some("") if volumes::is_of(volume, claim) => Step::Take(volume.clone()),
        Some(uid) if Some(uid) == claim.metadata.uid.as_deref() => match claim_phase(claim) {
            "Bound" => Step::Nothing,
            _ => Step::Report { phase: "Bound", volume: Some(volume.clone()) },
        },
        Some(_) => {
            lose(claim, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")
        }
    }
}

/// A claim that names its volume.
fn wanted(claim: &PersistentVolumeClaim, volume: &Arc<PersistentVolume>) -> Step {
    let name = volume.metadata.name.clone().unwrap_or_default();
    let reference = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
    match reference {
        None => match volumes::satisfies(volume, claim) {
            Ok(()) => Step::Take(volume.clone()),
            Err(why) => {
                Step::Tell(Warning, "VolumeMismatch", format!("Cannot bind to requested volume {name:?}: {why}"))
            }
        },
        Some(_) if volumes::is_of(volume, claim) => match is_taken(claim, volume) {
            true => Step::Complete { volume: name, by_us: false },
            false => Step::Take(volume.clone()),
        },
        Some(_) => Step::Tell(Warning, "FailedBinding", format!("volume {name:?} already bound to a different claim.")),
    }
}

/// The volume names this very claim.
fn is_taken(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    let uid = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()?.uid.as_ref());
    uid.is_some() && uid == claim.metadata.uid.as_ref()
}

/// A claim without a volume.
fn search(claim: &PersistentVolumeClaim, seen: &Seen<'_>) -> Step {
    let waits = seen.class.is_some_and(volumes::waits_for_pod);
    let selected = annotation(&claim.metadata, volumes::SELECTED_NODE).is_some();
    let delayed = waits && !selected;
    if let Some(volume) = volumes::best(claim, seen.volumes, None, delayed) {
        return match is_taken(claim, volume) {
            true => Step::Complete { volume: volume.metadata.name.clone().unwrap_or_default(), by_us: true },
            false => Step::Take(volume.clone()),
        };
    }
    if claim.metadata.deletion_timestamp.is_some() {
        return Step::Nothing;
    }
    if claim_phase(claim) != "Pending" {
        return pending(claim);
    }
    match (volumes::class_of(claim), seen.class) {
        _ if delayed => match (seen.consumer)() {
            None => {
                let message = "waiting for first consumer to be created before binding";
                Step::Tell(Normal, "WaitForFirstConsumer", message.to_owned())
            }
            Some(pod) => Step::Tell(Normal, "WaitForPodScheduled", format!("waiting for pod {pod} to be scheduled")),
        },
        (Some(_), Some(class)) => order(claim, class),
        (Some(name), None) => {
            Step::Tell(Warning, "ProvisioningFailed", format!("storageclass.storage.k8s.io {name:?} not found"))
        }
        (None, _) if volumes::leaves_class_open(claim) && seen.default.is_some() => {
            Step::Classify(seen.default.clone().unwrap_or_default())
        }
        (None, _) => {
            let message = "no persistent volumes available for this claim and no storage class is set";
            Step::Tell(Normal, "FailedBinding", message.to_owned())
        }
    }
}

fn order(claim: &PersistentVolumeClaim, class: &StorageClass) -> Step {
    let provisioner = &class.provisioner;
    if provisioner.starts_with("kubernetes.io/") {
        let message = format!("no volume plugin matched name: {provisioner}");
        return Step::Tell(Warning, "ProvisioningFailed", message);
    }
    match annotation(&claim.metadata, volumes::PROVISIONER) == Some(provisioner) {
        true => Step::Nothing,
        false => Step::Order(provisioner.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn volume(reference: Value) -> Arc<PersistentVolume> {
        let volume = json!({"metadata": {"name": "v"}, "status": {"phase": "Available"},
            "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "claimRef": reference}});
        Arc::new(from_value(volume).expect("a volume"))
    }

    fn planned(annotations: Value, spec: Value, status: &str, volumes: &[Arc<PersistentVolume>], mode: &str) -> Step {
        let mut claim = json!({"metadata": {"name": "c", "namespace": "n", "uid": "u", "annotations": annotations},
            "spec": {"resources": {"requests": {"storage": "1Gi"}}, "accessModes": ["ReadWriteOnce"]},
            "status": {"phase": status}});
        claim["spec"].as_object_mut().expect("a spec").extend(spec.as_object().cloned().unwrap_or_default());
        let claim: PersistentVolumeClaim = from_value(claim).expect("a claim");
        let class = json!({"metadata": {"name": "fast"}, "provisioner": "example.com/p", "volumeBindingMode": mode});
        let class: StorageClass = from_value(class).expect("a class");
        let class = Some(&class).filter(|_| volumes::class_of(&claim) == Some("fast"));
        plan(&claim, &Seen { volumes, class, default: Some("fast".to_owned()), consumer: &|| None })
    }

    fn words(step: &Step) -> String {
        step.event().map(|(_, reason, message)| format!("{reason}: {message}")).unwrap_or_default()
    }

    #[test]
    fn a_binding_goes_step_by_step() {
        let free = [volume(Value::Null)];
        let none = || json!({"storageClassName": ""});
        assert_eq!(planned(json!({}), none(), "Pending", &free, ""), Step::Take(free[0].clone()));
        let ours = [volume(json!({"namespace": "n", "name": "c", "uid": "u"}))];
        let complete = Step::Complete { volume: "v".to_owned(), by_us: true };
        assert_eq!(planned(json!({}), none(), "Pending", &ours, ""), complete);
        let done = json!({volumes::BIND_COMPLETED: "yes"});
        let named = || json!({"storageClassName": "", "volumeName": "v"});
        let report = Step::Report { phase: "Bound", volume: Some(ours[0].clone()) };
        assert_eq!(planned(done.clone(), named(), "Pending", &ours, ""), report);
        assert_eq!(planned(done.clone(), named(), "Bound", &ours, ""), Step::Nothing);
        assert!(matches!(planned(done.clone(), named(), "Bound", &[], ""), Step::Lose("ClaimLost", _)));
        let another = [volume(json!({"namespace": "n", "name": "c", "uid": "other"}))];
        assert!(matches!(planned(done, named(), "Bound", &another, ""), Step::Lose("ClaimMisbound", _)));
    }

    #[test]
    fn a_volume_that_is_named_is_taken_or_not() {
        let named = || json!({"storageClassName": "", "volumeName": "v"});
        let free = [volume(Value::Null)];
        assert_eq!(planned(json!({}), named(), "Pending", &free, ""), Step::Take(free[0].clone()));
        let kept = [volume(json!({"namespace": "n", "name": "c"}))];
        assert_eq!(planned(json!({}), named(), "Pending", &kept, ""), Step::Take(kept[0].clone()));
        let others = [volume(json!({"namespace": "n", "name": "x", "uid": "y"}))];
        let refused = planned(json!({}), named(), "Pending", &others, "");
        assert_eq!(words(&refused), "FailedBinding: volume \"v\" already bound to a different claim.");
        let big = json!({"storageClassName": "", "volumeName": "v", "resources": {"requests": {"storage": "2Gi"}}});
        let refused = planned(json!({}), big, "Pending", &free, "");
        assert_eq!(words(&refused), "VolumeMismatch: Cannot bind to requested volume \"v\": requested PV is too small");
        assert_eq!(planned(json!({}), named(), "Pending", &[], ""), Step::Nothing);
    }

    #[test]
    fn what_has_no_volume_waits_or_is_ordered() {
        let fast = || json!({"storageClassName": "fast"});
        let waits = planned(json!({}), fast(), "Pending", &[], "WaitForFirstConsumer");
        assert_eq!(words(&waits), "WaitForFirstConsumer: waiting for first consumer to be created before binding");
        let order = Step::Order("example.com/p".to_owned());
        let selected = json!({volumes::SELECTED_NODE: "a"});
        assert_eq!(planned(selected, fast(), "Pending", &[], "WaitForFirstConsumer"), order);
        assert_eq!(planned(json!({}), fast(), "Pending", &[], "Immediate"), order);
        let ordered = json!({volumes::PROVISIONER: "example.com/p"});
        assert_eq!(planned(ordered, fast(), "Pending", &[], "Immediate"), Step::Nothing);
        let missing = planned(json!({}), json!({"storageClassName": "gone"}), "Pending", &[], "");
        assert_eq!(words(&missing), "ProvisioningFailed: storageclass.storage.k8s.io \"gone\" not found");
        let none = planned(json!({}), json!({"storageClassName": ""}), "Pending", &[], "");
        let said = "FailedBinding: no persistent volumes available for this claim and no storage class is set";
        assert_eq!(words(&none), said);
        assert_eq!(planned(json!({}), json!({}), "Pending", &[], ""), Step::Classify("fast".to_owned()));
    }
}

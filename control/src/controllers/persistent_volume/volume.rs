//! What is to be done for one volume.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use objects::volumes::{self, annotation, phase};

/// The next step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// All is as it should be, or the claim's turn.
    Nothing,
    /// Write the status.
    Report {
        /// The phase.
        phase: &'static str,
        /// Why it failed.
        message: Option<String>,
    },
    /// Its claim has another volume: let it go.
    Free {
        /// Whether we had chosen the claim; otherwise a user had, and it stays kept for a claim of that name.
        by_us: bool,
    },
}

/// Decides. `claim` is the one that the volume names, where it exists.
pub fn plan(volume: &PersistentVolume, claim: Option<&PersistentVolumeClaim>) -> Step {
    let Some(reference) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else {
        return report(volume, "Available");
    };
    if reference.uid.as_deref().is_none_or(str::is_empty) {
        // Kept for a claim that has not come, or not been bound, yet.
        return report(volume, "Available");
    }
    // Another claim of the same name is none of the volume's.
    let Some(claim) = claim.filter(|claim| claim.metadata.uid == reference.uid) else { return released(volume) };
    match volumes::volume_of(claim) {
        // The claim's side comes next.
        None => Step::Nothing,
        Some(name) if Some(name) == volume.metadata.name.as_deref() => report(volume, "Bound"),
        Some(_) if policy(volume) == "Delete" && annotation(&volume.metadata, volumes::PROVISIONED_BY).is_some() => {
            released(volume)
        }
        Some(_) => Step::Free { by_us: annotation(&volume.metadata, volumes::BOUND_BY_CONTROLLER).is_some() },
    }
}

fn report(volume: &PersistentVolume, wanted: &'static str) -> Step {
    match phase(volume) == wanted {
        true => Step::Nothing,
        false => Step::Report { phase: wanted, message: None },
    }
}

fn policy(volume: &PersistentVolume) -> &str {
    volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref()).unwrap_or("Retain")
}

/// A volume whose claim is gone: whoever made it removes it, if it is to be removed.
fn released(volume: &PersistentVolume) -> Step {
    match phase(volume) {
        "Failed" => Step::Nothing,
        "Released" => match (policy(volume), annotation(&volume.metadata, volumes::PROVISIONED_BY)) {
            ("Delete", None) => Step::Report {
                phase: "Failed",
                message: Some(format!(
                    "error getting deleter volume plugin for volume {:?}: no deletable volume plugin matched",
                    volume.metadata.name.as_deref().unwrap_or_default()
                )),
            },
            ("Recycle", _) => {
                Step::Report { phase: "Failed", message: Some("No recycler plugin found for the volume!".to_owned()) }
            }
            _ => Step::Nothing,
        },
        _ => Step::Report { phase: "Released", message: None },
    }
}

/// The reason of the event about a volume that could not be reclaimed.
pub fn failure_reason(volume: &PersistentVolume) -> &'static str {
    if policy(volume) == "Recycle" { "VolumeFailedRecycle" } else { "VolumeFailedDelete" }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn planned(volume: Value, claim: Option<Value>) -> String {
        let volume: PersistentVolume = from_value(volume).expect("a volume");
        let claim: Option<PersistentVolumeClaim> = claim.map(|claim| from_value(claim).expect("a claim"));
        match plan(&volume, claim.as_ref()) {
            Step::Nothing => String::new(),
            Step::Report { phase, message: None } => phase.to_owned(),
            Step::Report { phase, message: Some(message) } => format!("{phase}: {message}"),
            Step::Free { by_us } => format!("free {by_us}"),
        }
    }

    fn volume(phase: &str, reference: Value, policy: &str, annotations: Value) -> Value {
        json!({"metadata": {"name": "v", "annotations": annotations}, "status": {"phase": phase},
            "spec": {"claimRef": reference, "persistentVolumeReclaimPolicy": policy}})
    }

    #[test]
    fn phases_follow_the_claim() {
        let claim = |uid: &str, volume: &str| {
            Some(json!({"metadata": {"name": "c", "namespace": "n", "uid": uid}, "spec": {"volumeName": volume}}))
        };
        let reference = || json!({"namespace": "n", "name": "c", "uid": "u"});
        let retain = |phase: &str, reference: Value| volume(phase, reference, "Retain", json!({}));
        assert_eq!(planned(retain("Pending", Value::Null), None), "Available");
        assert_eq!(planned(retain("Pending", json!({"namespace": "n", "name": "c"})), None), "Available");
        assert_eq!(planned(retain("Available", reference()), claim("u", "")), "");
        assert_eq!(planned(retain("Available", reference()), claim("u", "v")), "Bound");
        assert_eq!(planned(retain("Bound", reference()), claim("u", "v")), "");
        assert_eq!(planned(retain("Bound", reference()), None), "Released");
        assert_eq!(planned(retain("Bound", reference()), claim("later", "")), "Released");
        assert_eq!(planned(retain("Released", reference()), None), "");
        assert_eq!(planned(retain("Available", reference()), claim("u", "other")), "free false");
        let chosen = json!({volumes::BOUND_BY_CONTROLLER: "yes"});
        assert_eq!(planned(volume("Available", reference(), "Retain", chosen), claim("u", "other")), "free true");
        let by_hand = planned(volume("Released", reference(), "Delete", json!({})), None);
        assert_eq!(
            by_hand,
            "Failed: error getting deleter volume plugin for volume \"v\": no deletable volume plugin matched"
        );
        let made = json!({volumes::PROVISIONED_BY: "example.com/p"});
        assert_eq!(planned(volume("Released", reference(), "Delete", made.clone()), None), "", "its maker's turn");
        assert_eq!(planned(volume("Bound", reference(), "Delete", made), claim("u", "other")), "Released");
    }
}

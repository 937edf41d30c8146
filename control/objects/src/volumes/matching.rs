//! Which volume a claim gets.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim};

use super::{asked, capacity, class_of, class_of_volume, is_of, is_reached_from, phase};
use crate::selectors::LabelSelector;

/// Why a volume that a claim names is not for it, in upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It is smaller than what is asked for.
    TooSmall,
    /// It is of another class.
    Class,
    /// One is a device, the other a file system.
    Mode,
    /// It can't be used in all the ways that are asked for.
    Access,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSmall => "requested PV is too small",
            Self::Class => "storageClassName does not match",
            Self::Mode => "incompatible volumeMode",
            Self::Access => "incompatible accessMode",
        })
    }
}

/// Checks a volume that a claim names.
pub fn satisfies(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> Result<(), Mismatch> {
    if capacity(volume) < asked(claim) {
        return Err(Mismatch::TooSmall);
    }
    if class_of_volume(volume) != class_of(claim) {
        return Err(Mismatch::Class);
    }
    if !same_mode(volume, claim) {
        return Err(Mismatch::Mode);
    }
    if accessible(volume, claim) { Ok(()) } else { Err(Mismatch::Access) }
}

/// The best volume for a claim: the one that is kept for it, else the smallest that will do. `node` is where it is to be
/// reached from, once that is known; without it, and with `delayed`, only a volume that is kept for the claim counts.
pub fn best<'a>(
    claim: &PersistentVolumeClaim,
    volumes: &'a [Arc<PersistentVolume>],
    node: Option<&Node>,
    delayed: bool,
) -> Option<&'a Arc<PersistentVolume>> {
    let reached = |volume: &PersistentVolume| node.is_none_or(|node| is_reached_from(volume, node));
    let usable = |volume: &&Arc<PersistentVolume>| {
        capacity(volume) >= asked(claim)
            && same_mode(volume, claim)
            && volume.metadata.deletion_timestamp.is_none()
            && reached(volume)
    };
    if let Some(kept) = volumes.iter().filter(usable).find(|volume| is_of(volume, claim)) {
        return Some(kept);
    }
    if delayed && node.is_none() {
        return None;
    }
    let selector = claim.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    let selector = match selector {
        None => LabelSelector::everything(),
        some => LabelSelector::of(some).ok()?,
    };
    let free = volumes.iter().filter(usable).filter(|volume| {
        volume.spec.as_ref().is_some_and(|spec| spec.claim_ref.is_none())
            && phase(volume) == "Available"
            && class_of_volume(volume) == class_of(claim)
            && accessible(volume, claim)
            && selector.matches(volume.metadata.labels.as_ref())
    });
    free.min_by_key(|volume| capacity(volume))
}

fn same_mode(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let mode = |mode: Option<&String>| mode.map_or("Filesystem", String::as_str).to_owned();
    let of_volume = volume.spec.as_ref().and_then(|spec| spec.volume_mode.as_ref());
    let of_claim = claim.spec.as_ref().and_then(|spec| spec.volume_mode.as_ref());
    mode(of_volume) == mode(of_claim)
}

fn accessible(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let offered = volume.spec.as_ref().and_then(|spec| spec.access_modes.as_deref()).unwrap_or_default();
    let wanted = claim.spec.as_ref().and_then(|spec| spec.access_modes.as_deref()).unwrap_or_default();
    wanted.iter().all(|mode| offered.contains(mode))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn volume(name: &str, size: &str, fields: Value) -> Arc<PersistentVolume> {
        let mut volume = json!({"metadata": {"name": name, "labels": {"disk": name}},
            "spec": {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": "slow"},
            "status": {"phase": "Available"}});
        volume["spec"].as_object_mut().expect("a spec").extend(fields.as_object().cloned().unwrap_or_default());
        Arc::new(from_value(volume).expect("a volume"))
    }

    fn claim(fields: Value) -> PersistentVolumeClaim {
        let mut claim = json!({"metadata": {"name": "data", "namespace": "dev", "uid": "u"},
            "spec": {"resources": {"requests": {"storage": "2Gi"}}, "accessModes": ["ReadWriteOnce"],
                "storageClassName": "slow"}});
        claim["spec"].as_object_mut().expect("a spec").extend(fields.as_object().cloned().unwrap_or_default());
        from_value(claim).expect("a claim")
    }

    fn node(name: &str) -> Node {
        from_value(json!({"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}})).expect("a node")
    }

    #[test]
    fn the_smallest_that_will_do_unless_one_is_kept() {
        let here = json!({"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "kubernetes.io/hostname", "operator": "In", "values": ["a"]}]}]}}});
        let kept = json!({"claimRef": {"namespace": "dev", "name": "data"}});
        let others = json!({"claimRef": {"namespace": "dev", "name": "data", "uid": "another"}});
        let volumes = [
            volume("small", "1Gi", json!({})),
            volume("big", "8Gi", json!({})),
            volume("fits", "3Gi", json!({})),
            volume("near", "2Gi", here),
            volume("taken", "2Gi", others),
            volume("device", "2Gi", json!({"volumeMode": "Block"})),
            volume("fast", "2Gi", json!({"storageClassName": "fast"})),
            volume("shared", "20Gi", json!({"accessModes": ["ReadWriteMany"]})),
        ];
        let name = |claim: &PersistentVolumeClaim, node: Option<&Node>, delayed| {
            best(claim, &volumes, node, delayed).and_then(|volume| volume.metadata.name.clone()).unwrap_or_default()
        };
        let plain = claim(json!({}));
        assert_eq!(name(&plain, None, false), "near");
        assert_eq!(name(&plain, Some(&node("b")), true), "fits");
        assert_eq!(name(&plain, None, true), "", "nobody knows the node yet");
        assert_eq!(name(&claim(json!({"accessModes": ["ReadWriteMany"]})), None, false), "shared");
        assert_eq!(name(&claim(json!({"volumeMode": "Block"})), None, false), "device");
        assert_eq!(name(&claim(json!({"storageClassName": "fast"})), None, false), "fast");
        assert_eq!(name(&claim(json!({"storageClassName": ""})), None, false), "");
        assert_eq!(name(&claim(json!({"selector": {"matchLabels": {"disk": "big"}}})), None, false), "big");
        let with_kept = [&volumes[..], &[volume("kept", "9Gi", kept)]].concat();
        assert_eq!(best(&plain, &with_kept, None, true).and_then(|v| v.metadata.name.as_deref()), Some("kept"));
    }

    #[test]
    fn a_volume_that_is_named_is_checked() {
        let said = |volume: Arc<PersistentVolume>| satisfies(&volume, &claim(json!({}))).map_err(|why| why.to_string());
        assert_eq!(said(volume("v", "2Gi", json!({}))), Ok(()));
        assert_eq!(said(volume("v", "1Gi", json!({}))), Err("requested PV is too small".into()));
        assert_eq!(
            said(volume("v", "2Gi", json!({"storageClassName": "x"}))),
            Err("storageClassName does not match".into())
        );
        assert_eq!(said(volume("v", "2Gi", json!({"volumeMode": "Block"}))), Err("incompatible volumeMode".into()));
        let once = json!({"accessModes": ["ReadOnlyMany"]});
        assert_eq!(said(volume("v", "2Gi", once)), Err("incompatible accessMode".into()));
    }
}

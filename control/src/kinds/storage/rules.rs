//! The rules for what storage drivers keep.

use std::collections::BTreeSet;

use objects::names;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::metadata::IMMUTABLE;
use crate::kinds::numbers::not_negative_amount;
use crate::kinds::{selectors, volume_sources};

const ID_MAX: usize = 192;

/// The rules for a CSIDriver.
pub fn driver(driver: &Value, errors: &mut Errors) {
    let (spec, at) = (driver.at("spec"), Path::new("spec"));
    volume_sources::driver(driver.text("metadata.name"), &Path::new("metadata").child("name"), errors);
    let policies = ["File", "None", "ReadWriteOnceWithFSType"];
    let policy = spec.text("fsGroupPolicy");
    if !policy.is_empty() && !policies.contains(&policy) {
        errors.not_supported(&at.child("fsGroupPolicy"), policy, &policies);
    }
    let mut audiences = BTreeSet::new();
    for (i, request) in spec.items("tokenRequests").iter().enumerate() {
        let (audience, at) = (request.text("audience"), at.child("tokenRequests").index(i));
        if !audiences.insert(audience) {
            errors.duplicate(&at.child("audience"), audience);
        }
        match request.int("expirationSeconds") {
            Some(seconds) if seconds < 600 => {
                let why = "may not specify a duration less than 10 minutes";
                errors.invalid(&at.child("expirationSeconds"), seconds, why);
            }
            Some(seconds) if seconds > 1 << 32 => {
                let why = "may not specify a duration larger than 2^32 seconds";
                errors.invalid(&at.child("expirationSeconds"), seconds, why);
            }
            _ => {}
        }
    }
    let modes = ["Ephemeral", "Persistent"];
    for mode in spec.items("volumeLifecycleModes").iter().filter_map(Value::as_str).filter(|m| !modes.contains(m)) {
        errors.not_supported(&at.child("volumeLifecycleModes"), mode, &modes);
    }
}

/// The rules for a change of CSIDriver.
pub fn driver_update(new: &Value, old: &Value, errors: &mut Errors) {
    for (field, name) in [("attachRequired", "attachedRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")] {
        let now = new.at("spec").at(field);
        if now != old.at("spec").at(field) {
            errors.invalid(&Path::new("spec").child(name), now.clone(), IMMUTABLE);
        }
    }
}

/// The rules for a CSINode.
pub fn node(node: &Value, errors: &mut Errors) {
    let at = Path::new("spec").child("drivers");
    let mut taken = BTreeSet::new();
    for (i, driver) in node.items("spec.drivers").iter().enumerate() {
        let at = at.index(i);
        let (name, id) = (driver.text("name"), driver.text("nodeID"));
        volume_sources::driver(name, &at.child("name"), errors);
        match id.len() {
            0 => errors.required(&at.child("nodeID"), ""),
            n if n > ID_MAX => {
                let why = format!("must be {ID_MAX} characters or less");
                errors.invalid(&at.child("nodeID"), id, &why);
            }
            _ => {}
        }
        if let Some(count) = driver.int("allocatable.count").filter(|n| *n < 0) {
            let at = at.child("allocatable").child("count");
            errors.invalid(&at, count, "must be greater than or equal to 0");
        }
        let mut keys = BTreeSet::new();
        for key in driver.items("topologyKeys").iter().filter_map(Value::as_str) {
            let at = at.child("topologyKeys");
            if key.is_empty() {
                errors.required(&at, "");
            }
            if !keys.insert(key) {
                errors.duplicate(&at, key);
            }
            errors.all_invalid(&at, key, names::qualified_name(key));
        }
        if !taken.insert(name) {
            errors.duplicate(&at.child("name"), name);
        }
    }
}

/// The rules for a change of CSINode: a driver comes or goes, and stays as it is meanwhile.
pub fn node_update(new: &Value, old: &Value, errors: &mut Errors) {
    let at = Path::new("spec").child("drivers");
    for before in old.items("spec.drivers") {
        let same = |d: &&Value| d.text("name") == before.text("name");
        if let Some(now) = new.items("spec.drivers").iter().find(same)
            && ["nodeID", "topologyKeys"].iter().any(|field| now.at(field) != before.at(field))
        {
            errors.invalid(&at, now.clone(), IMMUTABLE);
        }
    }
}

/// The rules for a CSIStorageCapacity.
pub fn capacity(capacity: &Value, errors: &mut Errors) {
    selectors::validate(capacity.at("nodeTopology"), &Path::new("nodeTopology"), errors);
    let class = capacity.text("storageClassName");
    errors.all_invalid(&Path::new("storageClassName"), class, names::dns1123_subdomain(class));
    for field in ["capacity", "maximumVolumeSize"] {
        not_negative_amount(capacity.at(field), &Path::new(field), errors);
    }
}

/// The rules for a change of CSIStorageCapacity.
pub fn capacity_update(new: &Value, old: &Value, errors: &mut Errors) {
    for field in ["nodeTopology", "storageClassName"] {
        if new.at(field) != old.at(field) {
            errors.invalid(&Path::new(field), new.at(field).clone(), IMMUTABLE);
        }
    }
}

/// The rules for a VolumeAttachment.
pub fn attachment(attachment: &Value, errors: &mut Errors) {
    let (spec, at) = (attachment.at("spec"), Path::new("spec"));
    volume_sources::driver(spec.text("attacher"), &at.child("attacher"), errors);
    let (source, source_at) = (spec.at("source"), at.child("source"));
    const ONE: &str = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (source.has("inlineVolumeSpec"), source.at("persistentVolumeName").as_str()) {
        (true, Some(_)) => errors.forbidden(&source_at, ONE),
        (false, None) => errors.required(&source_at, ONE),
        (false, Some("")) => {
            errors.required(&source_at.child("persistentVolumeName"), "must specify non empty persistentVolumeName");
        }
        (false, Some(name)) => {
            errors.all_invalid(&source_at.child("persistentVolumeName"), name, names::dns1123_subdomain(name));
        }
        (true, None) => {}
    }
    let node = spec.text("nodeName");
    errors.all_invalid(&at.child("nodeName"), node, names::dns1123_subdomain(node));
}

/// The rules for a change of VolumeAttachment.
pub fn attachment_update(new: &Value, old: &Value, errors: &mut Errors) {
    if new.at("spec") != old.at("spec") {
        errors.invalid(&Path::new("spec"), new.at("spec").clone(), IMMUTABLE);
    }
}

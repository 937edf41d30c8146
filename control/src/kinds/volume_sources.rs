//! The rules for where volumes come from that pods and persistent volumes share. No node of Sampan mounts them.

use objects::names;
use serde_json::Value;

use super::access::Look;
use super::numbers::within;
use crate::field::{Errors, Path};

/// Fields that a source must have, as texts or as lists.
const REQUIRED: &[(&str, &[&str])] = &[
    ("awsElasticBlockStore", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("azureFile", &["secretName", "shareName"]),
    ("cephfs", &["monitors"]),
    ("cinder", &["volumeID"]),
    ("gcePersistentDisk", &["pdName"]),
    ("gitRepo", &["repository"]),
    ("glusterfs", &["endpoints", "path"]),
    ("hostPath", &["path"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("local", &["path"]),
    ("nfs", &["server", "path"]),
    ("persistentVolumeClaim", &["claimName"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("quobyte", &["registry", "volume"]),
    ("rbd", &["monitors", "image"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("storageos", &["volumeName"]),
    ("vsphereVolume", &["volumePath"]),
];

/// The kinds of paths of the host; sorted, as they are shown.
const HOST_PATHS: [&str; 8] =
    ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

/// The rules for a source of this kind.
pub fn validate(kind: &str, source: &Value, at: &Path, errors: &mut Errors) {
    for field in REQUIRED.iter().find(|(k, _)| *k == kind).map_or(&[][..], |(_, fields)| fields) {
        if source.text(field).is_empty() && source.items(field).is_empty() {
            errors.required(&at.child(field), "");
        }
    }
    match kind {
        "hostPath" => host_path(source, at, errors),
        "nfs" if !source.text("path").starts_with('/') && !source.text("path").is_empty() => {
            errors.invalid(&at.child("path"), source.text("path"), "must be an absolute path");
        }
        "awsElasticBlockStore" | "gcePersistentDisk" => {
            if let Some(partition) = source.int("partition") {
                within(partition, 0, 255, &at.child("partition"), errors);
            }
        }
        "iscsi" => iscsi(source, at, errors),
        "fc" => fibre_channel(source, at, errors),
        "flocker" => flocker(source, at, errors),
        "azureDisk" => azure_disk(source, at, errors),
        "csi" => csi(source, at, errors),
        _ => {}
    }
}

fn host_path(source: &Value, at: &Path, errors: &mut Errors) {
    if source.text("path").split('/').any(|part| part == "..") {
        errors.invalid(&at.child("path"), source.text("path"), "must not contain '..'");
    }
    let kind = source.text("type");
    if !HOST_PATHS.contains(&kind) {
        errors.not_supported(&at.child("type"), kind, &HOST_PATHS);
    }
}

fn iscsi(source: &Value, at: &Path, errors: &mut Errors) {
    let iqn = source.text("iqn");
    if !iqn.is_empty() && !["iqn", "eui", "naa"].iter().any(|prefix| iqn.starts_with(prefix)) {
        errors.invalid(&at.child("iqn"), iqn, "must be valid format starting with iqn, eui, or naa");
    }
    within(source.int("lun").unwrap_or_default(), 0, 255, &at.child("lun"), errors);
    if (source.flag("chapAuthDiscovery") || source.flag("chapAuthSession")) && !source.has("secretRef") {
        errors.required(&at.child("secretRef"), "");
    }
}

fn fibre_channel(source: &Value, at: &Path, errors: &mut Errors) {
    let (targets, wide) = (source.items("targetWWNs"), source.items("wwids"));
    if targets.is_empty() && wide.is_empty() {
        errors.required(&at.child("targetWWNs"), "must specify either targetWWNs or wwids, but not both");
    }
    if !targets.is_empty() && !wide.is_empty() {
        let why = "targetWWNs and wwids can not be specified simultaneously";
        errors.invalid(&at.child("targetWWNs"), Value::from(targets), why);
    }
    match source.int("lun") {
        Some(lun) if !targets.is_empty() => within(lun, 0, 255, &at.child("lun"), errors),
        None if !targets.is_empty() => errors.required(&at.child("lun"), "lun is required if targetWWNs is specified"),
        _ => {}
    }
}

fn flocker(source: &Value, at: &Path, errors: &mut Errors) {
    let (name, uuid) = (source.text("datasetName"), source.text("datasetUUID"));
    match (name.is_empty(), uuid.is_empty()) {
        (true, true) => errors.required(at, "one of datasetName and datasetUUID is required"),
        (false, false) => {
            errors.invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously");
        }
        _ => {}
    }
    if name.contains('/') {
        errors.invalid(&at.child("datasetName"), name, "must not contain '/'");
    }
}

fn azure_disk(source: &Value, at: &Path, errors: &mut Errors) {
    for (field, values) in
        [("cachingMode", ["None", "ReadOnly", "ReadWrite"]), ("kind", ["Dedicated", "Managed", "Shared"])]
    {
        let value = source.text(field);
        if !value.is_empty() && !values.contains(&value) {
            errors.not_supported(&at.child(field), value, &values);
        }
    }
}

fn csi(source: &Value, at: &Path, errors: &mut Errors) {
    driver(source.text("driver"), &at.child("driver"), errors);
    if source.has("nodePublishSecretRef") && source.text("nodePublishSecretRef.name").is_empty() {
        errors.required(&at.child("nodePublishSecretRef").child("name"), "");
    }
}

/// The rules for the name of a storage driver.
pub fn driver(name: &str, at: &Path, errors: &mut Errors) {
    const LONGEST: usize = 63;
    if name.is_empty() {
        errors.required(at, "");
    }
    if name.len() > LONGEST {
        errors.too_long(at, LONGEST);
    }
    errors.all_invalid(at, name, names::dns1123_subdomain(&name.to_lowercase()));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_source_has_its_rules() {
        let cases = [
            ("nfs", json!({"server": "s", "path": "x"}), "v.path: Invalid value: \"x\": must be an absolute path"),
            (
                "iscsi",
                json!({"targetPortal": "p", "iqn": "iqn.x", "lun": 256}),
                "v.lun: Invalid value: 256: must be between 0 and 255, inclusive",
            ),
            ("rbd", json!({"image": "i"}), "v.monitors: Required value"),
            (
                "hostPath",
                json!({"path": "/a", "type": "Pipe"}),
                "v.type: Unsupported value: \"Pipe\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \
                 \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"",
            ),
            ("flocker", json!({}), "v: Required value: one of datasetName and datasetUUID is required"),
        ];
        for (kind, source, words) in cases {
            let mut errors = Errors::default();
            validate(kind, &source, &Path::new("v"), &mut errors);
            assert_eq!(errors.to_string(), words);
        }
    }
}

//! The PersistentVolumes that the provisioner makes, and how it knows them again.

use std::collections::BTreeMap;
use std::path::Path;

use k8s_openapi::api::core::v1::{
    LocalVolumeSource, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, ObjectReference, PersistentVolume,
    PersistentVolumeClaim, PersistentVolumeSpec, VolumeNodeAffinity,
};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// The provisioner's name, as classes and claims have it.
pub const NAME: &str = "rancher.io/local-path";
/// On a volume: who made it.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// What keeps a volume until its directory is gone; the name is that of upstream's provisioners.
const FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";
const HOSTNAME: &str = "kubernetes.io/hostname";
const PREFIX: &str = "pvc-";

/// The name of a claim's volume: there is never a second one for it.
pub fn name(claim: &PersistentVolumeClaim) -> String {
    format!("{PREFIX}{}", claim.metadata.uid.as_deref().unwrap_or_default())
}

/// The name of its directory, in which people recognize the claim.
pub fn directory_name(claim: &PersistentVolumeClaim) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{}_{}_{}", name(claim), text(&claim.metadata.namespace), text(&claim.metadata.name))
}

/// The volume of a claim, in a directory of a node.
pub fn build(claim: &PersistentVolumeClaim, class: &StorageClass, node: &str, path: &Path) -> PersistentVolume {
    let meta = &claim.metadata;
    let spec = claim.spec.clone().unwrap_or_default();
    let asked = spec.resources.and_then(|resources| resources.requests).unwrap_or_default();
    let capacity = asked.into_iter().filter(|(name, _)| name == "storage").collect();
    PersistentVolume {
        metadata: ObjectMeta {
            name: Some(name(claim)),
            annotations: Some(BTreeMap::from([(PROVISIONED_BY.to_owned(), NAME.to_owned())])),
            finalizers: Some(vec![FINALIZER.to_owned()]),
            ..ObjectMeta::default()
        },
        spec: Some(PersistentVolumeSpec {
            access_modes: spec.access_modes,
            capacity: Some(capacity),
            claim_ref: Some(ObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("PersistentVolumeClaim".to_owned()),
                namespace: meta.namespace.clone(),
                name: meta.name.clone(),
                uid: meta.uid.clone(),
                resource_version: meta.resource_version.clone(),
                field_path: None,
            }),
            local: Some(LocalVolumeSource { path: path.display().to_string(), fs_type: None }),
            node_affinity: Some(only_on(node)),
            mount_options: class.mount_options.clone(),
            persistent_volume_reclaim_policy: class.reclaim_policy.clone(),
            storage_class_name: class.metadata.name.clone(),
            volume_mode: Some("Filesystem".to_owned()),
            ..PersistentVolumeSpec::default()
        }),
        status: None,
    }
}

fn only_on(node: &str) -> VolumeNodeAffinity {
    let here = NodeSelectorRequirement {
        key: HOSTNAME.to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![node.to_owned()]),
    };
    let term = NodeSelectorTerm { match_expressions: Some(vec![here]), match_fields: None };
    VolumeNodeAffinity { required: Some(NodeSelector { node_selector_terms: vec![term] }) }
}

/// The name of the directory of a volume that the provisioner made; None for other volumes.
pub fn directory(volume: &PersistentVolume) -> Option<String> {
    let by = volume.metadata.annotations.as_ref()?.get(PROVISIONED_BY)?;
    let path = &volume.spec.as_ref()?.local.as_ref()?.path;
    let name = Path::new(path).file_name()?.to_str()?;
    // Its directory begins with its own name: a volume made by hand cannot claim another's.
    let own = name.strip_prefix(volume.metadata.name.as_deref()?)?;
    (by == NAME && name.starts_with(PREFIX) && own.starts_with('_')).then(|| name.to_owned())
}

/// Whether the volume is on this node.
pub fn is_on(volume: &PersistentVolume, node: &str) -> bool {
    let affinity = volume.spec.as_ref().and_then(|spec| spec.node_affinity.as_ref()?.required.as_ref());
    let terms = affinity.iter().flat_map(|selector| &selector.node_selector_terms);
    let mut wanted = terms.flat_map(|term| term.match_expressions.iter().flatten());
    wanted.any(|one| one.key == HOSTNAME && one.values.iter().flatten().any(|value| value == node))
}

/// The finalizers besides the provisioner's; None where it has none.
pub fn without_finalizer(volume: &PersistentVolume) -> Option<Vec<&str>> {
    let all = volume.metadata.finalizers.as_ref()?;
    let others: Vec<_> = all.iter().map(String::as_str).filter(|one| *one != FINALIZER).collect();
    (others.len() < all.len()).then_some(others)
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_volume_is_known_by_its_own_directory() {
        let claim = from_value(json!({"metadata": {"name": "data", "namespace": "dev", "uid": "u-1"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}));
        let class =
            from_value(json!({"metadata": {"name": "local-path"}, "provisioner": NAME, "reclaimPolicy": "Delete"}));
        let claim: PersistentVolumeClaim = claim.expect("claim");
        let path = Path::new("/var/lib/sampan/volumes").join(directory_name(&claim));
        let mut volume = build(&claim, &class.expect("class"), "a", &path);
        assert_eq!(directory(&volume).as_deref(), Some("pvc-u-1_dev_data"));
        assert!(is_on(&volume, "a") && !is_on(&volume, "b"));
        assert_eq!(without_finalizer(&volume), Some(Vec::new()));
        volume.metadata.name = Some("pvc-u".to_owned());
        assert_eq!(directory(&volume), None, "another's");
        volume.metadata.name = Some("pvc-u-1".to_owned());
        volume.metadata.annotations = None;
        assert_eq!(directory(&volume), None, "somebody else's");
    }
}

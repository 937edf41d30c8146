//! A static pod's manifest, and the mirror that shows it in the API.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use objects::names;
use sha2::{Digest, Sha256};

use crate::image;

const SOURCE: &str = "kubernetes.io/config.source";
const HASH: &str = "kubernetes.io/config.hash";
const SEEN: &str = "kubernetes.io/config.seen";
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Why a file holds no pod.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not text.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// No manifest is so long.
    #[error("it has more than {0} bytes")]
    Long(u64),
    /// Neither YAML nor JSON.
    #[error("it cannot be parsed: {0}")]
    Syntax(String),
    /// Another kind of object, or several.
    #[error("it is not one Pod of v1")]
    Kind,
    /// A pod that cannot run.
    #[error("{0}")]
    Pod(String),
}

/// Reads a static pod of this node: its name ends with the node's, and its uid is made from all it says.
pub fn parse(text: &str, node: &str) -> Result<Pod, Invalid> {
    // JSON is YAML.
    let value: serde_json::Value = serde_yaml::from_str(text).map_err(|error| Invalid::Syntax(error.to_string()))?;
    if value["kind"] != "Pod" || value["apiVersion"] != "v1" {
        return Err(Invalid::Kind);
    }
    let mut pod: Pod = serde_json::from_value(value).map_err(|error| Invalid::Syntax(error.to_string()))?;
    let hash = image::hex(&Sha256::digest(format!("{node}/{text}")))[..32].to_owned();
    let meta = &mut pod.metadata;
    let name = format!("{}-{}", meta.name.as_deref().unwrap_or_default(), node.to_lowercase());
    meta.namespace.get_or_insert_with(|| "default".to_owned());
    meta.uid = Some(hash.clone());
    meta.creation_timestamp = None;
    let annotations = meta.annotations.get_or_insert_default();
    annotations.insert(SOURCE.to_owned(), "file".to_owned());
    annotations.insert(HASH.to_owned(), hash);
    if meta.name.as_deref().unwrap_or_default().is_empty() {
        return Err(Invalid::Pod("metadata.name: Required value".to_owned()));
    }
    meta.name = Some(name);
    pod.status = None;
    check(&mut pod, node)?;
    Ok(pod)
}

/// What the API would refuse, as far as the node itself would trip over it.
fn check(pod: &mut Pod, node: &str) -> Result<(), Invalid> {
    let invalid = |field: &str, why: &str| Err(Invalid::Pod(format!("{field}: {why}")));
    let (meta, spec) = (&pod.metadata, pod.spec.get_or_insert_default());
    for (field, name) in [("metadata.name", &meta.name), ("metadata.namespace", &meta.namespace)] {
        if let Some(why) = names::dns1123_subdomain(name.as_deref().unwrap_or_default()).into_iter().next() {
            return invalid(field, &why);
        }
    }
    if spec.containers.is_empty() {
        return invalid("spec.containers", "Required value");
    }
    if spec.ephemeral_containers.as_ref().is_some_and(|all| !all.is_empty()) {
        return invalid("spec.ephemeralContainers", "Forbidden");
    }
    let mut seen = std::collections::BTreeSet::new();
    for container in spec.init_containers.iter().flatten().chain(&spec.containers) {
        if names::dns1123_label(&container.name).into_iter().next().is_some() || !seen.insert(&container.name) {
            return invalid("spec.containers.name", &format!("Invalid value: {:?}", container.name));
        }
        if container.image.as_deref().unwrap_or_default().is_empty() {
            return invalid("spec.containers.image", "Required value");
        }
    }
    for volume in spec.volumes.iter().flatten() {
        if names::dns1123_label(&volume.name).into_iter().next().is_some() {
            return invalid("spec.volumes.name", &format!("Invalid value: {:?}", volume.name));
        }
    }
    spec.node_name = Some(node.to_owned());
    // It is the node's own: nobody else ends it.
    let tolerates = Toleration {
        operator: Some("Exists".to_owned()),
        effect: Some("NoExecute".to_owned()),
        ..Toleration::default()
    };
    spec.tolerations.get_or_insert_default().push(tolerates);
    Ok(())
}

/// Which static pod an object of the API mirrors.
pub fn mirrored(pod: &Pod) -> Option<&str> {
    pod.metadata.annotations.as_ref()?.get(MIRROR).map(String::as_str)
}

/// The object that shows a static pod in the API.
pub fn mirror(pod: &Pod, node: &str, node_uid: &str, now: Timestamp) -> Pod {
    let mut mirror = pod.clone();
    let meta = &mut mirror.metadata;
    let hash = meta.uid.take().unwrap_or_default();
    let more = [(MIRROR.to_owned(), hash), (SEEN.to_owned(), now.to_string())];
    meta.annotations.get_or_insert_with(BTreeMap::new).extend(more);
    meta.owner_references = Some(vec![OwnerReference {
        api_version: "v1".to_owned(),
        kind: "Node".to_owned(),
        name: node.to_owned(),
        uid: node_uid.to_owned(),
        controller: Some(true),
        ..OwnerReference::default()
    }]);
    mirror
}

/// What is to be done about a mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make it.
    Make,
    /// This one is of an earlier file, or somebody deletes it: away with it.
    Remove(String),
    /// It is as it should be.
    Keep(String),
}

/// Decides about the mirror of `pod`, which is there as `found`.
pub fn plan(pod: &Pod, found: Option<&Pod>) -> Step {
    let Some(found) = found else { return Step::Make };
    let uid = found.metadata.uid.clone().unwrap_or_default();
    let good = found.metadata.deletion_timestamp.is_none() && mirrored(found) == pod.metadata.uid.as_deref();
    if good { Step::Keep(uid) } else { Step::Remove(uid) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WEB: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web, image: localhost/web:1}]}
";

    #[test]
    fn a_static_pod_is_named_after_its_node_and_known_by_its_content() {
        let pod = parse(WEB, "pi").expect("a pod");
        assert_eq!(pod.metadata.name.as_deref(), Some("web-pi"));
        assert_eq!(pod.metadata.namespace.as_deref(), Some("default"));
        let annotations = pod.metadata.annotations.as_ref().expect("annotations");
        assert_eq!(annotations[SOURCE], "file");
        assert_eq!(Some(annotations[HASH].as_str()), pod.metadata.uid.as_deref());
        assert_eq!(parse(WEB, "pi").expect("again").metadata.uid, pod.metadata.uid);
        let other = parse(&WEB.replace("web:1", "web:2"), "pi").expect("another");
        assert_ne!(other.metadata.uid, pod.metadata.uid);
        assert_eq!(pod.spec.and_then(|spec| spec.node_name).as_deref(), Some("pi"));
    }

    #[test]
    fn what_is_no_pod_is_refused() {
        let cases = [
            ("{", "it cannot be parsed"),
            ("{kind: Service, apiVersion: v1}", "it is not one Pod of v1"),
            ("{kind: Pod, apiVersion: v1, metadata: {name: a}}", "spec.containers: Required value"),
            ("{kind: Pod, apiVersion: v1, spec: {containers: [{name: a, image: b}]}}", "metadata.name: Required value"),
            (
                "{kind: Pod, apiVersion: v1, metadata: {name: ../a}, spec: {containers: [{name: a, image: b}]}}",
                "metadata.name: ",
            ),
            (
                "{kind: Pod, apiVersion: v1, metadata: {name: a}, spec: {containers: [{name: a}]}}",
                "image: Required value",
            ),
            (
                "{kind: Pod, apiVersion: v1, metadata: {name: a}, spec: {containers: [{name: ../b, image: c}]}}",
                "Invalid value",
            ),
        ];
        for (text, words) in cases {
            let error = parse(text, "pi").expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn a_mirror_is_made_kept_and_replaced() {
        let pod = parse(WEB, "pi").expect("a pod");
        assert_eq!(plan(&pod, None), Step::Make);
        let mut mirror = mirror(&pod, "pi", "node-uid", Timestamp::UNIX_EPOCH);
        assert_eq!(mirror.metadata.uid, None);
        assert_eq!(mirrored(&mirror), pod.metadata.uid.as_deref());
        let owner = serde_json::to_value(&mirror.metadata.owner_references).expect("json");
        assert_eq!(
            owner,
            json!([{"apiVersion": "v1", "kind": "Node", "name": "pi", "uid": "node-uid", "controller": true}])
        );
        mirror.metadata.uid = Some("m1".to_owned());
        assert_eq!(plan(&pod, Some(&mirror)), Step::Keep("m1".to_owned()));
        let other = parse(&WEB.replace("web:1", "web:2"), "pi").expect("another");
        assert_eq!(plan(&other, Some(&mirror)), Step::Remove("m1".to_owned()));
        mirror.metadata.deletion_timestamp = Some(objects::time::now());
        assert_eq!(plan(&pod, Some(&mirror)), Step::Remove("m1".to_owned()));
    }
}

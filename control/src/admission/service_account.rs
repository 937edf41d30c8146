//! ServiceAccount: a pod runs as an account of its namespace, and finds the account's token where clients look for it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::facts::{Fact, Facts};
use super::{Operation, Review};
use crate::kinds::{Change, Look};
use crate::registry::Registry;
use crate::status::Status;
use crate::store::Interest;

const TOKENS: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX: &str = "kube-api-access-";
const DEFAULT: &str = "default";
const MIRROR: &str = "kubernetes.io/config.mirror";
/// How long a pod waits for its namespace's default account, which a controller makes: namespaces and pods are often
/// created in one go.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What a pod gets from its account.
#[derive(Debug, Default)]
pub struct Account {
    automount: Option<bool>,
    pull_secrets: Vec<Value>,
}

impl Fact for Account {
    const RESOURCE: &'static str = "serviceaccounts";

    fn read(object: &Value) -> Self {
        Self {
            automount: object.at("automountServiceAccountToken").as_bool(),
            pull_secrets: object.items("imagePullSecrets").iter().map(|s| json!({"name": s.text("name")})).collect(),
        }
    }
}

/// Gives a new pod its account, the account's token and its pull secrets.
pub async fn mutate(
    accounts: &Facts<Account>,
    registry: &Registry,
    review: &Review<'_>,
    pod: &mut Value,
) -> Result<(), Status> {
    if !(review.is("", "pods") && review.subresource.is_empty() && review.operation == Operation::Create) {
        return Ok(());
    }
    if pod.at("metadata.annotations").get(MIRROR).is_some() {
        return mirror(pod).map_err(|why| review.forbidden_early(pod, why));
    }
    if pod.text("spec.serviceAccountName").is_empty() {
        pod.set("spec", "serviceAccountName", DEFAULT);
    }
    let namespace = &review.target.namespace;
    let name = pod.text("spec.serviceAccountName").to_owned();
    let Some(account) = find(accounts, registry, namespace, &name).await else {
        let why = format!("error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found");
        return Err(review.forbidden_early(pod, &why));
    };
    join(pod, &account);
    Ok(())
}

async fn find(
    accounts: &Facts<Account>,
    registry: &Registry,
    namespace: &Arc<str>,
    name: &str,
) -> Option<Arc<Account>> {
    let store = registry.store();
    let since = store.revision();
    let look = || accounts.one(store, namespace, name);
    if let Some(account) = look() {
        return Some(account);
    }
    if name != DEFAULT {
        return None;
    }
    let interest =
        Interest { resource: Account::RESOURCE.into(), namespace: Some(namespace.clone()), name: Some(DEFAULT.into()) };
    let mut watch = store.watch(interest, since).ok()?;
    let _ = tokio::time::timeout(PATIENCE, watch.next()).await;
    look()
}

/// What the node's own pods may not refer to: they are copies, and nobody may hand them secrets.
fn mirror(pod: &Value) -> Result<(), &'static str> {
    if !pod.text("spec.serviceAccountName").is_empty() {
        return Err("a mirror pod may not reference service accounts");
    }
    if names_secret(pod.at("spec")) {
        return Err("a mirror pod may not reference secrets");
    }
    let sources = pod.items("spec.volumes").iter().flat_map(|v| v.items("projected.sources"));
    if sources.into_iter().any(|s| s.has("serviceAccountToken")) {
        return Err("a mirror pod may not use ServiceAccountToken volume projections");
    }
    Ok(())
}

fn names_secret(spec: &Value) -> bool {
    let in_container = |c: &Value| {
        c.items("envFrom").iter().any(|e| e.has("secretRef"))
            || c.items("env").iter().any(|e| e.has("valueFrom.secretKeyRef"))
    };
    let in_volume = |v: &Value| v.has("secret") || v.items("projected.sources").iter().any(|s| s.has("secret"));
    !spec.items("imagePullSecrets").is_empty()
        || ["initContainers", "containers", "ephemeralContainers"]
            .iter()
            .any(|l| spec.items(l).iter().any(in_container))
        || spec.items("volumes").iter().any(in_volume)
}

/// The pod takes what its account has for it.
fn join(pod: &mut Value, account: &Account) {
    let spec = pod.map_at("").entry("spec").or_insert_with(|| json!({}));
    let name = spec.text("serviceAccountName").to_owned();
    spec.set("", "serviceAccount", name);
    if spec.at("automountServiceAccountToken").as_bool().or(account.automount).unwrap_or(true) {
        mount_token(spec);
    }
    if spec.items("imagePullSecrets").is_empty() && !account.pull_secrets.is_empty() {
        spec.set("", "imagePullSecrets", account.pull_secrets.clone());
    }
}

fn mount_token(spec: &mut Value) {
    let existing = spec.items("volumes").iter().map(|v| v.text("name")).find(|n| n.starts_with(VOLUME_PREFIX));
    let (name, is_new) = match existing {
        Some(name) => (name.to_owned(), false),
        None => (objects::names::generate(VOLUME_PREFIX), true),
    };
    let mut mounted = false;
    for list in ["initContainers", "containers"] {
        for container in spec.items_mut(list) {
            mounted |= mount(container, &name);
        }
    }
    if is_new && mounted {
        push(spec, "volumes", token_volume(&name));
    }
}

/// Mounts the token volume where the container has nothing at that place.
fn mount(container: &mut Value, volume: &str) -> bool {
    if container.items("volumeMounts").iter().any(|m| m.text("mountPath") == TOKENS) {
        return false;
    }
    push(container, "volumeMounts", json!({"name": volume, "readOnly": true, "mountPath": TOKENS}));
    true
}

/// The token expires after an hour and seven seconds: by the odd seconds one tells it from a token that a user asked for.
fn token_volume(name: &str) -> Value {
    json!({"name": name, "projected": {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace",
                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ],
        "defaultMode": 420,
    }})
}

fn push(object: &mut Value, list: &str, item: Value) {
    match object.map_at("").entry(list).or_insert_with(|| json!([])) {
        Value::Array(items) => items.push(item),
        other => *other = json!([item]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(mut pod: Value, account: Value) -> Value {
        join(&mut pod, &Account::read(&account));
        pod
    }

    #[test]
    fn every_container_finds_the_token() {
        let pod = json!({"spec": {"containers": [{"name": "c"}], "initContainers": [{"name": "i"}]}});
        let pod = joined(pod, json!({"imagePullSecrets": [{"name": "pull"}]}));
        let volume = pod.items("spec.volumes")[0].text("name").to_owned();
        assert_eq!(volume.len(), VOLUME_PREFIX.len() + 5, "{volume}");
        let mount = json!([{"name": volume, "readOnly": true, "mountPath": TOKENS}]);
        for list in ["spec.containers", "spec.initContainers"] {
            assert_eq!(pod.items(list)[0].at("volumeMounts"), &mount);
        }
        assert_eq!(pod.at("spec.imagePullSecrets"), &json!([{"name": "pull"}]));
    }

    #[test]
    fn pod_and_account_may_opt_out_and_the_pod_has_the_last_word() {
        let pod = |automount: Value| {
            json!({"spec": {"automountServiceAccountToken": automount, "serviceAccountName": "robot",
                "imagePullSecrets": [{"name": "mine"}], "containers": [{"name": "c"}]}})
        };
        for (pod_says, account_says, mounted) in [
            (json!(null), json!(null), 1),
            (json!(false), json!(null), 0),
            (json!(null), json!(false), 0),
            (json!(true), json!(false), 1),
        ] {
            let account = json!({"automountServiceAccountToken": account_says, "imagePullSecrets": [{"name": "pull"}]});
            let pod = joined(pod(pod_says), account);
            assert_eq!(pod.items("spec.volumes").len(), mounted);
            assert_eq!(pod.text("spec.serviceAccount"), "robot");
            assert_eq!(pod.at("spec.imagePullSecrets"), &json!([{"name": "mine"}]));
        }
    }

    #[test]
    fn a_mount_of_the_author_stays() {
        let pod =
            json!({"spec": {"containers": [{"name": "c", "volumeMounts": [{"name": "mine", "mountPath": TOKENS}]}]}});
        let pod = joined(pod, json!({}));
        assert_eq!(pod.items("spec.volumes"), [] as [Value; 0]);
        assert_eq!(pod.items("spec.containers")[0].items("volumeMounts").len(), 1);
    }

    #[test]
    fn mirror_pods_refer_to_nothing() {
        for (spec, want) in [
            (json!({}), Ok(())),
            (json!({"serviceAccountName": "a"}), Err("a mirror pod may not reference service accounts")),
            (json!({"imagePullSecrets": [{"name": "a"}]}), Err("a mirror pod may not reference secrets")),
            (
                json!({"volumes": [{"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]}),
                Err("a mirror pod may not use ServiceAccountToken volume projections"),
            ),
        ] {
            assert_eq!(mirror(&json!({"spec": spec})), want);
        }
    }
}

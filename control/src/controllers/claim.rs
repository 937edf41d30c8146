//! Which objects belong to an owner: adoption of orphans and release of strays.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use objects::owners;
use objects::selectors::LabelSelector;
use serde_json::{Value, json};

use crate::registry::{Api, Object};
use crate::status::Status;

/// What an owner does about one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is the owner's already.
    Keep,
    /// It has no controller, and the selector takes it.
    Adopt,
    /// It is the owner's, but the selector does not take it any more.
    Release,
    /// It is somebody else's, or on its way out.
    Ignore,
}

/// Decides about `object` for `owner`.
pub(super) fn decide(owner: &ObjectMeta, selector: &LabelSelector, object: &ObjectMeta) -> Claim {
    let dying = owner.deletion_timestamp.is_some();
    let selected = selector.matches(object.labels.as_ref());
    match owners::controller_of(object) {
        Some(r) if Some(&r.uid) != owner.uid.as_ref() => Claim::Ignore,
        Some(_) if selected => Claim::Keep,
        Some(_) if dying => Claim::Ignore,
        Some(_) => Claim::Release,
        None if dying || !selected || object.deletion_timestamp.is_some() => Claim::Ignore,
        None => Claim::Adopt,
    }
}

/// Claims each of `objects` for `owner`: the ones that are its own then, freshly adopted ones included.
///
/// # Errors
/// The first adoption or release that failed for another reason than that the object is gone.
pub(super) async fn all<O: Object, K: Object>(
    owners: &Api<O>,
    api: &Api<K>,
    owner: &O,
    selector: &LabelSelector,
    objects: Vec<Arc<K>>,
) -> Result<Vec<Arc<K>>, Status> {
    let mut ours = Vec::with_capacity(objects.len());
    let mut may_adopt = false;
    for object in objects {
        match decide(owner.metadata(), selector, object.metadata()) {
            Claim::Keep => ours.push(object),
            Claim::Ignore => {}
            Claim::Release => {
                gone_is_fine(patch(api, &*object, released(owner.metadata(), object.metadata())).await)?;
            }
            Claim::Adopt => {
                if !may_adopt && !is_there(owners, owner) {
                    return Err(Status::modified(O::URL_PATH_SEGMENT, names(owner.metadata()).1));
                }
                may_adopt = true;
                let adopted = patch(api, &*object, adopted(owner, object.metadata())).await;
                ours.extend(gone_is_fine(adopted)?.map(Arc::new));
            }
        }
    }
    Ok(ours)
}

/// Whether the owner is there and stays, as the store has it. An informer may show one that was deleted a moment ago,
/// while another shows already that its dependents are gone: what is made for it then is garbage at once.
pub(super) fn is_there<O: Object>(api: &Api<O>, owner: &O) -> bool {
    let meta = owner.metadata();
    let (namespace, name) = names(meta);
    let now = api.get(namespace, name);
    now.is_ok_and(|now| now.metadata().uid == meta.uid && now.metadata().deletion_timestamp.is_none())
}

async fn patch<K: Object>(api: &Api<K>, object: &K, patch: Value) -> Result<K, Status> {
    let (namespace, name) = names(object.metadata());
    api.patch_merge(namespace, name, patch).await
}

fn names(meta: &ObjectMeta) -> (&str, &str) {
    (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

fn gone_is_fine<K>(result: Result<K, Status>) -> Result<Option<K>, Status> {
    match result {
        Ok(object) => Ok(Some(object)),
        Err(status) if status.is_not_found() => Ok(None),
        Err(status) => Err(status),
    }
}

fn adopted<O: Object>(owner: &O, object: &ObjectMeta) -> Value {
    let mut references = owners::references(object).to_vec();
    references.push(owners::controller_ref(owner));
    with_references(object, json!(references))
}

fn released(owner: &ObjectMeta, object: &ObjectMeta) -> Value {
    let kept: Vec<_> = owners::references(object).iter().filter(|r| Some(&r.uid) != owner.uid.as_ref()).collect();
    with_references(object, if kept.is_empty() { Value::Null } else { json!(kept) })
}

/// The patch is refused when the object is another one, or changed, meanwhile.
fn with_references(object: &ObjectMeta, references: Value) -> Value {
    json!({ "metadata": {
        "uid": object.uid,
        "resourceVersion": object.resource_version,
        "ownerReferences": references,
    }})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::api::apps::v1::ReplicaSet;
    use objects::time;

    use super::*;

    fn meta(uid: &str, app: &str) -> ObjectMeta {
        ObjectMeta {
            uid: Some(uid.into()),
            labels: Some(BTreeMap::from([("app".to_owned(), app.to_owned())])),
            ..ObjectMeta::default()
        }
    }

    #[test]
    fn every_situation_has_its_claim() {
        let owner = ReplicaSet { metadata: meta("o", "web"), ..ReplicaSet::default() };
        let mut dying = owner.clone();
        dying.metadata.deletion_timestamp = Some(time::now());
        let selector: LabelSelector = "app=web".parse().unwrap_or_default();
        let owned = |mut m: ObjectMeta, uid: &str| {
            let reference = owners::controller_ref(&ReplicaSet { metadata: meta(uid, ""), ..ReplicaSet::default() });
            m.owner_references = Some(vec![reference]);
            m
        };
        let mut leaving = meta("p", "web");
        leaving.deletion_timestamp = Some(time::now());
        for (object, alive, ending) in [
            (meta("p", "web"), Claim::Adopt, Claim::Ignore),
            (meta("p", "db"), Claim::Ignore, Claim::Ignore),
            (leaving, Claim::Ignore, Claim::Ignore),
            (owned(meta("p", "web"), "o"), Claim::Keep, Claim::Keep),
            (owned(meta("p", "db"), "o"), Claim::Release, Claim::Ignore),
            (owned(meta("p", "web"), "x"), Claim::Ignore, Claim::Ignore),
        ] {
            assert_eq!(decide(&owner.metadata, &selector, &object), alive);
            assert_eq!(decide(&dying.metadata, &selector, &object), ending);
        }
    }
}

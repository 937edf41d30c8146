//! Kinds with more than one version: stored in one of them, taken and shown in any.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::Registry;
use super::object::meta_str;
use super::resources::{Resource, Target};
use crate::field::Errors;
use crate::kinds::{events, horizontalpodautoscalers as autoscalers};
use crate::status::Status;
use crate::store::Entry;

/// The way between a version that is served and the one that is stored.
pub struct Conversion {
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    /// Group and version of the kind that is stored; the resource has the same name there.
    stored: (&'static str, &'static str),
    to_stored: fn(Value) -> Value,
    from_stored: fn(Value) -> Value,
    /// What this version asks of a new object beyond the rules of the stored one, given in this version.
    check: fn(&Value, &mut Errors),
}

impl Conversion {
    /// The store's name for the resource.
    pub fn stored_as(&self) -> String {
        match self.stored.0 {
            "" => self.resource.to_owned(),
            group => format!("{}.{group}", self.resource),
        }
    }
}

const CONVERSIONS: &[Conversion] = &[
    Conversion {
        group: "autoscaling",
        version: "v1",
        resource: "horizontalpodautoscalers",
        stored: ("autoscaling", "v2"),
        to_stored: autoscalers::from_v1,
        from_stored: autoscalers::to_v1,
        check: |_, _| {},
    },
    Conversion {
        group: "events.k8s.io",
        version: "v1",
        resource: "events",
        stored: ("", "v1"),
        to_stored: events::from_new_group,
        from_stored: events::to_new_group,
        check: events::check_new_group,
    },
];

/// The conversion of a resource that is not stored as it is served.
pub fn conversion(group: &str, version: &str, resource: &str) -> Option<&'static Conversion> {
    CONVERSIONS.iter().find(|c| c.group == group && c.version == version && c.resource == resource)
}

impl Resource {
    /// True where the version that is served is the one that is stored.
    pub fn is_shown_as_stored(&self) -> bool {
        match self.custom_kind() {
            None => self.conversion.is_none(),
            Some(kind) => kind.is_shown_as_stored(),
        }
    }

    /// An object in this version, from how it is stored.
    pub fn show(&self, object: &mut Value) {
        if let Some(conversion) = self.conversion {
            *object = (conversion.from_stored)(object.take());
            object["apiVersion"] = self.api_version.as_str().into();
            // Only the order of fields can be wrong: what was stored has been through this.
            drop(self.conform(object));
        }
        if let Some(kind) = self.custom_kind() {
            kind.show(object);
        }
    }

    /// An object of this version, as it is stored.
    pub(crate) fn to_stored_form(&self, mut object: Value) -> Value {
        let Some(conversion) = self.conversion else { return object };
        object = (conversion.to_stored)(object);
        object["apiVersion"] = match conversion.stored {
            ("", version) => version.into(),
            (group, version) => format!("{group}/{version}").into(),
        };
        object
    }

    /// The same for encoded objects. Where the stored version is served, nothing is copied.
    pub fn shown(&self, stored: &Bytes) -> Result<Bytes, Status> {
        if self.is_shown_as_stored() {
            return Ok(stored.clone());
        }
        let mut object = serde_json::from_slice(stored).map_err(Status::internal)?;
        self.show(&mut object);
        Ok(object.to_string().into())
    }
}

/// Custom kinds are converted last on the way in and first on the way out, and their conversion may have to be asked for:
/// rules, patches and field managers see them in the version of the request.
impl Registry {
    /// A stored object as a write to this resource sees it: of a custom kind in the version of the request, of a
    /// built-in one as it is stored.
    pub(super) async fn seen(&self, resource: &Resource, entry: &Entry) -> Result<Value, Status> {
        match resource.custom_kind() {
            Some(kind) if !kind.is_shown_as_stored() => {
                let mut shown = kind.shown(self.webhooks(), vec![entry.value()]).await?;
                Ok(shown.pop().unwrap_or_default())
            }
            _ => Ok(entry.value()),
        }
    }

    /// The reverse of [`Registry::seen`].
    pub(super) async fn kept(&self, resource: &Resource, object: Value) -> Result<Value, Status> {
        match resource.custom_kind() {
            Some(kind) => Ok(kind.stored(self.webhooks(), object).await?),
            None => Ok(object),
        }
    }

    /// True where an entry is of the version that is stored today. A write that changes nothing else brings it there.
    pub(super) fn is_kept_as_seen(&self, resource: &Resource, entry: &Entry) -> bool {
        match resource.custom_kind() {
            Some(kind) if !kind.is_shown_as_stored() => kind.is_kept(&entry.value()),
            _ => true,
        }
    }

    /// What a write left behind, in the version of the request where it takes a webhook to get there.
    pub(super) async fn told(&self, resource: &Resource, bytes: Bytes) -> Result<Bytes, Status> {
        match resource.custom_kind().filter(|kind| kind.asks_webhook()) {
            None => Ok(bytes),
            Some(kind) => {
                let object = serde_json::from_slice(&bytes).map_err(Status::internal)?;
                let shown = kind.shown(self.webhooks(), vec![object]).await?;
                Ok(shown.first().map(Value::to_string).unwrap_or_default().into())
            }
        }
    }

    /// Entries in the version of `resource`, where it takes a webhook to get there; others are as they were.
    ///
    /// # Errors
    /// 500 with what the webhook did not do.
    pub async fn in_version(&self, resource: &Resource, entries: Vec<Arc<Entry>>) -> Result<Vec<Arc<Entry>>, Status> {
        let Some(kind) = resource.custom_kind().filter(|kind| kind.asks_webhook()) else { return Ok(entries) };
        let shown = kind.shown(self.webhooks(), entries.iter().map(|e| e.value()).collect()).await?;
        let entry = |(entry, object): (&Arc<Entry>, Value)| {
            let bytes = object.to_string().into();
            Arc::new(Entry { key: entry.key.clone(), revision: entry.revision, bytes, class: entry.class })
        };
        Ok(entries.iter().zip(shown).map(entry).collect())
    }

    /// Checks a new object against the rules of its version alone.
    pub(super) fn check_version(&self, target: &Target, object: &Value) -> Result<(), Status> {
        let Some(conversion) = target.resource.conversion else { return Ok(()) };
        let mut errors = Errors::default();
        (conversion.check)(object, &mut errors);
        match errors.is_empty() {
            true => Ok(()),
            false => Err(Status::invalid(&target.resource.qualified_kind, meta_str(object, "name"), &errors)),
        }
    }

    /// An object in the version that is stored, and the target in that version.
    pub(super) fn to_stored<'a>(&self, target: &'a Target, object: &mut Value) -> Result<Cow<'a, Target>, Status> {
        let Some(conversion) = target.resource.conversion else { return Ok(Cow::Borrowed(target)) };
        *object = (conversion.to_stored)(object.take());
        let target = self.stored_target(target)?;
        object["apiVersion"] = target.resource.api_version.as_str().into();
        Ok(target)
    }

    /// The target in the version that is stored.
    pub(super) fn stored_target<'a>(&self, target: &'a Target) -> Result<Cow<'a, Target>, Status> {
        let Some(conversion) = target.resource.conversion else { return Ok(Cow::Borrowed(target)) };
        let resources = self.resources();
        let found = resources.find(conversion.stored.0, conversion.stored.1, conversion.resource);
        let resource = found.ok_or_else(|| Status::internal("the stored version is not served"))?.clone();
        Ok(Cow::Owned(Target { resource, ..target.clone() }))
    }
}

//! What is served: a row of the schema table, its behaviour, and the strings made of both, built once.

use std::collections::HashMap;
use std::sync::Arc;

use schema::{ResourceRow, TypeRef};

use super::nature::Nature;
use super::versions::{self, Conversion};
use crate::custom;
use crate::kinds::{self, Behavior};
use crate::metrics;
use crate::store::Key;

/// Resources of the core group whose deletion answers with the object.
const RETURNED: &[&str] = &[
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "podtemplates",
    "resourcequotas",
    "serviceaccounts",
    "services",
];

/// One served resource in one version.
pub struct Resource {
    /// Names, verbs and sub-resources.
    pub row: Arc<ResourceRow>,
    /// What the kind needs beyond its schema.
    pub behavior: &'static Behavior,
    /// Where its schema comes from.
    pub(super) nature: Nature,
    /// `pods`, `deployments.apps`: how errors name it.
    pub qualified: Arc<str>,
    /// The store's name for it: the same, but for a kind that is kept as one of another group.
    pub stored: Arc<str>,
    /// `Pod`, `Deployment.apps`: how validation errors name it.
    pub qualified_kind: String,
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// `{"kind":"Pod","apiVersion":"v1",`: what a stored object starts with, and list items leave out.
    pub head: String,
    /// Where the stored version is another one.
    pub(super) conversion: Option<&'static Conversion>,
}

impl Resource {
    fn built_in(row: &Arc<ResourceRow>, ty: TypeRef<'static>) -> Self {
        let behavior = kinds::behavior(&row.group, &row.resource);
        let conversion = versions::conversion(&row.group, &row.version, &row.resource);
        let resource = Self::new(row, behavior, Nature::BuiltIn(ty));
        let stored = conversion.map_or(resource.stored.clone(), |c| c.stored_as().into());
        Self { conversion, stored, ..resource }
    }

    /// A version of a custom kind.
    pub(crate) fn custom(kind: &Arc<custom::Kind>) -> Self {
        Self::new(&kind.row, &Behavior::CUSTOM, Nature::Custom(kind.clone()))
    }

    fn new(row: &Arc<ResourceRow>, behavior: &'static Behavior, nature: Nature) -> Self {
        let with_group = |name: &str| match row.group.as_str() {
            "" => name.to_owned(),
            group => format!("{name}.{group}"),
        };
        let api_version = row.group_version();
        let qualified: Arc<str> = with_group(&row.resource).into();
        Self {
            behavior,
            nature,
            stored: qualified.clone(),
            qualified,
            qualified_kind: with_group(&row.kind),
            head: format!("{{\"kind\":\"{}\",\"apiVersion\":\"{api_version}\",", row.kind),
            api_version,
            conversion: None,
            row: row.clone(),
        }
    }

    /// True where a deletion answers with the object that it removed, not with a Status.
    pub fn returns_deleted(&self) -> bool {
        self.row.group.is_empty() && RETURNED.contains(&self.row.resource.as_str())
    }

    /// True where the sub-resource is there.
    pub fn has_part(&self, name: &str) -> bool {
        self.row.subresources.iter().any(|s| s.name == name)
    }

    /// True where nothing is stored: each answer is made when it is asked for.
    pub fn is_computed(&self) -> bool {
        self.row.group == metrics::GROUP
    }

    /// True for the resource with this group and plural name.
    pub fn is(&self, group: &str, resource: &str) -> bool {
        self.row.group == group && self.row.resource == resource
    }
}

/// All served resources, by group, version and plural name.
pub struct Resources {
    ordered: Vec<Arc<Resource>>,
    by_path: HashMap<String, Arc<Resource>>,
    by_name: HashMap<Arc<str>, Arc<Resource>>,
}

impl Resources {
    /// The built-in kinds of this release.
    pub fn built_in() -> Self {
        let table = schema::builtin();
        let resource = |row: &ResourceRow| {
            let ty = table.kind(&row.group, &row.version, &row.kind)?;
            Some(Arc::new(Resource::built_in(&Arc::new(row.clone()), ty)))
        };
        let computed = metrics::kinds().iter().map(|kind| Arc::new(Resource::custom(kind))).collect::<Vec<_>>();
        Self::of(table.resources().iter().filter_map(resource).chain(computed).collect())
    }

    /// The built-in kinds of these resources, and custom ones.
    #[must_use]
    pub fn with_custom(&self, kinds: &[Arc<custom::Kind>]) -> Self {
        let built_in = self.ordered.iter().filter(|r| !r.is_custom() || r.is_computed()).cloned();
        Self::of(built_in.chain(kinds.iter().map(|kind| Arc::new(Resource::custom(kind)))).collect())
    }

    fn of(ordered: Vec<Arc<Resource>>) -> Self {
        let by_path =
            ordered.iter().map(|r| (path(&r.row.group, &r.row.version, &r.row.resource), r.clone())).collect();
        // The first version of a resource is the preferred one.
        let by_name = ordered.iter().rev().map(|r| (r.qualified.clone(), r.clone())).collect();
        Self { ordered, by_path, by_name }
    }

    /// The resource that a path names.
    pub fn find(&self, group: &str, version: &str, resource: &str) -> Option<&Arc<Resource>> {
        self.by_path.get(&path(group, version, resource))
    }

    /// The resource that the store keeps under this name, in its preferred version: `deployments.apps`.
    pub fn stored_as(&self, qualified: &str) -> Option<&Arc<Resource>> {
        self.by_name.get(qualified)
    }

    /// The resource of a kind.
    pub fn of_kind(&self, group: &str, version: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.ordered.iter().find(|r| r.row.group == group && r.row.version == version && r.row.kind == kind)
    }

    /// The rows of discovery.
    pub fn rows(&self) -> impl Iterator<Item = &ResourceRow> {
        self.ordered.iter().map(|r| &*r.row)
    }

    /// All, in discovery order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.ordered.iter()
    }
}

fn path(group: &str, version: &str, resource: &str) -> String {
    format!("{group}/{version}/{resource}")
}

/// One object, or one collection where `name` is empty.
#[derive(Clone)]
pub struct Target {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The namespace; empty for cluster-wide kinds and for lists over all namespaces.
    pub namespace: Arc<str>,
    /// The name; empty for a collection.
    pub name: Arc<str>,
}

impl Target {
    /// Names one object of `resource`.
    pub fn new(resource: &Arc<Resource>, namespace: &str, name: &str) -> Self {
        Self { resource: resource.clone(), namespace: namespace.into(), name: name.into() }
    }

    /// An object of the collection, by its key.
    #[must_use]
    pub fn at(&self, key: &Key) -> Self {
        Self { resource: self.resource.clone(), namespace: key.namespace.clone(), name: key.name.clone() }
    }

    /// The same collection's object `name`.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self { name: name.into(), ..self.clone() }
    }

    /// Its place in the store.
    pub fn key(&self) -> Key {
        Key { resource: self.resource.stored.clone(), namespace: self.namespace.clone(), name: self.name.clone() }
    }
}

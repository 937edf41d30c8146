//! The rows of discovery: what is served under which name, with which verbs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The verbs of a resource, in discovery's order.
pub type Verbs = Vec<&'static str>;

const ALL: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// A resource that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRow {
    /// `apps`, `""` for core.
    pub group: String,
    /// `v1`
    pub version: String,
    /// The version that is stored, of a kind whose objects are kept in another one.
    pub stored: Option<String>,
    /// `deployments`
    pub resource: String,
    /// `Deployment`
    pub kind: String,
    /// `deployment`
    pub singular: String,
    /// In a namespace, or of the cluster.
    pub namespaced: bool,
    /// What can be done.
    pub verbs: Verbs,
    /// `deploy`
    pub short_names: Vec<String>,
    /// `all`
    pub categories: Vec<String>,
    /// `status`, `scale` …
    pub subresources: Vec<SubRow>,
}

/// A sub-resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubRow {
    /// `scale`
    pub name: String,
    /// The group of its kind where that is not the parent's: `autoscaling`.
    pub group: Option<String>,
    /// The version likewise.
    pub version: Option<String>,
    /// `Scale`
    pub kind: String,
    /// What can be done.
    pub verbs: Verbs,
}

impl ResourceRow {
    /// `apps/v1`, or `v1` for core.
    pub fn group_version(&self) -> String {
        group_version(&self.group, &self.version)
    }

    /// A sub-resource by name.
    pub fn subresource(&self, name: &str) -> Option<&SubRow> {
        self.subresources.iter().find(|sub| sub.name == name)
    }

    /// Discovery's `storageVersionHash`: of the version in which upstream keeps the kind. Reviews are not kept.
    pub fn storage_version_hash(&self) -> Option<String> {
        if !self.verbs.contains(&"watch") {
            return None;
        }
        let (group, version) = match (&*self.group, &*self.resource) {
            ("events.k8s.io", "events") => ("", "v1"),
            ("autoscaling", "horizontalpodautoscalers") => ("autoscaling", "v2"),
            (group, _) => (group, self.stored.as_deref().unwrap_or(&self.version)),
        };
        let digest = Sha256::digest(format!("{group}/{version}/{}", self.kind));
        Some(STANDARD.encode(&digest[..8]))
    }
}

/// `apps/v1`, or `v1` for core.
pub(crate) fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// Reads `data/resources.tsv`, whose first lines explain it.
pub(super) fn rows(text: &'static str) -> Vec<ResourceRow> {
    let mut rows: Vec<ResourceRow> = Vec::new();
    let mut place = ("", "");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some(line) = line.strip_prefix('\t') else {
            let name = line.trim_end_matches(':');
            place = name.split_once('/').unwrap_or(("", name));
            continue;
        };
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or_default();
        let first = cell();
        match (first.strip_prefix('/'), rows.last_mut()) {
            (Some(name), Some(parent)) => parent.subresources.push(sub_row(name, cell(), cell())),
            _ => {
                let kind = cell();
                rows.push(ResourceRow {
                    group: place.0.to_owned(),
                    version: place.1.to_owned(),
                    stored: None,
                    resource: first.to_owned(),
                    kind: kind.to_owned(),
                    singular: kind.to_lowercase(),
                    namespaced: cell() == "ns",
                    verbs: verbs(cell()),
                    short_names: words(cell()),
                    categories: words(cell()),
                    subresources: Vec::new(),
                });
            }
        }
    }
    rows
}

fn sub_row(name: &str, kind: &str, can: &'static str) -> SubRow {
    let mut parts = kind.rsplitn(3, '/');
    let kind = parts.next().unwrap_or_default().to_owned();
    let version = parts.next().map(str::to_owned);
    let group = parts.next().map(str::to_owned);
    SubRow { name: name.to_owned(), group, version, kind, verbs: verbs(can) }
}

fn verbs(text: &'static str) -> Verbs {
    match text {
        "*" => ALL.to_vec(),
        "~" => vec!["get", "patch", "update"],
        _ => text.split(',').collect(),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

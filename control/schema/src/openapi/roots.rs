//! The documents of what lies above the resources: groups, versions, the server's own version.

use serde_json::{Map, Value, json};

use super::descriptions::Descriptions;
use super::operation::{Answer, Body, META, Media, Operation, Scribe};
use super::schemas;
use crate::table::builtin;

const INFO: &str = "io.k8s.apimachinery.pkg.version.Info";

/// How operations call a group and version.
pub(super) struct Words {
    /// `AppsV1`
    pub(super) name: String,
    /// `apps_v1`
    pub(super) tag: String,
}

impl Words {
    pub(super) fn of(group: &str, version: &str) -> Self {
        let (name, tag) = (group_name(group), group_tag(group));
        Self { name: name + &title(version), tag: format!("{tag}_{version}") }
    }
}

/// `rbac.authorization.k8s.io` → `RbacAuthorization`
fn group_name(group: &str) -> String {
    parts(group).map(title).collect()
}

/// `rbac.authorization.k8s.io` → `rbacAuthorization`
fn group_tag(group: &str) -> String {
    let mut parts = parts(group);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |tag, part| tag + &title(part))
}

fn parts(group: &str) -> impl Iterator<Item = &str> {
    let short = if group.is_empty() { "core" } else { group.strip_suffix(".k8s.io").unwrap_or(group) };
    short.split(['.', '-'])
}

pub(super) fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// Where these documents are, above the given groups.
pub(super) fn places(groups: &[String]) -> Vec<String> {
    let named = groups.iter().filter(|group| !group.is_empty()).map(|group| format!("apis/{group}"));
    ["api", "apis", "version"].map(str::to_owned).into_iter().chain(named).collect()
}

/// The document at a place.
pub(super) fn document(place: &str, words: &Descriptions) -> Value {
    let scribe = Scribe { media: Media::BUILTIN, words };
    let operation = operation(place);
    let paths = json!({ (format!("/{place}/")): scribe.item(vec![operation], &[]) });
    let given = Map::from_iter([(INFO.to_owned(), info())]);
    let mut schemas = schemas::referred(builtin(), &paths, words, given);
    if let Some(schemas) = schemas.as_object_mut().filter(|_| place != "version") {
        schemas.remove(INFO);
    }
    super::document::wrap(paths, schemas)
}

fn operation(place: &str) -> Operation<'_> {
    let of = |tag, id: String, description: &str, ty: &str| Operation {
        method: "get",
        tag,
        id,
        description: description.to_owned(),
        action: "",
        kind: None,
        options: Vec::new(),
        body: Body::Nothing,
        answer: Answer::Object(&[200], ty.to_owned()),
    };
    match place {
        "api" => {
            of("core", "getCoreAPIVersions".to_owned(), "get available API versions", &format!("{META}.APIVersions"))
        }
        "apis" => {
            of("apis", "getAPIVersions".to_owned(), "get available API versions", &format!("{META}.APIGroupList"))
        }
        "version" => of("version", "getCodeVersion".to_owned(), "get the version information for this server", INFO),
        group => {
            let group = group.strip_prefix("apis/").unwrap_or(group);
            let tag = group.split('.').next().unwrap_or_default();
            let id = format!("get{}APIGroup", group_name(group));
            of(tag, id, "get information of a group", &format!("{META}.APIGroup"))
        }
    }
}

/// The schema of `/version`.
fn info() -> Value {
    let required =
        ["major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"];
    let optional = ["emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor"];
    let text = |name: &&str| ((*name).to_owned(), json!({"type": "string", "default": ""}));
    let plain = |name: &&str| ((*name).to_owned(), json!({"type": "string"}));
    let mut fields: Vec<_> = required.iter().map(text).chain(optional.iter().map(plain)).collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    json!({
        "description": "Info contains versioning information. how we'll want to distribute that information.",
        "type": "object",
        "required": required,
        "properties": Map::from_iter(fields),
    })
}

//! The paths of a group and version: what can be done where.

mod subresource;

use serde_json::{Map, Value};

use super::custom;
use super::descriptions::Descriptions;
use super::operation::{
    Answer, Body, CREATE, DELETE, GET, Kind, LIST, META, Media, Operation, Options, PATCH, SELECT, Scribe, UPDATE,
    place, pretty,
};
use super::roots::Words;
use crate::table::{ResourceRow, Table};

/// Kinds whose deletion is answered with the object, as upstream tells it.
const RETURNED: [&str; 11] = [
    "CSIDriver",
    "CSINode",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodTemplate",
    "ResourceQuota",
    "Service",
    "ServiceAccount",
    "StorageClass",
    "VolumeAttachment",
];

/// Whose kinds the paths are of.
#[derive(Clone, Copy)]
pub(super) enum Origin<'a> {
    /// Kinds of the table.
    Table(&'a Table),
    /// Custom kinds: no protobuf, no strategic merge, no paths for watching.
    Custom,
}

/// All paths, sorted.
pub(super) fn paths(origin: Origin, group_version: &str, rows: &[&ResourceRow], words: &Descriptions) -> Value {
    let root = format!("/{}", super::place_of(group_version));
    let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
    let Words { name, tag } = Words::of(group, version);
    let media = match origin {
        Origin::Table(_) => Media::BUILTIN,
        Origin::Custom => Media::CUSTOM,
    };
    let scribe = Scribe { media, words };
    let mut paths = vec![(format!("{root}/"), resources_of(&Scribe { media: Media::BUILTIN, words }, &tag, &name))];
    for row in rows {
        Resource { origin, root: &root, tag: &tag, name: &name, row, scribe: &scribe }.add(&mut paths);
    }
    paths.sort_by(|(a, _), (b, _)| a.cmp(b));
    Value::Object(paths.into_iter().collect::<Map<_, _>>())
}

fn resources_of(scribe: &Scribe, tag: &str, name: &str) -> Value {
    let operation = Operation {
        method: "get",
        tag,
        id: format!("get{name}APIResources"),
        description: "get available resources".to_owned(),
        action: "",
        kind: None,
        options: Vec::new(),
        body: Body::Nothing,
        answer: Answer::Object(&[200], format!("{META}.APIResourceList")),
    };
    scribe.item(vec![operation], &[]).unwrap_or_default()
}

struct Resource<'a> {
    origin: Origin<'a>,
    root: &'a str,
    tag: &'a str,
    name: &'a str,
    row: &'a ResourceRow,
    scribe: &'a Scribe<'a>,
}

impl<'a> Resource<'a> {
    fn add(&self, paths: &mut Vec<(String, Value)>) {
        let row = self.row;
        let namespace = if row.namespaced { "/namespaces/{namespace}" } else { "" };
        let all = format!("{}{namespace}/{}", self.root, row.resource);
        let one = format!("{all}/{{name}}");
        let mut put = |path: String, item: Option<Value>| paths.extend(item.map(|item| (path, item)));
        put(all.clone(), self.collection());
        put(one.clone(), self.object());
        let everywhere = format!("{}/{}", self.root, row.resource);
        if row.namespaced && row.verbs.contains(&"list") {
            put(everywhere.clone(), self.everywhere());
        }
        for sub in &row.subresources {
            for (path, item) in self.subresource(&one, sub) {
                put(path, item);
            }
        }
        if row.verbs.contains(&"watch") && matches!(self.origin, Origin::Table(_)) {
            let watched = |path: &str| path.replacen(self.root, &format!("{}/watch", self.root), 1);
            put(watched(&all), self.watch("watchlist", "List", row.namespaced, false));
            put(watched(&one), self.watch("watch", "", row.namespaced, true));
            if row.namespaced {
                put(watched(&everywhere), self.watch("watchlist", "ListForAllNamespaces", false, false));
            }
        }
    }

    fn kind(&self) -> Kind<'a> {
        Kind { group: &self.row.group, version: &self.row.version, kind: &self.row.kind }
    }

    fn type_name(&self, kind: Kind) -> String {
        let table = match self.origin {
            Origin::Table(table) => table,
            Origin::Custom if kind.group == self.row.group => {
                return custom::type_name(kind.group, kind.version, kind.kind);
            }
            Origin::Custom => crate::table::builtin(),
        };
        let found = table.kind(kind.group, kind.version, kind.kind);
        found.map_or_else(|| format!("{}.{}", kind.group, kind.kind), |ty| ty.name.to_string())
    }

    /// `AppsV1NamespacedDeployment`
    fn full(&self) -> String {
        format!("{}{}{}", self.name, self.scope(), self.row.kind)
    }

    fn scope(&self) -> &'static str {
        if self.row.namespaced { "Namespaced" } else { "" }
    }

    fn operation(&self, method: &'static str, action: &'a str, id: String, description: String) -> Operation<'a> {
        Operation {
            method,
            tag: self.tag,
            id,
            description,
            action,
            kind: Some(self.kind()),
            options: Vec::new(),
            body: Body::Nothing,
            answer: Answer::Text(&["*/*"]),
        }
    }

    /// The parameters of a path. `named`: the kind whose name stands in it.
    fn shared(&self, namespaced: bool, named: &str) -> Vec<Value> {
        let mut shared = vec![pretty()];
        if namespaced {
            shared.push(place("namespace", "object name and auth scope, such as for teams and projects"));
        }
        if !named.is_empty() {
            shared.push(place("name", &format!("name of the {named}")));
        }
        shared
    }

    fn collection(&self) -> Option<Value> {
        let (row, full, kind) = (self.row, self.full(), &self.row.kind);
        let object = self.type_name(self.kind());
        let status = format!("{META}.Status");
        let mut operations = Vec::new();
        if row.verbs.contains(&"list") {
            operations.push(self.list(format!("list{full}")));
        }
        if row.verbs.contains(&"create") {
            let description = format!("create {} {kind}", article(kind));
            let (options, body) = (vec![CREATE], Body::Object(object.clone()));
            let answer = Answer::Object(&[200, 201, 202], object);
            let of = self.operation("post", "post", format!("create{full}"), description);
            operations.push(Operation { options, body, answer, ..of });
        }
        if row.verbs.contains(&"deletecollection") {
            let id = format!("delete{}Collection{}{kind}", self.name, self.scope());
            let of = self.operation("delete", "deletecollection", id, format!("delete collection of {kind}"));
            let (options, body) = match self.origin {
                Origin::Table(_) => (vec![SELECT, DELETE], Body::Options),
                Origin::Custom => (vec![LIST], Body::Nothing),
            };
            operations.push(Operation { options, body, answer: Answer::Object(&[200], status), ..of });
        }
        self.scribe.item(operations, &self.shared(row.namespaced, ""))
    }

    fn object(&self) -> Option<Value> {
        let (kind, object) = (&self.row.kind, self.type_name(self.kind()));
        let mut operations = self.verbs(&self.row.verbs, self.kind(), &object, "", "");
        if self.row.verbs.contains(&"delete") {
            let description = format!("delete {} {kind}", article(kind));
            let of = self.operation("delete", "delete", format!("delete{}", self.full()), description);
            let returned = matches!(self.origin, Origin::Table(_)) && RETURNED.contains(&&**kind);
            let ty = if returned { object } else { format!("{META}.Status") };
            let (options, answer) = (vec![DELETE], Answer::Object(&[200, 202], ty));
            operations.push(Operation { options, body: Body::Options, answer, ..of });
        }
        self.scribe.item(operations, &self.shared(self.row.namespaced, kind))
    }

    /// get, put and patch of an object or of a part of it.
    fn verbs(&self, verbs: &[&str], kind: Kind<'a>, ty: &str, of: &str, suffix: &str) -> Vec<Operation<'a>> {
        let (row, full) = (&self.row.kind, self.full());
        let mut operations = Vec::new();
        let mut add = |method, word: &str, what: String, options: &[Options], body, codes| {
            let (options, answer) = (options.to_vec(), Answer::Object(codes, ty.to_owned()));
            let operation = self.operation(method, method, format!("{word}{full}{suffix}"), what);
            operations.push(Operation { kind: Some(kind), options, body, answer, ..operation });
        };
        let (reading, patched): (&[Options], &[u16]) = match self.origin {
            Origin::Table(_) => (&[], &[200, 201]),
            Origin::Custom => (&[GET], &[200]),
        };
        if verbs.contains(&"get") {
            add("get", "read", format!("read {of}the specified {row}"), reading, Body::Nothing, &[200]);
        }
        if verbs.contains(&"update") {
            let body = Body::Object(ty.to_owned());
            add("put", "replace", format!("replace {of}the specified {row}"), &[UPDATE], body, &[200, 201]);
        }
        if verbs.contains(&"patch") {
            let what = format!("partially update {of}the specified {row}");
            add("patch", "patch", what, &[PATCH], Body::Patch, patched);
        }
        operations
    }

    fn list(&self, id: String) -> Operation<'a> {
        let kind = format!("{}List", self.row.kind);
        let list = self.type_name(Kind { kind: &kind, ..self.kind() });
        let verbs = match self.origin {
            Origin::Table(_) => "list or watch",
            Origin::Custom => "list",
        };
        let of = self.operation("get", "list", id, format!("{verbs} objects of kind {}", self.row.kind));
        Operation { options: vec![LIST], answer: Answer::Stream(list), ..of }
    }

    fn everywhere(&self) -> Option<Value> {
        let list = self.list(format!("list{}{}ForAllNamespaces", self.name, self.row.kind));
        self.scribe.item(vec![list], &self.shared(false, ""))
    }

    fn watch(&self, action: &'a str, suffix: &str, namespaced: bool, named: bool) -> Option<Value> {
        let (kind, scope) = (&self.row.kind, if namespaced { "Namespaced" } else { "" });
        let id = format!("watch{}{scope}{kind}{suffix}", self.name);
        let instead = "use the 'watch' parameter with a list operation instead";
        let description = match named {
            true => format!(
                "watch changes to an object of kind {kind}. deprecated: {instead}, filtered to a single item with the \
                 'fieldSelector' parameter."
            ),
            false => format!("watch individual changes to a list of {kind}. deprecated: {instead}."),
        };
        let of = self.operation("get", action, id, description);
        let watch = Operation { options: vec![LIST], answer: Answer::Stream(format!("{META}.WatchEvent")), ..of };
        self.scribe.item(vec![watch], &self.shared(namespaced, if named { kind } else { "" }))
    }
}

pub(super) fn article(kind: &str) -> &'static str {
    if kind.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

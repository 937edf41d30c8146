//! The paths of a group and version: what can be done where.

use serde_json::{Map, Value, json};

use super::operation::{Answer, Body, DELETE, Kind, LIST, Operation, PATCH, WRITE, parameter};
use crate::table::{ResourceRow, SubRow, Table};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// All paths, sorted.
pub(super) fn paths(table: &Table, group_version: &str, rows: &[&ResourceRow]) -> Value {
    let root = format!("/{}", super::path(group_version));
    let (group, version) = group_version.split_once('/').unwrap_or(("core", group_version));
    let short = group.strip_suffix(".k8s.io").unwrap_or(group);
    let words: Vec<String> = short.split('.').map(title).collect();
    let name = words.concat() + &title(version);
    let tag = format!("{}{}_{version}", short.split('.').next().unwrap_or_default(), words[1..].concat());
    let mut paths = vec![(format!("{root}/"), resources_of(&tag, &name))];
    for row in rows {
        Resource { table, root: &root, tag: &tag, name: &name, row }.add(&mut paths);
    }
    paths.sort_by(|(a, _), (b, _)| a.cmp(b));
    Value::Object(paths.into_iter().collect())
}

fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn resources_of(tag: &str, name: &str) -> Value {
    let operation = Operation {
        tag,
        id: format!("get{name}APIResources"),
        description: "get available resources".to_owned(),
        action: "",
        kind: None,
        parameters: Vec::new(),
        body: Body::Nothing,
        answer: Answer::Object(&[200], &format!("{META}.APIResourceList")),
    };
    json!({ "get": operation.json() })
}

struct Resource<'a> {
    table: &'a Table,
    root: &'a str,
    tag: &'a str,
    name: &'a str,
    row: &'a ResourceRow,
}

impl<'a> Resource<'a> {
    fn add(&self, paths: &mut Vec<(String, Value)>) {
        let row = self.row;
        let namespace = if row.namespaced { "/namespaces/{namespace}" } else { "" };
        let all = format!("{}{namespace}/{}", self.root, row.resource);
        let one = format!("{all}/{{name}}");
        let watched = |path: &str| path.replacen(self.root, &format!("{}/watch", self.root), 1);
        let mut put = |path: String, item: Option<Value>| paths.extend(item.map(|item| (path, item)));
        put(all.clone(), self.collection());
        put(one.clone(), self.object());
        if row.verbs.contains(&"watch") {
            put(watched(&all), Some(self.watch("watchlist", "List", row.namespaced, false)));
            put(watched(&one), Some(self.watch("watch", "", row.namespaced, true)));
        }
        if row.namespaced && row.verbs.contains(&"list") {
            let everywhere = format!("{}/{}", self.root, row.resource);
            put(everywhere.clone(), Some(self.everywhere()));
            if row.verbs.contains(&"watch") {
                put(watched(&everywhere), Some(self.watch("watchlist", "ListForAllNamespaces", false, false)));
            }
        }
        for sub in &row.subresources {
            put(format!("{one}/{}", sub.name), self.subresource(sub));
        }
    }

    fn kind(&self) -> Kind<'a> {
        Kind { group: &self.row.group, version: &self.row.version, kind: &self.row.kind }
    }

    fn type_name(&self, kind: Kind) -> String {
        let found = self.table.kind(kind.group, kind.version, kind.kind);
        found.map_or_else(|| format!("{}.{}", kind.group, kind.kind), |ty| ty.name.to_string())
    }

    /// `AppsV1NamespacedDeployment`
    fn full(&self) -> String {
        let scope = if self.row.namespaced { "Namespaced" } else { "" };
        format!("{}{scope}{}", self.name, self.row.kind)
    }

    fn operation(&self, action: &'a str, id: String, description: String, answer: Answer<'a>) -> Operation<'a> {
        let kind = Some(self.kind());
        Operation { tag: self.tag, id, description, action, kind, parameters: Vec::new(), body: Body::Nothing, answer }
    }

    fn item(&self, operations: Vec<(&str, Value)>, extra: &[&str], named: bool) -> Option<Value> {
        if operations.is_empty() {
            return None;
        }
        let mut item: Map<String, Value> = operations.into_iter().map(|(verb, of)| (verb.to_owned(), of)).collect();
        let mut parameters: Vec<&str> = extra.to_vec();
        if named {
            parameters.push("name");
        }
        if self.row.namespaced && (named || extra.is_empty()) {
            parameters.push("namespace");
        }
        parameters.push("pretty");
        item.insert("parameters".to_owned(), parameters.into_iter().map(parameter).collect());
        Some(Value::Object(item))
    }

    fn collection(&self) -> Option<Value> {
        let (row, full) = (self.row, self.full());
        let (object, list) = (self.type_name(self.kind()), self.list_name());
        let status = format!("{META}.Status");
        let mut operations = Vec::new();
        if row.verbs.contains(&"list") {
            let description = format!("list or watch objects of kind {}", row.kind);
            let mut of = self.operation("list", format!("list{full}"), description, Answer::Stream(""));
            of.parameters = LIST.to_vec();
            operations.push(("get", Operation { answer: Answer::Stream(&list), ..of }.json()));
        }
        if row.verbs.contains(&"create") {
            let answer = Answer::Text("");
            let of = self.operation(
                "post",
                format!("create{full}"),
                format!("create {} {}", article(&row.kind), row.kind),
                answer,
            );
            let (body, answer) = (Body::Object(&object), Answer::Object(&[200, 201, 202], &object));
            operations.push(("post", Operation { parameters: WRITE.to_vec(), body, answer, ..of }.json()));
        }
        if row.verbs.contains(&"deletecollection") {
            let id =
                format!("delete{}Collection{}{}", self.name, if row.namespaced { "Namespaced" } else { "" }, row.kind);
            let of =
                self.operation("deletecollection", id, format!("delete collection of {}", row.kind), Answer::Text(""));
            let kept = LIST.iter().filter(|name| !matches!(**name, "allowWatchBookmarks" | "watch"));
            let mut parameters: Vec<&str> = kept.chain(&DELETE).copied().collect();
            parameters.sort_unstable();
            let (body, answer) = (Body::Options, Answer::Object(&[200], &status));
            operations.push(("delete", Operation { parameters, body, answer, ..of }.json()));
        }
        self.item(operations, &[], false)
    }

    fn object(&self) -> Option<Value> {
        let object = self.type_name(self.kind());
        let mut operations = self.verbs(&self.row.verbs, self.kind(), &object, "", "");
        if self.row.verbs.contains(&"delete") {
            let description = format!("delete {} {}", article(&self.row.kind), self.row.kind);
            let of = self.operation("delete", format!("delete{}", self.full()), description, Answer::Text(""));
            // Pods and a few others answer with the object itself; clients read both.
            let status = format!("{META}.Status");
            let (body, answer) = (Body::Options, Answer::Object(&[200, 202], &status));
            let at = operations.iter().position(|(verb, _)| *verb == "patch").unwrap_or(operations.len());
            let delete = Operation { parameters: DELETE.to_vec(), body, answer, ..of }.json();
            operations.insert(at, ("delete", delete));
        }
        self.item(operations, &[], true)
    }

    /// get, put and patch of an object or of a part of it.
    fn verbs(&self, verbs: &[&str], kind: Kind, ty: &str, of: &str, suffix: &str) -> Vec<(&'static str, Value)> {
        let (row, full) = (&self.row.kind, self.full());
        let mut operations = Vec::new();
        let mut add = |verb: &'static str, word: &str, what: String, parameters: &[&str], body, codes: &[u16]| {
            let id = format!("{word}{full}{suffix}");
            let (parameters, kind) = (parameters.to_vec(), Some(kind));
            let answer = Answer::Object(codes, ty);
            let operation =
                Operation { tag: self.tag, id, description: what, action: verb, kind, parameters, body, answer };
            operations.push((verb, operation.json()));
        };
        if verbs.contains(&"get") {
            add("get", "read", format!("read {of}the specified {row}"), &[], Body::Nothing, &[200]);
        }
        if verbs.contains(&"update") {
            add("put", "replace", format!("replace {of}the specified {row}"), &WRITE, Body::Object(ty), &[200, 201]);
        }
        if verbs.contains(&"patch") {
            add(
                "patch",
                "patch",
                format!("partially update {of}the specified {row}"),
                &PATCH,
                Body::Patch,
                &[200, 201],
            );
        }
        operations
    }

    fn subresource(&self, sub: &SubRow) -> Option<Value> {
        let kind = Kind {
            group: sub.group.as_deref().unwrap_or(&self.row.group),
            version: sub.version.as_deref().unwrap_or(&self.row.version),
            kind: &sub.kind,
        };
        let (of, suffix) = (format!("{} of ", sub.name), title(&sub.name));
        if sub.kind.ends_with("Options") {
            return self.item(self.connections(sub, kind, &suffix), &[], true);
        }
        if sub.name == "log" {
            let description = format!("read log of the specified {}", self.row.kind);
            let id = format!("read{}Log", self.full());
            let read = self.operation("get", id, description, Answer::Text("text/plain"));
            return self.item(vec![("get", read.json())], &[], true);
        }
        let ty = self.type_name(kind);
        let mut operations = self.verbs(&sub.verbs, kind, &ty, &of, &suffix);
        if sub.verbs.contains(&"create") {
            let create = Operation {
                tag: self.tag,
                id: format!("create{}{suffix}", self.full()),
                description: format!("create {of}{} {}", article(&self.row.kind), self.row.kind),
                action: "post",
                kind: Some(kind),
                parameters: WRITE.to_vec(),
                body: Body::Object(&ty),
                answer: Answer::Object(&[200, 201, 202], &ty),
            };
            operations.push(("post", create.json()));
        }
        self.item(operations, &[], true)
    }

    /// Sub-resources that lead somewhere else.
    fn connections(&self, sub: &SubRow, kind: Kind, suffix: &str) -> Vec<(&'static str, Value)> {
        let verbs = [("get", "get"), ("update", "put"), ("create", "post"), ("delete", "delete"), ("patch", "patch")];
        let served = verbs.into_iter().filter(|(verb, _)| sub.verbs.contains(verb));
        let operation = |method: &'static str| {
            let connect = Operation {
                tag: self.tag,
                id: format!(
                    "connect{}{}{suffix}",
                    self.full().replacen(self.name, &(self.name.to_owned() + &title(method)), 1),
                    ""
                ),
                description: format!("connect {} requests to {} of {}", method.to_uppercase(), sub.name, self.row.kind),
                action: "connect",
                kind: Some(kind),
                parameters: Vec::new(),
                body: Body::Nothing,
                answer: Answer::Text("*/*"),
            };
            (method, connect.json())
        };
        served.map(|(_, method)| operation(method)).collect()
    }

    fn list_name(&self) -> String {
        let kind = format!("{}List", self.row.kind);
        self.type_name(Kind { kind: &kind, ..self.kind() })
    }

    fn everywhere(&self) -> Value {
        let list = self.list_name();
        let id = format!("list{}{}ForAllNamespaces", self.name, self.row.kind);
        let description = format!("list or watch objects of kind {}", self.row.kind);
        let of = self.operation("list", id, description, Answer::Text(""));
        let list = Operation { answer: Answer::Stream(&list), ..of }.json();
        self.item(vec![("get", list)], &LIST, false).unwrap_or_default()
    }

    fn watch(&self, action: &'a str, suffix: &str, namespaced: bool, named: bool) -> Value {
        let scope = if namespaced { "Namespaced" } else { "" };
        let id = format!("watch{}{scope}{}{suffix}", self.name, self.row.kind);
        let description = match named {
            true => format!(
                "watch changes to an object of kind {}; deprecated: watch a list with a field selector",
                self.row.kind
            ),
            false => {
                format!("watch changes to a list of {}; deprecated: use the parameter watch of a list", self.row.kind)
            }
        };
        let of = self.operation(action, id, description, Answer::Text(""));
        let event = format!("{META}.WatchEvent");
        let watch = Operation { answer: Answer::Stream(&event), ..of }.json();
        let mut parameters = LIST.to_vec();
        if namespaced && !named {
            parameters.push("namespace");
        }
        self.item(vec![("get", watch)], &parameters, named).unwrap_or_default()
    }
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" }
}

//! Custom kinds: their schemas are ready made, their paths follow from their rows as those of built-in kinds do.

use serde_json::{Map, Value, json};

use super::descriptions::Descriptions;
use super::paths::{self, Origin};
use super::schemas::{self, reference};
use crate::table::{ResourceRow, builtin};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
const CONVENTIONS: &str = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";

/// A custom kind as OpenAPI tells it.
#[derive(Clone, Copy, Debug)]
pub struct Custom<'a> {
    /// Where it is served, with which verbs and sub-resources.
    pub row: &'a ResourceRow,
    /// Its `openAPIV3Schema`, as the definition has it (`{"type": "object", …}`). What every kind has (`apiVersion`, `kind`,
    /// `metadata`, the group, version and kind) is added here, whether the schema has it or not.
    pub schema: &'a Value,
}

/// `io.example.v1.Widget`: the group's parts in reverse.
pub(super) fn type_name(group: &str, version: &str, kind: &str) -> String {
    let reversed: Vec<&str> = group.rsplit('.').collect();
    format!("{}.{version}.{kind}", reversed.join("."))
}

/// The document of the kinds of one group and version.
pub(super) fn document(kinds: &[Custom], words: &Descriptions) -> Option<Value> {
    let group_version = kinds.first()?.row.group_version();
    let rows: Vec<&ResourceRow> = kinds.iter().map(|kind| kind.row).collect();
    let paths = paths::paths(Origin::Custom, &group_version, &rows, words);
    let given = kinds.iter().flat_map(|kind| kind.definitions(words)).collect();
    let schemas = schemas::referred(builtin(), &paths, words, given);
    Some(super::document::wrap(paths, schemas))
}

impl Custom<'_> {
    /// The schemas of the kind and of its list, by name.
    fn definitions(&self, words: &Descriptions) -> [(String, Value); 2] {
        let row = self.row;
        let name = type_name(&row.group, &row.version, &row.kind);
        let list = type_name(&row.group, &row.version, &format!("{}List", row.kind));
        let (object, of_list) = (self.object(words), self.list(&name, words));
        [(name, object), (list, of_list)]
    }

    fn object(&self, words: &Descriptions) -> Value {
        let mut schema = self.schema.as_object().cloned().unwrap_or_default();
        schema.entry("type").or_insert_with(|| json!("object"));
        let properties = schema.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            let text = format!("Standard object's metadata. More info: {CONVENTIONS}#metadata");
            add_type(properties, words);
            properties.insert("metadata".to_owned(), referring(&text, "ObjectMeta"));
            let mut sorted: Vec<(String, Value)> = std::mem::take(properties).into_iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            properties.extend(sorted);
        }
        schema.insert("x-kubernetes-group-version-kind".to_owned(), self.kinds(""));
        Value::Object(schema)
    }

    fn list(&self, name: &str, words: &Descriptions) -> Value {
        let row = self.row;
        let mut properties = Map::new();
        add_type(&mut properties, words);
        let text = format!("List of {}. More info: {CONVENTIONS}", row.resource);
        properties.insert("items".to_owned(), json!({"description": text, "type": "array", "items": reference(name)}));
        let text = format!("Standard list metadata. More info: {CONVENTIONS}#types-kinds");
        properties.insert("metadata".to_owned(), referring(&text, "ListMeta"));
        let mut properties: Vec<(String, Value)> = properties.into_iter().collect();
        properties.sort_by(|a, b| a.0.cmp(&b.0));
        json!({
            "description": format!("{0}List is a list of {0}", row.kind),
            "type": "object",
            "required": ["items"],
            "properties": Map::from_iter(properties),
            "x-kubernetes-group-version-kind": self.kinds("List"),
        })
    }

    fn kinds(&self, suffix: &str) -> Value {
        let row = self.row;
        json!([{"group": row.group, "kind": format!("{}{suffix}", row.kind), "version": row.version}])
    }
}

fn add_type(properties: &mut Map<String, Value>, words: &Descriptions) {
    for name in ["apiVersion", "kind"] {
        properties.insert(name.to_owned(), json!({"description": words.get("", name), "type": "string"}));
    }
}

fn referring(description: &str, ty: &str) -> Value {
    json!({"description": description, "allOf": [reference(&format!("{META}.{ty}"))]})
}

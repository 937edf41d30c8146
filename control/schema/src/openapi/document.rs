//! One document: the paths of a group and version, and the schemas they need.

use serde_json::{Map, Value, json};

use super::descriptions::Descriptions;
use super::paths::{self, Origin};
use super::schemas;
use crate::table::Table;

/// The document, or nothing when the table has no resource of the group and version.
pub(super) fn document(table: &Table, group_version: &str, words: &Descriptions) -> Option<Value> {
    let rows: Vec<_> = table.resources().iter().filter(|row| row.group_version() == group_version).collect();
    if rows.is_empty() {
        return None;
    }
    let paths = paths::paths(Origin::Table(table), group_version, &rows, words);
    let schemas = schemas::referred(table, &paths, words, Map::new());
    Some(wrap(paths, schemas))
}

pub(super) fn wrap(paths: Value, schemas: Value) -> Value {
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "1.33"},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"BearerToken": {
                "type": "apiKey", "description": "Bearer Token authentication", "name": "authorization", "in": "header"
            }}
        }
    })
}

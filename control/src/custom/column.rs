//! The columns of a custom kind's Table.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::schema::JsonPath;
use crate::kinds::{CREATED_AT, Look, NAME};

/// The columns of one version, the name first.
#[derive(Debug)]
pub struct Columns {
    definitions: Value,
    cells: Vec<(Box<str>, Option<JsonPath>)>,
}

impl Columns {
    /// The columns that a version defines, or else its age.
    pub fn of(version: &Value) -> Self {
        let age = json!({
            "name": "Age",
            "type": "date",
            "description": CREATED_AT.description,
            "jsonPath": ".metadata.creationTimestamp",
        });
        let columns = match version.items("additionalPrinterColumns") {
            [] => std::slice::from_ref(&age),
            columns => columns,
        };
        let definitions = [NAME.definition()].into_iter().chain(columns.iter().map(definition)).collect();
        let cell = |c: &Value| (c.text("type").into(), JsonPath::parse(c.text("jsonPath")).ok());
        Self { definitions, cells: columns.iter().map(cell).collect() }
    }

    /// As a Table defines them.
    pub fn definitions(&self) -> Value {
        self.definitions.clone()
    }

    /// The cells of one object.
    pub fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        let name = object.text("metadata.name").into();
        let cell = |(ty, path): &(Box<str>, Option<JsonPath>)| {
            path.as_ref().map_or(Value::Null, |path| path.cell(ty, object, now))
        };
        [name].into_iter().chain(self.cells.iter().map(cell)).collect()
    }
}

fn definition(column: &Value) -> Value {
    let description = match column.text("description") {
        "" => format!("Custom resource definition column (in JSONPath format): {}", column.text("jsonPath")),
        said => said.to_owned(),
    };
    json!({
        "name": column.text("name"),
        "type": column.text("type"),
        "format": column.text("format"),
        "description": description,
        "priority": column.int("priority").unwrap_or_default(),
    })
}

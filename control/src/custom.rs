//! Custom resources: kinds that a CustomResourceDefinition brings while the server runs.

pub mod schema;

use std::sync::Arc;

use ::schema::ResourceRow;
use ::schema::admit::{Findings, TypeError};
use ::schema::apply::TypeView;
use jiff::Timestamp;
use serde_json::{Value, json};

/// One version of a custom kind, ready to be served.
pub struct Kind {
    /// Names, verbs and sub-resources.
    pub row: Arc<ResourceRow>,
}

impl Kind {
    /// Checks and prunes an object.
    ///
    /// # Errors
    /// The first value that does not fit.
    pub fn conform(&self, _object: &mut Value) -> Result<Findings, TypeError> {
        Ok(Findings::default())
    }

    /// Fills in the schema's defaults.
    pub fn default(&self, _object: &mut Value) {}

    /// The type as apply sees it.
    pub fn type_view(&self) -> TypeView<'_> {
        TypeView::deduced()
    }

    /// The columns of its Table.
    pub fn columns(&self) -> Value {
        json!([])
    }

    /// The cells of an object's row.
    pub fn cells(&self, _object: &Value, _now: Timestamp) -> Vec<Value> {
        Vec::new()
    }

    /// True for one of the definition's selectable fields.
    pub fn is_selectable(&self, _field: &str) -> bool {
        false
    }

    /// The text of a selectable field.
    pub fn field(&self, _object: &Value, _field: &str) -> String {
        String::new()
    }
}

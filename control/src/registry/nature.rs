//! What a resource's schema says, wherever it comes from: the table of built-in types, or a CustomResourceDefinition.

use std::sync::Arc;

use jiff::Timestamp;
use schema::TypeRef;
use schema::admit::{Findings, TypeError};
use schema::apply::TypeView;
use serde_json::Value;

use super::resources::Resource;
use crate::custom;
use crate::field::Errors;

/// Where a schema comes from.
pub(super) enum Nature {
    /// The table.
    BuiltIn(TypeRef<'static>),
    /// A definition that somebody made.
    Custom(Arc<custom::Kind>),
}

impl Resource {
    /// The type in the table; none for custom kinds.
    pub fn built_in_type(&self) -> Option<TypeRef<'static>> {
        match self.nature {
            Nature::BuiltIn(ty) => Some(ty),
            Nature::Custom(_) => None,
        }
    }

    /// The type as apply sees it.
    pub fn type_view(&self) -> TypeView<'_> {
        match &self.nature {
            Nature::BuiltIn(ty) => TypeView::Struct(*ty),
            Nature::Custom(kind) => kind.type_view(),
        }
    }

    /// The custom kind behind it; none for built-in ones.
    pub fn custom_kind(&self) -> Option<&Arc<custom::Kind>> {
        match &self.nature {
            Nature::BuiltIn(_) => None,
            Nature::Custom(kind) => Some(kind),
        }
    }

    /// True for the kind of a CustomResourceDefinition.
    pub fn is_custom(&self) -> bool {
        self.custom_kind().is_some()
    }

    /// `PodList`
    pub fn list_kind(&self) -> String {
        match self.custom_kind() {
            None => format!("{}List", self.row.kind),
            Some(kind) => kind.family.list_kind.clone(),
        }
    }

    /// Checks the types of an object, drops what its schema does not know and brings its fields into order.
    ///
    /// # Errors
    /// The first value that does not fit; the object is of no use then.
    pub fn conform(&self, object: &mut Value) -> Result<Findings, TypeError> {
        match &self.nature {
            Nature::BuiltIn(ty) => schema::admit::conform(*ty, object),
            Nature::Custom(kind) => kind.conform(object),
        }
    }

    /// Fills in what is absent.
    pub fn default(&self, object: &mut Value) {
        match &self.nature {
            Nature::BuiltIn(ty) => schema::default::apply(*ty, object),
            Nature::Custom(kind) => kind.default(object),
        }
        (self.behavior.default)(object);
    }

    /// Resets what clients may not set in a new object.
    pub fn prepare_create(&self, object: &mut Value) {
        (self.behavior.prepare_create)(object);
        if let Some(kind) = self.custom_kind() {
            kind.prepare_create(object);
        }
    }

    /// Restores what a change may not touch.
    pub fn prepare_update(&self, new: &mut Value, old: &Value) {
        (self.behavior.prepare_update)(new, old);
        if let Some(kind) = self.custom_kind() {
            kind.prepare_update(new, old);
        }
    }

    /// All that is wrong with a new object.
    pub fn check_create(&self, object: &Value) -> Errors {
        let mut errors = self.behavior.check_create(object, self.row.namespaced);
        if let Some(kind) = self.custom_kind() {
            kind.validate(object, &mut errors);
        }
        errors
    }

    /// All that is wrong with an object that is to take the place of `old`; what was wrong before may be a warning only.
    pub fn check_update(&self, new: &Value, old: &Value, warnings: &mut Vec<String>) -> Errors {
        let mut errors = self.behavior.check_update(new, old);
        if let Some(kind) = self.custom_kind() {
            warnings.extend(kind.validate_update(new, old, &mut errors));
        }
        errors
    }

    /// The same for an object whose status changed.
    pub fn check_status_update(&self, new: &Value, old: &Value, warnings: &mut Vec<String>) -> Errors {
        let mut errors = self.behavior.check_status_update(new, old);
        if let Some(kind) = self.custom_kind() {
            warnings.extend(kind.validate_update(new, old, &mut errors));
        }
        errors
    }

    /// True when the change moves the object's generation.
    pub fn moves_generation(&self, new: &Value, old: &Value) -> bool {
        match self.custom_kind() {
            None => self.behavior.moves_generation(new, old),
            Some(kind) => kind.moves_generation(new, old),
        }
    }

    /// What to tell the client about any request for this resource.
    pub fn deprecation(&self) -> Option<&str> {
        match self.custom_kind() {
            None => self.behavior.deprecation,
            Some(kind) => kind.deprecation.as_deref(),
        }
    }

    /// The columns of its Table, as a Table defines them.
    pub fn columns(&self) -> Value {
        match &self.nature {
            Nature::BuiltIn(_) => self.behavior.columns.iter().map(|c| c.definition()).collect::<Vec<_>>().into(),
            Nature::Custom(kind) => kind.columns(),
        }
    }

    /// The cells of an object's row, one for each column.
    pub fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        match &self.nature {
            Nature::BuiltIn(_) => (self.behavior.row)(object, now),
            Nature::Custom(kind) => kind.cells(object, now),
        }
    }

    /// True for a field that field selectors may name, beyond `metadata.name` and `metadata.namespace`.
    pub fn is_selectable(&self, field: &str) -> bool {
        match &self.nature {
            Nature::BuiltIn(_) => self.behavior.fields.contains(&field),
            Nature::Custom(kind) => kind.is_selectable(field),
        }
    }

    /// True where field selectors may name nothing but name and namespace, and a refusal says so.
    pub fn has_no_fields(&self) -> bool {
        !self.is_custom() && self.behavior.fields.is_empty()
    }

    /// The text of a selectable field.
    pub fn field(&self, object: &Value, field: &str) -> String {
        match &self.nature {
            Nature::BuiltIn(_) => (self.behavior.field)(object, field),
            Nature::Custom(kind) => kind.field(object, field),
        }
    }
}

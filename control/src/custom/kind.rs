//! One version of a custom kind, ready to be served.

use std::sync::Arc;

use jiff::Timestamp;
use schema::admit::{self, Findings, TypeError};
use schema::apply::{Tree, TypeView};
use schema::{ResourceRow, TypeRef};
use serde_json::Value;

use super::column::Columns;
use super::scale::ScalePaths;
use super::schema::{JsonPath, Structural};
use crate::field::Errors;
use crate::kinds::{Change, Look};
use crate::webhook::ClientConfig;

/// What all versions of a kind share.
pub struct Family {
    /// The name of the definition.
    pub name: String,
    /// The group.
    pub group: String,
    /// `CronTab`
    pub kind: String,
    /// `CronTabList`
    pub list_kind: String,
    /// The version that is stored.
    pub storage: String,
    /// How an object gets from one version to another.
    pub conversion: Conversion,
    /// The definition is as it was made, so every object is stored as its schema has it.
    pub untouched: bool,
    /// The definition is on its way out.
    pub terminating: bool,
    /// The state of the definition that this was made from.
    pub edition: Edition,
    /// The schema of each version, those too that are not served.
    pub schemas: Vec<(String, Arc<Structural>)>,
}

/// One state of a definition, as far as it says what its objects are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    uid: String,
    generation: i64,
    names: Value,
}

impl Edition {
    /// The one that a definition shows now.
    pub fn of(definition: &Value) -> Self {
        Self {
            uid: definition.text("metadata.uid").to_owned(),
            generation: definition.int("metadata.generation").unwrap_or_default(),
            names: definition.at("status.acceptedNames").clone(),
        }
    }
}

/// How an object gets from one version to another.
pub enum Conversion {
    /// It says that it is of the other version.
    None,
    /// A webhook is asked.
    Webhook {
        /// Which.
        client: Box<ClientConfig>,
        /// The version of ConversionReview that it speaks.
        review: &'static str,
    },
}

/// One version of a custom kind.
pub struct Kind {
    /// Names, verbs and sub-resources.
    pub row: Arc<ResourceRow>,
    /// What it shares with the others.
    pub family: Arc<Family>,
    /// Objects in this version.
    pub schema: Arc<Structural>,
    /// Who owns what of it.
    pub tree: Tree,
    /// The same as OpenAPI tells of it.
    pub openapi: Arc<Value>,
    /// Clients see it.
    pub served: bool,
    /// What to say to those who use it.
    pub deprecation: Option<String>,
    /// Its status is written through an endpoint of its own.
    pub has_status: bool,
    /// It can be scaled.
    pub scale: Option<ScalePaths>,
    /// Its Table.
    pub columns: Columns,
    /// What can be selected by: `spec.color`.
    pub fields: Vec<(String, JsonPath)>,
}

impl Kind {
    /// `stable.example.com/v1`
    pub fn api_version(&self) -> String {
        self.row.group_version()
    }

    /// True for the version that is stored.
    pub fn is_stored(&self) -> bool {
        self.row.version == self.family.storage
    }

    /// True where the stored bytes are what is shown. A definition that changed since may have other defaults.
    pub fn is_shown_as_stored(&self) -> bool {
        self.is_stored() && self.family.untouched
    }

    /// Checks metadata, prunes an object and puts its fields into the order in which Go encodes maps.
    ///
    /// # Errors
    /// The first value that does not fit.
    pub fn conform(&self, object: &mut Value) -> Result<Findings, TypeError> {
        let mut findings = metadata(object)?;
        let unknown = self.schema.admit(object).map_err(|errors| TypeError::new(errors.to_string()))?;
        findings.unknown.extend(unknown);
        Structural::order(object);
        Ok(findings)
    }

    /// Fills in the schema's defaults.
    pub fn default(&self, object: &mut Value) {
        self.schema.default(object);
    }

    /// A new object has no status yet, where clients do not set it.
    pub fn prepare_create(&self, object: &mut Value) {
        if self.has_status {
            object.unset("", "status");
        }
    }

    /// A change leaves the status alone, where it has an endpoint of its own.
    pub fn prepare_update(&self, object: &mut Value, old: &Value) {
        if self.has_status {
            object.restore("", "status", old);
        }
    }

    /// Checks a new object.
    pub fn validate(&self, object: &Value, errors: &mut Errors) {
        if let Some(scale) = &self.scale {
            scale.validate(object, errors);
        }
        self.schema.validate(object, errors);
    }

    /// Checks a changed object. Returns warnings of what is wrong and was so before.
    pub fn validate_update(&self, new: &Value, old: &Value, errors: &mut Errors) -> Vec<String> {
        if let Some(scale) = &self.scale {
            scale.validate(new, errors);
        }
        self.schema.validate_update(new, old, errors)
    }

    /// True where a change counts: any but of metadata, and of a status that has its own endpoint.
    pub fn moves_generation(&self, new: &Value, old: &Value) -> bool {
        let others = |a: &Value, b: &Value| a.entries("").any(|(field, v)| field != "metadata" && b.at(field) != v);
        others(new, old) || others(old, new)
    }

    /// The type as apply sees it.
    pub fn type_view(&self) -> TypeView<'_> {
        TypeView::Tree(&self.tree)
    }

    /// The columns of its Table.
    pub fn columns(&self) -> Value {
        self.columns.definitions()
    }

    /// The cells of an object's row.
    pub fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        self.columns.cells(object, now)
    }

    /// True for one of the definition's selectable fields.
    pub fn is_selectable(&self, field: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == field)
    }

    /// The text of a selectable field.
    pub fn field(&self, object: &Value, field: &str) -> String {
        let found = self.fields.iter().find(|(known, _)| known == field);
        found.map(|(_, path)| path.text(object)).unwrap_or_default()
    }
}

impl Family {
    /// The schema of the version that an object says it is of.
    pub fn schema_of(&self, object: &Value) -> Option<&Arc<Structural>> {
        let version = object.text("apiVersion").rsplit('/').next()?;
        self.schemas.iter().find(|(name, _)| name == version).map(|(_, schema)| schema)
    }
}

/// Puts the metadata of an object into form. What no schema says, the type of all metadata does.
fn metadata(object: &mut Value) -> Result<Findings, TypeError> {
    let Some(metadata) = object.get_mut("metadata") else { return Ok(Findings::default()) };
    let mut findings = admit::conform(object_meta(), metadata)?;
    if metadata.get("creationTimestamp").is_some_and(Value::is_null) {
        metadata.unset("", "creationTimestamp");
    }
    findings.unknown.iter_mut().for_each(|path| path.insert_str(0, "metadata."));
    Ok(findings)
}

fn object_meta() -> TypeRef<'static> {
    let name = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
    schema::builtin().named(name).expect("the table has ObjectMeta")
}

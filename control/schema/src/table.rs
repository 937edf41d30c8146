//! The table of resources and types, and how to look things up in it.
//!
//! [`builtin`] is the Kubernetes API, read from `data/` at first use. Types refer to each other by number. What a
//! CustomResourceDefinition brings is no part of it: such kinds have schemas of their own.

mod parse;
mod resource;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

pub use resource::{ResourceRow, SubRow, Verbs};

static BUILTIN: LazyLock<Table> = LazyLock::new(parse::builtin);

/// The Kubernetes API. The first call inflates it (about a millisecond).
pub fn builtin() -> &'static Table {
    &BUILTIN
}

/// Resources and types.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<ResourceRow>,
    types: Vec<Type>,
    names: HashMap<Arc<str>, u32>,
    /// By kind: group, version and number, usually of one.
    kinds: HashMap<Arc<str>, Vec<Served>>,
}

impl Table {
    /// The resources, in discovery order.
    pub fn resources(&self) -> &[ResourceRow] {
        &self.rows
    }

    /// One resource by its name in a URL.
    pub fn resource(&self, group: &str, version: &str, resource: &str) -> Option<&ResourceRow> {
        self.rows.iter().find(|row| row.resource == resource && row.group == group && row.version == version)
    }

    /// The type of a kind. Option and review kinds and lists are found too.
    ///
    /// The group `""` finds what every group shares (`DeleteOptions`, `Status`) as well as core's own.
    pub fn kind(&self, group: &str, version: &str, kind: &str) -> Option<TypeRef<'_>> {
        let mut found = self.kinds.get(kind).into_iter().flatten();
        found.find(|(g, v, _)| **g == *group && **v == *version).map(|&(_, _, id)| self.at(id))
    }

    /// A type by OpenAPI's name for it: `io.k8s.api.core.v1.PodSpec`.
    pub fn named(&self, name: &str) -> Option<TypeRef<'_>> {
        self.names.get(name).map(|&id| self.at(id))
    }

    /// Adds a type; its number is how many there were before.
    fn add_type(&mut self, ty: Type) {
        let id = self.types.len() as u32;
        self.names.insert(ty.name.clone(), id);
        for (group, version, kind) in ty.kinds.iter() {
            self.kinds.entry(kind.clone()).or_default().push((group.clone(), version.clone(), id));
        }
        self.types.push(ty);
    }

    /// Every type of this table.
    pub fn types(&self) -> impl Iterator<Item = TypeRef<'_>> {
        self.types.iter().map(|ty| TypeRef { table: self, ty })
    }

    /// The type with this number.
    pub(crate) fn at(&self, id: u32) -> TypeRef<'_> {
        TypeRef { table: self, ty: &self.types[id as usize] }
    }
}

/// A group and version in which a kind is known, and the number of its type.
type Served = (Arc<str>, Arc<str>, u32);

/// A type together with the table in which its references are resolved.
#[derive(Clone, Copy, Debug)]
pub struct TypeRef<'t> {
    table: &'t Table,
    ty: &'t Type,
}

impl<'t> TypeRef<'t> {
    /// The table it is of.
    pub fn table(self) -> &'t Table {
        self.table
    }

    /// The type itself, for as long as the table.
    pub fn get(self) -> &'t Type {
        self.ty
    }

    /// The type a field of this one refers to.
    pub fn at(self, id: u32) -> TypeRef<'t> {
        self.table.at(id)
    }
}

impl std::ops::Deref for TypeRef<'_> {
    type Target = Type;

    fn deref(&self) -> &Type {
        self.ty
    }
}

/// A struct of the API.
#[derive(Debug, Default)]
pub struct Type {
    /// `io.k8s.api.apps.v1.DeploymentSpec`
    pub name: Arc<str>,
    /// In the order of the Go struct, which is the order of encoded objects.
    fields: Box<[Field]>,
    /// Indices of `fields`, sorted by name.
    sorted: Box<[u16]>,
    /// The (group, version, kind)s that are decoded to it.
    pub kinds: Vec<(Arc<str>, Arc<str>, Arc<str>)>,
    /// `x-kubernetes-map-type: atomic`: one owner has all of it.
    pub atomic: bool,
    /// Indices of the fields that are encoded though they were never set.
    shown: Box<[u16]>,
    /// Defaults of this type that depend on other fields.
    pub(crate) rule: Option<crate::default::Rule>,
    /// A default exists somewhere in it, so that [`crate::default`] has to look.
    pub(crate) defaults: bool,
}

impl Type {
    /// A type of these fields, in this order.
    pub fn new(name: impl Into<Arc<str>>, fields: Vec<Field>) -> Self {
        let mut sorted: Box<[u16]> = (0..fields.len() as u16).collect();
        sorted.sort_by(|&a, &b| fields[a as usize].name.cmp(&fields[b as usize].name));
        let defaults = fields.iter().any(|field| field.default.is_some());
        let mut ty = Self { name: name.into(), fields: fields.into(), sorted, defaults, ..Self::default() };
        ty.shown = crate::admit::shown_positions(&ty);
        ty
    }

    /// Where the fields are that are encoded though they were never set.
    pub(crate) fn shown_when_empty(&self) -> &[u16] {
        &self.shown
    }

    /// `DeploymentSpec`
    pub fn short(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }

    /// `v1.DeploymentSpec`, as Go's errors say it.
    pub(crate) fn go(&self) -> &str {
        let dots = self.name.rmatch_indices('.').nth(1);
        dots.map_or(&self.name, |(at, _)| &self.name[at + 1..])
    }

    /// The fields in the order of the Go struct.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// A field by its JSON name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.position(name).map(|at| &self.fields[at])
    }

    /// Where in [`Type::fields`] a field is.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        let found = self.sorted.binary_search_by(|&at| (*self.fields[at as usize].name).cmp(name));
        found.ok().map(|at| self.sorted[at] as usize)
    }
}

/// A field of a struct.
#[derive(Debug)]
pub struct Field {
    /// As JSON has it.
    pub name: Arc<str>,
    /// What it holds.
    pub shape: Shape,
    /// Go's name for a string type that is not `string`: `v1.PullPolicy`.
    pub(crate) alias: Option<Arc<str>>,
    /// The protobuf number; more than one where Go flattens embedded structs that protobuf nests. Zeros: none.
    pub(crate) numbers: [u8; 3],
    /// Go has a pointer: absent and zero differ.
    pub pointer: bool,
    /// Go has no `omitempty`: encoded even when it is zero.
    pub always: bool,
    /// OpenAPI requires it.
    pub required: bool,
    /// The value it gets when it is absent.
    pub default: Option<Box<Value>>,
    /// What most fields have not.
    pub detail: Option<Box<Detail>>,
}

impl Field {
    /// A field of which nothing more is known.
    pub fn new(name: impl Into<Arc<str>>, shape: Shape) -> Self {
        Self {
            name: name.into(),
            shape,
            alias: None,
            numbers: [0; 3],
            pointer: false,
            always: false,
            required: false,
            default: None,
            detail: None,
        }
    }
}

/// The rarer facts of a field.
#[derive(Debug, Default)]
pub struct Detail {
    /// Strategic merge: the key of list items.
    pub merge_key: Option<Arc<str>>,
    /// Strategic merge: how.
    pub strategy: Strategy,
    /// Apply: how the list is owned.
    pub list: ListKind,
    /// Apply: the keys of list items.
    pub list_keys: Box<[Arc<str>]>,
    /// `x-kubernetes-map-type` of the field itself: `Some(true)` is atomic, `Some(false)` granular.
    pub atomic_map: Option<bool>,
    /// The values OpenAPI lists.
    pub values: Box<[Arc<str>]>,
    /// The default OpenAPI tells; the server may know more ([`Field::default`]).
    pub declared: Option<Value>,
}

/// `patchStrategy`: what a strategic merge does with a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strategy {
    /// Lists are merged by key or, of scalars, as sets; maps are merged in any case.
    pub merge: bool,
    /// The patch's value takes the place of the old one.
    pub replace: bool,
    /// Fields that the patch does not list are removed.
    pub retain_keys: bool,
}

/// `x-kubernetes-list-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListKind {
    /// One owner has the list.
    #[default]
    Atomic,
    /// Each value has its owners.
    Set,
    /// Each item, told by its keys, has its owners.
    Map,
    /// Nothing is said; treated as atomic.
    Unsaid,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    String,
    /// true or false.
    Bool,
    /// A number of 32 bits.
    Int32,
    /// A number of 64 bits.
    Int64,
    /// A number.
    Float,
    /// Bytes, in base64.
    Bytes,
    /// A moment, to the second.
    Time,
    /// A moment, to the microsecond.
    MicroTime,
    /// `250m`, `64Mi`.
    Quantity,
    /// `80` or `"http"`.
    IntOrString,
    /// An object of any kind (`runtime.RawExtension`).
    Raw,
    /// Any JSON at all.
    Json,
    /// The tree of owned fields (`FieldsV1`).
    Fields,
    /// A JSON schema or a list of them.
    SchemaOrArray(u32),
    /// A JSON schema or a boolean.
    SchemaOrBool(u32),
    /// A JSON schema or a list of strings.
    SchemaOrStrings(u32),
    /// A struct, by its number in the table.
    Struct(u32),
    /// A list.
    List(Box<Shape>),
    /// A list that protobuf wraps in a message of its own.
    Wrapped(Box<Shape>),
    /// A map with string keys.
    Map(Box<Shape>),
}

impl Shape {
    /// The struct that this is, or that its items are.
    pub fn inner(&self) -> Option<u32> {
        match self {
            Shape::Struct(id) => Some(*id),
            Shape::List(item) | Shape::Wrapped(item) | Shape::Map(item) => item.inner(),
            Shape::SchemaOrArray(id) | Shape::SchemaOrBool(id) | Shape::SchemaOrStrings(id) => Some(*id),
            _ => None,
        }
    }
}

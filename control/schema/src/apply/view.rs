//! What apply has to know of a type, whoever describes it: the built-in table, or the schema of a custom resource.
//!
//! A [`TypeView`] is a place in a type. It is asked one question ([`TypeView::atom`]): what may stand here, and how is
//! that owned? The built-in answer is read off the table; a custom resource brings a [`Tree`], made once from its schema.

use serde_json::Value;
use std::sync::Arc;

use crate::table::{Detail, Field, ListKind, Shape, TypeRef};

/// A place in a type.
#[derive(Clone, Copy, Debug)]
pub enum TypeView<'t> {
    /// A struct of the table.
    Struct(TypeRef<'t>),
    /// What a field of a struct of the table holds.
    Field(TypeRef<'t>, &'t Field),
    /// What the items of such a field hold.
    Item(TypeRef<'t>, &'t Shape),
    /// A node of a custom resource's type.
    Tree(&'t Tree),
    /// Nothing is known: lists are owned as a whole, maps by their entries, for so many levels more: a set of fields nests
    /// deeper than its object, and must be readable still.
    Deduced(u8),
    /// Nothing is known, and all of it is owned as a whole.
    Whole,
}

/// The type of a custom resource, as far as apply has to know it.
#[derive(Clone, Debug)]
pub enum Tree {
    /// Text, a number, a boolean.
    Scalar(Scalar),
    /// Any keys, one type of values (`additionalProperties`).
    Map {
        /// What the values are.
        values: Box<Tree>,
        /// `x-kubernetes-map-type: atomic`
        atomic: bool,
    },
    /// Named fields (`properties`). Made with [`Tree::structure`].
    Struct(Fields),
    /// A list.
    List {
        /// What the items are.
        items: Box<Tree>,
        /// Who owns what of it.
        owned: Owned,
    },
    /// Anything (`x-kubernetes-preserve-unknown-fields` and no properties).
    Untyped {
        /// Owned as a whole.
        atomic: bool,
    },
    /// A type of the built-in table: `metadata`, and that of embedded resources.
    BuiltIn(TypeRef<'static>),
}

/// The fields of a [`Tree::Struct`].
#[derive(Clone, Debug)]
pub struct Fields {
    /// Sorted by name.
    named: Vec<(Arc<str>, Tree)>,
    /// Fields beyond these are kept.
    open: bool,
    /// `x-kubernetes-map-type: atomic`
    atomic: bool,
}

/// How a list is owned: `x-kubernetes-list-type`.
#[derive(Clone, Debug)]
pub enum Owned {
    /// As a whole; so is what says nothing.
    Whole,
    /// Each value for itself.
    ByValue,
    /// Each item for itself, told by its keys; with the default that a key has in the item's type.
    ByKeys(Vec<(Arc<str>, Option<Value>)>),
}

/// What a scalar must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Text.
    String,
    /// A number.
    Number,
    /// true or false.
    Bool,
    /// Any of them: int-or-string, quantities, times.
    Any,
}

impl Tree {
    /// A struct of these fields. `open` keeps fields that are not named (`x-kubernetes-preserve-unknown-fields`), `atomic`
    /// gives all of it one owner.
    pub fn structure(fields: impl IntoIterator<Item = (Arc<str>, Tree)>, open: bool, atomic: bool) -> Self {
        let mut named: Vec<_> = fields.into_iter().collect();
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self::Struct(Fields { named, open, atomic })
    }
}

/// What may stand at a place. A type mostly has one of the three; untyped places have all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Atom<'t> {
    pub(super) scalar: Option<Scalar>,
    pub(super) list: Option<List<'t>>,
    pub(super) map: Option<Map<'t>>,
}

/// A list at a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<'t> {
    pub(super) items: TypeView<'t>,
    pub(super) by: By<'t>,
}

/// What tells the items of a list apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum By<'t> {
    /// Nothing: one owner has it all.
    Whole,
    Value,
    /// The field of the table that says which keys; the type of the items knows the defaults.
    TableKeys(&'t [Arc<str>], Option<TypeRef<'t>>),
    Keys(&'t [(Arc<str>, Option<Value>)]),
}

/// A map or struct at a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Map<'t> {
    fields: Named<'t>,
    /// The type of what is not named.
    others: Option<Others<'t>>,
    pub(super) atomic: bool,
}

#[derive(Clone, Copy, Debug)]
enum Named<'t> {
    Table(TypeRef<'t>),
    Tree(&'t [(Arc<str>, Tree)]),
    None,
}

#[derive(Clone, Copy, Debug)]
enum Others<'t> {
    Item(TypeRef<'t>, &'t Shape),
    Tree(&'t Tree),
    Deduced(u8),
    Whole,
}

/// How many levels of an untyped value are owned each for itself.
const LEVELS: u8 = 64;

impl<'t> Map<'t> {
    /// The type of a named field.
    pub(super) fn named(&self, name: &str) -> Option<TypeView<'t>> {
        match self.fields {
            Named::Table(ty) => ty.get().field(name).map(|field| TypeView::Field(ty, field)),
            Named::Tree(fields) => {
                let at = fields.binary_search_by(|(field, _)| (**field).cmp(name)).ok()?;
                Some(TypeView::Tree(&fields[at].1))
            }
            Named::None => None,
        }
    }

    /// The type of an entry, named or not; none where there may be no such entry.
    pub(super) fn entry(&self, name: &str) -> Option<TypeView<'t>> {
        self.named(name).or_else(|| self.other())
    }

    fn other(&self) -> Option<TypeView<'t>> {
        Some(match self.others? {
            Others::Item(owner, shape) => TypeView::Item(owner, shape),
            Others::Tree(tree) => TypeView::Tree(tree),
            Others::Deduced(0) => TypeView::Whole,
            Others::Deduced(levels) => TypeView::Deduced(levels - 1),
            Others::Whole => TypeView::Whole,
        })
    }
}

impl<'t> TypeView<'t> {
    /// A place of which nothing is known.
    pub fn deduced() -> Self {
        Self::Deduced(LEVELS)
    }

    /// What may stand here.
    pub fn atom(self) -> Atom<'t> {
        match self {
            Self::Struct(ty) => of_struct(ty, None),
            Self::Field(owner, field) => of_shape(owner, &field.shape, field.detail.as_deref()),
            Self::Item(owner, shape) => of_shape(owner, shape, None),
            Self::Tree(tree) => of_tree(tree),
            Self::Deduced(levels) => untyped(Others::Deduced(levels)),
            Self::Whole => untyped(Others::Whole),
        }
    }
}

impl<'t> Atom<'t> {
    /// What of it a value is. Null may be anything, and what fits nothing leaves it as it is.
    pub(super) fn deduce(self, value: &Value) -> Self {
        match value {
            Value::Null => self,
            Value::Array(_) if self.list.is_some() => Self { list: self.list, ..Self::default() },
            Value::Object(_) if self.map.is_some() => Self { map: self.map, ..Self::default() },
            Value::String(_) | Value::Number(_) | Value::Bool(_) if self.scalar.is_some() => {
                Self { scalar: self.scalar, ..Self::default() }
            }
            _ => self,
        }
    }

    /// True where two values at one place were deduced to be of one sort.
    pub(super) fn same_sort(&self, other: &Self) -> bool {
        let sort = |a: &Self| (a.scalar.is_some(), a.list.is_some(), a.map.is_some());
        sort(self) == sort(other)
    }
}

fn scalar(scalar: Scalar) -> Atom<'static> {
    Atom { scalar: Some(scalar), ..Atom::default() }
}

fn list<'t>(items: TypeView<'t>, by: By<'t>) -> Atom<'t> {
    Atom { list: Some(List { items, by }), ..Atom::default() }
}

/// The field may say of a struct what its type says otherwise.
fn of_struct(ty: TypeRef<'_>, atomic: Option<bool>) -> Atom<'_> {
    let map = Map { fields: Named::Table(ty), others: None, atomic: atomic.unwrap_or(ty.get().atomic) };
    Atom { map: Some(map), ..Atom::default() }
}

fn map<'t>(others: Others<'t>, atomic: bool) -> Atom<'t> {
    Atom { map: Some(Map { fields: Named::None, others: Some(others), atomic }), ..Atom::default() }
}

/// An untyped place: within a deduced map, all goes on to be deduced; within a whole, nothing matters.
fn untyped(others: Others<'static>) -> Atom<'static> {
    let atomic = matches!(others, Others::Whole);
    Atom {
        scalar: Some(Scalar::Any),
        list: Some(List { items: TypeView::Whole, by: By::Whole }),
        map: Some(Map { fields: Named::None, others: Some(others), atomic }),
    }
}

fn of_shape<'t>(owner: TypeRef<'t>, shape: &'t Shape, detail: Option<&'t Detail>) -> Atom<'t> {
    let atomic = detail.and_then(|d| d.atomic_map);
    match shape {
        Shape::String | Shape::Bytes => scalar(Scalar::String),
        Shape::Bool => scalar(Scalar::Bool),
        Shape::Int32 | Shape::Int64 | Shape::Float => scalar(Scalar::Number),
        Shape::Time | Shape::MicroTime | Shape::Quantity | Shape::IntOrString => scalar(Scalar::Any),
        Shape::Raw | Shape::Fields => map(Others::Deduced(LEVELS), false),
        Shape::Json | Shape::SchemaOrArray(_) | Shape::SchemaOrBool(_) | Shape::SchemaOrStrings(_) => {
            untyped(Others::Whole)
        }
        Shape::Struct(id) => of_struct(owner.at(*id), atomic),
        Shape::Map(item) => map(Others::Item(owner, item), atomic == Some(true)),
        Shape::List(item) | Shape::Wrapped(item) => list(TypeView::Item(owner, item), by(owner, item, detail)),
    }
}

/// How a list of the table is owned. Where its list type is not said, its merge strategy says it.
fn by<'t>(owner: TypeRef<'t>, item: &'t Shape, detail: Option<&'t Detail>) -> By<'t> {
    let Some(detail) = detail else { return By::Whole };
    let items = item.inner().map(|id| owner.at(id));
    match (detail.list, &detail.merge_key) {
        (ListKind::Set, _) => By::Value,
        (ListKind::Map, _) => By::TableKeys(&detail.list_keys, items),
        (ListKind::Unsaid, Some(key)) if detail.strategy.merge => By::TableKeys(std::slice::from_ref(key), items),
        (ListKind::Unsaid, None) if detail.strategy.merge => By::Value,
        (ListKind::Unsaid | ListKind::Atomic, _) => By::Whole,
    }
}

fn of_tree(tree: &Tree) -> Atom<'_> {
    match tree {
        Tree::Scalar(kind) => scalar(*kind),
        Tree::Map { values, atomic } => map(Others::Tree(values), *atomic),
        Tree::Struct(fields) => {
            let others = fields.open.then_some(Others::Deduced(LEVELS));
            let map = Map { fields: Named::Tree(&fields.named), others, atomic: fields.atomic };
            Atom { map: Some(map), ..Atom::default() }
        }
        Tree::List { items, owned } => list(
            TypeView::Tree(items),
            match owned {
                Owned::Whole => By::Whole,
                Owned::ByValue => By::Value,
                Owned::ByKeys(keys) => By::Keys(keys),
            },
        ),
        Tree::Untyped { atomic: true } => untyped(Others::Whole),
        Tree::Untyped { atomic: false } => untyped(Others::Deduced(LEVELS)),
        Tree::BuiltIn(ty) => of_struct(*ty, None),
    }
}

//! Whether a value is what its type says, and its one true form.
//!
//! A body is untyped when it comes; Go's decoder would refuse what does not fit, forget what it does not know and write the
//! rest back in its own form. [`conform`] does that in place, without the structs: an object that is in form already is
//! walked and not rebuilt, which is the common case for everything that clients read, change and send back.
//!
//! # Guarantees
//! Conforming twice changes nothing the second time.

mod path;
mod scalar;
mod zero;

use serde_json::{Map, Value};

use crate::table::{Field, Shape, TypeRef};
pub use scalar::word;

use path::{Path, Step};

pub(crate) use zero::{is_zero, positions as shown_positions, zero};

/// How many unknown fields are told, as upstream has it.
const TOLD: usize = 100;

/// What [`conform`] noticed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The paths of fields that the type does not have; they were dropped. `spec.zzz`
    pub unknown: Vec<String>,
}

/// A value that Go's decoder refuses, in its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct TypeError {
    words: String,
    converter: Option<String>,
}

impl TypeError {
    /// A refusal in these words, by a schema that is not of the table.
    pub fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), converter: None }
    }

    /// What upstream says where it makes an object of maps and lists without decoding JSON: of a strategic patch's result.
    pub fn of_converter(&self) -> &str {
        self.converter.as_deref().unwrap_or(&self.words)
    }
}

/// Checks the types of a value as Go's decoder does and leaves it as Go would encode it: fields in the struct's order,
/// unknown ones dropped, empty ones dropped or shown as `omitempty` says, maps sorted, quantities and times in canonical form.
///
/// # Errors
/// The first value that does not fit. The value is then half conformed and of no use.
pub fn conform(ty: TypeRef, value: &mut Value) -> Result<Findings, TypeError> {
    let mut conform = Conform { findings: Findings::default() };
    match value {
        Value::Object(map) => conform.structure(ty, &Path::ROOT, map)?,
        Value::Null => *value = zero(ty),
        other => {
            let text = format!("json: cannot unmarshal {} into Go value of type {}", scalar::word(other), ty.go());
            return Err(TypeError::new(text));
        }
    }
    Ok(conform.findings)
}

struct Conform {
    findings: Findings,
}

/// A value within a struct's field: whose field it is and how it got there.
#[derive(Clone, Copy)]
struct Place<'a> {
    owner: TypeRef<'a>,
    field: &'a Field,
    path: &'a Path<'a>,
}

impl Place<'_> {
    /// The decoder's complaint about a value of the wrong sort.
    fn refuse(self, what: &str, shape: &Shape) -> TypeError {
        let ty = scalar::go_type(self.owner, shape, self.field.alias.as_deref());
        let converter = scalar::unconvertible(what, shape, &ty);
        TypeError { converter, ..self.refuse_as(what, &ty) }
    }

    fn refuse_as(self, what: &str, ty: &str) -> TypeError {
        let (owner, path) = (self.owner.short(), self.path.go());
        TypeError::new(format!("json: cannot unmarshal {what} into Go struct field {owner}.{path} of type {ty}"))
    }
}

/// Positions in a struct, as bits. Structs with more fields are rebuilt always.
const BITS: usize = 128;

impl Conform {
    fn structure(&mut self, ty: TypeRef, path: &Path, map: &mut Map<String, Value>) -> Result<(), TypeError> {
        let fields = ty.get().fields();
        let (mut seen, mut last, mut rebuild) = (0u128, None, fields.len() > BITS);
        for (key, value) in map.iter_mut() {
            let Some(at) = ty.position(key) else {
                if self.findings.unknown.len() < TOLD {
                    self.findings.unknown.push(path.then(Step::Field(key)).full());
                }
                rebuild = true;
                continue;
            };
            let field = &fields[at];
            let place = Place { owner: ty, field, path: &path.then(Step::Field(&field.name)) };
            self.value(place, &field.shape, value)?;
            if zero::is_shown(field, value) {
                seen |= 1u128.checked_shl(at as u32).unwrap_or(0);
                rebuild |= last.is_some_and(|last| at < last);
                last = Some(at);
            } else {
                rebuild = true;
            }
        }
        let missing = |&at: &u16| seen & 1u128.checked_shl(u32::from(at)).unwrap_or(0) == 0;
        if rebuild || ty.get().shown_when_empty().iter().any(missing) {
            rebuild_in_order(ty, map);
        }
        Ok(())
    }

    fn value(&mut self, place: Place, shape: &Shape, value: &mut Value) -> Result<(), TypeError> {
        if value.is_null() {
            return Ok(());
        }
        match (shape, value) {
            (Shape::Struct(id), Value::Object(map)) => self.structure(place.owner.at(*id), place.path, map),
            (Shape::List(item) | Shape::Wrapped(item), Value::Array(list)) => {
                list.iter_mut().enumerate().try_for_each(|(index, value)| {
                    let path = place.path.then(Step::Index(index));
                    self.element(Place { path: &path, ..place }, item, value)
                })
            }
            (Shape::Map(item), Value::Object(map)) => {
                map.iter_mut().try_for_each(|(key, value)| {
                    let path = place.path.then(Step::Key(key));
                    self.element(Place { path: &path, ..place }, item, value)
                })?;
                sort(map);
                Ok(())
            }
            (Shape::SchemaOrArray(id) | Shape::SchemaOrBool(id) | Shape::SchemaOrStrings(id), value) => {
                self.schema_or(place, shape, place.owner.at(*id), value)
            }
            (shape, value) => scalar::conform(place, shape, value),
        }
    }

    /// An item of a list or map: null is the zero of a type that is no pointer.
    fn element(&mut self, place: Place, shape: &Shape, value: &mut Value) -> Result<(), TypeError> {
        if value.is_null() {
            *value = zero::element(place.owner, shape);
            return Ok(());
        }
        self.value(place, shape, value)
    }

    /// The types of a CRD's schema that decode themselves; they look for no unknown fields.
    fn schema_or(&mut self, place: Place, shape: &Shape, schema: TypeRef, value: &mut Value) -> Result<(), TypeError> {
        let known = self.findings.unknown.len();
        match (shape, value) {
            (_, Value::Object(map)) => self.structure(schema, place.path, map)?,
            (Shape::SchemaOrBool(_), Value::Bool(_)) => {}
            (Shape::SchemaOrArray(_), Value::Array(list)) => {
                for item in list {
                    let Value::Object(map) = item else {
                        return Err(place.refuse_as(scalar::word(item), schema.go()));
                    };
                    self.structure(schema, place.path, map)?;
                }
            }
            (Shape::SchemaOrStrings(_), Value::Array(list)) => {
                if let Some(other) = list.iter().find(|item| !item.is_string()) {
                    return Err(place.refuse_as(scalar::word(other), "string"));
                }
            }
            (Shape::SchemaOrBool(_), _) => return Err(TypeError::new("boolean or JSON schema expected")),
            (_, other) => return Err(place.refuse_as(scalar::word(other), schema.go())),
        }
        self.findings.unknown.truncate(known);
        Ok(())
    }
}

/// Drops what is not shown, adds what always is, and puts all in the order of the struct.
pub(crate) fn rebuild_in_order(ty: TypeRef, map: &mut Map<String, Value>) {
    let fields = ty.get().fields();
    let mut kept: Vec<(usize, String, Value)> = Vec::with_capacity(map.len() + 2);
    for (key, value) in std::mem::take(map) {
        match ty.position(&key) {
            Some(at) if zero::is_shown(&fields[at], &value) => kept.push((at, key, value)),
            _ => {}
        }
    }
    for &at in ty.get().shown_when_empty() {
        let at = usize::from(at);
        if !kept.iter().any(|(other, ..)| *other == at) {
            kept.push((at, fields[at].name.to_string(), zero::field(ty, &fields[at])));
        }
    }
    kept.sort_by_key(|(at, ..)| *at);
    map.extend(kept.into_iter().map(|(_, key, value)| (key, value)));
}

/// Go encodes maps by key. (`Map::sort_keys` would also sort what lies below.)
fn sort(map: &mut Map<String, Value>) {
    if !map.keys().is_sorted() {
        let mut entries: Vec<_> = std::mem::take(map).into_iter().collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        map.extend(entries);
    }
}

#[cfg(test)]
mod tests;

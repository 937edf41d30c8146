//! The values of an evaluation.
//!
//! JSON is not converted: lists and objects stay where they are and are looked into on demand, with the type that the
//! schema gives them. Only what an expression computes is held by the value itself.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use objects::quantity::Quantity;
use serde_json::Value as Json;

use super::functions::authorizer::Check;
use super::functions::formats::Format;
use super::functions::ip::Cidr;
use super::functions::urls::Url;
use super::types::{Library, ListKind, Type};

/// A value of CEL that may borrow from what the expression is about.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true`
    Bool(bool),
    /// `1`
    Int(i64),
    /// `1u`
    Uint(u64),
    /// `1.0`
    Double(f64),
    /// `'a'`
    String(Text<'a>),
    /// `b'a'`
    Bytes(Arc<[u8]>),
    /// `duration('1s')`
    Duration(SignedDuration),
    /// `timestamp('…')`
    Timestamp(Timestamp),
    /// `[1]`
    List(List<'a>),
    /// `{'a': 1}`, and objects
    Map(Map<'a>),
    /// `optional.of(1)`
    Optional(Option<Arc<Value<'a>>>),
    /// `int`
    Type(Arc<str>),
    /// The variables of a policy, computed when they are asked for.
    Variables,
    /// A value of Kubernetes' libraries.
    Quantity(Quantity),
    /// An address.
    Ip(IpAddr),
    /// A network.
    Cidr(Cidr),
    /// A URL.
    Url(Arc<Url>),
    /// A named format.
    Format(&'static Format),
    /// A semantic version.
    Semver(Arc<semver::Version>),
    /// A question to the authorizer, as far as it has been asked.
    Check(Arc<Check>),
}

/// Text, borrowed or shared.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// Of the object.
    Borrowed(&'a str),
    /// Computed.
    Shared(Arc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

/// A list, borrowed or computed.
#[derive(Clone, Debug)]
pub enum List<'a> {
    /// Of the object, with the type of the list.
    Json(&'a [Json], &'a Type),
    /// Computed.
    Shared(Arc<Vec<Value<'a>>>),
}

/// A map, borrowed or computed.
#[derive(Clone, Debug)]
pub enum Map<'a> {
    /// Of the object, with its type.
    Json(&'a serde_json::Map<String, Json>, &'a Type),
    /// Computed.
    Shared(Arc<BTreeMap<Key, Value<'a>>>),
}

/// What a computed map is looked up by. A whole `uint` or `double` finds the entry of the equal `int`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `true`
    Bool(bool),
    /// `1`
    Int(i64),
    /// `1u`, above what `int` can hold.
    Uint(u64),
    /// `'a'`
    String(Arc<str>),
}

impl Key {
    /// The key that a value is, if it can be one.
    pub fn of(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Bool(b) => Some(Self::Bool(*b)),
            Value::Int(i) => Some(Self::Int(*i)),
            Value::Uint(u) => Some(i64::try_from(*u).map_or(Self::Uint(*u), Self::Int)),
            #[expect(clippy::cast_possible_truncation, reason = "compared with itself afterwards")]
            Value::Double(d) if (*d as i64) as f64 == *d => Some(Self::Int(*d as i64)),
            Value::String(text) => Some(Self::String(text.deref().into())),
            _ => None,
        }
    }

    fn value<'a>(&self) -> Value<'a> {
        match self {
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(i) => Value::Int(*i),
            Self::Uint(u) => Value::Uint(*u),
            Self::String(text) => Value::String(Text::Shared(text.clone())),
        }
    }
}

impl<'a> Value<'a> {
    /// Text that was computed.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::String(Text::Shared(text.into()))
    }

    /// A list that was computed.
    pub fn list(elements: Vec<Self>) -> Self {
        Self::List(List::Shared(Arc::new(elements)))
    }

    /// Something, or nothing.
    pub fn optional(inner: Option<Self>) -> Self {
        Self::Optional(inner.map(Arc::new))
    }

    /// JSON as what its type says; without a type as what it looks like.
    pub fn of_json(json: &'a Json, ty: &'a Type) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(number) => of_number(number, ty),
            Json::String(text) => of_text(text, ty),
            Json::Array(list) => Self::List(List::Json(list, ty)),
            Json::Object(map) => Self::Map(Map::Json(map, ty)),
        }
    }

    /// The name of its type, as errors show it.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::List(_) => "list",
            Self::Map(Map::Json(_, Type::Object(_))) | Self::Variables => "object",
            Self::Map(_) => "map",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Quantity(_) => Library::Quantity.name(),
            Self::Ip(_) => Library::Ip.name(),
            Self::Cidr(_) => Library::Cidr.name(),
            Self::Url(_) => Library::Url.name(),
            Self::Format(_) => Library::Format.name(),
            Self::Semver(_) => Library::Semver.name(),
            Self::Check(check) => check.library().name(),
        }
    }

    /// How much there is to look at: what comparing or copying costs.
    pub fn weight(&self) -> usize {
        match self {
            Self::String(text) => text.len() / 10,
            Self::Bytes(bytes) => bytes.len() / 10,
            Self::List(list) => list.len(),
            Self::Map(map) => map.len(),
            _ => 1,
        }
    }
}

fn of_number<'a>(number: &serde_json::Number, ty: &Type) -> Value<'a> {
    if *ty == Type::Double {
        return Value::Double(number.as_f64().unwrap_or_default());
    }
    if let Some(i) = number.as_i64() {
        return Value::Int(i);
    }
    Value::Double(number.as_f64().unwrap_or_default())
}

fn of_text<'a>(text: &'a str, ty: &Type) -> Value<'a> {
    use super::functions::time;
    let special = match ty {
        Type::Timestamp => time::parse_timestamp(text).or_else(|| time::parse_date(text)).map(Value::Timestamp),
        Type::Duration => time::parse_duration(text).map(Value::Duration),
        Type::Bytes => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).ok().map(|bytes| Value::Bytes(bytes.into()))
        }
        _ => None,
    };
    special.unwrap_or(Value::String(Text::Borrowed(text)))
}

impl<'a> List<'a> {
    /// How many elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(list, _) => list.len(),
            Self::Shared(list) => list.len(),
        }
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One element.
    pub fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Json(list, ty) => list.get(index).map(|json| Value::of_json(json, ty.child(""))),
            Self::Shared(list) => list.get(index).cloned(),
        }
    }

    /// Every element in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Value<'a>> + '_ {
        (0..self.len()).filter_map(|i| self.get(i))
    }

    /// How two of these are equal.
    pub fn kind(&self) -> &'a ListKind {
        match self {
            Self::Json(_, Type::List(list)) => &list.kind,
            _ => &ListKind::Atomic,
        }
    }
}

impl<'a> Map<'a> {
    /// How many entries.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(map, _) => map.len(),
            Self::Shared(map) => map.len(),
        }
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<Value<'a>> {
        match self {
            Self::Json(map, ty) => map.get(name).map(|json| Value::of_json(json, ty.child(name))),
            Self::Shared(map) => map.get(&Key::String(name.into())).cloned(),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &Value<'_>) -> Option<Value<'a>> {
        match (self, key) {
            (_, Value::String(name)) => self.field(name),
            (Self::Json(..), _) => None,
            (Self::Shared(map), key) => map.get(&Key::of(key)?).cloned(),
        }
    }

    /// Every key, in order.
    pub fn keys(&self) -> Vec<Value<'a>> {
        match self {
            Self::Json(map, _) => map.keys().map(|key| Value::String(Text::Borrowed(key))).collect(),
            Self::Shared(map) => map.keys().map(Key::value).collect(),
        }
    }
}

//! What the checker knows of a value before there is one.
//!
//! A schema makes a precise type, everything without one is [`Type::Dyn`]: such expressions are checked while they run.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A type of CEL, as rules are checked against it.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Anything: known when it is looked at.
    Dyn,
    /// `null` alone.
    Null,
    /// `true` and `false`.
    Bool,
    /// 64 bits, signed.
    Int,
    /// 64 bits, unsigned.
    Uint,
    /// 64 bits of floating point.
    Double,
    /// Text.
    String,
    /// Bytes: strings of format `byte`.
    Bytes,
    /// A span of time: strings of format `duration`.
    Duration,
    /// A point in time: strings of format `date-time` and `date`.
    Timestamp,
    /// A list of one type.
    List(Arc<ListType>),
    /// A map: keys, values.
    Map(Arc<(Type, Type)>),
    /// An object whose fields are known.
    Object(Arc<ObjectType>),
    /// Something, or nothing.
    Optional(Arc<Type>),
    /// The type of types.
    Type,
    /// A type of one of Kubernetes' libraries.
    Library(Library),
    /// In signatures only: whatever the argument is, the same wherever the letter stands.
    Parameter(char),
}

/// A list's elements and how they are told apart.
#[derive(Clone, Debug, PartialEq)]
pub struct ListType {
    /// The type of each.
    pub element: Type,
    /// What makes two lists equal.
    pub kind: ListKind,
}

/// `x-kubernetes-list-type`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ListKind {
    /// Equal in order.
    #[default]
    Atomic,
    /// Equal in any order.
    Set,
    /// Equal in any order, an element known by these fields.
    Map(Vec<String>),
}

/// An object's fields, by the name they have in JSON.
#[derive(Debug, Default)]
pub struct ObjectType {
    /// Shown in errors.
    pub name: String,
    /// The fields a rule may ask for.
    pub fields: BTreeMap<String, Type>,
}

impl PartialEq for ObjectType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.fields.len() == other.fields.len()
    }
}

/// The types that Kubernetes adds to CEL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// `quantity('1Gi')`
    Quantity,
    /// `ip('::1')`
    Ip,
    /// `cidr('10.0.0.0/8')`
    Cidr,
    /// `url('https://a/b')`
    Url,
    /// `format.named('dns1123Label')`
    Format,
    /// `semver('1.0.0')`
    Semver,
    /// `authorizer`
    Authorizer,
    /// `authorizer.path('/healthz')`
    PathCheck,
    /// `authorizer.group('apps')`
    GroupCheck,
    /// `authorizer.group('apps').resource('deployments')`
    ResourceCheck,
    /// `….check('get')`
    Decision,
}

impl Library {
    /// As CEL calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quantity => "kubernetes.Quantity",
            Self::Ip => "net.IP",
            Self::Cidr => "net.CIDR",
            Self::Url => "kubernetes.URL",
            Self::Format => "kubernetes.NamedFormat",
            Self::Semver => "kubernetes.Semver",
            Self::Authorizer => "kubernetes.authorization.Authorizer",
            Self::PathCheck => "kubernetes.authorization.PathCheck",
            Self::GroupCheck => "kubernetes.authorization.GroupCheck",
            Self::ResourceCheck => "kubernetes.authorization.ResourceCheck",
            Self::Decision => "kubernetes.authorization.Decision",
        }
    }
}

impl Type {
    /// A list that is equal in order.
    pub fn list(element: Self) -> Self {
        Self::list_of(element, ListKind::Atomic)
    }

    /// A list with its own idea of equality.
    pub fn list_of(element: Self, kind: ListKind) -> Self {
        Self::List(Arc::new(ListType { element, kind }))
    }

    /// A map.
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new((key, value)))
    }

    /// A map from text, as JSON has it.
    pub fn text_map(value: Self) -> Self {
        Self::map(Self::String, value)
    }

    /// An object with these fields.
    pub fn object(name: &str, fields: impl IntoIterator<Item = (String, Self)>) -> Self {
        Self::Object(Arc::new(ObjectType { name: name.to_owned(), fields: fields.into_iter().collect() }))
    }

    /// Something or nothing.
    pub fn optional(inner: Self) -> Self {
        Self::Optional(Arc::new(inner))
    }

    /// True where the checker can't say more.
    pub fn is_dyn(&self) -> bool {
        matches!(self, Self::Dyn | Self::Parameter(_))
    }

    /// The one type of both, [`Type::Dyn`] where there is none.
    pub fn join(self, other: &Self) -> Self {
        match (&self, other) {
            (a, b) if a == b => self,
            (Self::Null, b) if b.is_nullable() => other.clone(),
            (a, Self::Null) if a.is_nullable() => self,
            (Self::List(a), Self::List(b)) => Self::list(a.element.clone().join(&b.element)),
            (Self::Map(a), Self::Map(b)) => Self::map(a.0.clone().join(&b.0), a.1.clone().join(&b.1)),
            (Self::Optional(a), Self::Optional(b)) => Self::optional((**a).clone().join(b)),
            _ => Self::Dyn,
        }
    }

    /// True for types of which `null` is one value.
    pub fn is_nullable(&self) -> bool {
        matches!(
            self,
            Self::Dyn
                | Self::Null
                | Self::Object(_)
                | Self::Library(_)
                | Self::Duration
                | Self::Timestamp
                | Self::Optional(_)
        )
    }

    /// The type of a list's elements, a map's values, a known field.
    pub fn child(&self, field: &str) -> &Self {
        match self {
            Self::List(list) => &list.element,
            Self::Map(map) => &map.1,
            Self::Object(object) => object.fields.get(field).unwrap_or(&Self::Dyn),
            _ => &Self::Dyn,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Dyn => "dyn",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::Type => "type",
            Self::Library(library) => library.name(),
            Self::Object(object) => &object.name,
            Self::List(list) => return write!(f, "list({})", list.element),
            Self::Map(map) => return write!(f, "map({}, {})", map.0, map.1),
            Self::Optional(inner) => return write!(f, "optional_type({inner})"),
            Self::Parameter(letter) => return write!(f, "{letter}"),
        };
        f.write_str(name)
    }
}

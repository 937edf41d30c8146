//! One step of a path: a field, an item told by its keys, a value of a set, an index. Kept as FieldsV1 writes it.
//!
//! The text is the identity: two steps are the same where their texts are, so sets are merged without a parse. Only the
//! order looks inside, since upstream sorts port 80 before port 443.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::view::{By, List};

/// `f:spec`, `k:{"name":"c"}`, `v:"x.y/z"`, `i:0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element(Box<str>);

impl Element {
    /// A field or an entry of a map.
    pub fn field(name: &str) -> Self {
        Self(["f:", name].concat().into())
    }

    /// A step from its text; none where it is not one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sort, rest) = text.split_at_checked(2)?;
        match sort {
            "f:" => Some(Self(text.into())),
            "v:" => serde_json::from_str::<Value>(rest).ok().map(|value| Self::value(&value)),
            "i:" => rest.parse::<i64>().ok().map(|index| Self(format!("i:{index}").into())),
            "k:" => match serde_json::from_str::<Value>(rest).ok()? {
                Value::Object(keys) if !keys.is_empty() => Some(Self::keys(keys.iter())),
                _ => None,
            },
            _ => None,
        }
    }

    fn value(value: &Value) -> Self {
        Self(format!("v:{value}").into())
    }

    /// An item with these keys.
    pub(super) fn keys<'a>(keys: impl Iterator<Item = (&'a String, &'a Value)>) -> Self {
        Self::sorted_keys(keys.map(|(name, value)| (name.as_str(), value)).collect())
    }

    fn sorted_keys(mut keys: Vec<(&str, &Value)>) -> Self {
        keys.sort_unstable_by_key(|(name, _)| *name);
        let mut text = String::with_capacity(48);
        text.push_str("k:{");
        for (at, (name, value)) in keys.into_iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            // Writing to a string does not fail.
            let _ = match value {
                Value::String(plain) if is_plain(plain) => write!(text, "\"{name}\":\"{plain}\""),
                value => write!(text, "\"{name}\":{value}"),
            };
        }
        text.push('}');
        Self(text.into())
    }

    /// As FieldsV1 writes it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The name, for a field.
    pub(super) fn name(&self) -> Option<&str> {
        self.0.strip_prefix("f:")
    }

    /// The keys of an item.
    fn parts(&self) -> Option<Map<String, Value>> {
        serde_json::from_str(self.0.strip_prefix("k:")?).ok()
    }

    /// As messages show it: `.spec`, `[name="c"]`, `[="x"]`, `[0]`.
    pub fn shown(&self) -> String {
        let (sort, rest) = self.0.split_at(2);
        match sort {
            "f:" => format!(".{rest}"),
            "k:" => {
                let parts = self.parts().unwrap_or_default();
                let parts: Vec<String> = parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("[{}]", parts.join(","))
            }
            "v:" => format!("[={rest}]"),
            _ => format!("[{rest}]"),
        }
    }

    /// Sorts what `element` finds in items, each step read once.
    pub(super) fn sort<T>(items: &mut [T], element: impl Fn(&T) -> &Element) {
        if items.iter().all(|item| element(item).name().is_some()) {
            items.sort_by(|a, b| element(a).0.cmp(&element(b).0));
            return;
        }
        items.sort_by_cached_key(|item| Inside::of(element(item)));
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\')
}

impl PartialOrd for Element {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Element {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.0 == other.0 {
            return Ordering::Equal;
        }
        match (self.name(), other.name()) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Inside::of(self).cmp(&Inside::of(other)),
        }
    }
}

/// What an element is, in the order of its variants. The text decides last, so that equal means the same.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Inside {
    Field(Box<str>),
    Keys(Vec<(String, Plain)>, Box<str>),
    Value(Plain, Box<str>),
    Index(i64),
}

impl Inside {
    fn of(element: &Element) -> Self {
        let rest = &element.0[2..];
        match &element.0[..2] {
            "k:" => {
                let parts = element.parts().unwrap_or_default();
                Self::Keys(parts.into_iter().map(|(name, value)| (name, Plain::of(value))).collect(), rest.into())
            }
            "v:" => Self::Value(Plain::of(serde_json::from_str(rest).unwrap_or_default()), rest.into()),
            "i:" => Self::Index(rest.parse().unwrap_or_default()),
            _ => Self::Field(rest.into()),
        }
    }
}

/// A scalar in upstream's order: numbers, text, booleans, and what else there may be.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Plain {
    Number(Number),
    Text(String),
    Bool(bool),
    Other(String),
}

#[derive(PartialEq)]
struct Number(f64);

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Plain {
    fn of(value: Value) -> Self {
        match value {
            Value::Number(number) => Self::Number(Number(number.as_f64().unwrap_or_default())),
            Value::String(text) => Self::Text(text),
            Value::Bool(value) => Self::Bool(value),
            other => Self::Other(other.to_string()),
        }
    }
}

impl List<'_> {
    /// What tells an item of this list.
    ///
    /// # Errors
    /// Upstream's words for an item that cannot be told.
    pub(super) fn element(&self, item: &Value) -> Result<Element, String> {
        match self.by {
            By::Value => of_set(item),
            By::Whole => Err("invalid indexing of non-associative list".to_owned()),
            By::TableKeys(names, ty) => {
                let default = |name: &str| ty?.get().field(name)?.detail.as_ref()?.declared.as_ref();
                of_map(item, names.iter().map(|name| (&**name, default(name))))
            }
            By::Keys(keys) => of_map(item, keys.iter().map(|(name, default)| (&**name, default.as_ref()))),
        }
    }
}

fn of_set(item: &Value) -> Result<Element, String> {
    match item {
        Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
        Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
        Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
        value => Ok(Element::value(value)),
    }
}

fn of_map<'a>(
    item: &'a Value,
    keys: impl Iterator<Item = (&'a str, Option<&'a Value>)> + Clone,
) -> Result<Element, String> {
    let map = match item {
        Value::Null => return Err("associative list with keys may not have a null element".to_owned()),
        Value::Object(map) => map,
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let found: Vec<(&str, &Value)> =
        keys.clone().filter_map(|(name, default)| Some((name, map.get(name).or(default)?))).collect();
    if found.is_empty() {
        let names: Vec<String> = keys.map(|(name, _)| format!("\"{name}\"")).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for \
             any key fields)",
            names.join(" ")
        ));
    }
    Ok(Element::sorted_keys(found))
}

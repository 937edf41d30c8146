//! A set of fields, and FieldsV1, its form in JSON.
//!
//! A node is in the set where it is owned, and leads on to what lies below it; the two are independent: to own an item of
//! a list is not to own its fields. In FieldsV1 a node with nothing below is owned by being there, and `"."` says it
//! of one that leads on.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::element::Element;
use super::view::TypeView;

/// Fields of an object, as a tree of steps in upstream's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet(Vec<Node>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    at: Element,
    owned: bool,
    below: FieldSet,
}

/// A FieldsV1 that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no field of FieldsV1")]
pub struct Malformed(String);

impl FieldSet {
    /// The set of these fields: `&[&["metadata", "name"]]`.
    pub fn of(paths: &[&[&str]]) -> Self {
        paths.iter().fold(Self::default(), |set, path| set.union(Self::path(path)))
    }

    fn path(path: &[&str]) -> Self {
        let Some((first, rest)) = path.split_first() else { return Self::default() };
        Self(vec![Node { at: Element::field(first), owned: rest.is_empty(), below: Self::path(rest) }])
    }

    /// True where nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a node that is greater than all before it, or in any order before a [`FieldSet::sort`]. What is neither owned nor
    /// leads on is nothing.
    pub(super) fn push(&mut self, at: impl FnOnce() -> Element, owned: bool, below: FieldSet) {
        if owned || !below.is_empty() {
            self.0.push(Node { at: at(), owned, below });
        }
    }

    /// Brings pushed nodes into order.
    pub(super) fn sort(&mut self) {
        if self.0.len() > 1 {
            Element::sort(&mut self.0, |node| &node.at);
        }
    }

    fn find(&self, at: &Element) -> Option<&Node> {
        match self.0.as_slice() {
            [] => None,
            [only] => (only.at == *at).then_some(only),
            nodes => nodes.binary_search_by(|node| node.at.cmp(at)).ok().map(|found| &nodes[found]),
        }
    }

    /// Whether a step is in the set.
    pub(super) fn owns(&self, at: &Element) -> bool {
        self.find(at).is_some_and(|node| node.owned)
    }

    /// What lies below a step.
    pub(super) fn below(&self, at: &Element) -> Option<&FieldSet> {
        self.find(at).map(|node| &node.below).filter(|below| !below.is_empty())
    }

    /// Whether a field is in the set.
    pub fn has(&self, path: &[&str]) -> bool {
        match path {
            [] => false,
            [last] => self.owns(&Element::field(last)),
            [first, rest @ ..] => self.below(&Element::field(first)).is_some_and(|below| below.has(rest)),
        }
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        let (mut a, mut b) = (self.0.into_iter().peekable(), other.0.into_iter().peekable());
        let mut nodes = Vec::with_capacity(a.len().max(b.len()));
        loop {
            let order = match (a.peek(), b.peek()) {
                (None, None) => return Self(nodes),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.at.cmp(&b.at),
            };
            let left = if order.is_le() { a.next() } else { None };
            let right = if order.is_ge() { b.next() } else { None };
            nodes.extend(match (left, right) {
                (Some(a), Some(b)) => Some(Node { at: a.at, owned: a.owned || b.owned, below: a.below.union(b.below) }),
                (one, other) => one.or(other),
            });
        }
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut nodes = Vec::new();
        while let (Some(left), Some(right)) = (a.peek(), b.peek()) {
            match left.at.cmp(&right.at) {
                Ordering::Less => drop(a.next()),
                Ordering::Greater => drop(b.next()),
                Ordering::Equal => {
                    let below = left.below.intersection(&right.below);
                    let owned = left.owned && right.owned;
                    nodes.extend((owned || !below.is_empty()).then(|| Node { at: left.at.clone(), owned, below }));
                    a.next();
                    b.next();
                }
            }
        }
        Self(nodes)
    }

    /// What is in this and not in the other. Fields below those of the other stay.
    #[must_use]
    pub fn difference(self, other: &Self) -> Self {
        self.without(other, |a, b| node(a.at, a.owned && !b.owned, a.below.difference(&b.below)))
    }

    /// The same, but fields below those of the other go with them.
    #[must_use]
    pub fn recursive_difference(self, other: &Self) -> Self {
        self.without(other, |a, b| match b.owned {
            true => None,
            false => node(a.at, a.owned, a.below.recursive_difference(&b.below)),
        })
    }

    fn without(self, other: &Self, both: impl Fn(Node, &Node) -> Option<Node>) -> Self {
        if self.is_empty() || other.is_empty() {
            return self;
        }
        let mut others = other.0.iter().peekable();
        let kept = self.0.into_iter().filter_map(|node| {
            while others.next_if(|other| other.at < node.at).is_some() {}
            match others.next_if(|other| other.at == node.at) {
                Some(other) => both(node, other),
                None => Some(node),
            }
        });
        Self(kept.collect())
    }

    /// The same set with every named field of a struct in it through which it leads. Entries of maps and items stay as
    /// they are: they may be there without being owned.
    #[must_use]
    pub(super) fn with_named(&self, view: TypeView) -> Self {
        let atom = view.atom();
        let nodes = self.0.iter().map(|at| {
            let name = at.at.name();
            let named = name.zip(atom.map).and_then(|(name, map)| map.named(name));
            let view = match (name, atom.map, atom.list) {
                (Some(name), Some(map), _) => map.entry(name),
                (None, _, Some(list)) => Some(list.items),
                _ => None,
            };
            let owned = at.owned || named.is_some() && !at.below.is_empty();
            let below = if at.below.is_empty() {
                FieldSet::default()
            } else {
                at.below.with_named(view.unwrap_or(TypeView::Whole))
            };
            Node { at: at.at.clone(), owned, below }
        });
        Self(nodes.collect())
    }

    /// Every field in the set as messages show it: `.spec.replicas`. First those of a level, then what is below.
    pub fn shown(&self) -> Vec<String> {
        let mut all = Vec::new();
        self.show("", &mut all);
        all
    }

    fn show(&self, prefix: &str, all: &mut Vec<String>) {
        all.extend(self.0.iter().filter(|node| node.owned).map(|node| format!("{prefix}{}", node.at.shown())));
        for node in self.0.iter().filter(|node| !node.below.is_empty()) {
            node.below.show(&format!("{prefix}{}", node.at.shown()), all);
        }
    }

    /// FieldsV1.
    pub fn encode(&self) -> Value {
        let mut map = Map::with_capacity(self.0.len());
        self.encode_into(&mut map);
        Value::Object(map)
    }

    fn encode_into(&self, map: &mut Map<String, Value>) {
        for node in &self.0 {
            let mut below = Map::with_capacity(if node.below.is_empty() { 0 } else { node.below.0.len() + 1 });
            if node.owned && !node.below.is_empty() {
                below.insert(".".to_owned(), json!({}));
            }
            node.below.encode_into(&mut below);
            map.insert(node.at.text().to_owned(), Value::Object(below));
        }
    }

    /// A set from FieldsV1; null is the empty set.
    ///
    /// # Errors
    /// The first key that is no step.
    pub fn decode(fields: &Value) -> Result<Self, Malformed> {
        let map = match fields {
            Value::Object(map) => map,
            Value::Null => return Ok(Self::default()),
            other => return Err(Malformed(other.to_string())),
        };
        let mut set = Self(Vec::with_capacity(map.len()));
        for (key, value) in map.iter().filter(|(key, _)| *key != ".") {
            if is_of_the_future(key) {
                continue;
            }
            let at = Element::parse(key).ok_or_else(|| Malformed(key.clone()))?;
            let below = Self::decode(value)?;
            let owned = below.is_empty() || value.get(".").is_some();
            set.0.push(Node { at, owned, below });
        }
        if !set.0.is_sorted_by(|a, b| a.at < b.at) {
            set.sort();
            set.0.dedup_by(|a, b| a.at == b.at);
        }
        Ok(set)
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = (&Element, bool, &FieldSet)> {
        self.0.iter().map(|node| (&node.at, node.owned, &node.below))
    }
}

/// A sort of step that this version does not know; it is dropped, as upstream does.
fn is_of_the_future(key: &str) -> bool {
    matches!(key.as_bytes(), [sort, b':', ..] if !matches!(sort, b'f' | b'k' | b'v' | b'i'))
}

fn node(at: Element, owned: bool, below: FieldSet) -> Option<Node> {
    (owned || !below.is_empty()).then_some(Node { at, owned, below })
}

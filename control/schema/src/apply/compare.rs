//! What a write changed: the fields removed, modified and added between two objects of one type.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::element::Element;
use super::fields::FieldSet;
use super::view::{Atom, By, List, Map as MapView, TypeView};

/// The difference of two objects. No field is in two of the sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Only in the first.
    pub removed: FieldSet,
    /// In both, and not the same.
    pub modified: FieldSet,
    /// Only in the second.
    pub added: FieldSet,
}

impl Comparison {
    /// What was set or changed.
    pub fn written(&self) -> Cow<'_, FieldSet> {
        match (self.modified.is_empty(), self.added.is_empty()) {
            (true, _) => Cow::Borrowed(&self.added),
            (_, true) => Cow::Borrowed(&self.modified),
            _ => Cow::Owned(self.modified.clone().union(self.added.clone())),
        }
    }

    /// The same, and what was removed.
    pub(super) fn into_parts(self) -> (FieldSet, FieldSet) {
        (self.modified.union(self.added), self.removed)
    }

    /// The difference without these fields and what is below them.
    #[must_use]
    pub fn without(&self, ignored: &FieldSet) -> Self {
        Self {
            removed: self.removed.clone().recursive_difference(ignored),
            modified: self.modified.clone().recursive_difference(ignored),
            added: self.added.clone().recursive_difference(ignored),
        }
    }

    fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.modified.is_empty() && self.added.is_empty()
    }

    fn sort(&mut self) {
        self.removed.sort();
        self.modified.sort();
        self.added.sort();
    }

    /// Puts what was found at a step, and below it, under it.
    fn put(&mut self, at: impl Fn() -> Element, mark: Option<Mark>, below: Comparison) {
        if mark.is_none() && below.is_empty() {
            return;
        }
        self.removed.push(&at, mark == Some(Mark::Removed), below.removed);
        self.modified.push(&at, mark == Some(Mark::Modified), below.modified);
        self.added.push(&at, mark == Some(Mark::Added), below.added);
    }

    fn union(self, other: Self) -> Self {
        Self {
            removed: self.removed.union(other.removed),
            modified: self.modified.union(other.modified),
            added: self.added.union(other.added),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Removed,
    Modified,
    Added,
}

/// Compares two objects of a type.
pub fn compare(view: TypeView, old: &Value, new: &Value) -> Comparison {
    at(view, Some(old), Some(new)).1
}

/// One place of two objects; absent and null are not the same.
type Side<'a> = Option<&'a Value>;

/// What to say of a place itself, and of what is below.
type Found = (Option<Mark>, Comparison);

fn at(view: TypeView, old: Side, new: Side) -> Found {
    let atom = view.atom();
    let (was, is) = (old.map(|v| atom.deduce(v)), new.map(|v| atom.deduce(v)));
    match (was, is) {
        (Some(was), None) => as_atom(&was, old, new),
        (None, Some(is)) => as_atom(&is, old, new),
        (Some(was), Some(is)) if was.same_sort(&is) => as_atom(&is, old, new),
        (Some(was), Some(is)) => {
            let (mark, below) = as_atom(&was, old, new);
            let (other, more) = as_atom(&is, old, new);
            (other.or(mark), below.union(more))
        }
        (None, None) => (None, Comparison::default()),
    }
}

fn as_atom(atom: &Atom, old: Side, new: Side) -> Found {
    match atom {
        Atom { map: Some(map), .. } => as_map(map, old, new),
        Atom { scalar: Some(_), .. } => leaf(old, new),
        Atom { list: Some(list), .. } => as_list(list, old, new),
        _ => leaf(old, new),
    }
}

fn leaf(old: Side, new: Side) -> Found {
    let mark = presence(old, new).or_else(|| (old != new).then_some(Mark::Modified));
    (mark, Comparison::default())
}

fn presence(old: Side, new: Side) -> Option<Mark> {
    match (old, new) {
        (None, Some(_)) => Some(Mark::Added),
        (Some(_), None) => Some(Mark::Removed),
        _ => None,
    }
}

fn as_map(map: &MapView, old: Side, new: Side) -> Found {
    let (was, is) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
    let empty = |side: Option<&Map<String, Value>>| side.is_none_or(Map::is_empty);
    if map.atomic || empty(was) && empty(is) {
        return leaf(old, new);
    }
    let mut below = Comparison::default();
    let mut visit = |name: &String, old: Side, new: Side| {
        let view = map.entry(name).unwrap_or(TypeView::Whole);
        let (mark, found) = at(view, old, new);
        below.put(|| Element::field(name), mark, found);
    };
    for (name, value) in was.into_iter().flatten() {
        visit(name, Some(value), is.and_then(|is| is.get(name)));
    }
    for (name, value) in is.into_iter().flatten() {
        if was.is_none_or(|was| !was.contains_key(name)) {
            visit(name, None, Some(value));
        }
    }
    below.sort();
    (presence(old, new), below)
}

fn as_list(list: &List, old: Side, new: Side) -> Found {
    let (was, is) = (old.and_then(Value::as_array), new.and_then(Value::as_array));
    let empty = |side: Option<&Vec<Value>>| side.is_none_or(Vec::is_empty);
    if matches!(list.by, By::Whole) || empty(was) && empty(is) {
        return leaf(old, new);
    }
    let (was, is) = (told_apart(list, was), told_apart(list, is));
    let (mut was, mut is) = (runs(&was).peekable(), runs(&is).peekable());
    let mut below = Comparison::default();
    loop {
        let order = match (was.peek(), is.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(was), Some(is)) => was[0].0.cmp(&is[0].0),
        };
        let olds = if order.is_le() { was.next() } else { None }.unwrap_or_default();
        let news = if order.is_ge() { is.next() } else { None }.unwrap_or_default();
        item(list, olds, news, &mut below);
    }
    (presence(old, new), below)
}

/// The items of a list by what tells them apart, in order. Items that cannot be told are nobody's.
fn told_apart<'a>(list: &List, items: Option<&'a Vec<Value>>) -> Vec<(Element, &'a Value)> {
    let items = items.into_iter().flatten();
    let mut told: Vec<_> = items.filter_map(|item| Some((list.element(item).ok()?, item))).collect();
    Element::sort(&mut told, |(element, _)| element);
    told
}

type Told<'a> = (Element, &'a Value);

fn runs<'a, 'b>(told: &'b [Told<'a>]) -> impl Iterator<Item = &'b [Told<'a>]> {
    told.chunk_by(|(a, _), (b, _)| a == b)
}

/// Items that are told alike: mostly one on each side. More than one are owned as a whole.
fn item(list: &List, olds: &[Told], news: &[Told], below: &mut Comparison) {
    let Some((element, _)) = olds.first().or(news.first()) else { return };
    let first = |side: &[Told<'_>]| side.first().map(|(_, value)| (*value).clone());
    let put = |below: &mut Comparison, (mark, found): Found| below.put(|| element.clone(), mark, found);
    match (olds.len(), news.len()) {
        (0 | 1, 0 | 1) => {
            let found = at(list.items, olds.first().map(|told| told.1), news.first().map(|told| told.1));
            put(below, found);
        }
        (2.., 2..) => {
            if !olds.iter().map(|told| told.1).eq(news.iter().map(|told| told.1)) {
                put(below, (Some(Mark::Modified), Comparison::default()));
            }
        }
        (2.., _) => {
            let now = first(news);
            let (_, mut found) = now.as_ref().map_or_else(Default::default, |now| at(list.items, None, Some(now)));
            found.removed = FieldSet::default();
            put(below, (Some(Mark::Removed), found));
        }
        (_, _) => {
            let was = first(olds);
            let (_, found) = was.as_ref().map_or_else(Default::default, |was| at(list.items, Some(was), None));
            put(below, (Some(Mark::Added), found));
        }
    }
}

//! An applied configuration put over the live object: its values win, what it does not name stays.

use serde_json::{Map, Value};

use super::element::Element;
use super::view::{Atom, By, List, Map as MapView, TypeView};

/// The live object with the configuration over it. The configuration has been validated.
pub(super) fn merge(view: TypeView, live: &Value, config: &Value) -> Value {
    at(view, Some(live), Some(config)).unwrap_or(Value::Null)
}

type Side<'a> = Option<&'a Value>;

/// The last sort of value decides; nothing comes out where both sides are null and no leaf.
fn at(view: TypeView, live: Side, config: Side) -> Option<Value> {
    let atom = view.atom();
    let decisive = config.or(live)?;
    match atom.deduce(decisive) {
        Atom { map: Some(map), .. } => of_map(&map, live, config),
        Atom { list: Some(list), scalar: None, .. } => of_list(&list, live, config),
        _ => leaf(live, config),
    }
}

fn leaf(live: Side, config: Side) -> Option<Value> {
    config.or(live).cloned()
}

fn of_map(map: &MapView, live: Side, config: Side) -> Option<Value> {
    let (was, sent) = (live.and_then(Value::as_object), config.and_then(Value::as_object));
    let empty = |side: Option<&Map<String, Value>>| side.is_none_or(Map::is_empty);
    if map.atomic || empty(was) && empty(sent) {
        return leaf(live, config);
    }
    let mut merged = Map::new();
    let mut put = |name: &String, live: Side, config: Side| {
        if let Some(value) = at(map.entry(name).unwrap_or(TypeView::Whole), live, config) {
            merged.insert(name.clone(), value);
        }
    };
    for (name, value) in was.into_iter().flatten() {
        put(name, Some(value), sent.and_then(|sent| sent.get(name)));
    }
    for (name, value) in sent.into_iter().flatten() {
        if was.is_none_or(|was| !was.contains_key(name)) {
            put(name, None, Some(value));
        }
    }
    (!merged.is_empty()).then_some(Value::Object(merged))
}

fn of_list(list: &List, live: Side, config: Side) -> Option<Value> {
    let (was, sent) = (live.and_then(Value::as_array), config.and_then(Value::as_array));
    let empty = |side: Option<&Vec<Value>>| side.is_none_or(Vec::is_empty);
    if matches!(list.by, By::Whole) || empty(was) && empty(sent) {
        return leaf(live, config);
    }
    let merged = Items::of(list, was, sent).merge();
    (!merged.is_empty()).then_some(Value::Array(merged))
}

/// The items of both sides, told apart. What one side alone has keeps its neighbours; what both have is in the order in
/// which the configuration has it.
struct Items<'a> {
    list: &'a List<'a>,
    live: Vec<(Element, &'a Value)>,
    sent: Vec<(Element, &'a Value)>,
    /// For each live item, where the configuration has it.
    in_sent: Vec<Option<usize>>,
    /// For each sent item, where the live list has it; none where it has it twice.
    in_live: Vec<Option<usize>>,
}

impl<'a> Items<'a> {
    fn of(list: &'a List<'a>, live: Option<&'a Vec<Value>>, sent: Option<&'a Vec<Value>>) -> Self {
        let told = |items: Option<&'a Vec<Value>>| -> Vec<(Element, &'a Value)> {
            let items = items.into_iter().flatten();
            items.filter_map(|item| Some((list.element(item).ok()?, item))).collect()
        };
        let (live, sent) = (told(live), told(sent));
        let places: std::collections::HashMap<&str, usize> =
            sent.iter().enumerate().map(|(at, (element, _))| (element.text(), at)).collect();
        let in_sent: Vec<Option<usize>> = live.iter().map(|(element, _)| places.get(element.text()).copied()).collect();
        let mut counts = vec![(0, 0); sent.len()];
        for (at, place) in in_sent.iter().enumerate() {
            if let Some(place) = *place {
                counts[place] = (counts[place].0 + 1, at);
            }
        }
        let in_live = counts.into_iter().map(|(count, at)| (count == 1).then_some(at)).collect();
        Self { list, live, sent, in_sent, in_live }
    }

    fn merge(&self) -> Vec<Value> {
        let mut merged = Vec::with_capacity(self.live.len().max(self.sent.len()));
        let mut done = vec![false; self.sent.len()];
        let shared: Vec<usize> = (0..self.sent.len()).filter(|at| self.in_sent.contains(&Some(*at))).collect();
        let mut shared = shared.into_iter();
        let mut next = shared.next();
        let (mut l, mut r) = (0, 0);
        while l < self.live.len() || r < self.sent.len() {
            if let (Some(place), true) = (self.in_sent.get(l), r < self.sent.len()) {
                match *place {
                    Some(place) if place == r => {
                        merged.extend(self.item(Some(r)));
                        done[r] = true;
                        (l, r, next) = (l + 1, r + 1, shared.next());
                        continue;
                    }
                    // Shared, but another one comes first.
                    Some(place) if next.is_some_and(|next| next != place) => {
                        l += 1;
                        continue;
                    }
                    _ => {}
                }
            }
            match self.in_sent.get(l) {
                Some(None) => {
                    merged.extend(at(self.list.items, Some(self.live[l].1), None));
                    l += 1;
                    continue;
                }
                Some(Some(place)) if done[*place] => l += 1,
                _ => {}
            }
            if r < self.sent.len() {
                merged.extend(self.item(Some(r)));
                done[r] = true;
                if next == Some(r) {
                    next = shared.next();
                }
                r += 1;
            }
        }
        merged
    }

    fn item(&self, sent: Option<usize>) -> Option<Value> {
        let sent = sent?;
        let live = self.in_live[sent].map(|at| self.live[at].1);
        at(self.list.items, live, Some(self.sent[sent].1))
    }
}

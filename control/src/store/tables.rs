//! The latest state of every object, in memory and in order.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::history::History;
use super::{Change, Entry, Event, Expired, Key, Revision};

/// Objects by name, by namespace.
type Objects = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Arc<Entry>>>;

/// A list as of one revision.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Every change up to here is in, none after.
    pub revision: Revision,
    /// Ordered by namespace and name.
    pub entries: Vec<Arc<Entry>>,
}

/// All tables: one a resource.
#[derive(Debug)]
pub(super) struct Tables {
    tables: HashMap<Arc<str>, Table>,
    revision: Revision,
    /// Nothing is remembered of the time before.
    opened_at: Revision,
    history: usize,
    history_bytes: usize,
}

#[derive(Debug)]
struct Table {
    objects: Objects,
    history: History,
}

impl Tables {
    pub(super) fn new(revision: Revision, history: usize, history_bytes: usize, entries: Vec<Entry>) -> Self {
        let mut tables = Self { tables: HashMap::new(), revision, opened_at: revision, history, history_bytes };
        for mut entry in entries {
            entry.key = tables.intern(entry.key);
            let table = tables.table(&entry.key.resource);
            insert(&mut table.objects, Arc::new(entry));
        }
        tables
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Entry>> {
        self.tables.get(&key.resource)?.objects.get(&key.namespace)?.get(&key.name)
    }

    pub(super) fn count(&self, resource: &str) -> usize {
        self.tables.get(resource).map_or(0, |t| t.objects.values().map(BTreeMap::len).sum())
    }

    pub(super) fn list(&self, resource: &str, namespace: Option<&str>) -> Listing {
        let objects = self.tables.get(resource).map(|t| &t.objects);
        let mut entries = Vec::new();
        if let Some(objects) = objects {
            match namespace {
                Some(one) => entries.extend(objects.get(one).into_iter().flat_map(BTreeMap::values).cloned()),
                None => {
                    entries.reserve_exact(objects.values().map(BTreeMap::len).sum());
                    entries.extend(objects.values().flat_map(BTreeMap::values).cloned());
                }
            }
        }
        Listing { revision: self.revision, entries }
    }

    /// Every object of every resource.
    pub(super) fn list_all(&self) -> Listing {
        let objects = self.tables.values().flat_map(|t| t.objects.values()).flat_map(BTreeMap::values);
        Listing { revision: self.revision, entries: objects.cloned().collect() }
    }

    /// The objects of every resource in one namespace.
    pub(super) fn list_namespace(&self, namespace: &str) -> Listing {
        let objects = self.tables.values().filter_map(|t| t.objects.get(namespace)).flat_map(BTreeMap::values);
        Listing { revision: self.revision, entries: objects.cloned().collect() }
    }

    /// The list of an earlier revision: today's, with every later change undone, the latest first.
    pub(super) fn list_at(&self, resource: &str, namespace: Option<&str>, at: Revision) -> Result<Listing, Expired> {
        if at >= self.revision {
            return Ok(self.list(resource, namespace));
        }
        let Some(table) = self.tables.get(resource) else {
            return self.never_used(at).map(|()| Listing { revision: at, entries: Vec::new() });
        };
        let later = table.history.after(at)?.filter(|e| namespace.is_none_or(|n| *e.entry.key.namespace == *n));
        // The oldest change after `at` knows the state at `at`; undoing the latest first, it has the last word.
        let mut then: BTreeMap<(&str, &str), Option<&Arc<Entry>>> = BTreeMap::new();
        for event in later.rev() {
            let key = &event.entry.key;
            then.insert((&key.namespace, &key.name), event.previous.as_ref());
        }
        let mut entries = self.list(resource, namespace).entries;
        if !then.is_empty() {
            entries.retain(|e| !then.contains_key(&(&*e.key.namespace, &*e.key.name)));
            entries.extend(then.into_values().flatten().cloned());
            entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        }
        Ok(Listing { revision: at, entries })
    }

    /// The remembered changes of a resource after `since`, oldest first.
    pub(super) fn after(&self, resource: &str, since: Revision) -> Result<Vec<Arc<Event>>, Expired> {
        match self.tables.get(resource) {
            Some(table) => Ok(table.history.after(since)?.cloned().collect()),
            None => self.never_used(since).map(|()| Vec::new()),
        }
    }

    /// The remembered changes of all resources after `since`, oldest first.
    pub(super) fn all_after(&self, since: Revision) -> Result<Vec<Arc<Event>>, Expired> {
        let mut events = Vec::new();
        for table in self.tables.values() {
            events.extend(table.history.after(since)?.cloned());
        }
        events.sort_unstable_by_key(|event| event.revision);
        Ok(events)
    }

    /// Makes one change visible.
    pub(super) fn apply(&mut self, event: Arc<Event>) {
        self.revision = event.revision;
        let table = self.table(&event.entry.key.resource);
        match event.change {
            Change::Added | Change::Modified => insert(&mut table.objects, event.entry.clone()),
            Change::Deleted => remove(&mut table.objects, &event.entry.key),
        }
        table.history.push(event);
    }

    /// The key with the strings of its resource and namespace shared with their other objects.
    pub(super) fn intern(&self, key: Key) -> Key {
        let Some((resource, table)) = self.tables.get_key_value(&key.resource) else { return key };
        let namespace = table.objects.get_key_value(&key.namespace).map_or(&key.namespace, |(shared, _)| shared);
        Key { resource: resource.clone(), namespace: namespace.clone(), name: key.name }
    }

    fn table(&mut self, resource: &Arc<str>) -> &mut Table {
        self.tables.entry(resource.clone()).or_insert_with(|| Table {
            objects: Objects::new(),
            history: History::new(self.opened_at, self.history, self.history_bytes),
        })
    }

    fn never_used(&self, since: Revision) -> Result<(), Expired> {
        if since < self.opened_at { Err(Expired { asked: since, oldest: self.opened_at }) } else { Ok(()) }
    }
}

fn insert(objects: &mut Objects, entry: Arc<Entry>) {
    objects.entry(entry.key.namespace.clone()).or_default().insert(entry.key.name.clone(), entry);
}

fn remove(objects: &mut Objects, key: &Key) {
    if let Some(namespace) = objects.get_mut(&key.namespace) {
        namespace.remove(&key.name);
        if namespace.is_empty() {
            objects.remove(&key.namespace);
        }
    }
}

//! The store against a model of it that is too simple to be wrong.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// One step of a client; the numbers choose among few objects, so that steps meet.
#[derive(Clone, Debug)]
enum Step {
    Put { object: u8, class: bool, fresh: bool },
    Delete { object: u8, fresh: bool },
    Watch,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..6u8, any::<bool>(), prop::bool::weighted(0.9)).prop_map(|(object, class, fresh)| Step::Put { object, class, fresh }),
        4 => (0..6u8, prop::bool::weighted(0.9)).prop_map(|(object, fresh)| Step::Delete { object, fresh }),
        1 => Just(Step::Watch),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..60)
}

/// What the store should hold.
type Model = BTreeMap<Key, (Revision, u32)>;

struct World {
    path: Option<std::path::PathBuf>,
    store: Store,
    model: Model,
    /// The model as it was at each revision since the store was opened.
    past: BTreeMap<Revision, Model>,
    watches: Vec<(Watch, Model)>,
    value: u32,
}

impl World {
    fn new(path: Option<std::path::PathBuf>) -> Self {
        let store = Store::open(Config { path: path.clone(), ..Config::default() }).unwrap();
        let past = [(store.revision(), Model::new())].into();
        Self { path, store, model: Model::new(), past, watches: Vec::new(), value: 0 }
    }

    fn key(object: u8) -> Key {
        Key::new(
            ["pods", "nodes"][usize::from(object % 2)],
            ["a", "b", ""][usize::from(object % 3)],
            &object.to_string(),
        )
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Put { object, class, fresh } => self.put(&Self::key(object), class, fresh).await,
            Step::Delete { object, fresh } => self.delete(&Self::key(object), fresh).await,
            Step::Watch => {
                let since = self.store.revision();
                for resource in ["pods", "nodes"] {
                    let watch = self.store.watch(Interest::all(resource), since).unwrap();
                    let mut seen = self.model.clone();
                    seen.retain(|k, _| *k.resource == *resource);
                    self.watches.push((watch, seen));
                }
            }
            Step::Reopen => self.reopen().await,
        }
    }

    async fn put(&mut self, key: &Key, class: bool, fresh: bool) {
        self.value += 1;
        let known = self.model.get(key).map(|(revision, _)| *revision);
        let expect = match known {
            Some(revision) => Expect::At(if fresh { revision } else { Revision(revision.0 - 1) }),
            None if fresh => Expect::Absent,
            None => Expect::At(Revision(1)),
        };
        let write = if class { put(key, expect, self.value) } else { volatile(key, expect, self.value) };
        match (self.store.write(write).await, fresh) {
            (Ok(entry), true) => self.changed(key, Some((entry.revision, self.value)), entry.revision),
            (Err(WriteError::Conflict { current }), false) => assert_eq!(Some(current), known),
            (Err(WriteError::Missing), false) => assert_eq!(known, None),
            other => panic!("{other:?}"),
        }
    }

    async fn delete(&mut self, key: &Key, fresh: bool) {
        let known = self.model.get(key).map(|(revision, _)| *revision);
        let expect = known.map_or(Revision(1), |r| if fresh { r } else { Revision(r.0 - 1) });
        match (self.store.write(delete(key, expect)).await, known, fresh) {
            (Ok(entry), Some(_), true) => self.changed(key, None, entry.revision),
            (Err(WriteError::Conflict { current }), Some(known), false) => assert_eq!(current, known),
            (Err(WriteError::Missing), None, _) => {}
            other => panic!("{other:?}"),
        }
    }

    fn changed(&mut self, key: &Key, state: Option<(Revision, u32)>, at: Revision) {
        assert!(self.past.keys().all(|r| *r < at), "revisions grow");
        match state {
            Some(state) => self.model.insert(key.clone(), state),
            None => self.model.remove(key),
        };
        self.past.insert(at, self.model.clone());
    }

    async fn reopen(&mut self) {
        self.check();
        let Some(path) = self.path.clone() else { return };
        self.store.close().await;
        self.watches.clear();
        self.store = on_disk(&path);
        self.past = [(self.store.revision(), self.model.clone())].into();
    }

    fn check(&mut self) {
        for resource in ["pods", "nodes"] {
            for (at, model) in &self.past {
                assert_eq!(content(&self.store.list_at(resource, None, *at).unwrap()), of(model, resource));
            }
            assert_eq!(content(&self.store.list(resource, None)), of(&self.model, resource));
        }
        for (watch, seen) in &mut self.watches {
            while let Some(event) = ready(watch) {
                replay(seen, &event);
            }
            let resource = watch.interest().resource.clone();
            assert_eq!(of(seen, &resource), of(&self.model, &resource));
            assert_eq!(watch.progress(), self.store.revision());
        }
    }
}

fn replay(seen: &mut Model, event: &Event) {
    let key = event.entry.key.clone();
    let value = event.entry.value()["value"].as_u64().unwrap() as u32;
    let before = match event.change {
        Change::Deleted => seen.remove(&key),
        Change::Added | Change::Modified => seen.insert(key, (event.revision, value)),
    };
    assert_eq!(before.is_none(), event.change == Change::Added);
    assert_eq!(before.map(|(revision, _)| revision), event.previous.as_ref().map(|p| p.revision));
}

fn of(model: &Model, resource: &str) -> Vec<(Key, Revision, u32)> {
    model.iter().filter(|(k, _)| *k.resource == *resource).map(|(k, (r, v))| (k.clone(), *r, *v)).collect()
}

fn content(listing: &Listing) -> Vec<(Key, Revision, u32)> {
    let value = |e: &Entry| e.value()["value"].as_u64().unwrap() as u32;
    listing.entries.iter().map(|e| (e.key.clone(), e.revision, value(e))).collect()
}

fn play(path: Option<std::path::PathBuf>, steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(path);
        for step in steps {
            world.take(step).await;
        }
        world.check();
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_its_model(steps in steps()) {
        play(None, &steps);
    }

    #[test]
    fn the_store_on_disk_is_its_model(steps in steps()) {
        let directory = tempfile::tempdir().unwrap();
        play(Some(directory.path().join("state.redb")), &steps);
    }
}

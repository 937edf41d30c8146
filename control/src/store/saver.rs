//! What has to be on disk, and when.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::disk::{Disk, Record};
use super::plan::Plan;
use super::tables::Tables;
use super::{Change, Class, Entry, Event, Key, Revision};

/// How many revisions may be used up without telling the disk.
const BLOCK: u64 = 1 << 16;

/// How old a checkpoint of the volatile objects may get before the next durable commit takes them along.
const CHECKPOINT: Duration = Duration::from_secs(300);

/// The disk refused; the reason is for people.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to the store: {0}")]
pub(super) struct SaveError(String);

/// Knows what the disk has, and what it lacks.
pub(super) struct Saver {
    disk: Disk,
    /// On disk: no revision above it was handed out.
    mark: Revision,
    /// Volatile objects that the disk has in an older state, or not at all.
    changed: HashSet<Key>,
    /// Volatile objects that are gone, but maybe not from the disk.
    deleted: HashSet<Key>,
    /// Objects of a commit that failed: what the disk has of them is not known.
    uncertain: HashSet<Key>,
    checkpointed: Instant,
}

impl Saver {
    pub(super) fn new(disk: Disk, mark: Revision) -> Self {
        Self {
            disk,
            mark,
            changed: HashSet::new(),
            deleted: HashSet::new(),
            uncertain: HashSet::new(),
            checkpointed: Instant::now(),
        }
    }

    /// Makes a batch durable, as far as it has to be.
    pub(super) fn save(&mut self, tables: &Tables, plan: &Plan) -> Result<(), SaveError> {
        let Some(last) = plan.events.last() else { return Ok(()) };
        let mut keys = HashSet::new();
        for event in &plan.events {
            match event.entry.class {
                Class::Durable => _ = keys.insert(event.entry.key.clone()),
                Class::Volatile => self.remember(event),
            }
        }
        if keys.is_empty() && last.revision <= self.mark {
            return Ok(());
        }
        let checkpoint = self.checkpointed.elapsed() >= CHECKPOINT;
        self.commit(keys, checkpoint, Revision(last.revision.0 + BLOCK), |key| match plan.latest.get(key) {
            Some(in_batch) => in_batch.clone(),
            None => tables.get(key).cloned(),
        })
    }

    /// Leaves a file that has everything, and a mark without a gap.
    pub(super) fn finish(mut self, tables: &Tables) -> Result<(), SaveError> {
        let clean = self.changed.is_empty() && self.deleted.is_empty() && self.uncertain.is_empty();
        if clean && self.mark == tables.revision() {
            return Ok(());
        }
        self.commit(HashSet::new(), true, tables.revision(), |key| tables.get(key).cloned())
    }

    fn remember(&mut self, event: &Event) {
        let key = event.entry.key.clone();
        if event.change == Change::Deleted {
            self.changed.remove(&key);
            self.deleted.insert(key);
        } else {
            self.deleted.remove(&key);
            self.changed.insert(key);
        }
    }

    /// Writes the present state of the keys, and of all that is owed to the disk.
    fn commit(
        &mut self,
        mut keys: HashSet<Key>,
        checkpoint: bool,
        mark: Revision,
        state: impl Fn(&Key) -> Option<Arc<Entry>>,
    ) -> Result<(), SaveError> {
        keys.extend(self.deleted.iter().chain(&self.uncertain).cloned());
        if checkpoint {
            keys.extend(self.changed.iter().cloned());
        }
        let records: Vec<Record> = keys
            .into_iter()
            .map(|key| {
                let state = state(&key);
                (key, state)
            })
            .collect();
        if let Err(error) = self.disk.commit(&records, mark) {
            self.uncertain.extend(records.into_iter().map(|(key, _)| key));
            return Err(SaveError(error.to_string()));
        }
        self.mark = mark;
        self.deleted.clear();
        self.uncertain.clear();
        if checkpoint {
            self.changed.clear();
            self.checkpointed = Instant::now();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plan::plan;
    use super::super::{Draft, Expect, Write, disk};
    use super::*;

    fn create(name: &str) -> [Write; 1] {
        let draft = Draft::new(&json!({"metadata": {"name": name}}));
        [Write::Put { key: Key::new("pods", "a", name), expect: Expect::Absent, draft, class: Class::Durable }]
    }

    #[test]
    fn a_failed_commit_is_made_good_by_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.redb");
        let (disk, loaded) = disk::open(Some(&path)).unwrap();
        let mut saver = Saver::new(disk.unwrap(), loaded.revision);
        let mut tables = Tables::new(loaded.revision, 10, 1000, loaded.entries);

        // The commit of `lost` reaches the file, but the saver is told that it failed, as after a failed fsync.
        let lost = plan(&tables, create("lost"));
        saver.save(&tables, &lost).unwrap();
        saver.disk.break_off(directory.path().into());
        assert!(saver.save(&tables, &lost).is_err());
        saver.disk.break_off(path.clone());

        let kept = plan(&tables, create("kept"));
        saver.save(&tables, &kept).unwrap();
        kept.events.iter().for_each(|e| tables.apply(e.clone()));
        saver.finish(&tables).unwrap();
        let (_, loaded) = disk::open(Some(&path)).unwrap();
        let names: Vec<String> = loaded.entries.iter().map(|e| e.key.to_string()).collect();
        assert_eq!(names, ["pods/a/kept"]);
        assert_eq!(loaded.revision, tables.revision());
    }
}

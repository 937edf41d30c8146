//! `metadata.managedFields`, read and written.
//!
//! An entry is a manager (name, operation, version, sub-resource), the time of its last change and its fields. Entries that
//! make no sense make the whole list unreadable, as upstream has it; what follows from that is the caller's.

use std::collections::BTreeMap;

use objects::time;
use schema::apply::{FieldSet, Managers, Owner};
use serde_json::{Map, Value, json};

/// How many managers by update are kept apart.
const MOST_UPDATERS: usize = 10;

/// The manager of what the oldest of too many managers wrote.
const ANCIENT: &str = "ancient-changes";

/// Who owns fields, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The owners.
    pub owners: Managers<Manager>,
    /// When each last changed something; an apply that changed nothing has no time.
    times: BTreeMap<Manager, String>,
}

/// One who writes, told from others. The fields are in the order in which upstream compares identities.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manager {
    /// `kubectl-create`
    pub name: String,
    /// By declaration, or by difference.
    pub operation: Operation,
    /// The version of the fields; empty for who applies, since that goes on through versions.
    pub version: String,
    /// `status`, `scale`; empty for the object itself.
    pub subresource: String,
}

/// How fields came to be owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Declared in an applied configuration.
    Apply,
    /// Set or changed by any other write.
    Update,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

impl Manager {
    /// Who applies through a sub-resource.
    pub fn applier(name: &str, subresource: &str) -> Self {
        let (name, subresource) = (name.to_owned(), subresource.to_owned());
        Self { name, operation: Operation::Apply, version: String::new(), subresource }
    }

    /// Who writes in a version, through a sub-resource.
    pub fn updater(name: &str, version: &str, subresource: &str) -> Self {
        let (name, subresource) = (name.to_owned(), subresource.to_owned());
        Self { name, operation: Operation::Update, version: version.to_owned(), subresource }
    }

    /// As messages of conflicts call it.
    pub fn shown(&self) -> String {
        let mut shown = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            shown.push_str(&format!(" with subresource {:?}", self.subresource));
        }
        if self.operation == Operation::Update {
            shown.push_str(&format!(" using {}", self.version));
        }
        shown
    }
}

impl Ledger {
    /// Reads a list of entries; none where one of them makes no sense.
    pub fn decode(entries: Option<&Value>) -> Option<Self> {
        let mut ledger = Self::default();
        for entry in entries.and_then(Value::as_array).into_iter().flatten() {
            let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
            let operation = match text("operation") {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return None,
            };
            let version = text("apiVersion");
            if version.is_empty() || text("fieldsType") != "FieldsV1" {
                return None;
            }
            let manager = match operation {
                Operation::Apply => Manager::applier(text("manager"), text("subresource")),
                Operation::Update => Manager::updater(text("manager"), version, text("subresource")),
            };
            let set = FieldSet::decode(entry.get("fieldsV1").unwrap_or(&Value::Null)).ok()?;
            if let Some(time) = entry.get("time").and_then(Value::as_str) {
                ledger.times.insert(manager.clone(), time.to_owned());
            }
            let applied = operation == Operation::Apply;
            ledger.owners.insert(manager, Owner { set, version: version.to_owned(), applied });
        }
        Some(ledger)
    }

    /// The entries, by operation, time and name; none where nobody owns anything.
    pub fn encode(&self) -> Option<Value> {
        if self.owners.is_empty() {
            return None;
        }
        let mut entries: Vec<_> =
            self.owners.iter().map(|(manager, owner)| (manager, self.time(manager), owner)).collect();
        entries.sort_by(|(a, at, one), (b, bt, other)| {
            let key = |manager: &Manager| manager.operation;
            key(a)
                .cmp(&key(b))
                .then_with(|| at.cmp(bt))
                .then_with(|| a.name.cmp(&b.name))
                .then_with(|| one.version.cmp(&other.version))
                .then_with(|| a.subresource.cmp(&b.subresource))
        });
        Some(entries.into_iter().map(|(manager, time, owner)| entry(manager, time, owner)).collect())
    }

    fn time(&self, manager: &Manager) -> Option<&str> {
        self.times.get(manager).map(String::as_str)
    }

    /// Says that a manager changed something just now.
    pub fn touch(&mut self, manager: &Manager) {
        self.times.insert(manager.clone(), time::text(&time::now()));
    }

    /// Forgets when a manager last changed something.
    pub fn forget_time(&mut self, manager: &Manager) {
        self.times.remove(manager);
    }

    /// Merges the oldest managers by update into one a version, until there are no more than upstream keeps.
    pub fn cap(&mut self) {
        let mut updaters: Vec<Manager> =
            self.owners.keys().filter(|m| m.operation == Operation::Update).cloned().collect();
        let mut count = updaters.len();
        if count <= MOST_UPDATERS {
            return;
        }
        updaters.sort_by(|a, b| self.time(a).cmp(&self.time(b)).then_with(|| a.cmp(b)));
        let mut first: BTreeMap<String, Manager> = BTreeMap::new();
        for manager in updaters {
            if count <= MOST_UPDATERS {
                return;
            }
            let Some(version) = self.owners.get(&manager).map(|owner| owner.version.clone()) else { continue };
            match first.get(&version) {
                None => drop(first.insert(version, manager)),
                Some(oldest) => {
                    self.pour(&oldest.clone(), &manager, &version);
                    count -= 1;
                }
            }
        }
    }

    /// Puts what `manager` owns, and at first what the oldest of its version does, into the bucket of the version.
    fn pour(&mut self, oldest: &Manager, manager: &Manager, version: &str) {
        let bucket = Manager::updater(ANCIENT, version, "");
        if !self.owners.contains_key(&bucket)
            && let Some(owner) = self.owners.remove(oldest)
        {
            self.owners.insert(bucket.clone(), owner);
        }
        let Some(poured) = self.owners.remove(manager) else { return };
        match self.times.get(manager).cloned() {
            Some(time) => drop(self.times.insert(bucket.clone(), time)),
            None => drop(self.times.remove(&bucket)),
        }
        let before = self.owners.remove(&bucket).map(|owner| owner.set).unwrap_or_default();
        self.owners.insert(bucket, Owner { set: poured.set.union(before), ..poured });
    }
}

fn entry(manager: &Manager, time: Option<&str>, owner: &Owner) -> Value {
    let mut entry = Map::new();
    let mut set = |field: &str, value: Value| drop(entry.insert(field.to_owned(), value));
    set("manager", manager.name.as_str().into());
    set("operation", manager.operation.name().into());
    set("apiVersion", owner.version.as_str().into());
    if let Some(time) = time {
        set("time", time.into());
    }
    set("fieldsType", "FieldsV1".into());
    set("fieldsV1", owner.set.encode());
    if !manager.subresource.is_empty() {
        set("subresource", manager.subresource.as_str().into());
    }
    if manager.name.is_empty() {
        entry.shift_remove("manager");
    }
    Value::Object(entry)
}

/// True where a client asks for the list to be emptied: a list of one empty entry.
pub fn is_reset(entries: Option<&Value>) -> bool {
    matches!(entries.and_then(Value::as_array).map(Vec::as_slice), Some([only]) if *only == json!({}))
}

/// True where two lists differ in nothing but times.
pub fn same_but_times(a: Option<&Value>, b: Option<&Value>) -> bool {
    if a == b {
        return true;
    }
    let mut a: Vec<&Value> = a.and_then(Value::as_array).into_iter().flatten().collect();
    let b = b.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    a.len() == b.len()
        && b.iter().all(|entry| {
            let found = a.iter().position(|other| same_but_time(entry, other));
            found.map(|at| a.swap_remove(at)).is_some()
        })
}

fn same_but_time(a: &Value, b: &Value) -> bool {
    const FIELDS: [&str; 6] = ["manager", "operation", "apiVersion", "fieldsType", "subresource", "fieldsV1"];
    FIELDS.iter().all(|field| a.get(field) == b.get(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(field: &str) -> Owner {
        Owner { set: FieldSet::of(&[&["data", field]]), version: "v1".to_owned(), applied: false }
    }

    fn ledger(count: usize) -> Ledger {
        let mut ledger = Ledger::default();
        for at in 0..count {
            let manager = Manager::updater(&format!("m{at:02}"), "v1", "");
            ledger.owners.insert(manager.clone(), owner(&format!("k{at:02}")));
            ledger.times.insert(manager, format!("2026-11-20T09:25:{at:02}Z"));
        }
        ledger
    }

    #[test]
    fn what_is_encoded_is_read_back() {
        let mut ledger = ledger(3);
        let applier = Manager::applier("a", "status");
        ledger.owners.insert(applier, Owner { applied: true, ..owner("x") });
        let encoded = ledger.encode();
        assert_eq!(Ledger::decode(encoded.as_ref()), Some(ledger));
        let text = encoded.expect("entries").to_string();
        assert!(
            text.starts_with(
                r#"[{"manager":"a","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:x":{}}},"subresource":"status"},{"manager":"m00","operation":"Update","apiVersion":"v1","time":"2026-11-20T09:25:00Z","#
            ),
            "{text}"
        );
    }

    #[test]
    fn the_oldest_of_many_are_poured_together() {
        let mut full = ledger(10);
        full.cap();
        assert_eq!(full, ledger(10));
        let mut more = ledger(12);
        more.cap();
        let names: Vec<&str> = more.owners.keys().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["ancient-changes", "m03", "m04", "m05", "m06", "m07", "m08", "m09", "m10", "m11"]);
        let ancient = Manager::updater(ANCIENT, "v1", "");
        let expected = FieldSet::of(&[&["data", "k00"], &["data", "k01"], &["data", "k02"]]);
        assert_eq!(more.owners[&ancient].set, expected);
        assert_eq!(more.time(&ancient), Some("2026-11-20T09:25:02Z"));
    }

    #[test]
    fn entries_that_make_no_sense_are_not_read() {
        let good = json!({"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}});
        assert!(Ledger::decode(Some(&json!([good]))).is_some());
        for (field, value) in [
            ("operation", "Other"),
            ("apiVersion", ""),
            ("fieldsType", ""),
            ("fieldsType", "FieldsV2"),
            ("fieldsV1", "x"),
        ] {
            let mut bad = good.clone();
            bad[field] = value.into();
            assert_eq!(Ledger::decode(Some(&json!([bad]))), None, "{field}={value}");
        }
    }

    #[test]
    fn a_time_alone_is_no_difference() {
        let entry = |manager: &str, time: &str| json!({"manager": manager, "time": time});
        let (a, b) = (json!([entry("a", "1"), entry("b", "2")]), json!([entry("b", "3"), entry("a", "4")]));
        assert!(same_but_times(Some(&a), Some(&b)));
        assert!(!same_but_times(Some(&a), Some(&json!([entry("a", "1"), entry("c", "2")]))));
        assert!(!same_but_times(Some(&a), None));
    }
}

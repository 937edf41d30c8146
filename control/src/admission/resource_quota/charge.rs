//! One object's charge to the quotas of its namespace.

use crate::admission::amounts::{self, Amounts};
use crate::store::{Key, Revision, Store};

/// What an object that is about to be stored takes.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The object.
    pub key: Key,
    /// What was stored under its name when it was charged.
    pub seen: Option<Revision>,
    /// What it takes more than before.
    pub delta: Amounts,
    /// The quotas that are about it.
    pub quotas: Vec<String>,
}

impl Charge {
    /// True while the object is not stored yet.
    pub fn is_pending(&self, store: &Store) -> bool {
        store.get(&self.key).map(|entry| entry.revision) == self.seen
    }
}

/// The usage of a quota with one more charge.
///
/// # Errors
/// The quota is exceeded: which of its amounts, and by what.
pub fn add(quota: &str, hard: &Amounts, used: &Amounts, delta: &Amounts) -> Result<Amounts, String> {
    let requested: Amounts =
        delta.iter().filter(|(name, _)| hard.contains_key(*name)).map(|(n, a)| (n.clone(), *a)).collect();
    let mut after = used.clone();
    amounts::add(&mut after, &requested);
    let over: Vec<&String> = requested.keys().filter(|name| after.get(*name) > hard.get(*name)).collect();
    if over.is_empty() {
        return Ok(after);
    }
    let of = |all: &Amounts| {
        let some: Amounts = over.iter().filter_map(|n| Some(((*n).clone(), *all.get(*n)?))).collect();
        amounts::shown(&some)
    };
    Err(format!("exceeded quota: {quota}, requested: {}, used: {}, limited: {}", of(&requested), of(used), of(hard)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_quota_takes_what_fits() {
        let read = |value| amounts::read(&value);
        let hard = read(json!({"pods": "2", "requests.cpu": "1", "secrets": "1"}));
        let delta = read(json!({"pods": "1", "requests.cpu": "600m", "cpu": "600m"}));
        let used = read(json!({"pods": "1", "requests.cpu": "400m", "secrets": "5"}));
        let after = add("q", &hard, &used, &delta).map(|a| amounts::shown(&a));
        assert_eq!(after.as_deref(), Ok("pods=2,requests.cpu=1,secrets=5"));
        let used = read(json!({"pods": "2", "requests.cpu": "500m"}));
        assert_eq!(
            add("q", &hard, &used, &delta).map(|a| amounts::shown(&a)),
            Err("exceeded quota: q, requested: pods=1,requests.cpu=600m, used: pods=2,requests.cpu=500m, limited: \
                 pods=2,requests.cpu=1"
                .to_owned())
        );
    }
}
